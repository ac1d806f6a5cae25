"""Answers that are events: which ones, by few columns and from the newest segments on; then those with all columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import pyarrow as pa

from .aggregations import Opener
from .duck import Duck
from .plan import Given, Output, plan, plan_fetch, plan_newest
from .progress import Progress
from .result import QueryResult, in_order, python_values, worth_showing
from .segments_told import cut, rows_left, scattered

MOST_RUNS: Final = 2000  # of neighbouring rows that are fetched one by one; of more, one statement reads the columns
FEW_ROWS: Final = 262_144  # that filters leave to be read: all their columns cost less than a second statement
FEW_EVENTS: Final = 1_024  # that an answer has at most: DuckDB may hold them all, however large they are
FEW_PLACES: Final = 100_000  # the same where only times and row numbers are asked for
FIRST_STEP: Final = 8  # segments that a search for the newest events opens first; each further step doubles


class Events:
    """Reads them. `files` is the engine's."""

    def __init__(self, duck: Duck, files: Opener) -> None:
        self._duck, self._files = duck, files

    async def at_once(
        self, given: Given, files: Mapping[int, str], progress: Progress
    ) -> tuple[Sequence[Output], pa.Table, bool]:
        """By one statement that reads all columns of the answer."""
        statement = plan(given, files)
        few = statement.cut <= FEW_EVENTS
        table, complete = cut(await self._duck.table(statement.sql, progress.running, few=few), statement)
        return worth_showing(statement, table), table, complete

    async def answer(
        self, given: Given, progress: Progress, *, stepwise: bool
    ) -> tuple[Sequence[Output], pa.Table, bool]:
        """Events: first which ones, by few columns, from the newest segments on; then those with all columns."""
        segments = sorted(given.segments, key=lambda segment: (-segment.max_time, segment.id))
        files: dict[int, str] = {}
        found: list[tuple[int, int, int]] = []
        step, done, limit = FIRST_STEP if stepwise else len(segments), 0, 0
        oldest: int | None = None
        while done < len(segments) or not done:
            part = segments[done : done + step]
            more, given = await self._files(given, part, progress)
            files |= more
            if len(part) == len(segments) and rows_left(given) <= FEW_ROWS:
                return await self.at_once(given, files, progress)
            statement = plan_newest(given, part, files, oldest)
            limit = statement.cut
            if statement.segments:  # else nothing can match here; planning it has found the query's mistakes
                table = await self._duck.table(statement.sql, progress.running, few=limit <= FEW_PLACES)
                times, places, rows = (python_values(table.column(i).cast(pa.int64())) for i in range(3))
                places = [statement.segments[place] for place in places]
                found += zip(times, places, rows, strict=True)
            done, step = done + max(len(part), 1), step * 2
            if stepwise:
                found = sorted(found, reverse=True)[: limit + 1]
                oldest = found[-1][0] if len(found) > limit else None
                if oldest is not None and done < len(segments) and segments[done].max_time < oldest:
                    break
                if progress.watched and done < len(segments):
                    settled = [(place, row) for ns, place, row in found[:limit] if ns > segments[done].max_time]
                    await self._settled(given, files, settled, progress)
        chosen = [(place, row) for _, place, row in found[:limit]]
        if scattered(chosen) > MOST_RUNS:
            opened = replace(given, segments=tuple(segment for segment in segments if segment.id in files))
            return await self.at_once(opened, files, progress)
        shown, table = await self._fetched(given, files, chosen, progress)
        return shown, table, len(found) <= limit

    async def _settled(
        self, given: Given, files: Mapping[int, str], rows: Sequence[tuple[int, int]], progress: Progress
    ) -> None:
        """Show the rows that are newer than whatever is still to be read, if there are more than before."""
        if len(rows) > (0 if progress.partial is None else len(progress.partial)) and scattered(rows) <= MOST_RUNS:
            shown, table = await self._fetched(given, files, rows, progress)
            progress.partial = QueryResult(progress.id, shown, table, complete=False)

    async def _fetched(
        self, given: Given, files: Mapping[int, str], chosen: Sequence[tuple[int, int]], progress: Progress
    ) -> tuple[Sequence[Output], pa.Table]:
        """All columns of chosen rows, (segment id, row), in their order."""
        statement = plan_fetch(given, files, chosen)
        few = len(chosen) <= FEW_EVENTS
        table = await self._duck.table(statement.sql, progress.running, few=few)
        table = in_order(table, statement, chosen)
        return worth_showing(statement, table), table
