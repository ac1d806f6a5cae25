"""The database of a data folder for commands that change accounts: the running server's, else started for the while."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg

from ..config import Settings
from ..core.storage.database import migrate, open_pool
from ..core.storage.embedded import EmbeddedPostgres
from .serverfile import running_server


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[asyncpg.Pool[Any]]:
    """A pool on the database, its schema up to date.

    :raises ConfigError: the data folder is in use by a Cordwood that is not ready, or the server cannot be reached
    """
    async with AsyncExitStack() as stack:
        arguments: dict[str, Any] = {"dsn": settings.database_url}
        if settings.database_url is None:
            server = EmbeddedPostgres(settings.data_dir)
            arguments = server.connect_args
            if running_server(settings.data_dir) is None:
                await stack.enter_async_context(server.running())
        pool = await open_pool(arguments, max_size=2)
        stack.push_async_callback(pool.close)
        await migrate(pool, arguments)
        yield pool
