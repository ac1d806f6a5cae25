"""`cordwood recording` against a running server: the list, the past, and what is refused."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

from .conftest import COMMAND

CONFIG = """
version: 1
sources: {app: {type: http}}
pipelines: {all: {from: [app], service: shop}}
recordings:
  by_severity: {query: "| stats count() as n by severity", every: 10s, keep: 2d}
  orders: {query: "order | stats count() as n", every: 1m, kind: counter}
"""


def recording(data_dir: object, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CORDWOOD_")}
    command = [str(COMMAND), "recording", *arguments, "--data-dir", str(data_dir)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)


def test_list_and_backfill(make_server: Any) -> None:
    server = make_server(CONFIG)
    server.start()
    begin = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=1)
    events = [
        {"timestamp": (begin + timedelta(seconds=second)).isoformat(), "message": "order", "severity": severity}
        for second, severity in ((1, "info"), (2, "info"), (35, "error"))
    ]
    assert server.post(events) == (200, {"accepted": 3})
    listed = recording(server.data_dir, "list")
    assert listed.returncode == 0, listed
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    assert [name for name in names if name in ("by_severity", "orders")] == ["by_severity", "orders"]
    assert "counter" in listed.stdout
    made = recording(
        server.data_dir, "backfill", "by_severity", "--from", begin.isoformat(),
        "--to", (begin + timedelta(minutes=1)).isoformat(),
    )  # fmt: skip
    assert (made.returncode, made.stdout) == (0, "2 figures of 6 steps\n"), made
    rows = server.query('from metrics | where name = "by_severity" and value > 0 | stats sum(value) as n')
    assert rows[0]["n"] == 3

    unknown = recording(server.data_dir, "backfill", "nothing", "--from", "-1h")
    assert unknown.returncode == 1
    assert "there is no recording nothing" in unknown.stderr
    no_begin = recording(server.data_dir, "backfill", "orders")
    assert no_begin.returncode == 1
    assert "--from is missing" in no_begin.stderr
    no_step = recording(server.data_dir, "backfill", "orders", "--from", "-1s")
    assert no_step.returncode == 1
    assert "no whole step" in no_step.stderr
