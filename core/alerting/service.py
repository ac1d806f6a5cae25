"""Alerting as the node runs it: on the node that holds the lock, a loop for each detector and one for each notifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

import anyio
import asyncpg
from prometheus_client import CollectorRegistry

from ...config import Config, Maintenance, Routing
from ...plugins import Chart, Detector, Notifier, now_ns
from ..storage.leader import Session, lead, lead_once
from .arrivals import Arrivals
from .chart import Shown, chart_of
from .delivery import Delivery
from .detection import Detection
from .head import Catalog, Commits, Head
from .idle import Idle
from .journal import Journal
from .metrics import AlertingMetrics
from .run import Engine, Events
from .surroundings import Surroundings
from .turns import Turns
from .watch import Watch

JUDGING_AT_ONCE = 2  # detectors that query at the same time, so that people's queries find the engine free


Detectors: TypeAlias = Mapping[str, Detector[Any]]
Notifiers: TypeAlias = Mapping[str, Notifier[Any]]
Plugins: TypeAlias = tuple[Detectors, Notifiers, Routing, Mapping[str, Maintenance]]


class AlertingStore(Protocol):
    """What alerting needs of the store."""

    @property
    def pool(self) -> asyncpg.Pool: ...
    @property
    def catalog(self) -> Catalog: ...
    @property
    def commits(self) -> Commits: ...


class AlertingService:
    """Made once for a node: its metrics are registered with it."""

    def __init__(
        self,
        store: AlertingStore,
        engine: Engine,
        *,
        link: Callable[[int], str],
        acknowledge: Callable[[int, int, str], str] = lambda *_: "",
        report: Callable[[str], str] = lambda _: "",
        metrics: CollectorRegistry,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        """`link` gives the address of an incident's page, and of 0 that of the list; `report` of a report's page.

        `clock` gives nanoseconds since the epoch.

        `acknowledge` gives the address by which whom a notifier tells may acknowledge: of project, incident, notifier.
        """
        self._store, self._engine = store, engine
        self._link, self._acknowledge, self._report, self._clock = link, acknowledge, report, clock
        self._metrics = AlertingMetrics(metrics)
        self._wanted: Plugins = ({}, {}, Routing(), {})
        self._changed = anyio.Event()

    async def run(self, project_id: int, config: Config) -> None:
        """Judge and tell, as the configuration says, whenever this node holds the lock; until cancelled."""
        self._wanted = _made(config)
        while True:
            self._changed = anyio.Event()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.run_plugins, project_id, *self._wanted)
                await self._changed.wait()
                tasks.cancel_scope.cancel()

    async def reload(self, config: Config) -> None:
        """Go on with another configuration; detectors take up where those of the same name were."""
        self._wanted = _made(config)
        self._changed.set()

    async def run_plugins(
        self,
        project_id: int,
        detectors: Detectors,
        notifiers: Notifiers,
        routing: Routing | None = None,
        maintenance: Mapping[str, Maintenance] = MappingProxyType({}),
    ) -> None:
        """As `run`, with plugins that are made already, by their names in the YAML."""

        async def work(session: Session) -> None:
            await self._work(session, project_id, (detectors, notifiers, routing or Routing(), maintenance))

        await lead(self._store.pool, "alerting", work)

    async def once(self, project_id: int, config: Config) -> bool:
        """One round, unless a node holds the lock: every detector judges up to now, and what is due is delivered.

        A notification that must be tried again waits for the next round. Answers whether this was done.

        :raises RetryableError: the database does not answer
        """
        plugins = _made(config)

        async def work(session: Session) -> None:
            shared, detections, deliveries = await self._entered(session, project_id, plugins)
            await shared.journal.quiet.look(self._clock())
            async with anyio.create_task_group() as tasks:
                for detection in detections:
                    tasks.start_soon(detection.once)
            await shared.idle.write()
            async with anyio.create_task_group() as tasks:
                for delivery in deliveries:
                    tasks.start_soon(delivery.once)

        return await lead_once(self._store.pool, "alerting", work)

    async def _work(self, session: Session, project_id: int, plugins: Plugins) -> None:
        shared, detections, deliveries = await self._entered(session, project_id, plugins)
        watch = Watch([detection for detection in detections if detection.searches], shared)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(shared.head.run, name="alerting head")
            tasks.start_soon(watch.run, name="alerting watch")
            tasks.start_soon(shared.journal.quiet.run, self._clock, shared.told, name="alerting silences")
            tasks.start_soon(shared.idle.run, name="alerting idle")
            for detection in detections:
                tasks.start_soon(detection.run, name=f"detector {detection.name}")
            for delivery in deliveries:
                tasks.start_soon(delivery.run, name=f"notifier {delivery.name}")

    async def _entered(
        self, session: Session, project_id: int, plugins: Plugins
    ) -> tuple[Surroundings, list[Detection], list[Delivery]]:
        """The loops to run, with the tables brought to agree with the configuration."""
        detectors, notifiers, routing, maintenance = plugins
        head = Head(self._store.catalog, self._store.commits, project_id)
        types = {name: told.type for name, told in notifiers.items()}
        journal = Journal(session, project_id, types, routing, maintenance)
        progress = await journal.enter(detectors, self._clock(), await head.read())

        async def chart(shown: Shown) -> Chart | None:
            return await chart_of(Events(self._engine, project_id, head.value), shown, self._clock())

        deliveries = [
            Delivery(
                name,
                notifier,
                session=session,
                project_id=project_id,
                link=self._link,
                acknowledge=self._acknowledge,
                report=self._report,
                chart=chart,
                clock=self._clock,
                metrics=self._metrics,
            )
            for name, notifier in notifiers.items()
        ]

        def told() -> None:
            for delivery in deliveries:
                delivery.wake()

        shared = Surroundings(
            project_id=project_id,
            engine=self._engine,
            catalog=self._store.catalog,
            head=head,
            arrivals=Arrivals(self._store.catalog, self._engine, project_id, head.value),
            journal=journal,
            idle=Idle(session, project_id),
            metrics=self._metrics,
            clock=self._clock,
            turns=Turns(JUDGING_AT_ONCE),
            told=told,
        )
        detections = [Detection(name, detector, progress[name], shared) for name, detector in detectors.items()]
        return shared, detections, deliveries


def _made(config: Config) -> Plugins:
    detectors = {name: entry.make() for name, entry in config.detectors.items()}
    notifiers = {name: entry.make() for name, entry in config.notifiers.items()}
    return detectors, notifiers, config.routing, config.maintenance
