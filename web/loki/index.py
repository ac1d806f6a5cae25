"""The endpoints with figures: how much there is, of which labels, fields and patterns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Request, route

from ...core.query import FieldSummary
from ...core.query.stages.fields import Fields
from ...core.query.stages.patterns import Patterns
from ...core.query.stages.stats import Stats
from ...core.query.tree import Call, Duration, FieldMatches, Name, Named, Query
from ...plugins import NOT_JSON
from ...plugins.patterns import pattern_regex
from ..api.node import NodeDependency, ProjectDependency
from . import answers, values
from .api import OPTIONS, Asked, Label, asked, count_over, values_of
from .evaluate import Evaluation
from .labels import STREAM, UNNAMED, label_of
from .logs import AT, plan_log
from .samples import Moments
from .tree import Aggregated, Grouping
from .vectors import Key, Series

PATTERNS: Final = 20  # whose course is counted
FIELDS: Final = 100  # whose different values are counted
SAMPLE: Final = 1_000  # lines that are looked at for what a parser would find
MOST_SERIES: Final = 5_000
LEAST_STEP_NS: Final = 10 * 10**9  # of the course of patterns, as in Loki
TYPES: Final[Mapping[str, str]] = {"int": "int", "float": "float", "bool": "boolean", "duration": "duration"}
LOGFMT: Final = re.compile(r'(?:^|\s)([A-Za-z_][\w.]*)=("(?:[^"\\]|\\.)*"|[^"\s]\S*)')


@route("/loki/api/v1/index/stats", **OPTIONS)
async def loki_stats(request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency) -> Any:
    """How many streams, segments, lines and characters a selector finds."""
    ask = await asked(node, project_id, request)
    start, end = ask.given.range()
    log, labels = await ask.selected(ask.given.text("query"))
    keys = tuple(Named(Name(name), f"k{i}", AT) for i, name in enumerate(STREAM))
    figures = (Named(Call("count", ()), "n", AT), Named(_SIZE, "size", AT))
    query = plan_log(log, labels).query
    query = Query(query.search, (*query.stages, Stats(aggregates=figures, keys=keys)))
    result = await node.engine.run(ask.within(query, start, end))
    rows = [(n, size or 0) for *_, n, size in result.rows()]
    return {
        "streams": len(rows),
        "chunks": result.stats.segments_scanned,
        "entries": sum(n for n, _ in rows),
        "bytes": sum(size for _, size in rows),
    }


_SIZE: Final = Call("sum", (Call("length", (Name("message"),)),))


@route("/loki/api/v1/index/volume", **OPTIONS)
async def loki_volume(request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency) -> Any:
    """How much there is of each label, as a vector."""
    ask = await asked(node, project_id, request)
    start, end = ask.given.range()
    series = await _volume(ask, Moments(end - 1, end - 1, 1), end - start)
    return answers.success({"resultType": "vector", "result": answers.vector(series, end)})


@route("/loki/api/v1/index/volume_range", **OPTIONS)
async def loki_volume_range(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> Any:
    """How much there is of each label over time, as a matrix."""
    ask = await asked(node, project_id, request)
    start, end = ask.given.range()
    step = ask.given.step(start, end)
    moments = Moments(start, end, step)
    return answers.success(
        {"resultType": "matrix", "result": answers.matrix(await _volume(ask, moments, step), moments)}
    )


async def _volume(ask: Asked, moments: Moments, range_ns: int) -> list[Series]:
    log, labels = await ask.selected(ask.given.text("query"))
    targets = [name for name in ask.given.text("targetLabels").split(",") if name]
    wanted = targets or list(dict.fromkeys(test.label for test in log.selector))
    counted = count_over(log, range_ns, "bytes_over_time")
    evaluation = Evaluation(ask.node.engine, ask.around, labels, moments)
    series = await evaluation.series(Aggregated("sum", counted, Grouping(tuple(wanted))))
    assert isinstance(series, list)
    if ask.given.text("aggregateBy") == "labels":
        series = _by_label(series)
    limit = ask.given.number("limit", 100, MOST_SERIES)
    return sorted(series, key=lambda one: (-sum(filter(None, one.values)), sorted(one.key)))[:limit]


def _by_label(series: list[Series]) -> list[Series]:
    """For each label what the series have together that have it; its value is empty."""
    found: dict[Key, list[float | None]] = {}
    for one in series:
        for label, _ in one.key:
            before = found.get(frozenset({(label, "")}), [None] * len(one.values))
            pairs = zip(before, one.values, strict=True)
            found[frozenset({(label, "")})] = [b if a is None else a if b is None else a + b for a, b in pairs]
    return [Series(key, parts) for key, parts in found.items()]


@route("/loki/api/v1/patterns", **OPTIONS)
async def loki_patterns(request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency) -> Any:
    """The most frequent patterns of what a selector finds, and their course."""
    ask = await asked(node, project_id, request)
    start, end = ask.given.range()
    step = max(ask.given.step(start, end), LEAST_STEP_NS)
    moments = Moments(start, end, step).checked()
    log, labels = await ask.selected(ask.given.text("query"))
    query = plan_log(log, labels).query
    found = await node.engine.run(
        ask.within(Query(query.search, (*query.stages, Patterns(limit=PATTERNS))), start, end)
    )
    names = [str(row["pattern"]) for row in found.objects()]
    if not names:
        return answers.success([])
    counts = tuple(
        Named(Call("countif", (FieldMatches(Name("message"), values.whole(pattern_regex(name))),)), f"c{i}", AT)
        for i, name in enumerate(names)
    )
    key = Named(Call("bin", (Name("timestamp"), Duration(step))), "t", AT)
    course = Query(query.search, (*query.stages, Stats(aggregates=counts, keys=(key,))))
    result = await node.engine.run(ask.within(course, start, end, moments.count + 2))
    rows = sorted((answers.nanoseconds(row["t"]), row) for row in result.objects())
    return answers.success(
        [
            {
                "pattern": name.replace("<*>", "<_>"),
                "samples": [[at // 10**9, row[f"c{i}"]] for at, row in rows if row.get(f"c{i}")],
            }
            for i, name in enumerate(names)
        ]
    )


@route("/loki/api/v1/detected_labels", **OPTIONS)
async def loki_detected_labels(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> Any:
    """The labels of what a selector finds, and how many values each has."""
    ask = await asked(node, project_id, request)
    counted = await _cardinalities(ask)
    return {"detectedLabels": [{"label": label_of(one.name), "cardinality": n} for one, n in counted]}


@route("/loki/api/v1/detected_fields", **OPTIONS)
async def loki_detected_fields(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> Any:
    """The fields of what a query finds, and those that json or logfmt would find in a sample of its lines."""
    ask = await asked(node, project_id, request)
    limit = ask.given.number("limit", SAMPLE, MOST_SERIES)
    found = [
        {"label": label_of(one.name), "type": TYPES.get(one.type, "string"), "cardinality": n, "parsers": None}
        for one, n in await _cardinalities(ask)
        if one.name not in STREAM
    ]
    names = {one["label"] for one in found}
    found += [one for one in await _parsed(ask) if one["label"] not in names]
    return {"fields": found[:limit], "limit": limit}


@route("/loki/api/v1/detected_field/{name:str}/values", **OPTIONS)
async def loki_detected_values(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency, name: Label
) -> Any:
    """The values of a field."""
    ask = await asked(node, project_id, request)
    limit = ask.given.number("limit", SAMPLE, MOST_SERIES)
    return {"values": await values_of(ask, name, limit), "limit": limit}


async def _cardinalities(ask: Asked) -> list[tuple[FieldSummary, int]]:
    """The fields, and about how many values each has; the first hundred of the most frequent."""
    start, end = ask.given.range()
    log, labels = await ask.selected(ask.given.text("query"))
    query = plan_log(log, labels).query
    inventory = await ask.node.engine.fields(ask.within(query, start, end))
    known = [one for one in inventory.fields if one.name not in UNNAMED]
    some = sorted(known, key=lambda one: (-one.count, one.name))[:FIELDS]
    if not some:
        return []
    counts = tuple(Named(Call("distinct", (Name(one.name),)), f"c{i}", AT) for i, one in enumerate(some))
    result = await ask.node.engine.run(
        ask.within(Query(query.search, (*query.stages, Stats(aggregates=counts))), start, end)
    )
    row = next(result.rows(), [0] * len(some))
    return [(one, int(n or 0)) for one, n in zip(some, row, strict=True)]


async def _parsed(ask: Asked) -> list[dict[str, Any]]:
    """What json and logfmt would find in the newest lines."""
    start, end = ask.given.range()
    log, labels = await ask.selected(ask.given.text("query"))
    query = plan_log(log, labels).query
    lines = ask.given.number("line_limit", SAMPLE, SAMPLE)
    shown = Query(query.search, (*query.stages, Fields(columns=(Name("message"),))))
    result = await ask.node.engine.run(ask.within(shown, start, end, lines))
    found: dict[str, tuple[str, list[str] | None, set[str]]] = {}
    for (line,) in result.rows():
        parser, items = fields_of_line(str(line or ""))
        for path, text in items:
            label = label_of("_".join(path)) if parser == "json" else label_of(path[0])
            if len(found) < FIELDS or label in found:
                found.setdefault(label, (parser, list(path) if parser == "json" else None, set()))[2].add(text)
    return [
        {"label": label, "type": _type_of(texts), "cardinality": len(texts), "parsers": [parser]}
        | ({"jsonPath": path} if path else {})
        for label, (parser, path, texts) in found.items()
    ]


def fields_of_line(line: str) -> tuple[str, list[tuple[tuple[str, ...], str]]]:
    """The parser that fits a line, and what it finds: paths and values.

    >>> fields_of_line('{"a": {"b": 1}}'), fields_of_line('level=info msg="x y"')
    (('json', [(('a', 'b'), '1')]), ('logfmt', [(('level',), 'info'), (('msg',), 'x y')]))
    """
    if line.lstrip().startswith("{"):
        try:
            value = msgspec.json.decode(line)
        except NOT_JSON:
            return "json", []
        return "json", _leaves(value) if isinstance(value, dict) else []
    pairs: list[tuple[tuple[str, ...], str]] = [((key,), text.strip('"')) for key, text in LOGFMT.findall(line)]
    return "logfmt", pairs[:FIELDS]


def _leaves(value: dict[str, Any]) -> list[tuple[tuple[str, ...], str]]:
    """The texts, numbers and truths in an object, with their paths; lists are left out, as Loki does."""
    found: list[tuple[tuple[str, ...], str]] = []
    heap: list[tuple[tuple[str, ...], Any]] = [((name,), part) for name, part in reversed(value.items())]
    while heap and len(found) < FIELDS:
        path, part = heap.pop()
        if isinstance(part, dict) and len(path) < 10:
            heap += [((*path, name), inner) for name, inner in reversed(part.items())]
        elif isinstance(part, str | int | float):
            found.append((path, str(part).lower() if isinstance(part, bool) else str(part)))
    return found


_FORMS: Final = (
    ("boolean", re.compile(r"true|false")),
    ("int", re.compile(r"[+-]?\d+")),
    ("float", re.compile(r"[+-]?\d*\.\d+(?:e[+-]?\d+)?")),
    ("duration", re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+")),
    ("bytes", re.compile(r"\d+(?:\.\d+)?\s?(?:[KMGTP]i?)?B", re.IGNORECASE)),
)


def _type_of(texts: set[str]) -> str:
    return next((kind for kind, form in _FORMS if all(form.fullmatch(text) for text in texts)), "string")
