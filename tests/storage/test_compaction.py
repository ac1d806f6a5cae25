"""Compaction changes files, never events."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import polars as pl
import pytest
from cordwood.core.storage.cache import SegmentGoneError
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.decode import read_segments
from cordwood.core.storage.encode import POSITION, TEMPLATE, encode, encode_frame, template_of
from cordwood.core.storage.segment import Segment
from cordwood.core.storage.store import Store
from cordwood.plugins import Batch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.anyio
LATER = timedelta(hours=1)


@pytest.fixture
async def store(database_url: str, data_dir: Path) -> AsyncIterator[Store]:
    async with Store.opened(data_dir, database_url, compact=False) as opened:
        yield opened


async def write(store: Store, records: list[dict[str, Any]]) -> None:
    receipt = await store.writer.submit(Submission(1, "s", Batch.from_records(records, observed=1)))
    await receipt.committed()


async def events(store: Store) -> list[str]:
    segments = await store.catalog.segments(1)
    frame = read_segments(segments, await store.cache.paths(segments)).drop(TEMPLATE, POSITION, strict=False)
    return sorted(map(repr, (sorted(event.items(), key=str) for event in Batch.of(frame).events())))


def record(i: int) -> dict[str, Any]:
    day = random.Random(i).choice(["2026-01-30", "2026-01-31", "2027-02-01"])
    value: Any = random.Random(i).choice([i, f"text {i}", i / 2, True, [i], 10**30, None])
    return {"timestamp": f"{day}T12:00:{i % 60:02}Z", "service": f"s{i % 3}", "message": f"took {i} ms", "value": value}


async def test_merging_keeps_every_event_and_its_position(store: Store) -> None:
    for i in range(0, 60, 3):
        await write(store, [record(i), record(i + 1), record(i + 2)])
    before = await events(store)
    assert await store.compactor.compact(1)
    assert not await store.compactor.compact(1, now=datetime.now(UTC) + LATER)
    assert await events(store) == before
    segments = await store.catalog.segments(1)
    assert {s.level for s in segments} == {1}
    assert all(s.min_time // 86_400_000_000_000 == s.max_time // 86_400_000_000_000 for s in segments)
    frame = read_segments(segments, await store.cache.paths(segments))
    assert frame.group_by(POSITION).len().sort(POSITION)["len"].to_list() == [3] * 20


async def test_levels_grow_until_segments_are_full(store: Store) -> None:
    for round_ in range(8):
        for i in range(16):
            await write(store, [{"timestamp": "2026-01-31T00:00:00Z", "message": f"{round_} {i}"}])
        assert await store.compactor.compact(1)
    assert await store.compactor.compact(1)
    (whole,) = await store.catalog.segments(1)
    assert (whole.level, whole.rows, whole.min_position, whole.max_position) == (2, 128, 1, 128)


async def test_long_texts_make_a_segment_full_before_its_rows_do(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cordwood.core.storage.compaction._FULL_BYTES", 10_000)
    for i in range(40):
        await write(store, [{"timestamp": "2026-01-30T12:00:00Z", "message": f"{i} {'long ' * 200}", "ø": "ø" * 10}])
    before = await events(store)
    while await store.compactor.compact(1, now=datetime.now(UTC) + LATER):
        pass
    segments = await store.catalog.segments(1)
    assert await events(store) == before
    assert {segment.rows for segment in segments} == {9, 4}
    message = len(f"10 {'long ' * 200}")
    sizes = {column.field: column.size for column in max(segments, key=lambda s: s.min_position).columns}
    assert sizes["message"] == 4 * message
    assert sizes["ø"] == 4 * 20


async def test_rows_are_sorted_and_have_their_template(store: Store) -> None:
    await write(store, [record(i) for i in range(40)])
    await store.compactor.compact(1, now=datetime.now(UTC) + LATER)
    for segment in await store.catalog.segments(1):
        frame = read_segments([segment], await store.cache.paths([segment]))
        assert frame.select("service", TEMPLATE, "timestamp").equals(
            frame.select("service", TEMPLATE, "timestamp").sort("service", TEMPLATE, "timestamp")
        )
        assert set(frame[TEMPLATE]) == {"took <*> ms"}


async def test_a_query_that_holds_the_old_segments_can_still_read_them(store: Store) -> None:
    await write(store, [record(1)])
    old = await store.catalog.segments(1)
    await store.compactor.compact(1, now=datetime.now(UTC) + LATER)
    for path in store.cache.folder.glob("*.parquet"):
        path.unlink()
    assert await store.cache.paths(old)
    await store.pool.execute("update segment set replaced_at = now() - interval '1 hour' where replaced_at is not null")
    await store.compactor.sweep()
    for path in store.cache.folder.glob("*.parquet"):
        path.unlink()
    with pytest.raises(SegmentGoneError):
        await store.cache.paths(old)
    assert await store.cache.paths(await store.catalog.segments(1))


async def test_two_compactors_never_store_an_event_twice(store: Store) -> None:
    for i in range(20):
        await write(store, [record(i)])
    before = await events(store)

    async def one() -> None:
        try:
            await store.compactor.compact(1, now=datetime.now(UTC) + LATER)
        except SegmentGoneError:
            return

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one)
        tasks.start_soon(one)
    assert await events(store) == before


async def test_the_cache_keeps_to_its_bound(store: Store) -> None:
    for i in range(10):
        await write(store, [{"message": random.Random(i).randbytes(20_000).hex()}])
    store.cache.max_bytes = 100_000
    segments = await store.catalog.segments(1)
    for segment in segments:
        await store.cache.paths([segment])
    store.cache._shrink(set())
    assert sum(path.stat().st_size for path in store.cache.folder.glob("*.parquet")) <= 100_000
    assert len(await store.cache.paths(segments)) == 10  # a query's own segments stay, whatever the bound


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.lists(st.integers())
)
RECORDS = st.lists(
    st.dictionaries(st.one_of(st.text(max_size=5), st.sampled_from(["user", "User", "_x", "a#int", "c1"])), VALUES),
    min_size=1,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(groups=st.lists(RECORDS, min_size=1, max_size=3))
async def test_any_events_read_back_as_they_were_written(data_dir: Path, groups: list[list[dict[str, Any]]]) -> None:
    batches = [Batch.from_records(records, observed=1) for records in groups]
    batches = [batch for batch in batches if len(batch)]
    expected = [event for batch in batches for event in batch.events()]
    segments, paths = [], {}
    for i, batch in enumerate(batches):
        encoded = encode([batch])
        path = data_dir / f"{i}.parquet"
        path.write_bytes(encoded.data)
        paths[i] = path
        segments.append(
            Segment(
                i, 1, encoded.day, 0, 0, encoded.rows, 0, 0, i, i, encoded.columns, encoded.services, encoded.hosts, 1
            )
        )
    merged = encode_frame(read_segments(segments, paths))
    path.write_bytes(merged.data)
    whole = Segment(0, 1, merged.day, 0, 0, merged.rows, 0, 1, 0, 0, merged.columns, merged.services, merged.hosts, 1)
    frame = read_segments([whole], {0: path})
    assert [sorted(e.items(), key=str) for e in Batch.of(frame.drop(TEMPLATE, POSITION, strict=False)).events()] == [
        sorted(e.items(), key=str) for e in expected
    ]


@pytest.mark.parametrize(
    ("message", "template"),
    [
        ("took 12ms for ab3", "took <*> for <*>"),
        ("no digits here", "no digits here"),
        ("user=42,host=a b\t7\n8", "<*> b\t<*>\n<*>"),
        ("١٢ arabic digits stay", "١٢ arabic digits stay"),
        ("\u00a07 no-break space is no separator", "<*> no-break space is no separator"),
        ("", ""),
        (None, None),
    ],
)
def test_template(message: str | None, template: str | None) -> None:
    frame = pl.DataFrame({"message": pl.Series([message], dtype=pl.String)})
    assert frame.select(template_of(pl.col("message"))).item() == template
