"""`/api/v1/complete`: what may stand at a cursor in a query."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, post
from litestar.params import JSONBody
from msgspec import Meta

from ...core.query import QueryRequest
from ...plugins import now_ns
from ..problems import described
from .node import NodeDependency, ProjectDependency, who_asks
from .query import MAX_QUERY, may_administer
from .times import Time, time_ns

PATIENCE_S: Final = 2.0  # whoever types has gone on by then


class CompleteBody(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A text that is being typed, and the cursor in it."""

    query: Annotated[str, Meta(max_length=MAX_QUERY, examples=["service:ch"])]
    cursor: Annotated[int, Meta(ge=0, description="Characters before it (code points); without it: the end")] | None = (
        None
    )
    from_: Annotated[Time | None, Meta(description="Fields and values of events from here on, inclusive")] = None
    to: Annotated[Time | None, Meta(description="Exclusive")] = None


class CompletionItem(msgspec.Struct, frozen=True):
    """Something that may stand there."""

    text: Annotated[str, Meta(description="What replaces the typed part", examples=["checkout"])]
    kind: Annotated[str, Meta(description="field value stage function aggregate keyword table")]
    detail: Annotated[str, Meta(description="A field's type, how often a value came lately, a call")]
    about: Annotated[str, Meta(description="What it does")]


class CompleteAnswer(msgspec.Struct, frozen=True):
    """What may stand at the cursor, the likeliest first."""

    start: Annotated[int, Meta(description="Where the typed part begins that an item replaces, in characters")]
    end: Annotated[int, Meta(description="Where it ends")]
    items: list[CompletionItem]


@post(
    "/api/v1/complete",
    operation_id="completeQuery",
    summary="Completions at a cursor",
    tags=["query"],
    status_code=200,
    opt={"access": "query", "filtered": True},
    responses=described(429),
)
async def complete_query(
    data: JSONBody[CompleteBody], request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> CompleteAnswer:
    """Fields, values, stages, functions and keywords that may stand at the cursor of a query that is being typed."""
    cursor = len(data.query) if data.cursor is None else min(data.cursor, len(data.query))
    asked = QueryRequest(
        text=data.query,
        project_id=project_id,
        from_ns=time_ns(data.from_, "from"),
        to_ns=time_ns(data.to, "to"),
        now_ns=now_ns(),
        timeout=PATIENCE_S,
        is_admin=may_administer(request),
        rights=who_asks(request).rights,
        principal=who_asks(request).key,
    )
    found = await node.engine.complete(asked, cursor)
    items = [CompletionItem(item.text, item.kind, item.detail, item.about) for item in found.items]
    return CompleteAnswer(found.start, found.end, items)
