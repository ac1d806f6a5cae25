"""`cordwood.client` against a real server on a real port; and docs/client.md, whose snippets run."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import pytest
from cordwood.client import AsyncClient, Client, CordwoodError, RefusedError, UnreachableError
from cordwood.client.wire import bodies
from cordwood.core.runtime import Node
from cordwood.web import create_app

if TYPE_CHECKING:
    from .conftest import Client as Live

pytestmark = pytest.mark.anyio
PAGE = (Path(__file__).parents[2] / "docs" / "client.md").read_text()


async def test_both_clients_send_and_ask(live: Live) -> None:
    url = str(live.base_url)

    def waits() -> tuple[Any, ...]:
        with Client(url) as client:
            accepted = client.ingest(({"message": f"a {n}", "n": n} for n in range(12_000)), service="shop")
            answer = client.query("service:shop | stats count() as c, max(n) as m")
            rows = list(client.stream("service:shop", limit=12_000))
            table = client.arrow("service:shop n<3 | fields n | sort n")
            return accepted, list(answer), [c.name for c in answer.columns], len(rows), table.to_pydict()

    expected = (12_000, [{"c": 12_000, "m": 11_999}], ["c", "m"], 12_000, {"n": [0, 1, 2]})
    assert await anyio.to_thread.run_sync(waits) == expected
    async with AsyncClient(url) as client:
        assert await client.ingest([{"message": "b", "n": 12_000}], service="shop") == 1
        assert list(await client.query("service:shop | stats count() as c")) == [{"c": 12_001}]
        assert [row["n"] async for row in client.stream("service:shop n>=11999 | fields n | sort n")] == [11999, 12000]
        assert (await client.arrow("service:shop n>=12000 | fields n")).to_pydict() == {"n": [12_000]}
        assert len(await client.query("service:shop", limit=5)) == 5


ODD = "a\u2028b\u2029c\x85d\u000be\u001cf"
"""Has what Unicode calls line ends, and JSON leaves as it is."""


async def test_only_a_line_feed_ends_a_line(live: Live) -> None:
    url = str(live.base_url)
    async with AsyncClient(url) as client:

        async def feed() -> None:
            while True:
                await client.ingest([{"message": ODD}])

        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(feed)
                async for event in client.tail():
                    assert event["message"] == ODD
                    break
                tasks.cancel_scope.cancel()
        assert {row["message"] async for row in client.stream("")} == {ODD}

    def waits() -> set[str]:
        with Client(url) as client:
            return {row["message"] for row in client.stream("")}

    assert await anyio.to_thread.run_sync(waits) == {ODD}


async def test_answers_come_in_other_forms_and_parts(live: Live) -> None:
    url, counting = str(live.base_url), {"query": "| stats count() as n"}

    def waits() -> tuple[Any, ...]:
        with Client(url) as client:
            accepted = client.send(b"one\ntwo\n", "text/plain", "k", {"service": "lines"})
            again = client.send(b"one\ntwo\n", "text/plain", "k", {"service": "lines"})
            rows = b"".join(client.export("service:lines | fields message | sort message"))
            plan = client.explain("service:lines")
            with client.open("GET", "/api/v1/status") as answer:
                status = answer.read()
            told = [name for name, _ in client.messages("POST", "/api/v1/query", json=counting)]
            return accepted, again, rows, plan["strategy"], status[:1], told

    found = await anyio.to_thread.run_sync(waits)
    assert (found[0], found[1], found[2].split(), found[4]) == (2, 2, [b"message", b"one", b"two"], b"{")
    async with AsyncClient(url) as client:
        rows = b"".join([part async for part in client.export("service:lines | fields message | sort message")])
        assert rows == found[2]
        assert (await client.explain("service:lines"))["strategy"] == found[3]
        async with client.open("GET", "/api/v1/status") as answer:
            assert (await answer.aread())[:1] == b"{"
        told = [name async for name, _ in client.messages("POST", "/api/v1/query", json=counting)]
        assert (told, told[-1]) == (found[5], "end")
        with pytest.raises(RefusedError):
            async with client.open("GET", "/api/v1/reports/issues/7/pdf"):
                pass


async def test_a_lost_answer_stores_nothing_twice(node: Node, listening: Callable[..., Any]) -> None:
    app, tries = create_app(node), 0

    async def losing(scope: Any, receive: Any, send: Any) -> None:
        nonlocal tries
        if scope["path"] != "/api/v1/logs" or tries:
            await app(scope, receive, send)
            return
        tries += 1

        async def lost(message: Any) -> None:
            pass

        await app(scope, receive, lost)
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with listening(losing) as url, AsyncClient(url) as client:
        assert await client.ingest([{"message": "once"}] * 3, key="k") == 3
        assert await client.ingest([{"message": "once"}] * 3, key="k") == 3
        assert tries == 1
        assert list(await client.query("once | stats count() as c")) == [{"c": 3}]


async def test_a_broken_tail_loses_and_repeats_nothing(node: Node, listening: Callable[..., Any]) -> None:
    app, broken = create_app(node), 0

    async def breaking(scope: Any, receive: Any, send: Any) -> None:
        async def once(message: Any) -> None:
            nonlocal broken
            await send(message)
            if b"event: event" in message.get("body", b"") and not broken:
                broken += 1
                raise ConnectionResetError

        await app(scope, receive, once)

    seen = list[int]()
    async with listening(breaking) as url, AsyncClient(url) as client, anyio.create_task_group() as tasks:

        async def follow() -> None:
            async for event in client.tail("tick"):
                seen.append(event["attributes"]["n"] if "attributes" in event else event["n"])
                if len(seen) == 5:
                    break
            tasks.cancel_scope.cancel()

        tasks.start_soon(follow)
        with anyio.fail_after(30):
            for number in range(10_000):
                await client.ingest([{"message": "tick", "n": number}])
                await anyio.sleep(0.02)
        app.stop()
    assert broken == 1
    assert seen == list(range(seen[0], seen[0] + 5))


async def test_what_is_refused_says_where(live: Live) -> None:
    async with AsyncClient(str(live.base_url), retry_for=0.5) as client:
        with pytest.raises(RefusedError) as refused:
            await client.query("* | stats cuont()")
        assert (refused.value.status, refused.value.errors[0]["line"]) == (400, 1)
        with pytest.raises(CordwoodError, match=r"400"):
            _ = [event async for event in client.tail("* | stats count()")]
    async with AsyncClient("http://127.0.0.1:9", retry_for=0.5) as away:
        with pytest.raises(UnreachableError, match=r"cannot be reached"):
            await away.query("")
        with pytest.raises(UnreachableError, match=r"within 0\.5 s"):
            await away.ingest([{"message": "x"}])
    with pytest.raises(CordwoodError, match="CORDWOOD_URL"):
        Client("ftp://x")


async def test_lists_come_page_by_page(live: Live) -> None:
    url = str(live.base_url)
    async with AsyncClient(url) as client:
        for number in range(5):
            await client.call("POST", "/api/v1/saved-queries", json={"name": f"q{number}", "text": "a"})
        pages = client.items("/api/v1/saved-queries", limit=2)
        assert [item["name"] async for item in pages] == [f"q{number}" for number in range(5)]
        with pytest.raises(RefusedError, match="HTTP 409"):
            await client.call("POST", "/api/v1/saved-queries", json={"name": "q1", "text": "a"})
        with pytest.raises(RefusedError, match="HTTP 404"):
            await client.call("GET", "/api/v1/saved-queries/none")

    def waits() -> list[str]:
        with Client(url) as client, pytest.raises(RefusedError, match="HTTP 404"):
            client.call("DELETE", "/api/v1/saved-queries/none")
        with Client(url) as client:
            return [item["name"] for item in client.items("/api/v1/saved-queries", limit=2)]

    assert await anyio.to_thread.run_sync(waits) == [f"q{number}" for number in range(5)]
    async with AsyncClient("http://127.0.0.1:9") as away:
        with pytest.raises(UnreachableError, match="cannot be reached"):
            await away.call("GET", "/api/v1/saved-queries")


def test_bodies_are_bounded() -> None:
    found = list(bodies({"message": "x" * 1000} for _ in range(12_000)))
    assert sum(body.count(b"\n") + 1 for body in found) == 12_000
    assert max(map(len, found)) <= 1024 * 1024
    assert list(bodies([])) == []


async def test_the_page_runs(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORDWOOD_URL", str(live.base_url))
    monkeypatch.delenv("CORDWOOD_TOKEN", raising=False)
    names: dict[str, Any] = {}

    def run() -> None:
        for snippet in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
            exec(snippet, names)

    await anyio.to_thread.run_sync(run)
    assert names["accepted"] == 1000
    assert list(names["answer"]) == [{"orders": 1000, "largest": 999}]
    assert names["table"].num_rows == 1000
    assert names["names"] == ["large orders"]
    assert names["column"] > 1
