"""Nodes with outputs, in this process, and receivers that can be switched off."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from cordwood.config import Config, Settings, load_text
from cordwood.core.forwarding import progress_of
from cordwood.core.query import BatchFilter, QueryRequest
from cordwood.core.runtime import Node
from cordwood.core.storage.commit import Submission
from cordwood.plugins import Batch, load_plugins

from ..conftest import free_port


async def write(node: Node, records: list[dict[str, Any]]) -> None:
    """Commit events, all in one commit."""
    batch = Batch.from_records(records).with_default(source="load")
    await (await node.store.writer.submit(Submission(node.project_id, "load", batch))).committed()


async def events_of(node: Node, text: str = "") -> list[dict[str, Any]]:
    """All events of a node's store that a search finds."""
    request = QueryRequest(text=text, project_id=node.project_id, now_ns=time.time_ns(), limit=1_000_000)
    return list((await node.engine.run(request)).objects())


async def until(done: Callable[[], Any], seconds: float = 30) -> None:
    """Wait until it says so."""
    with anyio.fail_after(seconds):
        while not await done():
            await anyio.sleep(0.02)


async def level(node: Node, *names: str) -> bool:
    """Whether these outputs have sent everything."""
    found = await progress_of(node.store.pool, node.project_id)
    return all(name in found and found[name].commits == 0 and found[name].state == "ok" for name in names)


def messages(events: list[dict[str, Any]]) -> Counter[str]:
    return Counter(event["message"] for event in events)


def config_of(text: str) -> Config:
    def check(search: str) -> None:
        BatchFilter(search)

    return load_text(f"version: 1\n{text}", load_plugins(), check_when=check)


@pytest.fixture
def open_node() -> Callable[..., Any]:
    """Runs a node: `async with open_node(url, folder, "outputs: …") as node`."""

    @asynccontextmanager
    async def make(database_url: str, data_dir: Path, config: str = "") -> AsyncIterator[Node]:
        settings = Settings(data_dir=data_dir, database_url=database_url, port=free_port())
        node = Node(settings, config_of(config), load_plugins())
        async with node.running():
            yield node

    return make


class Receiver:
    """Another Cordwood behind a port that stays, which can be switched off and on."""

    def __init__(self, url: str, folder: Path, open_node: Callable[..., Any]) -> None:
        self.port = free_port()
        self._url, self._folder, self._open = url, folder, open_node
        self._stack = AsyncExitStack()
        self.node: Node

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Receiver:
        self.node = await self._stack.enter_async_context(self._open(self._url, self._folder))
        return self

    async def __aexit__(self, *why: object) -> None:
        await self._stack.aclose()

    @asynccontextmanager
    async def on(self) -> AsyncIterator[None]:
        """While it listens."""
        from cordwood.cli.web import WebServer
        from cordwood.web import create_app

        server = WebServer(create_app(self.node))
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self.port))
            async with anyio.create_task_group() as tasks:
                stopped = anyio.Event()

                async def serve() -> None:
                    await server.serve([listener])
                    stopped.set()

                tasks.start_soon(serve)
                await server.listens.wait()
                try:
                    yield
                finally:
                    server.should_exit = True
                    with anyio.move_on_after(10, shield=True):
                        await stopped.wait()


@pytest.fixture
async def receiver(other_url: str, tmp_path: Path, open_node: Callable[..., Any]) -> AsyncIterator[Receiver]:
    async with Receiver(other_url, tmp_path / "receiver", open_node) as made:
        yield made
