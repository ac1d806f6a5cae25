"""The database of a data folder, for commands that work on it: a running server's, else started for the while."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from ..config import Settings
from ..core.storage.database import migrate, open_pool
from ..core.storage.embedded import EmbeddedPostgres
from .exits import InputError
from .serverfile import running_server


@asynccontextmanager
async def address(settings: Settings) -> AsyncIterator[dict[str, Any]]:
    """How to connect to the database while the context lasts: arguments of `asyncpg.connect`.

    :raises ConfigError: the data folder is in use by a Cordwood that is not ready
    """
    if settings.database_url is not None:
        yield {"dsn": settings.database_url}
        return
    server = EmbeddedPostgres(settings.data_dir)
    if running_server(settings.data_dir) is not None:
        yield server.connect_args
        return
    async with server.running():
        yield server.connect_args


@asynccontextmanager
async def database(settings: Settings, *, max_size: int = 2) -> AsyncIterator[asyncpg.Pool[Any]]:
    """A pool on the database, its schema up to date.

    :raises ConfigError: the data folder is in use by a Cordwood that is not ready, or the server cannot be reached
    """
    async with address(settings) as arguments:
        pool = await open_pool(arguments, max_size=max_size)
        try:
            await migrate(pool, arguments)
            yield pool
        finally:
            await pool.close()


def local_settings(command: str, data_dir: Path | None) -> Settings:
    """Settings of a command that needs the database itself.

    :raises InputError: only the URL of a server is known
    """
    by_folder = data_dir is not None or os.environ.get("CORDWOOD_DATA_DIR") or os.environ.get("CORDWOOD_DATABASE_URL")
    if os.environ.get("CORDWOOD_URL") and not by_folder:
        raise InputError(
            f"`cordwood {command}` works on the database itself, not through CORDWOOD_URL: run it where Cordwood runs, "
            "with --data-dir, or with CORDWOOD_DATABASE_URL"
        )
    return Settings.from_environment(data_dir=data_dir)
