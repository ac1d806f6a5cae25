"""An app on phones: sessions, crashes of one version, and phones that were offline and say later what happened."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from .sender import Event, timestamp
from .shop import arrivals

SESSIONS_PER_S = 0.4
OFFLINE, OFFLINE_S = 0.08, (30, 240)
"""So many sessions lose their connection in the middle, for so long: their events are kept on the phone meanwhile."""
NEW_VERSION, CRASHES = "8.3.0", 0.12
"""The version that crashes so often where somebody pays by an Android phone."""

_PHONES = (
    ("android", "16", "Pixel 10"),
    ("android", "15", "Galaxy S25"),
    ("android", "14", "Redmi Note 14"),
    ("ios", "26.1", "iPhone 17"),
    ("ios", "18.7", "iPhone 14"),
)
_SCREENS = ("home", "search", "product", "cart", "checkout")
_CRASH = """\
java.lang.NullPointerException: Attempt to invoke virtual method 'Coupon.getCode()' on a null object reference
	at com.example.shop.checkout.CouponView.bind(CouponView.kt:57)
	at com.example.shop.checkout.CheckoutFragment.onViewCreated(CheckoutFragment.kt:112)
	at android.os.Handler.dispatchMessage(Handler.java:109)"""


class Mobile:
    """People who look around in the shop's app, on phones of a few kinds and two versions of the app."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def second(self, at: int, busy: float) -> list[tuple[float, Event]]:
        """What the sessions that begin in this second say, until they end."""
        said: list[tuple[float, Event]] = []
        for start in arrivals(self._random, at, SESSIONS_PER_S * busy):
            said += self._late(start, list(self._session(start)))
        return said

    def _late(self, start: float, said: list[tuple[float, Event]]) -> Iterator[tuple[float, Event]]:
        """The events when they arrive: of a phone that was offline all at once, with the times when they happened."""
        if self._random.random() >= OFFLINE:
            yield from said
            return
        lost = self._random.uniform(start, said[-1][0])
        back = lost + self._random.uniform(*OFFLINE_S)
        for at, event in said:
            if lost <= at < back:
                yield back, {"timestamp": timestamp(at), **event, "offline": True}
            else:
                yield at, event

    def _session(self, at: float) -> Iterator[tuple[float, Event]]:
        """From the start of the app to its end, which may be a crash."""
        random = self._random
        system, release, model = random.choice(_PHONES)
        told: dict[str, object] = {
            "service": "mobile-app",
            "host": f"mobile-gateway-{random.choice((1, 2))}",
            "service.version": random.choices((NEW_VERSION, "8.2.4"), (3, 7))[0],
            "os.name": system,
            "os.version": release,
            "device.model.name": model,
            "session.id": f"{random.getrandbits(64):016x}",
        }
        cold = round(random.lognormvariate(6.6, 0.4), 1)
        yield at, {"severity": "INFO", "message": f"app started in {cold} ms", **told, "duration_ms": cold}
        for screen in _SCREENS[: 1 + min(4, int(random.expovariate(0.45)))]:
            at += random.uniform(2, 25)
            shown = {**told, "screen.name": screen, "duration_ms": round(random.lognormvariate(4.6, 0.5), 1)}
            yield at, {"severity": "INFO", "message": f"screen {screen} shown", **shown}
            if random.random() < 0.03:
                words = f"slow frames on {screen}: {random.randint(12, 60)} in the last second"
                yield at + 1, {"severity": "WARN", "message": words, **shown}
        may_crash = (screen, system, told["service.version"]) == ("checkout", "android", NEW_VERSION)
        if may_crash and random.random() < CRASHES:
            crash = {**shown, "error.type": _CRASH.partition(":")[0]}
            yield at + random.uniform(1, 5), {"severity": "ERROR", "message": _CRASH, **crash}
            return
        yield at + random.uniform(3, 40), {"severity": "DEBUG", "message": "app sent to the background", **told}
