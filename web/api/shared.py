"""`/api/v1/shared`: what a shared link shows, to whoever has it. Its secret stands in the body."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, post
from litestar.params import JSONBody
from litestar.response import Response
from msgspec import Meta

from ...config import parse_duration
from ...core.dashboards.model import Dashboard, Panel, PanelId
from ...core.dashboards.variables import fill
from ...core.query import QueryRequest
from ...plugins import now_ns, rfc3339
from ..auth import shares
from ..auth.attempts import Attempts
from ..auth.errors import NoSuchError
from ..auth.principal import Principal
from ..problems import NotFoundProblem, described
from .formats import json_answer
from .node import NodeDependency
from .query import QueryAnswer, unless_gone
from .session import client_of
from .times import Time, time_ns

_EVENTS: Final = 500  # of a query that is shared
_ROWS: Final = {"timeseries": 20_000, "bar": 20_000, "heatmap": 20_000, "number": 1, "top": 100}  # others: as events
_TIMEOUT_S: Final = 30.0
_MAX_AGE_S: Final = 5.0  # who opens a link within so long gets the answer that others got
Secret = Annotated[str, Meta(max_length=100, description="What the link has after `#`", examples=["cws_…"])]


class SharedAsked(msgspec.Struct, frozen=True):
    """Which link."""

    token: Secret


class SharedRowsAsked(msgspec.Struct, frozen=True):
    """Which link, and of a dashboard which panel."""

    token: Secret
    panel: PanelId | None = None
    timezone: Annotated[
        str, Meta(max_length=64, description="IANA zone of the query's days and hours", examples=["Europe/Berlin"])
    ] = "UTC"


class Shared(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """What the link shows. A dashboard's panels are without their queries."""

    title: str
    shared_by: str
    expires_at: Time
    query: Annotated[str | None, Meta(description="null: it is a dashboard")]
    dashboard: Dashboard | None
    from_: Annotated[Time | None, Meta(description="null: from the first event")]
    to: Time


@post(
    "/api/v1/shared",
    operation_id="openShared",
    summary="What a shared link shows",
    tags=["access"],
    status_code=200,
    opt={"access": "open"},
    responses=described(404, 410, 429),
)
async def open_shared(data: JSONBody[SharedAsked], request: Request[Any, Any, Any], node: NodeDependency) -> Shared:
    """What it is, and of which time. 410: the link has expired or was revoked."""
    share, principal = await _opened(data.token, request, node)
    dashboard = await _dashboard(share, principal, node)
    from_ns, to_ns = _range(share, dashboard)
    return Shared(
        title=share.subject.title,
        shared_by=share.created_by,
        expires_at=rfc3339(share.expires_at),
        query=share.subject.query,
        dashboard=None if dashboard is None else _without_queries(dashboard),
        from_=None if from_ns is None else rfc3339(from_ns),
        to=rfc3339(to_ns),
    )


@post(
    "/api/v1/shared/query",
    operation_id="runShared",
    summary="The rows of a shared link",
    tags=["access"],
    status_code=200,
    opt={"access": "open"},
    responses=described(404, 410, 429),
)
async def run_shared(
    data: JSONBody[SharedRowsAsked], request: Request[Any, Any, Any], node: NodeDependency
) -> Response[QueryAnswer]:
    """Run the query that was shared, or that of one panel, with the rights its maker has now."""
    share, principal = await _opened(data.token, request, node)
    dashboard = await _dashboard(share, principal, node)
    text, limit = share.subject.query, _EVENTS
    if dashboard is not None:
        panel = next((one for one in dashboard.panels if one.id == data.panel and one.kind != "markdown"), None)
        if panel is None:
            raise NotFoundProblem("the shared dashboard has no such panel with a query")
        text, limit = fill(panel.query, dashboard.variables, {}).text, _ROWS.get(panel.kind, _EVENTS)
    assert text is not None
    from_ns, to_ns = _range(share, dashboard)
    asked = QueryRequest(
        text=text,
        project_id=_project(principal),
        now_ns=now_ns(),
        from_ns=from_ns,
        to_ns=to_ns,
        limit=limit,
        timezone=data.timezone,
        timeout=_TIMEOUT_S,
        max_age=_MAX_AGE_S,
        rights=principal.rights,
        principal=f"{principal.project_id}/share {share.id}",
    )
    result = await unless_gone(request, node.engine.run(asked))
    return json_answer(result, {})


async def _opened(token: str, request: Request[Any, Any, Any], node: NodeDependency) -> tuple[shares.Share, Principal]:
    """The link, and with whose rights it shows what it shows; uses of it, and wrong ones of a client, are bounded.

    :raises ProblemException: 429
    :raises AccountError: 404, there was no such link; 410, it is over
    """
    attempts: Attempts = request.app.state.attempts
    uses: Attempts = request.app.state.shares_used
    client = client_of(request)
    attempts.check(client)
    try:
        share, principal = await shares.open_share(node.store.pool, token)
    except NoSuchError:
        attempts.failed(client)
        raise
    key = f"share {share.id}"
    uses.check(key)
    uses.failed(key)
    return share, principal


async def _dashboard(share: shares.Share, principal: Principal, node: NodeDependency) -> Dashboard | None:
    """The dashboard as it is now; None: the link is of a query."""
    if share.subject.dashboard is None:
        return None
    found = await node.dashboards.get(_project(principal), share.subject.dashboard)
    if found is None:
        raise NotFoundProblem("the dashboard that was shared has been deleted")
    return found.dashboard


def _project(principal: Principal) -> int:
    assert principal.project_id is not None  # it is an account's
    return principal.project_id


def _range(share: shares.Share, dashboard: Dashboard | None) -> tuple[int | None, int]:
    """Nanoseconds: the link's own range, else the dashboard's, of this moment."""
    now = now_ns()
    if share.subject.to_ns is not None or dashboard is None:
        return share.subject.from_ns, share.subject.to_ns or now
    return _end(dashboard.from_, now), _end(dashboard.to, now) or now


def _end(end: str | None, now: int) -> int | None:
    """What an end of a dashboard's range means now; None: none.

    >>> _end("-1m", 60_000_000_000), _end("all", 0), _end("1970-01-01T00:00:01Z", 0)
    (0, None, 1000000000)
    """
    if end is None or end == "all":
        return None
    if end.startswith("-"):
        return now - int(parse_duration(end[1:]).total_seconds()) * 1_000_000_000
    return time_ns(end, "dashboard")


def _without_queries(dashboard: Dashboard) -> Dashboard:
    panels: list[Panel] = [msgspec.structs.replace(panel, query="") for panel in dashboard.panels]
    return msgspec.structs.replace(dashboard, panels=panels, variables=())
