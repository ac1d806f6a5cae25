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
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from .migrations import SCHEMA

_MIGRATIONS = Path(__file__).parent / "migrations"
_UPGRADE_LOCK = 0x75706772  # advisory lock


class SchemaTransaction:
    """A transaction that may migrate: `connection` is its connection, for everything else in it."""

    def __init__(self, lent: AsyncConnection, connection: asyncpg.Connection) -> None:
        self._lent = lent
        self.connection = connection

    async def upgrade(self, revision: str = "head") -> None:
        """Bring the schema to a revision that is not behind its own."""
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))

        def run(connection: SyncConnection) -> None:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)

        await self._lent.run_sync(run)


@asynccontextmanager
async def schema_transaction(connect_args: dict[str, Any]) -> AsyncIterator[SchemaTransaction]:
    """A transaction on a connection of its own; it commits at the end, and an error leaves everything as it was."""

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(**connect_args, server_settings={"search_path": f"{SCHEMA}, public"})

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.begin() as lent:
            await lent.execute(text("select 1"))  # SQLAlchemy begins its transaction with the first statement
            driver = (await lent.get_raw_connection()).driver_connection
            assert isinstance(driver, asyncpg.Connection)
            yield SchemaTransaction(lent, driver)
    finally:
        await engine.dispose()


async def _upgrade(connect_args: dict[str, Any]) -> None:
    async with schema_transaction(connect_args) as schema:
        # Who asked for this may have been killed meanwhile, its lock is free then, and the next one asks as well.
        await schema.connection.execute("select pg_advisory_xact_lock($1)", _UPGRADE_LOCK, timeout=600)
        await schema.upgrade()


if __name__ == "__main__":
    try:
        asyncio.run(_upgrade(json.load(sys.stdin)))
    except DBAPIError as why:
        sys.exit(str(why.orig))  # without the statement, and a link to an explanation
