"""Answers of any size in bounded memory: events in pieces, newest first.

A statement reads the events of a span, some segments or a full one, and puts them aside by time; the next is read while
these are taken, so that a slow reader holds two spans on disk, a piece in memory and no turn of others. The spans
between the segments' first events come from the catalog; a statement before reads the times alone and says where to
cut. NDJSON is written by the statement, too: DuckDB puts lines together in half of the time that it takes to do it with
what it has handed over.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Final, Protocol, TypeAlias, TypeVar

import numpy as np
import pyarrow as pa
from msgspec import structs
from numpy.typing import NDArray
from sqlglot import exp

from ...plugins.errors import QueryError
from ..storage.segment import Segment
from . import sql
from .aggregations import Opened, Opener
from .duck import Duck, Running
from .json_line import json_line
from .parts import Parts, Span
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

PIECE_ROWS: Final = 8_192  # events that are in memory at a time, some 2 MB as NDJSON
WHOLE_PIECES: Final = 4  # that make an answer which is not worth several statements
SPAN_PIECES: Final = 64  # about as many are read at once: a full segment, some 130 MB on disk
SPAN_BYTES: Final = 64 << 20  # of texts, where they are long: as much as a full segment may have
Piece: TypeAlias = Callable[[], pa.Table]
"""Makes some rows of an answer, in the thread that calls it."""
ANSWER: Final = "answer"  # the rows of an answer in memory, as a statement calls them
T = TypeVar("T")


class Planner(Protocol):
    """See `QueryEngine.given`."""

    async def __call__(self, query: Query, request: QueryRequest, *, progress: Progress | None = None) -> Given: ...


class Asked(Protocol):
    """Gives an answer its turn and its time."""

    async def __call__(self, answer: Callable[[Progress], Awaitable[T]], /) -> T: ...


@dataclass(frozen=True)
class Export:
    """An answer, to be read once, in pieces with the same columns, some at a time. The rest is as in `QueryResult`.

    As NDJSON, a piece has one column: the lines. Pieces that cannot be had end them with QueryError.
    """

    id: str
    outputs: Sequence[Output]
    pieces: AsyncIterator[Sequence[Piece]]
    complete: bool


@dataclass(frozen=True)
class Reading:
    """What is read span by span: the query as it was planned over all, and the last commit that counts."""

    request: QueryRequest
    whole: Given
    outputs: Sequence[Output]
    complete: bool
    upto: int
    damaged: frozenset[int]
    as_lines: bool


class Exports:
    """Begins exports and reads them. `files` and `given` are the engine's; what waits does so in `folder`."""

    def __init__(self, duck: Duck, files: Opener, given: Planner, folder: Path | None, piece_rows: int) -> None:
        self._duck, self._files, self._given, self._folder, self._most = duck, files, given, folder, piece_rows

    async def begun(self, query: Query, request: QueryRequest, progress: Progress, *, as_lines: bool) -> Reading | None:
        """What to read; None: the answer has not so many events that it is worth it.

        :raises QueryError: as `QueryEngine.run`
        """
        if query.head != EVENTS or not stepwise(query.stages):
            return None
        whole = await self._given(query, request, progress=progress)
        if not is_long(whole, self._most * WHOLE_PIECES):
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
        return Reading(request, whole, outputs, complete, upto, frozenset(progress.damaged), as_lines)

    async def pieces(self, reading: Reading, asked: Asked) -> AsyncGenerator[Sequence[Piece], None]:
        """The events, newest first. `asked` has each statement's turn and timeout.

        :raises QueryError: some cannot be had; the answer ends there
        """
        left = final_cut(reading.whole)[0]
        for span in spans(reading.whole.segments, self._most * SPAN_PIECES):
            if left and (cut := await asked(partial(self._cuts, reading, span))):
                parts = await asked(partial(self._parts, reading, cut[: 1 + left // self._most]))
                *starts, read = accumulate(parts.rows, initial=0)
                yield [partial(parts.newest, part, left - start) for part, start in enumerate(starts) if start < left]
                left -= min(left, read)

    async def _cuts(self, reading: Reading, span: Span, progress: Progress) -> list[Span]:
        files, given = await self._opened(reading, span, progress)
        if sum(segment.rows for segment in given.segments) <= self._most:
            return [span]
        times = await self._duck.table(plan_times(given, files), progress.running)
        return list(cuts(times.column("t").to_numpy(), span, self._most))

    async def _parts(self, reading: Reading, cut: Sequence[Span], progress: Progress) -> Parts:
        files, given = await self._opened(reading, (cut[-1][0], cut[0][1]), progress)
        statement = plan_pieces(given, files, as_lines=reading.as_lines)
        return await self._duck.read(statement, progress.running, partial(Parts, cut, self._folder))

    async def _opened(self, reading: Reading, span: Span, progress: Progress) -> Opened:
        """As the whole was planned, over the segments that hold the span by now."""
        request = structs.replace(reading.request, from_ns=span[0], to_ns=span[1], upto_position=reading.upto)
        given = await self._given(reading.whole.query, request, progress=progress)
        if not progress.damaged.keys() <= reading.damaged:
            raise QueryError("a segment's bytes cannot be had, and the answer ends here", hint="ask again")
        whole = reading.whole
        given = replace(given, schema=whole.schema, overflowing=whole.overflowing, context=whole.context)
        return await self._files(given, given.segments, progress)


async def once(table: pa.Table, made: Callable[[pa.Table], pa.Table] | None) -> AsyncIterator[Sequence[Piece]]:
    """The pieces of a table, all at once; one without rows has one.

    :param made: what a piece is, of its rows; None: these.
    """

    def piece(start: int) -> pa.Table:
        rows = table.slice(start, PIECE_ROWS)
        return made(rows) if made else rows

    yield [partial(piece, start) for start in range(0, max(table.num_rows, 1), PIECE_ROWS)]


def lines(duck: Duck, outputs: Sequence[Output], rows: pa.Table) -> pa.Table:
    """The rows of an answer as NDJSON, in this thread."""
    for i, column in enumerate(rows.schema):
        if pa.types.is_timestamp(column.type):  # DuckDB's times that have a zone have no nanoseconds
            rows = rows.set_column(i, column.name, rows.column(i).cast(pa.timestamp("ns")))
    select = exp.Select(expressions=[sql.alias(json_line(outputs), "line")]).from_(ANSWER)
    return duck.table_now(select.sql(sql.DIALECT), Running(), {ANSWER: rows})


def is_long(given: Given, most: int) -> bool:
    """Whether the answer may have more events."""
    rows = sum(segment.rows for segment in given.segments)
    return min(rows, final_cut(given)[0]) > most


def spans(segments: Sequence[Segment], rows: int = PIECE_ROWS * SPAN_PIECES) -> Iterator[Span]:
    """Ranges of time, newest first, that together hold all events, cut where segments begin.

    One has about `rows` events and SPAN_BYTES of texts at most, unless a single segment has more.
    """
    ordered = sorted(segments, key=lambda segment: -segment.min_time)
    high = max((segment.max_time + 1 for segment in segments), default=0)
    held, size = 0, 0
    for i, segment in enumerate(ordered):
        held, size = held + segment.rows, size + segment.text_bytes
        following = ordered[i + 1] if i + 1 < len(ordered) else None
        full = following is None or held + following.rows > rows or size + following.text_bytes > SPAN_BYTES
        if full and segment.min_time < high:
            yield segment.min_time, high
            high, held, size = segment.min_time, 0, 0


def cuts(times: NDArray[np.int64], span: Span, rows: int = PIECE_ROWS) -> Iterator[Span]:
    """The span in parts of about `rows` events, newest first; those of one moment stay together.

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


def plan_pieces(given: Given, files: Mapping[int, str], *, as_lines: bool) -> str:
    """SQL for the answer's events as they lie in the files, their times in the last column: DuckDB sorts slower."""
    relation = relation_of(given)
    moment = relation.scanned[0].needed["timestamp", "time"]
    relation = apply_stages(given, relation, [stage for stage in given.query.stages if not isinstance(stage, Limit)])
    outputs, columns = output_columns(relation)
    if as_lines:
        columns = [sql.alias(json_line(outputs), "line")]
    select = relation.select(*columns, sql.alias(sql.sql("epoch_ns(:t)", t=sql.column(moment)), "_time"))
    return written(relation, select, sources_of(given, relation, files))


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
