"""DuckDB, shut in: one in-memory database that may read the cache's folder and nothing else, under limits."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

import anyio
import anyio.to_thread
import duckdb
import msgspec
import pyarrow as pa

from ...plugins.errors import QueryError
from ...plugins.patterns import clustered
from ..storage.cache import SegmentGoneError
from .json_line import PLAIN_JSON, plain_json
from .sql import REFUSED

# What DuckDB says → what it means, what to do.
TEACH = (
    (r"Out of Memory|could not allocate|memory limit|max_temp_directory_size",
     "the query needs more memory than it may use", "ask for less: fewer keys, a shorter range, a limit"),
    (r"(?i)overflow|out of range",
     "a number leaves the range that a column can hold", "compute with float(x) instead, or leave such values out"),
    (r"Conversion Error|Could not convert|Failed to parse",
     "a value cannot be converted", "int(), float() and parse_time() give null where a text is none"),
    (r"JSON path error", "a path into JSON is none", 'write it as in "$.a.b" or "$.list[0]"'),
    (r"(?i)max.expression.depth", "the query is nested too deeply", "write it flatter"),
)  # fmt: skip


CLUSTERED = "cordwood_clustered"  # a function of statements: the patterns of a list of masks, the most frequent first
ANSWER_BYTES = 1 << 30  # of an answer in memory; DuckDB's own limit does not count what it has handed over
FED = "events"  # what `Duck.fed` asks
_T = TypeVar("_T")
Execute: TypeAlias = Callable[[str], list[tuple[Any, ...]]]
"""Runs a statement and gives its rows."""
warnings.filterwarnings("ignore", "Arrow output on a DB-API result")  # a second copy, of few rows: see `Duck.table`
_BATCH = 1 << 13  # rows handed over at a time: DuckDB takes memory for up to twice as many
_OPTIMIZERS = frozenset((
    "filter_pushdown", "column_lifetime", "unused_columns", "limit_pushdown", "top_n", "cte_inlining",
    "cte_filter_pusher", "deliminator",
))  # fmt: skip
"""Those that pay over any number of rows."""


class Interrupted(Exception):  # noqa: N818 - no error: somebody asked for it
    """The statement was stopped by `Running.stop`."""


class Running:
    """A query in progress: `stop` ends the statement that runs, and every one that would follow.

    `tables` are views that its statements may read besides files: rows in memory, by name.
    """

    def __init__(self, tables: Mapping[str, pa.Table] = MappingProxyType({})) -> None:
        self.tables = tables
        self._lock = Lock()
        self._interrupt: Callable[[], object] | None = None
        self.stopped = False

    def stop(self) -> None:
        """End it; safe from any thread, at any time."""
        with self._lock:
            self.stopped = True
            if self._interrupt is not None:
                self._interrupt()

    @contextmanager
    def interrupts(self, interrupt: Callable[[], object]) -> Iterator[None]:
        """Have `stop` call this meanwhile.

        :raises Interrupted: when it was stopped before.
        """
        with self._lock:
            if self.stopped:
                raise Interrupted
            self._interrupt = interrupt
        try:
            yield
        finally:
            with self._lock:
                self._interrupt = None

    def run(self, cursor: duckdb.DuckDBPyConnection, work: Callable[[duckdb.DuckDBPyConnection], _T]) -> _T:
        """Run in this thread what uses the cursor.

        :raises Interrupted: when it was stopped.
        """
        try:
            with self.interrupts(cursor.interrupt):
                for name, table in self.tables.items():
                    cursor.register(name, table)
                return work(cursor)
        finally:
            cursor.close()


@contextmanager
def _told() -> Iterator[None]:
    """What DuckDB has against a statement, as `Duck.table` raises it."""
    try:
        yield
    except (duckdb.Error, OSError) as error:  # OSError: Arrow's, of a statement that fails on its way
        said = str(error)
        if said.startswith("INTERRUPT"):
            raise Interrupted from None
        if said.startswith("IO Error"):
            # The cache may evict a file between its fetch and this; the query starts over.
            raise SegmentGoneError(f"a segment's file cannot be read: {error}") from error
        raise teaching(error) from error


class Duck:
    """The database. `threads` and `memory_limit` (DuckDB's words: "2GB") hold for all queries together.

    :param brief: it is for statements over few rows: these are planned with little effort.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        memory_limit: str = "2GB",
        threads: int = 2,
        spill: Path | None = None,
        at_once: int = 4,
        brief: bool = False,
    ) -> None:
        self._brief = brief
        self._limiter_size = at_once
        self._limiter: anyio.CapacityLimiter | None = None
        self._settings: dict[str, object] = {
            "threads": threads,
            "memory_limit": memory_limit,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "parquet_metadata_cache": True,
            "preserve_insertion_order": True,
            "TimeZone": "UTC",
            "temp_directory": str(spill) if spill else "",
            "allowed_directories": [str(folder)] if folder else [],
            "enable_external_access": False,
            "lock_configuration": True,
        }
        self._opening = Lock()
        self._held: duckdb.DuckDBPyConnection | None = None

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        """The database, made when somebody needs it: that takes 25 ms of CPU, and each node has two."""
        with self._opening:
            if self._held is None:
                self._held = self._opened()
            return self._held

    def _opened(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(":memory:")
        if self._brief:
            known = connection.execute("SELECT name FROM duckdb_optimizers()").fetchall()
            left_out = ",".join(name for (name,) in known if name not in _OPTIMIZERS)
            connection.execute(f"SET disabled_optimizers = {quoted(left_out)}")
        connection.create_function(CLUSTERED, clustered, ["VARCHAR[]"], "VARCHAR[]")
        connection.create_function(PLAIN_JSON, plain_json, ["VARCHAR"], "VARCHAR")
        for name, value in self._settings.items():
            shown = (
                str(value).lower()
                if isinstance(value, bool)
                else str(value)
                if isinstance(value, int)
                else quoted(value)
            )
            connection.execute(f"SET {name} = {shown}")
        return connection

    def renew(self) -> None:
        """Go on with a new database: what this one keeps of files in memory goes when its last query ends."""
        with self._opening:
            self._held = None  # the old one closes when nobody refers to it any more

    def close(self) -> None:
        """Give back memory and files, now or when the last query ends."""
        with (
            self._opening,
            suppress(duckdb.Error),
        ):  # another thread's query just takes its cursor: DuckDB does not wait
            if self._held is not None:
                self._held.close()

    async def table(
        self,
        sql: str,
        running: Running,
        tables: Mapping[str, pa.Table] = MappingProxyType({}),
        *,
        few: bool = False,
    ) -> pa.Table:
        """The statement's answer as an Arrow table; stops the statement when the caller is cancelled.

        :param tables: rows in memory that it reads besides those of `running`, by name.
        :param few: the rows are so few that DuckDB may hold them all; then it plans the statement once, not twice.

        :raises QueryError: what DuckDB has against it, in words for the person who asked; an answer that is too large.
        :raises SegmentGoneError: when a file is not there any more.
        :raises Interrupted: when it was stopped.
        """
        return await self._in_worker(running, partial(self.table_now, sql, running, tables, few=few))

    async def read(self, sql: str, running: Running, reads: Callable[[pa.RecordBatchReader], _T]) -> _T:
        """What `reads` makes, in a thread, of the answer as it comes; see `table` for what it raises besides."""
        return await self._in_worker(running, self._read_now, sql, running, reads)

    async def _in_worker(self, running: Running, function: Callable[..., _T], *arguments: Any) -> _T:
        """Run it in a thread, in its turn; when the caller is cancelled, its statement is stopped."""
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._limiter_size)
        try:
            return await anyio.to_thread.run_sync(function, *arguments, abandon_on_cancel=True, limiter=self._limiter)
        except anyio.get_cancelled_exc_class():
            running.stop()
            raise

    def table_now(
        self,
        sql: str,
        running: Running,
        tables: Mapping[str, pa.Table] = MappingProxyType({}),
        *,
        few: bool = False,
    ) -> pa.Table:
        """The same, in this thread."""
        return self._read_now(sql, running, bounded, tables, few=few)

    def _read_now(
        self,
        sql: str,
        running: Running,
        reads: Callable[[pa.RecordBatchReader], _T],
        tables: Mapping[str, pa.Table] = MappingProxyType({}),
        *,
        few: bool = False,
    ) -> _T:
        def answer(cursor: duckdb.DuckDBPyConnection) -> _T:
            for name, rows in tables.items():
                cursor.register(name, rows)
            reader: Any = (cursor.execute(sql) if few else cursor.sql(sql)).to_arrow_reader(_BATCH)
            return reads(reader)

        with _told():
            return running.run(self._connection.cursor(), answer)

    async def fed(self, source: str, ask: Callable[[Execute], _T], running: Running, *, held: bool) -> _T:
        """What `ask` makes, in a thread, of statements over `FED`: the rows of the SELECT `source`.

        :param held: they are read once and held in memory; else each statement reads them.

        :raises QueryError, SegmentGoneError, Interrupted: as `table`
        """
        return await self._in_worker(running, partial(self._fed_now, source, ask, running, held=held))

    def _fed_now(self, source: str, ask: Callable[[Execute], _T], running: Running, *, held: bool) -> _T:
        def answer(cursor: duckdb.DuckDBPyConnection) -> _T:
            if held:
                reader: Any = cursor.execute(source).to_arrow_reader(_BATCH)
                cursor.register(FED, bounded(reader))
            else:
                cursor.execute(f'CREATE TEMP VIEW "{FED}" AS {source}')
            return ask(lambda statement: cursor.execute(statement).fetchall())

        with _told():
            return running.run(self._connection.cursor(), answer)

    @cached_property
    def aggregates(self) -> frozenset[str]:
        """The names of all aggregates that DuckDB has."""
        cursor = self._connection.cursor()
        rows = cursor.execute(
            "SELECT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'"
        ).fetchall()
        cursor.close()
        return frozenset(name for (name,) in rows)

    def regex_error(self, pattern: str) -> str | None:
        """What RE2 has against a regular expression; None: nothing."""
        cursor = self._connection.cursor()
        try:
            cursor.execute("SELECT regexp_matches('', $1)", [pattern]).fetchall()
        except duckdb.Error as error:
            return str(error).split("\n", maxsplit=1)[0].partition(": ")[2] or str(error)
        finally:
            cursor.close()
        return None

    def filtered(self, sql: str, batch: Any) -> pa.Table:
        """The answer of a statement over the Arrow table `batch`, in this thread."""
        cursor = self._connection.cursor()
        try:
            cursor.register("batch", batch)
            table: pa.Table = cursor.sql(sql).to_arrow_table()
            return table
        except duckdb.Error as error:
            raise teaching(error) from error
        finally:
            cursor.close()


def bounded(reader: pa.RecordBatchReader) -> pa.Table:
    """The answer as a table.

    :raises QueryError: if it is larger than an answer may be.
    """
    batches: list[pa.RecordBatch] = []
    size = 0
    for batch in map(_exact, reader):
        size += batch.nbytes
        if size > ANSWER_BYTES:
            raise too_large()
        batches.append(batch)
    return pa.Table.from_batches(batches, reader.schema)


def too_large() -> QueryError:
    """What is said of an answer of more than ANSWER_BYTES."""
    return QueryError(f"the answer is larger than {ANSWER_BYTES >> 20} MiB", hint="ask for fewer rows or fields")


def _exact(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch in as much memory as it needs: DuckDB's buffers grow to twice their size, and are handed over so."""
    return batch.copy_to(pa.default_cpu_memory_manager())


def quoted(value: object) -> str:
    """A setting's value as SQL: a text or a list of texts."""
    if isinstance(value, list):
        return "[" + ", ".join(quoted(item) for item in value) + "]"
    return "'" + str(value).replace("'", "''") + "'"


def teaching(error: Exception) -> QueryError:
    """What DuckDB says, as an error of the query that says what to do."""
    said = str(error)
    if (refused := re.match(rf"Invalid Input Error: {REFUSED}(\[.*\])", said)) is not None:
        message, line, column, hint = msgspec.json.decode(refused[1], type=tuple[str, int, int, str])
        return QueryError(message, line=line, column=column, hint=hint)
    for pattern, message, hint in TEACH:
        if re.search(pattern, said, re.DOTALL):
            return QueryError(message, hint=hint)
    first = said.split("\n", maxsplit=1)[0]
    return QueryError(
        f"the query cannot be run: {first[:300]}", hint="this should have been found before; please report it"
    )
