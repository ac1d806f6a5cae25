"""The space of dead segments comes back by truncating parts; nothing that is alive goes with them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from cordwood.core.storage.cache import SegmentCache, SegmentDamagedError
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.decode import read_segments
from cordwood.core.storage.files import FoundFile
from cordwood.core.storage.store import Store
from cordwood.plugins import Batch

pytestmark = pytest.mark.anyio
LATER = timedelta(hours=1)


@pytest.fixture
async def store(database_url: str, data_dir: Path) -> AsyncIterator[Store]:
    async with Store.opened(data_dir, database_url, compact=False) as opened:
        yield opened


async def write(store: Store, number: int, rows: int = 1, size: int = 20) -> None:
    noise = random.Random(number)
    records = [{"n": number, "message": noise.randbytes(size).hex()} for _ in range(rows)]
    await (await store.writer.submit(Submission(1, "s", Batch.from_records(records, observed=1)))).committed()


async def numbers(store: Store) -> list[int]:
    segments = await store.catalog.segments(1)
    return sorted(read_segments(segments, await store.cache.paths(segments))["n"]) if segments else []


async def table_bytes(store: Store) -> int:
    return int(
        await store.pool.fetchval(
            "select sum(pg_total_relation_size(relid)) from pg_partition_tree('segment_file') where isleaf"
        )
    )


async def test_a_table_of_constant_data_does_not_grow(store: Store) -> None:
    sizes = []
    for cycle in range(26):
        for i in range(4):
            await write(store, 4 * cycle + i, rows=100, size=1500)
        await store.compactor.compact(1, now=datetime.now(UTC) + LATER)
        # The oldest go: what is alive stays as much as six cycles bring.
        await store.pool.execute(
            "update segment set replaced_at = now() where replaced_at is null and max_position <= $1", 4 * cycle - 20
        )
        await store.files.sweep(grace_seconds=0)
        await store.files.parts.tidy()
        sizes.append(await table_bytes(store))
    alive = await store.pool.fetchval("select sum(bytes) from segment where replaced_at is null")
    assert max(sizes[6:]) <= 1.3 * sizes[6] + (1 << 20)
    assert sizes[-1] <= 1.3 * alive + (1 << 20), (sizes, alive)


async def test_nothing_is_lost_while_parts_are_rotated_moved_and_truncated(store: Store) -> None:
    written: list[int] = []
    over = anyio.Event()

    async def writing() -> None:
        for number in range(150):
            await write(store, number, rows=20, size=500)
            written.append(number)
        over.set()

    async def compacting() -> None:
        while not over.is_set():
            await store.compactor.compact(1, now=datetime.now(UTC) + LATER)
            await anyio.sleep(0.01)

    async def shuffling() -> None:
        while not over.is_set():
            for kind in ("commit", "merged"):
                await store.files.parts._rotate(kind, only_empty=True)
            await store.files.sweep(grace_seconds=1)
            await store.files.parts.tidy()
            for part in await store.files.parts.state():
                if part.live and not part.current:
                    await store.files.parts._drain(part.part)
                    await store.files.parts._truncate(part.part)

    async def reading() -> None:
        while not over.is_set():
            before = set(written)
            segments = await store.catalog.segments(1)
            found = await store.files.read([segment.id for segment in segments])
            assert all(file.data is not None for file in found)
            assert before <= set(await numbers(store))
            await anyio.sleep(0.01)

    async with anyio.create_task_group() as tasks:
        for work in (writing, compacting, shuffling, reading):
            tasks.start_soon(work)
    for path in store.cache.folder.glob("*.parquet"):
        path.unlink()
    assert await numbers(store) == sorted(list(range(150)) * 20)


async def test_a_purge_leaves_no_byte_of_what_is_dead(store: Store) -> None:
    for number in range(6):
        await write(store, number)
    await store.compactor.compact(1, now=datetime.now(UTC) + LATER)
    for number in range(6, 9):
        await write(store, number)
    await store.files.purge()
    ids = {row[0] for row in await store.pool.fetch("select segment_id from segment_file")}
    assert ids == {segment.id for segment in await store.catalog.segments(1)}
    await store.cache.forget_dead()
    assert {int(path.stem) for path in store.cache.folder.glob("*.parquet")} == ids
    assert await numbers(store) == list(range(9))


async def test_a_cached_file_of_an_earlier_process_is_compared_before_its_first_use(store: Store) -> None:
    await write(store, 1)
    segments = await store.catalog.segments(1)
    path = store.cache.path(segments[0].id)
    right = path.read_bytes()
    path.write_bytes(right[:-9] + b"x" + right[-8:])
    fresh = SegmentCache(store.files, store.cache.folder, max_bytes=1 << 30)
    assert (await fresh.paths(segments))[segments[0].id].read_bytes() == right


async def test_two_at_once_read_the_same_bytes_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        await write(store, number)
    segments = await store.catalog.segments(1)
    with anyio.fail_after(10):  # the writer keeps what it committed a moment after it has said so
        while not all(store.cache.path(segment.id).exists() for segment in segments):
            await anyio.sleep(0.01)
    store.cache.forget([segment.id for segment in segments])
    asked: list[int] = []
    read = store.files.read

    async def counted(ids: list[int]) -> list[FoundFile]:
        asked.extend(ids)
        return await read(ids)

    monkeypatch.setattr(store.files, "read", counted)
    async with anyio.create_task_group() as tasks:
        for few in (segments, segments[:3], segments[2:], segments):
            tasks.start_soon(store.cache.paths, few)
    assert sorted(asked) == sorted(segment.id for segment in segments)


async def test_damage_is_told_apart_from_what_is_gone(store: Store) -> None:
    for number in range(3):
        await write(store, number)
    segments = sorted(await store.catalog.segments(1), key=lambda segment: segment.id)
    ids = [segment.id for segment in segments]
    await store.pool.execute("update segment_file set data = 'wrong' where segment_id = $1", ids[0])
    await store.pool.execute("delete from segment_file where segment_id = $1", ids[1])
    store.cache.forget(ids)
    with pytest.raises(SegmentDamagedError) as caught:
        await store.cache.paths(segments)
    assert set(caught.value.damaged) == set(ids[:2])
    assert "missing" in caught.value.damaged[ids[1]]
    assert await store.cache.paths(segments[2:])
