"""A report with six panels: page, PDF and data, over half of the events, compared with the other half before it.

Aim: at most 10 s. The reference is what a dashboard with the same panels asks for the same time, one query after the
other. The first of each comes to segments that no query has read yet.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from . import ingest
from .corpus import EVENTS_PER_SECOND, corpus
from .server import Server
from .usage import cpu_seconds

AIM_S: Final = 10.0
AGAIN: Final = 3
PANELS: Final = {
    "Events": ("number", "* | stats count() as events"),
    "Severities": ("bar", "* | timechart count() by severity"),
    "Slowest twentieth": ("timeseries", "duration:* | timechart p95(duration) as p95 by service"),
    "Services": ("pie", "* | top 8 service"),
    "Patterns of errors": ("top", "severity>=error | patterns limit=10 | fields pattern, count, share"),
    "Paths": ("table", "* | stats count() as requests, p95(duration) as p95 by path | sort -p95 | limit 100"),
}
CONFIG: Final = """
version: 1
reports:
  six: {{schedule: "0 8 * * MON", timezone: UTC, dashboard: six, period: {seconds}s}}
"""


def run(folder: Path, events: int, seed: int) -> dict[str, Any]:
    """The figures.

    :raises RuntimeError: an event is missing, or a report has no PDF
    """
    folder.mkdir(mode=0o755, parents=True)
    span = events // EVENTS_PER_SECOND
    end = datetime.now(UTC)
    path = corpus(events, seed, folder, np.datetime64((end - timedelta(seconds=span)).replace(tzinfo=None), "us"))
    with Server(folder, config=CONFIG.format(seconds=span // 2)) as server:
        sent = ingest.send(server, path, {})
        if sent["failures"] or server.count() != events:
            raise RuntimeError(f"{server.count()} of {events} events; {sent['failures'][:3]}")
        _ask(server, "/api/v1/dashboards", _dashboard())
        made = [_timed(server, _report) for _ in range(1 + AGAIN)]
        range_ = {name: made[-1]["answer"][name] for name in ("from", "to")}
        asked = [_timed(server, _panels, range_) for _ in range(1 + AGAIN)]
    report, reference = ([{name: one[name] for name in ("wall_s", "cpu_s")} for one in all_] for all_ in (made, asked))
    ratio = min(one["wall_s"] for one in report) / min(one["wall_s"] for one in reference)
    return {"events": events, "report": report, "dashboard": reference, "ratio": ratio}


def _dashboard() -> dict[str, Any]:
    places = ({"x": 6 * (at % 2), "y": 5 * (at // 2), "w": 6, "h": 5} for at in range(len(PANELS)))
    panels = [
        {"id": f"panel_{at}", "title": title, "kind": kind, "query": query, "position": place}
        for at, ((title, (kind, query)), place) in enumerate(zip(PANELS.items(), places, strict=True))
    ]
    return {"name": "six", "title": "Six panels", "panels": panels}


def _report(server: Server) -> Any:
    made = _ask(server, "/api/v1/reports/six/issues", {})
    if made["error"] or not made["has_pdf"]:
        raise RuntimeError(f"the report has no PDF: {made['error']}")
    return made


def _panels(server: Server, range_: dict[str, str]) -> None:
    for _, query in PANELS.values():
        _ask(server, "/api/v1/query", {"query": query, "limit": 10_000, **range_})


def _timed(server: Server, work: Any, *arguments: Any) -> dict[str, Any]:
    before, began = cpu_seconds(server.family()), time.perf_counter()
    answer = work(server, *arguments)
    wall = time.perf_counter() - began
    return {"wall_s": wall, "cpu_s": cpu_seconds(server.family())["total"] - before["total"], "answer": answer}


def _ask(server: Server, path: str, body: Any) -> Any:
    headers = {"Content-Type": "application/json"}
    status, answer, _ = server.call("POST", path, json.dumps(body).encode(), headers, 120)
    if status not in (200, 201):
        raise RuntimeError(f"{path}: {status} {answer[:500]!r}")
    return json.loads(answer)


def report(figures: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [f"a report with {len(PANELS)} panels over {figures['events'] // 2:,} events and as many before them:"]
    for name, title in (("report", "page, PDF and data"), ("dashboard", "the panels' queries alone")):
        first, *again = figures[name]
        best = min(again, key=lambda one: one["wall_s"])
        lines.append(
            f"  {title:<26} {first['wall_s']:.2f} s at first, then {best['wall_s']:.2f} s "
            f"(CPU {first['cpu_s']:.2f} and {best['cpu_s']:.2f} s)"
        )
    lines.append(f"  {figures['ratio']:.1f} times the dashboard (aim: at most {AIM_S:g} s)")
    return "\n".join(lines)
