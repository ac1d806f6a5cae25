"""`/api/v1/deletions`: events that must go for good, how far that is, and who wanted it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from litestar import Request, delete, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Meta

from ...core.paging import before, page, possible_id
from ...core.query import QueryRequest
from ...core.query.searcher import only_search
from ...core.storage import deletion as storage
from ...core.storage.erase import Search
from ...plugins import now_ns, rfc3339
from ..problems import NotFoundProblem, described
from .alerts import Cursor, Limit
from .node import NodeDependency, ProjectDependency, who_asks
from .query import MAX_QUERY
from .times import Time, time_ns

SAMPLES = 5
_FIGURES = "\n| stats count() as n, min(timestamp) as low, max(timestamp) as high"
State: TypeAlias = Literal["running", "done", "incomplete", "failed", "cancelled"]
Number: TypeAlias = Annotated[int, PathParameter(name="id", description="The deletion's number")]


class DeletionBody(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """What is to be deleted: the events that a search finds, of those that are committed now."""

    query: Annotated[
        str,
        Meta(max_length=MAX_QUERY, description="A search, without stages; `*` finds all", examples=["user:ada"]),
    ]
    from_: Annotated[Time | None, Meta(description="Inclusive; without it: from the first event")] = None
    to: Annotated[Time | None, Meta(description="Exclusive; without it: to the last event")] = None
    timezone: Annotated[str, Meta(max_length=64, description="IANA zone of the query's times")] = "UTC"


class DeletionPreview(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """What a deletion would take now."""

    events: int
    from_: Annotated[Time | None, Meta(description="Time of the first of them; null: there is none")]
    to: Annotated[Time | None, Meta(description="Time of the last of them")]
    samples: Annotated[list[dict[str, Any]], Meta(description="The newest of them")]
    warnings: list[str]
    complete: Annotated[bool, Meta(description="False where segments cannot be read, and so not be searched")]


class Deletion(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A deletion and how far it is."""

    id: int
    state: Annotated[
        State, Meta(description="`done`: nothing keeps these events; `incomplete`: segments could not be searched")
    ]
    query: Annotated[str, Meta(description="Once it is over, with the values in it masked", examples=["user:…"])]
    from_: Time | None
    to: Time | None
    segments_total: Annotated[int, Meta(description="Segments to be searched, as far as known")]
    segments_done: int
    events_deleted: int
    waits_for: Annotated[list[str], Meta(description="Nodes that must yet empty their caches of it")]
    unreadable: Annotated[list[int], Meta(description="Segments that may hold such events and cannot be read")]
    requested_by: str
    created_at: Time
    finished_at: Time | None
    error: str | None


class DeletionList(msgspec.Struct, frozen=True):
    """A page of deletions, newest first."""

    items: list[Deletion]
    next_cursor: str | None


@post(
    "/api/v1/deletions/preview",
    operation_id="previewDeletion",
    summary="What a deletion would take",
    tags=["deletions"],
    status_code=200,
    opt={"access": "admin"},
    responses=described(),
)
async def preview_deletion(
    data: JSONBody[DeletionBody], node: NodeDependency, project_id: ProjectDependency
) -> DeletionPreview:
    """How many events the search finds now, from when to when, and the newest few. Nothing is deleted."""
    text = await _written_out(data.query, node, project_id)
    only_search(text)
    wanted = QueryRequest(
        text=text,
        project_id=project_id,
        now_ns=now_ns(),
        from_ns=time_ns(data.from_, "from"),
        to_ns=time_ns(data.to, "to"),
        timezone=data.timezone,
        timeout=600,
        limit=SAMPLES,
    )
    figures = await node.engine.run(msgspec.structs.replace(wanted, text=text + _FIGURES, limit=None))
    samples = await node.engine.run(wanted)
    ((n, low, high),) = figures.rows()
    warnings = list(dict.fromkeys((*figures.warnings, *samples.warnings)))
    return DeletionPreview(n, low, high, list(samples.objects()), warnings, figures.complete)


@post(
    "/api/v1/deletions",
    operation_id="createDeletion",
    summary="Delete events for good",
    tags=["deletions"],
    status_code=201,
    opt={"access": "admin"},
    responses=described(),
)
async def create_deletion(
    data: JSONBody[DeletionBody], request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> Deletion:
    """Begin to delete the events that a search finds, of those that are committed now. It goes on by itself."""
    search = Search(
        project_id=project_id,
        text=await _written_out(data.query, node, project_id),
        now_ns=now_ns(),
        from_ns=time_ns(data.from_, "from"),
        to_ns=time_ns(data.to, "to"),
        timezone=data.timezone,
    )
    return _shown(await node.deletions.create(search, who_asks(request).name))


@get(
    "/api/v1/deletions",
    operation_id="listDeletions",
    summary="Deletions, newest first",
    tags=["deletions"],
    opt={"access": "admin"},
    responses=described(),
)
async def list_deletions(
    node: NodeDependency,
    project_id: ProjectDependency,
    cursor: Cursor = None,
    limit: Limit = 50,
    only: Annotated[State | None, QueryParameter(name="state", description="Only these")] = None,
) -> DeletionList:
    """Deletions, newest first."""
    found = await node.deletions.page(project_id, before=before(cursor), limit=limit + 1, state=only)
    part = page(found, limit, lambda deletion: str(deletion.id))
    return DeletionList([_shown(deletion) for deletion in part.items], part.next_cursor)


@get(
    "/api/v1/deletions/{id:int}",
    operation_id="getDeletion",
    summary="How far a deletion is",
    tags=["deletions"],
    opt={"access": "admin"},
    responses=described(404),
)
async def get_deletion(node: NodeDependency, project_id: ProjectDependency, number: Number) -> Deletion:
    """One deletion and its progress."""
    found = await node.deletions.get(project_id, possible_id(number))
    if found is None:
        raise NotFoundProblem(f"there is no deletion {number}")
    return _shown(found, await node.deletions.waits_for(found))


@delete(
    "/api/v1/deletions/{id:int}",
    operation_id="cancelDeletion",
    summary="Cancel what is left of a deletion",
    tags=["deletions"],
    status_code=200,
    opt={"access": "admin"},
    responses=described(404),
)
async def cancel_deletion(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency, number: Number
) -> Deletion:
    """Cancel what is left: what it has deleted stays deleted. One that is over stays as it is."""
    found = await node.deletions.cancel(project_id, possible_id(number), who_asks(request).name)
    if found is None:
        raise NotFoundProblem(f"there is no deletion {number}")
    return _shown(found)


def _shown(found: storage.Deletion, waits_for: list[str] | None = None) -> Deletion:
    return Deletion(
        id=found.id,
        state=found.state,
        query=found.query,
        from_=None if found.from_ns is None else rfc3339(found.from_ns),
        to=None if found.to_ns is None else rfc3339(found.to_ns),
        segments_total=found.segments_total,
        segments_done=found.segments_done,
        events_deleted=found.events_deleted,
        waits_for=waits_for or [],
        unreadable=found.unreadable,
        requested_by=found.requested_by,
        created_at=rfc3339(found.created_at),
        finished_at=None if found.finished_at is None else rfc3339(found.finished_at),
        error=found.error,
    )


async def _written_out(text: str, node: NodeDependency, project_id: int) -> str:
    """The search as it stays, whatever becomes of the saved queries that it uses."""
    return (await node.engine.resolver(project_id))(text)
