"""The endpoints of `/loki/api/v1` that Grafana's Explore and Drilldown ask, but for `tail`.

They stand in no OpenAPI document: they are Loki's, and its documentation describes them. Errors are plain text, which
Grafana shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias
from urllib.parse import parse_qs

from litestar import HttpMethod, Request, route
from litestar.params import PathParameter
from litestar.response import Response
from msgspec import structs

from ...core.query import QueryRequest
from ...core.query.printer import query as written
from ...core.query.stages.sort import Sort
from ...core.query.tree import Name, Query
from ...plugins import in_worker, now_ns
from ..api.node import NodeDependency, ProjectDependency, who_asks
from ..api.query import unless_gone
from ..problems import ProblemException, to_problem
from . import answers
from .evaluate import Evaluation
from .labels import UNNAMED, Labels, label_of, label_text
from .logs import plan_log
from .parser import parse, parse_log
from .printer import written as logql
from .samples import Moments
from .times import HOUR, Parameters
from .tree import Log, LogQLError, RangeOf
from .vectors import Series

if TYPE_CHECKING:
    from ...core.runtime import Node

MOST_LINES: Final = 5_000  # of an answer, as in Loki
LINES: Final = 100
VALUES: Final = 1_000  # of a label
TIMEOUT_S: Final = 60.0
_METHODS: Final = [HttpMethod.GET, HttpMethod.POST]
VERSION: Final = "3.5.0"
"""What Grafana is told: by it, it decides what it may ask."""


def text_problem(request: Request[Any, Any, Any], why: Exception) -> Response[str]:
    """An error as Loki says it: plain text, of LogQL with the place."""
    problem, headers = to_problem(why)
    detail = problem.detail
    if isinstance(why, LogQLError):
        place = f"parse error at line {why.line}, col {why.column}: " if why.message.startswith("syntax") else ""
        detail = f"{place}{why.message}" + (f"; {why.hint}" if why.hint else "")
    elif problem.errors and (first := problem.errors[0]).message:
        detail = f"{first.message}" + (f"; {first.hint}" if first.hint else "")
    return Response(f"{detail}\n", status_code=problem.status, media_type="text/plain; charset=utf-8", headers=headers)


Label: TypeAlias = Annotated[str, PathParameter(max_length=1_000)]
OPTIONS: Final[Mapping[str, Any]] = {
    "http_method": _METHODS,
    "status_code": 200,
    "include_in_schema": False,
    "exception_handlers": {Exception: text_problem},
    "opt": {"access": "query", "filtered": True},
}


async def parameters_of(request: Request[Any, Any, Any]) -> Parameters:
    """The parameters of the URL, and those of a form that is posted."""
    text = request.scope["query_string"].decode("latin-1")
    if request.method == "POST":
        try:
            text = f"{text}&{(await request.body()).decode()}" if text else (await request.body()).decode()
        except UnicodeDecodeError:
            raise ProblemException(400, "the form is no UTF-8") from None
    try:
        return Parameters(parse_qs(text, keep_blank_values=True, max_num_fields=100), now_ns())
    except ValueError:
        raise ProblemException(400, "more than 100 parameters") from None


class Asked:
    """A request to Loki's API: its parameters, the engine, and the rights of who asks."""

    def __init__(self, node: Node, project_id: int, request: Request[Any, Any, Any], given: Parameters) -> None:
        self.node, self.given = node, given
        self.around = QueryRequest(
            text="",
            project_id=project_id,
            now_ns=given.now_ns,
            rights=who_asks(request).rights,
            timeout=TIMEOUT_S,
        )
        flags = request.headers.get("x-loki-response-encoding-flags", "")
        self.categorize = answers.CATEGORIZE in flags.split(",")

    async def labels(self) -> Labels:
        """The labels of the project's events, as far as who asks may see them."""
        found = await self.node.engine.fields(self.around)
        return Labels(field.name for field in found.fields)

    def within(self, query: Query, start: int, end: int, limit: int | None = None) -> QueryRequest:
        """The request for a query of the language in a range, its end exclusive."""
        return structs.replace(self.around, text=written(query), from_ns=start, to_ns=end, limit=limit)

    async def selected(self, text: str, *, default: str = "{}") -> tuple[Log, Labels]:
        """The log query that a parameter has, and the labels."""
        return parse_log(text.strip() or default), await self.labels()


async def asked(node: Node, project_id: int, request: Request[Any, Any, Any]) -> Asked:
    """The request."""
    return Asked(node, project_id, request, await parameters_of(request))


@route("/loki/api/v1/query_range", **OPTIONS)
async def loki_query_range(request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency) -> Any:
    """Streams, or a matrix."""
    ask = await asked(node, project_id, request)
    start, end = ask.given.range()
    found = parse(ask.given.text("query"))
    if isinstance(found, Log):
        return await unless_gone(request, _streams(ask, found, start, end))
    moments = Moments(start, end, ask.given.step(start, end))
    evaluation = Evaluation(node.engine, ask.around, await ask.labels(), moments)
    series = await unless_gone(request, evaluation.series(found))
    if isinstance(series, float):
        series = [Series(frozenset(), [series] * moments.count)]
    data = {"resultType": "matrix", "result": await in_worker(answers.matrix, series, moments)}
    return answers.success(data | {"stats": answers.statistics(evaluation.stats, len(series))})


@route("/loki/api/v1/query", **OPTIONS)
async def loki_query(request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency) -> Any:
    """A vector at one moment; of a log query the last hour's lines."""
    ask = await asked(node, project_id, request)
    at = ask.given.time("time", ask.given.now_ns)
    found = parse(ask.given.text("query"))
    if isinstance(found, Log):
        return await unless_gone(request, _streams(ask, found, at - HOUR, at))
    moments = Moments(at, at, 1)
    evaluation = Evaluation(node.engine, ask.around, await ask.labels(), moments)
    series = await unless_gone(request, evaluation.series(found))
    if isinstance(series, float):
        data: dict[str, Any] = {"resultType": "scalar", "result": [answers.seconds(at), answers.number(series)]}
    else:
        data = {"resultType": "vector", "result": answers.vector(series, at)}
    return answers.success(data | {"stats": answers.statistics(evaluation.stats, 0)})


async def _streams(ask: Asked, log: Log, start: int, end: int) -> Any:
    limit = ask.given.number("limit", LINES, MOST_LINES)
    forward = ask.given.text("direction").lower() == "forward"
    plan = plan_log(log, await ask.labels())
    stages = (
        (*plan.query.stages, Sort(keys=(Name("timestamp"),), descending=(False,))) if forward else plan.query.stages
    )
    result = await ask.node.engine.run(ask.within(Query(plan.query.search, stages), start, end, limit))
    interval = ask.given.length("interval") or 0
    found = await in_worker(lambda: answers.streams(result, plan, categorize=ask.categorize, interval=interval))
    data: dict[str, Any] = {"resultType": "streams", "result": found}
    if ask.categorize:
        data["encodingFlags"] = [answers.CATEGORIZE]
    return answers.success(data | {"stats": answers.statistics([result.stats], len(result))})


@route(["/loki/api/v1/labels", "/loki/api/v1/label"], **OPTIONS)
async def loki_labels(request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency) -> Any:
    """The labels of the events in a range."""
    ask = await asked(node, project_id, request)
    start, end = ask.given.range(6 * HOUR)
    log, labels = await ask.selected(ask.given.text("query"))
    found = await node.engine.fields(ask.within(plan_log(log, labels).query, start, end))
    return answers.success(sorted({label_of(field.name) for field in found.fields if field.name not in UNNAMED}))


@route("/loki/api/v1/label/{name:str}/values", **OPTIONS)
async def loki_label_values(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency, name: Label
) -> Any:
    """The values of a label, the most frequent thousand of them, in order."""
    ask = await asked(node, project_id, request)
    return answers.success(await values_of(ask, name, VALUES))


async def values_of(ask: Asked, label: str, limit: int) -> list[str]:
    """The most frequent values of a label in the request's range and query, in order."""
    start, end = ask.given.range(6 * HOUR)
    log, labels = await ask.selected(ask.given.text("query"))
    plan = plan_log(log, labels, named=[label])
    if not labels.is_known(label) and label not in plan.made:
        return []
    column = plan.column(label)
    found = await ask.node.engine.field_values(ask.within(plan.query, start, end), column, limit)
    return sorted({label_text(column, value) for value, _ in found.values if value is not None} - {""})


def count_over(log: Log, range_ns: int, op: str = "count_over_time") -> RangeOf:
    """The lines of a range, counted by stream."""
    return RangeOf(op, log, max(range_ns, 1))


@route("/loki/api/v1/series", **OPTIONS)
async def loki_series(request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency) -> Any:
    """The streams that selectors find: their service, their host, and the labels that the selectors name."""
    ask = await asked(node, project_id, request)
    start, end = ask.given.range()
    found: dict[tuple[tuple[str, str], ...], None] = {}
    for text in ask.given.all("match[]") or ask.given.all("match") or ["{}"]:
        log, labels = await ask.selected(text)
        evaluation = Evaluation(node.engine, ask.around, labels, Moments(end - 1, end - 1, 1))
        series = await evaluation.series(count_over(log, end - start))
        assert isinstance(series, list)
        found |= dict.fromkeys(tuple(sorted(one.key)) for one in series)
    return answers.success([dict(key) for key in found])


@route("/loki/api/v1/format_query", **OPTIONS)
async def loki_format_query(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> Any:
    """The query in one form."""
    ask = await asked(node, project_id, request)
    return answers.success(logql(parse(ask.given.text("query"))))


@route("/loki/api/v1/status/buildinfo", **OPTIONS)
async def loki_buildinfo(request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency) -> Any:
    """Which version of Loki this speaks like."""
    own = "cordwood"
    return {"version": VERSION, "revision": own, "branch": own, "buildDate": "", "buildUser": own, "goVersion": ""}
