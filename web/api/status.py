"""`/api/v1/status`, `/plugins`, `/pipelines`: what runs here, without a secret in it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import get
from msgspec import Meta

from ..problems import described
from .node import NodeDependency


class DatabaseStatus(msgspec.Struct, frozen=True):
    """PostgreSQL as this node sees it."""

    ok: bool
    embedded: Annotated[bool, Meta(description="It runs under the data folder, started by Cordwood")]


class IngestStatus(msgspec.Struct, frozen=True):
    """What this node took in since it started."""

    events_total: int
    bytes_total: int
    events_per_s: Annotated[float, Meta(description="Mean of the last seconds")]


class SegmentStatus(msgspec.Struct, frozen=True):
    """What the store holds."""

    count: int
    rows: int
    bytes: int


class Status(msgspec.Struct, frozen=True):
    """State of this node and its store."""

    version: str
    uptime_s: float
    node: Annotated[str, Meta(description="Name of this node")]
    role: Annotated[str, Meta(description="all, ingest, query or worker")]
    database: DatabaseStatus
    ingest: IngestStatus
    segments: SegmentStatus
    users_exist: Annotated[bool, Meta(description="False: only this machine is served, without signing in")]


class PluginItem(msgspec.Struct, frozen=True):
    """A plugin that is loaded."""

    kind: Literal["source", "parser", "detector", "notifier"]
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


class StepItem(msgspec.Struct, frozen=True):
    """A parser of a pipeline. Settings are left out: they may hold secrets."""

    type: str
    when: str | None


class PipelineItem(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A pipeline of the running configuration."""

    name: str
    from_: Annotated[list[str], Meta(description="Names of its sources")]
    service: str | None
    parse: list[StepItem]


class SourceItem(msgspec.Struct, frozen=True):
    """A source that runs."""

    name: str
    type: str


class Pipelines(msgspec.Struct, frozen=True):
    """The running configuration, from sources to the store."""

    sources: list[SourceItem]
    pipelines: list[PipelineItem]


@get(
    "/api/v1/status",
    operation_id="getStatus",
    summary="State of this node and its store",
    tags=["system"],
    opt={"access": "query"},
    responses=described(),
)
async def get_status(node: NodeDependency) -> Status:
    """State of this node, its database and its store."""
    raise NotImplementedError


@get(
    "/api/v1/plugins",
    operation_id="listPlugins",
    summary="Plugins, loaded and failed",
    tags=["system"],
    opt={"access": "query"},
    responses=described(),
)
async def list_plugins(node: NodeDependency) -> Plugins:
    """Every plugin that is loaded, and every package that failed to."""
    raise NotImplementedError


@get(
    "/api/v1/pipelines",
    operation_id="listPipelines",
    summary="The running configuration",
    tags=["system"],
    opt={"access": "query"},
    responses=described(),
)
async def list_pipelines(node: NodeDependency) -> Pipelines:
    """Sources and pipelines of the running configuration, without their settings."""
    raise NotImplementedError
