"""`/api/v1/recordings`: what the YAML has under `recordings`, and its metrics for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from litestar import Request, get, post
from litestar.params import JSONBody, PathParameter
from litestar.response import Response
from msgspec import Meta
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from ...config import RecordingSettings, format_duration
from ...core.recordings import RecordingState
from ...core.recordings.exposition import RecordedMetrics
from ...plugins import in_worker, now_ns, rfc3339
from ..problems import NotFoundProblem, described
from .node import NodeDependency, ProjectDependency, who_asks
from .times import Time, time_ns

RecordingName: TypeAlias = Annotated[str, PathParameter(name="name", max_length=100, description="The metric's name")]


class Recording(msgspec.Struct, frozen=True):
    """A recording of the running configuration, and how far it has come."""

    name: str
    query: str
    kind: Literal["gauge", "counter"]
    every: Annotated[str, Meta(examples=["1m"])]
    keep: Annotated[str, Meta(examples=["90d"])]
    grace: Annotated[str, Meta(examples=["15m"])]
    series: Annotated[int, Meta(description="Series that are kept now")]
    max_series: int
    dropped: Annotated[int, Meta(description="Figures left out because there were too many series")]
    since: Annotated[Time | None, Meta(description="Where it began; null: it has not yet")]
    recorded_until: Annotated[Time | None, Meta(description="End of the newest step that is recorded")]
    error: Annotated[str | None, Meta(description="Why it does not go on; it is tried again")]


class RecordingList(msgspec.Struct, frozen=True):
    """The recordings, by name."""

    items: list[Recording]


class BackfillBody(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """The past that is recorded."""

    from_: Time
    to: Annotated[Time | None, Meta(description="Without it: now")] = None


class Backfill(msgspec.Struct, frozen=True):
    """What was made of the past."""

    steps: int
    figures: int
    dropped: Annotated[int, Meta(description="Figures left out because there were too many series")]


@get(
    "/api/v1/recordings",
    operation_id="listRecordings",
    summary="Recordings",
    tags=["recordings"],
    opt={"access": "query"},
    responses=described(),
)
async def list_recordings(node: NodeDependency, project_id: ProjectDependency) -> RecordingList:
    """The recordings of the running configuration. They are of the node's own project."""
    states = await node.recordings.states()
    found = sorted(_recordings(node, project_id).items())
    return RecordingList([_shown(name, settings, states.get(name)) for name, settings in found])


@get(
    "/api/v1/recordings/{name:str}",
    operation_id="getRecording",
    summary="A recording",
    tags=["recordings"],
    opt={"access": "query"},
    responses=described(404),
)
async def get_recording(
    node: NodeDependency, project_id: ProjectDependency, recording_name: RecordingName
) -> Recording:
    """A recording of the running configuration, and how far it has come."""
    settings = _recording(node, project_id, recording_name)
    return _shown(recording_name, settings, (await node.recordings.states()).get(recording_name))


@post(
    "/api/v1/recordings/{name:str}/backfill",
    operation_id="backfillRecording",
    summary="Record the past",
    tags=["recordings"],
    status_code=200,
    opt={"access": "operate"},
    responses=described(404),
)
async def backfill_recording(
    data: JSONBody[BackfillBody],
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    recording_name: RecordingName,
) -> Backfill:
    """Make the figures of past steps, or make them again from the events there are. A counter's totals stay."""
    settings = _recording(node, project_id, recording_name)
    from_ns, to_ns = time_ns(data.from_, "from"), time_ns(data.to, "to")
    assert from_ns is not None  # the body has it
    done = await node.recordings.backfill(
        recording_name, settings, from_ns, now_ns() if to_ns is None else to_ns, who_asks(request).name
    )
    return Backfill(done.steps, done.figures, done.dropped)


@get(
    "/api/v1/metrics/recorded",
    operation_id="getRecordedMetrics",
    summary="Recorded metrics for Prometheus",
    tags=["recordings"],
    media_type="text/plain",
    opt={"access": "query"},
    responses=described(),
)
async def get_recorded_metrics(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> Response[bytes]:
    """Prometheus text format, or OpenMetrics where `Accept` asks for it: newest figures, and totals of counters."""
    found = [
        (name, settings, await node.recordings.newest(name))
        for name, settings in sorted(_recordings(node, project_id).items())
    ]
    registry = CollectorRegistry(auto_describe=False)
    registry.register(RecordedMetrics(found))
    encoder, media_type = choose_encoder(request.headers.get("accept", ""))
    return Response(await in_worker(encoder, registry), headers={"Content-Type": media_type})


def _recordings(node: NodeDependency, project_id: int) -> Mapping[str, RecordingSettings]:
    return node.config.recordings if project_id == node.project_id else {}


def _recording(node: NodeDependency, project_id: int, name: str) -> RecordingSettings:
    found = _recordings(node, project_id).get(name)
    if found is None:
        raise NotFoundProblem(f"there is no recording {name[:100]}")
    return found


def _shown(name: str, settings: RecordingSettings, state: RecordingState | None) -> Recording:
    return Recording(
        name=name,
        query=settings.query,
        kind=settings.kind,
        every=format_duration(settings.every),
        keep=format_duration(settings.keep),
        grace=format_duration(settings.grace),
        series=state.series if state else 0,
        max_series=settings.series,
        dropped=state.dropped if state else 0,
        since=rfc3339(state.since) if state else None,
        recorded_until=rfc3339(state.recorded_until) if state else None,
        error=state.error if state else None,
    )
