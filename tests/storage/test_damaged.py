"""A segment whose bytes are wrong or missing: what can be read is answered, and the answer says what it lacks."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cordwood.core.query import QueryEngine, QueryRequest
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.store import Store
from cordwood.plugins import Batch

from .asking import ask

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(database_url: str, data_dir: Path) -> AsyncIterator[Store]:
    async with Store.opened(data_dir, database_url, compact=False) as opened:
        yield opened


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("update segment_file set data = 'wrong' where segment_id = $1", id="wrong"),
        pytest.param("update segment_file set data = substr(data, 2) where segment_id = $1", id="cut"),
        pytest.param("delete from segment_file where segment_id = $1", id="missing"),
    ],
)
async def test_an_answer_says_which_rows_it_lacks(store: Store, damage: str) -> None:
    for i in range(3):
        records = [{"timestamp": f"2026-01-3{n % 2}T00:00:00Z", "message": f"{i} {n}", "n": n} for n in range(4 + i)]
        await (await store.writer.submit(Submission(1, "s", Batch.from_records(records, observed=1)))).committed()
    segments = sorted(await store.catalog.segments(1), key=lambda segment: segment.id)
    whole = await ask(store, "* | stats sum(n) as s")
    assert (list(whole.rows()), whole.complete, whole.warnings) == ([[6 + 10 + 15]], True, ())
    await store.pool.execute(damage, segments[1].id)
    store.cache.forget([segment.id for segment in segments])
    for text, expected in (("* | stats sum(n) as s", [[21]]), ("n=4 | fields n", [[4]])):
        result = await ask(store, text)
        assert list(result.rows()) == expected
        assert not result.complete
        (warning,) = result.warnings
        assert warning.startswith(f"5 events are missing in this answer: segment {segments[1].id}, from 2026-01-30T")
    engine = QueryEngine(store.catalog, store.cache, threads=1, memory_limit="200MB")
    request = QueryRequest(text="n<9", project_id=1, now_ns=time.time_ns())
    fields, values = await engine.fields(request), await engine.field_values(request, "n", 1)
    engine.close()
    assert {field.name: field.count for field in fields.fields}["n"] == 4 + 6
    assert values.values == ((0, 2),)
    for answer in (fields, values):
        assert not answer.complete
        assert [
            w for w in answer.warnings if w.startswith(f"5 events are missing in this answer: segment {segments[1].id}")
        ]
    assert list((await ask(store, "* | stats count() as n")).rows()) == [[4 + 5 + 6]], (
        "what was taken in, by the catalog"
    )
    assert await store.compactor.compact(1, now=datetime.now(UTC) + timedelta(hours=1))
    assert await store.compactor.compact(1, now=datetime.now(UTC) + timedelta(hours=1))
    assert segments[1].id in {segment.id for segment in await store.catalog.segments(1)}
    assert list((await ask(store, "* | stats sum(n) as s")).rows()) == [[21]]
