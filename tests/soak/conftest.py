"""Fixtures of the tests that kill things: servers in folders of their own, and a PostgreSQL to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..bench.server import Server
from ..conftest import furnish
from .postgres import PostgresServer

StartServer = Callable[..., Server]


@pytest.fixture
def make_server(data_dir: Path, cluster: Path) -> Iterator[StartServer]:
    """Makes servers (not yet started) in folders of their own; whatever still runs at the end is killed."""
    servers: list[Server] = []

    def make(name: str = "node", **options: Any) -> Server:
        own = data_dir / name
        own.mkdir()
        own.chmod(0o755)
        servers.append(Server(own, **options))
        if "CORDWOOD_DATABASE_URL" not in servers[-1].environment:
            furnish(servers[-1].data, cluster)
        return servers[-1]

    yield make
    for server in servers:
        server.kill()
        print(f"--- {server.log}:\n{server.last_words()}")


@pytest.fixture
def postgres(data_dir: Path) -> Iterator[PostgresServer]:
    """A running PostgreSQL server from the system's package, with an empty database."""
    server = PostgresServer(data_dir / "postgres")
    server.start()
    yield server
    server.stop()
