"""The web application over a real node: in this process, and behind a real port where an answer never ends."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import httpx
import pytest
from argon2 import PasswordHasher
from cordwood.cli.web import WebServer
from cordwood.core.runtime import Node
from cordwood.web import create_app
from cordwood.web.auth import credentials

JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}


REAL_HASHER = credentials._argon2


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords of nodes in this process cost a thousandth; servers in processes of their own have the real cost."""
    monkeypatch.setattr(credentials, "_argon2", lambda: PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


class Client(httpx.AsyncClient):
    """Speaks to the application as this machine does, with shorthands for logs and queries."""

    async def logs(self, *events: dict[str, Any] | bytes, **headers: str) -> int:
        """Post events as NDJSON; returns how many were accepted."""
        lines = [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]
        answer = await self.post("/api/v1/logs", content=b"\n".join(lines), headers={**NDJSON, **headers})
        assert answer.status_code == 200, answer.text
        accepted: int = answer.json()["accepted"]
        return accepted

    async def rows(self, query: str, **more: Any) -> list[dict[str, Any]]:
        """Rows of a query as mappings by column."""
        answer = await self.post("/api/v1/query", json={"query": query, **more})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        names = [column["name"] for column in found["columns"]]
        return [dict(zip(names, row, strict=True)) for row in found["rows"]]


@pytest.fixture
def client_of() -> Callable[..., Client]:
    """Makes clients of an application in this process."""

    def make(app: Any, **options: Any) -> Client:
        options.setdefault("base_url", "http://localhost")
        return Client(transport=httpx.ASGITransport(app=app, raise_app_exceptions=False), timeout=30, **options)

    return make


@pytest.fixture
async def client(node: Node, client_of: Callable[..., Client]) -> AsyncIterator[Client]:
    """The application of the node, in this process."""
    async with client_of(create_app(node)) as made:
        yield made


@pytest.fixture
def listening() -> Callable[[Any], contextlib.AbstractAsyncContextManager[str]]:
    """Puts an application behind a real port; gives its URL."""
    return _listening


@contextlib.asynccontextmanager
async def _listening(app: Any) -> AsyncIterator[str]:
    server = WebServer(app)
    server.config.timeout_graceful_shutdown = 1
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listener])
            await server.listens.wait()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            server.should_exit = True


@pytest.fixture
async def live(node: Node) -> AsyncIterator[Client]:
    """The application of the node behind a real port."""
    async with _listening(create_app(node)) as url, Client(base_url=url, timeout=30) as made:
        yield made
