"""`/api/v1/detectors`, `/incidents`, `/notifications`: what is watched, what went wrong, and who was told."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias, TypeVar

import msgspec
from litestar import Request, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from ...core.alerting import AlertingRepository
from ..problems import NotFoundProblem, described
from .node import NodeDependency, ProjectDependency, who_asks
from .times import Time

Cursor: TypeAlias = Annotated[str | None, QueryParameter(name="cursor", max_length=200, description="`next_cursor`")]
Limit: TypeAlias = Annotated[int, QueryParameter(name="limit", ge=1, le=1000, description="Items at most")]
Number: TypeAlias = Annotated[int, PathParameter(name="id", description="The incident's number")]
Word: TypeAlias = Annotated[str, Meta(examples=["errors"])]


class Detector(msgspec.Struct, frozen=True):
    """A detector of the running configuration and its state."""

    name: Word
    type: Annotated[str, Meta(examples=["threshold"])]
    query: str | None
    condition: Annotated[str | None, Meta(examples=["n > 50"])]
    window: Annotated[str | None, Meta(examples=["5m"])]
    every: Annotated[str, Meta(examples=["1m"])]
    notify: Annotated[list[str], Meta(description="Names of notifiers")]
    severity: Annotated[str, Meta(examples=["ERROR"])]
    state: Literal["ok", "firing", "error"]
    last_run_at: Time | None
    error: Annotated[str | None, Meta(description="Why its last run failed")]
    open_incidents: int


class DetectorList(msgspec.Struct, frozen=True):
    """A page of detectors, by name."""

    items: list[Detector]
    next_cursor: str | None


class Attempt(msgspec.Struct, frozen=True):
    """One try to deliver a notification."""

    at: Time
    ok: bool
    detail: Annotated[str, Meta(description="What the other side answered")]


class Notification(msgspec.Struct, frozen=True):
    """A message about an incident, or with a report, and how its delivery went."""

    id: int
    incident_id: Annotated[int | None, Meta(description="Null: it is a report")]
    incident_title: Annotated[str, Meta(description="The report's where it is one")]
    report: Annotated[str | None, Meta(description="The report's name; null: it is about an incident")]
    notifier: str
    channel: Annotated[str, Meta(description="The notifier's type", examples=["webhook"])]
    event: Literal["opened", "flapping", "escalated", "resolved", "report"]
    delivery_id: str
    digest: Annotated[str | None, Meta(description="Delivery id of the digest it is in; null: it goes by itself")]
    status: Literal["pending", "sent", "failed"]
    attempts: list[Attempt]
    created_at: Time
    sent_at: Time | None
    error: str | None


class NotificationList(msgspec.Struct, frozen=True):
    """A page of notifications, newest first."""

    items: list[Notification]
    next_cursor: str | None


class Moment(msgspec.Struct, frozen=True):
    """Something that happened to an incident."""

    at: Time
    what: Annotated[str, Meta(description="opened, acknowledged, silenced, flapping, commented, resolved, and more")]
    by: Annotated[str | None, Meta(description="Who did it; null: nobody, or this machine")]
    text: Annotated[str | UnsetType, Meta(description="Of a comment; of a silence the reason")] = UNSET


class Incident(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A group that got into trouble, from its opening to its end."""

    id: int
    detector: str
    state: Literal["open", "acknowledged", "silenced", "resolved"]
    severity: Annotated[str, Meta(examples=["ERROR"])]
    title: str
    group: dict[str, Any]
    values: dict[str, Any]
    query: Annotated[str, Meta(description="A search that shows the trouble")]
    from_: Annotated[Time, Meta(description="Begin of the window that was judged")]
    to: Time
    opened_at: Time
    last_seen_at: Time
    acknowledged_at: Time | None
    resolved_at: Time | None
    suppressed_by: Annotated[
        int | None, Meta(description="The incident, of a detector it depends on, that people are told of instead")
    ]
    flapping: Annotated[bool, Meta(description="It opens and ends again and again, and stays open until it is calm")]
    flaps: Annotated[int, Meta(description="How often it got into trouble lately, where that was too often; else 0")]
    samples: Annotated[list[dict[str, Any]], Meta(description="Newest events that show the trouble")]
    timeline: Annotated[list[Moment], Meta(description="What happened to it, oldest first")]
    notifications: Annotated[
        list[Notification] | UnsetType, Meta(description="Only when one incident is asked for")
    ] = UNSET


class IncidentList(msgspec.Struct, frozen=True):
    """A page of incidents, newest first."""

    items: list[Incident]
    next_cursor: str | None


@get(
    "/api/v1/detectors",
    operation_id="listDetectors",
    summary="Detectors and their state",
    tags=["alerts"],
    opt={"access": "query"},
    responses=described(),
)
async def list_detectors(
    node: NodeDependency,
    project_id: ProjectDependency,
    cursor: Cursor = None,
    limit: Limit = 100,
    only: Annotated[
        Literal["ok", "firing", "error"] | None, QueryParameter(name="state", description="Only these")
    ] = None,
) -> DetectorList:
    """The detectors of the running configuration, by name."""
    page = await _repository(node).list_detectors(project_id, cursor=cursor, limit=limit, state=only)
    return shown(page, DetectorList)


@get(
    "/api/v1/incidents",
    operation_id="listIncidents",
    summary="Incidents, newest first",
    tags=["alerts"],
    opt={"access": "query"},
    responses=described(),
)
async def list_incidents(
    node: NodeDependency,
    project_id: ProjectDependency,
    cursor: Cursor = None,
    limit: Limit = 50,
    only: Annotated[
        Literal["open", "acknowledged", "silenced", "resolved"] | None,
        QueryParameter(name="state", description="Only these"),
    ] = None,
    detector: Annotated[
        str | None, QueryParameter(name="detector", max_length=500, description="Only this detector's")
    ] = None,
    suppressed_by: Annotated[
        int | None, QueryParameter(name="suppressed_by", description="Only those that this incident suppresses")
    ] = None,
) -> IncidentList:
    """Incidents, newest first."""
    page = await _repository(node).list_incidents(
        project_id, cursor=cursor, limit=limit, state=only, detector=detector, suppressed_by=suppressed_by
    )
    return shown(page, IncidentList)


@get(
    "/api/v1/incidents/{id:int}",
    operation_id="getIncident",
    summary="One incident with its notifications",
    tags=["alerts"],
    opt={"access": "query"},
    responses=described(404),
)
async def get_incident(node: NodeDependency, project_id: ProjectDependency, number: Number) -> Incident:
    """One incident with its notifications."""
    return found(await _repository(node).get_incident(project_id, number), number)


@post(
    "/api/v1/incidents/{id:int}/acknowledge",
    operation_id="acknowledgeIncident",
    summary="Say that somebody looks at it",
    tags=["alerts"],
    status_code=200,
    opt={"access": "operate"},
    responses=described(404),
)
async def acknowledge_incident(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency, number: Number
) -> Incident:
    """Acknowledge an open or silenced incident; one that is acknowledged or resolved stays as it is."""
    return found(await _repository(node).acknowledge(project_id, number, by=who_asks(request).name), number)


@post(
    "/api/v1/incidents/{id:int}/resolve",
    operation_id="resolveIncident",
    summary="Say that it is over",
    tags=["alerts"],
    status_code=200,
    opt={"access": "operate"},
    responses=described(404),
)
async def resolve_incident(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency, number: Number
) -> Incident:
    """Resolve an incident by hand; one that is resolved stays as it is."""
    return found(await _repository(node).resolve(project_id, number, by=who_asks(request).name), number)


class Comment(msgspec.Struct, frozen=True):
    """What somebody writes about an incident."""

    text: Annotated[str, Meta(min_length=1, max_length=10_000, pattern=r"\S", examples=["rolled back to 1.4.2"])]


@post(
    "/api/v1/incidents/{id:int}/comments",
    operation_id="commentIncident",
    summary="Write into its timeline",
    tags=["alerts"],
    status_code=200,
    opt={"access": "operate"},
    responses=described(400, 404),
)
async def comment_incident(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    number: Number,
    data: JSONBody[Comment],
) -> Incident:
    """Add a comment to the timeline of an incident, also of one that is resolved."""
    by = who_asks(request).name
    return found(await _repository(node).comment(project_id, number, data.text.strip(), by=by), number)


@get(
    "/api/v1/notifications",
    operation_id="listNotifications",
    summary="Notifications, newest first",
    tags=["alerts"],
    opt={"access": "query"},
    responses=described(),
)
async def list_notifications(
    node: NodeDependency,
    project_id: ProjectDependency,
    cursor: Cursor = None,
    limit: Limit = 50,
    only: Annotated[
        Literal["pending", "sent", "failed"] | None, QueryParameter(name="state", description="Only these")
    ] = None,
    incident: Annotated[int | None, QueryParameter(name="incident", description="Only this incident's")] = None,
) -> NotificationList:
    """Notifications with every attempt to deliver them, newest first."""
    page = await _repository(node).list_notifications(
        project_id, cursor=cursor, limit=limit, state=only, incident=incident
    )
    return shown(page, NotificationList)


_T = TypeVar("_T")


def _repository(node: NodeDependency) -> AlertingRepository:
    return AlertingRepository(node.store.pool)


def shown(record: object, as_type: type[_T]) -> _T:
    """A record in its form of the API."""
    # By their JSON forms: `from_attributes` would take an unset field for a value.
    return msgspec.convert(msgspec.to_builtins(record), as_type)


def found(record: object | None, number: int) -> Incident:
    """An incident in its form of the API.

    :raises ProblemException: 404, there is none
    """
    if record is None:
        raise NotFoundProblem(f"there is no incident {number}")
    return shown(record, Incident)
