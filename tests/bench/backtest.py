"""A threshold over the past of all events, by the API: the first time, and with the segments in the cache.

Aim: at most 3 s over two million events, and more than a hundred times as fast as time itself passed.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from . import ingest
from .corpus import EVENTS_PER_SECOND, FIRST, corpus
from .server import Server
from .usage import cpu_seconds

AIM_S: Final = 3.0
AGAIN: Final = 3
ERRORS: Final = {"type": "threshold", "query": "severity>=error | stats count() as n by service"}
SLOW: Final = {"type": "threshold", "query": "duration:* | stats p99(duration) as slow by service, host"}
DETECTORS: Final[dict[str, dict[str, Any]]] = {
    "errors, 5m every 1m": {**ERRORS, "condition": "n > 60", "window": "5m", "every": "1m"},
    "errors, 1m every 10s": {**ERRORS, "condition": "n > 15", "window": "1m", "every": "10s"},
    "p99, held and recovered": {
        **SLOW,
        "condition": "slow > 900",
        "hold": "2m",
        "recover": "slow < 500",
        "severities": {"warn": "slow > 900", "fatal": "slow > 2000"},
        "window": "5m",
        "every": "1m",
    },
}


def run(folder: Path, events: int, seed: int) -> dict[str, Any]:
    """The figures.

    :raises RuntimeError: an event is missing, or a backtest did not come to its end
    """
    folder.mkdir(mode=0o755, parents=True)
    path = corpus(events, seed)
    begin = datetime.fromisoformat(str(FIRST)).replace(tzinfo=UTC)
    seconds = events / EVENTS_PER_SECOND
    span = {"from": _text(begin), "to": _text(begin + timedelta(seconds=seconds)), "timeout": 600}
    with Server(folder, config="version: 1\n") as server:
        sent = ingest.send(server, path, {})
        if sent["failures"] or server.count() != events:
            raise RuntimeError(f"{server.count()} of {events} events; {sent['failures'][:3]}")
        found = {name: _tried(server, {"definition": one, **span}) for name, one in DETECTORS.items()}
    for figures in found.values():
        figures["times_real_time"] = seconds / max(figures["wall_s"])
    return {"events": events, "covered_s": seconds, "detectors": found}


def _tried(server: Server, body: dict[str, Any]) -> dict[str, Any]:
    """The first of these comes to segments that no query has read yet."""
    walls, cpus = [], []
    for _ in range(1 + AGAIN):
        before, began = cpu_seconds(server.family()), time.perf_counter()
        status, answer, _ = server.call(
            "POST", "/api/v1/detectors/backtest", json.dumps(body).encode(), {"Content-Type": "application/json"}, 600
        )
        walls.append(time.perf_counter() - began)
        cpus.append(cpu_seconds(server.family())["total"] - before["total"])
        told = json.loads(answer)
        if status != 200 or not told["complete"]:
            raise RuntimeError(f"{status} {answer[:500]!r}")
    return {
        "wall_s": walls,
        "cpu_s": cpus,
        "incidents": len(told["items"]),
        "windows": told["steps"],
        "queries": told["queries"],
    }


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def report(figures: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [f"backtests over {figures['events']:,} events of {figures['covered_s'] / 3600:.1f} hours:"]
    for name, one in figures["detectors"].items():
        first, *again = one["wall_s"]
        lines.append(
            f"  {name:<24} {first:.2f} s at first, then {min(again):.2f} s (CPU {one['cpu_s'][0]:.2f} and "
            f"{min(one['cpu_s'][1:]):.2f} s): {one['incidents']} incidents in {one['windows']:,} windows, "
            f"{one['queries']} queries, {one['times_real_time']:,.0f} times real time (aim: at most {AIM_S:g} s)"
        )
    return "\n".join(lines)
