"""A TCP proxy before PostgreSQL that cuts, delays and stops as it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import anyio
from anyio.abc import ByteStream, SocketAttribute
from cordwood.core.storage.store import Store

COMMIT = b"Q\x00\x00\x00\x0cCOMMIT;\x00"  # as asyncpg sends it, as a message of its own
BROKEN = (anyio.BrokenResourceError, anyio.EndOfStream, anyio.ClosedResourceError)

Cut = Literal["answer", "before", "silent", "late"]
"""What becomes of a COMMIT, whose client loses its connection each time:

answer: the server gets it, and its answer is dropped;
before: the server does not get it, and learns that the client is gone;
silent: the server does not get it, and learns nothing, as when a network falls apart;
late: the server gets it only after `late_seconds`.
"""


@dataclass
class Proxy:
    """Forwards to `connect`; what it does is set while it runs."""

    connect: Callable[[], Awaitable[ByteStream]]
    port: int = 0
    cuts: list[Cut] = field(default_factory=list)
    """For the next messages with `word` in them, one each."""
    word: bytes = COMMIT
    late_seconds: float = 0.7
    delay: float = 0.0
    """Seconds by which everything to the server comes late."""
    refuses: bool = False
    """New connections are closed, and so are those there are, at their next word."""
    done: int = 0
    """How many cuts were made."""
    answered: int = 0
    """Bytes from the server."""
    _left: list[ByteStream] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Proxy]:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=self.port)
        self.port = listener.extra(SocketAttribute.local_port)
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, self._serve)
            yield self
            tasks.cancel_scope.cancel()
        for stream in self._left:
            await anyio.aclose_forcefully(stream)

    async def _serve(self, client: ByteStream) -> None:
        if self.refuses:
            await anyio.aclose_forcefully(client)
            return
        server = await self.connect()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._back, server, client, tasks.cancel_scope)
                await self._forward(client, server, tasks.cancel_scope)
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.aclose_forcefully(client)
                if server not in self._left:
                    await anyio.aclose_forcefully(server)

    async def _back(self, server: ByteStream, client: ByteStream, forwarding: anyio.CancelScope) -> None:
        with suppress(*BROKEN):
            while True:
                data = await server.receive()
                self.answered += len(data)
                await client.send(data)
        forwarding.cancel()

    async def _forward(self, client: ByteStream, server: ByteStream, forwarding: anyio.CancelScope) -> None:
        with suppress(*BROKEN):
            while True:
                data = await client.receive()
                if self.delay:
                    await anyio.sleep(self.delay)
                if self.refuses:
                    return
                if self.word in data and self.cuts:
                    forwarding.cancel()
                    with anyio.CancelScope(shield=True):
                        await self._cut(self.cuts.pop(0), client, server, data)
                    return
                await server.send(data)

    async def _cut(self, how: Cut, client: ByteStream, server: ByteStream, data: bytes) -> None:
        self.done += 1
        if how == "answer":
            await server.send(data)
            await server.receive()
        if how == "late":
            await anyio.aclose_forcefully(client)
            await anyio.sleep(self.late_seconds)
            with suppress(*BROKEN):
                await server.send(data)
        if how == "silent":
            self._left.append(server)


@asynccontextmanager
async def behind_proxy(database_url: str, data_dir: Path) -> AsyncIterator[tuple[Store, Proxy]]:
    parts = urlsplit(database_url)
    folder = parse_qs(parts.query)["host"][0]

    async def connect() -> ByteStream:
        return await anyio.connect_unix(f"{folder}/.s.PGSQL.5432")

    async with Proxy(connect).running() as proxy:
        url = f"postgresql://{parts.netloc.split('@')[0]}@{proxy.url}{parts.path}"
        async with Store.opened(data_dir, url, compact=False) as store:
            yield store, proxy
