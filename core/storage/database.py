"""The PostgreSQL that holds everything: its pool of connections and its schema."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeAlias

import anyio
import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

from ...plugins.errors import ConfigError, FatalError
from .migrations import SCHEMA, newest_revision

Connection: TypeAlias = asyncpg.Connection | PoolConnectionProxy
"""A connection, or one lent by the pool."""

DATABASE_ERRORS: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the connection broke while the driver waited for an answer
)
"""What the driver raises when PostgreSQL goes away in the middle of something, or refuses it."""
DAMAGED = (asyncpg.DataCorruptedError, asyncpg.IndexCorruptedError, asyncpg.InternalServerError)
"""What PostgreSQL says where it cannot read its own files."""

_RELEASE_SECONDS = 2.0
IDLE_TRANSACTION_SECONDS = 20
"""A transaction that hears nothing so long has lost its client: it is ended, for all commits wait for its locks."""

CHECK_ADDRESS = "check CORDWOOD_DATABASE_URL and the server"
"""What to do about a database that is not there, or not to be written."""

MIN_SERVER = 150000  # PostgreSQL 15
_log = logging.getLogger(__name__)


def trouble(why: Exception) -> str:
    """What is wrong with the database, in words for everybody: no address, no user's name."""
    match why:
        case asyncpg.ReadOnlySQLTransactionError():
            return "the database is read-only: is it a standby, or default_transaction_read_only set?"
        case asyncpg.TooManyConnectionsError():
            return "the database has no connection left: raise its max_connections, or end others"
        case asyncpg.InvalidAuthorizationSpecificationError():
            return "the database refuses the user or the password of CORDWOOD_DATABASE_URL"
        case asyncpg.InvalidCatalogNameError():
            return "the database of CORDWOOD_DATABASE_URL does not exist"
        case asyncpg.CannotConnectNowError():
            return "the database is starting, stopping or recovering"
    return "the database does not answer"


async def _init(connection: asyncpg.Connection) -> None:
    """Python objects in and out of jsonb."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda data: msgspec.json.decode(data[1:]),
    )


class _OwnConnection(asyncpg.Connection):
    """A connection that is given back without a word to the server where one statement alone was run."""

    _as_it_was = False

    def leaves_nothing(self) -> None:
        """Say that what runs until it is given back changes nothing of its session: no lock, setting or LISTEN."""
        self._as_it_was = True

    def get_reset_query(self) -> str:
        """See `asyncpg.Connection`."""
        as_it_was, self._as_it_was = self._as_it_was, False
        return "" if as_it_was else str(super().get_reset_query())


class Pool(asyncpg.Pool):
    """A pool that takes a connection back before its borrower is cancelled, so that what fails then is not orphaned.

    A single statement by `fetch`, `fetchrow` or `fetchval` is one round trip: asyncpg's own makes a second one, which
    undoes what the session may have been told. So none of these may take an advisory lock or change a setting.
    """

    @asynccontextmanager
    async def _for_one(self) -> AsyncIterator[Any]:
        """A connection for one statement."""
        async with self.acquire() as lent:
            connection: Any = lent  # a proxy, which hands on what `_OwnConnection` has of its own
            connection.leaves_nothing()
            yield connection

    async def fetch(self, query: str, *args: Any, timeout: Any = None, record_class: Any = None) -> Any:  # noqa: ASYNC109
        """See `asyncpg.Pool`."""
        async with self._for_one() as connection:
            return await connection.fetch(query, *args, timeout=timeout, record_class=record_class)

    async def fetchrow(self, query: str, *args: Any, timeout: Any = None, record_class: Any = None) -> Any:  # noqa: ASYNC109
        """See `asyncpg.Pool`."""
        async with self._for_one() as connection:
            return await connection.fetchrow(query, *args, timeout=timeout, record_class=record_class)

    async def fetchval(self, query: str, *args: Any, column: int = 0, timeout: Any = None) -> Any:  # noqa: ASYNC109
        """See `asyncpg.Pool`."""
        async with self._for_one() as connection:
            return await connection.fetchval(query, *args, column=column, timeout=timeout)

    async def release(self, connection: Any, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as its base
        """Take a connection back; one whose server is silent is ended instead, lest it hold up a stop.

        asyncpg bounds that itself. Given up from outside, its work would go on by itself, and fail with nobody to tell.
        """
        with anyio.CancelScope(shield=True), suppress(TimeoutError):
            await super().release(connection, timeout=_RELEASE_SECONDS if timeout is None else timeout)


async def open_pool(connect_args: dict[str, Any], *, max_size: int = 20) -> asyncpg.Pool:
    """A pool whose connections see Cordwood's schema first and know jsonb.

    :raises ConfigError: the server cannot be reached, or is older than 15
    """
    try:
        pool = await Pool(
            **connect_args,
            min_size=1,
            max_size=max_size,
            max_queries=50_000,
            max_inactive_connection_lifetime=300.0,
            connect=None,
            setup=None,
            init=_init,
            reset=None,
            loop=None,
            connection_class=_OwnConnection,
            record_class=asyncpg.Record,
            command_timeout=60,
            timeout=10,
            server_settings={
                "search_path": f"{SCHEMA}, public",
                "application_name": "cordwood",
                "idle_in_transaction_session_timeout": f"{IDLE_TRANSACTION_SECONDS}s",
            },
        )
    except (OSError, TimeoutError, asyncpg.PostgresError, ValueError, asyncpg.InterfaceError) as why:
        raise ConfigError(
            f"PostgreSQL cannot be reached: {type(why).__name__}: {why}",
            hint=CHECK_ADDRESS,
        ) from why
    version = int(await pool.fetchval("show server_version_num"))
    if version < MIN_SERVER:
        await pool.close()
        raise ConfigError(f"PostgreSQL {version // 10000} is too old", hint="Cordwood needs PostgreSQL 15 or newer")
    return pool


async def renewed_after(pool: asyncpg.Pool, why: Exception) -> None:
    """Let the pool open other connections where these stay as they are: a session that began read-only remains so."""
    if isinstance(why, asyncpg.ReadOnlySQLTransactionError):
        await pool.expire_connections()


async def current_revision(pool: asyncpg.Pool) -> str | None:
    """The revision the database is at; None: it has no schema of ours yet."""
    try:
        revision: str | None = await pool.fetchval(f"select version_num from {SCHEMA}.alembic_version")  # noqa: S608
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        return None
    return revision


async def migrate(pool: asyncpg.Pool, connect_args: dict[str, Any]) -> None:
    """Bring the schema to this release's revision, one node at a time.

    It is done in a process of its own: what Alembic and SQLAlchemy take, 28 MiB, goes with it.

    :raises FatalError: the database is ahead of this release, or a migration fails; then the schema is as it was
    :raises ConfigError: the database is read-only
    """
    found = await current_revision(pool)
    if found == newest_revision():
        return
    if await pool.fetchval("show transaction_read_only") == "on":
        raise ConfigError(trouble(asyncpg.ReadOnlySQLTransactionError()), hint=CHECK_ADDRESS)
    _log.info("migrating the database from revision %s to %s", found or "none", newest_revision())
    done = await anyio.run_process(
        [sys.executable, "-P", "-m", "cordwood.core.storage.schema"],
        input=msgspec.json.encode(connect_args),
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        _log.error("migrating the database failed:\n%s", said)
        raise FatalError(f"the schema cannot be migrated: {said.rpartition(chr(10))[2]}")
