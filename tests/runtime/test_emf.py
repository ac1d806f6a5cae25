"""Metrics as CloudWatch reads them in a log: valid by its rules, counters as what was added."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cordwood.core.runtime.emf import MOST_METRICS, EmbeddedMetrics
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


def valid(line: str) -> dict[str, Any]:
    """The line; held to the rules of the format's specification."""
    found: dict[str, Any] = json.loads(line)
    about = found["_aws"]
    assert isinstance(about["Timestamp"], int)
    (directive,) = about["CloudWatchMetrics"]
    assert directive["Namespace"] == "Cordwood"
    assert 1 <= len(directive["Metrics"]) <= 100
    for dimensions in directive["Dimensions"]:
        assert len(dimensions) <= 30
        assert all(isinstance(found[name], str) and 1 <= len(found[name]) <= 1024 for name in dimensions)
    for metric in directive["Metrics"]:
        assert metric["Unit"] in ("Count", "Bytes", "Seconds", "None")
        assert isinstance(found[metric["Name"]], int | float)
    return found


def test_counters_are_told_as_what_was_added() -> None:
    registry = CollectorRegistry()
    events = Counter("cordwood_events", "x", ["source"], registry=registry)
    Gauge("cordwood_pending_bytes", "x", registry=registry).set(7)
    seconds = Histogram("cordwood_run_seconds", "x", registry=registry)
    told = EmbeddedMetrics(registry, {"role": "all"}, {"node": "a"})
    events.labels("web").inc(5)
    events.labels("").inc(1)
    seconds.observe(0.5)
    first = [valid(line) for line in told.lines(1)]
    events.labels("web").inc(2)
    second = [valid(line) for line in told.lines(2)]
    assert [one.get("source") for one in first] == [None, "-", "web"]
    assert [one.get("cordwood_events_total") for one in first] == [None, 1.0, 5.0]
    assert [one.get("cordwood_events_total") for one in second] == [None, 0.0, 2.0]
    assert (first[0]["cordwood_pending_bytes"], second[0]["cordwood_pending_bytes"]) == (7, 7)
    assert (first[0]["cordwood_run_seconds_sum"], second[0]["cordwood_run_seconds_count"]) == (0.5, 0)
    assert not any("bucket" in name or "created" in name for one in first for name in one)
    assert first[0]["node"] == "a"
    units = {metric["Name"]: metric["Unit"] for metric in first[0]["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert (units["cordwood_pending_bytes"], units["cordwood_run_seconds_count"]) == ("Bytes", "Count")
    assert units["cordwood_run_seconds_sum"] == "Seconds"


def test_a_line_has_no_more_than_cloudwatch_takes() -> None:
    registry = CollectorRegistry()
    for number in range(MOST_METRICS + 1):
        Gauge(f"cordwood_{number}", "x", registry=registry)
    lines = [valid(line) for line in EmbeddedMetrics(registry, {"role": "all"}, {}).lines(1)]
    assert [len(line["_aws"]["CloudWatchMetrics"][0]["Metrics"]) for line in lines] == [MOST_METRICS, 1]


@pytest.mark.anyio
async def test_a_node_tells_them_on_standard_output(database_url: str, data_dir: Path) -> None:
    environment = {"CORDWOOD_DATABASE_URL": database_url, "CORDWOOD_METRICS": "emf", "PATH": "/usr/bin:/bin"}
    command = [Path(sys.executable).parent / "cordwood", "up", "--data-dir", data_dir / "own", "--port", "0"]
    with (data_dir / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Cordwood is ready: ")
        process.send_signal(signal.SIGTERM)  # at the end they are told once more
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0, (data_dir / "log").read_text()
    lines = [valid(line) for line in out.splitlines()]
    assert any("cordwood_committed_events_total" in line for line in lines)
    assert {line["role"] for line in lines} == {"all"}
    assert any(line.get("source") == "http" for line in lines)
