"""`/api/v1/dead-letters`: events that a pipeline could not read or an output not get rid of."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec
from litestar import Request, delete, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Meta

from ...core.paging import before, page, possible_id
from ...core.storage import dead_letters as storage
from ...core.storage.dead_letters import Selection, unpacked
from ...plugins import in_worker, rfc3339
from ..problems import NotFoundProblem, described
from .alerts import Cursor, Limit
from .node import NodeDependency, ProjectDependency, who_asks
from .times import Time

MOST_IDS = 10_000
Number: TypeAlias = Annotated[int, PathParameter(name="id", description="The dead letter's number")]
Id: TypeAlias = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Name: TypeAlias = Annotated[str | None, QueryParameter(max_length=200, description="Only those of this one")]


class DeadLetter(msgspec.Struct, frozen=True):
    """An event that a step of a pipeline could not read, or that the other side of an output refuses for good."""

    id: int
    at: Annotated[Time, Meta(description="When it came")]
    source: str
    pipeline: str
    step: Annotated[int, Meta(description="The step's number in the pipeline, from 1; 0: it is of an output")]
    parser: Annotated[str, Meta(description="The step's parser; of an output: its type")]
    output: Annotated[str | None, Meta(description="The output whose other side refuses it; it is in the store, too")]
    reason: str
    message: Annotated[str, Meta(description="The begin of the event's message")]
    bytes: int
    attempts: Annotated[int, Meta(description="How often it went through a pipeline")]
    tried_at: Annotated[Time, Meta(description="When it last did")]


class DeadLetterDetails(msgspec.Struct, frozen=True):
    """A dead letter with its event as it entered the pipeline."""

    dead_letter: DeadLetter
    event: dict[str, Any]


class DeadLetterList(msgspec.Struct, frozen=True):
    """A page of dead letters, newest first, and the figures of all."""

    items: list[DeadLetter]
    next_cursor: str | None
    count: int
    bytes: int
    dropped: Annotated[int, Meta(description="The oldest, which went because there were too many")]


class ReplayBody(msgspec.Struct, frozen=True):
    """Which dead letters to replay; without anything: all."""

    ids: Annotated[list[Id], Meta(max_length=MOST_IDS, description="Only these")] | None = None
    source: Annotated[str, Meta(max_length=200, description="Only those of this source")] | None = None
    pipeline: Annotated[str, Meta(max_length=200, description="Only those of this pipeline")] | None = None
    output: Annotated[str, Meta(max_length=200, description="Only those of this output")] | None = None
    cursor: Annotated[str | None, Meta(description="`next_cursor` of the answer before")] = None


class Replay(msgspec.Struct, frozen=True):
    """What became of them."""

    replayed: Annotated[int, Meta(description="Stored as events or sent by their output, and dead letters no more")]
    failed: Annotated[int, Meta(description="Failed again; they stay, with the new reason")]
    next_cursor: Annotated[str | None, Meta(description="There is more: send the same with this `cursor`")]


@get(
    "/api/v1/dead-letters",
    operation_id="listDeadLetters",
    summary="Dead letters, newest first",
    tags=["dead letters"],
    opt={"access": "query"},
    responses=described(),
)
async def list_dead_letters(
    node: NodeDependency,
    project_id: ProjectDependency,
    source: Name = None,
    pipeline: Name = None,
    output: Name = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> DeadLetterList:
    """Events that a step with `on_error: dead_letter` could not read or that an output refuses, newest first."""
    chosen = Selection(source=source, pipeline=pipeline, output=output)
    found = await node.dead_letters.page(project_id, chosen, before=before(cursor), limit=limit + 1)
    usage = await node.dead_letters.usage(project_id)
    part = page(found, limit, lambda letter: str(letter.id))
    shown = [_shown(letter) for letter in part.items]
    return DeadLetterList(shown, part.next_cursor, usage.count, usage.bytes, usage.dropped)


@get(
    "/api/v1/dead-letters/{id:int}",
    operation_id="getDeadLetter",
    summary="A dead letter and its event",
    tags=["dead letters"],
    opt={"access": "query"},
    responses=described(404),
)
async def get_dead_letter(node: NodeDependency, project_id: ProjectDependency, number: Number) -> DeadLetterDetails:
    """A dead letter with its event as it entered the pipeline."""
    found = await node.dead_letters.events(project_id, [possible_id(number)])
    if not found:
        raise _missing(number)
    letter, event = found[0]
    (batch,) = await in_worker(unpacked, [event])
    return DeadLetterDetails(_shown(letter), batch.events()[0])


@post(
    "/api/v1/dead-letters/replay",
    operation_id="replayDeadLetters",
    summary="Send dead letters through their pipeline or output again",
    tags=["dead letters"],
    status_code=200,
    opt={"access": "operate"},
    responses=described(),
)
async def replay_dead_letters(
    data: JSONBody[ReplayBody], request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> Replay:
    """Send dead letters through the pipeline that their source belongs to now, the oldest first, 10,000 at a time.

    An event is stored in the transaction that takes its dead letter out: once, also when this is asked for twice. What
    an output could not get rid of is sent to it again, and to nobody else.
    """
    chosen = Selection(data.ids, data.source, data.pipeline, data.output)
    after = before(data.cursor) if data.cursor is not None else 0
    limits = node.admission.limits
    done = await node.replayer(project_id).replay(node.config, limits, chosen, who_asks(request).name, after=after)
    return Replay(done.replayed, done.failed, None if done.next is None else str(done.next))


@delete(
    "/api/v1/dead-letters/{id:int}",
    operation_id="deleteDeadLetter",
    summary="Delete a dead letter",
    tags=["dead letters"],
    status_code=204,
    opt={"access": "admin"},
    responses=described(404),
)
async def delete_dead_letter(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency, number: Number
) -> None:
    """Delete a dead letter and its event for good."""
    if not await node.dead_letters.delete(project_id, [possible_id(number)], who_asks(request).name):
        raise _missing(number)


def _missing(number: int) -> NotFoundProblem:
    return NotFoundProblem(f"there is no dead letter {number}; it may have been replayed")


def _shown(letter: storage.DeadLetter) -> DeadLetter:
    return DeadLetter(
        id=letter.id,
        at=rfc3339(letter.at),
        source=letter.source,
        pipeline=letter.pipeline,
        step=letter.step,
        parser=letter.parser,
        output=letter.output,
        reason=letter.reason,
        message=letter.message,
        bytes=letter.bytes,
        attempts=letter.attempts,
        tried_at=rfc3339(letter.tried_at),
    )
