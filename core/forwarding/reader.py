"""Reads the committed segment log in lots: the events of consecutive commits, bounded in number and bytes.

A commit is never divided: it has at most what the writer puts together, 16 MiB. Compaction and deletion may exchange
segments at any time; each row keeps its position, so a lot is the same rows whatever segments hold them.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

import anyio
import polars as pl

from ...plugins import STANDARD, Batch, RetryableError, concat, in_worker
from ...plugins.fields import col
from ..storage.cache import SegmentCache, SegmentDamagedError, SegmentGoneError
from ..storage.catalog import Catalog
from ..storage.decode import read_commits
from ..storage.encode import POSITION, TEMPLATE
from ..storage.segment import INTERNAL, Segment

COMMITS = 5_000  # looked at for one lot: as many rows of the catalog at most
ATTEMPTS = 3  # readings of the catalog: a compaction may take a segment away between it and the file
_MEASURED = 500  # segments whose sizes are kept; of a merged one some thousand numbers
_NAME_BYTES, _VALUE_BYTES = 6, 12  # of JSON: around a name and its value, and a value that is no text
Sizes: TypeAlias = tuple[tuple[int, int, int], ...]
"""(position, events, bytes as JSON) of each commit in a segment."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """The next lot: the commits up to `upto`. `full`: there is no use in waiting for more."""

    upto: int
    full: bool


class LogReader:
    """Reads one project's log, for all outputs of a node."""

    def __init__(
        self, catalog: Catalog, cache: SegmentCache, project_id: int, workers: anyio.CapacityLimiter | None = None
    ) -> None:
        self._catalog, self._cache, self._project, self._workers = catalog, cache, project_id, workers
        self._sizes: OrderedDict[int, Sizes] = OrderedDict()

    async def plan(self, position: int, head: int, most_events: int, most_bytes: int) -> Plan:
        """The lot that begins after `position`: as many whole commits as the bounds let in, one at least.

        :raises RetryableError: segments cannot be read now
        """
        return await self._again(lambda: self._plan(position, head, most_events, most_bytes))

    async def read(self, position: int, upto: int) -> Batch:
        """The events of the commits `position < … <= upto`, in the order of commits, then of time.

        :raises RetryableError: segments cannot be read now
        """
        return await self._again(lambda: self._read(position, upto))

    async def _again(self, attempt: Callable[[], Awaitable[T]]) -> T:
        for _ in range(ATTEMPTS):
            try:
                return await attempt()
            except SegmentGoneError:
                continue
            except SegmentDamagedError as why:
                raise RetryableError(f"events cannot be read: {why}; `cordwood doctor` says what can be done") from why
        raise RetryableError("the segments change faster than they can be read")

    async def _plan(self, position: int, head: int, most_events: int, most_bytes: int) -> Plan:
        end = min(head, position + COMMITS)
        upto, events, size = end, Counter[int](), Counter[int]()
        for segment in await self._segments(position, end):
            if segment.min_position > upto:
                break
            for at, count, length in await self._measured(segment):
                if position < at <= upto:
                    events[at] += count
                    size[at] += length
            upto = _bounded(events, size, upto, most_events, most_bytes)
        return Plan(upto, full=upto < head)

    async def _segments(self, position: int, upto: int) -> list[Segment]:
        """Those with events of these commits, the first commits first."""
        found = await self._catalog.segments(self._project, after_position=position, upto_position=upto)
        return sorted(found, key=lambda segment: segment.min_position)

    async def _measured(self, segment: Segment) -> Sizes:
        if (known := self._sizes.get(segment.id)) is None:
            path = (await self._cache.paths([segment]))[segment.id]
            try:
                known = await in_worker(measure, segment, path, limiter=self._workers)
            except FileNotFoundError:  # the cache has made room meanwhile
                raise SegmentGoneError(f"the file of segment {segment.id} is gone") from None
            while len(self._sizes) >= _MEASURED:
                self._sizes.popitem(last=False)
        self._sizes[segment.id] = known
        self._sizes.move_to_end(segment.id)
        return known

    async def _read(self, position: int, upto: int) -> Batch:
        segments = await self._segments(position, upto)
        paths = await self._cache.paths(segments)
        try:
            return await in_worker(_rows, segments, paths, (position, upto), limiter=self._workers)
        except FileNotFoundError:
            raise SegmentGoneError("the file of a segment is gone") from None


def measure(segment: Segment, path: Path) -> Sizes:
    """The events and their bytes of each commit in a segment's file. Blocking."""
    frame = pl.scan_parquet(path)
    sizes = []
    for name, dtype in frame.collect_schema().items():
        if not name.startswith(INTERNAL):
            column = col(name)
            value = column.str.len_bytes() if dtype == pl.String else pl.lit(_VALUE_BYTES, pl.UInt32)
            sizes.append(pl.when(column.is_not_null()).then(value + len(name) + _NAME_BYTES).otherwise(0))
    one = segment.min_position == segment.max_position
    at = pl.lit(segment.min_position, pl.Int64) if one else pl.col(POSITION)
    counted = (
        frame.select(at=at, size=pl.sum_horizontal(sizes).cast(pl.Int64))
        .group_by("at")
        .agg(pl.len().alias("events"), pl.col("size").sum())
        .collect(engine="streaming")
    )
    return tuple(counted.iter_rows())


def _bounded(events: Counter[int], size: Counter[int], upto: int, most_events: int, most_bytes: int) -> int:
    """The last commit that the bounds let in.

    >>> sizes = Counter({3: 50, 4: 50, 7: 50})
    >>> _bounded(Counter({3: 5, 4: 5, 7: 5}), sizes, 9, 10, 1000), _bounded(Counter({3: 99, 4: 5}), sizes, 9, 10, 1000)
    (6, 3)
    >>> _bounded(Counter({3: 5, 4: 5, 7: 5}), sizes, 9, 100, 1000), _bounded(Counter({3: 1, 4: 1}), sizes, 9, 10, 60)
    (9, 3)
    """
    total, length, first = 0, 0, True
    for at in sorted(events):
        total, length = total + events[at], length + size[at]
        if (total > most_events or length > most_bytes) and not first:
            return at - 1
        first = False
    return upto


def _rows(segments: list[Segment], paths: dict[int, Path], positions: tuple[int, int]) -> Batch:
    frames = [Batch(read_commits(segment, paths[segment.id], positions)) for segment in segments]
    if not frames:
        return Batch(pl.DataFrame(schema=STANDARD))
    frame = concat(frames, keep=(TEMPLATE, POSITION)).frame
    order = [name for name in (POSITION, "timestamp", "message") if name in frame.columns]
    frame = frame.sort(order, maintain_order=True).drop(TEMPLATE, POSITION, strict=False)
    return Batch.of(frame)
