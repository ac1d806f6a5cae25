"""`/api/v1/patterns`: patterns that people merged, split or named; `patterns` and `pattern:` go by them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.params import HeaderParameter, JSONBody, PathParameter, QueryParameter
from msgspec import Meta

from ...core.query.shaped import LONGEST, MOST_TEXTS, ShapedPattern
from ...core.query.shaped_store import LONGEST_NAME, MOST, ChangedError, Stored, TakenError
from ...plugins import rfc3339
from ..problems import NotFoundProblem, ProblemException, described
from .alerts import Cursor
from .node import NodeDependency, ProjectDependency, who_asks
from .times import Time

_TAG: Final = re.compile(r'"(\d{1,9})"')
Number: TypeAlias = Annotated[int, PathParameter(name="id", description="The shaped pattern's number")]
Limit: TypeAlias = Annotated[int, QueryParameter(name="limit", ge=1, le=MOST, description="Items at most")]
IfMatch: TypeAlias = Annotated[
    str | None,
    HeaderParameter(name="If-Match", max_length=100, description="The `ETag` that was read; `*`: whatever it is now"),
]
Text: TypeAlias = Annotated[str, Meta(min_length=1, max_length=LONGEST)]


class PatternBody(msgspec.Struct, frozen=True):
    """What a pattern is made of."""

    patterns: Annotated[
        list[Text],
        Meta(
            min_length=1,
            max_length=MOST_TEXTS,
            description="Texts as `patterns` shows them; the first is what it is known by. Several: merged",
            examples=[["VM Started", "VM Stopped"]],
        ),
    ]
    name: Annotated[
        Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)] | None,
        Meta(description="What people call it", examples=["machine states"]),
    ] = None
    split: Annotated[
        Annotated[int, Meta(ge=1, le=LONGEST)] | None,
        Meta(description="Each value of this placeholder, counted from 1, is a pattern of its own", examples=[None]),
    ] = None


class PatternAnswer(msgspec.Struct, frozen=True):
    """A pattern that people shaped."""

    id: int
    patterns: list[str]
    name: str | None
    split: int | None
    version: Annotated[int, Meta(description="Counts its changes from 1, as in its `ETag`")]
    created_at: Time
    created_by: str
    changed_at: Time
    changed_by: str


class NewPatternAnswer(PatternAnswer, frozen=True, kw_only=True):
    """A pattern just made."""

    merged: Annotated[list[PatternBody], Meta(description="Those that went into it, as they were: to undo it")]


class PatternList(msgspec.Struct, frozen=True):
    """A page of them, newest first."""

    items: list[PatternAnswer]
    next_cursor: str | None


@get(
    "/api/v1/patterns",
    operation_id="listPatterns",
    summary="Shaped patterns",
    tags=["patterns"],
    opt={"access": "query"},
    responses=described(),
)
async def list_patterns(
    node: NodeDependency, project_id: ProjectDependency, cursor: Cursor = None, limit: Limit = 100
) -> PatternList:
    """The patterns of the project that people merged, split or named, newest first."""
    page = await node.shaped.page(project_id, cursor, limit)
    return PatternList([_shown(one) for one in page.items], page.next_cursor)


@get(
    "/api/v1/patterns/{id:int}",
    operation_id="getPattern",
    summary="A shaped pattern",
    tags=["patterns"],
    opt={"access": "query"},
    responses=described(404),
)
async def get_pattern(node: NodeDependency, project_id: ProjectDependency, number: Number) -> Response[PatternAnswer]:
    """One of them, with its ETag."""
    found = await node.shaped.get(project_id, number)
    if found is None:
        raise _missing(number)
    return _answer(found)


@post(
    "/api/v1/patterns",
    operation_id="createPattern",
    summary="Merge, split or name patterns",
    tags=["patterns"],
    status_code=201,
    opt={"access": "edit"},
    responses=described(409),
)
async def create_pattern(
    data: JSONBody[PatternBody], request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> Response[NewPatternAnswer]:
    """Make one pattern of several, several of one, or give one a name: at once, for events of any age.

    One text alone is a pattern of its own from then on: a kind of message is taken out of a wider pattern.
    """
    try:
        made, merged = await node.shaped.create(project_id, _pattern(data), who_asks(request).name)
    except TakenError as why:
        raise ProblemException(409, str(why)) from None
    before = [PatternBody(list(one.pattern.patterns), one.pattern.name, one.pattern.split) for one in merged]
    shown = NewPatternAnswer(**msgspec.structs.asdict(_shown(made)), merged=before)
    return Response(shown, status_code=201, headers=_tag(made))


@put(
    "/api/v1/patterns/{id:int}",
    operation_id="changePattern",
    summary="Change a shaped pattern",
    tags=["patterns"],
    status_code=200,
    opt={"access": "edit"},
    responses=described(404, 409, 412, 428),
)
async def change_pattern(
    data: JSONBody[PatternBody],
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    number: Number,
    if_match: IfMatch = None,
) -> Response[PatternAnswer]:
    """Give it another name, more or fewer texts, another split: `If-Match` is the ETag that was read."""
    if if_match is None:
        raise ProblemException(428, "send If-Match with the ETag that was read, or * to overwrite whatever is there")
    who = who_asks(request).name
    try:
        changed = await node.shaped.change(project_id, number, _pattern(data), who, _version(if_match))
    except TakenError as why:
        raise ProblemException(409, str(why)) from None
    except ChangedError as why:
        raise ProblemException(412, str(why)) from None
    if changed is None:
        raise _missing(number)
    return _answer(changed)


@delete(
    "/api/v1/patterns/{id:int}",
    operation_id="deletePattern",
    summary="Undo a shaped pattern",
    tags=["patterns"],
    status_code=204,
    opt={"access": "edit"},
    responses=described(404, 412),
)
async def delete_pattern(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    number: Number,
    if_match: IfMatch = None,
) -> None:
    """Undo it: its messages have the patterns found, as before. With `If-Match` only if it is as it was read."""
    version = None if if_match is None else _version(if_match)
    try:
        done = await node.shaped.delete(project_id, number, who_asks(request).name, version)
    except ChangedError as why:
        raise ProblemException(412, str(why)) from None
    if not done:
        raise _missing(number)


def _pattern(body: PatternBody) -> ShapedPattern:
    return ShapedPattern(tuple(body.patterns), body.name, body.split)


def _version(if_match: str) -> int | None:
    """The version that an If-Match names; None: any."""
    if if_match.strip() == "*":
        return None
    found = _TAG.fullmatch(if_match.strip())
    return int(found[1]) if found else -1  # a tag that is none of ours fits nothing


def _tag(stored: Stored) -> dict[str, str]:
    return {"ETag": f'"{stored.version}"'}


def _answer(stored: Stored) -> Response[PatternAnswer]:
    return Response(_shown(stored), headers=_tag(stored))


def _missing(number: int) -> NotFoundProblem:
    return NotFoundProblem(f"there is no shaped pattern {number}; /api/v1/patterns lists what there is")


def _shown(stored: Stored) -> PatternAnswer:
    pattern = stored.pattern
    return PatternAnswer(
        stored.id,
        list(pattern.patterns),
        pattern.name,
        pattern.split,
        stored.version,
        rfc3339(stored.created_at),
        stored.created_by,
        rfc3339(stored.changed_at),
        stored.changed_by,
    )
