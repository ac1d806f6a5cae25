"""Two nodes race for the same recordings and are killed in the middle: no step is missing, and nothing counts twice."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.store import Store
from cordwood.plugins import Batch

from . import recording
from .recording import END, HOURS, STEP_S, T0

pytestmark = pytest.mark.anyio
EVENTS = 3_000
STEPS = HOURS * 3600 // STEP_S
SERVICES = ("api", "web", "db")


class Racers:
    """Processes that record on one database; one is killed, and another begins."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self._database_url, self._folder, self._begin = database_url, folder, time.time()
        self.all: list[subprocess.Popen[bytes]] = []

    def start(self, speed: float) -> None:
        data = self._folder / f"node{len(self.all)}"
        command = [sys.executable, recording.__file__, self._database_url, str(data), str(self._begin), str(speed)]
        with (self._folder / "log").open("ab") as log:
            self.all.append(subprocess.Popen(command, stdout=log, stderr=log))

    def kill(self) -> None:
        """The oldest: it has the lock, since those that came later wait for it."""
        process = next(one for one in self.all if one.poll() is None)
        process.kill()
        process.wait()


@pytest.fixture
def racers(database_url: str, data_dir: Path) -> Iterator[Racers]:
    made = Racers(database_url, data_dir)
    yield made
    for process in made.all:
        process.kill()
        process.wait()


async def until(store: Store) -> list[int]:
    """How far the recordings have come, in nanoseconds since the epoch; the one that is behind comes first."""
    rows = await store.pool.fetch("select extract(epoch from recorded_until)::bigint as at from recording_state")
    return sorted(row["at"] * 10**9 for row in rows)


async def killed(racers: Racers, store: Store, kills: int, speed: float) -> None:
    dice = random.Random(5)
    made = [
        {"timestamp": dice.randrange(T0, END), "service": dice.choice(SERVICES), "severity": severity, "message": "m"}
        for severity in ("error", "info")
        for _ in range(EVENTS // 2)
    ]
    await (await store.writer.submit(Submission(1, "test", Batch.from_records(made)))).committed()
    # As if they had begun with the first event: so every step is to be made, however long a process takes to start.
    await store.pool.executemany(
        """
        insert into recording_state (project_id, name, since, recorded_until, step, keep)
        values (1, $1, to_timestamp($2), to_timestamp($2), $3, interval '90 days')
        """,
        [(name, T0 / 1e9, timedelta(seconds=STEP_S)) for name in recording.RECORDINGS],
    )
    racers.start(speed)
    racers.start(speed)
    for _ in range(kills):
        before = await until(store)
        with anyio.fail_after(60):
            while (now := await until(store)) == before and now[0] < END:
                await anyio.sleep(0.01)
        await anyio.sleep(dice.random() * 0.05)  # it goes on with the next recording, or with the next steps
        racers.kill()
        racers.start(speed)
    with anyio.fail_after(60):
        while (await until(store))[0] < END:
            await anyio.sleep(0.05)
    rows = await store.pool.fetch(
        """
        select m.recording, m.labels, m.total, count(s.at) as steps, count(distinct s.at) as different,
               sum(s.value) as value
        from metric_series m join metric_sample s on s.series_id = m.id group by m.id order by m.id
        """
    )
    errors = [one["service"] for one in made if one["severity"] == "error"]
    told = {(row["recording"], row["labels"].get("service", "")): row for row in rows}
    assert len(rows) == len(told) == 2 + len(SERVICES)
    for service in SERVICES:
        row = told["errors", service]
        assert row["total"] == row["value"] == errors.count(service)
    everything, nothing = told["all", ""], told["none", ""]
    assert everything["total"] == everything["value"] == EVENTS
    assert everything["steps"] == nothing["steps"] == everything["different"] == STEPS
    assert nothing["value"] == 0


async def test_two_nodes_race_and_are_killed(racers: Racers, store: Store) -> None:
    await killed(racers, store, 3, 1200)


@pytest.mark.soak
async def test_thirty_kills(racers: Racers, store: Store) -> None:
    await killed(racers, store, 30, 120)


@pytest.fixture
async def store(database_url: str, data_dir: Path) -> AsyncIterator[Store]:
    async with Store.opened(data_dir / "own", database_url, compact=False) as opened:
        yield opened
