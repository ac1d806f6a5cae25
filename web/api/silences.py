"""`/api/v1/silences`: of which incidents nobody is told, and until when; `/api/v1/maintenance`: the YAML's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, TypeAlias

import asyncpg
import msgspec
from litestar import Request, delete, get, post, put
from litestar.params import HeaderParameter, JSONBody, PathParameter, QueryParameter
from litestar.response import Response
from msgspec import Meta

from ...config import Incident, Matchers, format_duration
from ...core.alerting import silences as storage
from ...core.alerting.records import to_datetime
from ...plugins import in_worker, rfc3339
from ..problems import NotFoundProblem, ProblemException, described
from .alerts import Cursor
from .node import NodeDependency, ProjectDependency, who_asks
from .times import Time, time_ns

_LOOKED_AT: Final = 1000  # incidents, the newest, that a page of silences is compared with
_TAG: Final = re.compile(r'"(\d{1,9})"')
Number: TypeAlias = Annotated[int, PathParameter(name="id", description="The silence's number")]
Limit: TypeAlias = Annotated[int, QueryParameter(name="limit", ge=1, le=200, description="Items at most")]
IfMatch: TypeAlias = Annotated[
    str | None,
    HeaderParameter(name="If-Match", max_length=100, description="The `ETag` that was read; `*`: whatever it is now"),
]
Text: TypeAlias = Annotated[str, Meta(max_length=1000)]


class Windows(msgspec.Struct, frozen=True):
    """When it holds, again and again."""

    schedule: Annotated[
        str, Meta(max_length=100, description="As in cron: when each window begins", examples=["0 2 * * SUN"])
    ]
    duration: Annotated[str, Meta(max_length=50, description="How long each lasts, at most 7d", examples=["2h"])]
    timezone: Annotated[str, Meta(max_length=100, examples=["Europe/Berlin"])] = "UTC"


class SilenceBody(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """Of which incidents nobody is told: all that is given must fit."""

    until: Annotated[Time, Meta(description="Within 366 days of its begin", examples=["2026-01-31T14:00:00Z"])]
    from_: Annotated[Time | None, Meta(description="Now where it is not given", examples=[None])] = None
    detectors: Annotated[list[Text], Meta(max_length=100, examples=[["errors"]])] = []
    match: Annotated[
        dict[Text, Annotated[list[Text], Meta(min_length=1, max_length=50)]],
        Meta(max_length=20, description="Fields of the incident's group, with values", examples=[{"service": ["pay"]}]),
    ] = {}
    severities: Annotated[
        list[Literal["trace", "debug", "info", "warn", "error", "fatal"]],
        Meta(max_length=6, description="Any where it is empty", examples=[["info", "warn"]]),
    ] = []
    recurring: Annotated[
        Windows | None, Meta(description="Only in these windows between its begin and its end", examples=[None])
    ] = None
    reason: Annotated[str, Meta(max_length=1000, examples=["the database moves"])] = ""


class Silence(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A silence, and what it hits."""

    id: int
    state: Literal["active", "coming", "ended"]
    holds: Annotated[bool, Meta(description="Nobody is told at this moment")]
    from_: Time
    until: Time
    detectors: list[str]
    match: dict[str, list[str]]
    severities: list[str]
    recurring: Windows | None
    next_begin: Annotated[Time | None, Meta(description="Of one that recurs: when its next window begins")]
    reason: str
    version: Annotated[int, Meta(description="Counts its changes from 1, as in its `ETag`")]
    created_at: Time
    created_by: str
    ended_by: Annotated[str | None, Meta(description="Who ended it before its time")]
    fits_now: Annotated[int, Meta(description="Incidents that are not resolved and that it fits")]
    fits_week: Annotated[int, Meta(description="Incidents of the last seven days that it fits")]


class SilenceList(msgspec.Struct, frozen=True):
    """A page of silences, newest first."""

    items: list[Silence]
    next_cursor: str | None


class Maintenance(msgspec.Struct, frozen=True):
    """A window of the running configuration in which nobody is told."""

    name: str
    detectors: list[str]
    match: dict[str, list[str]]
    severities: list[str]
    schedule: str
    duration: str
    timezone: str
    reason: str
    holds: Annotated[bool, Meta(description="Nobody is told at this moment")]
    next_begin: Time


class MaintenanceList(msgspec.Struct, frozen=True):
    """The windows, by name."""

    items: list[Maintenance]


@get(
    "/api/v1/silences",
    operation_id="listSilences",
    summary="Silences, newest first",
    tags=["alerts"],
    opt={"access": "query"},
    responses=described(),
)
async def list_silences(
    node: NodeDependency,
    project_id: ProjectDependency,
    cursor: Cursor = None,
    limit: Limit = 50,
    only: Annotated[
        Literal["active", "coming", "ended"] | None, QueryParameter(name="state", description="Only these")
    ] = None,
) -> SilenceList:
    """Silences with what they hit, newest first. Those that ended 90 days ago are forgotten."""
    found = await _silences(node).page(project_id, cursor=cursor, limit=limit, state=only)
    return SilenceList(await _shown(node, project_id, found.items), found.next_cursor)


@get(
    "/api/v1/silences/{id:int}",
    operation_id="getSilence",
    summary="A silence",
    tags=["alerts"],
    opt={"access": "query"},
    responses=described(404),
)
async def get_silence(node: NodeDependency, project_id: ProjectDependency, number: Number) -> Response[Silence]:
    """One silence, with its ETag."""
    return await _answer(node, project_id, await _silences(node).get(project_id, number), number)


@post(
    "/api/v1/silences",
    operation_id="createSilence",
    summary="Silence incidents",
    tags=["alerts"],
    status_code=201,
    opt={"access": "operate"},
    responses=described(),
)
async def create_silence(
    data: JSONBody[SilenceBody], request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> Response[Silence]:
    """Tell nobody of incidents that it fits, those that are open among them; what lasts beyond its end is told then."""
    silences = _silences(node)
    made = await silences.create(project_id, _wanted(data, silences.now), who_asks(request).name)
    return await _answer(node, project_id, made, made.id, status=201)


@put(
    "/api/v1/silences/{id:int}",
    operation_id="changeSilence",
    summary="Change a silence",
    tags=["alerts"],
    status_code=200,
    opt={"access": "operate"},
    responses=described(404, 412, 428),
)
async def change_silence(
    data: JSONBody[SilenceBody],
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    number: Number,
    if_match: IfMatch = None,
) -> Response[Silence]:
    """Let a silence that has not ended say something else: `If-Match` is the ETag that was read."""
    if if_match is None:
        raise ProblemException(428, "send If-Match with the ETag that was read, or * to overwrite whatever is there")
    silences = _silences(node)
    wanted, who = _wanted(data, silences.now), who_asks(request).name
    try:
        changed = await silences.change(project_id, number, wanted, who, _version(if_match))
    except storage.ChangedError as why:
        raise ProblemException(412, str(why)) from None
    return await _answer(node, project_id, changed, number)


@delete(
    "/api/v1/silences/{id:int}",
    operation_id="endSilence",
    summary="End a silence",
    tags=["alerts"],
    status_code=200,
    opt={"access": "operate"},
    responses=described(404, 412),
)
async def end_silence(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    number: Number,
    if_match: IfMatch = None,
) -> Response[Silence]:
    """End it now; it stays in the list. With `If-Match` only if it is as it was read."""
    version = None if if_match is None else _version(if_match)
    try:
        ended = await _silences(node).end(project_id, number, who_asks(request).name, version)
    except storage.ChangedError as why:
        raise ProblemException(412, str(why)) from None
    return await _answer(node, project_id, ended, number)


@get(
    "/api/v1/maintenance",
    operation_id="listMaintenance",
    summary="Maintenance windows of the configuration",
    tags=["alerts"],
    opt={"access": "query"},
    responses=described(),
)
async def list_maintenance(node: NodeDependency, project_id: ProjectDependency) -> MaintenanceList:
    """The windows under `maintenance` in the YAML, by name. They are of the node's own project."""
    now = datetime.now(UTC)
    windows = node.config.maintenance if project_id == node.project_id else {}
    return MaintenanceList(
        [
            Maintenance(
                name=name,
                detectors=one.detectors,
                match=one.match,
                severities=list(one.severities),
                schedule=one.schedule,
                duration=format_duration(one.duration),
                timezone=one.timezone,
                reason=one.reason,
                holds=one.holds(now),
                next_begin=rfc3339(one.next_begin(now)),
            )
            for name, one in sorted(windows.items())
        ]
    )


def _silences(node: NodeDependency) -> storage.Silences:
    return storage.Silences(node.store.pool)


def _wanted(body: SilenceBody, now: datetime) -> storage.Wanted:
    from_, until = (time_ns(text, name) for text, name in ((body.from_, "from"), (body.until, "until")))
    assert until is not None
    matchers = {"detectors": body.detectors, "match": body.match, "severities": body.severities}
    return storage.Wanted.of(
        matchers,
        now if from_ is None else to_datetime(from_),
        to_datetime(until),
        body.recurring and msgspec.to_builtins(body.recurring),
        body.reason,
    )


def _version(if_match: str) -> int | None:
    """The version that an If-Match names; None: any."""
    if if_match.strip() == "*":
        return None
    found = _TAG.fullmatch(if_match.strip())
    return int(found[1]) if found else -1  # a tag that is none of ours fits nothing


async def _answer(
    node: NodeDependency, project_id: int, found: storage.Silence | None, number: int, status: int = 200
) -> Response[Silence]:
    if found is None:
        raise NotFoundProblem(f"there is no silence {number}")
    (shown,) = await _shown(node, project_id, [found])
    return Response(shown, status_code=status, headers={"ETag": f'"{found.version}"'})


async def _shown(node: NodeDependency, project_id: int, found: Sequence[storage.Silence]) -> list[Silence]:
    rows = await node.store.pool.fetch(
        """
        select detector, severity, "group", state, opened_at > now() - interval '7 days' as is_new from incident
        where project_id = $1 and (state <> 'resolved' or opened_at > now() - interval '7 days')
        order by id desc limit $2
        """,
        project_id,
        _LOOKED_AT,
    )
    now = datetime.now(UTC)
    incidents = [(Incident(row["detector"], row["severity"], row["group"], now), row) for row in rows]

    def shown() -> list[Silence]:
        return [_silence(one, _hits(one.wanted.matchers, incidents), now) for one in found]

    return await in_worker(shown)


def _hits(matchers: Matchers, incidents: Sequence[tuple[Incident, asyncpg.Record]]) -> tuple[int, int]:
    hit = [row for incident, row in incidents if matchers.fits(incident)]
    return sum(row["state"] != "resolved" for row in hit), sum(row["is_new"] for row in hit)


def _silence(one: storage.Silence, hits: tuple[int, int], now: datetime) -> Silence:
    wanted = one.wanted
    windows = wanted.recurring
    begin = None if windows is None else windows.next_begin(max(now, wanted.from_))
    return Silence(
        id=one.id,
        state=one.state(now),
        holds=one.holds(now),
        from_=rfc3339(wanted.from_),
        until=rfc3339(wanted.until),
        detectors=wanted.matchers.detectors,
        match=wanted.matchers.match,
        severities=list(wanted.matchers.severities),
        recurring=None
        if windows is None
        else Windows(windows.schedule, format_duration(windows.duration), windows.timezone),
        next_begin=None if begin is None or begin >= wanted.until else rfc3339(begin),
        reason=wanted.reason,
        version=one.version,
        created_at=rfc3339(one.created_at),
        created_by=one.created_by,
        ended_by=one.ended_by,
        fits_now=hits[0],
        fits_week=hits[1],
    )
