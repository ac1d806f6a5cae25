"""The audit log tells when somebody changed it behind Cordwood's back."""

from __future__ import annotations

import anyio
import asyncpg
import pytest
from cordwood.core.runtime import Node
from cordwood.core.storage.audit import AuditFilter, audit, audit_entries, check_audit

pytestmark = pytest.mark.anyio


@pytest.fixture
async def pool(node: Node) -> asyncpg.Pool:
    """With a hundred entries, made by many at once."""
    pool = node.store.pool

    async def enter(number: int) -> None:
        async with pool.acquire() as connection, connection.transaction():
            await audit(connection, f"who{number}", "thing.create", number=number)
            await audit(connection, f"who{number}", "thing.delete", number=number, text='\u00e4 \U0001f600 \\ "')

    async with anyio.create_task_group() as tasks:
        for number in range(50):
            tasks.start_soon(enter, number)
    return pool


async def test_each_entry_seals_the_one_before(pool: asyncpg.Pool) -> None:
    found = await check_audit(pool)
    assert (found.faults, found.entries, found.seq) == ((), found.seq, found.entries)
    assert found.entries >= 100
    entries = await audit_entries(pool, AuditFilter(), before=2**62, limit=200)
    assert sorted(entry.seq for entry in entries) == list(range(1, found.seq + 1))
    assert found.hash in {entry.hash for entry in entries}
    assert (await check_audit(pool, (found.seq, found.hash))).faults == ()


async def test_what_is_rolled_back_leaves_no_gap(pool: asyncpg.Pool) -> None:
    before = (await check_audit(pool)).seq
    async with pool.acquire() as connection:
        given_up = connection.transaction()
        await given_up.start()
        await audit(connection, "who", "thing.create")
        await given_up.rollback()
    await audit(pool, "who", "thing.create")
    found = await check_audit(pool)
    assert (found.faults, found.seq) == ((), before + 1)


FORGERIES = {
    "update audit set who = 'eve' where seq = 7": "entry 7 or",
    """update audit set details = details || '{"number": 99}' where seq = 7""": "entry 7 or",
    "update audit set at = at - interval '1 microsecond' where seq = 7": "entry 7 or",
    "update audit set hash = sha256('x') where seq = 7": "entry 7 or",
    "delete from audit where seq = 7": "missing before 8",
    "delete from audit where seq = 1": "missing before 2",
    "insert into audit (who, what) values ('a', 'b')": "1 entries were put in",
}
_UNDO = "truncate audit; insert into audit overriding system value select * from kept"


async def test_forgeries_are_found(pool: asyncpg.Pool) -> None:
    await pool.execute("create table kept as table audit; alter table audit disable trigger audit_seals")
    for forgery, said in FORGERIES.items():
        await pool.execute(forgery)
        assert said in "; ".join((await check_audit(pool)).faults), forgery
        await pool.execute(_UNDO)
        assert (await check_audit(pool)).faults == ()


async def test_a_log_cut_short_is_found_by_what_was_noted(pool: asyncpg.Pool) -> None:
    noted = await check_audit(pool)
    await pool.execute("delete from audit where seq > 50")
    assert (await check_audit(pool)).faults == ()
    (fault,) = (await check_audit(pool, (noted.seq, noted.hash))).faults
    assert "not the one that was noted" in fault
