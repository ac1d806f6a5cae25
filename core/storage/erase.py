"""Erasing events from segments: what deletion by query and retention by stream have in common.

Segments never change, so one that holds rows to erase is read, written anew without them and exchanged in the catalog,
in the transaction that also counts the progress: after a crash nothing is counted twice. It keeps its order, positions,
templates and level. A merge that began before cannot bring the rows back: its commit finds that its input was replaced
and fails (see `compaction`), as ours does when the merge was faster; then we look at the merged one.

What was looked at is remembered by job in `segment_checked`, so that a job opens each segment once, whatever happens.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

import anyio
import anyio.to_thread
import asyncpg
import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from ...plugins.errors import FatalError
from .cache import SegmentCache
from .compaction import FILTERED_ROWS, ROW_GROUP
from .database import Connection
from .decode import read_segments
from .encode import EncodedSegment, encode_frame
from .exchange import exchange
from .files import Files
from .segment import Segment

Rows: TypeAlias = npt.NDArray[np.int64]
"""Numbers of rows in a segment's file, from 0."""


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be erased. Times are nanoseconds since the epoch, `to_ns` exclusive, `upto_position` inclusive.

    Events that one of `excluded` finds stay. `now_ns` is what "now" means in the texts. `attributes` are those names
    with a standard meaning (`level`, `time` …) that are attributes here: while a job runs, a name keeps its meaning.
    """

    project_id: int
    text: str
    now_ns: int
    excluded: tuple[str, ...] = ()
    from_ns: int | None = None
    to_ns: int | None = None
    upto_position: int | None = None
    timezone: str = "UTC"
    attributes: frozenset[str] | None = None


class Found(Protocol):
    """Where a search looks, by one snapshot of the catalog."""

    @property
    def segments(self) -> Sequence[Segment]:
        """Those that the catalog does not rule out, newest first."""

    async def rows(self, segment: Segment) -> Rows:
        """The rows of one of them that the search finds.

        :raises SegmentGoneError: it was replaced meanwhile
        :raises SegmentDamagedError: its bytes cannot be had
        """


class Searcher(Protocol):
    """The query language, as far as erasing needs it; `core.query` has it."""

    async def find(self, search: Search) -> Found:
        """Plan the search.

        :raises QueryError: it is none, or has stages
        """

    async def attributes(self, search: Search) -> frozenset[str]:
        """The value for `Search.attributes` by the events that there are now."""

    def masked(self, text: str) -> str:
        """The search with its values hidden."""


Progress: TypeAlias = Callable[[Connection, int], Awaitable[None]]
"""Writes down, in the transaction of the change, that one more segment is done, and how many rows left it."""


class Eraser:
    """Erases rows and remembers for each job where it has been."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        files: Files,
        cache: SegmentCache,
        *,
        limiter: anyio.CapacityLimiter | None = None,
    ) -> None:
        self._pool, self._files, self._cache, self._limiter = pool, files, cache, limiter

    async def unchecked(self, job: str, segments: Sequence[Segment]) -> list[Segment]:
        """Those of the segments in which the job has not been, in the same order."""
        ids = [segment.id for segment in segments]
        rows = await self._pool.fetch(
            "select segment_id from segment_checked where job = $1 and segment_id = any($2)", job, ids
        )
        known = {row[0] for row in rows}
        return [segment for segment in segments if segment.id not in known]

    async def erase(self, job: str, segment: Segment, rows: Rows, progress: Progress | None = None) -> int:
        """Take the rows out of the segment; how many those are.

        :raises SegmentGoneError: it was replaced meanwhile; nothing was changed
        :raises SegmentDamagedError: its bytes cannot be had
        :raises RetryableError: the database or the place of the bytes does not answer; nothing was changed
        :raises FatalError: its file does not hold what the catalog says
        """
        fresh: list[EncodedSegment] = []
        if 0 < len(rows) < segment.rows:
            paths = await self._cache.paths([segment])
            fresh = [await anyio.to_thread.run_sync(without, segment, paths[segment.id], rows, limiter=self._limiter)]
        level = segment.level
        prepared = await self._files.prepare(fresh, level=level)
        checked = [] if len(rows) else [segment.id]
        async with self._pool.acquire() as connection, connection.transaction():
            if len(rows):
                checked = await exchange(connection, self._files, [segment], fresh, prepared, level=level)
            for id_ in checked:
                await connection.execute(
                    "insert into segment_checked (job, segment_id) values ($1, $2) on conflict do nothing", job, id_
                )
            if progress is not None:
                await progress(connection, len(rows))
        for encoded in fresh:
            await anyio.to_thread.run_sync(self._cache.put, checked[0], encoded.data)
        return len(rows)

    async def sweep(self) -> None:
        """Forget where jobs have been in segments that are not alive any more, and jobs that are over."""
        await self._pool.execute(
            """
            delete from segment_checked c
            where not exists (select from segment s where s.id = c.segment_id and s.replaced_at is null)
               or c.job in (select 'deletion:' || id from deletion where state <> 'running')
            """
        )


def without(segment: Segment, path: Path, rows: Rows) -> EncodedSegment:
    """The segment without these rows, at least one of which is left. Blocking; takes about 400 bytes a row.

    :raises FatalError: the file has more or fewer rows than the catalog says
    """
    frame = read_segments([segment], {segment.id: path})
    if frame.height != segment.rows:
        raise FatalError(f"the file of segment {segment.id} has {frame.height} rows instead of {segment.rows}")
    keep = np.ones(frame.height, dtype=np.bool_)
    keep[rows] = False
    left = frame.filter(pl.Series(keep))
    return encode_frame(left, row_group=ROW_GROUP, filtered=segment.level > 0 and left.height >= FILTERED_ROWS)
