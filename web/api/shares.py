"""`/api/v1/shares`: links by which others see a query or a dashboard without signing in."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, post
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from ...config import parse_duration
from ...core.dashboards.model import Name
from ...core.paging import before, page, possible_id
from ...core.query import QueryRequest
from ...plugins import RejectedError, now_ns, rfc3339
from ..auth import shares
from ..auth.shares import Subject
from ..problems import NotFoundProblem, ProblemException, described
from .alerts import Cursor, Limit
from .node import NodeDependency, ProjectDependency, who_asks
from .query import MAX_QUERY
from .times import Time, time_ns
from .tokens import Span


class NewShare(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A query with its time range, or a dashboard: one of the two."""

    title: Annotated[str, Meta(min_length=1, max_length=shares.LONGEST_TITLE, examples=["Errors of the outage"])]
    valid_for: Annotated[Span, Meta(description="1m to 90d", examples=["7d"])] = "7d"
    query: Annotated[str, Meta(max_length=MAX_QUERY, examples=["severity>=error"])] | None = None
    dashboard: Name | None = None
    from_: Annotated[Time | None, Meta(description="Inclusive. A query needs both; a dashboard has its own range")] = (
        None
    )
    to: Annotated[Time | None, Meta(description="Exclusive")] = None


class Share(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A link, without its secret."""

    id: int
    title: str
    query: str | None
    dashboard: str | None
    from_: Time | None
    to: Time | None
    created_by: Annotated[str, Meta(description="Whose rights count when it is opened")]
    created_at: Time
    expires_at: Time
    revoked_at: Time | None
    opened_at: Annotated[Time | None, Meta(description="When somebody last used it, to the minute")]


class ShareWithLink(msgspec.Struct, frozen=True):
    """A new link. It is not shown again."""

    share: Share
    link: Annotated[str, Meta(examples=["https://logs.example/shared#cws_…"])]


class ShareList(msgspec.Struct, frozen=True):
    """A page of links, newest first."""

    items: list[Share]
    next_cursor: str | None


@get(
    "/api/v1/shares",
    operation_id="listShares",
    summary="Shared links, newest first",
    tags=["access"],
    opt={"access": "query", "filtered": True},
    responses=described(),
)
async def list_shares(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> ShareList:
    """One's own links, and for administrators those of the project; those that are over stay for a month."""
    found = await shares.list_shares(
        node.store.pool, project_id, user_id=_whose(request), before=before(cursor), limit=limit + 1
    )
    part = page(found, limit, lambda share: str(share.id))
    return ShareList([_shown(share) for share in part.items], part.next_cursor)


@post(
    "/api/v1/shares",
    operation_id="createShare",
    summary="Share a query or a dashboard",
    tags=["access"],
    status_code=201,
    opt={"access": "edit", "filtered": True},
    responses=described(404, 409),
)
async def create_share(
    data: JSONBody[NewShare], request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> ShareWithLink:
    """Make a link. Whoever has it sees what its maker may see, as long as it is good, and nothing else."""
    principal = who_asks(request)
    if principal.account_id is None or principal.email is None:
        raise ProblemException(409, "a link has the rights of a person: sign in with an account")
    if "query" not in principal.permissions:
        raise ProblemException(403, f"{principal.name} lacks the permission query")
    subject = await _subject(data, request, node, project_id)
    try:
        valid_for = parse_duration(data.valid_for)
    except ValueError as why:
        raise RejectedError(f"valid_for: {why}") from None
    made, secret = await shares.create_share(node.store.pool, principal.account_id, subject, valid_for)
    return ShareWithLink(_shown(made), f"{node.url}/shared#{secret}")


async def _subject(data: NewShare, request: Request[Any, Any, Any], node: NodeDependency, project_id: int) -> Subject:
    """What is shared, if it can be.

    :raises ProblemException: 400, it is neither or both, or the query lacks a time; 404, no such dashboard
    :raises QueryError: the query is wrong, or asks for what is an administrator's
    """
    from_ns, to_ns = time_ns(data.from_, "from"), time_ns(data.to, "to")
    if (data.query is None) == (data.dashboard is None):
        raise ProblemException(400, "share a query or a dashboard: one of the two")
    if (from_ns is None) != (to_ns is None) or (data.query is not None and from_ns is None):
        raise ProblemException(400, "give both from and to: a shared query has a fixed time range")
    if data.dashboard is not None:
        if await node.dashboards.get(project_id, data.dashboard) is None:
            raise NotFoundProblem(f"there is no dashboard `{data.dashboard}`; /api/v1/dashboards lists what there is")
        return Subject(data.title, None, data.dashboard, from_ns, to_ns)
    assert data.query is not None
    if "\0" in data.query:
        raise ProblemException(400, "no query has a NUL in it")
    rights = who_asks(request).rights
    asked = QueryRequest(
        text=data.query, project_id=project_id, now_ns=now_ns(), from_ns=from_ns, to_ns=to_ns, rights=rights
    )
    await node.engine.explain(asked)
    return Subject(data.title, data.query, None, from_ns, to_ns)


@delete(
    "/api/v1/shares/{id:int}",
    operation_id="revokeShare",
    summary="End a shared link",
    tags=["access"],
    status_code=200,
    opt={"access": "query", "filtered": True},
    responses=described(404),
)
async def revoke_share(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    number: Annotated[int, PathParameter(name="id", description="The link's number")],
) -> Share:
    """End one of one's own links at once; administrators end any of the project."""
    return _shown(
        await shares.revoke_share(
            node.store.pool, project_id, possible_id(number), user_id=_whose(request), by=who_asks(request).name
        )
    )


def _whose(request: Request[Any, Any, Any]) -> int | None:
    """The account whose links who asks may see; None: all of the project."""
    principal = who_asks(request)
    return None if "admin" in principal.permissions else principal.account_id or 0


def _shown(share: shares.Share) -> Share:
    subject = share.subject
    return Share(
        id=share.id,
        title=subject.title,
        query=subject.query,
        dashboard=subject.dashboard,
        from_=None if subject.from_ns is None else rfc3339(subject.from_ns),
        to=None if subject.to_ns is None else rfc3339(subject.to_ns),
        created_by=share.created_by,
        created_at=rfc3339(share.created_at),
        expires_at=rfc3339(share.expires_at),
        revoked_at=None if share.revoked_at is None else rfc3339(share.revoked_at),
        opened_at=None if share.opened_at is None else rfc3339(share.opened_at),
    )
