"""What sources that follow many things share: positions in what is gone for long are forgotten."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence

from ..plugins import Duration, Outlet, RetryableError, duration_ns

_LONGEST_S = 3600.0  # between two looks: what is there is then marked often enough, however long `after` is
_SHARE = 10  # of `after` between two looks
_log = logging.getLogger(__name__)


class Forgetting:
    """Forgets, now and then, the positions under a prefix of what has not been there for `after`; None: never.

    The time counts over restarts: what is there is marked in the store, by whichever node sees it.
    """

    def __init__(self, outlet: Outlet, prefix: str, after: Duration | None) -> None:
        self._outlet, self._prefix = outlet, prefix
        self._after_s = None if after is None else duration_ns(after) / 1e9
        self._next = time.monotonic() + self._pause_s

    @property
    def _pause_s(self) -> float:
        return min((self._after_s or 0) / _SHARE, _LONGEST_S)

    @property
    def due(self) -> bool:
        """Whether it is time for a look."""
        return self._after_s is not None and time.monotonic() >= self._next

    async def look(self, there: Iterable[str]) -> Sequence[str]:
        """Mark the keys of what is there, and forget others; the keys that are forgotten. Too early: none."""
        if self._after_s is None or not self.due:
            return ()
        self._next = time.monotonic() + self._pause_s
        try:
            gone = await self._outlet.forget(self._prefix, list(there), self._after_s)
        except RetryableError as why:
            _log.info("source %s: whether positions are to be forgotten is asked later: %s", self._outlet.source, why)
            return ()
        if gone:
            _log.info("source %s: %d positions in what is gone are forgotten", self._outlet.source, len(gone))
        return gone
