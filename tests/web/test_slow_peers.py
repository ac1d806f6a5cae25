"""Peers of the HTTP port that are slow, silent, or never end: they are let go, and others are served meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import anyio
import httpx
import pytest
from anyio.abc import SocketStream
from cordwood.cli import web
from cordwood.cli.web import WebServer, bound
from cordwood.core.runtime import Node
from cordwood.plugins import HttpSource, load_plugins
from cordwood.web import create_app

pytestmark = pytest.mark.anyio
POSTS = sorted(
    path.replace("{index:str}", "logs")
    for found in load_plugins().kinds["source"].values()
    if issubclass(found.cls, HttpSource)
    for method, path in found.cls.routes
    if method == "POST"
)
HEAD = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


@dataclass
class Port:
    """The port of a running node, and which limits its peers reached."""

    number: int
    server: WebServer
    reached: Counter[str]

    async def peer(self, *said: bytes) -> SocketStream:
        stream = await anyio.connect_tcp("127.0.0.1", self.number)
        for data in said:
            await stream.send(data)
        return stream

    async def post(self, *events: str) -> None:
        """As others do meanwhile."""
        async with httpx.AsyncClient(timeout=60) as client:
            body = "".join(f"{event}\n" for event in events)
            answer = await client.post(f"http://127.0.0.1:{self.number}/api/v1/logs", content=body)
            assert answer.json() == {"accepted": len(events)}


@pytest.fixture
async def port(node: Node, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Port]:
    monkeypatch.setattr(web, "PATIENCE_S", 1.5)
    async with serving(node) as made:
        yield made


@asynccontextmanager
async def serving(node: Node) -> AsyncIterator[Port]:
    reached = Counter[str]()
    server = WebServer(create_app(node), refused=lambda limit: reached.update([limit]))
    with bound("127.0.0.1", 0) as listener:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listener])
            await server.listens.wait()
            yield Port(listener.getsockname()[1], server, reached)
            server.stop()


async def end(peer: SocketStream) -> bytes:
    """What the server said until it ended the connection."""
    said = b""
    with anyio.fail_after(60), suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        while True:
            said += await peer.receive()
    await peer.aclose()
    return said


async def drip(peer: SocketStream, data: bytes, pause: float, size: int = 1) -> None:
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        for at in range(0, len(data), size):
            await peer.send(data[at : at + size])
            await anyio.sleep(pause)


async def test_who_says_nothing_or_half_a_head_is_let_go(port: Port) -> None:
    silent, half, blank = await port.peer(), await port.peer(b"GET /healthz HT"), await port.peer(b"\r\n" * 10)
    slow = await port.peer()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(drip, slow, b"GET /healthz HTTP/1.1\r\n" + b"Host: localhost\r\n" * 20, 0.02)
        await port.post("meanwhile")
        assert await end(silent) == await end(blank) == b""
        assert (await end(half)).startswith(b"HTTP/1.1 408 ")
        await end(slow)  # what it sends then is answered with a reset, which overtakes the answer
        tasks.cancel_scope.cancel()
    assert port.reached == {"request_time": 2}


async def test_the_second_request_of_a_connection_is_waited_for_likewise(port: Port) -> None:
    peer = await port.peer(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    said = await peer.receive()
    assert said.startswith(b"HTTP/1.1 200 ")
    await anyio.sleep(2)  # idle it may be for longer
    await peer.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await peer.receive()).startswith(b"HTTP/1.1 200 ")
    await peer.send(b"GET /he")
    assert (await end(peer)).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("more", [b"X: y\r\n", b"x"], ids=["many", "endless"])
async def test_a_head_that_never_ends_is_refused(port: Port, more: bytes) -> None:
    peer, sent = await port.peer(b"GET / HTTP/1.1\r\nHost: localhost\r\nA: "), 0
    with suppress(anyio.BrokenResourceError):
        while sent < 8 * 1024 * 1024:
            await peer.send(more * 2000)
            sent += len(more) * 2000
    assert sent < 8 * 1024 * 1024
    await end(peer)
    assert port.reached == {"request_head": 1}
    await port.post("after")


async def test_half_a_body_is_given_up_and_nothing_of_it_stored(
    port: Port, node: Node, client_of: Callable[..., Any]
) -> None:
    """Of every source that is posted to."""
    peers = [await port.peer(HEAD % (path.encode(), 1000), b'{"message": "half') for path in POSTS]
    await port.post("meanwhile")
    for path, peer in zip(POSTS, peers, strict=True):
        assert (await end(peer)).startswith(b"HTTP/1.1 408 "), path
    assert port.reached == {"request_time": len(POSTS)}
    async with client_of(create_app(node)) as client:
        assert [row["message"] for row in await client.rows("*")] == ["meanwhile"]


async def test_a_body_may_take_its_time_but_not_come_by_drops(port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "SLOWEST", 200)
    line = b'{"message": "%s"}\n' % (b"x" * 4000)
    head = HEAD % (b"/api/v1/logs", len(line))
    steady, dripping = await port.peer(head), await port.peer(head)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(drip, dripping, line, 0.02)
        await drip(steady, line, 0.05, 100)  # two seconds in all, and ten times as fast as it must be
        assert b'{"accepted":1}' in (await steady.receive()).replace(b" ", b"")
        await end(dripping)
        tasks.cancel_scope.cancel()
    assert port.reached == {"request_time": 1}
    await steady.aclose()


async def test_a_stop_waits_for_no_half_request(node: Node) -> None:
    async with serving(node) as port:
        peers = [await port.peer() for _ in range(5)]
        peers += [await port.peer(b"GET /healthz HT") for _ in range(5)]
        peers += [await port.peer(HEAD % (b"/api/v1/logs", 1000), b"{") for _ in range(5)]
        await anyio.sleep(0.1)
        began = anyio.current_time()
    assert anyio.current_time() - began < 10
    for peer in peers:
        await end(peer)
