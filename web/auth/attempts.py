"""How often one may guess a password, or ask for a new one."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from ..problems import ProblemException

MOST: Final = 10  # wrong passwords for one account, or from one client, within the window
WINDOW_S: Final = 300.0
MOST_RESETS: Final = 5  # links by mail to one address, or for one client, within their window
RESETS_WINDOW_S: Final = 900.0
MOST_SHARED: Final = 600  # uses of a shared link within its window: a dashboard of 60 panels ten times
SHARED_WINDOW_S: Final = 60.0
_REMEMBERED: Final = 10_000


class Attempts:
    """Wrong passwords of the last minutes by account and by client; bounded, the oldest forgotten first."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        most: int = MOST,
        window_s: float = WINDOW_S,
        what: str = "wrong passwords",
    ) -> None:
        self._clock, self._most, self._window_s, self._what = clock, most, window_s, what
        self._failed: OrderedDict[str, list[float]] = OrderedDict()

    def check(self, *keys: str) -> None:
        """Let an attempt through.

        :raises ProblemException: 429 with Retry-After: there were too many
        """
        now = self._clock()
        for key in keys:
            recent = self._recent(key, now)
            if len(recent) >= self._most:
                after = recent[-self._most] + self._window_s - now
                raise ProblemException(429, f"too many {self._what}: wait some minutes", after=max(1.0, after))

    def failed(self, *keys: str) -> None:
        """Note a wrong password."""
        now = self._clock()
        for key in keys:
            self._failed[key] = [*self._recent(key, now), now]
            self._failed.move_to_end(key)
        while len(self._failed) > _REMEMBERED:
            self._failed.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget the wrong passwords of an account whose owner is here."""
        self._failed.pop(key, None)

    def _recent(self, key: str, now: float) -> list[float]:
        return [at for at in self._failed.get(key, ()) if at > now - self._window_s]
