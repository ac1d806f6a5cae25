"""Small reads of the API, signed in by a token: how long one takes alone, and how many a second by several connections.

The client is a process of its own. Each connection sends its next request when the answer to the last one is whole.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import uvloop

from .server import ROOT, Server
from .usage import cpu_seconds

READS: Final = {
    "health": "/healthz",
    "session": "/api/v1/session",
    "notifiers": "/api/v1/notifiers",
    "saved queries": "/api/v1/saved-queries",
    "a dashboard": "/api/v1/dashboards/overview",
}
"""By what they need: nothing, who asks, the configuration, a row of the database, a document."""
CONNECTIONS: Final = 16
_ADMIN: Final = {"CORDWOOD_ADMIN_EMAIL": "ann@example.org", "CORDWOOD_ADMIN_PASSWORD": "correct horse battery"}


def run(folder: Path, *, seconds: float = 4) -> dict[str, Any]:
    """The figures of each of `READS`: first alone, then by `CONNECTIONS`, for so many seconds each."""
    folder.mkdir(mode=0o755)
    with Server(folder, environment=_ADMIN) as server:
        token = _token(server)
        return {name: _measured(server, path, token, seconds) for name, path in READS.items()}


def _measured(server: Server, path: str, token: str, seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.api", str(server.port), path, "--seconds", str(seconds)]
    figures: dict[str, Any] = {}
    for connections in (1, CONNECTIONS):
        before = cpu_seconds(server.family())
        done = subprocess.run(
            [*command, "--connections", str(connections)],
            env={**os.environ, "CORDWOOD_TOKEN": token},
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            check=True,
        )
        after = cpu_seconds(server.family())
        found = json.loads(done.stdout)
        if found["failures"]:
            raise RuntimeError(f"{path}: {found['failures'][:3]}")
        cpu = {f"{who}_ms": (after[who] - before[who]) * 1000 / found["requests"] for who in ("cordwood", "postgres")}
        figures["alone" if connections == 1 else "together"] = found | cpu
    return figures


def _token(server: Server) -> str:
    who = {"email": _ADMIN["CORDWOOD_ADMIN_EMAIL"], "password": _ADMIN["CORDWOOD_ADMIN_PASSWORD"]}
    cookie = _post(server, "/api/v1/session", who, {})[1]["Set-Cookie"].partition(";")[0]
    body, _ = _post(server, "/api/v1/tokens", {"name": "bench", "scopes": ["query"]}, {"Cookie": cookie})
    return str(body["secret"])


def _post(server: Server, path: str, body: Any, headers: Mapping[str, str]) -> tuple[Any, Any]:
    kind = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(server.url + path, json.dumps(body).encode(), kind)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer), answer.headers


def report(figures: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [f"small reads, signed in by a token; alone, and by {CONNECTIONS} connections"]
    for name, found in figures.items():
        alone, together = found["alone"], found["together"]
        lines.append(
            f"  {name:<14} alone {alone['p50_ms']:5.1f} ms median, {alone['p99_ms']:6.1f} ms p99; together "
            f"{together['requests'] / together['wall_s']:6,.0f} a second, {together['p50_ms']:5.1f} ms median; "
            f"CPU of one {together['cordwood_ms']:.2f} ms, PostgreSQL {together['postgres_ms']:.2f} ms"
        )
    return "\n".join(lines)


class _Client:
    def __init__(self, port: int, path: str, seconds: float, connections: int) -> None:
        token = os.environ["CORDWOOD_TOKEN"]
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n"
        self.request = head.encode()
        self.port, self.seconds, self.connections = port, seconds, connections
        self.times: list[float] = []
        self.failures: list[str] = []
        self.until = 0.0
        self.running = connections
        self.done = asyncio.Event()

    async def run(self) -> dict[str, Any]:
        """Ask until the time is over; the figures."""
        loop = asyncio.get_running_loop()
        began = time.perf_counter()  # the loop's own clock has whole milliseconds
        self.until = began + self.seconds
        for _ in range(self.connections):
            await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self.port)
        await self.done.wait()
        ordered = sorted(self.times) or [0.0]
        return {
            "requests": len(self.times),
            "wall_s": time.perf_counter() - began,
            "p50_ms": ordered[len(ordered) // 2] * 1000,
            "p99_ms": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000,
            "client_cpu_s": time.process_time(),
            "failures": self.failures,
        }

    def finished(self) -> None:
        """A connection has no more to ask."""
        self.running -= 1
        if not self.running:
            self.done.set()


class _Connection(asyncio.Protocol):
    def __init__(self, client: _Client) -> None:
        self._client, self._data, self._wanted = client, b"", 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def _ask(self) -> None:
        self._data, self._wanted = b"", 0
        self._sent = time.perf_counter()
        self._transport.write(self._client.request)

    def data_received(self, data: bytes) -> None:
        self._data += data
        client = self._client
        if not self._wanted:
            head, end, _ = self._data.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 200"):
                client.failures.append(repr(self._data[:300]))
                self._transport.close()
                return
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            self._wanted = len(head) + 4 + int(length.partition(b":")[2])
        if len(self._data) >= self._wanted:
            now = time.perf_counter()
            client.times.append(now - self._sent)
            if now >= client.until:
                self._transport.close()
            else:
                self._ask()

    def connection_lost(self, why: Exception | None) -> None:
        self._client.finished()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--connections", type=int, required=True)
    given = parser.parse_args()

    async def ask() -> dict[str, Any]:
        return await _Client(given.port, given.path, given.seconds, given.connections).run()

    print(json.dumps(uvloop.run(ask())), flush=True)
