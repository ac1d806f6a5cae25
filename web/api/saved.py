"""`/api/v1/saved-queries`: queries under a name, to open again and to use in others as `` `name`(args) ``."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, post, put
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from ...core.query.saved import SavedParameter, SavedQuery
from ...core.query.saved_store import LONGEST, MOST_PARAMETERS, StoredQuery
from ...plugins import rfc3339
from ..problems import NotFoundProblem, ProblemException, described
from .alerts import Cursor, Limit
from .node import NodeDependency, ProjectDependency, shared, who_asks
from .times import Time

QueryName = Annotated[str, PathParameter(name="name", max_length=100, description="The saved query's name")]


class Parameter(msgspec.Struct, frozen=True):
    """What a use of the query gives, as `$name` in its text."""

    name: Annotated[str, Meta(max_length=64, examples=["service"])]
    default: Annotated[
        Annotated[str, Meta(max_length=1000)] | None,
        Meta(description='As it is typed: 500, "web", 5m; null: an argument is needed', examples=['"web"']),
    ] = None


class SavedQueryBody(msgspec.Struct, frozen=True):
    """What a saved query says."""

    text: Annotated[str, Meta(max_length=LONGEST, examples=["service:$service status>=500"])]
    description: Annotated[str, Meta(max_length=1000)] = ""
    parameters: Annotated[list[Parameter], Meta(max_length=MOST_PARAMETERS)] = []


class NewSavedQuery(SavedQueryBody, frozen=True, kw_only=True):
    """A saved query to be made."""

    name: Annotated[str, Meta(max_length=100, examples=["failed requests"])]


class SavedQueryAnswer(msgspec.Struct, frozen=True):
    """A saved query."""

    name: str
    text: str
    description: str
    parameters: list[Parameter]
    usage: Annotated[str, Meta(description="How another query uses it", examples=["`failed requests`(service)"])]
    created_at: Time
    created_by: str
    changed_at: Time
    changed_by: str


class SavedQueryList(msgspec.Struct, frozen=True):
    """A page of saved queries, by name."""

    items: list[SavedQueryAnswer]
    next_cursor: str | None


@get(
    "/api/v1/saved-queries",
    operation_id="listSavedQueries",
    summary="Saved queries",
    tags=["saved queries"],
    opt={"access": "query", "filtered": True},
    responses=described(),
)
async def list_saved_queries(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> SavedQueryList:
    """The saved queries of the project, by name."""
    asked = ("saved queries", project_id, cursor, limit)
    page = await shared(request).answer(asked, lambda: node.saved.page(project_id, after=cursor or "", limit=limit))
    return SavedQueryList([_shown(stored) for stored in page.items], page.next_cursor)


@get(
    "/api/v1/saved-queries/{name:str}",
    operation_id="getSavedQuery",
    summary="A saved query",
    tags=["saved queries"],
    opt={"access": "query", "filtered": True},
    responses=described(404),
)
async def get_saved_query(
    node: NodeDependency, project_id: ProjectDependency, query_name: QueryName
) -> SavedQueryAnswer:
    """One saved query."""
    return _shown(await _found(node, project_id, query_name))


@post(
    "/api/v1/saved-queries",
    operation_id="createSavedQuery",
    summary="Save a query",
    tags=["saved queries"],
    status_code=201,
    opt={"access": "edit", "filtered": True},
    responses=described(409),
)
async def create_saved_query(
    data: JSONBody[NewSavedQuery], request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> SavedQueryAnswer:
    """Keep a query under a name. Its text is checked, and that it does not use itself."""
    made = await node.saved.create(project_id, _query(data.name, data), data.description, who_asks(request).name)
    if made is None:
        raise ProblemException(409, f"there is a saved query `{data.name}` already; change that one, or choose a name")
    return _shown(made)


@put(
    "/api/v1/saved-queries/{name:str}",
    operation_id="changeSavedQuery",
    summary="Change a saved query",
    tags=["saved queries"],
    status_code=200,
    opt={"access": "edit", "filtered": True},
    responses=described(403, 404),
)
async def change_saved_query(
    data: JSONBody[SavedQueryBody],
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    query_name: QueryName,
) -> SavedQueryAnswer:
    """Give a saved query another text, description and parameters: one's own, or any for administrators.

    Whatever uses it says the new text from then on, detectors at their next run.
    """
    await _may_change(request, node, project_id, query_name)
    made = await node.saved.change(project_id, _query(query_name, data), data.description, who_asks(request).name)
    if made is None:
        raise _missing(query_name)
    return _shown(made)


@delete(
    "/api/v1/saved-queries/{name:str}",
    operation_id="deleteSavedQuery",
    summary="Delete a saved query",
    tags=["saved queries"],
    status_code=204,
    opt={"access": "edit", "filtered": True},
    responses=described(403, 404),
)
async def delete_saved_query(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency, query_name: QueryName
) -> None:
    """Delete a saved query: one's own, or any for administrators. What uses it fails from then on."""
    await _may_change(request, node, project_id, query_name)
    if not await node.saved.delete(project_id, query_name, who_asks(request).name):
        raise _missing(query_name)


async def _found(node: NodeDependency, project_id: int, name: str) -> StoredQuery:
    found = await node.saved.get(project_id, name)
    if found is None:
        raise _missing(name)
    return found


async def _may_change(request: Request[Any, Any, Any], node: NodeDependency, project_id: int, name: str) -> None:
    found, who = await _found(node, project_id, name), who_asks(request)
    if found.created_by != who.name and "admin" not in who.permissions:
        raise ProblemException(403, f"`{name}` is {found.created_by}'s; they and administrators may change it")


def _query(name: str, data: SavedQueryBody) -> SavedQuery:
    return SavedQuery(name, data.text, tuple(SavedParameter(item.name, item.default) for item in data.parameters))


def _missing(name: str) -> NotFoundProblem:
    return NotFoundProblem(f"there is no saved query `{name}`; /api/v1/saved-queries lists what there is")


def _shown(stored: StoredQuery) -> SavedQueryAnswer:
    query = stored.query
    return SavedQueryAnswer(
        query.name,
        query.text,
        stored.description,
        [Parameter(item.name, item.default) for item in query.parameters],
        query.usage(),
        rfc3339(stored.created_at),
        stored.created_by,
        rfc3339(stored.changed_at),
        stored.changed_by,
    )
