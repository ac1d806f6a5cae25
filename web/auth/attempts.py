"""How often one may guess a password."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from ..problems import ProblemException

MOST: Final = 10  # wrong passwords for one account, or from one client, within the window
WINDOW_S: Final = 300.0
_REMEMBERED: Final = 10_000


class Attempts:
    """Wrong passwords of the last minutes by account and by client; bounded, the oldest forgotten first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: OrderedDict[str, list[float]] = OrderedDict()

    def check(self, *keys: str) -> None:
        """Let an attempt through.

        :raises ProblemException: 429 with Retry-After: there were too many
        """
        now = self._clock()
        for key in keys:
            recent = [at for at in self._failed.get(key, ()) if at > now - WINDOW_S]
            if len(recent) >= MOST:
                after = recent[-MOST] + WINDOW_S - now
                raise ProblemException(429, "too many wrong passwords: wait some minutes", after=max(1.0, after))

    def failed(self, *keys: str) -> None:
        """Note a wrong password."""
        now = self._clock()
        for key in keys:
            self._failed[key] = [at for at in self._failed.get(key, ()) if at > now - WINDOW_S] + [now]
            self._failed.move_to_end(key)
        while len(self._failed) > _REMEMBERED:
            self._failed.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget the wrong passwords of an account whose owner is here."""
        self._failed.pop(key, None)
