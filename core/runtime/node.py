"""A node: one process of Cordwood. It opens the store, runs sources and detectors, and answers the web room.

Order of a start: store, then sources and detectors; of a stop: the web server (its caller's), sources, detectors, then
the writer commits what was taken in, then the database.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote

import anyio
import anyio.to_thread
import asyncpg
from prometheus_client import CollectorRegistry

from ...config import Config, ConfigErrors, EngineAddress, Limits, Pipeline, Settings
from ...plugins import CordwoodError, HttpSource, ProjectConfig, Registry, RetryableError, in_worker
from ..alerting import AlertingService
from ..alerting.links import Links, signing_key
from ..dashboards.store import Dashboards
from ..forwarding import ForwardingService
from ..forwarding.label import label
from ..query import QueryEngine, Tables
from ..query.clickhouse_client import ClickHouse
from ..query.following import Following
from ..query.lookup_store import Lookups
from ..query.saved_store import SavedQueries
from ..query.searcher import EngineSearcher
from ..query.shaped_store import ShapedStore
from ..recordings import RecordingService
from ..reports.make import Maker
from ..reports.service import ReportService
from ..reports.store import Issues
from ..storage.database import DATABASE_ERRORS, renewed_after, trouble
from ..storage.dead_letters import Bounds, DeadLetters
from ..storage.deleting import DeletionWorker
from ..storage.deletion import Deletions
from ..storage.erase import Eraser
from ..storage.leader import lead
from ..storage.places import Places
from ..storage.retention import Retention
from ..storage.store import Store
from ..tracing import Tracing, tracing_of
from .admission import DEFAULT_PROJECT, Admission
from .conditions import Conditions
from .configs import load_checked
from .door import Door
from .emf import EmbeddedMetrics
from .gathering import Gathering, LeftOver
from .memory import give_back_when_quiet
from .metrics import NodeMetrics
from .outlet import StoreOutlet
from .pipeline import RunningPipeline
from .reads import PipelineReads
from .replay import Replayer
from .scrubbing import scrub_all
from .spill import spill_folder
from .spool import Room, Spool
from .supervisor import RunningSource, Supervisor
from .tables import PipelineTables
from .taps import StepCounts, Taps

_TRACES_SECONDS = 2.0  # for the last traces: a stop takes less than ten
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MountedHttpSource:
    """An HTTP source and the outlet for its requests."""

    name: str
    plugin: HttpSource  # type: ignore[type-arg]
    outlet: StoreOutlet

    def outlet_of(self, admission: Admission) -> StoreOutlet:
        """Where batches of the admission's project go."""
        return self.outlet.of(admission)


class Node:
    """Everything of one process but the web server and the command line."""

    store: Store
    engine: QueryEngine
    following: Following
    admission: Admission
    alerting: AlertingService
    links: Links
    forwarding: ForwardingService
    conditions: Conditions
    lookups: Lookups
    tables: PipelineTables
    reads: PipelineReads
    saved: SavedQueries
    shaped: ShapedStore
    dashboards: Dashboards
    recordings: RecordingService
    reports: ReportService
    report_maker: Maker
    report_issues: Issues
    searcher: EngineSearcher
    deletions: Deletions
    dead_letters: DeadLetters
    retention: Retention

    def __init__(self, settings: Settings, config: Config, registry: Registry) -> None:
        self.settings = settings
        self.registry = registry
        self.config = config.with_implicit(registry)
        self.name = socket.gethostname()
        self.project_id = 0
        self.started_ns = time.time_ns()
        self.metrics = CollectorRegistry()
        self.door = Door()
        self.tracing = Tracing()
        self.admissions: dict[int, Admission] = {}
        self.taps = Taps()
        self.spool_room = Room(self.config.limits.spool)
        self.reload_errors: tuple[str, ...] = ()
        self._counts: dict[str, tuple[Pipeline, Sequence[StepCounts]]] = {}
        self.ready = False
        self.draining = False
        """A stop was asked for: everything is still served, and no more should come."""
        self._supervisor: Supervisor | None = None
        self._mounted: tuple[tuple[RunningSource, ...], list[MountedHttpSource]] = ((), [])
        self._reloading = anyio.Lock()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run everything; on leaving, stop in order.

        :raises ConfigError: a setting, the data folder or the database cannot be used
        :raises FatalError: the database does not start, or is of a newer release
        """
        settings = self.settings
        self.tracing = tracing_of(os.environ, settings.role)
        opened = Store.opened(
            settings.data_dir,
            settings.database_url,
            compact=settings.role in ("all", "worker"),
            places=Places.of(self.config),
        )
        async with opened as self.store, AsyncExitStack() as stack:
            project_id = await self.store.project_id()
            assert project_id is not None
            self.project_id = project_id
            limits = self.config.limits
            usage = self.store.writer.usage
            self.admission = Admission(DEFAULT_PROJECT, project_id, usage, limits.of(DEFAULT_PROJECT))
            self.admissions = {project_id: self.admission}
            self._apply(limits)
            self.lookups = Lookups(self.store.pool)
            self.tables = PipelineTables(self.lookups)
            self.saved = SavedQueries(self.store.pool)
            self.shaped = ShapedStore(self.store.pool)
            self.reads = PipelineReads(self.tables, self.shaped)
            self.dashboards = Dashboards(self.store.pool)
            self.engine = QueryEngine(
                catalog=self.store.catalog,
                cache=self.store.cache,
                memory_limit=f"{limits.query_memory}B",
                threads=2,
                at_once=limits.queries,
                waiting=limits.waiting_queries,
                joined_rows=limits.joined_rows,
                lookups=self.lookups,
                saved=self.saved,
                shaped=self.shaped,
                spill=stack.enter_context(spill_folder(settings.data_dir.absolute() / "spill")),
                tables=Tables(self.store.pool),
                clickhouse=self._clickhouse(),
                tracing=self.tracing,
            )
            self.following = Following(self.engine, self.store.catalog, self.store.commits)
            self.searcher = EngineSearcher(self.engine)
            self.report_issues = Issues(self.store.pool)
            self.report_maker = Maker(self.engine, self.dashboards, project_id)
            self.reports = ReportService(self.store.pool, self.report_maker, project_id, self.config)
            self.deletions = Deletions(self.store.pool, self.searcher)
            self.dead_letters = DeadLetters(self.store.pool)
            self.retention = Retention(self.store.pool, self._eraser(), self.searcher, self.config.store)
            self.store.forgetting.others.append(self.engine.forget)
            secret = settings.secret_key
            self.links = Links(await signing_key(self.store.pool, secret.get_secret_value() if secret else None))
            self.alerting = AlertingService(
                self.store,
                self.engine,
                link=self._link,
                acknowledge=self.acknowledge_link,
                report=self._report_link,
                metrics=self.metrics,
            )
            self.forwarding = ForwardingService(self.store, metrics=self.metrics)
            self.recordings = RecordingService(self.store, self.engine, project_id, self.config)
            works = settings.role in ("all", "worker")
            self.conditions = Conditions(self.store.pool, lambda: self.store.files.places, writes=works)
            NodeMetrics(self).register(self.metrics)
            async with anyio.create_task_group() as tasks:
                self._supervisor = Supervisor(tasks)
                tasks.start_soon(give_back_when_quiet)
                tasks.start_soon(self.conditions.run)
                tasks.start_soon(self.following.run)
                if settings.metrics == "emf":
                    told = EmbeddedMetrics(self.metrics, {"role": settings.role}, {"node": self.name})
                    tasks.start_soon(told.run)
                for running in self._sources(self.config).values():
                    self._supervisor.start(running)
                await self._foresee()
                if settings.role in ("all", "ingest"):
                    tasks.start_soon(self.left_over().run)
                if works:
                    tasks.start_soon(self.alerting.run, self.project_id, self.config)
                    tasks.start_soon(self.forwarding.run, self.config)
                    tasks.start_soon(self.reports.run)
                    tasks.start_soon(self.recordings.run)
                    tasks.start_soon(self.delete)
                    tasks.start_soon(lead, self.store.pool, "retention", self.retention.work)
                self.ready = True
                try:
                    yield
                finally:
                    self.ready = False
                    with anyio.CancelScope(shield=True), anyio.move_on_after(5):
                        await self._supervisor.end()
                    tasks.cancel_scope.cancel()
                    self.engine.close()
                    with anyio.CancelScope(shield=True), anyio.move_on_after(_TRACES_SECONDS):
                        await anyio.to_thread.run_sync(self.tracing.close, abandon_on_cancel=True)

    def _clickhouse(self) -> ClickHouse | None:
        """The engine beside DuckDB, if one is set."""
        url, store = self.settings.query_engine, self.store
        return None if url is None else ClickHouse(EngineAddress.of(url), store.cache, store.files.shared)

    async def delete(self) -> None:
        """Do deletions whenever no other node does, until cancelled."""
        await lead(self.store.pool, "deletion", self.deletion_worker().work)

    def left_over(self) -> LeftOver:
        """What takes over what nodes that are gone held of events."""
        return LeftOver(self.store, self.registry, lambda: self.sources)

    def deletion_worker(self) -> DeletionWorker:
        """What does the deletions, for whoever holds their lock."""
        store = self.store
        return DeletionWorker(store.pool, store.commits, store.files, self._eraser(), self.searcher, scrub_all)

    def _eraser(self) -> Eraser:
        return Eraser(self.store.pool, self.store.files, self.store.cache, limiter=self.store.workers)

    def _sources(self, config: Config) -> dict[str, RunningSource]:
        """Every source of the configuration, not yet running; none on a node that only queries or works."""
        pipelines = {
            name: RunningPipeline(pipeline, self.registry, self._counts_of(pipeline), self.taps)
            for name, pipeline in config.pipelines.items()
        }
        made = {}
        for name, entry in config.sources.items():
            if self.settings.role not in ("all", "ingest"):
                continue
            pipeline = pipelines[config.pipeline_of(name).name]
            source = entry.make()
            waits = not isinstance(source, HttpSource)
            project = entry.config.project if isinstance(entry.config, ProjectConfig) else DEFAULT_PROJECT
            outlet = StoreOutlet(name, pipeline, self.store, self._expected(project), self.door, waits)
            outlet.tracing, outlet.reads = self.tracing, self.reads
            if pipeline.timeout_ns is not None:
                outlet.gathering = Gathering(f"{self.name}:{self.settings.data_dir.absolute()}")
            folder = self.settings.data_dir.absolute() / "spool" / label(name)
            outlet.spool = Spool(folder, outlet, self.spool_room)
            made[name] = RunningSource(name, entry.type, source, outlet, self._enter)
        return made

    async def _foresee(self) -> None:
        """Tell of lookup tables that the running pipelines lack."""
        names = frozenset[str]().union(*(one.outlet.pipeline.tables for one in self.sources.values()))
        await self.tables.foresee(self.project_id, names)

    def _counts_of(self, pipeline: Pipeline) -> Sequence[StepCounts]:
        """Where the steps of a pipeline count; a pipeline that has changed begins anew."""
        known = self._counts.get(pipeline.name)
        if known is None or known[0].parse != pipeline.parse:
            known = self._counts[pipeline.name] = pipeline, [StepCounts.of(step) for step in pipeline.parse]
        return known[1]

    def counted(self, pipeline: str) -> Sequence[StepCounts]:
        """What each step of a pipeline of the configuration has counted."""
        return self._counts_of(self.config.pipelines[pipeline])

    def replayer(self, project_id: int) -> Replayer:
        """What replays a project's dead letters."""
        return Replayer(self.store, self.registry, project_id, self.reads)

    @property
    def uptime_s(self) -> float:
        """Seconds since the start."""
        return (time.time_ns() - self.started_ns) / 1e9

    @property
    def url(self) -> str:
        """Where the node's pages are: as others call it, if that is set, else as this machine does."""
        host = "127.0.0.1" if self.settings.host in ("0.0.0.0", "::") else self.settings.host  # noqa: S104
        return self.settings.public_url or f"http://{host}:{self.settings.port}"

    def _apply(self, limits: Limits) -> None:
        """Set what can be changed while everything runs."""
        for admission in self.admissions.values():
            admission.limits = limits.of(admission.project)
        self.store.writer.pending_bytes = limits.ingest_memory
        self.spool_room.limit = limits.spool
        self.store.writer.dead_letters = Bounds(limits.dead_letters, limits.dead_letter_bytes)
        self.store.writer.fields = self.store.compactor.fields = limits.fields

    def admission_of(self, project_id: int | None, project: str | None) -> Admission:
        """The door of a project on this node; None: of the node's own."""
        if project_id is None or project is None:
            return self.admission
        if project_id not in self.admissions:
            limits = self.config.limits.of(project)
            self.admissions[project_id] = Admission(project, project_id, self.store.writer.usage, limits)
        return self.admissions[project_id]

    def _expected(self, project: str) -> Admission:
        """The door of a project by its name: of one that this node has not met, a door that nothing passes yet."""
        known = next((one for one in self.admissions.values() if one.project == project), None)
        return known or Admission(project, 0, self.store.writer.usage, self.config.limits.of(project))

    async def _enter(self, outlet: StoreOutlet) -> None:
        """Make sure that there is the project that a source's events are of.

        :raises RetryableError: there is none of this name, or the database does not answer
        """
        if outlet.project_id:
            return
        name = outlet.admission.project
        try:
            project_id = await self.store.project_id(name)
        except DATABASE_ERRORS as why:
            raise RetryableError(f"{trouble(why)}; it is not known whether there is the project {name}") from why
        if project_id is None:
            raise RetryableError(f"there is no project {name}: add it with `cordwood project add {name}`")
        outlet.admission = self.admission_of(project_id, name)

    @property
    def sources(self) -> dict[str, RunningSource]:
        """The running sources by name."""
        return self._supervisor.sources if self._supervisor else {}

    @property
    def http_sources(self) -> list[MountedHttpSource]:
        """The sources that others post to: the same list until other sources run, for every request asks."""
        running = tuple(self.sources.values())
        if running != self._mounted[0]:
            mounted = [
                MountedHttpSource(one.name, one.source, one.outlet)
                for one in running
                if isinstance(one.source, HttpSource)
            ]
            self._mounted = (running, mounted)
        return self._mounted[1]

    async def reload(self) -> list[str]:
        """Read the YAML again and exchange what changed.

        Answers the errors: where there are any, or new sources do not start, the old configuration stays.

        Sources whose settings and pipeline are as before go on undisturbed.
        """
        path = self.settings.config
        if path is None or self._supervisor is None:
            return []
        async with self._reloading:
            counts = dict(self._counts)
            try:
                # In a thread: a secret may come over the network.
                config = (await in_worker(load_checked, path, self.registry)).with_implicit(self.registry)
                fresh, places = self._sources(config), Places.of(config)
                changed = await self._exchange(config, fresh, counts)
            except Exception as why:  # whatever a plugin raises: what runs must go on
                self._counts = counts
                errors = why.errors if isinstance(why, ConfigErrors) else (why,)
                self.reload_errors = tuple(str(error) or type(error).__name__ for error in errors)
                _log.error(
                    "the configuration is wrong and the old one stays: %s",
                    "\n".join(self.reload_errors),
                    exc_info=None if isinstance(why, CordwoodError | OSError) else why,
                )
                return list(self.reload_errors)
            self.reload_errors = ()
            await self._foresee()
            self.retention.settings = config.store
            self._apply(config.limits)
            self.store.files.places = places
            await self.alerting.reload(config)
            self.forwarding.reload(config)
            self.reports.reload(config)
            self.recordings.reload(config)
            _log.info("read the configuration again: %d sources changed", changed)
            return []

    async def _exchange(
        self,
        config: Config,
        fresh: Mapping[str, RunningSource],
        counts: dict[str, tuple[Pipeline, Sequence[StepCounts]]],
    ) -> int:
        """Stop the sources that changed and run their new ones; how many changed or are new.

        Between a stop and the start after it nothing else runs: a request always finds its source.

        :raises ConfigErrors: some do not start; the old ones run again, with their old counts
        """
        assert self._supervisor is not None
        old = self.config
        gone = {name for name in self.sources if not _same(old, config, name)}
        await self._supervisor.stop(gone)
        self.config = config
        new = {name: running for name, running in fresh.items() if name not in self.sources}
        if failed := await self._supervisor.start_all(new.values()):
            errors = [
                config.sources[one.name].place.error(
                    f"sources.{one.name}: does not start: {one.error}", "mend that, and have the file read again"
                )
                for one in failed
            ]
            await self._supervisor.stop(set(new))
            self.config, self._counts = old, counts
            await self._supervisor.start_all(
                running for name, running in self._sources(old).items() if name not in self.sources
            )
            raise ConfigErrors(errors)
        return len(gone | new.keys())

    @property
    def source_warnings(self) -> list[str]:
        """What sources keep on the disk because the store does not take it, what they and the kernel lost, and the
        lookup tables that pipelines lack."""
        found = self.tables.warnings
        for source in self.sources.values():
            spool = source.outlet.spool
            if spool is not None and spool.events:
                found.append(
                    f"source {source.name}: {spool.events} events ({spool.bytes} bytes) are kept on the disk until the "
                    "store takes them"
                )
            if spool is not None and spool.dropped:
                found.append(
                    f"source {source.name}: {spool.dropped} events are lost since the start, for the disk had no room; "
                    "`limits: {spool: …}` sets how much it may take"
                )
            if dropped := source.source.counts.get("dropped_datagrams"):
                found.append(
                    f"source {source.name}: the kernel has dropped {dropped} datagrams since it began to listen, "
                    "for they came faster than they were read: raise `sysctl net.core.rmem_max`, and start again"
                )
        return found

    async def database_problem(self) -> str | None:
        """Why PostgreSQL takes nothing now; None: it does."""
        try:
            with anyio.fail_after(2):  # a silent server holds the connection for two more: probes wait five at most
                if await self.store.pool.fetchval("select current_setting('transaction_read_only')::bool"):
                    raise asyncpg.ReadOnlySQLTransactionError
        except DATABASE_ERRORS as why:
            await renewed_after(self.store.pool, why)
            return trouble(why)
        return None

    @property
    def disk_full(self) -> bool:
        """Whether the last commit failed for want of space."""
        return self.store.writer.stats.disk_full

    def _link(self, incident_id: int) -> str:
        """An incident's page; of 0, the list."""
        return f"{self.url}/alerts/incidents" + (f"/{incident_id}" if incident_id else "")

    def acknowledge_link(self, project_id: int, incident_id: int, notifier: str) -> str:
        """Where whom a notifier tells may acknowledge an incident without signing in."""
        return f"{self.url}/acknowledge/{self.links.token(project_id, incident_id, notifier)}"

    def _report_link(self, report: str) -> str:
        return f"{self.settings.public_url or self.url}/reports?name={quote(report)}"


def _same(old: Config, new: Config, name: str) -> bool:
    """Whether a source is as before, and so is what becomes of its events; who else feeds its pipeline is no matter."""
    if name not in new.sources or old.sources[name] != new.sources[name]:
        return False
    before, now = old.pipeline_of(name), new.pipeline_of(name)
    return (before.name, before.service, before.parse) == (now.name, now.service, now.parse)
