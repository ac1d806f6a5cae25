"""Lots over the log: together they are every event once, in the order of commits, whatever happened to the segments."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cordwood.core.forwarding
import pytest
from cordwood.core.forwarding.reader import LogReader
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.store import Store
from cordwood.plugins import Batch, RetryableError

pytestmark = pytest.mark.anyio
LATER = timedelta(hours=1)
MODULES = sorted(
    info.name for info in pkgutil.walk_packages(cordwood.core.forwarding.__path__, "cordwood.core.forwarding.")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.fixture
async def store(database_url: str, data_dir: Path) -> AsyncIterator[Store]:
    async with Store.opened(data_dir, database_url, compact=False) as opened:
        yield opened


async def write(store: Store, first: int, count: int, size: int = 1) -> None:
    """A commit of events of two days."""
    records = [
        {"timestamp": f"2026-01-{30 + n % 2}T00:00:00Z", "message": f"{n}", "service": f"s{n % 3}", "pad": "x" * size}
        for n in range(first, first + count)
    ]
    await (await store.writer.submit(Submission(1, "s", Batch.from_records(records)))).committed()


async def lots(reader: LogReader, head: int, events: int, size: int = 10**9) -> list[list[int]]:
    """The messages of each lot, as numbers."""
    position, found = 0, []
    while position < head:
        plan = await reader.plan(position, head, events, size)
        assert position < plan.upto <= head
        assert plan.full == (plan.upto < head)
        batch = await reader.read(position, plan.upto)
        found.append([int(text) for text in batch.frame["message"]])
        position = plan.upto
    return found


@pytest.mark.parametrize("merged", [False, True], ids=["as committed", "merged"])
async def test_lots_are_bounded_and_whole(store: Store, merged: bool) -> None:
    for n in range(20):
        await write(store, n * 10, 10, size=1000 if n == 7 else 1)
    if merged:
        assert await store.compactor.compact(1)
        await store.compactor.compact(1, now=datetime.now(UTC) + LATER)
        assert {segment.level for segment in await store.catalog.segments(1)} != {0}
    head = await store.catalog.head(1)
    reader = LogReader(store.catalog, store.cache, 1)
    found = await lots(reader, head, 30)
    assert [len(lot) for lot in found] == [30] * 6 + [20]
    assert [sorted(lot) for lot in found] == [list(range(n, min(n + 30, 200))) for n in range(0, 200, 30)]
    assert [len(lot) for lot in await lots(reader, head, 1)] == [10] * 20  # a commit is never divided
    assert [len(lot) for lot in await lots(reader, head, 1000, 9_000)] == [70, 10, 80, 40]  # the large one is alone
    # A reader that has seen nothing yet gives the same, commit by commit.
    assert await lots(LogReader(store.catalog, store.cache, 1), head, 1) == await lots(reader, head, 1)


async def test_what_is_gone_is_passed_over(store: Store) -> None:
    for n in range(5):
        await write(store, n * 10, 10)
    await store.pool.execute("update segment set replaced_at = now() where min_position between 2 and 4")
    reader = LogReader(store.catalog, store.cache, 1)
    assert [sorted(lot) for lot in await lots(reader, 5, 10)] == [list(range(10)), list(range(40, 50))]
    await store.pool.execute("update segment set replaced_at = now()")
    assert await lots(reader, 5, 10) == [[]]


async def test_bytes_that_are_lost_are_waited_for(store: Store) -> None:
    await write(store, 0, 10)
    (segment,) = await store.catalog.segments(1)
    await store.pool.execute("update segment set checksum = 'none'::bytea where id = $1", segment.id)
    store.catalog.forget()
    store.cache.forget([segment.id])
    with pytest.raises(RetryableError, match="cordwood doctor"):
        await LogReader(store.catalog, store.cache, 1).plan(0, 1, 10, 10)
