"""The writer's promise: what is acknowledged is stored, once, and a source's position moves with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import asyncpg
import pytest
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.decode import read_segments
from cordwood.core.storage.store import Store
from cordwood.plugins import Acknowledgement, Batch, Checkpoint, CheckpointConflictError, RetryableError

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(database_url: str, data_dir: Path) -> AsyncIterator[Store]:
    async with Store.opened(data_dir, database_url, compact=False) as opened:
        yield opened


def batch(*messages: str) -> Batch:
    return Batch.from_records([{"message": message, "n": i} for i, message in enumerate(messages)])


async def stored(store: Store, project_id: int = 1) -> list[str]:
    segments = await store.catalog.segments(project_id)
    if not segments:
        return []
    frame = read_segments(segments, await store.cache.paths(segments))
    return sorted(frame["message"].to_list())


async def send(store: Store, made: Batch, project: int = 1, **more: object) -> Acknowledgement:
    receipt = await store.writer.submit(Submission(project, "s", made, **more))  # type: ignore[arg-type]
    return await receipt.committed()


async def test_acknowledged_after_the_commit(store: Store) -> None:
    assert await send(store, batch("a 1", "b")) == Acknowledgement(2)
    assert await stored(store) == ["a 1", "b"]


async def test_requests_within_the_linger_share_a_segment(store: Store) -> None:
    async with anyio.create_task_group() as tasks:
        for i in range(20):
            tasks.start_soon(send, store, batch(f"m{i}"))
    assert len(await store.catalog.segments(1)) == 1
    assert len(await stored(store)) == 20


async def test_a_key_stores_once_and_gets_the_first_answer(store: Store) -> None:
    assert await send(store, batch("a", "b"), key="k") == Acknowledgement(2)
    assert await send(store, batch("other"), key="k") == Acknowledgement(2, duplicate=True)
    assert await stored(store) == ["a", "b"]


async def test_the_same_key_twice_in_one_group(store: Store) -> None:
    answers: list[Acknowledgement] = []

    async def one() -> None:
        answers.append(await send(store, batch("a"), key="k"))

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(one)
    assert sorted(answer.duplicate for answer in answers) == [False, True, True, True, True]
    assert await stored(store) == ["a"]


async def test_a_duplicate_does_not_take_its_neighbours_with_it(store: Store) -> None:
    await send(store, batch("a"), key="k")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send, store, batch("again"), 1)
        receipt = await store.writer.submit(Submission(1, "s", batch("a"), key="k"))
    assert (await receipt.committed()).duplicate
    assert await stored(store) == ["a", "again"]


async def test_a_key_belongs_to_its_project(store: Store) -> None:
    other = await store.pool.fetchval("insert into project (name) values ('other') returning id")
    await store.pool.execute("insert into segment_log (project_id) values ($1)", other)
    await send(store, batch("a"), key="k")
    assert not (await send(store, batch("b"), project=other, key="k")).duplicate
    assert await stored(store, other) == ["b"]


async def test_a_key_is_forgotten_after_its_time(store: Store) -> None:
    await send(store, batch("a"), key="k")
    await store.pool.execute("update idempotency_key set created_at = now() - interval '25 hours'")
    assert not (await send(store, batch("b"), key="k")).duplicate


async def test_a_checkpoint_moves_with_the_events(store: Store) -> None:
    await send(store, batch("a"), checkpoint=Checkpoint("f", {"offset": 1}))
    await send(store, batch("b"), checkpoint=Checkpoint("f", {"offset": 2}, {"offset": 1}))
    assert await store.checkpoint("s", "f") == {"offset": 2}
    assert await store.checkpoints("s", "f") == {"f": {"offset": 2}}


@pytest.mark.parametrize("previous", [None, {"offset": 7}], ids=["believes there is none", "believes another"])
async def test_a_reader_that_was_overtaken_stores_nothing(store: Store, previous: object) -> None:
    await send(store, batch("a"), checkpoint=Checkpoint("f", {"offset": 1}))
    with pytest.raises(CheckpointConflictError):
        await send(store, batch("b"), checkpoint=Checkpoint("f", {"offset": 2}, previous))  # type: ignore[arg-type]
    assert await stored(store) == ["a"]
    assert await store.checkpoint("s", "f") == {"offset": 1}


async def test_a_chain_of_positions_in_one_group_breaks_where_it_breaks(store: Store) -> None:
    marks = [Checkpoint("f", 1), Checkpoint("f", 2, 1), Checkpoint("f", 4, 3), Checkpoint("f", 5, 4)]
    receipts = [await store.writer.submit(Submission(1, "s", batch(f"m{m.value}"), m)) for m in marks]
    outcomes = []
    for receipt in receipts:
        try:
            outcomes.append(await receipt.committed())
        except CheckpointConflictError:
            outcomes.append(None)
    assert outcomes == [Acknowledgement(1), Acknowledgement(1), None, None]
    assert await stored(store) == ["m1", "m2"]
    assert await store.checkpoint("s", "f") == 2


async def test_a_position_without_events(store: Store) -> None:
    assert await send(store, batch(), checkpoint=Checkpoint("f", 1)) == Acknowledgement(0)
    assert await store.checkpoint("s", "f") == 1
    assert await store.catalog.head(1) == 0


async def test_positions_are_gapless_over_two_writers(database_url: str, data_dir: Path) -> None:
    async with (
        Store.opened(data_dir / "1", database_url, compact=False) as one,
        Store.opened(data_dir / "2", database_url, compact=False) as two,
    ):

        async def write(store: Store, name: str) -> None:
            for i in range(25):
                await send(store, batch(f"{name}{i}"), key=f"{name}{i % 20}")

        async with anyio.create_task_group() as tasks:
            for store, name in ((one, "a"), (two, "a"), (one, "c"), (two, "d")):
                tasks.start_soon(write, store, name)
        segments = await one.catalog.segments(1)
        assert sorted(s.min_position for s in segments) == list(range(1, await one.catalog.head(1) + 1))
        assert sum(s.rows for s in segments) == 60  # a0 to a19 once, whoever came first, and twenty each of c and d


async def test_a_lost_database_refuses_and_the_writer_recovers(store: Store, postgres: object) -> None:
    await send(store, batch("a"))
    await store.pool.execute(
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$"
    )
    await store.pool.execute("create trigger refuse before insert on segment execute function refuse()")
    with pytest.raises(RetryableError):
        await send(store, batch("b"), key="k")
    await store.pool.execute("drop trigger refuse on segment")
    await store.pool.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    with anyio.fail_after(10):
        while True:
            try:
                assert not (await send(store, batch("b"), key="k")).duplicate
                break
            except RetryableError:
                continue
    assert await stored(store) == ["a", "b"]


async def test_what_was_taken_in_is_committed_before_the_stop(database_url: str, data_dir: Path) -> None:
    async with Store.opened(data_dir, database_url, compact=False) as store:
        receipt = await store.writer.submit(Submission(1, "s", batch("last")))
    assert await receipt.committed() == Acknowledgement(1)
    with pytest.raises(RetryableError):
        await store.writer.submit(Submission(1, "s", batch("too late")))
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("select sum(rows) from cordwood.segment") == 1
    await connection.close()


async def test_positions_in_what_is_gone_are_forgotten(store: Store) -> None:
    for key in ("f/there", "f/moved", "f/gone", "other"):
        await send(store, batch(key), checkpoint=Checkpoint(key, 1))

    async def forgotten(*there: str) -> list[str]:
        return await store.forget_checkpoints("s", "f/", there, 3600)

    async def later(*but: str) -> None:
        await store.pool.execute(
            "update checkpoint set updated_at = updated_at - interval '2 hours' where key <> all($1::text[])", but
        )

    await later()
    assert await forgotten("f/there") == []  # as long as it is not known what others have seen
    await later()
    await send(store, batch("m"), checkpoint=Checkpoint("f/moved", 2, 1))
    assert await forgotten("f/there") == ["f/gone"]
    await later("f/there", "f/moved")
    assert await forgotten() == []
    assert await store.checkpoints("s", "f/") == {"f/there": 1, "f/moved": 2}
    assert await store.checkpoint("s", "other") == 1
    await send(store, batch("t"), checkpoint=Checkpoint("f/there", 2, 1))
    await send(store, batch("g"), checkpoint=Checkpoint("f/gone", 1))
