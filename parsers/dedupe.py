"""Events that came before: two shippers of one file, a device that repeats itself, a sender that was not sure.

    parse:
      - {type: dedupe, fields: [event.id], window: 10m}

The first is stored, those that are equal in these fields and arrive within the window are left out and counted.
"""

from __future__ import annotations

import threading
from collections import deque

import polars as pl
from pydantic import Field

from ..plugins import Batch, Duration, Judge, Judged, PluginConfig, Recent, arrived, duration_ns, hookimpl, keys_of


class DedupeConfig(PluginConfig):
    """Settings of leaving out repetitions."""

    fields: list[str] = Field(min_length=1, max_length=50)
    """Events that are equal in all of these are one; an event that has none of them is kept."""
    window: Duration = "10m"
    """How long after the first, by the time of arrival, such as `10m`; a day at most."""


class Dedupe(Judge[DedupeConfig]):
    """Leave out events that are equal to one that was stored.

    It remembers 200,000 events, on each node for itself, until the node ends or the pipeline changes. An event is left
    out only where the first one is stored, or is in the same batch: of those that arrive while the first one is being
    committed, some ten milliseconds, more than one may be stored.
    """

    def __init__(self, config: DedupeConfig) -> None:
        super().__init__(config)
        self._window = duration_ns(config.window)
        if self._window > 86_400_000_000_000:
            raise ValueError("window: a day is the longest")
        self._stored = Recent()
        self._committed: deque[tuple[pl.Series, int]] = deque()
        self._lock = threading.Lock()

    def judge(self, batch: Batch) -> Judged:
        """Without those that are stored already, and the first alone of those that came together."""
        keys, now = keys_of(batch, self.config.fields), arrived(batch)
        with self._lock:
            while self._committed:
                stored, at = self._committed.popleft()
                self._stored.put(stored, pl.zeros(len(stored), pl.Int64, eager=True), at, now - self._window)
            known = self._stored.find(keys.fill_null(0), now - self._window).is_not_null() & keys.is_not_null()
        keeps = keys.is_null() | (keys.is_first_distinct() & ~known)
        new = keys.filter(keeps & keys.is_not_null())

        def settle(committed: bool) -> None:
            if committed and len(new):
                self._committed.append((new, now))

        return Judged(batch, keeps, settle)


@hookimpl
def cordwood_plugins() -> list[type[Dedupe]]:
    """The step that leaves repetitions out."""
    return [Dedupe]
