"""Rows of a PostgreSQL database as they are added: a query, and a column that rises.

    sources:
      audit:
        type: sql_poll
        url: "postgresql://reader:${DB_PASSWORD}@db/shop"
        query: "select id, at as timestamp, actor, action as message from audit_log"
        column: id

The column's value is committed together with the rows. PostgreSQL makes JSON of the rows, whatever their types.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import anyio
from pydantic import AfterValidator, Field, SecretStr

from ..plugins import (
    Checkpoint,
    Duration,
    FatalError,
    Json,
    Need,
    Outlet,
    ProjectConfig,
    RetryableError,
    Source,
    duration_ns,
    hookimpl,
    in_worker,
    now_ns,
    read_ndjson,
)
from .storing import store

if TYPE_CHECKING:
    import asyncpg

_KEY = "sql_poll"
_MOST_ROW = 1 << 20
"""Characters of a row as JSON; a longer one is cut, and so kept as text with `parse_error`."""


def _server(url: SecretStr) -> SecretStr:
    if not re.match(r"postgres(ql)?://", url.get_secret_value()):
        raise ValueError("is no address of PostgreSQL; write postgresql://user:password@host/database")
    return url


class SqlPollConfig(ProjectConfig):
    """Settings of a source that asks a database."""

    url: Annotated[SecretStr, AfterValidator(_server)]
    """The database: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`, also with libpq's `?sslmode=verify-full`."""
    query: str = Field(min_length=1)
    """A `select` of all the rows; order and limit are added. It runs in a read-only transaction."""
    column: str = Field(min_length=1, max_length=63)
    """A column of the query that rises with each row, such as a serial number; best with an index."""
    first: str | None = None
    """Where to begin when this source runs for the first time: rows whose column is beyond this, as PostgreSQL writes
    it; not set: all."""
    every: Duration = "10s"
    """How often it asks; while there are more rows than `rows`, at once."""
    rows: int = Field(5000, ge=1, le=100_000)
    """Rows that are taken at once."""
    timeout: Duration = "1m"
    """How long a query may take."""
    timezone: ZoneInfo = ZoneInfo("UTC")
    """Zone of times without one (`timestamp without time zone`)."""


class SqlPoll(Source[SqlPollConfig]):
    """Take in the rows of a query in PostgreSQL, each once, as they are added. Columns become fields by their names."""

    def __init__(self, config: SqlPollConfig) -> None:
        super().__init__(config)
        self._queries = self._rejected = 0
        self._column = '"' + config.column.replace('"', '""') + '"'

    @property
    def counts(self) -> Mapping[str, int]:
        """How often it asked, and what the store refused."""
        return {"queries": self._queries, "rejected_events": self._rejected}

    def needs(self) -> Sequence[Need]:
        """The database, and that it takes the query."""
        import asyncpg

        async def trial(_: AsyncExitStack) -> str:
            connection = await self._connected()
            try:
                await connection.prepare(self._text("is not null"))
            except asyncpg.PostgresError as why:
                raise FatalError(f"the database refuses the query: {why}; mend query or column") from why
            finally:
                connection.terminate()
            return ""

        return [Need("url", "ask the database", trial)]

    async def run(self, outlet: Outlet) -> None:
        """Ask until cancelled.

        :raises RetryableError: the database does not answer, or refuses the query
        """
        import asyncpg

        every = duration_ns(self.config.every) / 1e9
        value = await outlet.checkpoint(_KEY)
        connection = await self._connected()
        try:
            await self._prepare(connection)
            outlet.started()
            while True:
                began = anyio.current_time()
                value, more = await self._take(connection, outlet, value)
                if not more:
                    await anyio.sleep(max(0.0, began + every - anyio.current_time()))
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as why:
            raise RetryableError(f"the database: {why or type(why).__name__}", after=every) from why
        finally:
            connection.terminate()

    async def _connected(self) -> asyncpg.Connection[Any]:
        """A connection that may only read.

        :raises RetryableError: the database does not answer, or refuses us
        """
        import asyncpg

        wait = duration_ns(self.config.timeout) / 1e9
        try:
            with anyio.fail_after(wait):
                return await asyncpg.connect(
                    self.config.url.get_secret_value(), timeout=wait, command_timeout=wait,
                    server_settings={"default_transaction_read_only": "on", "application_name": "cordwood"},
                )  # fmt: skip
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as why:
            raise RetryableError(f"no connection to the database: {why or type(why).__name__}") from None

    def _text(self, condition: str) -> str:
        """The query for rows (as JSON, the column as text) under a condition, in the column's order.

        Rows that have the last one's value are taken with it, however many they are: the next query begins behind it.
        """
        # A value of type json keeps its line feeds, which are mere space there.
        row = f"translate(left(row_to_json(q)::text, {_MOST_ROW}), chr(10) || chr(13), '  ')"
        rows = self.config.query.strip().rstrip(";")
        return (
            f"select {row}, q.{self._column}::text from ({rows}\n) q where q.{self._column} {condition}"  # noqa: S608 - the operator's
            f" order by q.{self._column} fetch first {self.config.rows} rows with ties"
        )

    async def _prepare(self, connection: asyncpg.Connection[Any]) -> None:
        """Values of the column go both ways as text: so they come back as PostgreSQL wrote them, of whatever type."""
        kind = (await connection.prepare(self._text("> $1"))).get_parameters()[0]
        await connection.set_type_codec(kind.name, schema=kind.schema, encoder=str, decoder=str, format="text")

    async def _take(self, connection: asyncpg.Connection[Any], outlet: Outlet, value: Json) -> tuple[Json, bool]:
        """Take in the next rows; the checkpoint's value then, and whether there may be more."""
        at = value.get("at") if isinstance(value, Mapping) else self.config.first
        self._queries += 1
        async with connection.transaction(readonly=True):
            if at is None:
                rows = await connection.fetch(self._text("is not null"))
            else:
                rows = await connection.fetch(self._text("> $1"), str(at))
        if not rows:
            return value, False
        fresh: Json = {"at": rows[-1][1]}
        body = "\n".join(row[0] for row in rows).encode()
        batch = await in_worker(lambda: read_ndjson(body, now_ns(), zone=self.config.timezone))
        self._rejected += await store(outlet, batch, checkpoint=Checkpoint(_KEY, fresh, value), received=len(body))
        return fresh, len(rows) >= self.config.rows


@hookimpl
def cordwood_plugins() -> list[type[Source[Any]]]:
    """The source that asks a database."""
    return [SqlPoll]
