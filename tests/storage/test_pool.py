"""The pool of connections: what a session was told ends with its borrower, and a statement alone is one trip."""

from __future__ import annotations

import pytest
from cordwood.core.storage.database import open_pool
from cordwood.core.storage.embedded import EmbeddedPostgres

pytestmark = pytest.mark.anyio


async def test_a_setting_ends_with_its_borrower(postgres: EmbeddedPostgres) -> None:
    pool = await open_pool(postgres.connect_args, max_size=1)
    before = await pool.fetchval("show work_mem")
    for _ in range(2):
        async with pool.acquire() as connection:
            await connection.execute("set work_mem = '7MB'")
            await connection.execute("select pg_advisory_lock(77)")
        assert await pool.fetchval("show work_mem") == before
        assert await pool.fetch("select from pg_locks where locktype = 'advisory' and objid = 77") == []
        assert tuple(await pool.fetchrow("select 1")) == (1,)
    await pool.close()


async def test_a_single_statement_is_one_round_trip(postgres: EmbeddedPostgres) -> None:
    pool = await open_pool(postgres.connect_args, max_size=1)
    other = await open_pool(postgres.connect_args, max_size=1)
    last = "select query from pg_stat_activity where pid = $1"
    for ask in (pool.fetch, pool.fetchrow, pool.fetchval):
        process = await pool.fetchval("select pg_backend_pid()")
        await ask("select 41")
        assert await other.fetchval(last, process) == "select 41"
    async with pool.acquire() as connection:
        await connection.fetchval("select 42")
    assert "RESET ALL" in await other.fetchval(last, process)
    await pool.close()
    await other.close()
