"""Outputs, on whichever node holds their lock: each on its own, so that a dead one stops nobody."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import anyio
from prometheus_client import CollectorRegistry

from ...config import Config, OutputEntry
from ...plugins import Output
from ..alerting.head import Head
from ..storage.leader import Session, lead
from ..storage.store import Store
from .forwarder import Forwarder
from .metrics import ForwardingMetrics
from .progress import Ledger, progress_of
from .reader import LogReader

MEASURE_SECONDS = 5.0  # between two looks at how far the outputs are behind


class ForwardingService:
    """Sends committed events on. `run` does it whenever this node holds the lock."""

    def __init__(self, store: Store, *, metrics: CollectorRegistry) -> None:
        self._store, self._metrics = store, ForwardingMetrics(metrics)
        self._wanted: Mapping[str, OutputEntry] = MappingProxyType({})
        self._made: Mapping[str, Output[Any]] = MappingProxyType({})
        self._changed = anyio.Event()

    async def run(self, project_id: int, config: Config) -> None:
        """Send by the outputs of the configuration, until cancelled."""
        self.reload(config)
        while True:
            self._changed = anyio.Event()
            async with anyio.create_task_group() as tasks:
                if self._wanted:
                    tasks.start_soon(self._lead, project_id)
                await self._changed.wait()
                tasks.cancel_scope.cancel()

    def reload(self, config: Config) -> None:
        """Go on with another configuration; outputs that are in both take up where they were."""
        if config.outputs == self._wanted:
            return
        self._made = {name: entry.make() for name, entry in config.outputs.items()}
        self._wanted = config.outputs
        self._changed.set()

    async def _lead(self, project_id: int) -> None:
        outputs, entries = self._made, self._wanted

        async def work(session: Session) -> None:
            await self._work(session, project_id, outputs, entries)

        await lead(self._store.pool, "outputs", work)

    async def _work(
        self,
        session: Session,
        project_id: int,
        outputs: Mapping[str, Output[Any]],
        entries: Mapping[str, OutputEntry],
    ) -> None:
        store, ledger = self._store, Ledger(session, project_id)
        head = Head(store.catalog, store.commits, project_id)
        positions = await ledger.enter(entries, await head.read())
        reader = LogReader(store.catalog, store.cache, project_id, store.workers)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(head.run, name="outputs head")
                tasks.start_soon(self._measure, session, project_id, name="outputs lag")
                for name, output in outputs.items():
                    forwarder = Forwarder(
                        name,
                        output,
                        positions[name],
                        reader=reader,
                        head=head,
                        ledger=ledger,
                        metrics=self._metrics,
                    )
                    tasks.start_soon(forwarder.run, name=f"output {name}")
        finally:
            self._metrics.forget()

    async def _measure(self, session: Session, project_id: int) -> None:
        while True:
            async with session.transaction() as connection:
                found = await progress_of(connection, project_id)
            for name in found.keys() & self._wanted.keys():
                labels = name, found[name].type
                self._metrics.lag.labels(*labels).set(found[name].seconds)
                self._metrics.lag_commits.labels(*labels).set(found[name].commits)
            await anyio.sleep(MEASURE_SECONDS)
