"""Runs queries over Cordwood's own tables, in PostgreSQL: read-only, over one project, under the query's limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import anyio
import asyncpg
import pyarrow as pa

from ...plugins.errors import QueryError
from ..storage.database import Connection
from .duck import ANSWER_BYTES, Interrupted, Running
from .heads import HEADS
from .plan import Given, Output
from .request import QueryRequest
from .stages.timechart import Timechart
from .table_plan import TableStatement, plan_bounds, plan_table
from .tree import Call

AT_ONCE = 2  # statements: the pool's other connections are for what must not wait
BATCH = 5000  # rows handed over at a time
COLLATIONS = ("pg_c_utf8", "C.utf8", "C")
"""Of these the first that the server has: order by code point, and lower case for all letters (`C`: for ASCII's)."""
ARROW_TYPES = {
    "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(), "text": pa.string(), "json": pa.string(),
    "time": pa.timestamp("us"), "severity": pa.uint8(), "duration": pa.int64(),
}  # fmt: skip
SQLSTATE = (
    ("22003", "a number leaves the range that a column can hold",
     "compute with float(x) instead, or leave such values out"),
    ("22", "a value cannot be converted", "int(), float() and json() take what looks like a number or JSON"),
    ("42883", "PostgreSQL has no such function or aggregate of these values", "text(x) makes a text of any value"),
    ("2201B", "PostgreSQL does not take this regular expression", "write it simpler"),
    ("53", "the database has not enough memory or space for this query", "ask for less: fewer keys, a shorter range"),
    ("54", "the query is too large for PostgreSQL", "write it shorter, or flatter"),
)  # fmt: skip
"""The begin of an SQLSTATE → what it means, what to do; the longest that fits counts."""


class Tables:
    """Answers queries whose head is one of heads.py."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._limiter = anyio.Semaphore(AT_ONCE)
        self._collation: str | None = None

    async def answer(
        self, given: Given, request: QueryRequest, running: Running
    ) -> tuple[Sequence[Output], pa.Table, bool]:
        """Columns, rows, and whether that is all.

        :raises QueryError: the query is wrong, or PostgreSQL refuses it
        :raises Interrupted: it was cancelled
        """
        check_allowed(given, request)
        with anyio.CancelScope() as scope, running.interrupts(scope.cancel):
            async with self._limiter:
                try:
                    async with (
                        self._pool.acquire() as connection,
                        connection.transaction(isolation="repeatable_read", readonly=True),
                    ):
                        seconds = math.ceil(request.timeout)
                        await connection.execute(f"set local statement_timeout = '{seconds}s'")
                        statement = plan_table(
                            await _bounded(given, request, connection), await self._text_order(connection)
                        )
                        return await _rows(connection, statement, request)
                except asyncpg.PostgresError as why:
                    if (error := told(why)) is None:
                        raise
                    raise error from why
        raise Interrupted

    async def statement(self, given: Given, request: QueryRequest) -> TableStatement:
        """What `answer` would run."""
        check_allowed(given, request)
        async with self._pool.acquire() as connection:
            return plan_table(await _bounded(given, request, connection), await self._text_order(connection))

    async def _text_order(self, connection: Connection) -> str:
        if self._collation is None:
            known = await connection.fetch(
                "select collname from pg_collation where collname = any($1)"
                " and collencoding in (-1, (select encoding from pg_database where datname = current_database()))",
                COLLATIONS,
            )
            self._collation = next(name for name in COLLATIONS if name in {row[0] for row in known})
        return self._collation


def check_allowed(given: Given, request: QueryRequest) -> None:
    """Refuse a head that who asks may not read.

    :raises QueryError: it is for administrators
    """
    if HEADS[given.query.head].is_admins and not request.is_admin:
        message = f"`from {given.query.head}` is for administrators"
        raise QueryError(message, text=given.query.text, hint="ask one, or use a token with the scope admin")


async def _bounded(given: Given, request: QueryRequest, connection: Connection) -> Given:
    """With the times that the rows can have, where a chart needs them and the request does not say."""
    context, head = given.context, HEADS[given.query.head]
    stages = given.query.stages
    nodes = (node for stage in stages for top in stage.nodes() for node in top.walk())
    asks = any(isinstance(stage, Timechart) for stage in stages) or any(
        isinstance(node, Call) and node.name == "rate" for node in nodes
    )
    if not asks or not head.has_time or (context.start_ns is not None and context.end_ns is not None):
        return given
    found = await connection.fetchrow(plan_bounds(head), request.project_id)
    if found is None or found[0] is None:
        return given
    first, last = found
    start = first if context.start_ns is None else context.start_ns
    end = last + 1000 if context.end_ns is None else context.end_ns
    return replace(given, context=replace(context, start_ns=start, end_ns=end))


async def _rows(
    connection: Connection, statement: TableStatement, request: QueryRequest
) -> tuple[Sequence[Output], pa.Table, bool]:
    schema = pa.schema([pa.field(column, ARROW_TYPES[kind]) for column, kind in statement.columns])
    cursor = await connection.cursor(
        statement.sql, request.project_id, *statement.arguments, timeout=request.timeout, prefetch=None,
        record_class=None,
    )  # fmt: skip
    batches: list[pa.RecordBatch] = []
    size = 0
    while rows := await cursor.fetch(BATCH, timeout=request.timeout):
        arrays = [pa.array([row[field.name] for row in rows], field.type) for field in schema]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
        size += batches[-1].nbytes
        if size > ANSWER_BYTES:
            raise QueryError(f"the answer is larger than {ANSWER_BYTES >> 20} MiB", hint="ask for fewer rows or fields")
    table = pa.Table.from_batches(batches, schema)
    return statement.outputs, table.slice(0, statement.cut), table.num_rows <= statement.cut


def told(why: asyncpg.PostgresError) -> QueryError | None:
    """What PostgreSQL says, as an error of the query that says what to do; None: it is not about the query."""
    state = why.sqlstate or ""
    if state == "57014":
        return QueryError("the query took longer than it may", hint="ask for a shorter range, or raise the timeout")
    for begin, message, hint in sorted(SQLSTATE, reverse=True):
        if state.startswith(begin):
            return QueryError(message, hint=hint)
    if state.startswith("42"):
        hint = "this should have been found before; please report it"
        return QueryError(f"the query cannot be run: {why}", hint=hint)
    return None
