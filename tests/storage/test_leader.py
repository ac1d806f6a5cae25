"""The lock that work which runs once holds: it is given up soon when its connection falls silent."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

import anyio
import pytest
from cordwood.core.storage.database import open_pool
from cordwood.core.storage.leader import Session, lead
from cordwood.plugins.errors import RetryableError

pytestmark = pytest.mark.anyio


async def test_a_connection_silent_within_a_transaction_ends_the_work(database_url: str) -> None:
    """The server's side is frozen between two statements of a transaction: the heartbeat cannot ask meanwhile."""
    frozen: list[tuple[float, int]] = []
    ticks: list[float] = []
    ended = anyio.Event()

    async def tick() -> None:
        while True:
            ticks.append(time.monotonic())
            await anyio.sleep(0.05)

    async def work(session: Session) -> None:
        if frozen:
            await anyio.sleep_forever()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(tick)
                await anyio.sleep(0.5)
                with suppress(RetryableError):  # as a runner does that goes on with its next piece
                    async with session.transaction() as connection:
                        backend = await connection.fetchval("select pg_backend_pid()")
                        frozen.append((time.monotonic(), backend))
                        os.kill(backend, signal.SIGSTOP)
                        await connection.fetchval("select 1")
                await anyio.sleep_forever()
        finally:
            ended.set()

    pool = await open_pool({"dsn": database_url})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lead, pool, "frozen", work)
        try:
            with anyio.fail_after(20):
                await ended.wait()
        finally:
            for _, backend in frozen:
                os.kill(backend, signal.SIGCONT)
        tasks.cancel_scope.cancel()
    await pool.close()
    assert ticks[-1] - frozen[0][0] < 5
