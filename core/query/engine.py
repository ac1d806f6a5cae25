"""`QueryEngine`: runs queries over the committed segments."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import anyio
import anyio.to_thread
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import structs

from ...plugins import in_worker
from ...plugins.errors import QueryError
from ..storage.cache import SegmentDamagedError, SegmentGoneError
from ..storage.segment import Segment
from ..tracing import Tracing
from .aggregations import Aggregations
from .clickhouse_client import ClickHouse, UnableError
from .clickhouse_plan import clickhouse_sql
from .complete import VALUES, Completions, complete, head_of
from .duck import Duck, Execute, Interrupted, Running
from .events import Events
from .export import PIECE_ROWS, Export, Exports, Piece, lines, once
from .inventory import FieldInventory, FieldValues, counted_fields, known_fields, plan_fields, query_of_values
from .lookups import Lookup, LookupTables
from .parser import parse, query_parser
from .plan import (
    Given,
    Output,
    Statement,
    conditions,
    counts_only,
    newest_first,
    plan,
    plan_fetch,
    plan_newest,
    plan_rows,
    prepare,
    ranges,
)
from .printer import query as written
from .progress import Progress
from .prune import Bounds
from .regexes import check_regexes
from .request import MOST_ROWS, Cache, Catalog, QueryRequest, Rights
from .result import QueryResult, QueryStats, python_values, worth_showing
from .rights import Views, checked_rights
from .row_groups import RowGroups, open_filters, wants_filters
from .saved import expanded, used
from .saved_store import SavedQueries
from .scope import Context, zone_of
from .segments_told import LACKING, chosen, cut, in_part, is_sample, lacking, segments_of
from .shaped import ShapedPatterns, shaped_of
from .tables import Tables
from .template_cache import TemplateCache
from .templates import LEAST_ROWS, has_phrase
from .together import Together
from .tree import EVENTS, Everything, Part, Place, Query
from .turns import MOST_WAITING, Turns

ATTEMPTS = 3  # readings of the catalog: a compaction may take a segment away between it and the file
BRIEF_MEMORY = "128MB"  # for statements over few rows; beyond it they spill as others do
DEFAULT_TIMEOUT = 30.0
NEWEST = 20_000  # events whose values are offered as completions
T = TypeVar("T")
Answering: TypeAlias = Callable[[Progress], Awaitable[T]]


@lru_cache(maxsize=1_000)
def _tables_named(query: Query) -> frozenset[str]:
    return frozenset(name for stage in query.stages for name in stage.tables())


class QueryEngine:
    """Answers queries: catalog → plan → DuckDB. Any number of queries may run at once; each can be cancelled by its id.

    :param waiting: queries of one principal that wait while `at_once` run; further ones are refused.
    :param template_rows: segments from this size on are searched for phrases by their templates; None: none are.
    :param piece_rows: as many events, about, has a piece of an export.
    :param tables: what answers queries that read something else than events; None: they are refused.
    :param joined_rows: as many rows may a `join` make.
    :param lookups: where the lookup tables are; None: there are none.
    :param saved: where the saved queries are that a query may use; None: none may.
    :param shaped: where the patterns are that people shaped; None: there are none.
    :param clickhouse: what answers queries over segments in a bucket where it can; None: DuckDB answers all.
    """

    def __init__(
        self,
        catalog: Catalog,
        cache: Cache,
        *,
        memory_limit: str = "2GB",
        threads: int = 2,
        spill: Path | None = None,
        at_once: int = 4,
        waiting: int = MOST_WAITING,
        template_rows: int | None = LEAST_ROWS,
        piece_rows: int = PIECE_ROWS,
        tables: Tables | None = None,
        joined_rows: int = MOST_ROWS,
        lookups: LookupTables | None = None,
        saved: SavedQueries | None = None,
        shaped: ShapedPatterns | None = None,
        clickhouse: ClickHouse | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._catalog, self._cache, self._own = catalog, cache, tables
        query_parser()  # made here, lest the first query waits for its tables
        self._duck = Duck(cache.folder, memory_limit=memory_limit, threads=threads, spill=spill, at_once=at_once)
        few = None if spill is None else spill / "few"
        if few is not None:
            few.mkdir(parents=True, exist_ok=True)
        self._brief = Duck(cache.folder, memory_limit=BRIEF_MEMORY, threads=1, spill=few, at_once=at_once, brief=True)
        self._turns, self._together = Turns(at_once, waiting), Together()
        self._running: dict[tuple[int, str], Running] = {}  # by project and id: nobody meets another's
        self._template_rows, self._joined_rows, self._lookups = template_rows, joined_rows, lookups
        self._saved, self.shaped, self._clickhouse, self._tracing = saved, shaped, clickhouse, tracing or Tracing()
        self._aggregations = Aggregations(self._duck, self._brief, self._files)
        self._events = Events(self._duck, self._files)
        self._exports = Exports(self._duck, self._files, self.given, spill, piece_rows)
        self._templates, self._views = self._no_templates(), Views(cache, self._duck)

    def close(self) -> None:
        """Stop what runs and give back what DuckDB holds."""
        for running in self._running.values():
            running.stop()
        self._duck.close()
        self._brief.close()

    async def run(self, request: QueryRequest, progress: Progress | None = None) -> QueryResult:
        """The answer of a query.

        :param progress: where it can be followed.
        :raises QueryError: the query is wrong, takes too long or too much memory, or was cancelled.
        :raises LimitError: too many queries of who asks are waiting already.
        """
        return await self._run(await self._parsed(request, any_head=True), request, progress)

    async def answer(self, query: Query, request: QueryRequest) -> QueryResult:
        """As `run`, of a query that is a tree already; the request's text is not looked at."""
        return await self._run(query, request)

    async def objects(self, result: QueryResult) -> list[bytes]:
        """The rows of an answer as JSON objects, without what is null."""
        written = await in_worker(lines, self._brief, result.outputs, result.table)
        return python_values(pc.utf8_rtrim(written.column("line"), "\n").cast(pa.binary()))

    async def export(self, request: QueryRequest, *, as_lines: bool = False) -> Export:
        """The answer in parts, in bounded memory where it is of events. The request's timeout is for each part.

        :param as_lines: as NDJSON; see `Export`.

        :raises QueryError, LimitError: as `run`
        """
        query = await self._parsed(request, any_head=True)
        check_regexes(query, self._duck)
        progress = Progress(request.id or uuid.uuid4().hex)

        async def asked(answer: Answering[T]) -> T:
            return await self._in_time(request, lambda _: self._in_turn(request, answer, progress), progress)

        def unless_cancelled(piece: Piece) -> pa.Table:
            if progress.running.stopped:
                raise cancelled(request)
            return piece()

        with self._cancellable(request, progress):
            reading = await asked(partial(self._exports.begun, query, request, as_lines=as_lines))
        if reading is None:
            result = await self._run(query, request)
            pieces = once(result.table, partial(lines, self._brief, result.outputs) if as_lines else None)
            return Export(result.id, result.outputs, pieces, result.complete)

        async def read() -> AsyncIterator[Sequence[Piece]]:
            with self._cancellable(request, progress):
                async with aclosing(self._exports.pieces(reading, asked)) as found:
                    async for pieces in found:
                        yield [partial(unless_cancelled, piece) for piece in pieces]

        return Export(progress.id, reading.outputs, read(), reading.complete)

    async def resolver(self, project_id: int) -> Callable[[str], str]:
        """What writes out the saved queries that a query uses, all as they are now.

        What it makes means the same whatever becomes of them. It raises QueryError where the query is wrong.
        """
        library = {} if self._saved is None else await self._saved.library(project_id)

        def resolved(text: str) -> str:
            query = parse(text, any_head=True, saved=True)
            return written(expanded(query, library)) if used(query) else text

        return resolved

    async def _parsed(self, request: QueryRequest, *, any_head: bool = False) -> Query:
        query = parse(request.text, any_head=any_head, saved=self._saved is not None)
        if not used(query) or self._saved is None:
            return query
        return expanded(query, await self._saved.library(request.project_id))

    async def field_values(self, request: QueryRequest, name: str, limit: int = 10) -> FieldValues:
        """A field's most frequent values in what the query finds.

        :raises QueryError: as `run`.
        """
        result = await self._run(query_of_values(await self._parsed(request), name, limit), request)
        return FieldValues(tuple((value, count) for value, count, _ in result.rows()), result.warnings, result.complete)

    async def fields(self, request: QueryRequest) -> FieldInventory:
        """The fields of what the query finds, each with its type and the number of events that have it.

        :raises QueryError: as `run`.
        """
        query = await self._parsed(request)
        check_regexes(query, self._duck)

        async def answer(progress: Progress) -> FieldInventory:
            given = await self.given(query, request, progress=progress)
            progress.reads(given)
            found = known_fields(given)
            if found is None:
                files, given = await self._all_files(given, progress)
                statement, types = plan_fields(given, files)
                found = counted_fields(await self._duck.table(statement.sql, progress.running), types)
            return FieldInventory(tuple(found), tuple(given.context.warnings), not progress.damaged)

        return await self._limited(request, lambda progress: self._in_turn(request, answer, progress))

    async def complete(self, request: QueryRequest, cursor: int) -> Completions:
        """What may stand at the cursor of `request.text`, which need not be a whole query; `cursor` counts characters.

        :raises QueryError: the data could not be asked in time
        """
        head = head_of(request.text)
        given = await self._planned(Query(Everything(), (), head=head), request)

        async def values_of(name: str) -> list[tuple[Any, int]]:
            newest = parse(f"from {head} | limit {NEWEST}", any_head=True)
            asked = structs.replace(request, text="", id=None)
            result = await self._run(query_of_values(newest, name, VALUES), asked)
            return [(value, count) for value, count, _ in result.rows()]

        saved = [] if self._saved is None else (await self._saved.page(request.project_id)).items
        return await complete(request.text, cursor, given, values_of, [(one.query, one.description) for one in saved])

    async def _run(self, query: Query, request: QueryRequest, progress: Progress | None = None) -> QueryResult:
        started = time.perf_counter()
        check_regexes(query, self._duck)

        async def answer(mine: Progress) -> QueryResult:
            def ask(begun: Callable[[], QueryRequest]) -> Awaitable[QueryResult]:
                return self._in_turn(request, lambda mine: self._answered(query, begun(), mine, started), mine)

            # One that somebody follows tells how far it is itself.
            return await (ask(lambda: request) if progress else self._together.answer(query, request, mine, ask))

        return await self._limited(request, answer, progress)

    async def _in_turn(self, request: QueryRequest, answer: Answering[T], progress: Progress) -> T:
        """The answer, made when it is the turn of who asks."""
        progress.waits = True
        async with self._turns.turn(request.principal, progress.running):
            progress.waits = False
            return await answer(progress)

    async def _limited(self, request: QueryRequest, answer: Answering[T], progress: Progress | None = None) -> T:
        """The answer, under the request's timeout, cancellable by its id, read again where a segment went away."""
        progress = progress or Progress(request.id or uuid.uuid4().hex)
        with self._cancellable(request, progress):
            return await self._in_time(request, answer, progress)

    @contextmanager
    def _cancellable(self, request: QueryRequest, progress: Progress) -> Iterator[None]:
        """Meanwhile `cancel` finds it by its id."""
        key = (request.project_id, progress.id)
        if key in self._running:
            raise QueryError(f"a query with the id {progress.id[:80]} is running already", text=request.text)
        self._running[key] = progress.running
        try:
            yield
        finally:
            del self._running[key]

    async def _in_time(self, request: QueryRequest, answer: Answering[T], progress: Progress) -> T:
        """The answer, under the request's timeout, read again where a segment went away."""
        try:
            with anyio.fail_after(request.timeout):
                attempts = 1
                while True:
                    try:
                        return await answer(progress)
                    except SegmentDamagedError as error:
                        progress.damaged |= error.damaged
                    except SegmentGoneError:
                        if attempts == ATTEMPTS:
                            raise
                        attempts += 1
                    progress.scanned.clear()
                    progress.partial = None
        except TimeoutError:
            message = f"the query took longer than {request.timeout:g} s"
            hint = "ask for a shorter range, or raise the timeout"
            if progress.waits:
                message = f"the query waited {request.timeout:g} s for its turn: others were running"
                hint = "ask again, or raise the timeout; `limits.queries` says how many run at once"
            raise QueryError(message, text=request.text, hint=hint) from None
        except Interrupted:
            raise cancelled(request) from None
        except QueryError as error:
            error.text = error.text or request.text
            raise

    async def cancel(self, query_id: str, project_id: int) -> bool:
        """Stop the project's query with this id; false: none such is running."""
        if running := self._running.get((project_id, query_id)):
            running.stop()
        return running is not None

    async def _answered(self, query: Query, request: QueryRequest, progress: Progress, started: float) -> QueryResult:
        with self._tracing.span("catalog") as told:
            given = await self.given(query, request, progress=progress)
            told({"cordwood.segments.read": len(given.segments), "cordwood.segments.pruned": len(given.skipped)})
        progress.reads(given)
        progress.total, progress.project_id = len(given.segments), request.project_id
        with self._tracing.span("execute"):
            if query.head == EVENTS:
                outputs, table, complete = await self._answer(given, progress)
            else:
                own = self._own_tables(query, request)
                outputs, table, complete = await own.answer(given, request, progress.running)
        scanned = progress.scanned.values()
        stats = QueryStats(
            elapsed_ms=round((time.perf_counter() - started) * 1000, 3),
            rows_scanned=sum(segment.rows for segment in scanned),
            bytes_scanned=sum(segment.bytes for segment in scanned),
            segments_scanned=len(scanned),
            segments_pruned=len(segments_of(given)) - len(scanned) - progress.cached,
            segments_cached=progress.cached,
        )
        complete, warnings = complete and not progress.damaged, tuple(given.context.warnings)
        return QueryResult(progress.id, outputs, table, stats, warnings, complete, is_sample(query))

    async def rows(self, given: Given, segment: Segment) -> pa.Table:
        """The numbers in its file, `_row`, of the rows that the search finds in one of the segments given.

        :raises SegmentGoneError: the segment was replaced meanwhile
        :raises SegmentDamagedError: its bytes cannot be had
        """
        progress = Progress(uuid.uuid4().hex)
        files, given = await self._files(replace(given, segments=(segment,)), [segment], progress)
        return await self._duck.table(plan_rows(given, files), progress.running)

    async def fed(
        self, given: Given, source: Callable[[Mapping[int, str]], str], ask: Callable[[Execute], T], *, held: bool
    ) -> T:
        """What `ask` makes, in a thread, of statements over the rows of `source`: a SELECT of the files (id → path) of
        the segments given. `held`: they are so few that they may be held in memory.

        :raises QueryError: what DuckDB has against it
        :raises SegmentGoneError, SegmentDamagedError: as `rows`
        """
        progress = Progress(uuid.uuid4().hex)
        files, _ = await self._files(given, given.segments, progress)
        return await (self._brief if held else self._duck).fed(source(files), ask, progress.running, held=held)

    def check_regexes(self, query: Query) -> None:
        """Refuse regular expressions that are none.

        :raises QueryError: with the place
        """
        check_regexes(query, self._duck)

    async def forget(self) -> None:
        """Drop what is kept in memory of segments; queries that run are not disturbed."""
        for duck in (self._duck, self._brief):
            await anyio.to_thread.run_sync(duck.renew)
        self._templates, self._views = self._no_templates(), Views(self._cache, self._duck)
        self._aggregations.forget()
        self._together = Together()

    def _no_templates(self) -> TemplateCache | None:
        return None if self._template_rows is None else TemplateCache(self._duck, self._template_rows)

    async def given(
        self,
        query: Query,
        request: QueryRequest,
        attributes: frozenset[str] | None = None,
        *,
        progress: Progress | None = None,
    ) -> Given:
        """What the planner needs: the segments that the query must read, without those that are damaged.

        :param progress: what is known to be damaged, and who looks at it.
        :param attributes: see `prepare`.
        """
        progress = progress or Progress("")
        damaged = progress.damaged
        bounds = Bounds(request.from_ns, request.to_ns, request.after_position, request.upto_position)
        if query.head != EVENTS:
            context = Context(request.now_ns, zone_of(request.timezone), request.from_ns, request.to_ns)
            return Given(query, {}, (), {}, bounds, context, request.limit)
        lookups = await self._tables(query, request.project_id)
        zone, shaped = zone_of(request.timezone), await shaped_of(self.shaped, request.project_id, query)
        context = Context(request.now_ns, zone, most_joined=self._joined_rows, lookups=lookups, shaped=shaped)
        inner = {part: own.back(part.shift_ns) for part, own, _ in ranges(Part(query), bounds, context)}
        found = {own: await self._segments(request, own) for own in dict.fromkeys((bounds, *inner.values()))}
        everything = {segment.id: segment for segments in found.values() for segment in segments}.values()
        for why in dict.fromkeys(damaged.values()):
            if left_out := [segment for segment in everything if damaged.get(segment.id) == why]:
                context.warn(LACKING if request.rights is not None else lacking(left_out, why))
        whole = {own: [one for one in segments if one.id not in damaged] for own, segments in found.items()}
        if (rights := request.rights) is not None:
            whole = {own: await self._views.of(rights, part, own, progress.running) for own, part in whole.items()}
        parts = {part: whole[own] for part, own in inner.items()}
        return prepare(query, whole[bounds], bounds, context, request.limit, attributes, parts)

    async def _tables(self, query: Query, project_id: int) -> Mapping[str, Lookup]:
        names = _tables_named(query)
        return await self._lookups.tables(project_id, names) if names and self._lookups is not None else {}

    async def _segments(self, request: QueryRequest, bounds: Bounds) -> Sequence[Segment]:
        return await self._catalog.segments(
            request.project_id, bounds.from_ns, bounds.to_ns, bounds.after_position, bounds.upto_position
        )

    async def _planned(self, query: Query, request: QueryRequest) -> Given:
        """What the planner needs, under the request's timeout."""
        return await self._limited(
            structs.replace(request, id=None), lambda progress: self.given(query, request, progress=progress)
        )

    def check_rights(self, rights: Rights) -> Rights:
        """The rights, if they can be followed.

        :raises QueryError: with what is wrong
        """
        return checked_rights(rights, self._duck)

    def _own_tables(self, query: Query, request: QueryRequest) -> Tables:
        if request.rights is not None:
            message = f"{request.rights.role} sees a part of the events, and {query.head} are made of all of them"
            raise query.error(message, Place(), "leave out `from`")
        if self._own is None:
            raise query.error(f"there is no database here to read {query.head} from", Place())
        return self._own

    async def _answer(self, given: Given, progress: Progress) -> tuple[Sequence[Output], pa.Table, bool]:
        if (name := counts_only(given)) is not None:
            total = sum(segment.rows for segment in given.segments)
            return (Output(name, "int", (("int", "n"),)),), pa.table({"n": pa.array([total], pa.int64())}), True
        if self._clickhouse is not None and (found := await self._elsewhere(self._clickhouse, given, progress)):
            return found
        late, stepwise = newest_first(given)
        if late:
            return await self._events.answer(given, progress, stepwise=stepwise)
        if given.inner or given.context.lookups:  # what else they read is not in the key
            files, given = await self._all_files(given, progress)
            return await self._events.at_once(given, files, progress)
        answer = await self._aggregations.answer(given, progress)
        return answer.outputs, answer.table, answer.complete

    async def _elsewhere(
        self, clickhouse: ClickHouse, given: Given, progress: Progress
    ) -> tuple[Sequence[Output], pa.Table, bool] | None:
        """The answer of ClickHouse; None: it is to be found here, and the warnings say why."""
        if in_part(given):  # it reads whole files
            return None
        try:
            statement, table = await clickhouse.answer(given, progress.running)
        except UnableError as why:
            if str(why):
                given.context.warn(f"answered by this node, not by ClickHouse: {why}")
            return None
        progress.opened([segment for part in given.every() for segment in part.segments])
        table, complete = cut(table, statement)
        return worth_showing(statement, table), table, complete

    async def _all_files(self, given: Given, progress: Progress) -> tuple[dict[int, str], Given]:
        """As `_files`, for the segments of the query and of its sub-queries."""
        files, given = await self._files(given, given.segments, progress)
        inner = {}
        for part, own in given.inner.items():
            more, inner[part] = await self._files(own, own.segments, progress)
            files |= more
        return files, replace(given, inner=inner)

    async def _files(
        self, given: Given, segments: Sequence[Segment], progress: Progress
    ) -> tuple[dict[int, str], Given]:
        """The segments' files, and what templates and token filters tell of the search."""
        paths = (
            {segment: str(path) for segment, path in (await self._cache.paths(segments)).items()} if segments else {}
        )
        needed = conditions(given.query)
        # What filters and templates say is of the rows of whole files.
        if self._templates is None or in_part(given) or not wants_filters(needed):
            progress.opened(segments)
            return paths, given
        templates = given.templates
        if has_phrase(needed):
            known = await self._templates.of(segments, paths, progress.running)
            templates = {**(given.templates or {}), **known}
        filters = {**given.filters, **await anyio.to_thread.run_sync(open_filters, paths, segments)}
        groups = RowGroups(filters, templates, given.schema)
        found = {segment.id: runs for segment in segments if (runs := groups.of(segment, needed)) is not None}
        progress.opened([segment for segment in segments if found.get(segment.id) != ()])
        return paths, replace(given, templates=templates, filters=filters, parts={**given.parts, **found})

    async def explain(self, request: QueryRequest) -> dict[str, Any]:
        """The plan: stages, which segments are read and why not the others, and the SQL."""
        query = await self._parsed(request, any_head=True)
        given = await self._planned(query, request)
        if query.head != EVENTS:
            own = await self._own_tables(query, request).statement(given, request)
            return {
                "query": request.text,
                "strategy": "PostgreSQL",
                "stages": [stage.name for stage in query.stages],
                "sql": [own.sql],
                "arguments": [request.project_id, *own.arguments],
                "warnings": list(given.context.warnings),
            }
        files = {segment.id: f"{segment.id}.parquet" for part in given.every() for segment in part.segments}
        late, stepwise = newest_first(given)
        statements: list[Statement]
        if counts_only(given) is not None:
            statements = []
        elif late:
            statements = [plan_newest(given, given.segments, files, None), plan_fetch(given, files, [])]
        else:
            statements = [plan(given, files)]
        return {
            "query": request.text,
            "strategy": "catalog"
            if not statements
            else "newest events first"
            if stepwise
            else "events, then columns"
            if late
            else "one statement",
            "stages": [stage.name for stage in query.stages],
            **chosen(given),
            "subqueries": [chosen(part) for part in given.inner.values()],
            # The statements say what a restricted role does not see, and how.
            "sql": [statement.sql for statement in statements] if request.rights is None else [],
            "clickhouse": None
            if request.rights is not None
            else await self._clickhouse.explained(given)
            if self._clickhouse is not None
            else clickhouse_sql(given, files),
            "warnings": list(given.context.warnings),
        }


def cancelled(request: QueryRequest) -> QueryError:
    """What ends a query that somebody cancelled."""
    return QueryError("the query was cancelled", text=request.text)
