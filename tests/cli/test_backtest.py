"""`cordwood backtest` against a running server."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.conftest import CORDWOOD, Server

CONFIG = """
version: 1
detectors:
  errors: {type: threshold, query: "* | stats count() as n by service", condition: "n > 2", window: 5m, every: 1m}
"""


def test_a_table_json_and_a_suggestion(data_dir: Path) -> None:
    server = Server(data_dir, CONFIG)
    server.start()
    try:
        events = [{"timestamp": "2026-01-31T12:10:30Z", "service": "pay", "message": "x"}] * 4
        environment = os.environ | {"CORDWOOD_URL": server.url}

        def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [CORDWOOD, *arguments], env=environment, input=stdin, capture_output=True, text=True, check=False
            )

        assert run("ingest", "-", stdin="\n".join(map(json.dumps, events))).returncode == 0
        span = ("--from", "2026-01-31T12:00:00Z", "--to", "2026-01-31T13:00:00Z")
        done = run("backtest", "errors", *span, "--alerts-per-week", "1")
        assert done.returncode == 0, done.stderr
        row = ("2026-01-31T12:11:00.000000000Z", "2026-01-31T12:20:00.000000000Z", "ERROR")
        row += ("errors: n = 4 (n > 2) for service pay", '{"n": 4}')
        assert done.stdout.splitlines() == [
            "opened\tresolved\tseverity\ttitle\tvalues",
            "\t".join(row),
        ]
        assert "1 incident, 168 a week, in 60 windows" in done.stderr
        assert "suggested: n > 4 (0 a week)" in done.stderr
        (item,) = json.loads(run("backtest", "errors", *span, "--format", "json").stdout)["items"]
        assert item["group"] == {"service": "pay"}
        unknown = run("backtest", "nobody", *span)
        assert (unknown.returncode, "there is no detector nobody" in unknown.stderr) == (1, True)
    finally:
        server.stop()
