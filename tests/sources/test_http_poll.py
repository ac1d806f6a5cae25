"""An HTTP server that is asked: what it answers becomes events, once; and what it may answer instead."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from cordwood.plugins import RetryableError
from cordwood.plugins.conformance import Scenario, source_contract
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore
from cordwood.sources.http_poll import HttpPoll, HttpPollConfig

from .http_peer import Answer, Asked, HttpPeer, answering
from .listening import listening, messages, until

pytestmark = pytest.mark.anyio


def pages(events: list[dict[str, Any]], size: int = 10) -> Callable[[Asked], Answer]:
    """An API with pages; the cursor is the number of the next event."""

    def answer(asked: Asked) -> Answer:
        at = int(asked.query.get("after", 0))
        page = events[at : at + size]
        moved = {"next": at + len(page)} if len(page) == size else {}
        return Answer(
            json.dumps({"data": {"items": page}, **moved}).encode(), headers={"Content-Type": "application/json"}
        )

    return answer


PAGES = {"events": "data.items", "cursor": {"parameter": "after", "field": "next"}, "every": "100ms"}


def scenario(_: Path) -> Scenario:
    ready = anyio.Event()
    settings: dict[str, Any] = {"url": "http://127.0.0.1:1/", **PAGES}

    async def feed() -> None:
        await ready.wait()

    context = answering(pages([{"message": f"line {n}"} for n in range(100)]))
    peer = context.__enter__()
    settings["url"] = f"{peer.url}/audit"
    OPEN.append(context)
    return Scenario(settings, feed, 100)


OPEN: list[Any] = []


@pytest.fixture(autouse=True)
def closing() -> Any:
    yield
    while OPEN:
        OPEN.pop().__exit__(None, None, None)


test_contract = source_contract(HttpPoll, scenario)


def source(peer: HttpPeer, **given: Any) -> HttpPoll:
    return HttpPoll(HttpPollConfig(**({"url": f"{peer.url}/x?tenant=7", "every": "100ms"} | given)))


@pytest.mark.parametrize(
    ("body", "media", "given", "expected"),
    [
        pytest.param(b'[{"message": "a"}, {"message": "b"}]', "application/json", {}, ["a", "b"], id="array"),
        pytest.param(b'{"message": "a"}', "application/json; charset=utf-8", {}, ["a"], id="object"),
        pytest.param(b'{"message": "a"}\n{"message": "b"}\n', "application/x-ndjson", {}, ["a", "b"], id="ndjson"),
        pytest.param(b'{"message": "a"}\n', "text/plain", {"format": "ndjson"}, ["a"], id="told"),
        pytest.param(b"a\r\nb\n", "text/plain", {}, ["a", "b"], id="text"),
        pytest.param(b'{"d": {"e": [{"message": "a"}]}}', "application/json", {"events": "d.e"}, ["a"], id="nested"),
        pytest.param(b'{"d": {"e": null}}', "application/json", {"events": "d.e"}, [], id="null"),
        pytest.param(b"{}", "application/json", {"events": "d.e"}, [], id="none"),
        pytest.param(b"", "application/json", {}, [], id="empty"),
    ],
)
async def test_answers(body: bytes, media: str, given: dict[str, Any], expected: list[str]) -> None:
    with answering(lambda _: Answer(body, headers={"Content-Type": media})) as peer:
        async with listening(source(peer, every="1h", **given)) as store:
            await until(lambda: peer.asked)
            await messages(store, len(expected))
    assert store.lines == expected


async def test_the_request() -> None:
    with answering(lambda _: Answer(b"{}")) as peer:
        async with listening(
            source(peer, method="POST", body='{"q": 1}', headers={"authorization": "Bearer t0ken"},
                   cursor={"parameter": "after", "field": "x", "first": "0"})
        ):  # fmt: skip
            await until(lambda: peer.asked)
    asked = peer.asked[0]
    assert (asked.method, asked.body, asked.headers["authorization"]) == ("POST", b'{"q": 1}', "Bearer t0ken")
    assert asked.query == {"tenant": "7", "after": "0"}


async def test_what_has_not_changed_is_not_taken_again() -> None:
    state = {"etag": '"1"', "body": b"one\n"}

    def answer(asked: Asked) -> Answer:
        if asked.headers.get("if-none-match") == state["etag"]:
            return Answer(status=304)
        return Answer(bytes(state["body"]), headers={"Content-Type": "text/plain", "ETag": str(state["etag"])})  # type: ignore[arg-type]

    store = MemoryStore()
    with answering(answer) as peer:
        for count in (1, 2):  # also over a restart
            async with listening(made := source(peer), MemoryOutlet(store)):
                await messages(store, count)
                await until(lambda made=made: made.counts["unchanged_answers"] >= 2)
                assert len(store.lines) == count
                state.update(etag=f'"{count + 1}"', body=f"{count + 1}\n".encode())
                await messages(store, count + 1)
                state.update(etag='"2"') if count == 1 else None
    assert store.lines == ["one", "2", "3"]


@pytest.mark.parametrize("trouble", [0.0, 0.1])
async def test_each_event_once_over_pages_and_restarts(trouble: float) -> None:
    events: list[dict[str, Any]] = []
    store, chance = MemoryStore(), random.Random(5)
    outlet = MemoryOutlet(store, trouble=trouble, chance=chance)

    def all_there() -> bool:
        return len(store.lines) >= len(events)

    with answering(pages(events)) as peer:
        for _ in range(5):
            made = source(peer, **PAGES)
            async with listening(made, outlet):
                for _ in range(3):
                    events += ({"message": str(n)} for n in range(len(events), len(events) + chance.randint(1, 35)))
                    if chance.random() < 0.6:
                        await until(all_there)
        async with listening(source(peer, **PAGES), outlet):
            await messages(store, len(events))
    assert store.lines == [str(n) for n in range(len(events))]


async def test_a_cursor_that_is_a_field_of_the_last_event() -> None:
    def answer(asked: Asked) -> Answer:
        after = asked.query.get("since", "")
        found = [{"time": f"2026-01-31T12:00:00.{n:09d}Z", "message": str(n)} for n in range(30)]
        return Answer(json.dumps([event for event in found if event["time"] > after][:7]).encode())

    cursor = {"parameter": "since", "field": "timestamp", "within": "event"}
    with answering(answer) as peer:
        async with listening(source(peer, cursor=cursor)) as store:
            await messages(store, 30)
            await until(lambda: len(peer.asked) > 7)
    assert store.lines == [str(n) for n in range(30)]


@pytest.mark.parametrize(
    ("answer", "given", "said"),
    [
        pytest.param(
            Answer(status=503, headers={"Retry-After": "7"}), {}, "answered 503 Service Unavailable", id="busy"
        ),
        pytest.param(Answer(status=401), {}, "answered 401 Unauthorized", id="who"),
        pytest.param(Answer(status=302, headers={"Location": "/"}), {}, "redirects are not followed", id="moved"),
        pytest.param(Answer(b"x" * 5000), {"max_bytes": 1024}, "more than 1024 bytes; raise max_bytes", id="large"),
        pytest.param(Answer(b"[1, "), {"format": "json"}, "cannot be read: the body is no JSON array", id="cut off"),
        pytest.param(Answer(b"[]"), {"events": "data"}, "it has no field data", id="no object"),
        pytest.param(Answer(b'{"data": 5}'), {"events": "data"}, "no JSON array", id="no array"),
        pytest.param(Answer(b"[" * 100_000), {"events": "data"}, "cannot be read", id="deep"),
    ],
)
async def test_other_answers(answer: Answer, given: dict[str, Any], said: str) -> None:
    with answering(lambda _: answer) as peer:
        with pytest.raises(RetryableError, match=said) as caught:
            await source(peer, **given).run(MemoryOutlet(MemoryStore()))
        assert (caught.value.after or 0) == pytest.approx(7 if answer.status == 503 else 0.1)
        assert "tenant" not in str(caught.value)


async def test_nobody_answers() -> None:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    peer = HttpPeer(listener.extra(anyio.abc.SocketAttribute.local_port))
    async with listener:
        with pytest.raises(RetryableError, match="no answer within 200ms"):  # half open: it takes the request, no more
            await source(peer, timeout="200ms").run(MemoryOutlet(MemoryStore()))
    with pytest.raises(RetryableError, match="no connection: ConnectError"):
        await source(peer).run(MemoryOutlet(MemoryStore()))


@pytest.mark.parametrize(
    "given", [{"url": "ftp://x"}, {"every": "1ms"}, {"headers": {"a b": "c"}}, {"cursor": {"parameter": "p"}}]
)
def test_settings_that_are_none(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"http://|too short|pattern|Field required"):
        HttpPollConfig(**({"url": "http://x/"} | given))
