"""Fixtures of the tests that kill things: a folder that any user may enter, servers in it, and a PostgreSQL to stop."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..bench.server import Server
from .postgres import PostgresServer

StartServer = Callable[..., Server]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A temporary folder that PostgreSQL's user may pass through; pytest's own are closed to others."""
    path = Path(tempfile.mkdtemp(prefix="cordwood-soak-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def make_server(folder: Path) -> Iterator[StartServer]:
    """Makes servers (not yet started) in folders of their own; whatever still runs at the end is killed."""
    servers: list[Server] = []

    def make(name: str = "node", **options: Any) -> Server:
        own = folder / name
        own.mkdir()
        own.chmod(0o755)
        servers.append(Server(own, **options))
        return servers[-1]

    yield make
    for server in servers:
        server.kill()
        print(f"--- {server.log}:\n{server.last_words()}")


@pytest.fixture
def postgres(folder: Path) -> Iterator[PostgresServer]:
    """A running PostgreSQL server from the system's package, with an empty database."""
    server = PostgresServer(folder / "postgres")
    server.start()
    yield server
    server.stop()
