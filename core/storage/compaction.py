"""The compactor: merges small segments into large ones, sorted, without stopping anything.

Level 0 are the commits as they came. Sixteen of them, half a million rows, or what is a minute old become segments of
level 1, one for each UTC day in them; eight neighbours of a level and day become one of the next, until a segment has
about half a million rows. Of small commits more are taken, until they have 62,500 rows: eight times as many are full.
While much comes in, up to 256 commits wait. So an event is rewritten at most four times. Rows are sorted by service,
template, time: equal values meet, and the file shrinks. Old segments leave the catalog in the transaction in which the
new ones enter it; their bytes go when no query can still be reading them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import accumulate
from pathlib import Path

import anyio
import anyio.to_thread
import asyncpg
import numpy as np
import numpy.typing as npt
import polars as pl

from ...plugins.errors import RetryableError
from ...plugins.fields import MAX_ATTRIBUTES
from .cache import SegmentCache, SegmentDamagedError, SegmentGoneError
from .catalog import Catalog
from .commit import KEY_HOURS
from .decode import read_segments
from .encode import TEMPLATE, EncodedSegment, encode_frame
from .exchange import exchange
from .files import Files
from .leader import Session
from .segment import Segment

FULL_ROWS = 500_000
"""No merge makes a larger segment, and one of half of it is not merged again: merging takes about 400 bytes a row."""
_FULL_CELLS = 20_000_000  # rows by columns: wide segments are full earlier, for merging takes memory by the cell
_FULL_BYTES = 64 * 2**20  # of texts, where they are long: merging takes some five times as much
_FIRST_ROWS = FULL_ROWS // 8  # of a merge of commits, which takes memory while ingest does
_LEVEL0 = 16  # commits merged at once
_BACKLOG = 256  # commits that may wait while much comes in: a burst of half a minute is merged once, and after it
_FANOUT = 8  # segments of a level and day that become one
_OLD_SECONDS = 60  # level-0 segments are merged at this age, however few
ROW_GROUP = 32_768
FILTERED_ROWS = 10_000  # a smaller segment is as quickly read as its token filter
_UNREADABLE_SECONDS = 60.0  # then a damaged segment, or one whose place does not answer, is tried again
_DAY_NS = 86_400_000_000_000
_log = logging.getLogger(__name__)


class Compactor:
    """Merges the segments of all projects; runs on one node at a time (see `leader`)."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        catalog: Catalog,
        cache: SegmentCache,
        files: Files,
        *,
        busy: Callable[[], bool] = lambda: False,
        limiter: anyio.CapacityLimiter | None = None,
    ) -> None:
        self._pool, self._catalog, self._cache, self._files = pool, catalog, cache, files
        self._busy = busy
        self._unreadable: dict[int, float] = {}  # segments that could not be read, and when to try again
        self.fields = MAX_ATTRIBUTES  # of a segment, which have columns
        self._limiter = limiter

    async def work(self, _session: Session, every: float = 2.0) -> None:
        """Compact and sweep until cancelled. While ingest is busy, only what cannot wait is merged."""
        while True:
            if not await self.round():
                await anyio.sleep(every)

    async def round(self) -> bool:
        """One merge in each project that has one due, and a sweep; whether there was one."""
        merged = False
        for project_id in [row[0] for row in await self._pool.fetch("select id from project order by id")]:
            try:
                merged |= await self.compact(project_id, urgent=self._busy())
            except (SegmentGoneError, RetryableError) as why:
                _log.warning("compaction of project %d starts over: %s", project_id, why)
        await self.sweep()
        return merged

    async def compact(self, project_id: int, *, urgent: bool = False, now: datetime | None = None) -> bool:
        """Do one merge if one is due; whether one was done. `urgent`: only a backlog counts, not age."""
        segments = await self._catalog.segments(project_id)
        asleep = {id_ for id_, until in self._unreadable.items() if until > time.monotonic()}
        segments = [segment for segment in segments if segment.id not in asleep]
        group = _due(segments, await self._ages(project_id, now), urgent=urgent)
        if not group:
            return False
        try:
            paths = await self._cache.paths(group)
        except SegmentDamagedError as why:
            if not self._unreadable.keys() >= why.damaged.keys():
                _log.error("segments are left as they are, for they cannot be read: %s", why)
            self._unreadable |= dict.fromkeys(why.damaged, time.monotonic() + _UNREADABLE_SECONDS)
            return True
        work = partial(merge, group, paths, fields=self.fields)
        fresh = await anyio.to_thread.run_sync(work, limiter=self._limiter)
        await self._replace(group, fresh)
        return True

    async def sweep(self) -> None:
        """Delete bytes nobody reads any more, and old idempotency keys."""
        await self._files.sweep()
        await self._pool.execute(
            "delete from idempotency_key where created_at < now() - make_interval(hours => $1)", 2 * KEY_HOURS
        )

    async def _ages(self, project_id: int, now: datetime | None) -> dict[int, float]:
        """Seconds since each commit, by the clock that dated it: this node's may differ."""
        rows = await self._pool.fetch(
            "select id, extract(epoch from coalesce($2, now()) - created_at)::float8 from segment "
            "where project_id = $1 and level = 0 and replaced_at is null",
            project_id,
            now,
        )
        return {row[0]: row[1] for row in rows}

    async def _replace(self, group: Sequence[Segment], fresh: Sequence[EncodedSegment]) -> None:
        """Exchange the group for the fresh segments in one transaction.

        :raises SegmentGoneError: somebody else was faster
        """
        level = max(segment.level for segment in group) + 1
        prepared = await self._files.prepare(fresh, level=level)
        async with self._pool.acquire() as connection, connection.transaction():
            written = await exchange(connection, self._files, group, fresh, prepared, level=level)
        for id_, encoded in zip(written, fresh, strict=True):
            await anyio.to_thread.run_sync(self._cache.put, id_, encoded.data)
        rows = sum(segment.rows for segment in group)
        _log.debug("compacted %d segments of level %d (%d rows) to %d", len(group), level - 1, rows, len(fresh))


def _due(segments: Sequence[Segment], ages: dict[int, float], *, urgent: bool) -> list[Segment]:
    """The segments to merge now: a backlog of commits, else neighbours of one level and day, else old commits."""
    commits = sorted((s for s in segments if s.level == 0), key=lambda s: s.min_position)
    enough = len(commits) >= _LEVEL0 or sum(segment.rows for segment in commits) >= FULL_ROWS
    if len(commits) >= _BACKLOG or (enough and not urgent):
        return _first(commits, 1 if urgent else _LEVEL0)
    if urgent:
        return []
    by_day: dict[tuple[int, str], list[Segment]] = {}
    for segment in segments:
        if segment.level and not _is_full(segment):
            by_day.setdefault((segment.level, segment.day), []).append(segment)
    for _, group in sorted(by_day.items()):
        if len(group) >= _FANOUT:
            return _up_to_full(sorted(group, key=lambda s: s.min_position))
    old = [segment for segment in commits if ages.get(segment.id, 0) >= _OLD_SECONDS]
    return _first(old, _LEVEL0)


def _first(commits: Sequence[Segment], least: int) -> list[Segment]:
    """The first of the commits that are merged at once: so many, and more where they are small."""
    rows = accumulate(segment.rows for segment in commits)
    count = next((n for n, held in enumerate(rows, 1) if n >= least and held >= _FIRST_ROWS), len(commits))
    return _up_to_full(commits[:count])


def _up_to_full(group: Sequence[Segment]) -> list[Segment]:
    """The first of the group whose rows together fill a segment."""
    taken: list[Segment] = []
    rows = size = 0
    columns: set[tuple[str, str]] = set()
    for segment in group:
        rows += segment.rows
        size += segment.text_bytes
        columns.update((column.field, column.kind) for column in segment.columns)
        cells = rows * min(len(columns), MAX_ATTRIBUTES)
        if taken and (rows > FULL_ROWS or size > _FULL_BYTES or (len(taken) > 1 and cells > _FULL_CELLS)):
            break
        taken.append(segment)
    return taken


def _is_full(segment: Segment) -> bool:
    """Whether it would hardly find room beside another."""
    return (
        segment.rows >= FULL_ROWS // 2
        or segment.rows * len(segment.columns) >= _FULL_CELLS // 2
        or segment.text_bytes >= _FULL_BYTES // 2
    )


def merge(
    group: Sequence[Segment],
    paths: Mapping[int, Path],
    *,
    row_group: int = ROW_GROUP,
    filtered_rows: int = FILTERED_ROWS,
    fields: int = MAX_ATTRIBUTES,
) -> list[EncodedSegment]:
    """The rows of the group as one sorted segment for each UTC day. Blocking.

    :param filtered_rows: from so many rows on a segment gets a token filter.
    :param fields: so many have columns; see `plugins.overflow`.
    """
    frame = _sorted(read_segments(group, paths, fields).get_columns())
    days = frame["timestamp"].to_physical() // _DAY_NS
    parts = [frame] if days.n_unique() == 1 else [frame.filter(days == day) for day in days.unique()]
    return [encode_frame(part, row_group=row_group, filtered=part.height >= filtered_rows) for part in parts]


def _sorted(columns: list[pl.Series]) -> pl.DataFrame:
    """The columns in the order of a merged segment. Takes them from the list: only one is there twice at a time."""
    order = pl.Series(_order(pl.DataFrame(columns)), dtype=pl.get_index_type())
    columns.reverse()
    ordered = []
    while columns:  # rows are gathered from one chunk twice as fast as from many
        ordered.append(columns.pop().rechunk().gather(order))
    return pl.DataFrame(ordered)


def _order(frame: pl.DataFrame) -> npt.NDArray[np.intp]:
    """The rows by service, template, time, position.

    Stable sorts of numbers, the most significant last: commits are nearly in order of time already, and the few
    distinct services and templates fit 16 bits, which NumPy sorts by radix. A third of the cost of sorting texts.
    """
    order = np.argsort(frame["timestamp"].to_physical().to_numpy(), kind="stable")
    for name in (TEMPLATE, "service"):
        if name in frame.columns:
            order = order[np.argsort(_ranks(frame[name])[order], kind="stable")]
    return order


def _ranks(texts: pl.Series) -> npt.NDArray[np.unsignedinteger]:
    """Where each text stands among the distinct ones in order, nulls first."""
    category = texts.cast(pl.Categorical)
    distinct = category.unique().drop_nulls()
    known = pl.DataFrame({"code": distinct.to_physical(), "text": distinct.cast(pl.String)}).sort("text")
    codes = known["code"].to_numpy().astype(np.intp)
    rank = np.zeros(codes.max(initial=-1) + 2, dtype=np.uint16 if len(codes) < 2**16 else np.uint32)
    rank[codes + 1] = np.arange(1, len(codes) + 1)
    found: npt.NDArray[np.unsignedinteger] = rank[category.to_physical().cast(pl.Int64).fill_null(-1).to_numpy() + 1]
    return found
