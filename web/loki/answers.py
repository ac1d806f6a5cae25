"""Answers in Loki's forms: streams, matrix, vector, statistics."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

import numpy as np

from ...core.query import QueryResult, QueryStats
from .labels import UNKNOWN, UNNAMED, label_of, label_text
from .logs import UNWRAPPED, LogPlan
from .samples import Moments
from .vectors import Series

Json: TypeAlias = Any
CATEGORIZE: Final = "categorize-labels"


def success(data: Json) -> Json:
    """Loki's envelope."""
    return {"status": "success", "data": data}


def nanoseconds(text: str) -> int:
    """A time of a result as nanoseconds since the epoch."""
    return int(np.datetime64(text.removesuffix("Z"), "ns").astype(np.int64))


def streams(result: QueryResult, plan: LogPlan, *, categorize: bool, interval: int = 0) -> Json:
    """The rows as streams. Each row's labels are its stream's, or, where the client asks to `categorize`, those that
    tell streams apart, and the others beside each line: structured metadata, and what the pipeline parsed.

    :param interval: of the lines, only those that are so many nanoseconds after the one before.
    """
    found: dict[tuple[tuple[str, str], ...], list[Json]] = {}
    shown_as = {column: label for label, column in plan.made.items()}
    last: int | None = None
    for row in result.objects():
        at = nanoseconds(row["timestamp"])
        if interval and last is not None and abs(at - last) < interval:
            continue
        last = at
        labels = _labels(row, plan, shown_as)
        value: list[Json] = [str(at), str(row.get("message", ""))]
        if categorize:
            parsed = {label: text for label, text in labels.items() if label in plan.made}
            own = {label: text for label, text in labels.items() if label in plan.stream() and label not in parsed}
            rest = {label: text for label, text in labels.items() if label not in parsed and label not in own}
            value.append({name: part for name, part in (("structuredMetadata", rest), ("parsed", parsed)) if part})
            labels = own
        found.setdefault(tuple(sorted(labels.items())), []).append(value)
    return [{"stream": dict(labels), "values": values} for labels, values in found.items()]


def _labels(row: Mapping[str, Any], plan: LogPlan, shown_as: Mapping[str, str]) -> dict[str, str]:
    labels: dict[str, str] = {} if "severity" in row else {"detected_level": UNKNOWN}
    for field, value in row.items():
        if field in UNNAMED or field == UNWRAPPED:
            continue
        label = shown_as.get(field) or label_of(field)
        text = label_text(field, value)
        if text and not _is_dropped(label, text, plan):
            labels[label] = text
    return {label: text for label, text in labels.items() if plan.shows(label)}


def _is_dropped(label: str, text: str, plan: LogPlan) -> bool:
    return any(one.label == label and one.op == "=" and one.value == text for one in plan.dropped)


def number(value: float) -> str:
    """A sample's value, as Go writes it.

    >>> number(5.0), number(1 / 3), number(float("inf")), number(1e-7)
    ('5', '0.3333333333333333', '+Inf', '0.0000001')
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == int(value) and abs(value) < 2**53:
        return str(int(value))
    return format(Decimal(repr(value)), "f")


def seconds(ns: int) -> int | float:
    """A moment as a sample has it."""
    whole, rest = divmod(ns, 10**9)
    return whole if not rest else round(ns / 1e9, 3)


def vector(series: Iterable[Series], at: int) -> Json:
    """The last value of each series."""
    return [
        {"metric": dict(sorted(one.key)), "value": [seconds(at), number(one.values[-1])]}
        for one in series
        if one.values and one.values[-1] is not None
    ]


def matrix(series: Iterable[Series], moments: Moments) -> Json:
    """All values of each series."""
    times = [seconds(at) for at in moments.all()]
    return [
        {
            "metric": dict(sorted(one.key)),
            "values": [[at, number(value)] for at, value in zip(times, one.values, strict=True) if value is not None],
        }
        for one in series
    ]


def statistics(all_stats: Sequence[QueryStats], lines: int) -> Json:
    """What it cost, in the places where Loki's clients look."""
    elapsed = sum(stats.elapsed_ms for stats in all_stats) / 1000
    size = sum(stats.bytes_scanned for stats in all_stats)
    rows = sum(stats.rows_scanned for stats in all_stats)
    segments = sum(stats.segments_scanned for stats in all_stats)
    pruned = sum(stats.segments_pruned for stats in all_stats)
    summary = {
        "bytesProcessedPerSecond": int(size / elapsed) if elapsed else 0,
        "linesProcessedPerSecond": int(rows / elapsed) if elapsed else 0,
        "totalBytesProcessed": size,
        "totalLinesProcessed": rows,
        "execTime": elapsed,
        "queueTime": 0,
        "subqueries": 0,
        "totalEntriesReturned": lines,
        "splits": 0,
        "shards": 0,
    }
    store = {"totalChunksRef": segments + pruned, "totalChunksDownloaded": segments}
    return {"summary": summary, "querier": {"store": store}, "ingester": {}}
