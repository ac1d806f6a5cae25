"""Range aggregations: what the engine counts by spans of time, put together to the windows that LogQL means.

At a moment t the window of `[5m]` is (t - 5m, t]. The engine aggregates by spans as long as the greatest length that
both the range and the step are multiples of, each ending where some window may end; a window is some of them in a row.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec import structs

from ...core.query import QueryRequest, QueryResult
from ...core.query.printer import query as written
from ...core.query.stages.stats import Stats
from ...core.query.tree import Arithmetic, Call, Duration, Name, Named, Node, Number, Query
from .labels import UNKNOWN, Labels, label_text
from .logs import AT, UNWRAPPED, LogPlan, plan_log
from .tree import Grouping, LogQLError, RangeOf, unsupported
from .vectors import Key, Series

MOST_POINTS = 11_000  # of a series, as in Loki
MOST_SPANS = 50_000  # that a window's range and the step are cut into
MOST_SERIES = 1_000
MOST_ROWS = 1_000_000  # spans of all series
MOST_SAMPLES = 1_000_000  # points of all series, those of wide windows counted by what they cost
DAY_NS = 86_400 * 10**9
WEEK_NS = 7 * DAY_NS
MONDAY_NS = 4 * DAY_NS  # where `bin` begins to count weeks

_VALUE = Name(UNWRAPPED)
_COUNT = Call("count", ())
_BYTES = Call("sum", (Call("length", (Name("message"),)),))
_SUM = Call("sum", (_VALUE,))
# What the engine aggregates for each operation, in the order in which `_combined` takes it.
PARTS: dict[str, tuple[Node, ...]] = {
    "count_over_time": (_COUNT,),
    "rate": (_COUNT,),
    "absent_over_time": (_COUNT,),
    "bytes_over_time": (_BYTES,),
    "bytes_rate": (_BYTES,),
    "sum_over_time": (_SUM,),
    "avg_over_time": (_SUM, _COUNT),
    "min_over_time": (Call("min", (_VALUE,)),),
    "max_over_time": (Call("max", (_VALUE,)),),
    "first_over_time": (Call("first", (_VALUE,)),),
    "last_over_time": (Call("last", (_VALUE,)),),
    "stdvar_over_time": (_COUNT, Call("avg", (_VALUE,)), Call("variance", (_VALUE,))),
    "stddev_over_time": (_COUNT, Call("avg", (_VALUE,)), Call("variance", (_VALUE,))),
}
OF_VALUES = {
    "sum_over_time", "avg_over_time", "min_over_time", "max_over_time", "first_over_time", "last_over_time",
    "stdvar_over_time", "stddev_over_time", "quantile_over_time",
}  # fmt: skip
OF_LINES = {"count_over_time", "bytes_over_time", "bytes_rate", "absent_over_time"}
ADDITIVE = {"count_over_time", "rate", "bytes_over_time", "bytes_rate", "sum_over_time"}
"""Operations whose sum over series is the same as that over all of their samples."""


@dataclass(frozen=True)
class Moments:
    """The moments of an evaluation, in nanoseconds: `start`, then every `step` up to and with `end`."""

    start: int
    end: int
    step: int

    @property
    def count(self) -> int:
        """How many there are."""
        return (self.end - self.start) // self.step + 1

    def checked(self) -> Moments:
        """These, if they are not too many.

        :raises LogQLError: they are
        """
        if self.end < self.start:
            raise LogQLError("the end is before the start")
        if self.count > MOST_POINTS:
            raise LogQLError(f"more than {MOST_POINTS} points a series", hint="use a longer step or a shorter range")
        return self

    def all(self) -> list[int]:
        """The moments."""
        return [self.start + i * self.step for i in range(self.count)]


@dataclass(frozen=True)
class SamplePlan:
    """What is asked of the engine, and how its rows become windows."""

    query: Query
    labels: tuple[str, ...]
    """The labels of the series, in the order of the columns `k0`, `k1` …"""
    fields: tuple[str, ...]
    span: int
    first: int
    """Where the first span begins; it is not in it."""
    spans: int
    wide: int
    """Spans of a window."""
    stride: int
    """Spans from a window to the next."""


def plan_samples(node: RangeOf, labels: Labels, moments: Moments, *, by: Grouping | None, named: Iterable[str],
                 adds: bool) -> SamplePlan:  # fmt: skip
    """The query for a range aggregation.

    :param by: the grouping of the aggregation around it, which goes into the query where it only `adds`.
    :param named: labels that something around it names.
    :raises LogQLError: it is not supported, or asks for too much
    """
    grouping = node.grouping or (by if adds else None)
    wanted = [*named, *(grouping.labels if grouping else ())]
    plan = plan_log(node.log, labels, named=wanted)
    _check(node, plan)
    span, wide, stride, spans = _spans(node.range_ns, moments)
    if node.op == "quantile_over_time" and wide > 1:
        raise unsupported(
            "quantile_over_time with a range that is not the step", "ask with a step as long as the range"
        )
    shown = _grouped(plan, grouping, wanted, adds=adds and node.grouping is None)
    first = moments.start - node.offset_ns - node.range_ns
    keys = [_begin(span, first), *(Named(Name(plan.column(label)), f"k{i}", AT) for i, label in enumerate(shown))]
    stage = Stats(
        aggregates=tuple(Named(part, f"a{i}", AT) for i, part in enumerate(_parts(node, plan))), keys=tuple(keys)
    )
    query = Query(plan.query.search, (*plan.query.stages, stage))
    fields = tuple(plan.column(label) for label in shown)
    return SamplePlan(query, tuple(shown), fields, span, first, spans, wide, stride)


def _check(node: RangeOf, plan: LogPlan) -> None:
    if node.op == "rate_counter":
        raise unsupported("rate_counter", "rate of what is unwrapped is its sum a second")
    if node.op in OF_VALUES and not plan.is_unwrapped:
        raise LogQLError(f"{node.op} needs | unwrap LABEL in its range")
    if node.op in OF_LINES and plan.is_unwrapped:
        raise LogQLError(f"{node.op} takes no | unwrap")


def _parts(node: RangeOf, plan: LogPlan) -> tuple[Node, ...]:
    if node.op == "quantile_over_time":
        share = node.parameter
        if share is None or not 0 <= share <= 1:
            raise LogQLError("the quantile is a number from 0 to 1")
        return (Call("percentile", (_VALUE, Number(share * 100))),)
    return (_SUM,) if node.op == "rate" and plan.is_unwrapped else PARTS[node.op]


def _grouped(plan: LogPlan, grouping: Grouping | None, named: Sequence[str], *, adds: bool) -> list[str]:
    """The labels of the series. Without a grouping: those of streams, and those that are asked for around it."""
    if grouping is not None and not grouping.without:
        return list(dict.fromkeys(grouping.labels))
    if grouping is None and adds:
        return []
    dropped = set(grouping.labels) if grouping is not None else set()
    found = dict.fromkeys([*plan.stream(), *(name for name in named if plan.shows(name))])
    return [label for label in found if label not in dropped]


def _spans(range_ns: int, moments: Moments) -> tuple[int, int, int, int]:
    """(length of a span, spans of a window, spans of a step, all spans)."""
    if moments.count == 1:
        return range_ns, 1, 1, 1
    span = math.gcd(range_ns, moments.step)
    spans = (range_ns + (moments.count - 1) * moments.step) // span
    if spans > MOST_SPANS:
        raise LogQLError(
            f"the range and the step have no common measure that makes less than {MOST_SPANS} spans",
            hint="use a step that divides the range, or a shorter time",
        )
    return span, range_ns // span, moments.step // span, spans


def _begin(span: int, first: int) -> Named:
    """The key: where the span begins that holds an event, counted from `first`, which is itself in the one before."""
    origin = MONDAY_NS if span % WEEK_NS == 0 else 0
    shift = (first + 1 - origin) % span
    moment: Node = Arithmetic("-", Name("timestamp"), Duration(shift)) if shift else Name("timestamp")
    return Named(Call("bin", (moment, Duration(span))), "t", AT)


def sample_request(plan: SamplePlan, around: QueryRequest) -> QueryRequest:
    """The request for it."""
    return structs.replace(
        around,
        text=written(plan.query),
        from_ns=plan.first + 1,
        to_ns=plan.first + plan.spans * plan.span + 1,
        limit=MOST_ROWS,
    )


def windows(node: RangeOf, plan: SamplePlan, result: QueryResult, moments: Moments) -> list[Series]:
    """The series of the engine's rows.

    :raises LogQLError: they are too many
    """
    if not result.complete and len(result) >= MOST_ROWS:
        raise LogQLError(f"more than {MOST_ROWS} spans of all series", hint="group by less, or use a longer step")
    found: dict[Key, dict[int, list[list[Any]]]] = {}
    names = [column.name for column in result.columns]
    at_time, at_keys = names.index("t"), [names.index(f"k{i}") for i in range(len(plan.labels))]
    at_parts = [i for i, name in enumerate(names) if name[0] == "a"]
    shift = (plan.first + 1 - (MONDAY_NS if plan.span % WEEK_NS == 0 else 0)) % plan.span
    for row in result.rows():
        begin = int(np.datetime64(row[at_time][:-1], "ns").astype(np.int64)) + shift
        texts = [
            label_text(field, row[at]) if row[at] is not None else UNKNOWN if label == "detected_level" else ""
            for at, field, label in zip(at_keys, plan.fields, plan.labels, strict=True)
        ]
        key = frozenset((label, text) for label, text in zip(plan.labels, texts, strict=True) if text)
        spans = found.setdefault(key, {})
        if len(found) > MOST_SERIES:
            raise LogQLError(f"more than {MOST_SERIES} series", hint="group by less: sum by (…) (…)")
        index = (begin - plan.first - 1) // plan.span
        spans.setdefault(index, []).append([row[at] for at in at_parts])
    if len(found) * moments.count * (1 + plan.wide // 8) > MOST_SAMPLES:
        raise LogQLError(
            f"{len(found)} series of {moments.count} points are too many", hint="group by less, or use a longer step"
        )
    if node.op == "absent_over_time":
        return [_absent(node, found, plan, moments)]
    return [Series(key, _values(node, spans, plan, moments)) for key, spans in found.items()]


def _values(node: RangeOf, spans: dict[int, list[list[Any]]], plan: SamplePlan, moments: Moments) -> list[float | None]:
    seconds = node.range_ns / 1e9
    made: list[float | None] = []
    for i in range(moments.count):
        begin = i * plan.stride
        parts = [row for j in range(begin, begin + plan.wide) for row in spans.get(j, ())]
        made.append(_combined(node.op, parts, seconds) if parts else None)
    return made


def _combined(op: str, parts: list[list[Any]], seconds: float) -> float | None:
    """One value of the aggregates of a window's spans, in their order."""
    columns = [[value for value in column if value is not None] for column in zip(*parts, strict=True)]
    if not all(columns):
        return None
    match op:
        case "count_over_time" | "bytes_over_time" | "sum_over_time":
            return float(sum(columns[0]))
        case "rate" | "bytes_rate":
            return float(sum(columns[0])) / seconds
        case "avg_over_time":
            return float(sum(columns[0]) / sum(columns[1]))
        case "min_over_time":
            return float(min(columns[0]))
        case "max_over_time":
            return float(max(columns[0]))
        case "first_over_time" | "quantile_over_time":
            return float(columns[0][0])
        case "last_over_time":
            return float(columns[0][-1])
    variance = _variance(parts)
    return math.sqrt(variance) if op == "stddev_over_time" else variance


def _variance(parts: list[list[Any]]) -> float:
    """The variance of the whole population, of count, mean and sample variance of its parts (Chan et al., 1979)."""
    count, mean, squares = 0.0, 0.0, 0.0
    for more, average, variance in parts:
        if not more or average is None:
            continue
        delta = average - mean
        squares += (variance or 0.0) * (more - 1) + delta * delta * count * more / (count + more)
        mean += delta * more / (count + more)
        count += more
    return squares / count if count else 0.0


def _absent(node: RangeOf, found: dict[Key, dict[int, list[list[Any]]]], plan: SamplePlan, moments: Moments) -> Series:
    """1 where no line is; its labels are those that the selector says the value of."""
    filled = {index for spans in found.values() for index, rows in spans.items() if any(any(row) for row in rows)}
    values: list[float | None] = []
    for i in range(moments.count):
        begin = i * plan.stride
        values.append(None if any(j in filled for j in range(begin, begin + plan.wide)) else 1.0)
    said = frozenset((test.label, test.value) for test in node.log.selector if test.op == "=" and test.value)
    return Series(said, values)
