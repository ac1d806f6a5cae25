"""The connection is cut in the middle of a commit: was it committed? The answer is right either way."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import anyio
import asyncpg
import pytest
from cordwood.core.storage import database
from cordwood.core.storage import writer as writer_module
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.decode import read_segments
from cordwood.core.storage.outcome import Attempt, was_committed
from cordwood.core.storage.store import Store
from cordwood.plugins import Acknowledgement, Batch, Checkpoint, CheckpointConflictError, ConfigError, RetryableError

from .proxy import Cut, behind_proxy

pytestmark = pytest.mark.anyio


async def send(store: Store, message: str, **more: object) -> Acknowledgement:
    made = Batch.from_records([{"message": message}])
    receipt = await store.writer.submit(Submission(1, "s", made, **more))  # type: ignore[arg-type]
    return await receipt.committed()


async def stored(store: Store) -> Counter[str]:
    segments = await store.catalog.segments(1)
    if not segments:
        return Counter()
    return Counter(read_segments(segments, await store.cache.paths(segments))["message"].to_list())


CUTS: tuple[Cut, ...] = ("answer", "before", "silent", "late")


@pytest.mark.parametrize("cut", CUTS)
async def test_the_answer_is_right_without_a_key(database_url: str, data_dir: Path, cut: Cut) -> None:
    async with behind_proxy(database_url, data_dir) as (store, proxy):
        await send(store, "first")
        proxy.cuts = [cut]
        with anyio.fail_after(20):
            try:
                answer = await send(store, "cut")
            except RetryableError:
                expected = 0
            else:
                assert answer == Acknowledgement(1)
                expected = 1
        assert proxy.done == 1
        assert (await stored(store))["cut"] == expected
        if cut != "late":
            assert expected == (cut == "answer")
        assert await send(store, "last") == Acknowledgement(1)
        assert await stored(store) == Counter({"first": 1, "last": 1} | ({"cut": 1} if expected else {}))
        assert store.writer.stats.last_error == ""


@pytest.mark.parametrize("cut", CUTS)
async def test_a_key_sent_until_it_is_acknowledged_is_there_once(database_url: str, data_dir: Path, cut: Cut) -> None:
    async with behind_proxy(database_url, data_dir) as (store, proxy):

        async def until_acknowledged(name: str) -> None:
            while True:
                try:
                    await send(store, name, key=name)
                    return
                except RetryableError:
                    continue

        proxy.cuts = [cut] * 5
        with anyio.fail_after(40):
            while proxy.cuts:
                async with anyio.create_task_group() as tasks:
                    for n in range(4):
                        tasks.start_soon(until_acknowledged, f"{len(proxy.cuts)} {n}")
        counts = await stored(store)
        assert set(counts.values()) == {1}, counts
        assert {f"5 {n}" for n in range(4)} <= counts.keys()


async def test_a_position_moves_with_what_is_stored(database_url: str, data_dir: Path) -> None:
    """A source whose commit was not answered is told the truth, so it neither reads twice nor leaves out."""
    async with behind_proxy(database_url, data_dir) as (store, proxy):
        read = 0
        for cut in (*CUTS, *CUTS):
            proxy.cuts = [cut]
            while True:
                step = Checkpoint("file", read + 1, previous=read or None)
                try:
                    await send(store, f"line {read}", checkpoint=step)
                    read += 1
                    break
                except RetryableError:
                    continue
                except CheckpointConflictError:
                    pytest.fail("it was stored, and the source was told that it was not")
        assert await store.checkpoint("s", "file") == read == 8
        assert await stored(store) == Counter(f"line {n}" for n in range(8))


async def test_what_cannot_be_found_out_is_said(
    database_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_DOUBT_SECONDS", 1.0)
    async with behind_proxy(database_url, data_dir) as (store, proxy):
        await send(store, "first", key="first")
        proxy.cuts = ["answer"]
        async with anyio.create_task_group() as tasks:

            async def in_doubt() -> None:
                with pytest.raises(RetryableError, match=r"did not say .* same Idempotency-Key"):
                    await send(store, "cut", key="cut")

            tasks.start_soon(in_doubt)
            while not proxy.done:
                await anyio.sleep(0.01)
            proxy.refuses = True
            with pytest.raises(RetryableError, match="nothing was stored"):  # others do not wait for it
                await send(store, "other", key="other")
        proxy.refuses = False
        with anyio.fail_after(20):
            while True:
                try:
                    assert await send(store, "cut", key="cut") == Acknowledgement(1, duplicate=True)
                    break
                except RetryableError:
                    await anyio.sleep(0.05)
        assert await stored(store) == Counter({"first": 1, "cut": 1})


async def test_a_number_of_another_transaction_is_no_proof(database_url: str, data_dir: Path) -> None:
    """As after a failover to a standby that had not got the commit."""
    async with Store.opened(data_dir, database_url, compact=False) as store:
        await send(store, "a")
        (segment,) = await store.catalog.segments(1)
        known, started = await store.pool.fetchrow("select pg_current_xact_id()::text, pg_postmaster_start_time()")
        before = started - timedelta(hours=1)  # of another server, or of this one before it was started again

        async def asked(at: datetime, id_: int, checksum: bytes, number: str = known) -> bool:
            return await was_committed(store.pool, Attempt(number, at, 0, ((id_, checksum),)))

        assert await asked(before, segment.id, segment.checksum)
        assert not await asked(before, segment.id, b"other")
        assert not await asked(before, segment.id + 1, segment.checksum)
        assert not await asked(before, segment.id + 1, b"", str(int(known) + 1000))
        await store.pool.execute("update segment set replaced_at = now()")
        assert await asked(before, segment.id, segment.checksum), "merged meanwhile"
        await store.pool.execute("delete from segment")
        assert not await asked(before, segment.id, segment.checksum)
        assert await asked(started, segment.id, segment.checksum), "merged long ago, or erased"
        await store.pool.execute("alter role current_user set default_transaction_read_only = on")
        try:
            async with await database.open_pool({"dsn": database_url}, max_size=1) as standby:
                with pytest.raises(asyncpg.ReadOnlySQLTransactionError):  # a standby may know less: it is not asked
                    await was_committed(standby, Attempt(known, before, 0, ((segment.id, segment.checksum),)))
            with pytest.raises(ConfigError, match="read-only"):
                async with Store.opened(data_dir / "other", database_url, compact=False):
                    pass
        finally:
            await store.pool.execute("alter role current_user reset default_transaction_read_only")


async def test_a_transaction_without_a_client_does_not_hold_up_the_others(
    database_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network falls apart before COMMIT: the server would keep its locks until TCP gives up, in two hours."""
    monkeypatch.setattr(database, "IDLE_TRANSACTION_SECONDS", 2)
    async with behind_proxy(database_url, data_dir) as (store, proxy):
        proxy.word, proxy.cuts = b"pg_current_xact_id", ["silent"]
        with pytest.raises(RetryableError):
            await send(store, "cut")
        assert proxy.done == 1
        with anyio.fail_after(20):
            assert await send(store, "next") == Acknowledgement(1)
        assert await stored(store) == Counter({"next": 1})


async def test_a_connection_that_falls_silent_is_given_back_in_time_and_whole(
    database_url: str, data_dir: Path
) -> None:
    async with behind_proxy(database_url, data_dir) as (store, proxy):
        before = asyncio.all_tasks()
        began = time.monotonic()
        async with store.pool.acquire() as connection:
            await connection.fetchval("select 1")
            proxy.delay = 3600
        assert time.monotonic() - began < 10
        left = [task for task in asyncio.all_tasks() - before if "release" in repr(task)]
        assert not left, "somebody still gives it back, and what becomes of it nobody learns"
        proxy.delay = 0
        assert await store.pool.fetchval("select 1") == 1


async def test_a_database_that_is_silent_keeps_nobody_waiting_for_ever(
    database_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("_COMMIT_SECONDS", 1.0), ("_LEAST_SECONDS", 0.2), ("_ROOM_SECONDS", 1.0)):
        monkeypatch.setattr(writer_module, name, seconds)
    async with behind_proxy(database_url, data_dir) as (store, proxy):
        writer = store.writer
        writer._group_bytes, writer.pending_bytes = 4000, 20_000
        await send(store, "before")
        proxy.delay = 3600
        why: list[str] = []
        most = 0

        async def refused(n: int) -> None:
            nonlocal most
            with pytest.raises(RetryableError) as caught:
                await send(store, f"{n} " + "x" * 2000)
            why.append(str(caught.value))
            most = max(most, writer._size)

        began = time.monotonic()
        async with anyio.create_task_group() as tasks:
            for n in range(20):
                tasks.start_soon(refused, n)
        took = time.monotonic() - began
        assert took < 15, "some waited for all those before them"
        assert most <= 20_000
        assert any("waits for the database already" in text for text in why)
        assert any("nothing was stored" in text for text in why)
        proxy.delay = 0
        with anyio.fail_after(20):
            while True:
                with suppress(RetryableError):
                    await send(store, "after")
                    break
        assert await stored(store) == Counter({"before": 1, "after": 1})
