"""Answers in parts: the same rows as in one, whatever is committed, merged or taken away meanwhile."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from cordwood.core.query import QueryEngine, QueryRequest
from cordwood.core.query.export import SPAN_BYTES, Export, cuts, spans
from cordwood.core.query.parts import Parts
from cordwood.core.query.request import Mask, Rights
from cordwood.core.query.result import python_values, rows_of
from cordwood.core.storage.cache import SegmentDamagedError
from cordwood.core.storage.segment import FieldColumn, Segment
from cordwood.plugins.errors import QueryError
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from ..mounting import small_file_system
from .segments import NOW, Segments, ask

pytestmark = pytest.mark.anyio
SECOND = 10**9


@pytest.fixture
def store(tmp_path: Path) -> Segments:
    """240 events in 6 commits that overlap; forty of them are of one moment, and a field has two kinds."""
    made = Segments(tmp_path)
    for commit in range(6):
        made.commit([
            {
                "timestamp": NOW - (300 if commit == 3 else commit * 30 + i) * SECOND,
                "message": f"event {commit}.{i}",
                "severity": "error" if i % 7 == 0 else "info",
                "n": i,
                "odd": i if commit % 2 else f"text {i}",
                **({"rare": {"deep": [i, None]}} if i == 5 else {}),
            }
            for i in range(40)
        ])  # fmt: skip
    return made


@pytest.fixture
async def engine(store: Segments) -> AsyncIterator[QueryEngine]:
    made = QueryEngine(store, store, threads=1, piece_rows=2)
    yield made
    made.close()


def asked(text: str, **more: Any) -> QueryRequest:
    return QueryRequest(text=text, project_id=1, now_ns=NOW, limit=more.pop("limit", 10_000), **more)


async def tables_of(export: Export) -> AsyncIterator[pa.Table]:
    """The rows of an export, a piece at a time."""
    async for pieces in export.pieces:
        for piece in pieces:
            yield piece()


async def exported(engine: QueryEngine, request: QueryRequest) -> tuple[list[dict[str, Any]], list[int], bool]:
    """The rows without nulls, how many each part had, and whether it says that these are all."""
    export = await engine.export(request)
    names = [output.name for output in export.outputs]
    rows: list[dict[str, Any]] = []
    sizes: list[int] = []
    async for table in tables_of(export):
        sizes.append(table.num_rows)
        found = rows_of(export.outputs, table)
        rows += ({k: v for k, v in zip(names, row, strict=True) if v is not None} for row in found)
    return rows, sizes, export.complete


QUERIES = [
    "",
    "severity>=error",
    "event | where n % 3 == 0 | extend twice = n * 2 | drop odd",
    "| fields timestamp, odd",
    "| fields n | limit 100",
    "odd:* | rename odd as strange | limit 37",
    "| parse /event (?P<commit>\\d+)/ | where commit == '3'",
    "nothing has this",
]


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("text", QUERIES)
async def test_the_parts_are_the_answer(store: Segments, engine: QueryEngine, text: str, merged: bool) -> None:
    if merged:
        store.compact()
    whole = await ask(store, text, engine, limit=10_000)
    rows, sizes, complete = await exported(engine, asked(text))
    order = lambda row: sorted(map(str, row.items()))  # noqa: E731 - the order of one moment's events is not told
    assert sorted(rows, key=order) == sorted(whole.objects(), key=order)
    times = [row["timestamp"] for row in rows if "timestamp" in row]
    assert times == sorted(times, reverse=True)
    assert complete is whole.complete
    assert max(sizes, default=0) <= 56  # a slice, and the moment that forty share
    assert len(rows) < 60 or len(sizes) > 2


@pytest.mark.parametrize("text", [*QUERIES, "| stats count() as n by severity | sort n", "event | limit 3"])
async def test_lines_say_what_the_rows_say(engine: QueryEngine, text: str) -> None:
    rows, sizes, complete = await exported(engine, asked(text))
    export = await engine.export(asked(text), as_lines=True)
    tables = [table async for table in tables_of(export)]
    assert [json.loads(line) for table in tables for line in python_values(table.column(0))] == rows
    assert ([table.num_rows for table in tables], export.complete) == (sizes, complete)


@pytest.mark.parametrize("limit", [1, 16, 17, 50, 239, 240, 241])
async def test_a_limit_cuts_and_says_so(engine: QueryEngine, limit: int) -> None:
    rows, _, complete = await exported(engine, asked("event", limit=limit))
    assert len(rows) == min(limit, 240)
    assert complete is (limit >= 240)


async def test_other_answers_are_one_part(engine: QueryEngine) -> None:
    rows, sizes, complete = await exported(engine, asked("| stats count() as n by severity | sort n"))
    assert rows == [{"severity": "ERROR", "n": 36}, {"severity": "INFO", "n": 204}]
    assert (sizes, complete) == ([2], True)


async def test_a_role_sees_its_part_only(engine: QueryEngine) -> None:
    rights = Rights("support", "n<20", (Mask("message", "stars"),))
    rows, sizes, complete = await exported(engine, asked("", rights=rights))
    assert len(rows) == 120
    assert max(row["n"] for row in rows) == 19
    assert {row["message"] for row in rows} == {"***"}
    assert len(sizes) > 2
    assert complete


async def test_what_is_committed_and_merged_meanwhile_changes_nothing(store: Segments, engine: QueryEngine) -> None:
    export = await engine.export(asked(""))
    found = []
    async for table in tables_of(export):
        if not found:
            store.commit([{"timestamp": NOW - 200 * SECOND, "message": "late", "unheard": 1}])
            store.compact()
        found += [row[0] for row in rows_of(export.outputs, table)]
    assert len(found) == 240


async def test_it_can_be_cancelled_between_two_pieces(engine: QueryEngine) -> None:
    export = await engine.export(asked("", id="long"))
    first, second, *_ = await anext(export.pieces)
    assert first().num_rows
    assert await engine.cancel("long", 1)
    with pytest.raises(QueryError, match="cancelled"):
        second()
    with pytest.raises(QueryError, match="cancelled"):
        await anext(export.pieces)
    assert not await engine.cancel("long", 1)


async def test_a_damaged_segment_is_never_left_out_in_silence(
    store: Segments, engine: QueryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone: set[int] = set()
    good = store.paths

    async def paths(segments: list[Segment]) -> dict[int, Path]:
        if bad := {segment.id: "its checksum is another" for segment in segments if segment.id in gone}:
            raise SegmentDamagedError(bad)
        return await good(segments)

    monkeypatch.setattr(store, "paths", paths)
    gone.add(store.all[0].id)
    rows, _, complete = await exported(engine, asked(""))
    assert (len(rows), complete) == (200, False)
    gone.clear()
    export = await engine.export(asked(""))
    assert export.complete
    await anext(export.pieces)
    gone.update(segment.id for segment in store.all)
    with pytest.raises(QueryError, match="cannot be had"):
        await anext(export.pieces)


async def test_no_room_for_what_waits_is_said(store: Segments, tmp_path: Path) -> None:
    noise = random.Random(5)
    store.commit([{"timestamp": NOW + i, "message": noise.randbytes(2_000).hex()} for i in range(1_000)])
    with small_file_system(tmp_path / "disk", "2m") as disk:
        engine = QueryEngine(store, store, threads=1, spill=disk, piece_rows=2)
        try:
            export = await engine.export(asked(""))
            with pytest.raises(QueryError, match="No space left on device"):
                await anext(export.pieces)
            assert [path.name for path in disk.iterdir()] == ["few"]
            assert len((await exported(engine, asked("", limit=100)))[0]) == 100
        finally:
            engine.close()


def test_what_a_statement_ends_with_is_told_as_it_is(tmp_path: Path) -> None:
    def interrupted() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"line": ["{}"], "_time": [1]})
        raise OSError("INTERRUPT Error: Interrupted!")

    rows = pa.RecordBatchReader.from_batches(pa.schema({"line": pa.string(), "_time": pa.int64()}), interrupted())
    with pytest.raises(OSError, match="INTERRUPT"):
        Parts([(0, 2)], tmp_path, rows)


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 9))
def test_cuts_hold_every_event_once_and_not_too_many(times: list[int], rows: int) -> None:
    made = list(cuts(np.array(times, np.int64), (0, 51), rows))
    assert [(low, high) for low, high in made if low >= high] == []
    held = [[t for t in times if low <= t < high] for low, high in made]
    assert sum(map(len, held)) == len(times)
    assert all(a[0] == b[1] for a, b in pairwise(made))
    for moments in held:
        assert len(moments) - moments.count(min(moments)) < rows


def test_spans_meet_and_hold_about_so_many() -> None:
    def segment(low: int, high: int, rows: int) -> Segment:
        return Segment(1, 1, "", low, high, rows, 0, 0, 1, 1, (), None, None, 0)

    some = [segment(0, 40, 100), segment(30, 60, 100), segment(50, 90, 10), segment(85, 99, 10), segment(85, 95, 10)]
    assert list(spans(some, 100)) == [(50, 100), (30, 50), (0, 30)]
    assert list(spans([], 100)) == []
    long = FieldColumn("message", "text", "message", 0, size=SPAN_BYTES // 2 + 1)
    assert list(spans([structs.replace(one, columns=(long,)) for one in some], 1_000)) == [
        (85, 100), (50, 85), (30, 50), (0, 30)
    ]  # fmt: skip
