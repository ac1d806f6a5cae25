"""`/api/v1/dashboards`: panels that are queries. Export and import are GET and POST of the same document."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeAlias

import msgspec
from litestar import Request, delete, get, post, put
from litestar.params import HeaderParameter, JSONBody, PathParameter, QueryParameter
from litestar.response import Response
from msgspec import Meta

from ...core.dashboards.check import faults
from ...core.dashboards.model import Dashboard, Fault
from ...core.dashboards.store import BUILT_IN, ChangedError, Stored, TakenError
from ...plugins import rfc3339
from ..problems import NotFoundProblem, ProblemError, ProblemException, described
from .alerts import Limit
from .node import NodeDependency, ProjectDependency, shared, who_asks
from .query import may_administer
from .times import Time

DashboardName: TypeAlias = Annotated[
    str, PathParameter(name="name", max_length=100, description="The dashboard's name")
]
IfMatch: TypeAlias = Annotated[
    str | None,
    HeaderParameter(name="If-Match", max_length=100, description="The `ETag` that was read; `*`: whatever it is now"),
]
_TAG = re.compile(r'(?:W/)?"(\d{1,9})"')


class DashboardItem(msgspec.Struct, frozen=True):
    """A dashboard in a list."""

    name: str
    title: str
    description: str
    panels: Annotated[int, Meta(description="How many it has")]
    built_in: Annotated[bool, Meta(description="It came with Cordwood and is read-only")]
    version: Annotated[int, Meta(description="Counts its changes from 1, as in its `ETag`; 0: it is built in")]
    updated_at: Time | None
    updated_by: str | None


class DashboardList(msgspec.Struct, frozen=True):
    """A page of dashboards, by name."""

    items: list[DashboardItem]
    next_cursor: str | None


@get(
    "/api/v1/dashboards",
    operation_id="listDashboards",
    summary="Dashboards",
    tags=["dashboards"],
    opt={"access": "query", "filtered": True},
    responses=described(),
)
async def list_dashboards(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    cursor: Annotated[str | None, QueryParameter(max_length=200, description="`next_cursor`")] = None,
    limit: Limit = 100,
) -> DashboardList:
    """Dashboards by name, those that are built in among them."""
    asked = ("dashboards", project_id, cursor, limit)
    found = await shared(request).answer(asked, lambda: node.dashboards.list(project_id, cursor=cursor, limit=limit))
    return DashboardList([_item(stored) for stored in found.items], found.next_cursor)


@get(
    "/api/v1/dashboards/{name:str}",
    operation_id="getDashboard",
    summary="A dashboard",
    tags=["dashboards"],
    opt={"access": "query", "filtered": True},
    responses=described(404),
)
async def get_dashboard(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    dashboard_name: DashboardName,
) -> Response[Dashboard]:
    """A dashboard as a document; its version is the `ETag`, `"0"` of one that is built in."""
    asked = ("dashboard", project_id, dashboard_name)
    found = await shared(request).answer(asked, lambda: node.dashboards.get(project_id, dashboard_name))
    if found is None:
        raise _missing(dashboard_name)
    return _answer(found)


@post(
    "/api/v1/dashboards",
    operation_id="createDashboard",
    summary="Make or import a dashboard",
    tags=["dashboards"],
    status_code=201,
    opt={"access": "edit", "filtered": True},
    responses=described(409),
)
async def create_dashboard(
    data: JSONBody[Dashboard], request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> Response[Dashboard]:
    """Keep a new dashboard. Every query is checked: `errors` have a pointer to it, and line and column within it."""
    await _check(data, node, project_id, request)
    try:
        made = await node.dashboards.create(project_id, data, who_asks(request).name)
    except TakenError as why:
        raise ProblemException(409, str(why)) from None
    return _answer(made, status=201)


@put(
    "/api/v1/dashboards/{name:str}",
    operation_id="changeDashboard",
    summary="Change a dashboard",
    tags=["dashboards"],
    status_code=200,
    opt={"access": "edit", "filtered": True},
    responses=described(404, 409, 412, 428),
)
async def change_dashboard(
    data: JSONBody[Dashboard],
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    dashboard_name: DashboardName,
    if_match: IfMatch = None,
) -> Response[Dashboard]:
    """Put another document in the place of one that was read: `If-Match` is its `ETag`."""
    if if_match is None:
        raise ProblemException(428, "send If-Match with the ETag that was read, or * to overwrite whatever is there")
    if data.name != dashboard_name:
        message = f"the document's name is {data.name}, the address has {dashboard_name[:100]}"
        raise _refused([Fault("/name", message, hint="a name stays; make a dashboard of the other name instead")])
    await _check(data, node, project_id, request)
    try:
        changed = await node.dashboards.change(project_id, data, who_asks(request).name, _version(if_match))
    except TakenError as why:
        raise ProblemException(409, str(why)) from None
    except ChangedError as why:
        raise ProblemException(412, str(why)) from None
    if changed is None:
        raise _missing(dashboard_name)
    return _answer(changed)


@delete(
    "/api/v1/dashboards/{name:str}",
    operation_id="deleteDashboard",
    summary="Delete a dashboard",
    tags=["dashboards"],
    status_code=204,
    opt={"access": "edit", "filtered": True},
    responses=described(404, 409, 412),
)
async def delete_dashboard(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    dashboard_name: DashboardName,
    if_match: IfMatch = None,
) -> None:
    """Delete a dashboard; with `If-Match` only if it is as it was read."""
    version = None if if_match is None else _version(if_match)
    try:
        deleted = await node.dashboards.delete(project_id, dashboard_name, who_asks(request).name, version)
    except TakenError as why:
        raise ProblemException(409, str(why)) from None
    except ChangedError as why:
        raise ProblemException(412, str(why)) from None
    if not deleted:
        raise _missing(dashboard_name)


async def _check(dashboard: Dashboard, node: NodeDependency, project_id: int, request: Request[Any, Any, Any]) -> None:
    found = await faults(
        dashboard, node.engine, project_id, is_admin=may_administer(request), rights=who_asks(request).rights
    )
    if found:
        raise _refused(found)


def _refused(found: list[Fault]) -> ProblemException:
    errors = [ProblemError(one.line, one.column, one.message, one.hint or None, pointer=one.pointer) for one in found]
    first = found[0]
    place = f" {first.line}:{first.column}" if first.line else ""
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return ProblemException(400, f"{first.pointer}{place} {first.message}{more}", errors=errors)


def _version(if_match: str) -> int | None:
    """The version that an If-Match names; None: any."""
    if if_match.strip() == "*":
        return None
    found = _TAG.fullmatch(if_match.strip())
    return int(found[1]) if found else -1  # a tag that is none of ours fits nothing


def _answer(stored: Stored, status: int = 200) -> Response[Dashboard]:
    return Response(stored.dashboard, status_code=status, headers={"ETag": f'"{stored.version}"'})


def _item(stored: Stored) -> DashboardItem:
    one = stored.dashboard
    return DashboardItem(
        one.name,
        one.title,
        one.description,
        len(one.panels),
        stored.version == BUILT_IN,
        stored.version,
        None if stored.updated_at is None else rfc3339(stored.updated_at),
        stored.updated_by,
    )


def _missing(name: str) -> NotFoundProblem:
    return NotFoundProblem(f"there is no dashboard `{name}`; /api/v1/dashboards lists what there is")
