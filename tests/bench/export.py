"""Millions of events as NDJSON: the speed beside DuckDB's own COPY of the same rows, and the memory it takes."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import duckdb

from . import ingest
from .corpus import corpus
from .server import Server
from .usage import PeakMemory, cpu_seconds, resident_bytes, wait_until_quiet

ASKED: Final = {"query": "", "limit": 10_000_000, "timeout": 600}
QUIET: Final = 10  # looks, 20 ms apart, in which it has used no more CPU than this: it is idle
QUIET_S: Final = 0.05
HEADERS: Final = {"Accept": "application/x-ndjson", "Content-Type": "application/json"}
CLIENT: Final = """
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=600)
headers = {"Accept": "application/x-ndjson", "Content-Type": "application/json"}
connection.request("POST", "/api/v1/query", sys.argv[2], headers)
answer, size, lines = connection.getresponse(), 0, 0
while part := answer.read1(1 << 20):
    size, lines = size + len(part), lines + part.count(b"\\n")
print(size, lines, answer.headers["x-query-complete"])
"""


def run(folder: Path, events: int, seed: int = 1) -> dict[str, Any]:
    """Ingest, wait until it is merged, export all; then the same rows by DuckDB from one Parquet file."""
    folder.mkdir(mode=0o755)
    path = corpus(events, seed)
    with Server(folder) as server:
        sent = ingest.send(server, path, {})
        if sent["acknowledged"] != events:
            raise RuntimeError(f"{sent['acknowledged']} of {events} acknowledged; {sent['failures'][:3]}")
        wait_until_quiet(server.family, for_s=ingest.COMPACTED_S)
        before, cpu = resident_bytes(server.family()), cpu_seconds(server.family())["total"]
        with PeakMemory(server.family) as memory:
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", CLIENT, str(server.port), json.dumps(ASKED)],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
            seconds = time.perf_counter() - began
        cpu = cpu_seconds(server.family())["total"] - cpu
        size, lines, complete = done.stdout.split()
        if int(lines) != events or complete != "true":
            raise RuntimeError(f"{lines} of {events} events, complete: {complete}")
        figures = {
            "events": events,
            "bytes": int(size),
            "seconds": seconds,
            "cpu_s": cpu,
            "grown_bytes": memory.peak_bytes - before,
            **_cancelled(server),
        }
    return figures | _copied(folder, path)


def _cancelled(server: Server) -> dict[str, float]:
    """Milliseconds until the server is idle after a client that read a little has gone, and what memory is left."""
    family = server.family()  # once: walking the process table takes longer than a look
    before = resident_bytes(family)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    connection.request("POST", "/api/v1/query", json.dumps(ASKED | {"id": "to-be-cancelled"}), HEADERS)
    connection.getresponse().read(50_000_000)
    connection.close()
    began = time.perf_counter()
    looks = [(0.0, cpu_seconds(family)["total"])]
    while looks[-1][0] < 3:
        time.sleep(0.02)
        looks.append((time.perf_counter() - began, cpu_seconds(family)["total"]))
    idle = (at for (at, used), (_, later) in zip(looks, looks[QUIET:], strict=False) if later - used < QUIET_S)
    return {"stopped_ms": next(idle, 3.0) * 1000, "left_bytes": resident_bytes(family) - before}


def _copied(folder: Path, path: Path) -> dict[str, float]:
    """Seconds of DuckDB's COPY of the rows in one file, as they lie and newest first; the better of two."""
    connection = duckdb.connect(config={"threads": 2, "temp_directory": str(folder)})
    rows = "SELECT timestamp::TIMESTAMP_NS AS timestamp, * EXCLUDE (timestamp) FROM read_ndjson"
    connection.execute(f"COPY ({rows}('{path}') ORDER BY timestamp) TO '{folder}/rows.parquet'")
    found = {}
    for name, order in (("copy_s", ""), ("copy_ordered_s", "ORDER BY timestamp DESC")):
        seconds = []
        for _ in range(2):
            began = time.perf_counter()
            connection.execute(
                f"COPY (SELECT * FROM '{folder}/rows.parquet' {order}) TO '{folder}/rows.ndjson' (FORMAT json)"
            )
            seconds.append(time.perf_counter() - began)
        found[name] = min(seconds)
    return found


def report(figures: dict[str, Any]) -> str:
    """The figures for people."""
    speed, copy, took = figures["events"] / figures["seconds"], figures["copy_s"], figures["seconds"]
    beside = f"COPY {copy:.1f} s, newest first {figures['copy_ordered_s']:.1f} s; export {took:.1f} s"
    beside += f", CPU {figures['cpu_s']:.1f} s"
    left = f"{figures['left_bytes'] / 2**20:.0f} MiB are left"
    return "\n".join(
        [
            f"export: {figures['events']:,} events as NDJSON, {figures['bytes'] / 1e9:.2f} GB, {speed:,.0f} a second",
            f"  speed / COPY             {copy / took:.2f}   (aim: at least 0.5; {beside})",
            f"  memory grows by, MiB     {figures['grown_bytes'] / 2**20:.0f}   (aim: at most 143)",
            f"  cancelled, stops within  {figures['stopped_ms']:.0f} ms   (aim: at most 200; {left})",
        ]
    )
