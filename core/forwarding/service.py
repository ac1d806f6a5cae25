"""Outputs, on whichever node holds their lock: each on its own, so that a dead one stops nobody."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import anyio
from prometheus_client import CollectorRegistry

from ...config import Config, OutputEntry
from ...plugins import Output, OutputConfig
from ..alerting.head import Head
from ..storage.leader import Session, lead
from ..storage.store import Store
from .forwarder import Forwarder
from .metrics import ForwardingMetrics
from .progress import Ledger, OutputProgress, progress_of
from .reader import LogReader

PROJECT_SECONDS = 1.0  # between two looks whether there is a project of a name
MEASURE_SECONDS = 5.0  # between two looks at how far the outputs are behind


class ForwardingService:
    """Sends committed events on. `run` does it whenever this node holds the lock."""

    def __init__(self, store: Store, *, metrics: CollectorRegistry) -> None:
        self._store, self._metrics = store, ForwardingMetrics(metrics)
        self._wanted: Mapping[str, OutputEntry] = MappingProxyType({})
        self._made: Mapping[str, Output[Any]] = MappingProxyType({})
        self._changed = anyio.Event()

    async def run(self, config: Config) -> None:
        """Send by the outputs of the configuration, until cancelled."""
        self.reload(config)
        while True:
            self._changed = anyio.Event()
            async with anyio.create_task_group() as tasks:
                if self._wanted:
                    tasks.start_soon(self._lead)
                await self._changed.wait()
                tasks.cancel_scope.cancel()

    def reload(self, config: Config) -> None:
        """Go on with another configuration; outputs that are in both take up where they were."""
        if config.outputs == self._wanted:
            return
        self._made = {name: entry.make() for name, entry in config.outputs.items()}
        self._wanted = config.outputs
        self._changed.set()

    async def _lead(self) -> None:
        outputs, entries = self._made, self._wanted

        async def work(session: Session) -> None:
            async with anyio.create_task_group() as tasks:
                for project, names in _by_project(entries).items():
                    mine = {name: entries[name] for name in names}
                    tasks.start_soon(self._serve, session, project, outputs, mine, name=f"outputs of {project}")

        try:
            await lead(self._store.pool, "outputs", work)
        finally:
            self._metrics.forget()

    async def _serve(
        self, session: Session, project: str, outputs: Mapping[str, Output[Any]], entries: Mapping[str, OutputEntry]
    ) -> None:
        """Send the events of one project, as soon as there is one of that name."""
        while (project_id := await self._store.project_id(project)) is None:
            for name in entries:
                self._metrics.up.labels(name, entries[name].type).set(0)
            await anyio.sleep(PROJECT_SECONDS)
        store, ledger = self._store, Ledger(session, project_id, lambda: self._store.writer.dead_letters)
        head = Head(store.catalog, store.commits, project_id)
        positions = await ledger.enter(entries, await head.read())
        reader = LogReader(store.catalog, store.cache, project_id, store.workers)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(head.run, name="outputs head")
            tasks.start_soon(self._measure, session, project_id, entries, name="outputs lag")
            for name in entries:
                forwarder = Forwarder(
                    name,
                    outputs[name],
                    positions[name],
                    reader=reader,
                    head=head,
                    ledger=ledger,
                    metrics=self._metrics,
                )
                tasks.start_soon(forwarder.run, name=f"output {name}")

    async def _measure(self, session: Session, project_id: int, entries: Mapping[str, OutputEntry]) -> None:
        while True:
            async with session.transaction() as connection:
                found = await progress_of(connection, project_id)
            for name in found.keys() & entries.keys():
                labels = name, found[name].type
                self._metrics.lag.labels(*labels).set(found[name].seconds)
                self._metrics.lag_commits.labels(*labels).set(found[name].commits)
            await anyio.sleep(MEASURE_SECONDS)


async def progress_of_all(store: Store, entries: Mapping[str, OutputEntry]) -> dict[str, OutputProgress]:
    """How far each output of a configuration has come; those are left out of which nothing is known yet."""
    found: dict[str, OutputProgress] = {}
    for project, names in _by_project(entries).items():
        if (project_id := await store.project_id(project)) is not None:
            known = await progress_of(store.pool, project_id)
            found |= {name: known[name] for name in names if name in known}
    return found


def _by_project(entries: Mapping[str, OutputEntry]) -> dict[str, list[str]]:
    """The names of outputs by the project whose events they send."""
    found: dict[str, list[str]] = {}
    for name, entry in entries.items():
        assert isinstance(entry.config, OutputConfig)
        found.setdefault(entry.config.project, []).append(name)
    return found
