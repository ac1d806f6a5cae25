"""Fixtures of alerting: a migrated database, and the scripted plugins."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import pytest
from cordwood.core.alerting import AlertingRepository
from cordwood.core.alerting.arrivals import Arrivals
from cordwood.core.alerting.detection import Detection
from cordwood.core.alerting.head import Head
from cordwood.core.alerting.idle import Idle
from cordwood.core.alerting.journal import Journal
from cordwood.core.alerting.metrics import AlertingMetrics
from cordwood.core.alerting.surroundings import Surroundings
from cordwood.core.alerting.turns import Turns
from cordwood.core.query import QueryEngine
from cordwood.core.query.shaped_store import ShapedStore
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.leader import Session
from cordwood.core.storage.store import Store
from cordwood.plugins import Batch, Detector, iso_ns
from prometheus_client import CollectorRegistry

SCRIPT = Path(__file__).with_name("scripted.py")
T0 = 1_769_860_800_000_000_000  # 2026-01-31T12:00:00Z
SECOND = 1_000_000_000


class Clock:
    """A clock that stands until it is set."""

    def __init__(self, now: int = T0) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += round(seconds * SECOND)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def scripted() -> ModuleType:
    """The module scripted.py; its path is `scripted.__file__`."""
    spec = importlib.util.spec_from_file_location("alerting_scripted", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
async def store(database_url: str, data_dir: Path) -> AsyncIterator[Store]:
    """A store on a fresh database."""
    async with Store.opened(data_dir, database_url, compact=False) as opened:
        yield opened


@pytest.fixture
async def project_id(store: Store) -> int:
    found = await store.project_id()
    assert found is not None
    return found


@pytest.fixture
async def session(store: Store) -> AsyncIterator[Session]:
    """A session as the leader's."""
    async with store.pool.acquire() as connection:
        yield Session(connection)


@pytest.fixture
async def engine(store: Store, data_dir: Path) -> AsyncIterator[QueryEngine]:
    """A query engine over the store."""
    made = QueryEngine(
        catalog=store.catalog,
        cache=store.cache,
        memory_limit="512MiB",
        threads=1,
        spill=data_dir / "spill",
        shaped=ShapedStore(store.pool),
    )
    yield made
    made.close()


class Live:
    """A detector that runs live, on a clock of the test's."""

    def __init__(self, store: Store, engine: QueryEngine, session: Session, clock: Clock) -> None:
        self.store, self.engine, self.clock = store, engine, clock
        self.journal, self.session = Journal(session, 1, {}), session

    async def started(self, detector: Detector[Any]) -> Detection:
        """As a node that begins to lead."""
        head = Head(self.store.catalog, self.store.commits, 1)
        progress = await self.journal.enter({"errors": detector}, self.clock(), await head.read())
        self.shared = Surroundings(
            project_id=1,
            engine=self.engine,
            catalog=self.store.catalog,
            head=head,
            arrivals=Arrivals(self.store.catalog, self.engine, 1, head.value),
            journal=self.journal,
            idle=Idle(self.session, 1),
            metrics=AlertingMetrics(CollectorRegistry()),
            clock=self.clock,
            turns=Turns(1),
            told=lambda: None,
        )
        return Detection("errors", detector, progress["errors"], self.shared)

    async def commit(self, events: list[dict[str, Any]]) -> None:
        """Commit events."""
        await (await self.store.writer.submit(Submission(1, "test", Batch.from_records(events)))).committed()

    async def incidents(self) -> list[tuple[Any, int, int | None]]:
        """Group, opening and end of each, oldest first."""
        items = (await AlertingRepository(self.store.pool).list_incidents(1, limit=500)).items
        found = [(dict(one.group), iso_ns(one.opened_at), one.resolved_at and iso_ns(one.resolved_at)) for one in items]
        return sorted(found, key=lambda item: (item[1], str(item[0])))


@pytest.fixture
def live(store: Store, engine: QueryEngine, session: Session, clock: Clock) -> Live:
    return Live(store, engine, session, clock)


@asynccontextmanager
async def running(function: Any, *arguments: Any) -> AsyncIterator[None]:
    """A coroutine function in the background."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(function, *arguments)
        try:
            yield
        finally:
            tasks.cancel_scope.cancel()


@pytest.fixture(scope="session")
def background() -> Any:
    return running


async def until(condition: Any, seconds: float = 10) -> float:
    """Wait until the condition (a function, async or not) holds; the seconds it took."""
    began = anyio.current_time()
    while True:
        held = condition()
        if hasattr(held, "__await__"):
            held = await held
        if held:
            return anyio.current_time() - began
        if anyio.current_time() - began > seconds:
            raise AssertionError(f"not within {seconds} s")
        await anyio.sleep(0.02)


@pytest.fixture(scope="session")
def eventually() -> Any:
    return until
