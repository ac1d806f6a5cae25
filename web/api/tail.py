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
from litestar import Request, get
from litestar.params import HeaderParameter
from litestar.response import Stream

from ...core.query import QueryRequest, parse
from ...core.query.request import Rights
from ...plugins import QueryError, in_worker, now_ns
from ..problems import ProblemException, described, is_database_trouble, to_problem
from .fields import Text
from .node import GateDependency, NodeDependency, ProjectDependency, who_asks

if TYPE_CHECKING:
    from ...core.runtime import Node

HEARTBEAT_S: Final = 10.0
_LOOK_S: Final = 1.0  # seconds until it is looked whether who follows still may
_PART: Final = 500  # events sent at once: what a slow reader makes us hold beyond the commit it is at
_ALL: Final = 10_000_000  # more than the events of one commit
_PLACE: Final = re.compile(r"(\d{1,18}):(\d{1,18})", re.ASCII)

_encode = msgspec.json.Encoder().encode
_sorted = msgspec.json.Encoder(order="sorted").encode  # the order of columns is an accident of how they are stored


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
        with node.store.commits.subscribe() as commits:
            quiet = 0.0
            while not await over():
                head = await node.store.catalog.head(project_id)
                if position < head and not await anything(node, project_id, text, position, head, rights):
                    position, seen = head + 1, 0
                while position <= head and not await over():
                    events = await events_of(node, project_id, text, position, rights)
                    for part in messages(events, position, seen):
                        yield part
                    position, seen = position + 1, 0
                look = min(_LOOK_S, HEARTBEAT_S)
                quiet = 0.0 if await commits.wait(look) else quiet + look
                if quiet >= HEARTBEAT_S:
                    quiet = 0.0
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


async def anything(node: Node, project_id: int, text: str, first: int, last: int, rights: Rights | None = None) -> bool:
    """Whether the search finds an event in any commit of this range: if not, none is looked into by itself."""
    return bool(len(await node.engine.run(_request(project_id, text, first, last, 1, rights))))


async def events_of(node: Node, project_id: int, text: str, position: int, rights: Rights | None = None) -> list[bytes]:
    """The JSON of all events of a commit that the search finds, in their order."""
    result = await node.engine.run(_request(project_id, text, position, position, _ALL, rights))

    def ordered() -> list[bytes]:
        found = [(event.get("timestamp", ""), _sorted(event), _encode(event)) for event in result.objects()]
        return [event for _, _, event in sorted(found)]

    return await in_worker(ordered)


def _request(project_id: int, text: str, first: int, last: int, limit: int, rights: Rights | None) -> QueryRequest:
    return QueryRequest(
        text=text,
        project_id=project_id,
        now_ns=now_ns(),
        limit=limit,
        after_position=first - 1,
        upto_position=last,
        rights=rights,
    )
