"""The live tail: what is committed comes, once, in order, and after a reconnection from where it was."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from cordwood.core.query.commit_events import CommitEvents
from cordwood.core.query.request import Mask, Rights
from cordwood.core.runtime import Node
from cordwood.web import create_app
from cordwood.web.api import tail

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio


class Tail:
    """The messages of a stream, one by one."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self.lines = lines
        self.comments: list[str] = []

    async def next(self) -> tuple[str, dict[str, Any]]:
        """(id, event) of the next message."""
        fields: dict[str, str] = {}
        with anyio.fail_after(20):
            async for line in self.lines:
                name, _, value = line.partition(": ")
                if line.startswith(":"):
                    self.comments.append(value)
                elif line:
                    fields[name] = value
                elif "data" in fields:
                    assert fields["event"] == "event", fields
                    return fields["id"], json.loads(fields["data"])
        raise AssertionError("the stream ended")

    async def take(self, count: int) -> list[tuple[str, dict[str, Any]]]:
        return [await self.next() for _ in range(count)]


@asynccontextmanager
async def tailing(client: Client, query: str = "", after: str | None = None) -> AsyncIterator[Tail]:
    """A tail that follows already."""
    headers = {"Last-Event-ID": after} if after else {}
    async with client.stream("GET", "/api/v1/tail", params={"query": query}, headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        async with aclosing(answer.aiter_lines()) as lines:
            assert await anext(lines) == "retry: 1000"
            yield Tail(lines)


async def test_what_is_committed_comes_in_order(live: Client) -> None:
    await live.logs({"message": "before"})
    async with tailing(live) as stream:
        for i in range(3):
            await live.logs({"message": f"a{i}", "timestamp": f"2026-01-31T12:00:0{i}Z", "n": i})
        found = await stream.take(3)
    assert [event["message"] for _, event in found] == ["a0", "a1", "a2"]
    assert found[0][1]["timestamp"] == "2026-01-31T12:00:00.000000000Z"
    assert found[0][1]["n"] == 0
    places = [tuple(map(int, id_.split(":"))) for id_, _ in found]
    assert places == sorted(set(places))


async def test_only_what_the_search_finds(live: Client) -> None:
    async with tailing(live, "service:pay severity>=error") as stream:
        await live.logs(
            *({"service": "pay", "severity": level, "message": level} for level in ("info", "error", "fatal"))
        )
        await live.logs({"service": "other", "severity": "error", "message": "other"})
        await live.logs({"service": "pay", "severity": "error", "message": "last"})
        found = await stream.take(3)
    assert sorted(event["message"] for _, event in found[:2]) == ["error", "fatal"]
    assert found[2][1]["message"] == "last"


async def test_a_reconnection_misses_nothing_and_repeats_nothing(live: Client) -> None:
    events = [{"message": f"m{i:03}", "timestamp": f"2026-01-31T12:00:00.{i % 7}Z", "n": i} for i in range(200)]
    async with tailing(live) as stream:
        await live.logs(*events[:100])
        found = await stream.take(37)
    await live.logs(*events[100:])
    while len(found) < 200:
        async with tailing(live, after=found[-1][0]) as stream:
            found += await stream.take(min(41, 200 - len(found)))
    assert sorted(event["message"] for _, event in found) == [event["message"] for event in events]


async def test_a_place_holds_also_after_compaction(node: Node, live: Client) -> None:
    async with tailing(live, "message:m*") as stream:
        for i in range(4):
            await live.logs(*({"message": f"m{i}{j}", f"field{j}": i, "service": f"s{j}"} for j in (3, 1, 2)))
        first = await stream.take(12)
    assert await node.store.compactor.compact(node.project_id, now=datetime.now(UTC) + timedelta(hours=1))
    assert all(segment.level > 0 for segment in await node.store.catalog.segments(node.project_id))
    for at in (0, 4, 8):
        async with tailing(live, "message:m*", after=first[at][0]) as stream:
            again = await stream.take(12 - at - 1)
        assert again == first[at + 1 :]


async def test_who_hears_nothing_hears_that_it_lives(live: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "HEARTBEAT_S", 0.1)
    async with tailing(live, "service:none") as stream:
        with anyio.move_on_after(0.6):
            await stream.next()
        assert stream.comments.count("alive") >= 2


async def test_a_slow_reader_loses_nothing_and_the_rest_goes_on(live: Client) -> None:
    async with tailing(live) as stream:
        for i in range(20):
            await live.logs(*({"message": "x" * 1000, "n": i * 200 + j} for j in range(200)))
        assert await live.rows("| stats count() as n") == [{"n": 4000}]
        await anyio.sleep(0.5)
        found = await stream.take(4000)
    assert sorted(event["n"] for _, event in found) == list(range(4000))


@pytest.mark.parametrize(
    ("query", "after", "named"),
    [
        ("| stats count()", None, "stages"),
        ("service:x | limit 5", None, "limit"),
        ("((", None, "1:"),
        ("", "nonsense", "Last-Event-ID"),
        ("", "1:-1", "Last-Event-ID"),
        ("", "9" * 40 + ":1", "Last-Event-ID"),
    ],
)
async def test_what_cannot_be_followed_is_refused(client: Client, query: str, after: str | None, named: str) -> None:
    headers = {"Last-Event-ID": after} if after else {}
    answer = await client.get("/api/v1/tail", params={"query": query}, headers=headers)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert named in answer.text


async def test_many_tails_are_asked_together_and_each_gets_its_own(
    node: Node, live: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their searches differ, one is asked twice, one may see a part alone; none reads by itself."""
    searches = ["", "service:a", "service:b", "service:a n>=4", "service:none", "/m[13]$/", "service:a"]
    rights = [None, Rights("narrow", "service:b", (Mask("message"),))]
    alone = CommitEvents.of

    async def of(self: CommitEvents, text: str, position: int) -> list[bytes]:
        raise AssertionError(f"{text!r} was asked for by itself")

    monkeypatch.setattr(CommitEvents, "of", of)
    first = await node.store.catalog.head(node.project_id) + 1
    async with AsyncExitStack() as stack:
        tails = [
            await stack.enter_async_context(node.following.tail(node.project_id, text, right, first))
            for right in rights
            for text in searches
        ]
        found: list[list[tuple[int, list[bytes]]]] = [[] for _ in tails]

        async def take(number: int) -> None:
            while tails[number].position <= last:
                found[number] += await tails[number].next(1)

        last = 0
        for tail_ in tails:
            assert await tail_.next(0.001) == []
        for i in range(3):
            await live.logs(*({"service": "ab"[j % 2], "message": f"m{j}", "n": i * 2 + j} for j in range(4)))
        last = await node.store.catalog.head(node.project_id)
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                for number in range(len(tails)):
                    tasks.start_soon(take, number)
        for tail_, given in zip(tails, found, strict=True):
            asked = CommitEvents(node.engine, node.project_id, tail_.rights)
            own = [(place, await alone(asked, tail_.text, place)) for place in range(first, last + 1)]
            assert given == [(place, events) for place, events in own if events]
    assert sum(len(events) for _, events in found[0]) == 12
    assert found[4] == []


async def test_a_server_that_stops_ends_its_tails(node: Node, listening: Any) -> None:
    app = create_app(node)
    async with listening(app) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
        with anyio.fail_after(5):
            async with client.stream("GET", "/api/v1/tail") as answer:
                lines = answer.aiter_lines()
                assert await anext(lines) == "retry: 1000"
                app.stop()
                assert [line async for line in lines if line and not line.startswith(":")] == []
