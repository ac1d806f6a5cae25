"""Sources that cannot wait, while the database is gone: what they were sent is kept, and is stored once, in order."""

from __future__ import annotations

import gzip
import json
import random
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from cordwood.core.runtime.spool import Room, Spool
from cordwood.plugins import Batch
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore

from ..conftest import Server, free_port
from ..soak.postgres import PostgresServer

MIB = 1024 * 1024


def wait(done: Callable[[], Any], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"it takes too long: {what}"
        time.sleep(0.02)


@pytest.fixture
def database(data_dir: Path) -> Iterator[PostgresServer]:
    made = PostgresServer(data_dir / "database")
    made.start()
    yield made
    made.stop(signal.SIGQUIT)


class Sender:
    """Datagrams to a server that runs on the database, and what it says of them."""

    def __init__(self, data_dir: Path, database: PostgresServer, more: str = "") -> None:
        self.ports = {"devices": free_port(), "graylog": free_port()}
        config = f"""
version: 1
sources:
  devices: {{type: syslog, udp: "127.0.0.1:{self.ports["devices"]}"}}
  graylog: {{type: gelf, udp: "127.0.0.1:{self.ports["graylog"]}"}}
{more}
"""
        self.server = Server(data_dir / "cordwood", config, {"CORDWOOD_DATABASE_URL": database.url})
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def send(self, source: str, texts: list[str]) -> None:
        for text in texts:
            data = f"<13>1 - web app - - - {text}".encode()
            if source == "graylog":
                data = gzip.compress(json.dumps({"version": "1.1", "host": "web", "short_message": text}).encode())
            self._socket.sendto(data, ("127.0.0.1", self.ports[source]))

    def end(self) -> None:
        self._socket.close()
        self.server.kill()

    def warnings(self) -> list[str]:
        return list(json.loads(self.server.call("GET", "/readyz")[1])["warnings"])

    def kept(self, source: str) -> int:
        """Events on the disk, as readyz tells."""
        found = [text.split() for text in self.warnings() if text.startswith(f"source {source}:") and "kept" in text]
        return int(found[0][2]) if found else 0

    def send_all(self, source: str, texts: list[str]) -> None:
        """While the database is gone: so many at once as the kernel has room for, each lot until it is on the disk."""
        before = self.kept(source)
        for start in range(0, len(texts), 50):
            self.send(source, texts[start : start + 50])
            wait(lambda n=start: self.kept(source) >= before + min(n + 50, len(texts)), "on the disk")

    def stored(self, source: str) -> list[str]:
        rows = self.server.query(f"source:{source} | fields message", limit=1_000_000)
        return sorted(row["message"] for row in rows)


@pytest.fixture
def sender(data_dir: Path, database: PostgresServer) -> Iterator[Sender]:
    made = Sender(data_dir, database)
    made.server.start()
    yield made
    made.end()


def texts_of(name: str, count: int) -> list[str]:
    return [f"{name} {n:04}" for n in range(count)]


def test_what_came_while_the_database_was_gone_is_stored_once_after_a_kill(
    sender: Sender, database: PostgresServer
) -> None:
    before, gone, later = (texts_of(name, 200) for name in ("before", "gone", "later"))
    sender.send("devices", before[:100])
    wait(lambda: len(sender.stored("devices")) == 100, "the first are stored")
    database.stop(signal.SIGQUIT)
    sender.send_all("devices", gone)
    sender.send_all("graylog", gone[:70])
    sender.server.kill()
    assert len(list((sender.server.data_dir / "spool").rglob("*.arrow"))) >= 2
    database.start()
    sender.server.start()
    wait(lambda: len(sender.stored("graylog")) == 70 and len(sender.stored("devices")) == 300, "all is stored")
    sender.send("devices", later[:100])
    wait(lambda: len(sender.stored("devices")) >= 400, "what comes later is stored")
    assert sender.stored("devices") == sorted([*before[:100], *gone, *later[:100]])
    assert sender.stored("graylog") == gone[:70]
    assert sender.warnings() == []
    assert not list((sender.server.data_dir / "spool").rglob("*.arrow"))


def test_a_full_spool_says_what_is_lost(data_dir: Path, database: PostgresServer) -> None:
    sender = Sender(data_dir, database, "limits: {spool: 1MiB}")
    sender.server.start()
    try:
        database.stop(signal.SIGINT)
        texts = [f"{n:04} {secrets.token_hex(1500)}" for n in range(900)]  # 1.4 MB, and no compression finds less

        def lost() -> int:
            found = [text.split() for text in sender.warnings() if "are lost" in text]
            return int(found[0][2]) if found else 0

        for start in range(0, len(texts), 50):
            sender.send("devices", texts[start : start + 50])
            wait(lambda n=start: sender.kept("devices") + lost() >= min(n + 50, len(texts)), "kept or counted as lost")
        assert lost() > 0
        assert sender.kept("devices") > 400
        database.start()
        wait(lambda: sender.kept("devices") == 0, "the disk is empty")
        found = sender.stored("devices")
        assert len(found) == len(texts) - lost()
        assert set(found) <= set(texts)
        assert len(set(found)) == len(found)
        metrics = sender.server.call("GET", "/metrics")[1].decode()
        line = f'cordwood_source_spool_dropped_events_total{{source="devices",type="syslog"}} {float(lost())}'
        assert line in metrics
        (source,) = (
            one for one in json.loads(sender.server.call("GET", "/api/v1/pipelines")[1])["sources"]
            if one["name"] == "devices"
        )  # fmt: skip
        assert (source["spooled"], source["spool_dropped"]) == (0, lost())
        sender.send("devices", ["it goes on"])
        wait(lambda: "it goes on" in sender.stored("devices"), "it goes on")
    finally:
        sender.end()


@pytest.mark.anyio
@pytest.mark.parametrize("seed", range(5))
async def test_each_event_once_and_in_order_whatever_fails_and_ends(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    store, room = MemoryStore(), Room(64 * MIB)
    numbers = iter(range(100_000))
    sent: list[str] = []
    for _ in range(6):  # one process after the other on the same folder
        outlet = MemoryOutlet(store, trouble=chance.choice([0, 0.1, 0.6]), chance=chance)
        spool = Spool(tmp_path / "spool", outlet, room)
        spool.pauses = (0.001, 0.002)
        async with spool.running():
            for _ in range(chance.randrange(40)):
                lines = [f"line {next(numbers)}" for _ in range(chance.randrange(1, 30))]
                await spool.hold(Batch.from_lines(lines), 10)
                sent += lines
                if chance.random() < 0.3:
                    await anyio.sleep(0.001)
    spool = Spool(tmp_path / "spool", MemoryOutlet(store), room)
    async with spool.running():
        with anyio.fail_after(30):
            # The files go last: a stop in between leaves some to the next start, which sees that they are stored.
            while len(store.lines) < len(sent) or spool.events or list((tmp_path / "spool").glob("*.arrow")):
                await anyio.sleep(0.005)
    assert store.lines == sent
    assert (spool.dropped, spool.events, spool.bytes) == (0, 0, 0)
    assert room.used == 0
