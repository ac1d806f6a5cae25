"""`/api/v1/tail`: events as they are committed, as server-sent events.

Every commit has a position, and the events that a search finds in one commit have an order that does not depend on how
they are stored (by time, then by their JSON). So `P:k`, the k-th event found in commit P, is a place one can go on
from, after a reconnection or on another node, also when compaction has moved the events meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from anyio import current_time
from litestar import Request, get
from litestar.params import HeaderParameter
from litestar.response import Stream

from ...core.query import parse
from ...core.query.request import Rights
from ...plugins import QueryError
from ..problems import ProblemException, described, is_database_trouble, to_problem
from .fields import Text
from .node import GateDependency, NodeDependency, ProjectDependency, who_asks

if TYPE_CHECKING:
    from ...core.runtime import Node

HEARTBEAT_S: Final = 10.0
_LOOK_S: Final = 1.0  # seconds until it is looked whether who follows still may
_PART: Final = 500  # events sent at once: what a slow reader makes us hold beyond the commit it is at
_PLACE: Final = re.compile(r"(\d{1,18}):(\d{1,18})", re.ASCII)

_encode = msgspec.json.Encoder().encode


@get(
    "/api/v1/tail",
    operation_id="tailEvents",
    summary="Follow events as they are committed",
    tags=["query"],
    media_type="text/event-stream",
    opt={"access": "query", "filtered": True},
    responses=described(),
)
async def tail_events(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    gate: GateDependency,
    project_id: ProjectDependency,
    text: Text = "",
    last_event_id: Annotated[
        str | None,
        HeaderParameter(name="Last-Event-ID", description="The id of the last event seen: go on after it"),
    ] = None,
) -> Stream:
    """Server-sent events: `event: event`, `id: P:k` (the k-th event found in commit P), `data:` the event's JSON.

    `query` is a search: the query language without stages. A comment line comes every 10 seconds where nothing happens.
    """
    text = (await node.engine.resolver(project_id))(text)
    if stages := parse(text).stages:
        raise QueryError(
            "a tail follows a search: stages cannot see the events that are still to come",
            text=text,
            hint=f"leave out what begins with | {stages[0].name}",
        )
    place = await start_of(node, project_id, last_event_id)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

    async def over() -> bool:
        if request.app.state.stopping:
            return True
        principal = await gate.identify(request.headers)
        return principal is None or "query" not in principal.permissions or principal.rights != rights

    rights = who_asks(request).rights
    stream = follow(node, project_id, text, *place, over=over, rights=rights)
    return Stream(stream, media_type="text/event-stream", headers=headers)


async def start_of(node: Node, project_id: int, last_event_id: str | None) -> tuple[int, int]:
    """(position to read next, events of it to leave out): after the event with this id, or what comes from now on.

    :raises ProblemException: 400, the id is none of ours
    """
    if not last_event_id:
        return await node.store.catalog.head(project_id) + 1, 0
    found = _PLACE.fullmatch(last_event_id.strip())
    if found is None:
        raise ProblemException(400, f"Last-Event-ID {last_event_id[:60]!r} was given out by no tail")
    return int(found[1]), int(found[2])


async def follow(
    node: Node,
    project_id: int,
    text: str,
    position: int,
    seen: int,
    *,
    over: Callable[[], Awaitable[bool]],
    rights: Rights | None = None,
) -> AsyncIterator[bytes]:
    """The stream from `seen` events after the begin of the commit `position` on.

    It ends where the server stops, who follows may no longer, or the database does not answer: the client connects
    again and goes on, or is told.
    """
    yield b"retry: 1000\n: following\n\n"
    try:
        async with node.following.tail(project_id, text, rights, position) as tail:
            heard = current_time()
            while True:
                found = await tail.next(min(_LOOK_S, HEARTBEAT_S))
                if await over():  # asked with the events at hand: what comes after the end of a right is not shown
                    return
                for place, events in found:
                    for part in messages(events, place, seen if place == position else 0):
                        yield part
                    heard = current_time()
                if current_time() - heard >= HEARTBEAT_S:
                    heard = current_time()
                    yield b": alive\n\n"
    except QueryError as why:
        problem, _ = to_problem(why)
        yield b"event: problem\ndata: " + _encode(problem) + b"\n\n"
    except Exception as why:
        if not is_database_trouble(why):
            raise


def messages(events: list[bytes], position: int, seen: int) -> Iterator[bytes]:
    """The events of a commit after those seen, as messages, some hundred at once."""
    for start in range(seen, len(events), _PART):
        part = events[start : start + _PART]
        yield b"".join(
            b"id: %d:%d\nevent: event\ndata: %b\n\n" % (position, number, event)
            for number, event in enumerate(part, start + 1)
        )
