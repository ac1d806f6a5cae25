"""Everything is killed, again and again: what was acknowledged is there once, and so is each line of a file."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from .conftest import StartServer
from .workload import Clients, LogFile

CLIENTS = 4
ALL = 10_000_000  # rows: more than there are


@pytest.mark.parametrize("kills", [4, pytest.param(30, marks=pytest.mark.soak)], ids=["4 kills", "30 kills"])
def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(
    kills: int, data_dir: Path, make_server: StartServer
) -> None:
    random = Random(kills)
    logs = data_dir / "logs"
    logs.mkdir()
    config = f"version: 1\nsources:\n  tailed: {{type: file, include: ['{logs}/app.log*']}}\n"
    server = make_server(config=config)
    server.start()
    with Clients([server], CLIENTS) as clients, LogFile(logs / "app.log", seed=kills) as log:
        for kill in range(kills):
            time.sleep(random.uniform(0.2, 1.5))
            log.rotate_by_rename() if kill % 2 else log.rotate_by_copy()
            time.sleep(random.uniform(0.0, 1.0))
            server.kill()
            if kill % 4 == 1:
                log.rotate_by_rename()  # while nobody looks
            server.start()
        time.sleep(1)

    assert not clients.unexpected
    times: Counter[str] = Counter()
    for client in range(CLIENTS):  # an answer has a million rows at most
        stored = server.query(
            f"service:kill event_id:{client}-* | stats count() as n by event_id", whole=True, limit=ALL
        )
        times.update({row["event_id"]: row["n"] for row in stored})
    assert times.total() == server.count("service:kill")
    assert len(clients.acknowledged) > 500 * kills
    assert clients.acknowledged - times.keys() == set(), "acknowledged, but lost"
    assert times.keys() - clients.acknowledged == set(), "stored, but never acknowledged"
    assert [id_ for id_, n in times.items() if n > 1] == [], "stored twice"

    deadline = time.monotonic() + 30
    while server.count("source:tailed") < log.written and time.monotonic() < deadline:
        time.sleep(0.2)
    lines = server.query("source:tailed | stats count() as n by message", whole=True, limit=ALL)
    numbers = Counter({int(row["message"].split()[1]): row["n"] for row in lines})
    assert log.written > 200 * kills
    assert set(range(log.written)) - numbers.keys() == set(), "lines that were lost"
    assert [number for number, n in numbers.items() if n > 1] == [], "lines that are there twice"
    assert len(lines) == log.written, "lines in pieces"
    assert server.stop() == 0
