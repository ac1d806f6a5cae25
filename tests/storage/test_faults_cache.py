"""The disk of the cache is full: what is taken in is stored all the same, and a query works or says what to do."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.store import Store
from cordwood.plugins import Batch, RetryableError

from ..mounting import small_file_system
from .asking import ask

pytestmark = pytest.mark.anyio
SEGMENT = 300_000  # bytes, about


@pytest.fixture
def small_disk(data_dir: Path) -> Iterator[Path]:
    """A file system of 2 MB in memory, for the cache; skipped where we may not mount one."""
    with small_file_system(data_dir / "cache", "2m") as disk:
        yield disk


@pytest.fixture
async def store(database_url: str, small_disk: Path) -> AsyncIterator[Store]:
    async with Store.opened(small_disk.parent, database_url, compact=False) as opened:
        yield opened


async def send(store: Store, n: int) -> None:
    """A segment of bytes that do not compress, one minute later than the one before."""
    texts = [secrets.token_urlsafe(20_000) for _ in range(20)]
    records = [{"timestamp": f"2026-01-01T00:{n:02}:00Z", "message": text, "n": n} for text in texts]
    await (await store.writer.submit(Submission(1, "s", Batch.from_records(records)))).committed()


async def test_what_is_needed_now_drives_out_the_rest(store: Store, small_disk: Path) -> None:
    for n in range(12):  # twice what the disk takes
        await send(store, n)
    for n in (0, 11, 5, 0):
        (row,) = (await ask(store, f"n={n} | stats count() as n")).rows()
        assert row == [20]
    assert sum(file.stat().st_size for file in small_disk.rglob("*.parquet")) <= 2 << 20
    assert not list(small_disk.rglob("*.part"))


async def test_a_query_that_needs_more_than_there_is_says_what_to_do(store: Store, small_disk: Path) -> None:
    for n in range(12):
        await send(store, n)
    with pytest.raises(RetryableError, match=r"cache folder .* takes no file: No space left on device; make room") as e:
        await ask(store, "message:* | stats max(n) as m")
    assert str(store.cache.folder) in str(e.value)
    (row,) = (await ask(store, "n=3 | stats max(n) as m")).rows()  # others are answered as before
    assert row == [3]


async def test_it_recovers_when_there_is_room_again(store: Store, small_disk: Path) -> None:
    await send(store, 0)
    store.cache.forget([segment.id for segment in await store.catalog.segments(1)])
    with (small_disk / "filler").open("wb") as filler:
        os.posix_fallocate(filler.fileno(), 0, shutil.disk_usage(small_disk).free)
    await send(store, 1)
    assert store.writer.stats.segments == 2, "a commit needs no room in the cache"
    with pytest.raises(RetryableError, match="make room"):
        await ask(store, "message:* | stats sum(n) as s")
    (small_disk / "filler").unlink()
    (row,) = (await ask(store, "message:* | stats sum(n) as s")).rows()
    assert row == [20]
