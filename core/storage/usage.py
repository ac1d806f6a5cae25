"""What each project took in today: of all nodes what is committed, of this one also what is on its way.

The count is a column of the segment log's row, written by the commits themselves, so that it neither forgets a crash
nor counts what was refused. A day is a UTC day by the database's clock: nodes agree on it.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

import anyio
import asyncpg

from .commit import Submission

_FRESH_SECONDS = 0.2  # so long a count is believed: what other nodes commit meanwhile comes on top of the limit
_TODAY = """
select case when day = (now() at time zone 'utc')::date then day_bytes else 0 end,
       extract(epoch from date_trunc('day', now() at time zone 'utc') + interval '1 day' - now() at time zone 'utc')
from segment_log where project_id = $1
"""


@dataclass(slots=True)
class _Day:
    committed: int
    seen: float
    ends: float


class DailyUsage:
    """Bytes taken in today, by project; what counts as bytes of a batch is `Submission.received`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._days: dict[int, _Day] = {}
        self._pending: set[Submission] = set()
        self._bytes: Counter[int] = Counter()  # of `_pending`, by project
        self._reading = anyio.Lock()

    def begin(self, submission: Submission) -> None:
        """Count what is to be committed; `end` must follow."""
        self._pending.add(submission)
        self._bytes[submission.project_id] += submission.received

    def end(self, submission: Submission) -> None:
        """It is committed, or will not be. Without a `begin`, nothing happens."""
        if submission in self._pending:
            self._pending.remove(submission)
            self._bytes[submission.project_id] -= submission.received

    def committed(self, project_id: int, day_bytes: int) -> None:
        """Note the day's count as a commit of this node left it."""
        if day := self._days.get(project_id):
            day.committed, day.seen = day_bytes, time.monotonic()

    async def today(self, project_id: int) -> tuple[int, float]:
        """Bytes of today, and the seconds until the next day begins."""
        if self._stale(project_id):
            async with self._reading:
                if self._stale(project_id):
                    ((committed, rest),) = await self._pool.fetch(_TODAY, project_id)
                    now = time.monotonic()
                    self._days[project_id] = _Day(committed, now, now + float(rest))
        day = self._days[project_id]
        return day.committed + self._bytes[project_id], max(0.0, day.ends - time.monotonic())

    def _stale(self, project_id: int) -> bool:
        day, now = self._days.get(project_id), time.monotonic()
        return day is None or now - day.seen >= _FRESH_SECONDS or now >= day.ends
