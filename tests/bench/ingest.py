"""Ingest: all events over real HTTP, each acknowledged after its commit, against Arrow's bare JSON reader."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .corpus import BLOCK_BYTES
from .reference import read_json_seconds
from .server import ROOT, Server
from .usage import PeakMemory, cpu_seconds, resident_bytes, wait_until_quiet

CONNECTIONS = 8
DISK_S = 300.0  # waited at most until the size on disk is settled
DISK_SAME = 90  # seconds without a change that tell
COMPACTED_S = 70.0  # the last few commits are merged when they are a minute old


def run(server: Server, path: Path, events: int) -> dict[str, Any]:
    """Send the corpus to a server that is ready and empty; the figures. The server keeps running.

    :raises RuntimeError: an event is missing, or there is one too many
    """
    reference = read_json_seconds(path)
    disk = _disk_bytes(server)
    before = cpu_seconds(server.family())
    memory: dict[str, int] = {"ready": resident_bytes(server.family())}
    with PeakMemory(server.family) as peak:
        sent = send(server, path, memory)
    at_last_ack = cpu_seconds(server.family())
    if sent["failures"] or sent["acknowledged"] != events:
        raise RuntimeError(f"{sent['acknowledged']} of {events} acknowledged; {sent['failures'][:3]}")
    found = server.count()
    if found != events:
        raise RuntimeError(f"{found} events found where {events} were acknowledged")
    quiet_after = wait_until_quiet(server.family, for_s=COMPACTED_S)
    settled = cpu_seconds(server.family())
    cpu = {who: at_last_ack[who] - before[who] for who in before}
    later = {who: settled[who] - at_last_ack[who] for who in before}
    return {
        "events": events,
        "bytes": path.stat().st_size,
        "connections": CONNECTIONS,
        "body_bytes": BLOCK_BYTES,
        "wall_s": sent["wall_s"],
        "cpu_s": cpu,
        "cpu_after_s": later,
        "quiet_after_s": quiet_after,
        "client_cpu_s": sent["client_cpu_s"],
        "reference_cpu_s": reference,
        "ratio": cpu["total"] / reference["one_thread"],
        "ratio_settled": (cpu["total"] + later["total"]) / reference["one_thread"],
        "events_per_s": events / sent["wall_s"],
        "events_per_cpu_s": events / cpu["total"],
        "request_ms": sent["request_ms"],
        "retries": sent["retries"],
        "disk_bytes": _settled_disk_bytes(server) - disk,
        "memory_bytes": memory | {"peak": peak.peak_bytes, "settled": resident_bytes(server.family())},
    }


def send(server: Server, path: Path, memory: dict[str, int]) -> dict[str, Any]:
    """Run the client; notes the resident memory at each million in `memory`. What the client says at its end."""
    command = [sys.executable, "-m", "tests.bench.client", str(path), str(server.port)]
    command += ["--connections", str(CONNECTIONS)]
    family = server.family()
    said: dict[str, Any] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as client:
        assert client.stdout is not None
        for line in client.stdout:
            said = json.loads(line)
            if "millions" in said:
                memory[f"at_{said['millions']}M"] = resident_bytes(family)
    if client.returncode or "acknowledged" not in said:
        raise RuntimeError(f"the client ended with {client.returncode}")
    return said


def _disk_bytes(server: Server) -> int:
    """Of the database's tables and indexes of the embedded PostgreSQL, without its log of writes."""
    files = (server.data / "postgres" / "base").rglob("*")
    return sum(file.stat().st_blocks * 512 for file in files if file.is_file())


def _settled_disk_bytes(server: Server) -> int:
    """The same when what merged segments have replaced is gone: queries may read it for two minutes."""
    began, sizes = time.monotonic(), [_disk_bytes(server)]
    while time.monotonic() - began < DISK_S and (len(sizes) < DISK_SAME or len(set(sizes[-DISK_SAME:])) > 1):
        time.sleep(1)
        sizes.append(_disk_bytes(server))
    return sizes[-1]


def report(figures: dict[str, Any]) -> str:
    """The figures for people."""
    mib = {name: f"{size / 2**20:.0f}" for name, size in figures["memory_bytes"].items()}
    cpu, later, reference = figures["cpu_s"], figures["cpu_after_s"], figures["reference_cpu_s"]
    lines = [
        (
            f"ingest: {figures['events']:,} events, {figures['bytes'] / 1e6:.0f} MB in {figures['wall_s']:.2f} s, "
            f"{figures['connections']} connections, bodies of {figures['body_bytes'] / 2**20:.0f} MiB"
        ),
        (
            f"  CPU / Arrow's reader     {figures['ratio']:.2f}   ({cpu['total']:.2f} s: "
            f"Cordwood {cpu['cordwood']:.2f}, "
            f"PostgreSQL {cpu['postgres']:.2f}; reference {reference['one_thread']:.2f} s on one thread, "
            f"{reference['threads']:.2f} s with threads)"
        ),
        (
            f"  with the work after it   {figures['ratio_settled']:.2f}   (another {later['total']:.2f} s of CPU, "
            f"quiet after {figures['quiet_after_s']:.0f} s)"
        ),
        f"  events a second          {figures['events_per_s']:,.0f}",
        f"  events a CPU second      {figures['events_per_cpu_s']:,.0f}",
        (
            f"  answer to a request      {figures['request_ms']['median']:.0f} ms median, "
            f"{figures['request_ms']['max']:.0f} ms at most, {figures['retries']} retries"
        ),
        f"  CPU of the client        {figures['client_cpu_s']:.2f} s",
        (
            f"  disk, everything         {figures['disk_bytes'] / 1e6:.1f} MB, "
            f"{figures['disk_bytes'] / figures['bytes']:.3f} bytes a byte"
        ),
        f"  memory, MiB              {', '.join(f'{name} {size}' for name, size in mib.items())}",
    ]
    return "\n".join(lines)


def now() -> str:
    """The time, as part of a file's name."""
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime())
