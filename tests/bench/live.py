"""What somebody waits for who watches: committed events in a live tail, and the first query after the cache is gone."""

from __future__ import annotations

import http.client
import shutil
import statistics
import time
from typing import Any, Final

from .server import Server

EVENTS: Final = 50
COLD_QUERIES: Final = {
    "all events by service": "| stats count() as n by service, bin(1h)",
    "a word nobody wrote": "zanzibar | stats count() as n",
    "the newest 1000": "| limit 1000",
}
"""Each is the first query of a server that has no file of any segment."""


def tail(server: Server) -> dict[str, Any]:
    """Send events one by one while a tail follows; milliseconds from the acknowledgement of each to its arrival there.

    An event that arrives before its acknowledgement does counts as 0.
    """
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", "/api/v1/tail?query=service:bench-tail")
    stream = connection.getresponse()
    _read_until(stream, b": following")
    late = []
    for number in range(EVENTS):
        status, answer, _ = server.post([{"service": "bench-tail", "message": f"event number {number}."}])
        acknowledged = time.perf_counter()
        if status != 200:
            raise RuntimeError(f"{status} {answer!r}")
        _read_until(stream, b"event number %d." % number)
        late.append(max(0.0, time.perf_counter() - acknowledged) * 1000)
    connection.close()
    return {"events": EVENTS, "median_ms": statistics.median(late), "max_ms": max(late)}


def _read_until(stream: http.client.HTTPResponse, wanted: bytes) -> None:
    for line in stream:
        if wanted in line:
            return
    raise RuntimeError(f"the tail ended before {wanted!r}")


def cold(server: Server) -> dict[str, float]:
    """Milliseconds of the first query after a start without any cached segment, for each of `COLD_QUERIES`."""
    found = {}
    for name, text in COLD_QUERIES.items():
        server.stop()
        shutil.rmtree(server.data / "cache")
        server.start()
        began = time.perf_counter()
        server.query(text)
        found[name] = (time.perf_counter() - began) * 1000
    return found


def report(late: dict[str, Any], first: dict[str, float]) -> str:
    """The figures for people."""
    cases = ", ".join(f"{name} {ms:.0f}" for name, ms in first.items())
    return (
        f"live tail: {late['events']} events, {late['median_ms']:.0f} ms median after their acknowledgement, "
        f"{late['max_ms']:.0f} ms at most\n"
        f"first query on a cold cache, ms: {cases}"
    )
