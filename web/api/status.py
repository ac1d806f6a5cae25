"""`/api/v1/status`, `/plugins`: how the node is, and what is installed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Annotated, Any, ClassVar

import msgspec
from litestar import Request, get
from msgspec import Meta

from ... import __version__
from ...plugins import now_ns
from ..auth.gate import is_home
from ..problems import described
from .node import GateDependency, NodeDependency, ProjectDependency, who_asks


class DatabaseStatus(msgspec.Struct, frozen=True):
    """PostgreSQL as this node sees it."""

    ok: bool
    embedded: Annotated[bool, Meta(description="It runs under the data folder, started by Cordwood")]


class IngestStatus(msgspec.Struct, frozen=True):
    """What this node took in since it started."""

    events_total: int
    bytes_total: Annotated[int, Meta(description="Bytes of the segments they became")]
    events_per_s: Annotated[float, Meta(description="Mean of the last seconds")]


class SegmentStatus(msgspec.Struct, frozen=True):
    """What the store holds."""

    count: int
    rows: int
    bytes: int


class CompactionStatus(msgspec.Struct, frozen=True):
    """What the compactor has before it."""

    waiting_segments: Annotated[int, Meta(description="Segments as they were committed, not merged yet")]


class Status(msgspec.Struct, frozen=True):
    """State of this node and its store."""

    version: str
    uptime_s: float
    node: Annotated[str, Meta(description="Name of this node")]
    role: Annotated[str, Meta(description="all, ingest, query or worker")]
    database: DatabaseStatus
    ingest: Annotated[
        IngestStatus | None, Meta(description="Of all projects together; null for who is of another than default")
    ]
    segments: SegmentStatus
    compaction: CompactionStatus
    reload_errors: Annotated[
        list[str], Meta(description="Why the file was refused when it was last read again; the old one runs on")
    ]
    users_exist: Annotated[bool, Meta(description="False: only this machine is served, without signing in")]


class PluginItem(msgspec.Struct, frozen=True):
    """A plugin that is loaded."""

    kind: Annotated[str, Meta(description="source, parser, detector or notifier")]
    type: Annotated[str, Meta(description="Its name in the YAML", examples=["json"])]
    package: str
    version: str
    summary: str


class PluginFailure(msgspec.Struct, frozen=True):
    """A plugin package that could not be loaded."""

    entry_point: str
    package: str
    reason: str


class Plugins(msgspec.Struct, frozen=True):
    """All plugin packages that were found."""

    plugins: list[PluginItem]
    failures: list[PluginFailure]


@get(
    "/api/v1/status",
    operation_id="getStatus",
    summary="State of this node and its store",
    tags=["system"],
    opt={"access": "query"},
    responses=described(),
)
async def get_status(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency, gate: GateDependency
) -> Status:
    """State of this node, its database and its store."""
    stats, store = node.store.writer.stats, node.store
    rate: Rate = request.app.state.ingest_rate
    return Status(
        version=__version__,
        uptime_s=round((now_ns() - node.started_ns) / 1e9, 3),
        node=node.name,
        role=node.settings.role,
        database=DatabaseStatus(await node.database_problem() is None, store.embedded),
        ingest=IngestStatus(stats.events, stats.bytes, rate.sample(stats.events))
        if is_home(who_asks(request))
        else None,
        segments=SegmentStatus(**await store.catalog.totals(project_id)),
        compaction=CompactionStatus(await store.catalog.unmerged(project_id)),
        reload_errors=list(node.reload_errors),
        users_exist=await gate.users_exist(),
    )


@get(
    "/api/v1/plugins",
    operation_id="listPlugins",
    summary="Plugins, loaded and failed",
    tags=["system"],
    opt={"access": "query", "any_project": True, "filtered": True},
    responses=described(),
)
async def list_plugins(node: NodeDependency) -> Plugins:
    """Every plugin that is loaded, and every package that failed to."""
    items = [
        PluginItem(kind, type_, loaded.package, loaded.version, loaded.summary)
        for kind, by_type in node.registry.kinds.items()
        for type_, loaded in sorted(by_type.items())
    ]
    failures = [PluginFailure(f.entry_point, f.package, f.reason) for f in node.registry.failures]
    return Plugins(items, failures)


class Rate:
    """Events per second over the last seconds, from the totals seen when somebody asks."""

    WINDOW_S: ClassVar = 10.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen = deque([(clock(), 0)])

    def sample(self, total: int) -> float:
        """Note the total now; returns the mean since the oldest look within the window, or since the last one."""
        now = self._clock()
        while len(self._seen) > 1 and self._seen[1][0] < now - self.WINDOW_S:
            self._seen.popleft()
        then, before = self._seen[0]
        if now - self._seen[-1][0] >= 0.5:
            self._seen.append((now, total))
        return round((total - before) / (now - then), 1) if now > then else 0.0
