"""Answers of aggregations: known from before, put together from what is known of segments, or of one statement."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from ..storage.segment import Segment
from .answers import Answer, AnswerKey, Answers
from .duck import Duck
from .halves import BLOCK, MOST_BLOCKS, PARTIALS, Halves, blocks_of
from .kept_halves import KeptHalves
from .partials import Block, Key, Partials
from .plan import Given, plan
from .progress import Progress
from .result import QueryResult, worth_showing
from .segments_told import cut

LEAST_ROWS: Final = 200_000  # of events: fewer are read again as fast as put together
MOST_ROWS: Final = 100_000  # that a first half gives; of more, putting them together costs as much as reading anew
TRIED_ROWS: Final = 8_192  # of events that tell whether the groups are few; of fewer than eight times as many, none do
MOST_GROUPS: Final = TRIED_ROWS // 4  # of them: of more, the first half would be nearly as large as the events
FEW_ROWS: Final = 20_000  # of new events: they are read again as fast as they are remembered
BRIEF_ROWS: Final = 20_000  # of first halves: to plan what is made of them takes longer than to make it
FEW_SEGMENTS: Final = 8  # that they are in: each is one more file
KEPT: Final = "kept"  # the rows of the first half that are remembered, as a statement calls them
SHOWN_ROWS: Final = 1_000_000  # of events that are read before what they give is shown
SHOWN_S: Final = 0.25  # between two such looks: each costs a statement
STEP: Final = 32  # segments that are opened between two words of progress

Opened: TypeAlias = tuple[dict[int, str], Given]
Opener: TypeAlias = Callable[[Given, Sequence[Segment], Progress], Awaitable[Opened]]
"""The segments' files by id, and what their filters tell."""


class Aggregations:
    """What is remembered holds for ever: segments do not change, and keys say what is read of which of them."""

    def __init__(self, duck: Duck, brief: Duck, files: Opener) -> None:
        self._duck, self._brief, self._files = duck, brief, files
        self._answers, self._partials = Answers(), Partials()
        self._halves = KeptHalves()

    def forget(self) -> None:
        """Drop all; a query that runs goes on with the old ones, which go with it."""
        self._answers, self._partials = Answers(), Partials()

    async def answer(self, given: Given, progress: Progress) -> Answer:
        """The answer of a query that reads nothing but the events of its segments.

        :raises QueryError: as `QueryEngine.run`
        """
        answers, project_id = self._answers, progress.project_id
        key: AnswerKey | None = None
        rows = sum(segment.rows for segment in given.segments)
        parts = self._halves.of(given, self._duck.aggregates) if rows >= LEAST_ROWS else None
        told = {} if parts is None else parts.told(given, given.segments)
        if parts is not None:
            key = (project_id, (parts.first, parts.second.sql, *told.items()), parts.second.outputs)
        elif answers.asked_before(project_id, given):
            statement = plan(given, {segment.id: f"{segment.id}.parquet" for segment in given.segments})
            key = (project_id, statement.sql, statement.outputs)
        if key is not None and (known := answers.get(key)) is not None:
            progress.cached = len(given.segments)
            return known
        answer = None if parts is None else await self._in_halves(parts, told, given, rows, progress)
        answer = answer or await self._whole(given, progress, few=rows < LEAST_ROWS)
        if key is not None:
            answers.put(key, answer)
        return answer

    async def _whole(self, given: Given, progress: Progress, *, few: bool) -> Answer:
        files, given = await self._opened(given, given.segments, progress)
        statement = plan(given, files)
        table, complete = cut(await self._duck.table(statement.sql, progress.running, few=few), statement)
        return Answer(worth_showing(statement, table), table, complete)

    async def _in_halves(
        self, parts: Halves, told: Mapping[int, str], given: Given, rows: int, progress: Progress
    ) -> Answer | None:
        """None: it is not worth it for so many rows."""
        partials, key = self._partials, (progress.project_id, parts.first)
        if partials.is_large(key, rows):
            return None
        if (found := await self._asked(parts, told, key, given, progress)) is None:
            partials.mark_large(key, rows)
            return None
        duck = self._brief if sum(table.num_rows for table in found[1].values()) <= BRIEF_ROWS else self._duck
        table, complete = cut(await duck.table(found[0], progress.running, found[1], few=True), parts.second)
        return Answer(parts.second.outputs, table, complete)

    async def _asked(
        self, parts: Halves, told: Mapping[int, str], key: Key, given: Given, progress: Progress
    ) -> tuple[str, Mapping[str, pa.Table]] | None:
        """The last statement and the rows that it is about; None: these are too many."""
        wanted = {segment.id: told[segment.id] for segment in given.segments if given.bounds.covers(segment)}
        partials = self._partials
        blocks = partials.of(key, wanted)
        known = {id_ for block in blocks for id_ in block.segments}
        rest = [segment for segment in given.segments if segment.id not in known]
        kept = [block.rows for block in blocks]
        progress.cached = len(known)
        if not rest:
            return parts.second.sql, {PARTIALS: pa.concat_tables(kept)}
        if known and len(rest) <= FEW_SEGMENTS and sum(segment.rows for segment in rest) <= FEW_ROWS:
            files, given = await self._opened(given, rest, progress)
            return parts.joined(given, rest, files, KEPT), {KEPT: pa.concat_tables(kept)}
        # Who asks for the first time waits for one scan; who asks again has blocks that outlast a change.
        most = MOST_BLOCKS
        if not partials.has(key):
            most = min(most, sum(one.rows for one in rest) // SHOWN_ROWS + 1) if progress.watched else 1
        new = blocks_of([one for one in rest if one.id in wanted], most)
        edges = [segment for segment in rest if segment.id not in wanted]
        made = None
        if partials.has(key) or await self._fits(parts, given, rest, progress):  # they were few before
            made = await self._in_steps(parts, given, [*new, *([edges] if edges else [])], kept, progress)
        if made is None:
            progress.cached = 0
            return None
        read = ({segment.id: wanted[segment.id] for segment in block} for block in new)
        partials.put(key, [Block(segments, table) for segments, table in zip(read, made, strict=False)])
        return parts.second.sql, {PARTIALS: pa.concat_tables([*kept, *made])}

    async def _fits(self, parts: Halves, given: Given, segments: Sequence[Segment], progress: Progress) -> bool:
        """Whether the groups seem to be few: as far as the keys tell, or the first events of the largest segment."""
        if not parts.may_be_many or sum(segment.rows for segment in segments) < 8 * TRIED_ROWS:
            return True
        largest = max(segments, key=lambda segment: segment.rows)
        files, given = await self._opened(given, [largest], progress)
        few = replace(given, parts={largest.id: ((0, TRIED_ROWS - 1),)})
        tried = await self._brief.table(parts.reading(few, [[largest]], files, TRIED_ROWS), progress.running, few=True)
        return bool(tried.num_rows <= MOST_GROUPS)

    async def _in_steps(
        self,
        parts: Halves,
        given: Given,
        blocks: Sequence[Sequence[Segment]],
        kept: Sequence[pa.Table],
        progress: Progress,
    ) -> list[pa.Table] | None:
        """As `_first`; where somebody follows it, block by block, and what they give so far is shown."""
        if not progress.watched:
            return await self._first(parts, given, blocks, progress)
        made: list[pa.Table] = []
        shown = time.monotonic()
        for block in blocks:
            found = await self._first(parts, given, [block], progress)
            if found is None or sum(table.num_rows for table in made) > MOST_ROWS:
                progress.partial = None
                return None
            made += found
            if block is not blocks[-1] and time.monotonic() >= shown + SHOWN_S:
                so_far = {PARTIALS: pa.concat_tables([*kept, *made])}
                table, _ = cut(
                    await self._duck.table(parts.second.sql, progress.running, so_far, few=True), parts.second
                )
                progress.partial = QueryResult(progress.id, parts.second.outputs, table, complete=False)
                shown = time.monotonic()
        return made

    async def _first(
        self, parts: Halves, given: Given, blocks: Sequence[Sequence[Segment]], progress: Progress
    ) -> list[pa.Table] | None:
        """The first half of each block; None: they are too many rows."""
        files, given = await self._opened(given, [segment for block in blocks for segment in block], progress)
        table = await self._duck.table(parts.reading(given, blocks, files, MOST_ROWS), progress.running, few=True)
        if table.num_rows > MOST_ROWS:
            return None
        numbers, rows = table.column(BLOCK), table.drop_columns([BLOCK])
        return [rows.filter(pc.equal(numbers, pa.scalar(number))) for number in range(len(blocks))]

    async def _opened(self, given: Given, segments: Sequence[Segment], progress: Progress) -> Opened:
        files: dict[int, str] = {}
        step = STEP if progress.watched else max(len(segments), 1)
        for start in range(0, max(len(segments), 1), step):
            more, given = await self._files(given, segments[start : start + step], progress)
            files |= more
        return files, given
