"""Segments in other places than PostgreSQL: nothing is lost or left behind, and what cannot be read is said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cordwood.core.query import QueryEngine, QueryRequest, QueryResult
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.places import Places
from cordwood.core.storage.store import Store
from cordwood.places.folder import Folder, FolderConfig
from cordwood.plugins import Batch, now_ns

pytestmark = pytest.mark.anyio

LATER = timedelta(hours=1)


def files_of(folder: Path) -> set[str]:
    """Every file below, as keys."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def folder(data_dir: Path) -> Path:
    return data_dir / "place"


@pytest.fixture
def places(folder: Path) -> Places:
    return Places("shelf", {"shelf": Folder(FolderConfig(path=folder))})


@pytest.fixture
async def store(database_url: str, data_dir: Path, places: Places) -> AsyncIterator[Store]:
    async with Store.opened(data_dir, database_url, compact=False, places=places) as opened:
        yield opened


async def send(store: Store, first: int, count: int = 10) -> None:
    batch = Batch.from_records([{"message": f"event {n}", "n": n} for n in range(first, first + count)])
    await (await store.writer.submit(Submission(1, "load", batch))).committed()


async def merged(store: Store) -> None:
    """Merge what there is, however young."""
    while await store.compactor.compact(1, now=datetime.now(UTC) + LATER):
        pass


async def ask(store: Store, text: str = "* | stats sum(n) as s") -> QueryResult:
    """An answer that needs the bytes of all segments, and none of the cache."""
    store.cache.forget([int(path.stem) for path in store.cache.folder.glob("*.parquet")])
    engine = QueryEngine(store.catalog, store.cache, threads=1, memory_limit="200MB")
    try:
        return await engine.run(QueryRequest(text=text, project_id=1, now_ns=now_ns()))
    finally:
        engine.close()


async def in_place(store: Store) -> set[str]:
    """The objects that the catalog knows."""
    return {row[0] for row in await store.pool.fetch("select object from segment where object is not null")}


async def test_merged_segments_go_to_the_place_and_come_back(store: Store, folder: Path) -> None:
    for n in range(3):
        await send(store, n * 10)
    assert files_of(folder) == set()  # commits stay in PostgreSQL
    await merged(store)
    await send(store, 30)
    assert len(files_of(folder)) == 1
    assert files_of(folder) == await in_place(store)
    identity = await store.pool.fetchval("select id from installation")
    assert all(key.startswith(f"{identity}/") for key in files_of(folder))
    result = await ask(store)
    assert (list(result.rows()), result.complete) == ([[sum(range(40))]], True)
    assert await store.pool.fetchval("select count(*) from stray_object") == 0


async def test_what_is_replaced_is_deleted_after_its_grace(store: Store, folder: Path) -> None:
    for n in range(2):
        await send(store, n * 10)
        await merged(store)
    before = files_of(folder)
    await store.pool.execute("update segment set replaced_at = now() where min_position = 1 and level > 0")
    await store.files.sweep()
    assert files_of(folder) == before  # queries may still be reading it
    await store.pool.execute(
        "update segment set replaced_at = now() - interval '3 minutes' where replaced_at is not null"
    )
    store.files._tidied_at = -100.0
    await store.files.sweep()
    assert files_of(folder) == await in_place(store)
    assert len(files_of(folder)) == 1
    assert await store.pool.fetchval("select count(*) from stray_object") == 0
