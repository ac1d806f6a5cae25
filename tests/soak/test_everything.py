"""Everything at once for 20 minutes, or 90 seconds: ingest, queries, merging, retention, deletions, and kills.

Nothing is lost, nothing is there twice, nothing deleted comes back, memory is flat, and `cordwood doctor` is clean.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from ..bench.server import COMMAND, Server
from .conftest import StartServer
from .everything import Deletions, Going, Memory, Questions, Sender, kills, until_acknowledged
from .workload import LogFile, wait_until

ALL = 10_000_000
MOST_BYTES = 900e6
WARM_SECONDS = 600.0  # of a soak in which what was killed last has time to fill its caches
"""Of Cordwood's process: a merge, a deletion, queries over everything and ingest meet."""
CONFIG = """\
version: 1
store: {{retention: 2d}}
sources:
  tailed: {{type: file, include: ['{logs}/app.log*']}}
detectors:
  errors:
    type: threshold
    query: "severity>=error | stats count() as n by client"
    condition: "n > 100"
    window: 1m
    every: 5s
"""
OLD = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("seconds", "events", "pause"),
    [(80.0, 200, (6, 14)), pytest.param(1200.0, 1000, (20, 60), marks=pytest.mark.soak)],
    ids=["90 seconds", "20 minutes"],
)
def test_everything_at_once(
    seconds: float,
    events: int,
    pause: tuple[int, int],
    data_dir: Path,
    make_server: StartServer,
    request: pytest.FixtureRequest,
) -> None:
    random = Random(int(seconds))
    logs = data_dir / "logs"
    logs.mkdir()
    server = make_server(config=CONFIG.format(logs=logs))
    server.start()
    going = Going()
    senders = [Sender(going, server, n, events) for n in range(3)]
    deletions = Deletions(going, server)
    questions, memory = Questions(going, server, senders, deletions), Memory(going, server)
    began, killed = time.monotonic(), Counter[str]()
    calm = began + seconds * 3 / 4  # from there on nothing is killed, and memory is looked at
    with LogFile(logs / "app.log", seed=1) as log:
        for part in (*senders, deletions, questions, memory):
            going.start(part.work)
        try:
            steps, old = kills(random, server), 0
            while time.monotonic() < calm and not going.problems:
                going.over.wait(random.uniform(*pause))
                killed[next(steps)] += 1
                until_acknowledged(server, [{"service": "old", "timestamp": OLD, "n": old}], f"old {old}")
                old += 1
                log.rotate_by_rename() if old % 2 else log.rotate_by_copy()
            while time.monotonic() < began + seconds and not going.problems:
                time.sleep(0.5)
        finally:
            going.stop()
    end = time.monotonic()
    print(f"{killed=}, bodies={[s.bodies for s in senders]}, deleted={len(deletions.done)}, asked={questions.asked}")
    most, at = max((size, at) for at, size in memory.seen)
    print(f"memory: at most {most / 1e6:.0f} MB, after {at - began:.0f} s")
    assert going.problems == []
    assert sum(killed.values()) >= seconds * 3 / 4 / (pause[1] + 10)
    assert questions.asked > seconds / 5
    assert len(deletions.done) > seconds / 60

    all_there_once(server, senders)
    lines_there_once(server, log)
    assert server.count("service:users user:*-x") == 0
    assert server.count("service:users user:*-y") == 20 * len(deletions.done)
    assert most < MOST_BYTES
    if seconds > WARM_SECONDS:
        flat(memory, calm, end)
    if request.node.get_closest_marker("soak"):
        wait_until(lambda: server.count("service:old") == 0, "retention takes what is old", at_most=180)
    clean(server)
    assert server.stop() == 0
    clean(server)


def all_there_once(server: Server, senders: list[Sender]) -> None:
    for sender in senders:
        rows = server.query(
            f"service:soak client={sender.client} | stats count() as events, sum(n) as s by body", whole=True, limit=ALL
        )
        assert {row["body"] for row in rows} == set(range(sender.bodies)), "bodies lost, or never acknowledged"
        whole = (sender.events, sum(range(sender.events)))
        assert [row for row in rows if (row["events"], row["s"]) != whole] == []


def lines_there_once(server: Server, log: LogFile) -> None:
    wait_until(lambda: server.count("source:tailed") >= log.written, "the file is read to its end")
    rows = server.query("source:tailed | stats count() as n by message", whole=True, limit=ALL)
    numbers = Counter({int(row["message"].split()[1]): row["n"] for row in rows})
    assert set(range(log.written)) - numbers.keys() == set(), "lines that were lost"
    assert [number for number, n in numbers.items() if n > 1] == [], "lines that are there twice"


def flat(memory: Memory, calm: float, end: float) -> None:
    """In the time without kills the second half takes about what the first did."""
    middle = (calm + end) / 2
    first, second = (statistics.median(memory.between(*span)) for span in ((calm, middle), (middle, end)))
    print(f"memory without kills: {first / 1e6:.0f} MB, then {second / 1e6:.0f} MB")
    assert second < first * 1.25 + 30e6


def clean(server: Server) -> None:
    command = [COMMAND, "doctor", "--data-dir", server.data, "--port", str(server.port), "--deep", "--format", "json"]
    done = subprocess.run(command, env=server.environment, capture_output=True, text=True, timeout=300, check=False)
    problems = [finding for finding in json.loads(done.stdout)["findings"] if finding["level"] == "fail"]
    assert (done.returncode, problems) == (0, [])
