"""The database goes away under load and comes back, its disk fills and is emptied: Cordwood says so and recovers."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..bench.server import Server
from ..mounting import small_file_system
from .conftest import StartServer
from .postgres import PostgresServer
from .workload import Clients, wait_until


def is_ready(server: Server) -> bool:
    return server.get("/readyz")[0] == 200


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_a_database_that_comes_back(how: signal.Signals, make_server: StartServer, postgres: PostgresServer) -> None:
    server = make_server(environment={"CORDWOOD_DATABASE_URL": postgres.url})
    server.start()
    with Clients([server], 4, service="gone") as clients:
        time.sleep(1)
        for _ in range(2):
            postgres.stop(how)
            wait_until(lambda: not is_ready(server), "readyz notices")
            # The clients themselves may all wait to learn whether the commit that was cut off is stored.
            status, _, headers = server.post([{"service": "refused", "message": "not now"}])
            assert (status, headers["retry-after"].isdigit()) == (503, True)
            assert server.get("/healthz")[0] == 200
            time.sleep(1)
            postgres.start()
            acknowledged = len(clients.acknowledged)
            wait_until(lambda: is_ready(server), "readyz recovers")
            wait_until(lambda n=acknowledged: len(clients.acknowledged) > n + 1000, "clients are acknowledged again")
    assert not clients.unexpected
    assert 0 not in clients.answers, "connections broke"
    assert all(value.isdigit() for value in clients.retry_after), clients.retry_after
    rows = server.query("service:gone | stats count() as n, distinct_exact(event_id) as ids")
    assert rows == [{"n": len(clients.acknowledged), "ids": len(clients.acknowledged)}]
    assert server.stop() == 0


@pytest.fixture
def small_disk(data_dir: Path) -> Iterator[Path]:
    """A file system of 300 MB in memory; skipped where we may not mount one."""
    with small_file_system(data_dir / "disk", "300m") as disk:
        yield disk


def test_a_full_disk_that_is_emptied(small_disk: Path) -> None:
    server = Server(small_disk)
    server.log = small_disk.parent / "cordwood.log"  # the log must not fill the disk
    server.start()
    try:
        stored = fill(server, small_disk)
        status, answer, _ = server.get("/readyz")
        assert status == 503, answer
        assert b"disk" in answer.lower() or b"space" in answer.lower(), answer
        assert server.get("/healthz")[0] == 200
        (small_disk / "filler").unlink()
        wait_until(lambda: post_random(server)[0] == 200, "events are taken in again", at_most=60)
        stored += 1
        wait_until(lambda: is_ready(server), "readyz recovers")
        assert server.count("service:full") == stored * 20, "what was refused is not stored"
        assert server.stop() == 0
    finally:
        server.kill()
        print(server.last_words())


def fill(server: Server, disk: Path) -> int:
    """Take nearly all space away, then post until the server refuses; the number of bodies acknowledged before."""
    with (disk / "filler").open("wb") as filler:
        os.posix_fallocate(filler.fileno(), 0, shutil.disk_usage(disk).free - 6_000_000)
    for acknowledged in range(200):
        status, answer, headers = post_random(server)
        if status != 200:
            assert status == 503, answer
            assert headers["retry-after"].isdigit()
            return acknowledged
    raise AssertionError("200 bodies went into a disk with 6 MB left")


def post_random(server: Server) -> tuple[int, bytes, dict[str, str]]:
    """Twenty events of 20 KB that do not compress."""
    events = [{"service": "full", "message": secrets.token_urlsafe(20_000)} for _ in range(20)]
    status, answer, headers = server.post(events)
    return status, answer, dict(headers)
