"""Syslog over TCP against NDJSON over HTTP: the same events, in events a CPU second of Cordwood and its PostgreSQL.

A line is RFC 5424; what an event has besides time, host, service, severity and message stands in structured data.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from . import ingest
from .server import Server, free_port
from .usage import cpu_seconds

CONNECTIONS: Final = 8
_COMMITTED: Final = re.compile(rb"(?m)^cordwood_committed_events_total (\S+)")
_WAIT_S: Final = 300.0
_PRI: Final = {"trace": 15, "debug": 15, "info": 14, "warn": 12, "error": 11, "fatal": 8}
_OWN: Final = frozenset({"timestamp", "level", "service", "host", "message"})


def config(port: int) -> str:
    """The YAML of a server that takes syslog too."""
    return f'version: 1\nsources: {{syslog: {{type: syslog, tcp: "127.0.0.1:{port}"}}}}\n'


def run(folder: Path, path: Path, events: int) -> dict[str, Any]:
    """Send the corpus both ways to a server of its own; the figures.

    :raises RuntimeError: an event is missing, or there is one too many
    """
    port = free_port()
    lines = written(path)
    with Server(folder, config=config(port)) as server:
        http = _measured(server, events, lambda: ingest.send(server, path, {}))
        syslog = _measured(server, events, lambda: send(lines, port))
        if (found := server.count()) != 2 * events:
            raise RuntimeError(f"{found} events found where {2 * events} were sent")
    lines.unlink()
    return {"events": events, "http": http, "syslog": syslog, "ratio": http["cpu_s"] / syslog["cpu_s"]}


def report(figures: dict[str, Any]) -> str:
    """The figures for people."""
    rates = {
        way: f"{figures['events'] / figures[way]['cpu_s']:,.0f} events a CPU second, "
        f"{figures['events'] / figures[way]['wall_s']:,.0f} a second"
        for way in ("http", "syslog")
    }
    return "\n".join(
        [
            f"syslog over TCP: {figures['events']:,} events of RFC 5424, {CONNECTIONS} connections; all committed",
            f"  syslog / NDJSON          {figures['ratio']:.2f}   in events a CPU second",
            f"  syslog                   {rates['syslog']}",
            f"  NDJSON over HTTP         {rates['http']}",
        ]
    )


def _measured(server: Server, events: int, send: Any) -> dict[str, float]:
    """CPU and time until so many more events are committed."""
    before, began, cpu = _committed(server), time.monotonic(), cpu_seconds(server.family())["total"]
    send()
    while _committed(server) < before + events:
        if time.monotonic() - began > _WAIT_S:
            raise RuntimeError(f"{_committed(server) - before} of {events} events committed after {_WAIT_S:.0f} s")
        time.sleep(0.1)
    return {"cpu_s": cpu_seconds(server.family())["total"] - cpu, "wall_s": time.monotonic() - began}


def _committed(server: Server) -> float:
    found = _COMMITTED.search(server.get("/metrics")[1])
    return float(found[1]) if found else 0.0


def send(lines: Path, port: int) -> None:
    """Each connection sends its part of the file, in whole lines."""
    size = lines.stat().st_size
    bounds = [0]
    with lines.open("rb") as file:
        for part in range(1, CONNECTIONS):
            file.seek(size * part // CONNECTIONS)
            file.readline()
            bounds.append(file.tell())
    bounds.append(size)

    def one(start: int, end: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as peer, lines.open("rb") as file:
            peer.sendfile(file, start, end - start)

    threads = [threading.Thread(target=one, args=span) for span in pairwise(bounds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def written(path: Path) -> Path:
    """The corpus as syslog, beside it."""
    lines = path.with_suffix(".syslog")
    with path.open("rb") as events, lines.open("w") as file:
        for line in events:
            event = json.loads(line)
            pairs = "".join(f' {name}="{_escaped(value)}"' for name, value in event.items() if name not in _OWN)
            data = f"[event@32473{pairs}]" if pairs else "-"
            file.write(
                f"<{_PRI[event['level']]}>1 {event['timestamp']} {event['host']} {event['service']} - - {data} "
                f"{event['message']}\n"
            )
    return lines


def _escaped(value: object) -> str:
    return re.sub(r'(["\\\]])', r"\\\1", str(value))
