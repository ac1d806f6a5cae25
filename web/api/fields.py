"""`/api/v1/fields`: which fields the events of a query have, and their most frequent values."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias
from urllib.parse import unquote

import msgspec
from litestar import Request, get
from litestar.params import PathParameter, QueryParameter
from msgspec import Meta

from ...core.query import QueryRequest
from ...plugins import now_ns
from ..problems import described
from .node import NodeDependency, ProjectDependency, who_asks
from .query import MAX_QUERY
from .times import time_ns

Text: TypeAlias = Annotated[
    str,
    QueryParameter(name="query", max_length=MAX_QUERY, description="A search or query; without it: all events"),
]
From: TypeAlias = Annotated[str | None, QueryParameter(name="from", description="RFC 3339, inclusive")]
To: TypeAlias = Annotated[str | None, QueryParameter(name="to", description="RFC 3339, exclusive")]


class Field(msgspec.Struct, frozen=True):
    """A field; one that has values of several kinds is listed with its most frequent."""

    name: Annotated[str, Meta(examples=["http.status"])]
    type: Annotated[str, Meta(description="time severity text int float bool json", examples=["int"])]
    count: Annotated[int, Meta(description="Events that have a value for it")]


Warnings: TypeAlias = Annotated[list[str], Meta(description="What the answer lacks: damaged segments and their events")]
Complete: TypeAlias = Annotated[bool, Meta(description="False where events could not be read; warnings say which")]


class Fields(msgspec.Struct, frozen=True):
    """The fields, most frequent first."""

    fields: list[Field]
    warnings: Warnings
    complete: Complete


class Value(msgspec.Struct, frozen=True):
    """A value of a field."""

    value: Annotated[Any, Meta(description="In its own type; null counts the events without one")]
    count: int


class Values(msgspec.Struct, frozen=True):
    """The values, most frequent first."""

    values: list[Value]
    warnings: Warnings
    complete: Complete


@get(
    "/api/v1/fields",
    operation_id="listFields",
    summary="Fields of the events that a query finds",
    tags=["query"],
    opt={"access": "query", "filtered": True},
    responses=described(429),
)
async def list_fields(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    text: Text = "",
    from_: From = None,
    to: To = None,
) -> Fields:
    """Names, types and counts of all fields that the events of a query have."""
    found = await node.engine.fields(_request(request, project_id, text, from_, to))
    items = [Field(field.name, field.type, field.count) for field in found.fields]
    ordered = sorted(items, key=lambda field: (-field.count, field.name))
    return Fields(ordered, list(found.warnings), found.complete)


@get(
    "/api/v1/fields/{name:str}/values",
    operation_id="listFieldValues",
    summary="Most frequent values of a field",
    tags=["query"],
    opt={"access": "query", "filtered": True},
    responses=described(429),
)
async def list_values(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    name: Annotated[str, PathParameter(description="The field's name as events have it", max_length=10_000)],
    text: Text = "",
    from_: From = None,
    to: To = None,
    limit: Annotated[int, QueryParameter(name="limit", ge=1, le=10_000, description="Values at most")] = 10,
) -> Values:
    """The most frequent values of a field among the events of a query."""
    top = await node.engine.field_values(_request(request, project_id, text, from_, to), unquote(name), limit)
    return Values([Value(*found) for found in top.values], list(top.warnings), top.complete)


def _request(
    request: Request[Any, Any, Any], project_id: int, text: str, from_: str | None, to: str | None
) -> QueryRequest:
    return QueryRequest(
        text=text,
        project_id=project_id,
        now_ns=now_ns(),
        from_ns=time_ns(from_, "from"),
        to_ns=time_ns(to, "to"),
        rights=who_asks(request).rights,
        principal=who_asks(request).key,
    )
