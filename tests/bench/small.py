"""Small requests: many posts a second of ten events each, paced; each answer timed from when its post was due.

The client is a process of its own. A post that finds all connections waiting is late, and its answer's time counts
from when it should have been sent: a server that stalls cannot hide it by making the client wait.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any, Final, cast

import uvloop

from .corpus import corpus
from .server import ROOT, Server
from .usage import cpu_seconds

EVENTS: Final = 10
CONNECTIONS: Final = 32
_COMMITS: Final = re.compile(rb"(?m)^cordwood_committed_segments_total (\S+)")


def run(server: Server, *, rate: int = 2000, seconds: int = 30) -> dict[str, Any]:
    """Post `rate` bodies a second for so many seconds to a server that is ready and empty; the figures.

    :raises RuntimeError: an event is missing or there is one too many, or a post was refused
    """
    path = corpus(rate * seconds * EVENTS)
    before = cpu_seconds(server.family())
    command = [sys.executable, "-m", "tests.bench.small", str(path), str(server.port), "--rate", str(rate)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True)
    after = cpu_seconds(server.family())
    sent: dict[str, Any] = json.loads(done.stdout)
    found = server.count()
    if sent["failures"] or found != sent["acknowledged"]:
        raise RuntimeError(f"{found} events found, {sent['acknowledged']} acknowledged; {sent['failures'][:3]}")
    commits = float(_COMMITS.search(server.get("/metrics")[1])[1])  # type: ignore[index]
    return sent | {"rate": rate, "commits": commits, "cpu_s": {who: after[who] - before[who] for who in before}}


def report(figures: dict[str, Any]) -> str:
    """The figures for people."""
    due, answer, cpu = figures["from_due_ms"], figures["from_send_ms"], figures["cpu_s"]
    return "\n".join(
        [
            (
                f"small requests: {figures['posts']:,} posts of {EVENTS} events, {figures['rate']:,} a second wanted, "
                f"{CONNECTIONS} connections; all committed"
            ),
            (
                f"  posts a second           {figures['posts'] / figures['wall_s']:,.0f}, in "
                f"{figures['commits'] / figures['wall_s']:.0f} commits a second"
            ),
            f"  answer, from when due    {_times(due)}",
            f"  answer, from when sent   {_times(answer)}",
            (
                f"  CPU                      {cpu['total']:.1f} s: Cordwood {cpu['cordwood']:.1f}, PostgreSQL "
                f"{cpu['postgres']:.1f}; of the client {figures['client_cpu_s']:.1f} s"
            ),
        ]
    )


def _times(times: dict[str, float]) -> str:
    return f"{times['p50']:.0f} ms median, {times['p99']:.0f} ms p99, {times['max']:.0f} ms at most"


class _Client:
    """Takes the posts in order, each by a free connection when it is due."""

    def __init__(self, bodies: list[bytes], rate: int) -> None:
        self.bodies, self.rate = bodies, rate
        self.next = 0
        self.free: deque[_Connection] = deque()
        self.from_due: list[float] = []
        self.from_send: list[float] = []
        self.failures: list[str] = []
        self.acknowledged = 0
        self.began = 0.0

    def due(self, number: int) -> float:
        """When a post is to be sent, in the loop's time."""
        return self.began + number / self.rate

    async def run(self, port: int) -> dict[str, Any]:
        """Send all; the figures."""
        loop = asyncio.get_running_loop()
        for _ in range(CONNECTIONS):
            _, connection = await loop.create_connection(lambda: _Connection(self, port), "127.0.0.1", port)
            self.free.append(connection)
        self.began = loop.time()
        while len(self.from_due) < len(self.bodies) and not self.failures:
            self.send_due()
            await asyncio.sleep(0.001)
        return {
            "posts": len(self.from_due),
            "acknowledged": self.acknowledged,
            "wall_s": loop.time() - self.began,
            "client_cpu_s": time.process_time(),
            "from_due_ms": _percentiles(self.from_due),
            "from_send_ms": _percentiles(self.from_send),
            "failures": self.failures,
        }

    def send_due(self) -> None:
        """Send what is due, as far as connections are free."""
        now = asyncio.get_running_loop().time()
        while self.free and self.next < len(self.bodies) and self.due(self.next) <= now:
            self.free.popleft().post(self.next, now)
            self.next += 1


class _Connection(asyncio.Protocol):
    def __init__(self, client: _Client, port: int) -> None:
        self._client = client
        self._head = (
            f"POST /api/v1/logs HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/x-ndjson\r\n"
        ).encode()
        self._data = b""
        self._number, self._sent = 0, 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def post(self, number: int, now: float) -> None:
        body = self._client.bodies[number]
        self._number, self._sent = number, now
        self._transport.write(b"%sContent-Length: %d\r\n\r\n%s" % (self._head, len(body), body))

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        if not end or not body.endswith(b"}"):
            return
        client, now = self._client, asyncio.get_running_loop().time()
        if not head.startswith(b"HTTP/1.1 200"):
            client.failures.append(repr(self._data[:300]))
            return
        client.acknowledged += json.loads(body)["accepted"]
        client.from_due.append(now - client.due(self._number))
        client.from_send.append(now - self._sent)
        self._data = b""
        client.free.append(self)
        client.send_due()

    def connection_lost(self, why: Exception | None) -> None:
        if len(self._client.from_due) < len(self._client.bodies):
            self._client.failures.append(f"the server closed a connection: {why}")


def _percentiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds) or [0.0]
    at = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}
    return {name: ordered[min(len(ordered) - 1, int(part * len(ordered)))] * 1000 for name, part in at.items()}


def _bodies(path: Path) -> list[bytes]:
    lines = path.read_bytes().splitlines(keepends=True)
    return [b"".join(lines[at : at + EVENTS]) for at in range(0, len(lines), EVENTS)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--rate", type=int, required=True)
    given = parser.parse_args()
    print(json.dumps(uvloop.run(_Client(_bodies(given.corpus), given.rate).run(given.port))), flush=True)
