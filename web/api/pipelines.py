"""`/api/v1/pipelines`: the running way from sources to the store, counted; a line to try, an edge to watch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import anyio
import msgspec
import yaml
from litestar import Request, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.response import Stream
from msgspec import Meta

from ...config import Step
from ...core.forwarding import OutputProgress, progress_of_all
from ...core.query import BatchFilter
from ...core.runtime import trial
from ...core.runtime.pipeline import RunningPipeline
from ...core.runtime.taps import MOST_TAPS, STORE, StepCounts, Tap
from ...core.storage.database import DATABASE_ERRORS
from ...plugins import RejectedError, RetryableError, in_worker
from ..problems import NotFoundProblem, described
from .fields import Text
from .node import GateDependency, NodeDependency

if TYPE_CHECKING:
    from ...core.runtime import Node

_LOOK_S: Final = 0.25  # seconds between looks at what a tap has caught
_HEARTBEAT: Final = 40  # looks without anything until a sign of life is sent
Name: TypeAlias = Annotated[str, PathParameter(name="name", max_length=500, description="The pipeline's name")]
_Line: TypeAlias = Annotated[str, Meta(max_length=trial.MOST_CHARACTERS)]


class StepItem(msgspec.Struct, frozen=True):
    """A parser of a pipeline, and what it has done since the start on this node."""

    type: str
    when: str | None
    settings: Annotated[dict[str, Any], Meta(description="As the file has them, secrets masked")]
    events: Annotated[int, Meta(description="Events it has seen: those that `when` let through")]
    failed: Annotated[int, Meta(description="Of them, events that left it with a new `parse_error`")]
    seconds: Annotated[float, Meta(description="Time of work")]
    left_out: Annotated[int, Meta(description="Of them, events that it left out: they are not stored")]
    branches: Annotated[list[BranchItem], Meta(description="Of a route")]


class BranchItem(msgspec.Struct, frozen=True):
    """A branch of a route. Their order decides: an event goes through the first that finds it."""

    when: Annotated[str | None, Meta(description="Its search; null: for what no other finds")]
    events: Annotated[int, Meta(description="Events that went through it")]
    parse: list[StepItem]


class PipelineItem(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A pipeline of the running configuration."""

    name: str
    from_: Annotated[list[str], Meta(description="Names of its sources")]
    service: str | None
    parse: list[StepItem]
    events: Annotated[int, Meta(description="Events that left it for the store since the start")]


class SourceItem(msgspec.Struct, frozen=True):
    """A source of the running configuration."""

    name: str
    type: str
    state: Annotated[str, Meta(description="running, waiting, failed, done; elsewhere: not on this node")]
    error: Annotated[str | None, Meta(description="Why it waits or failed")]
    events: Annotated[int, Meta(description="Events taken in since the start")]
    cut: Annotated[int, Meta(description="Of them, events that were too large and lost a part")]
    spooled: Annotated[int, Meta(description="Events on the node's disk that the store does not take now")]
    spool_dropped: Annotated[int, Meta(description="Events lost because that disk had no room for them")]
    restarts: Annotated[int, Meta(description="How often it was started again after a failure")]
    implicit: Annotated[bool, Meta(description="No file names it: it runs because its plugin is installed")]
    settings: Annotated[dict[str, Any], Meta(description="As the file has them, secrets masked")]
    counts: Annotated[dict[str, int], Meta(description="What the source counts itself")]


class StoreItem(msgspec.Struct, frozen=True):
    """The writer of this node: where it is behind, sources wait."""

    events: Annotated[int, Meta(description="Events committed since the start")]
    failures: Annotated[int, Meta(description="Groups that the database did not commit")]
    pending_bytes: Annotated[int, Meta(description="Bytes that wait for a commit")]
    pending_limit: Annotated[int, Meta(description="Bytes at which sources are made to wait")]
    lag_s: Annotated[float, Meta(description="How long the oldest of them waits")]


class OutputItem(msgspec.Struct, frozen=True):
    """An output of the running configuration, and how far it is behind the store, whichever node sends."""

    name: str
    type: str
    state: Annotated[
        str,
        Meta(description="ok, waiting (it tries again), failed (it tries again, but somebody must act), or unknown"),
    ]
    error: Annotated[str | None, Meta(description="Why the last attempt to send failed")]
    events: Annotated[int, Meta(description="Events sent since it was configured first")]
    refused: Annotated[int, Meta(description="Events that the other side refused for good: they are dead letters")]
    lag_commits: Annotated[int, Meta(description="Commits that it has still to look at")]
    lag_s: Annotated[float, Meta(description="For how long the oldest event that it has not sent waits")]
    settings: Annotated[dict[str, Any], Meta(description="As the file has them, secrets masked")]


class Pipelines(msgspec.Struct, frozen=True):
    """The running configuration, from sources to the store, and what is sent on from there."""

    sources: list[SourceItem]
    pipelines: list[PipelineItem]
    outputs: list[OutputItem]
    store: StoreItem
    at_s: Annotated[float, Meta(description="Seconds since the node's start: what rates are made of")]
    files: Annotated[list[str], Meta(description="The files that it was read from; none: the defaults run")]
    yaml: Annotated[str, Meta(description="What runs, as YAML, secrets masked")]
    errors: Annotated[list[str], Meta(description="Why the last reload was refused, with file:line:column")]


class TryBody(msgspec.Struct, frozen=True):
    """Lines to try, as a source would hand them over: text, or an object of JSON each."""

    lines: Annotated[
        list[_Line],
        Meta(min_length=1, max_length=trial.MOST_LINES, examples=[['{"message": "hello", "level": "info"}']]),
    ]
    source: Annotated[str | None, Meta(description="Which source they come from; without it: the first")] = None


class TriedStep(msgspec.Struct, frozen=True):
    """The events after a step."""

    type: Annotated[str, Meta(description="The parser; `source`: as they came, `store`: as they are stored")]
    when: str | None
    changed: Annotated[bool, Meta(description="Whether the step changed anything")]
    events: list[dict[str, Any]]
    before: Annotated[
        list[dict[str, Any]] | None, Meta(description="The events that came to a step of a branch; null elsewhere")
    ]
    branches: Annotated[list[TriedBranch], Meta(description="Of a route: its branches to which events came")]


class TriedBranch(msgspec.Struct, frozen=True):
    """A branch of a route, with what its steps did."""

    when: Annotated[str | None, Meta(description="Which events it takes; null: all that are left")]
    steps: list[TriedStep]


class TryAnswer(msgspec.Struct, frozen=True):
    """What each step makes of the lines. Nothing is stored."""

    steps: list[TriedStep]


@get(
    "/api/v1/pipelines",
    operation_id="listPipelines",
    summary="The running configuration",
    tags=["pipelines"],
    opt={"access": "query"},
    responses=described(),
)
async def list_pipelines(node: NodeDependency) -> Pipelines:
    """Sources, pipelines and outputs of the running configuration, what they count, and how far the store is behind."""
    stats, writer = node.store.writer.stats, node.store.writer
    store = StoreItem(stats.events, stats.failures, writer.queued_bytes, writer.pending_bytes, round(writer.lag_s, 3))
    return Pipelines(
        [_source(node, name) for name in node.config.sources],
        [_pipeline(node, name) for name in node.config.pipelines],
        await _outputs(node),
        store,
        round(node.uptime_s, 3),
        list(node.config.files),
        as_yaml(node),
        list(node.reload_errors),
    )


@post(
    "/api/v1/pipelines/{name:str}/try",
    operation_id="tryPipeline",
    summary="What a pipeline makes of a line",
    tags=["pipelines"],
    status_code=200,
    opt={"access": "operate"},
    responses=described(404),
)
async def try_pipeline(data: JSONBody[TryBody], node: NodeDependency, pipeline_name: Name) -> TryAnswer:
    """The events after each step of a pipeline, for up to 100 lines. Nothing is stored."""
    pipeline = node.config.pipelines.get(pipeline_name)
    if pipeline is None:
        raise _missing(pipeline_name)
    made = RunningPipeline(pipeline, node.registry)
    known = await node.reads.of(node.project_id, made.tables, by_patterns=made.by_patterns)
    steps = await in_worker(
        trial.tried, node.config, node.registry, pipeline.name, data.lines, data.source or "", known
    )
    return TryAnswer([_tried_step(step) for step in steps])


def _tried_step(step: trial.TriedStep) -> TriedStep:
    branches = [
        TriedBranch(one.when, [_tried_step(inner) for inner in one.steps]) for one in step.branches if one.steps
    ]
    return TriedStep(step.type, step.when, step.changed, step.events, step.before, branches)


@get(
    "/api/v1/pipelines/{name:str}/tap",
    operation_id="tapPipeline",
    summary="Watch events pass a step",
    tags=["pipelines"],
    media_type="text/event-stream",
    opt={"access": "operate"},
    responses=described(404),
)
async def tap_pipeline(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    gate: GateDependency,
    pipeline_name: Name,
    step: Annotated[
        int, QueryParameter(ge=-1, le=1000, description="After which step; 0: as sources hand over, -1: as stored")
    ] = -1,
    text: Text = "",
) -> Stream:
    """Server-sent events: `event: event` with an event's JSON, as it leaves the step on this node, before its commit.

    It is a sample where there are many: of each batch at most 100, and `event: dropped` says how many were left out.
    """
    pipeline = node.config.pipelines.get(pipeline_name)
    if pipeline is None:
        raise _missing(pipeline_name)
    if step > len(pipeline.parse):
        raise RejectedError(f"{pipeline.name} has {len(pipeline.parse)} steps: there is no {step}")
    if node.taps.count >= MOST_TAPS:
        raise RetryableError(f"{MOST_TAPS} people watch already: try again when one has stopped", after=30)
    tap = Tap(pipeline.name, STORE if step == -1 else step, BatchFilter(text) if text.strip() else None)

    async def over() -> bool:
        principal = await gate.identify(request.headers)
        return bool(request.app.state.stopping) or principal is None or "operate" not in principal.permissions

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(_caught(node, tap, over), media_type="text/event-stream", headers=headers)


async def _caught(node: Node, tap: Tap, over: Callable[[], Awaitable[bool]]) -> AsyncIterator[bytes]:
    with node.taps.open(tap):
        yield b": watching\n\n"
        quiet = 0
        while not await over():
            events, dropped = tap.take()
            if events:
                yield b"".join(b"event: event\ndata: %b\n\n" % msgspec.json.encode(event) for event in events)
            if dropped:
                yield b"event: dropped\ndata: %d\n\n" % dropped
            quiet = 0 if events or dropped else quiet + 1
            if quiet >= _HEARTBEAT:
                quiet = 0
                yield b": alive\n\n"
            await anyio.sleep(_LOOK_S)


def as_yaml(node: Node) -> str:
    """The running configuration as a file would say it, without what no file names, and secrets masked."""
    config = node.config
    sources = {name: dict(entry.shown) for name, entry in config.sources.items() if not entry.implicit}
    pipelines = {
        line.name: {
            "from": [name for name in line.from_ if not config.sources[name].implicit],
            **({"service": line.service} if line.service else {}),
            "parse": [dict(step.shown) for step in line.parse],
        }
        for line in config.pipelines.values()
        if line.parse or any(not config.sources[name].implicit for name in line.from_)
    }
    parts = {
        "sources": sources,
        "pipelines": pipelines,
        "detectors": {name: dict(entry.shown) for name, entry in config.detectors.items()},
        "notifiers": {name: dict(entry.shown) for name, entry in config.notifiers.items()},
        "outputs": {name: dict(entry.shown) for name, entry in config.outputs.items()},
    }
    said = {"version": 1} | {name: part for name, part in parts.items() if part}
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=100)


def _source(node: Node, name: str) -> SourceItem:
    entry, running = node.config.sources[name], node.sources.get(name)
    counters = running.outlet.counters if running else None
    spool = running.outlet.spool if running else None
    return SourceItem(
        name=name,
        type=entry.type,
        state=running.state if running else "elsewhere",
        error=(running.error if running else "") or None,
        events=counters.events if counters else 0,
        cut=counters.cut if counters else 0,
        spooled=spool.events if spool else 0,
        spool_dropped=spool.dropped if spool else 0,
        restarts=running.restarts if running else 0,
        implicit=entry.implicit,
        settings=dict(entry.shown),
        counts=dict(running.source.counts) if running else {},
    )


def _pipeline(node: Node, name: str) -> PipelineItem:
    pipeline = node.config.pipelines[name]
    counted = node.counted(name)
    steps = [_step(step, counts) for step, counts in zip(pipeline.parse, counted, strict=True)]
    sources = [node.sources[source] for source in pipeline.from_ if source in node.sources]
    events = sum(source.outlet.counters.events for source in sources)
    return PipelineItem(name, list(pipeline.from_), pipeline.service, steps, events)


def _step(step: Step, counts: StepCounts) -> StepItem:
    branches = [
        BranchItem(branch.when, own.events, [_step(*inner) for inner in zip(branch.parse, own.steps, strict=True)])
        for branch, own in zip(step.branches, counts.branches, strict=True)
    ]
    return StepItem(
        type=step.type,
        when=step.when,
        settings=dict(step.shown),
        events=counts.events,
        failed=counts.failed,
        seconds=round(counts.seconds, 6),
        left_out=counts.left_out,
        branches=branches,
    )


async def _outputs(node: Node) -> list[OutputItem]:
    if not node.config.outputs:
        return []
    try:
        with anyio.fail_after(_LOOK_S * 8):
            known = await progress_of_all(node.store, node.config.outputs)
    except DATABASE_ERRORS:  # what is known without it is answered
        known = {}
    nothing = OutputProgress("", "", "unknown", None, 0, 0, 0, 0, 0.0)
    found = [(entry, known.get(name, nothing)) for name, entry in node.config.outputs.items()]
    return [
        OutputItem(
            name=entry.name,
            type=entry.type,
            state=at.state,
            error=at.error,
            events=at.events,
            refused=at.refused,
            lag_commits=at.commits,
            lag_s=round(at.seconds, 3),
            settings=dict(entry.shown),
        )
        for entry, at in found
    ]


def _missing(name: str) -> NotFoundProblem:
    return NotFoundProblem(f"there is no pipeline {name[:60]!r}; /api/v1/pipelines lists what there is")
