"""The wall clock of a node jumps: an hour back, a day forward, years forward. Nothing is lost, and work goes on.

The clock of a real process is moved by a `sitecustomize` that gives `time.time` and `time.time_ns` an offset, which it
reads from a file. PostgreSQL's own stays: so the two differ as well.
"""

from __future__ import annotations

import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cordwood.config import StoreSettings
from cordwood.core.storage import retention
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.erase import Eraser
from cordwood.core.storage.retention import Retention
from cordwood.core.storage.store import Store
from cordwood.plugins import Batch

HOUR = 3600
SHIFT = """\
import os, time
_path = os.environ["CLOCK_OFFSET"]
_time, _time_ns = time.time, time.time_ns
def _offset():
    with open(_path) as file:
        return int(file.read() or 0)
time.time = lambda: _time() + _offset()
time.time_ns = lambda: _time_ns() + _offset() * 10**9
"""
CONFIG = """\
version: 1
store: {{retention: 30d}}
sources:
  tailed: {{type: file, include: ['{logs}/app.log']}}
detectors:
  errors:
    type: threshold
    query: "severity>=error | stats count() as n by service"
    condition: "n > 4"
    window: 1m
    every: 1s
"""


class Clock:
    def __init__(self, folder: Path) -> None:
        (folder / "sitecustomize.py").write_text(SHIFT)
        self._offset = folder / "offset"
        self.environment = {"PYTHONPATH": str(folder), "CLOCK_OFFSET": str(self._offset)}
        self.set(0)

    def set(self, seconds: int) -> None:
        fresh = self._offset.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.replace(self._offset)


def eventually(true: Any, what: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def test_a_node_whose_clock_jumps(make_server: Any, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    log = logs / "app.log"
    clock = Clock(tmp_path)
    server = make_server(config=CONFIG.format(logs=logs), environment=clock.environment)
    server.start()
    sent = 0

    def incidents() -> set[str]:
        items = json.loads(server.call("GET", "/api/v1/incidents?limit=100")[1])["items"]
        return {item["group"]["service"] for item in items}

    for n, offset in enumerate((0, -HOUR, 24 * HOUR, 3650 * 24 * HOUR, 0)):
        clock.set(offset)
        errors = [{"severity": "ERROR", "service": f"s{n}", "message": f"boom {i}", "n": sent + i} for i in range(20)]
        key = f"key-{n}"
        assert server.post(errors, Idempotency_Key=key) == (200, {"accepted": 20})
        assert server.post(errors, Idempotency_Key=key) == (200, {"accepted": 20}), "the first answer"
        sent += 20
        with log.open("a") as file:
            file.writelines(f"line {n} {i}\n" for i in range(50))
        eventually(lambda m=50 * (n + 1): server.query("source:tailed | stats count() as n") == [{"n": m}], "the file")
        eventually(lambda s=f"s{n}": s in incidents(), f"an incident with the clock {offset} s off")
        assert server.call("GET", "/readyz")[0] == 200
        (row,) = server.query(f"service:s{n}", limit=1)
        observed = time.mktime(time.strptime(row["timestamp"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
        assert abs(observed - time.time() - offset) < 60, "events have the node's time of arrival"
    rows = server.query("service:* severity:error | stats count() as n, distinct_exact(n) as ids")
    assert rows == [{"n": sent, "ids": sent}]
    lines = server.query("source:tailed | stats count() as n, distinct_exact(message) as ids")
    assert lines == [{"n": 250, "ids": 250}]
    assert server.stop() == 0


@pytest.mark.anyio
async def test_retention_does_not_believe_a_clock_that_is_ahead(
    database_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time_ns()
    async with Store.opened(data_dir, database_url, compact=False) as store:
        for days in (1, 40):
            at = real - days * 24 * HOUR * 10**9
            batch = Batch.from_records([{"message": f"{days} days old", "timestamp": at}], observed=at)
            await (await store.writer.submit(Submission(1, "s", batch))).committed()
        eraser = Eraser(store.pool, store.files, store.cache)
        # There is no stream, so that nothing is searched.
        policy = Retention(store.pool, eraser, None, StoreSettings(retention=timedelta(days=30)))  # type: ignore[arg-type]
        monkeypatch.setattr(retention, "now_ns", lambda: real + 365 * 24 * HOUR * 10**9)
        await policy.apply()
        assert [segment.max_time // 10**9 for segment in await store.catalog.segments(1)] == [
            real // 10**9 - 24 * HOUR
        ], "by the earlier of the two clocks"
        monkeypatch.setattr(retention, "now_ns", lambda: real - 365 * 24 * HOUR * 10**9)
        await policy.apply()
        assert len(await store.catalog.segments(1)) == 1
