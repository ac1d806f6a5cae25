"""Answers of any size in bounded memory: events in slices of time, newest first, each by a statement of its own.

A slice is asked for when the one before has been taken, so that a slow reader holds two in memory and no turn of
others. The spans between the segments' first events come from the catalog; where a span has too many events for one
slice, one statement reads their times alone and says where to cut.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol, TypeAlias, TypeVar

import numpy as np
import pyarrow as pa
from msgspec import structs
from numpy.typing import NDArray

from ...plugins import in_worker
from ...plugins.errors import QueryError
from ..storage.segment import Segment
from . import sql
from .aggregations import Opened, Opener
from .duck import Duck
from .plan import (
    Given,
    Output,
    apply_stages,
    depends,
    final_cut,
    narrowed,
    output_columns,
    planned,
    relation_of,
    sources_of,
    stepwise,
    written,
)
from .progress import Progress
from .relation import Relation
from .request import QueryRequest
from .segments_told import in_part
from .stages.fields import Fields
from .stages.limit import Limit
from .stages.where import Where
from .tree import EVENTS, Everything, Query

SLICE_ROWS: Final = 131_072  # events of a slice, some 30 MB: of fewer, the same pages would be read more often
PIECE_ROWS: Final = 8_192  # events that are put into their order and written at a time, some 2 MB of text
Span: TypeAlias = tuple[int, int]
"""Nanoseconds since the epoch: from (inclusive), to (exclusive)."""
Piece: TypeAlias = Callable[[], pa.Table]
"""Makes some rows of an answer, in the thread that calls it."""
T = TypeVar("T")


class Planner(Protocol):
    """See `QueryEngine.given`."""

    async def __call__(self, query: Query, request: QueryRequest, *, progress: Progress | None = None) -> Given: ...


class Asked(Protocol):
    """Gives an answer its turn and its time."""

    async def __call__(self, answer: Callable[[Progress], Awaitable[T]], /) -> T: ...


@dataclass(frozen=True)
class Export:
    """An answer in slices, to be read once, each in pieces with the same columns. The rest is as in `QueryResult`.

    A slice that cannot be had ends them with QueryError.
    """

    id: str
    outputs: Sequence[Output]
    slices: AsyncIterator[Sequence[Piece]]
    complete: bool


@dataclass(frozen=True)
class Slices:
    """What is read slice by slice: the query as it was planned over all, and the last commit that counts."""

    request: QueryRequest
    whole: Given
    outputs: Sequence[Output]
    complete: bool
    upto: int
    damaged: frozenset[int]


class Exports:
    """Makes slices and reads them. `files` and `given` are the engine's."""

    def __init__(self, duck: Duck, files: Opener, given: Planner, slice_rows: int = SLICE_ROWS) -> None:
        self._duck, self._files, self._given, self._most = duck, files, given, slice_rows

    async def slices(self, query: Query, request: QueryRequest, progress: Progress) -> Slices | None:
        """What to read; None: the answer is not of so many events that slices are worth it.

        :raises QueryError: as `QueryEngine.run`
        """
        if query.head != EVENTS or not stepwise(query.stages):
            return None
        whole = await self._given(query, request, progress=progress)
        if not in_slices(whole, self._most):
            return None
        progress.reads(whole)
        whole = replace(whole, schema=narrowed(whole, whole.segments))
        outputs = planned(whole).outputs
        files, opened = await self._files(whole, whole.segments, progress)  # what is damaged is known from here on
        total = known_total(whole)
        if total is None:
            counted = await self._duck.table(plan_count(opened, files), progress.running)
            total = counted.column("n")[0].as_py()
        complete = total <= final_cut(whole)[0] and not progress.damaged
        upto = max(segment.max_position for segment in whole.segments)
        return Slices(request, whole, outputs, complete, upto, frozenset(progress.damaged))

    async def pieces(self, slices: Slices, asked: Asked) -> AsyncGenerator[Sequence[Piece], None]:
        """The events, newest first. `asked` has each statement's turn and timeout.

        :raises QueryError: one cannot be had; the answer ends there
        """
        left = final_cut(slices.whole)[0]
        for span in spans(slices.whole.segments, self._most):
            for part in await asked(partial(self._cuts, slices, span)):
                table = await asked(partial(self._rows, slices, part))
                order = await in_worker(newest_of, table, left)
                left -= len(order)
                taken = (await in_worker(table.drop_columns("_time").combine_chunks)).take  # once, not for each piece
                del table
                yield [partial(taken, order[start : start + PIECE_ROWS]) for start in range(0, len(order), PIECE_ROWS)]
                del taken  # before the next one is made: who reads this one holds it
                if not left:
                    return

    async def _cuts(self, slices: Slices, span: Span, progress: Progress) -> list[Span]:
        files, given = await self._opened(slices, span, progress)
        if sum(segment.rows for segment in given.segments) <= self._most:
            return [span]
        times = await self._duck.table(plan_times(given, files), progress.running)
        return list(cuts(times.column("t").to_numpy(), span, self._most))

    async def _rows(self, slices: Slices, span: Span, progress: Progress) -> pa.Table:
        files, given = await self._opened(slices, span, progress)
        return await self._duck.table(plan_slice(given, files), progress.running)

    async def _opened(self, slices: Slices, span: Span, progress: Progress) -> Opened:
        """As the whole was planned, over the segments that hold the span by now."""
        request = structs.replace(slices.request, from_ns=span[0], to_ns=span[1], upto_position=slices.upto)
        given = await self._given(slices.whole.query, request, progress=progress)
        if not progress.damaged.keys() <= slices.damaged:
            raise QueryError("a segment's bytes cannot be had, and the answer ends here", hint="ask again")
        whole = slices.whole
        given = replace(given, schema=whole.schema, overflowing=whole.overflowing, context=whole.context)
        return await self._files(given, given.segments, progress)


async def once(table: pa.Table) -> AsyncIterator[Sequence[Piece]]:
    """A table as one slice; one without rows has one piece."""
    yield [partial(table.slice, start, PIECE_ROWS) for start in range(0, max(table.num_rows, 1), PIECE_ROWS)]


def in_slices(given: Given, most: int) -> bool:
    """Whether the answer may have more events than one slice of so many."""
    rows = sum(segment.rows for segment in given.segments)
    return min(rows, final_cut(given)[0]) > most


def spans(segments: Sequence[Segment], rows: int = SLICE_ROWS) -> Iterator[Span]:
    """Ranges of time, newest first, that together hold all events, cut where segments begin.

    One has about `rows` events at most, unless a single segment has more.
    """
    ordered = sorted(segments, key=lambda segment: -segment.min_time)
    high = max((segment.max_time + 1 for segment in segments), default=0)
    held = 0
    for i, segment in enumerate(ordered):
        held += segment.rows
        following = ordered[i + 1] if i + 1 < len(ordered) else None
        if (following is None or held + following.rows > rows) and segment.min_time < high:
            yield segment.min_time, high
            high, held = segment.min_time, 0


def cuts(times: NDArray[np.int64], span: Span, rows: int = SLICE_ROWS) -> Iterator[Span]:
    """The span in slices of about `rows` events, newest first; those of one moment stay together.

    >>> list(cuts(np.array([5, 1, 9, 7, 7, 7]), (0, 10), rows=2))
    [(7, 10), (0, 7)]
    >>> list(cuts(np.array([], np.int64), (0, 10)))
    []
    """
    ordered = np.sort(times)
    low, high = span
    end = len(ordered)
    while end > rows:
        moment = int(ordered[end - rows])
        end = int(np.searchsorted(ordered, moment))
        if not end:
            break
        yield moment, high
        high = moment
    if len(ordered):
        yield low, high


def known_total(given: Given) -> int | None:
    """How many events the answer has without a limit, where the catalog knows."""
    whole = isinstance(given.query.search, Everything) and all(map(given.bounds.covers, given.segments))
    whole = whole and not in_part(given)
    keeps = all(not isinstance(stage, Where) and not stage.samples for stage in given.query.stages)
    return sum(segment.rows for segment in given.segments) if whole and keeps else None


def plan_times(given: Given, files: Mapping[int, str]) -> str:
    """SQL for the times, `t` in nanoseconds, of all events that the stages let through, in any order."""
    relation, moment = _events(given)
    select = relation.select(sql.alias(sql.sql("epoch_ns(:t)", t=sql.column(moment)), "t"))
    return written(relation, select, sources_of(given, relation, files))


def plan_slice(given: Given, files: Mapping[int, str]) -> str:
    """SQL for the answer's events as they lie in the files, their times in the last column: DuckDB sorts slower."""
    relation = relation_of(given)
    moment = relation.scanned[0].needed["timestamp", "time"]
    relation = apply_stages(given, relation, [stage for stage in given.query.stages if not isinstance(stage, Limit)])
    _, columns = output_columns(relation)
    select = relation.select(*columns, sql.alias(sql.sql("epoch_ns(:t)", t=sql.column(moment)), "_time"))
    return written(relation, select, sources_of(given, relation, files))


def newest_of(table: pa.Table, limit: int) -> NDArray[np.int64]:
    """The rows of `plan_slice`, newest first, of one moment the last first, as `plan` orders them."""
    times = table.column(table.num_columns - 1).to_numpy()
    return np.argsort(times, kind="stable")[::-1][:limit]


def plan_count(given: Given, files: Mapping[int, str]) -> str:
    """SQL for the number, `n`, of all events that the stages let through."""
    relation, _ = _events(given)
    return written(relation, relation.select(sql.alias(sql.sql("count(*)"), "n")), sources_of(given, relation, files))


def _events(given: Given) -> tuple[Relation, str]:
    """The stages without what only shapes the columns or limits the rows, and the name of the time's column."""
    stages = [stage for stage in given.query.stages if not isinstance(stage, Limit)]
    if not depends(stages):
        stages = [stage for stage in stages if not isinstance(stage, Fields)]
    relation = relation_of(given)
    moment = relation.scanned[0].needed["timestamp", "time"]
    return apply_stages(given, relation, stages), moment
