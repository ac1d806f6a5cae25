"""From when the events of new commits are: read once for all detectors of a project.

A segment tells when its events are from. One that was merged meanwhile has older commits too, and its times would make
all of them seem late: those are asked for.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final

import anyio

from ...plugins import iso_ns
from .head import Catalog
from .run import Engine, Events
from .steps import Interval

KEPT: Final = 10_000  # segments noted; who asks for older ones has them read again


@dataclass
class Arrivals:
    """Of one project: when the events of the commits since `upto` are from."""

    catalog: Catalog
    engine: Engine
    project_id: int
    upto: int
    """The position up to which all is noted; nothing before this one's start is."""
    _after: int = field(init=False)
    _noted: list[tuple[int, Interval]] = field(default_factory=list)  # the last position of each, in order
    _lock: anyio.Lock = field(default_factory=anyio.Lock)

    def __post_init__(self) -> None:
        self._after = self.upto

    async def since(self, after: int, upto: int) -> list[Interval]:
        """The times of the events with `after < position <= upto`, perhaps of some that came right after them.

        :raises RetryableError: the database does not answer
        :raises QueryError: a merged segment cannot be read
        """
        if upto <= after:
            return []
        async with self._lock:  # many come at once: the first reads for all
            if self.upto < upto:
                self._noted += await self._read(self.upto, upto)
                self.upto = upto
                if len(self._noted) > KEPT:
                    self._after = self._noted[-KEPT][0]
                    del self._noted[: bisect_right(self._noted, self._after, key=lambda noted: noted[0])]
        if after < self._after:
            return [interval for _, interval in await self._read(after, upto)]
        begin = bisect_right(self._noted, after, key=lambda noted: noted[0])
        return [interval for _, interval in self._noted[begin:]]

    async def _read(self, after: int, upto: int) -> list[tuple[int, Interval]]:
        found = await self.catalog.segments(self.project_id, after_position=after, upto_position=upto)
        noted = [(one.max_position, (one.min_time, one.max_time)) for one in found if one.min_position > after]
        if len(noted) < len(found):
            merged = [one for one in found if one.min_position <= after]
            noted += [
                (upto, (iso_ns(row["low"]), iso_ns(row["high"])))
                for row in await Events(self.engine, self.project_id, upto, after).rows(
                    "* | stats min(timestamp) as low, max(timestamp) as high",
                    from_ns=min(one.min_time for one in merged),
                    to_ns=max(one.max_time for one in merged) + 1,
                    now_ns=max(one.max_time for one in merged),
                    limit=1,
                )
                if "low" in row
            ]
        return sorted(noted)
