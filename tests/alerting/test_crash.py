"""Processes that are killed: nothing is lost, and there is one runner."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from cordwood.core.storage.store import Store

pytestmark = pytest.mark.anyio


class Processes:
    """Processes that run alerting on one database (see scripted.py)."""

    def __init__(self, script: str, database_url: str, folder: Path) -> None:
        self._script, self._database_url, self.folder = script, database_url, folder
        self.all: list[subprocess.Popen[bytes]] = []
        self.trouble()

    def start(self) -> subprocess.Popen[bytes]:
        data = self.folder / f"node{len(self.all)}"
        command = [sys.executable, self._script, self._database_url, str(data), str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        self.all.append(process)
        return process

    def trouble(self, *groups: str) -> None:
        fresh = self.folder / "groups.new"
        fresh.write_text(json.dumps(groups))
        fresh.rename(self.folder / "groups.json")

    def lines(self, name: str) -> list[list[str]]:
        path = self.folder / name
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def runners(self) -> list[int]:
        return [int(pid) for pid, _ in self.lines("runs.log")]


@pytest.fixture
def processes(scripted: Any, database_url: str, data_dir: Path, store: Store) -> Iterator[Processes]:
    folder = data_dir / "nodes"
    folder.mkdir()
    made = Processes(scripted.__file__, database_url, folder)
    yield made
    for process in made.all:
        process.kill()
        process.wait()


async def test_killed_between_incident_and_delivery(processes: Processes, store: Store, eventually: Any) -> None:
    processes.trouble("pay")
    (processes.folder / "hang").touch()
    first = processes.start()

    async def opened() -> bool:
        return bool(await store.pool.fetchval("select count(*) from incident"))

    await eventually(opened, 30)
    first.kill()
    first.wait()
    assert processes.lines("told.log") == []
    (processes.folder / "hang").unlink()
    processes.start()
    await eventually(lambda: processes.lines("told.log"), 30)
    await anyio.sleep(1)
    ((delivery_id, event, service),) = processes.lines("told.log")
    assert (event, service) == ("opened", "pay")
    (row,) = await store.pool.fetch("select delivery_id, status from notification")
    assert (str(row["delivery_id"]), row["status"]) == (delivery_id, "sent")


async def test_killed_at_any_moment(processes: Processes, store: Store, eventually: Any) -> None:
    """More and more groups get into trouble while the process is killed again and again: each is told at least once."""
    for i in range(4):
        processes.trouble(*(f"s{j}" for j in range(i + 3)))
        process = processes.start()
        pid = process.pid
        await eventually(lambda pid=pid: pid in processes.runners, 30)
        await anyio.sleep(0.05 * i)
        process.kill()
        process.wait()
    processes.start()

    async def settled() -> bool:
        return not await store.pool.fetchval("select count(*) from notification where status = 'pending'")

    await eventually(lambda: processes.all[-1].pid in processes.runners, 30)
    await anyio.sleep(0.5)
    await eventually(settled, 30)
    told = {(service, event) for _, event, service in processes.lines("told.log")}
    opened = await store.pool.fetch("select \"group\"->>'service' as service from incident")
    assert {(row["service"], "opened") for row in opened} <= told
    assert len(opened) == 6
    ids = [delivery_id for delivery_id, _, _ in processes.lines("told.log")]
    assert len(set(ids)) == await store.pool.fetchval("select count(*) from notification")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGSTOP], ids=["killed", "ended", "frozen"])
async def test_another_node_takes_over(processes: Processes, eventually: Any, how: signal.Signals) -> None:
    first = processes.start()
    await eventually(lambda: processes.runners, 30)
    second = processes.start()
    await anyio.sleep(2.5)
    assert set(processes.runners) == {first.pid}
    first.send_signal(how)
    assert await eventually(lambda: second.pid in processes.runners, 12) < 10
    if how == signal.SIGSTOP:
        # Thawed, it finds its lock gone: what it was about to write is not written, and it judges no more.
        first.send_signal(signal.SIGCONT)
        frozen = len(processes.runners)
        await anyio.sleep(2)
        assert processes.runners[frozen:].count(first.pid) <= 1
        assert processes.runners[-1] == second.pid


async def test_a_lost_connection_stops_the_detectors_at_once(
    processes: Processes, store: Store, eventually: Any
) -> None:
    """The server ends the session that holds the lock: its process judges no more, until it has the lock again."""
    processes.trouble("pay")
    first = processes.start()
    await eventually(lambda: processes.runners, 30)
    second = processes.start()
    await anyio.sleep(2.5)
    before = len(processes.runners)
    assert await store.pool.fetchval(
        "select count(pg_terminate_backend(pid)) from pg_locks where locktype = 'advisory' and granted "
        "and objid::bigint = hashtextextended('cordwood.alerting', 0) & x'ffffffff'::bigint "
        "and database = (select oid from pg_database where datname = current_database())"
    )
    await eventually(lambda: len(processes.runners) > before + 3, 12)
    after = processes.runners[before:]
    winner = after[-1]
    assert winner in (first.pid, second.pid)
    changed = after.index(winner)
    assert changed <= 1, "a run that was under way may end, no other may begin"
    assert set(after[changed:]) == {winner}


async def test_a_silent_connection_stops_the_detectors(processes: Processes, store: Store, eventually: Any) -> None:
    """The server's side of the session is frozen, as if the network were cut: no answer, no end."""
    first = processes.start()
    await eventually(lambda: processes.runners, 30)
    backend = await store.pool.fetchval(
        "select pid from pg_locks where locktype = 'advisory' and granted "
        "and objid::bigint = hashtextextended('cordwood.alerting', 0) & x'ffffffff'::bigint "
        "and database = (select oid from pg_database where datname = current_database())"
    )
    os.kill(backend, signal.SIGSTOP)
    try:
        await anyio.sleep(5)
        before = len(processes.runners)
        await anyio.sleep(3)
        assert len(processes.runners) == before
    finally:
        os.kill(backend, signal.SIGCONT)
    await eventually(lambda: processes.runners[before:], 12)
    assert set(processes.runners) == {first.pid}
