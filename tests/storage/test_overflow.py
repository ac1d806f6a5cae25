"""However many fields there are: a segment has a bounded number of columns, and no event loses one."""

from __future__ import annotations

import doctest
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.compaction import FULL_ROWS, _due, _up_to_full
from cordwood.core.storage.decode import read_segments
from cordwood.core.storage.encode import POSITION, TEMPLATE
from cordwood.core.storage.segment import FieldColumn, Segment
from cordwood.core.storage.store import Store
from cordwood.plugins import Batch, concat, overflow
from cordwood.plugins.fields import MAX_ATTRIBUTES, STANDARD
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(database_url: str, data_dir: Path) -> AsyncIterator[Store]:
    async with Store.opened(data_dir, database_url, compact=False) as opened:
        yield opened


def whole(event: dict[str, Any]) -> dict[str, Any]:
    """The event as it came: what overflowed beside the others."""
    rest = event.get("overflow", {})
    if not isinstance(rest, dict):
        return event
    return {name: value for name, value in event.items() if name != "overflow"} | rest


async def stored(store: Store) -> list[dict[str, Any]]:
    segments = await store.catalog.segments(1)
    frame = read_segments(segments, await store.cache.paths(segments)).drop(TEMPLATE, POSITION, strict=False)
    return sorted((whole(event) for event in Batch.of(frame).events()), key=lambda event: int(event["number"]))


def attributes(segment: Segment) -> int:
    return sum(column.field not in STANDARD and column.column not in (TEMPLATE, POSITION) for column in segment.columns)


def wide(number: int, fields: int) -> dict[str, Any]:
    """An event with so many fields that no other number's has, one that all have, and one of changing kind."""
    values = [number, f"text {number}", number / 2, number % 2 == 0, [number]]
    rest = {f"f{number}.{i}": values[i % 5] for i in range(fields)}
    return {"timestamp": "2026-01-31T12:00:00Z", "number": number, "message": "m", "kind": values[number % 5], **rest}


def test_doctests() -> None:
    assert doctest.testmod(overflow).failed == 0


async def test_a_merge_of_segments_with_different_fields_is_bounded_and_keeps_all(store: Store) -> None:
    events = [wide(number, 300) for number in range(16)]
    for event in events:
        await (await store.writer.submit(Submission(1, "s", Batch.from_records([event], observed=1)))).committed()
    before = await stored(store)
    assert [event["f15.299"] for event in before[15:]] == [[15]]
    assert [len(event) for event in before] == [305] * 16  # with observed_timestamp
    assert await store.compactor.compact(1)
    (segment,) = await store.catalog.segments(1)
    assert attributes(segment) == MAX_ATTRIBUTES
    assert await stored(store) == before
    for event in events:
        event["number"] += 16
        await (await store.writer.submit(Submission(1, "s", Batch.from_records([event], observed=1)))).committed()
    assert await store.compactor.compact(1)
    assert [attributes(segment) for segment in await store.catalog.segments(1)] == [MAX_ATTRIBUTES] * 2
    assert len(await stored(store)) == 32


async def test_a_commit_of_many_small_posts_with_different_fields_is_bounded(store: Store) -> None:
    async with anyio.create_task_group() as tasks:
        for number in range(40):
            batch = Batch.from_records([wide(number, 100)], observed=1)
            tasks.start_soon(store.writer.submit, Submission(1, "s", batch))
    with anyio.fail_after(20):
        while sum(segment.rows for segment in await store.catalog.segments(1)) < 40:
            await anyio.sleep(0.02)
    segments = await store.catalog.segments(1)
    assert max(map(attributes, segments)) == MAX_ATTRIBUTES
    assert [len(event) for event in await stored(store)] == [105] * 40


VALUES = st.one_of(
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.text(max_size=4),
    st.lists(st.integers(0, 3), max_size=2),
)
NAMES = st.sampled_from(["a", "b", "c.d", "e/f", "g~h", 'i"j', "k#int", "overflow", "\u00fc", " "])
EVENTS = st.lists(st.dictionaries(NAMES, VALUES), min_size=1, max_size=5)


@settings(max_examples=40)
@given(st.lists(EVENTS, min_size=1, max_size=3), st.integers(1, 4))
def test_folding_keeps_every_value(bodies: list[list[dict[str, Any]]], most: int) -> None:
    batches = [Batch.from_records(events, observed=1) for events in bodies]
    before = [event for batch in batches for event in batch.events()]
    folded = concat(batches, most=most)
    assert len(folded.frame.columns) <= len(STANDARD) + most
    assert [whole(event) for event in folded.events()] == [whole(event) for event in before]
    again = concat([folded, *batches], most=most)
    assert [whole(event) for event in again.events()] == [whole(event) for event in before + before]


def test_wide_segments_are_full_earlier_and_a_merge_always_gets_somewhere() -> None:
    def segment(number: int, rows: int, columns: int, level: int) -> Segment:
        prefix = number if columns > 10 else ""
        named = tuple(FieldColumn(f"{prefix}.{i}", "int", f"c{i}", 0) for i in range(columns))
        return Segment(number, 1, "2026-01-31", 0, 1, rows, 1, level, number, number, named, None, None, 0)

    narrow = [segment(n, 30_000, 10, 0) for n in range(20)]
    assert sum(s.rows for s in _up_to_full(narrow)) <= FULL_ROWS
    assert len(_up_to_full(narrow)) == 16
    assert len(_up_to_full([segment(n, 1000, 900, 0) for n in range(20)])) == 20
    assert len(_up_to_full([segment(n, 8000, 900, 0) for n in range(20)])) == 2
    assert _due([segment(n, 12_000, 900, 1) for n in range(20)], {}, urgent=False) == []
    assert len(_due([segment(n, 9_000, 900, 1) for n in range(20)], {}, urgent=False)) == 2
