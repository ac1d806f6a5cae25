"""`/api/v1/incidents/{id}/causes`: what is different of an incident's events from those before."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, get
from msgspec import Meta

from ...core.alerting import AlertingRepository
from ...core.alerting.causes import causes_of
from ...core.query import QueryRequest
from ...plugins import iso_ns, now_ns, rfc3339
from ..problems import described
from .alerts import Number, found, shown
from .node import NodeDependency, ProjectDependency, who_asks
from .times import Time


class Cause(msgspec.Struct, frozen=True):
    """A value that the incident's events have more often."""

    field: Annotated[str, Meta(description="`pattern`: of the message", examples=["host"])]
    value: Annotated[str | int | float | bool, Meta(examples=["web-1"])]
    count: Annotated[int, Meta(description="Events of the incident that have it")]
    share: Annotated[float, Meta(description="Of the incident's events that were looked at, 0 to 1")]
    before_count: int
    before_share: float
    chance: Annotated[float, Meta(description="That any of the values tried differs as much by chance")]


class CauseList(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """The greatest differences first, and what was compared."""

    items: list[Cause]
    compared: Annotated[
        Literal["before", "others"],
        Meta(description="`before`: what the search found before; `others`: what it does not find, of the same time"),
    ]
    events: Annotated[int, Meta(description="Of the incident that were looked at: the newest, 5,000 at most")]
    before_events: Annotated[int, Meta(description="They were compared with: the newest, 5,000 at most")]
    from_: Time
    to: Time
    before_from: Time
    complete: Annotated[bool, Meta(description="False: there were more events than those looked at")]


@get(
    "/api/v1/incidents/{id:int}/causes",
    operation_id="listIncidentCauses",
    summary="What is different of an incident's events",
    tags=["alerts"],
    opt={"access": "query"},
    responses=described(404, 503),
)
async def list_causes(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency, number: Number
) -> CauseList:
    """The values of fields, and the patterns of messages, that its events have more often than events had before."""
    incident = found(await AlertingRepository(node.store.pool).get_incident(project_id, number), number)
    asked = QueryRequest(
        text=incident.query,
        project_id=project_id,
        now_ns=now_ns(),
        from_ns=iso_ns(incident.from_),
        to_ns=iso_ns(incident.to),
        rights=who_asks(request).rights,
    )
    compared = await causes_of(node.engine, asked)
    return CauseList(
        items=[shown(cause, Cause) for cause in compared.causes],
        compared=compared.compared,
        events=compared.events,
        before_events=compared.before_events,
        from_=rfc3339(compared.from_ns),
        to=rfc3339(compared.to_ns),
        before_from=rfc3339(compared.before_from_ns),
        complete=compared.complete,
    )
