"""A web shop: four services that share a trace id, and a payment provider that is away now and then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from .sender import Event

REQUESTS_PER_S = 10.0
OUTAGE_EVERY_S, OUTAGE_S = 780, 45
"""The payment provider is away for this long, once in this time, from `Shop.opened` on."""

_PRODUCTS = ("oak chair", "pine shelf", "ash table", "walnut bowl", "beech stool", "birch lamp", "larch bench")
_BROWSERS = ("Firefox/146.0", "Chrome/142.0", "Safari/19.1", "curl/8.17")
_PROVIDER = "pay.example.net"
_TRACE = """\
ProviderUnavailable: {provider} answered 503 to charge {charge}
Traceback (most recent call last):
  File "/srv/payment/app.py", line 88, in charge
    answer = provider.charge(order, amount)
  File "/srv/payment/provider.py", line 41, in charge
    raise ProviderUnavailable(f"{{host}} answered {{response.status}} to charge {{charge}}")
payment.provider.ProviderUnavailable: {provider} answered 503 to charge {charge}"""

Said = tuple[float, Event]


class Shop:
    """`outages` are (from, to) in seconds since the epoch; the regular ones come after `opened`."""

    def __init__(self, random: Random, *, opened: int = 0, outages: Sequence[tuple[int, int]] = ()) -> None:
        self._random = random
        self.opened = opened
        self._outages = outages
        self._order = 48_000

    def second(self, at: int, busy: float) -> list[Said]:
        """All that the requests of this second cause."""
        said: list[Said] = []
        rate = REQUESTS_PER_S * busy
        if self._is_down(at):
            rate = max(rate, REQUESTS_PER_S / 6)  # people try again and again
        for start in arrivals(self._random, at, rate):
            said += self._request(start)
        return said

    def _is_down(self, at: float) -> bool:
        regular = at >= self.opened and (at - self.opened) % OUTAGE_EVERY_S >= OUTAGE_EVERY_S - OUTAGE_S
        return regular or any(begin <= at < end for begin, end in self._outages)

    def _request(self, at: float) -> Iterator[Said]:
        """One request of a browser, and the calls that it makes inside."""
        random = self._random
        trace, user = f"{random.getrandbits(128):032x}", f"u{int(random.paretovariate(0.6)) % 9000}"
        if self._is_down(at):
            kind = "checkout" if random.random() < 0.6 else "browse"
        else:
            kind = random.choices(("browse", "search", "cart", "checkout"), (50, 20, 16, 14))[0]
        if kind == "checkout":
            yield from self._checkout(at, trace, user)
            return
        product = random.choice(_PRODUCTS)
        path = {
            "browse": f"/products/{random.randrange(1, 400)}",
            "search": f"/search?q={product.replace(' ', '+')}",
            "cart": "/cart",
        }[kind]
        if random.random() < 0.35:
            words = f"cache {random.choice(('hit', 'hit', 'hit', 'miss'))} for {product}"
            yield at + 0.002, self._event("web", "DEBUG", words, trace)
        if kind == "cart":
            left = random.randrange(0, 40)
            words = f"{product}: {left} left in stock" if left > 2 else f"{product} is almost sold out: {left} left"
            yield at + 0.009, self._event("inventory", "INFO" if left > 2 else "WARN", words, trace, stock=left)
        status = random.choices((200, 304, 404, 500), (90, 6, 3.6, 0.4))[0]
        yield self._answered(at, trace, user, "POST" if kind == "cart" else "GET", path, status, 0.018)

    def _checkout(self, at: float, trace: str, user: str) -> Iterator[Said]:
        """Web asks checkout, checkout asks inventory and payment: seven lines with one trace id."""
        random = self._random
        self._order += 1
        order, amount = self._order, round(random.lognormvariate(4, 0.7), 2)
        told = {"order": order, "amount": amount, "user": user}
        product = random.choice(_PRODUCTS)
        yield at + 0.004, self._event("checkout", "INFO", f"checkout of order {order} started by {user}", trace, **told)
        reserved = f"reserved 1 {product} for order {order}"
        yield at + 0.011, self._event("inventory", "INFO", reserved, trace, order=order)
        charge = f"ch_{random.getrandbits(40):010x}"
        if self._is_down(at):
            tries = 3
            for n in range(1, tries + 1):
                words = f"timeout talking to {_PROVIDER}, attempt {n} of {tries}"
                yield at + 0.9 * n, self._event("payment", "WARN", words, trace, order=order, attempt=n)
            after = at + 0.9 * tries + 0.05
            failed = _TRACE.format(provider=_PROVIDER, charge=charge)
            yield (
                after,
                self._event("payment", "ERROR", failed, trace, order=order, **{"error.type": "ProviderUnavailable"}),
            )
            words = f"order {order} failed: payment is not available"
            yield after + 0.01, self._event("checkout", "ERROR", words, trace, **told)
            released = f"released 1 {product} of order {order}"
            yield after + 0.02, self._event("inventory", "INFO", released, trace, order=order)
            yield self._answered(at, trace, user, "POST", "/checkout", 503, after + 0.03 - at)
            return
        took = random.lognormvariate(-1.6, 0.6)
        if random.random() < 0.04:
            words = f"card declined for user {user}: insufficient funds"
            yield at + took, self._event("payment", "WARN", words, trace, order=order, charge=charge)
            yield self._answered(at, trace, user, "POST", "/checkout", 402, took + 0.02)
            return
        charged = f"charged {amount:.2f} EUR for order {order}"
        yield at + took, self._event("payment", "INFO", charged, trace, charge=charge, **told)
        yield at + took + 0.01, self._event("checkout", "INFO", f"order {order} confirmed", trace, **told)
        yield self._answered(at, trace, user, "POST", "/checkout", 201, took + 0.03)

    def _answered(
        self, at: float, trace: str, user: str, method: str, path: str, status: int, typical_s: float
    ) -> Said:
        """The line of the web server's access log."""
        took = typical_s * self._random.lognormvariate(0, 0.45)
        level = "ERROR" if status >= 500 else "WARN" if status in (402, 404) else "INFO"
        ms = round(took * 1000, 2)
        told = {"user": user, "method": method, "path": path.partition("?")[0], "status": status, "duration_ms": ms}
        agent = self._random.choice(_BROWSERS)
        return at + took, self._event("web", level, f"{method} {path} {status} in {ms} ms", trace, **told, agent=agent)

    def _event(self, service: str, severity: str, message: str, trace: str, **more: object) -> Event:
        host = f"{service}-{1 + self._random.randrange(3 if service == 'web' else 2)}"
        return {"severity": severity, "service": service, "host": host, "message": message, "trace_id": trace, **more}


def arrivals(random: Random, at: int, rate: float) -> Iterator[float]:
    """Times in the second that begins at `at`, at random with `rate` a second on average."""
    moment = random.expovariate(rate)
    while moment < 1:
        yield at + moment
        moment += random.expovariate(rate)
