"""The samples' sender against a socket that answers as a server in trouble does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.abc
import httpx
import pytest
from cordwood.infra.samples import run_demo
from cordwood.infra.samples.sender import RefusedError, Sender

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
REFUSED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
HANG_UP = b""


@asynccontextmanager
async def answering(answers: Sequence[bytes]) -> AsyncIterator[tuple[str, list[tuple[str, bytes]]]]:
    """A server that gives these answers in turn; yields its URL and the (Idempotency-Key, body) of what came."""
    came: list[tuple[str, bytes]] = []
    left = list(answers)

    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            data = b""
            while left:
                head, found, body = data.partition(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                if found and length and len(body) >= int(length[1]):
                    key = re.search(rb"(?i)idempotency-key: (\S+)", head)
                    came.append((key[1].decode() if key else "", body))
                    data = b""
                    answer = left.pop(0)
                    if answer == HANG_UP:
                        return
                    await stream.send(answer)
                    continue
                try:
                    data += await stream.receive()
                except anyio.EndOfStream:
                    return

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        yield f"http://127.0.0.1:{port}", came
        tasks.cancel_scope.cancel()


async def send(url: str, events: Sequence[Any]) -> None:
    async with httpx.AsyncClient() as client:
        with anyio.fail_after(20):
            await Sender(client, url, token="secret").send(events)


async def test_the_same_batch_with_the_same_key_until_it_is_acknowledged() -> None:
    async with answering([BUSY, HANG_UP, OK]) as (url, came):
        await send(url, [{"message": "hello"}])
    assert [body for _, body in came] == [b'{"message": "hello"}\n'] * 3
    assert len({key for key, _ in came}) == 1


async def test_batches_have_keys_of_their_own() -> None:
    async with answering([OK, OK, OK]) as (url, came):
        await send(url, [{"n": n} for n in range(2500)])
    assert [body.count(b"\n") for _, body in came] == [1000, 1000, 500]
    assert len({key for key, _ in came}) == 3


async def test_a_refusal_ends_it() -> None:
    async with answering([REFUSED]) as (url, _):
        with pytest.raises(RefusedError, match="401"):
            await send(url, [{"message": "hello"}])


async def test_a_demo_that_is_refused_says_so_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    async with answering([REFUSED] * 8) as (url, _):
        with anyio.fail_after(20):
            await run_demo(url)
    assert "the sample applications stop" in caplog.text
    assert "401" in caplog.text
