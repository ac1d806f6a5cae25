"""Migrations in one transaction, together with whatever else must happen in it.

As a program it brings a schema to this release's revision: `core.storage.database` runs it so. It says how to connect
by arguments of `asyncpg.connect` in JSON on its input. So this module imports none of Cordwood that is slow to load.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from .migrations import FOLDER, SCHEMA, newest_revision
from .session_settings import PATIENT

_LOCK = 0x636F7264  # advisory lock: one migrates or restores, the others wait for it
_LOCK_SECONDS = 600


class SchemaTransaction:
    """A transaction that may migrate: `connection` is its connection, for everything else in it."""

    def __init__(self, lent: AsyncConnection, connection: asyncpg.Connection) -> None:
        self._lent = lent
        self.connection = connection

    async def upgrade(self, revision: str = "head") -> None:
        """Bring the schema to a revision that is not behind its own."""
        config = Config()
        config.set_main_option("script_location", str(FOLDER))

        def run(connection: SyncConnection) -> None:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)

        await self._lent.run_sync(run)


@asynccontextmanager
async def schema_transaction(connect_args: dict[str, Any]) -> AsyncIterator[SchemaTransaction]:
    """A transaction on a connection of its own; it commits at the end, and an error leaves everything as it was.

    There is one at a time, whoever asks: another waits at its beginning, ten minutes at most.
    """

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(**connect_args, server_settings={"search_path": f"{SCHEMA}, public"})

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.begin() as lent:
            await lent.execute(text("select 1"))  # SQLAlchemy begins its transaction with the first statement
            driver = (await lent.get_raw_connection()).driver_connection
            assert isinstance(driver, asyncpg.Connection)
            await driver.execute(PATIENT)
            await driver.execute("select pg_advisory_xact_lock($1)", _LOCK, timeout=_LOCK_SECONDS)
            yield SchemaTransaction(lent, driver)
    finally:
        await engine.dispose()


async def _upgrade(connect_args: dict[str, Any]) -> None:
    async with schema_transaction(connect_args) as schema:
        connection = schema.connection
        await connection.execute(f"create schema if not exists {SCHEMA}")
        if await connection.fetchval("select to_regclass($1)", f"{SCHEMA}.alembic_version") is not None:
            found = await connection.fetchval(f"select version_num from {SCHEMA}.alembic_version")  # noqa: S608
            if found is not None and found > newest_revision():
                sys.exit(
                    f"the database is at revision {found}, this release knows {newest_revision()}: "
                    "it was used by a newer Cordwood; start that one, or restore a backup made before the upgrade"
                )
        await schema.upgrade()


if __name__ == "__main__":
    try:
        asyncio.run(_upgrade(json.load(sys.stdin)))
    except DBAPIError as why:
        sys.exit(str(why.orig))  # without the statement, and a link to an explanation
    except TimeoutError:
        sys.exit(f"another has migrated or restored for {_LOCK_SECONDS // 60} minutes: start again when it is done")
