"""Work that must run once: it belongs to whichever node holds its advisory lock in PostgreSQL.

The lock is a session's, so the server lets go of it when the node or its connection dies; the holder looks at its
connection every second and stops the work at once when it is lost, before another node can have it for long.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import anyio
import asyncpg

from .database import DATABASE_ERRORS, Connection

_RETRY_SECONDS = 2.0  # how often the nodes without the lock ask for it: takeover within 10 s includes noticing
_ALIVE_SECONDS = 1.0
_log = logging.getLogger(__name__)


async def run_once(pool: asyncpg.Pool, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` while this node holds the lock `name`; wait for the lock, again after each loss, until cancelled."""
    while True:
        try:
            async with pool.acquire() as connection:
                if await connection.fetchval(
                    "select pg_try_advisory_lock(hashtextextended($1, 0))", f"cordwood.{name}"
                ):
                    _log.info("this node runs %s", name)
                    try:
                        await _while_connected(connection, work)
                    finally:
                        with anyio.CancelScope(shield=True), anyio.move_on_after(2):
                            await _unlock(connection, name)
        except* DATABASE_ERRORS as why:
            _log.warning("%s: no connection to PostgreSQL (%s); trying again", name, why.exceptions[0])
        await anyio.sleep(_RETRY_SECONDS)


async def _while_connected(connection: Connection, work: Callable[[], Awaitable[None]]) -> None:
    async with anyio.create_task_group() as tasks:

        async def working() -> None:
            await work()
            tasks.cancel_scope.cancel()

        tasks.start_soon(working)
        while True:
            await anyio.sleep(_ALIVE_SECONDS)
            try:
                with anyio.fail_after(5):
                    await connection.fetchval("select 1")
            except DATABASE_ERRORS as why:
                _log.warning("lost the connection that holds a lock (%s); stopping its work", why)
                tasks.cancel_scope.cancel()
                return


async def _unlock(connection: Connection, name: str) -> None:
    try:
        await connection.execute("select pg_advisory_unlock(hashtextextended($1, 0))", f"cordwood.{name}")
    except DATABASE_ERRORS:
        connection.terminate()
