"""`python -m tests.bench [--events 10M]`: ingest, queries, tail, cold cache, small posts, ways in, alerting."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import tempfile
from pathlib import Path
from typing import Any

from . import (
    api,
    backtest,
    detectors,
    export,
    ingest,
    live,
    otlp,
    outputs,
    pages,
    queries25,
    query,
    reports,
    segments,
    small,
    syslog,
    viewers,
    ways,
)
from .corpus import corpus
from .server import ROOT, Server

PARTS = (
    "ingest",
    "queries",
    "segments",
    "growth",
    "small",
    "otlp",
    "syslog",
    "ways",
    "outputs",
    "detectors",
    "backtest",
    "reports",
    "export",
    "api",
    "pages",
    "viewers",
)


def _events(text: str) -> int:
    return int(float(text[:-1]) * 1_000_000) if text.endswith("M") else int(text)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--events", type=_events, default=2_000_000, help="how many, such as 2M (10M tells of memory)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--only",
        choices=PARTS,
        help="this part alone",
    )
    parser.add_argument("--way", choices=ways.AIMS, action="append", help="of the ways in, this one")
    parser.add_argument("--rate", type=int, default=2000, help="small requests a second")
    parser.add_argument("--seconds", type=int, default=30, help="how long small requests are sent")
    parser.add_argument("--detector-rate", type=int, help="events a second beside 500 detectors (half of full speed)")
    parser.add_argument("--config", type=Path, help="a YAML file for the server")
    given = parser.parse_args()

    load = os.getloadavg()[0]
    results: dict[str, Any] = {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "load_before": load,
    }
    print(f"{os.cpu_count()} cores, load before {load:.2f} (others at work make every figure worse)")
    folder = Path(tempfile.mkdtemp(prefix="cordwood-bench-"))
    folder.chmod(0o755)  # PostgreSQL runs as a user of its own where root runs this
    try:
        config = given.config.read_text() if given.config else None
        if given.only in (None, "ingest"):
            path = corpus(given.events, given.seed)
            with Server(folder, config=config) as server:
                results["ingest"] = ingest.run(server, path, given.events)
                print(ingest.report(results["ingest"]), flush=True)
                if given.only is None:
                    results["queries"] = query.run(server.port, path)
                    print(query.report(results["queries"]), flush=True)
                    results["tail"], results["cold"] = live.tail(server), live.cold(server)
                    print(live.report(results["tail"], results["cold"]), flush=True)
        if given.only in (None, "queries"):
            results["queries25"] = queries25.run(min(given.events, 2_000_000))
            print(queries25.report(results["queries25"]), flush=True)
        if given.only == "segments":
            for place in ("PostgreSQL", "S3"):
                own = folder / place
                own.mkdir(mode=0o755)
                figures = segments.run(own, given.events, bucket=place == "S3", seed=given.seed)
                results[f"segments in {place}"] = figures
                print(f"segments in {place}, {query.report(figures)}", flush=True)
        if given.only == "growth":
            results["growth"] = segments.growth(folder / "growth", given.events, given.seed)
            print(segments.report_growth(results["growth"]), flush=True)
        if given.only in (None, "small"):
            own = folder / "small"
            own.mkdir(mode=0o755)
            with Server(own, config=config) as server:
                results["small"] = small.run(server, rate=given.rate, seconds=given.seconds)
                print(small.report(results["small"]), flush=True)
        if given.only in (None, "otlp"):
            results["otlp"] = otlp.run(min(given.events, 1_000_000), given.seed)
            print(otlp.report(results["otlp"]), flush=True)
        if given.only in (None, "syslog"):
            own = folder / "syslog"
            own.mkdir(mode=0o755)
            results["syslog"] = syslog.run(own, corpus(given.events, given.seed), given.events)
            print(syslog.report(results["syslog"]), flush=True)
        if given.only in (None, "ways"):
            results["ways"] = ways.run(min(given.events, 500_000), given.way, given.seed)
            print(ways.report(results["ways"]), flush=True)
        if given.only in (None, "outputs"):
            results["outputs"] = outputs.run(min(given.events, 300_000), given.seed)
            print(outputs.report(results["outputs"]), flush=True)
        if given.only in (None, "detectors"):
            results["detectors"] = detectors.run(folder / "detectors", rate=given.detector_rate)
            print(detectors.report(results["detectors"]), flush=True)
        if given.only in (None, "backtest"):
            results["backtest"] = backtest.run(folder / "backtest", given.events, given.seed)
            print(backtest.report(results["backtest"]), flush=True)
        if given.only in (None, "reports"):
            results["reports"] = reports.run(folder / "reports", given.events, given.seed)
            print(reports.report(results["reports"]), flush=True)
        if given.only in (None, "api"):
            results["api"] = api.run(folder / "api")
            print(api.report(results["api"]), flush=True)
        if given.only == "pages":
            results["pages"] = pages.run(folder / "pages")
            print(pages.report(results["pages"]), flush=True)
        if given.only == "viewers":
            results["viewers"] = viewers.run(folder / "viewers", events=given.events, seconds=60, seed=given.seed)
            print(viewers.report(results["viewers"]), flush=True)
        if given.only == "export":
            results["export"] = export.run(folder / "export", given.events, given.seed)
            print(export.report(results["export"]), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    target = ROOT / "bench-results" / f"{ingest.now()}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(f"written to {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
