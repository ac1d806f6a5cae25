"""`/api/v1/query` and `/api/v1/explain`: the query language over HTTP, in JSON, NDJSON, CSV or Arrow."""

from __future__ import annotations

import secrets
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final, TypeVar

import anyio
import msgspec
from litestar import Request, delete, post
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, OpenAPIType, Operation, Schema
from litestar.params import JSONBody, PathParameter
from litestar.response import Response
from msgspec import Meta

from ...core.query import QueryRequest, QueryResult
from ...core.query.export import Export
from ...core.query.request import MOST_ROWS
from ...plugins import now_ns
from ..problems import NotFoundProblem, ProblemException, described
from .formats import ARROW, CSV, EVENTS, JSON, NDJSON, arrow, csv_text, json_answer, ndjson, preferred
from .node import NodeDependency, ProjectDependency, who_asks
from .progress import QueryEvents, Told
from .times import Time, time_ns

T = TypeVar("T")

MAX_QUERY: Final = 100_000  # characters; a longer text is no query, and the parser's time grows with it
QueryId = Annotated[str, Meta(max_length=100, pattern=r"^[A-Za-z0-9._~-]+$", examples=["q-7d1f"])]


class QueryBody(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A query and the time range it looks at."""

    query: Annotated[
        str,
        Meta(
            max_length=MAX_QUERY,
            description="The query; the empty one finds all events",
            examples=["severity>=error service:checkout | stats count() as n by host"],
        ),
    ]
    from_: Annotated[Time | None, Meta(description="Inclusive; without it: from the first event")] = None
    to: Annotated[Time | None, Meta(description="Exclusive; without it: to the last event")] = None
    limit: Annotated[int, Meta(ge=0, le=MOST_ROWS, description="Rows at most; events: 1000 unless said")] | None = None
    timezone: Annotated[
        str, Meta(max_length=64, description="IANA zone of the query's days and hours", examples=["Europe/Berlin"])
    ] = "UTC"
    timeout: Annotated[float, Meta(gt=0, le=3600, description="Seconds until it is given up")] = 30.0
    max_age: Annotated[
        float,
        Meta(ge=0, le=60, description="Seconds: as old may an answer in JSON be that another got; `Age` says how old"),
    ] = 0.0
    id: Annotated[QueryId | None, Meta(description="An id of your own to cancel it by; one is made otherwise")] = None


class Column(msgspec.Struct, frozen=True):
    """A column of the answer."""

    name: Annotated[str, Meta(examples=["n"])]
    type: Annotated[str, Meta(description="time severity text int float bool json, or what the query made")]


class Stats(msgspec.Struct, frozen=True):
    """What the query cost."""

    elapsed_ms: float
    rows_scanned: int
    bytes_scanned: int
    segments_scanned: int
    segments_pruned: Annotated[int, Meta(description="Segments that the catalog ruled out without opening them")]
    segments_cached: Annotated[int, Meta(description="Segments whose part of the answer was known from before")]


class QueryAnswer(msgspec.Struct, frozen=True):
    """The rows, in the order of the query; a value for each column, null where there is none."""

    id: str
    columns: list[Column]
    rows: list[list[Any]]
    stats: Stats
    warnings: list[str]
    complete: Annotated[bool, Meta(description="False where a limit cut rows off")]
    sampled: Annotated[bool, Meta(description="True where the events are a sample, and counts are scaled up")]


OTHER_FORMS: Final = {
    NDJSON: "An object a line", CSV: "RFC 4180", ARROW: "Arrow IPC stream", EVENTS: "Progress, result and end",
}  # fmt: skip


@dataclass
class QueryOperation(Operation):
    """Adds to the OpenAPI document the forms of the answer beside JSON."""

    def __post_init__(self) -> None:
        """See `Operation`."""
        for media_type, about in OTHER_FORMS.items():
            answer = (self.responses or {}).get("200")
            if isinstance(answer, OpenAPIResponse) and answer.content is not None:
                answer.content[media_type] = OpenAPIMediaType(Schema(type=OpenAPIType.STRING, description=about))


@post(
    "/api/v1/query",
    operation_class=QueryOperation,
    operation_id="runQuery",
    summary="Run a query",
    tags=["query"],
    status_code=200,
    opt={"access": "query", "filtered": True},
    responses=described(406, 429),
)
async def run_query(
    data: JSONBody[QueryBody], request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> Response[QueryAnswer]:
    """Run a query and answer its rows.

    By `Accept`: `application/json`, `application/x-ndjson` (an object a row), `text/csv` (RFC 4180; values are written
    as they are), `application/vnd.apache.arrow.stream`. In these three, a list of events is of any size: it is read and
    sent in parts, `timeout` is for each, and where one cannot be had the connection is cut. A client that goes away
    cancels its query.

    `text/event-stream` tells how far it is: `event: progress` (`id`, `segments_opened`, `segments_total`, and the
    `rows` and `bytes` of those opened); for lists of events `event: partial`, the first rows as far as nothing can come
    before or between them, and for aggregations over millions of events the answer as far as they were read, with
    `complete` false; then `event: result` as in JSON, or `event: problem`, and `event: end`.
    """
    media_type = preferred(request.headers.get("accept", ""))
    wanted = request_of(data, project_id, request)
    if media_type == EVENTS:
        return QueryEvents(node.engine, wanted)
    if media_type != JSON:
        export = await unless_gone(request, node.engine.export(wanted, as_lines=media_type == NDJSON))
        write = {NDJSON: ndjson, CSV: csv_text, ARROW: arrow}[media_type]
        return Told(partial(write, export), media_type, _complete(export))
    result = await unless_gone(request, node.engine.run(wanted))
    headers = _complete(result) | {"Age": str(int(result.age))}
    return json_answer(result, headers)


def _complete(answer: Export | QueryResult) -> dict[str, str]:
    return {"X-Query-Complete": str(answer.complete).lower()}


@delete(
    "/api/v1/query/{id:str}",
    operation_id="cancelQuery",
    summary="Cancel a running query",
    tags=["query"],
    status_code=204,
    opt={"access": "query", "filtered": True},
    responses=described(404),
)
async def cancel_query(
    query_id: Annotated[str, PathParameter(name="id", description="The id of the query")],
    node: NodeDependency,
    project_id: ProjectDependency,
) -> None:
    """Cancel a query; its own request is answered 400."""
    if not await node.engine.cancel(query_id, project_id):
        raise NotFoundProblem(f"no query {query_id[:100]} runs on this node")


class ExplainAnswer(msgspec.Struct, frozen=True):
    """How a query would run."""

    plan: Annotated[dict[str, Any], Meta(description="The tree, the plan and the SQL, for people")]


@post(
    "/api/v1/explain",
    operation_id="explainQuery",
    summary="How a query would run",
    tags=["query"],
    status_code=200,
    opt={"access": "query", "filtered": True},
    responses=described(),
)
async def explain_query(
    data: JSONBody[QueryBody], request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> ExplainAnswer:
    """The plan of a query, without running it."""
    return ExplainAnswer(await node.engine.explain(request_of(data, project_id, request)))


def request_of(data: JSONBody[QueryBody], project_id: int, request: Request[Any, Any, Any]) -> QueryRequest:
    """What the engine is asked.

    :raises ProblemException: 400, a time that is none
    """
    return QueryRequest(
        text=data.query,
        project_id=project_id,
        from_ns=time_ns(data.from_, "from"),
        to_ns=time_ns(data.to, "to"),
        limit=data.limit,
        timezone=data.timezone,
        timeout=data.timeout,
        max_age=data.max_age,
        now_ns=now_ns(),
        id=data.id or f"q-{secrets.token_hex(6)}",
        is_admin=may_administer(request),
        rights=who_asks(request).rights,
        principal=who_asks(request).key,
    )


def may_administer(request: Request[Any, Any, Any]) -> bool:
    """Whether who asks has the scope that administration needs."""
    return "admin" in who_asks(request).permissions


async def unless_gone(request: Request[Any, Any, Any], work: Coroutine[Any, Any, T]) -> T:
    """Wait for the work; cancel it where the client goes away first, for nobody reads its result."""
    done: list[T] = []
    failed: list[Exception] = []

    async with anyio.create_task_group() as tasks:

        async def watch() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            tasks.cancel_scope.cancel()

        tasks.start_soon(watch)
        try:
            done.append(await work)
        except Exception as why:
            failed.append(why)
        tasks.cancel_scope.cancel()
    if failed:
        raise failed[0]
    if not done:
        raise ProblemException(400, "the client went away, and the query was cancelled")
    return done[0]
