"""`/api/v1/tail`: events as they are committed, as server-sent events."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import HeaderParameter
from litestar.response import Stream

from ..problems import described
from .fields import Text
from .node import NodeDependency


@get(
    "/api/v1/tail",
    operation_id="tailEvents",
    summary="Follow events as they are committed",
    tags=["query"],
    media_type="text/event-stream",
    opt={"access": "query"},
    responses=described(),
)
async def tail_events(
    node: NodeDependency,
    text: Text = "",
    last_event_id: Annotated[
        str | None,
        HeaderParameter(name="Last-Event-ID", description="The id of the last event seen: go on after it"),
    ] = None,
) -> Stream:
    """Server-sent events: `event: event`, `id: P:k` (the k-th event found in commit P), `data:` the event's JSON.

    `query` is a search: the query language without stages. A comment line comes every 10 seconds where nothing happens.
    """
    raise NotImplementedError
