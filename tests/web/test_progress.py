"""Answers as server-sent events, by a real client over a real socket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from cordwood.core.query import aggregations, events, halves
from cordwood.core.runtime import Node
from cordwood.core.storage.cache import SegmentCache
from cordwood.web.api import progress

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio
EVENTS = {"Accept": "text/event-stream"}


async def told(client: Client, query: str, **more: Any) -> list[tuple[str, Any]]:
    """(event, data) of the whole stream."""
    found: list[tuple[str, Any]] = []
    name = ""
    with anyio.fail_after(30):
        async with client.stream("POST", "/api/v1/query", json={"query": query, **more}, headers=EVENTS) as answer:
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"].startswith("text/event-stream")
            async for line in answer.aiter_lines():
                kind, _, value = line.partition(": ")
                if kind == "event":
                    name = value
                elif kind == "data":
                    found.append((name, json.loads(value)))
    return found


async def commits(client: Client, count: int) -> None:
    for i in range(count):
        await client.logs({"timestamp": f"2026-01-31T12:00:{i:02}Z", "n": i, "message": f"line {i}"})


async def test_progress_result_and_end(live: Client) -> None:
    await commits(live, 3)
    found = await told(live, "| stats sum(n) as s, max(n)")
    assert [name for name, _ in found][-2:] == ["result", "end"]
    assert {name for name, _ in found[:-2]} == {"progress"}
    last = found[-3][1]
    assert last["segments_opened"] == last["segments_total"] >= 1
    assert last["rows"] == 3
    assert last["bytes"] > 0
    plain = (await live.post("/api/v1/query", json={"query": "| stats sum(n) as s, max(n)"})).json()
    result = found[-2][1]
    assert (result["columns"], result["rows"], result["complete"]) == (plain["columns"], [[3, 2]], True)
    assert set(result) == set(plain)


async def test_partial_rows_are_the_first_of_the_result(live: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a step of one segment and a store that is slow: what is settled is shown while the rest is read."""
    monkeypatch.setattr(events, "FIRST_STEP", 1)
    monkeypatch.setattr(progress, "TICK_S", 0.01)
    paths = SegmentCache.paths

    async def slowly(self: SegmentCache, segments: Any) -> Any:
        await anyio.sleep(0.2)
        return await paths(self, segments)

    monkeypatch.setattr(SegmentCache, "paths", slowly)
    await commits(live, 4)
    found = await told(live, "line | fields n, message")
    partial = [data for name, data in found if name == "partial"]
    result = next(data for name, data in found if name == "result")
    assert [row[0] for row in result["rows"]] == [3, 2, 1, 0]
    assert partial
    for data in partial:
        assert 0 < len(data["rows"]) < 4
        assert data["rows"] == result["rows"][: len(data["rows"])]
        assert data["complete"] is False


async def test_figures_grow_while_segments_are_read(live: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("LEAST_ROWS", 1), ("SHOWN_ROWS", 1), ("SHOWN_S", 0)):
        monkeypatch.setattr(aggregations, name, value)
    monkeypatch.setattr(halves, "LEAST_ROWS", 1)
    monkeypatch.setattr(progress, "TICK_S", 0.01)
    paths = SegmentCache.paths

    async def slowly(self: SegmentCache, segments: Any) -> Any:
        await anyio.sleep(0.2)
        return await paths(self, segments)

    monkeypatch.setattr(SegmentCache, "paths", slowly)
    await commits(live, 4)
    found = await told(live, "line | stats count() as n, sum(n) as s")
    partial = [data for name, data in found if name == "partial"]
    result = next(data for name, data in found if name == "result")
    assert (result["rows"], result["complete"]) == ([[4, 6]], True)
    assert partial
    for data in partial:
        n, total = data["rows"][0]
        assert 0 < n < 4
        assert total == sum(range(n))  # the oldest come first
        assert data["complete"] is False


async def test_own_tables_too(live: Client) -> None:
    await commits(live, 1)
    found = await told(live, "from segments | stats sum(rows)")
    assert next(data for name, data in found if name == "result")["rows"] == [[1]]


async def test_errors_are_events(live: Client) -> None:
    for query, status in (("| stat count()", 400), ("/(/", 400)):
        found = await told(live, query)
        assert [name for name, _ in found if name != "progress"] == ["problem", "end"], found
        problem = found[-2][1]
        assert (problem["status"], problem["errors"][0]["line"]) == (status, 1)


async def test_a_client_that_goes_away_cancels_its_query(live: Client, node: Node) -> None:
    """While the table is locked the query waits; afterwards it is not running any more."""
    async with node.store.pool.acquire() as other, other.transaction():
        await other.execute("lock table incident in access exclusive mode")
        body = {"query": "from incidents", "id": "gone", "timeout": 60}
        with anyio.fail_after(30):
            async with live.stream("POST", "/api/v1/query", json=body, headers=EVENTS) as answer:
                assert await anext(answer.aiter_lines()) == "event: progress"
                assert (await live.post("/api/v1/query", json={"query": "", "id": "gone"})).status_code == 400
            while (await live.post("/api/v1/query", json={"query": "", "id": "gone"})).status_code != 200:
                await anyio.sleep(0.02)
