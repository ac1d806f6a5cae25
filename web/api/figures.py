"""`/api/v1/incidents/{id}/figures`: the course of the figure that an incident is about, and its bounds."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get
from msgspec import Meta

from ...core.alerting import AlertingRepository, Course, Events, course_of_incident
from ...plugins import DetectorConfig, duration_ns, iso_ns, now_ns, rfc3339
from ..problems import described
from .alerts import Number, found
from .node import NodeDependency, ProjectDependency
from .times import Time


class FigureLevel(msgspec.Struct, frozen=True):
    """A bound on the figure."""

    what: Annotated[str, Meta(description="`condition`, `recover`, or the severity it gives", examples=["condition"])]
    op: Annotated[str, Meta(examples=[">"])]
    value: float


class Figures(msgspec.Struct, frozen=True):
    """A figure over time: `values` by the ends of their windows, each the worst of its step."""

    column: Annotated[str, Meta(description="Of the detector's query", examples=["n"])]
    levels: Annotated[list[FigureLevel], Meta(description="As the detector is set now")]
    hold: Annotated[str | None, Meta(description="How long the condition must have held", examples=["3m"])]
    window: Annotated[str, Meta(examples=["5m"])]
    step_seconds: float
    times: list[Time]
    values: Annotated[list[float | None], Meta(description="null: the group had no row")]


class IncidentFigures(msgspec.Struct, frozen=True):
    """What there is to draw."""

    figures: Annotated[
        Figures | None,
        Meta(description="null: the detector is no longer there, or its condition is no bound such as `n > 50`"),
    ]


@get(
    "/api/v1/incidents/{id:int}/figures",
    operation_id="getIncidentFigures",
    summary="The figure that an incident is about, and its bounds",
    tags=["alerts"],
    opt={"access": "query"},
    responses=described(404),
)
async def get_incident_figures(node: NodeDependency, project_id: ProjectDependency, number: Number) -> IncidentFigures:
    """The figure of the incident's group over time, from eight windows before it, and the bounds of its threshold."""
    incident = found(await AlertingRepository(node.store.pool).get_incident(project_id, number), number)
    entry = node.config.detectors.get(incident.detector) if project_id == node.project_id else None
    if entry is None:
        return IncidentFigures(None)
    detector, end = entry.make(), incident.resolved_at
    until = now_ns() if end is None else iso_ns(end)
    begin = iso_ns(incident.from_)
    events = Events(node.engine, project_id, await node.store.catalog.head(project_id))
    course = await course_of_incident(detector, events, begin, until, incident.group)
    return IncidentFigures(None if course is None else shown_course(course, detector.config))


def shown_course(course: Course, config: DetectorConfig) -> Figures:
    """A course in its form of the API."""
    hold = getattr(config, "hold", None)
    return Figures(
        course.column,
        [FigureLevel(level.what, level.op, level.value) for level in course.levels],
        hold if isinstance(hold, str) and duration_ns(hold) else None,
        config.window,
        course.step_ns / 1e9,
        [rfc3339(at) for at in course.ends],
        list(course.values),
    )
