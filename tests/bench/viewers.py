"""Many who watch at once: viewers of a dashboard and live tails, beside ingest at a quarter of full speed.

Each viewer opens the built-in overview's panels at once, by six connections as a browser does, every 30 seconds; the
viewers come evenly spread. A panel's time is from when it is asked for until its answer is whole, its wait for a
connection included. Each tail follows a search of its own and a mark that is sent every second; a mark's time is from
its acknowledgement to its arrival. The clients and the sender are processes of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.parse
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
import uvloop

from .corpus import EVENTS_PER_SECOND, FIRST, block_ranges, corpus
from .server import ROOT, Server
from .usage import cpu_seconds
from .words import SERVICES

VIEWERS: Final = 200
TAILS: Final = 50
REFRESH_S: Final = 30.0  # the built-in dashboard's own
CONNECTIONS: Final = 6  # of a browser to one host
RANGE_S: Final = 3600
MAX_AGE_S: Final = 10  # of an answer, as the UI asks at this refresh
SETTLE_S: Final = 5.0  # at first, which is not counted: what is kept is made
OVERVIEW: Final = ROOT / "core" / "dashboards" / "builtin" / "overview.json"
LIMITS: Final = {"timeseries": 20_000, "bar": 20_000, "heatmap": 20_000, "table": 500, "number": 1, "top": 100}
"""Rows of a panel by its kind, as the UI asks for them; 500 of others."""


def run(folder: Path, *, events: int, seconds: float, full_rate: float | None = None, seed: int = 1) -> dict[str, Any]:
    """Fill a store; then send a quarter of `full_rate` (events a second; None: as filling went), alone and watched."""
    folder.mkdir(mode=0o755, exist_ok=True)
    path = corpus(events, seed)
    with Server(folder) as server:
        command = [sys.executable, "-m", "tests.bench.client", str(path), str(server.port)]
        lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True).stdout.splitlines()
        filled = json.loads(lines[-1])
        tokens = _tokens(server)
        rate = (full_rate or filled["acknowledged"] / filled["wall_s"]) / 4
        end = datetime.fromtimestamp(FIRST.astype("datetime64[s]").astype(int) + events / EVENTS_PER_SECOND, UTC)
        alone = _round(server, path, end, rate, seconds / 3, tokens, viewers=0, tails=0)
        watched = _round(server, path, end, rate, seconds, tokens, viewers=VIEWERS, tails=TAILS)
        return {"events": events, "rate": rate, "seconds": seconds, "alone": alone, "watched": watched}


def _tokens(server: Server) -> list[str]:
    """A token that sends, and one for each viewer: nobody's many queries then keep another's waiting."""
    who = {"email": "ann@example.org", "password": "correct horse battery"}
    status, answer, headers = _post(server, "/api/v1/session/first", who)
    if status != 201:
        raise RuntimeError(f"no first account: {status} {answer[:300]!r}")
    cookie = headers["set-cookie"].partition(";")[0]
    made = []
    for number in range(VIEWERS + 1):
        body = {"name": f"bench {number}", "scopes": ["query"] if number else ["ingest"]}
        status, answer, _ = _post(server, "/api/v1/tokens", body, cookie)
        if status != 201:
            raise RuntimeError(f"no token: {status} {answer[:300]!r}")
        made.append(str(json.loads(answer)["secret"]))
    return made


def _post(server: Server, path: str, body: Any, cookie: str = "") -> tuple[int, bytes, Any]:
    headers = {"Content-Type": "application/json", "Cookie": cookie}
    return server.call("POST", path, json.dumps(body).encode(), headers)


def _round(
    server: Server,
    path: Path,
    end: datetime,
    rate: float,
    seconds: float,
    tokens: list[str],
    *,
    viewers: int,
    tails: int,
) -> dict[str, Any]:
    environment = {**os.environ, "CORDWOOD_TOKENS": " ".join(tokens)}
    here = [sys.executable, "-m", "tests.bench.viewers", str(server.port), "--seconds", str(seconds)]
    before, began = cpu_seconds(server.family()), time.monotonic()
    sender = subprocess.Popen(
        [*here, "send", str(path), "--rate", str(rate)], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    )
    found: dict[str, Any] = {}
    if viewers or tails:
        watch = [*here, "watch", end.isoformat(), "--viewers", str(viewers), "--tails", str(tails)]
        done = subprocess.run(watch, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment, check=True)
        found = json.loads(done.stdout)
    sent = json.loads(sender.communicate()[0])
    after, wall = cpu_seconds(server.family()), time.monotonic() - began
    cores = {who: (after[who] - before[who]) / wall for who in before}
    return found | {"ingest": sent, "cores": cores, "load": os.getloadavg()[0], "machine_cores": psutil.cpu_count()}


def report(figures: dict[str, Any]) -> str:
    """The figures for people."""
    watched, alone = figures["watched"], figures["alone"]
    beside = f"beside {figures['rate']:,.0f} events a second, for {figures['seconds']:.0f} s"
    lines = [
        f"{VIEWERS} viewers of 13 panels every {REFRESH_S:.0f} s and {TAILS} live tails, {beside}",
        f"  a panel       {_times(watched['panel_ms'])}; {watched['panels']:,} asked, {watched['refused']} refused",
        f"  a mark's way  {_times(watched['mark_ms'])}; {watched['marks']:,} came, {watched['tailed']:,} other events",
    ]
    for name, one in (("alone", alone), ("watched", watched)):
        sent, cores = one["ingest"], one["cores"]
        speed = f"{sent['acknowledged'] / sent['wall_s']:,.0f} a second, answer {_times(sent['answer_ms'])}"
        used = f"Cordwood {cores['cordwood']:.2f}, PostgreSQL {cores['postgres']:.2f} of {one['machine_cores']}"
        lines.append(f"  ingest {name:<8}{speed}; cores: {used}, load {one['load']:.1f}")
    lines += [f"  {one}" for one in (*watched["refusals"], *watched["ingest"]["refusals"])]
    for name, ms in watched["by_panel_ms"].items():
        lines.append(f"    {name:<12} p95 {ms:,.0f} ms")
    return "\n".join(lines)


def _times(times: dict[str, float]) -> str:
    return f"{times['p50']:,.0f} ms median, {times['p95']:,.0f} ms p95, {times['max']:,.0f} ms at most"


def _percentiles(seconds: list[float]) -> dict[str, float]:
    values = np.array(seconds or [0.0]) * 1000
    return {"p50": float(np.quantile(values, 0.5)), "p95": float(np.quantile(values, 0.95)), "max": float(values.max())}


class _Connection:
    """One connection of HTTP/1.1 that is kept."""

    def __init__(self, port: int, token: str) -> None:
        self._port, self._token = port, token
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, method: str, target: str, body: bytes = b"", kind: str = "application/json") -> int:
        """Send a request; the status. The body is still to be read."""
        head = (
            f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nContent-Type: {kind}\r\n"
            f"Authorization: Bearer {self._token}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        while True:
            if self._streams is not None and self._streams[1].is_closing():
                self._streams = None  # the server closes connections that were idle for some seconds
            is_new = self._streams is None
            reader, writer = self._streams or await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 24)
            self._streams = (reader, writer)
            try:
                writer.write(head.encode() + body)
                answer = (await reader.readuntil(b"\r\n\r\n")).lower()
                break
            except (asyncio.IncompleteReadError, OSError):
                writer.close()
                self._streams = None  # closed just now
                if is_new:
                    raise
        length = next((line for line in answer.split(b"\r\n") if line.startswith(b"content-length:")), None)
        self._length = None if length is None else int(length.partition(b":")[2])
        return int(answer.split(b" ", 2)[1])

    async def part(self) -> bytes:
        """The next part of the body; empty at its end."""
        assert self._streams is not None
        reader = self._streams[0]
        if self._length is not None:
            data, self._length = await reader.readexactly(self._length), 0
            return data
        size = int(await reader.readuntil(b"\r\n"), 16)
        return (await reader.readexactly(size + 2))[:-2]

    async def ask(self, method: str, target: str, body: bytes, kind: str = "application/json") -> tuple[int, bytes]:
        """The status and the whole body of an answer."""
        status, parts = await self.send(method, target, body, kind), []
        while part := await self.part():
            parts.append(part)
        return status, b"".join(parts)


class _Watching:
    def __init__(self, port: int, tokens: list[str], end: datetime, seconds: float) -> None:
        self.port, self.end, self.seconds = port, end, seconds
        self.ingest, *self.tokens = tokens
        self.panels: dict[str, list[float]] = {}
        self.marks: list[float] = []
        self.sent: dict[int, float] = {}
        self.early: list[tuple[int, float]] = []
        self.tailed = 0
        self.failures: list[str] = []
        self.began = time.perf_counter()

    async def run(self, viewers: int, tails: int) -> dict[str, Any]:
        document = json.loads(OVERVIEW.read_text())
        panels = [
            (one["id"], one["query"].replace("$service", "*"), LIMITS.get(one["kind"], 500))
            for one in document["panels"]
            if one["kind"] != "markdown"
        ]
        try:
            async with asyncio.timeout(self.seconds), asyncio.TaskGroup() as tasks:
                for number in range(tails):
                    tasks.create_task(self.tail(number))
                tasks.create_task(self.mark())
                for number in range(viewers):
                    tasks.create_task(self.view(panels, self.tokens[number], number * REFRESH_S / viewers))
        except TimeoutError:
            pass
        late = [came - self.sent[number] for number, came in self.early if number in self.sent]
        return {
            "panels": sum(map(len, self.panels.values())),
            "panel_ms": _percentiles([one for times in self.panels.values() for one in times]),
            "by_panel_ms": {name: _percentiles(times)["p95"] for name, times in self.panels.items()},
            "marks": len(late),
            "mark_ms": _percentiles([max(0.0, one) for one in late]),
            "tailed": self.tailed,
            "refused": len(self.failures),
            "refusals": self.failures[:3],
            "client_cpu_s": time.process_time(),
        }

    async def view(self, panels: list[tuple[str, str, int]], token: str, at: float) -> None:
        """A viewer's refreshes."""
        free: asyncio.Queue[_Connection] = asyncio.Queue()
        for _ in range(CONNECTIONS):
            free.put_nowait(_Connection(self.port, token))
        await asyncio.sleep(at)
        while True:
            until = time.perf_counter() + REFRESH_S
            to = self.end + timedelta(seconds=time.perf_counter() - self.began)
            around = {"from": (to - timedelta(seconds=RANGE_S)).isoformat(), "to": to.isoformat(), "max_age": MAX_AGE_S}
            async with asyncio.TaskGroup() as tasks:
                for name, text, limit in panels:
                    body = json.dumps(
                        {"query": text, "limit": limit, "timezone": "UTC", "max_age": MAX_AGE_S, **around}
                    ).encode()
                    tasks.create_task(self.panel(free, name, body))
            await asyncio.sleep(until - time.perf_counter())

    async def panel(self, free: asyncio.Queue[_Connection], name: str, body: bytes) -> None:
        asked = time.perf_counter()
        connection = await free.get()
        status, answer = await connection.ask("POST", "/api/v1/query", body)
        free.put_nowait(connection)
        if status != 200:
            self.failures.append(f"{name}: {status} {answer[:300]!r}")
        elif asked - self.began > SETTLE_S:
            self.panels.setdefault(name, []).append(time.perf_counter() - asked)

    async def tail(self, number: int) -> None:
        search = f"(severity>=error service:{SERVICES[number % len(SERVICES)]}) or service:bench-mark"
        connection = _Connection(self.port, self.tokens[number])
        status = await connection.send("GET", f"/api/v1/tail?query={urllib.parse.quote(search)}")
        if status != 200:
            self.failures.append(f"tail: {status}")
            return
        while part := await connection.part():
            now = time.perf_counter()
            for line in part.split(b"\n"):
                if not line.startswith(b"data: "):
                    continue
                if b'"bench-mark"' in line:
                    self.early.append((json.loads(line[6:])["mark"], now))
                else:
                    self.tailed += 1
        self.failures.append("a tail ended")

    async def mark(self) -> None:
        """An event a second that all tails follow."""
        connection = _Connection(self.port, self.ingest)
        for number in range(1_000_000):
            body = json.dumps({"service": "bench-mark", "mark": number, "timestamp": self.end.isoformat()}).encode()
            status, answer = await connection.ask("POST", "/api/v1/logs", body, "application/x-ndjson")
            if status != 200:
                self.failures.append(f"mark: {status} {answer[:300]!r}")
            if time.perf_counter() - self.began > SETTLE_S:
                self.sent[number] = time.perf_counter()
            await asyncio.sleep(1)


async def _send(port: int, token: str, path: Path, rate: float, seconds: float) -> dict[str, Any]:
    """Post blocks when they are due, by four connections; an answer's time counts from then."""
    began, answers, failures = time.perf_counter(), [], []
    acknowledged = 0
    free: asyncio.Queue[_Connection] = asyncio.Queue()
    for _ in range(4):
        free.put_nowait(_Connection(port, token))
    data = path.read_bytes()
    parts = [data[at : at + size] for at, size in block_ranges(path)[-25:]]

    async def post(connection: _Connection, part: bytes, due: float) -> None:
        nonlocal acknowledged
        status, answer = await connection.ask("POST", "/api/v1/logs", part, "application/x-ndjson")
        free.put_nowait(connection)
        if status == 200:
            acknowledged += json.loads(answer)["accepted"]
            answers.append(time.perf_counter() - due)
        else:
            failures.append(f"send: {status} {answer[:300]!r}")

    due, number = began, 0
    async with asyncio.TaskGroup() as tasks:
        while due < began + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            part = parts[number % len(parts)]
            tasks.create_task(post(await free.get(), part, due))
            due, number = due + part.count(b"\n") / rate, number + 1
    wall = time.perf_counter() - began
    return {"acknowledged": acknowledged, "wall_s": wall, "answer_ms": _percentiles(answers), "refusals": failures[:3]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--seconds", type=float, required=True)
    parts = parser.add_subparsers(dest="part", required=True)
    watch = parts.add_parser("watch")
    watch.add_argument("end", type=datetime.fromisoformat)
    watch.add_argument("--viewers", type=int, required=True)
    watch.add_argument("--tails", type=int, required=True)
    send = parts.add_parser("send")
    send.add_argument("corpus", type=Path)
    send.add_argument("--rate", type=float, required=True)
    given = parser.parse_args()
    known = os.environ["CORDWOOD_TOKENS"].split()
    if given.part == "watch":
        made = _Watching(given.port, known, given.end, given.seconds)
        print(json.dumps(uvloop.run(made.run(given.viewers, given.tails))), flush=True)
    else:
        print(json.dumps(uvloop.run(_send(given.port, known[0], given.corpus, given.rate, given.seconds))), flush=True)
