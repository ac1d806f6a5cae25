"""The store against a list in memory: whatever is done to it, in any order, it holds the events that it should.

Each step is done to a real store on a real PostgreSQL; a crash drops the store in the middle of a commit.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from cordwood.config import StoreSettings
from cordwood.core.storage import deleting, forgetting
from cordwood.core.storage.archive import ArchiveReader
from cordwood.core.storage.backup import back_up
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.doctor import Examination, Level, examine
from cordwood.core.storage.embedded import EmbeddedPostgres
from cordwood.core.storage.move import move
from cordwood.core.storage.places import Places
from cordwood.core.storage.places.folder import Folder, FolderConfig
from cordwood.core.storage.restore import restore
from cordwood.plugins import Acknowledgement, Batch, RetryableError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from .erasing import Site, opened

USERS = ("ada", "bob", "cyd")
KEPT_DAYS = 15
AGES = (0, 1, 8, 20, 40)  # days; those beyond KEPT_DAYS by a day or more go with retention
events = st.lists(st.tuples(st.sampled_from(USERS), st.sampled_from(AGES)), min_size=1, max_size=6)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes are told and given up in a moment."""
    monkeypatch.setattr(forgetting, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(forgetting, "GONE_SECONDS", 1)
    monkeypatch.setattr(forgetting, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(forgetting, "_AGAIN_SECONDS", 0.05)
    monkeypatch.setattr(deleting, "_PAUSE_SECONDS", 0.02)


class Machine(RuleBasedStateMachine):
    """`model` has each event's record by its number."""

    server: EmbeddedPostgres
    template: str
    portal: BlockingPortal

    def __init__(self) -> None:
        super().__init__()
        self.began = datetime.now(UTC)
        self.model: dict[int, dict[str, Any]] = {}
        self.next = 0
        self.keys = 0
        self.databases: list[str] = []
        self.temporary = tempfile.TemporaryDirectory(prefix="cordwood-model-", ignore_cleanup_errors=True)
        self.folder = Path(self.temporary.name)
        (self.folder / "away").mkdir()
        self.away = Folder(FolderConfig(path=self.folder / "away"))
        self.current = "postgresql"

    # What is done to the store

    @initialize()
    def start(self) -> None:
        self.url = self.database(self.template)
        self.open()

    @rule(batches=st.lists(events, min_size=1, max_size=4))
    def append(self, batches: list[list[tuple[str, int]]]) -> None:
        """Several at once: one commit, or several."""
        made = [self.records(batch) for batch in batches]
        for future in [self.portal.start_task_soon(self.send, records, None) for records in made]:
            assert not future.result(30).duplicate
        for records in made:
            self.add(records)

    @rule(batch=events, keyed=st.booleans(), milliseconds=st.integers(0, 80))
    def crash(self, batch: list[tuple[str, int]], keyed: bool, milliseconds: int) -> None:
        """With a commit under way, which the sender, who has a key, sends again."""
        records, key = self.records(batch), self.key() if keyed else None
        under_way = self.portal.start_task_soon(self.send, records, key)
        time.sleep(milliseconds / 1000)
        acknowledged = under_way.done() and under_way.exception() is None
        self.portal.call(self.site.store.pool.terminate)
        self.site.store.writer._drained.set()  # nothing is brought to its end
        with suppress(Exception):  # whatever a process says that is gone
            self.context.__exit__(None, None, None)
        under_way.cancel()
        self.open()
        if key is not None:
            answer = self.portal.call(self.until_acknowledged, records, key)
            assert answer.duplicate or not acknowledged
        stored = {row["n"] for row in self.rows()}.intersection(records_by_number(records))
        assert len(stored) in (0, len(records)), "a part of a body"
        assert stored or not (acknowledged or keyed), "acknowledged, but lost"
        if stored:
            self.add(records)

    @rule()
    def close_and_open(self) -> None:
        self.context.__exit__(None, None, None)
        self.open()

    @rule()
    def compact(self) -> None:
        self.portal.call(self.compact_once)

    @rule(user=st.sampled_from(USERS))
    def delete(self, user: str) -> None:
        done = self.portal.call(self.site.delete, f"user:{user}")
        assert done.state == "done", done
        gone = {n for n, record in self.model.items() if record["user"] == user}
        assert done.events_deleted == len(gone)
        for n in gone:
            del self.model[n]

    @rule()
    def retain(self) -> None:
        """Once everything is merged each segment has one day, and what is old goes."""
        while self.portal.call(self.compact_once):
            pass
        self.portal.call(self.site.retention.apply)
        self.model = {n: record for n, record in self.model.items() if record["age"] < KEPT_DAYS}

    @rule(to=st.sampled_from(("postgresql", "away")), from_now_on=st.booleans())
    def move(self, to: str, from_now_on: bool) -> None:
        if from_now_on:
            self.current = to
            self.site.store.files.places = self.places
        moved = self.portal.call(move, self.site.store.pool, self.site.store.files, to, quiet)
        assert not moved.left

    @rule()
    def restore_a_backup(self) -> None:
        """And go on with what was restored."""
        path = self.folder / f"{uuid4().hex}.cordwood"
        self.portal.call(back_up, {"dsn": self.url}, path, quiet, self.places)
        self.context.__exit__(None, None, None)
        self.url = self.database("template1")
        archive = ArchiveReader(path)
        self.portal.call(restore, {"dsn": self.url}, archive, quiet, self.places)
        archive.close()
        path.unlink()
        self.open()

    @invariant()
    def holds_what_it_should(self) -> None:
        if not hasattr(self, "site"):
            return
        rows = self.rows()
        assert Counter(row["n"] for row in rows) == Counter(list(self.model))
        for row in rows:
            record = self.model[row["n"]]
            assert {name: row[name] for name in record if name != "timestamp"} == {
                name: value for name, value in record.items() if name != "timestamp"
            }
        for user in USERS:
            (count,) = self.portal.call(self.site.found, f"user:{user} | stats count() as c")
            assert count["c"] == sum(record["user"] == user for record in self.model.values())

    def teardown(self) -> None:
        try:
            if hasattr(self, "site"):
                try:
                    assert self.portal.call(self.problems) == []
                finally:
                    self.context.__exit__(None, None, None)
        finally:
            for name in self.databases:
                self.portal.call(self.administer, f"drop database if exists {name} with (force)")
            self.temporary.cleanup()

    # How

    @property
    def places(self) -> Places:
        return Places(self.current, {"away": self.away})

    def open(self) -> None:
        self.context = self.portal.wrap_async_context_manager(opened(self.url, self.folder, self.places))
        self.site: Site = self.context.__enter__()
        self.site.retention.settings = StoreSettings.model_validate({"retention": f"{KEPT_DAYS}d"})

    def database(self, template: str) -> str:
        name = f"model_{uuid4().hex[:12]}"
        self.portal.call(self.administer, f"create database {name} template {template}")
        self.databases.append(name)
        return f"postgresql://{self.server.connect_args['user']}@/{name}?host={self.server.socket_dir}&port=5432"

    async def administer(self, statement: str) -> None:
        connection = await asyncpg.connect(**self.server.connect_args)
        await connection.execute(statement)
        await connection.close()

    def records(self, batch: list[tuple[str, int]]) -> list[dict[str, Any]]:
        made = []
        for user, age in batch:
            at = self.began - timedelta(days=age, minutes=1)
            n = self.next
            made.append(
                {"n": n, "user": user, "age": age, "message": f"event {n} of {user}", "timestamp": at.isoformat()}
                | ({"odd": n} if n % 3 == 0 else {"odd": f"text {n}"} if n % 3 == 1 else {})
            )
            self.next += 1
        return made

    def key(self) -> str:
        self.keys += 1
        return f"key {self.keys}"

    def add(self, records: list[dict[str, Any]]) -> None:
        self.model |= records_by_number(records)

    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.portal.call(self.site.found)
        return found

    async def send(self, records: list[dict[str, Any]], key: str | None) -> Acknowledgement:
        submission = Submission(1, "s", Batch.from_records(records), None, key)
        return await (await self.site.store.writer.submit(submission)).committed()

    async def until_acknowledged(self, records: list[dict[str, Any]], key: str) -> Acknowledgement:
        while True:
            try:
                return await self.send(records, key)
            except RetryableError:
                await asyncio.sleep(0.02)

    async def compact_once(self) -> bool:
        done = await self.site.store.compactor.compact(1, now=datetime.now(UTC) + timedelta(hours=1))
        await self.site.store.files.sweep(grace_seconds=0)
        return done

    async def problems(self) -> list[Any]:
        store = self.site.store
        examination = Examination(store.pool, self.places, quiet, store.cache.folder, deep=True)
        return [finding async for finding in examine(examination) if finding.level is Level.FAIL]


def records_by_number(records: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {record["n"]: record for record in records}


def quiet(done: int, total: int) -> None:
    """Progress that nobody looks at."""


@pytest.fixture
def machine(postgres: EmbeddedPostgres, migrated: str, flushing: None) -> Iterator[type[Machine]]:
    with start_blocking_portal("asyncio", {"use_uvloop": True}) as portal:
        yield type("Model", (Machine,), {"server": postgres, "template": migrated, "portal": portal})


@pytest.mark.parametrize(
    ("examples", "steps"), [(7, 12), pytest.param(60, 30, marks=pytest.mark.soak)], ids=["short", "long"]
)
def test_the_store_holds_what_it_should(machine: type[Machine], examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
