"""What is done with series: aggregations over them, operators between them, `label_replace`.

A series has a value, or none, for each moment of the evaluation; all series of one have as many.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl

from .tree import Grouping, LogQLError, Matching, Replaced, unsupported

Key: TypeAlias = frozenset[tuple[str, str]]
EMPTY: Key = frozenset()


@dataclass(frozen=True)
class Series:
    """Labels, and a value for each moment; None: there is no sample."""

    key: Key
    values: list[float | None]


def aggregate(op: str, series: Sequence[Series], grouping: Grouping | None, parameter: float | None) -> list[Series]:
    """The series of an aggregation.

    >>> two = [Series(frozenset({("a", "x")}), [1.0, None]), Series(frozenset({("a", "y")}), [2.0, 5.0])]
    >>> aggregate("sum", two, None, None)[0].values
    [3.0, 5.0]
    """
    if op == "approx_topk":
        raise unsupported("approx_topk", "topk is exact")
    if op in ("sort", "sort_desc"):
        order = sorted(series, key=lambda one: (_last(one.values), sorted(one.key)))
        return order if op == "sort" else order[::-1]
    groups: dict[Key, list[Series]] = {}
    for one in series:
        groups.setdefault(_group(one.key, grouping), []).append(one)
    if op in ("topk", "bottomk"):
        count = int(parameter or 0)
        return [one for group in groups.values() for one in _best(group, count, largest=op == "topk")]
    return [Series(key, _columns(group, REDUCE[op])) for key, group in groups.items()]


def _last(values: Sequence[float | None]) -> float:
    return next((value for value in reversed(values) if value is not None), math.inf)


def _group(key: Key, grouping: Grouping | None) -> Key:
    if grouping is None:
        return EMPTY
    named = set(grouping.labels)
    return frozenset(pair for pair in key if (pair[0] in named) != grouping.without)


def _columns(group: Sequence[Series], reduce: Callable[[list[float]], float]) -> list[float | None]:
    made: list[float | None] = []
    for column in zip(*(one.values for one in group), strict=True):
        there = [value for value in column if value is not None]
        made.append(reduce(there) if there else None)
    return made


def _variance(values: list[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / len(values)


REDUCE: dict[str, Callable[[list[float]], float]] = {
    "sum": sum,
    "avg": lambda values: sum(values) / len(values),
    "min": min,
    "max": max,
    "count": lambda values: float(len(values)),
    "stddev": lambda values: math.sqrt(_variance(values)),
    "stdvar": _variance,
}


def _best(group: Sequence[Series], count: int, *, largest: bool) -> list[Series]:
    """At each moment the largest or smallest values alone; series that are never among them are left out."""
    kept: list[list[float | None]] = [[None] * len(one.values) for one in group]
    for i in range(len(group[0].values)):
        there = [(value, j) for j, one in enumerate(group) if (value := one.values[i]) is not None]
        there.sort(key=lambda pair: (-pair[0] if largest else pair[0], sorted(group[pair[1]].key)))
        for value, j in there[: max(count, 0)]:
            kept[j][i] = value
    found = [
        Series(one.key, values) for one, values in zip(group, kept, strict=True) if any(v is not None for v in values)
    ]
    return sorted(found, key=lambda one: (-_last(one.values) if largest else _last(one.values), sorted(one.key)))


# ---- operators ------------------------------------------------------------------------------------------------------

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}


def _power(a: float, b: float) -> float:
    try:
        found = a**b
    except OverflowError:
        return math.inf
    except ZeroDivisionError:
        return math.inf
    return found if isinstance(found, float) else math.nan


def _divided(a: float, b: float) -> float:
    if b:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a)


ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divided,
    "%": lambda a, b: math.fmod(a, b) if b and math.isfinite(a) else math.nan,
    "^": _power,
}


def operate(op: str, a: float, b: float, *, is_bool: bool) -> float | None:
    """`a op b` of two numbers; a comparison gives the left one where it holds, with `bool` 1 or 0.

    >>> operate("/", 1.0, 0.0, is_bool=False), operate(">", 3.0, 2.0, is_bool=False), operate("<", 3, 2, is_bool=True)
    (inf, 3.0, 0.0)
    """
    if op in COMPARISONS:
        holds = COMPARISONS[op](a, b)
        return float(holds) if is_bool else a if holds else None
    return ARITHMETIC[op](a, b)


def with_number(op: str, series: Sequence[Series], number: float, *, is_left: bool, is_bool: bool) -> list[Series]:
    """Series and a number; `is_left`: the number is on the left. A comparison keeps the series' own values."""
    made = []
    for one in series:
        values: list[float | None] = []
        for value in one.values:
            if value is None:
                values.append(None)
                continue
            found = (
                operate(op, number, value, is_bool=is_bool) if is_left else operate(op, value, number, is_bool=is_bool)
            )
            values.append(value if is_left and op in COMPARISONS and not is_bool and found is not None else found)
        made.append(Series(one.key, values))
    return kept(made)


def kept(series: Iterable[Series]) -> list[Series]:
    """The series that have a sample."""
    return [one for one in series if any(value is not None for value in one.values)]


def operate_on_series(
    op: str, left: Sequence[Series], right: Sequence[Series], matching: Matching | None, *, is_bool: bool
) -> list[Series]:
    """Series with series: those whose labels match.

    :raises LogQLError: several of one side match one of the other, and no group_left or group_right says so
    """
    if op in ("and", "or", "unless"):
        return _sets(op, left, right, matching)
    many_is_left = matching is None or matching.group != "right"
    many, ones = (left, right) if many_is_left else (right, left)
    index: dict[Key, Series] = {}
    for one in ones:
        match_key = _matched(one.key, matching)
        if match_key in index:
            raise LogQLError(
                f"several series on the {'right' if many_is_left else 'left'} match one",
                hint="group them: sum by (…) (…)",
            )
        index[match_key] = one
    grouped = matching is not None and bool(matching.group)
    made: list[Series] = []
    seen: set[Key] = set()
    for one in many:
        match_key = _matched(one.key, matching)
        if (other := index.get(match_key)) is None:
            continue
        if not grouped and match_key in seen:
            raise LogQLError("several series match one", hint="say which side has many: on (…) group_left")
        seen.add(match_key)
        a, b = (one, other) if many_is_left else (other, one)
        values = [
            None if x is None or y is None else operate(op, x, y, is_bool=is_bool)
            for x, y in zip(a.values, b.values, strict=True)
        ]
        made.append(Series(_joined(one.key, other.key, match_key, matching, op, is_bool=is_bool), values))
    return kept(made)


def _matched(key: Key, matching: Matching | None) -> Key:
    if matching is None:
        return key
    named = set(matching.labels)
    return frozenset(pair for pair in key if (pair[0] in named) == matching.on)


def _joined(many: Key, one: Key, match_key: Key, matching: Matching | None, op: str, *, is_bool: bool) -> Key:
    if matching is None:
        return many
    if matching.group:
        taken = frozenset(pair for pair in one if pair[0] in matching.included)
        return frozenset(pair for pair in many if pair[0] not in matching.included) | taken
    return many if op in COMPARISONS and not is_bool else match_key


def _sets(op: str, left: Sequence[Series], right: Sequence[Series], matching: Matching | None) -> list[Series]:
    def there(series: Sequence[Series]) -> dict[Key, list[bool]]:
        found: dict[Key, list[bool]] = {}
        for one in series:
            now = [value is not None for value in one.values]
            before = found.get(_matched(one.key, matching))
            found[_matched(one.key, matching)] = (
                now if before is None else [a or b for a, b in zip(before, now, strict=True)]
            )
        return found

    def where(one: Series, other: dict[Key, list[bool]], wanted: bool) -> Series:
        flags = other.get(_matched(one.key, matching)) or [False] * len(one.values)
        return Series(one.key, [v if flag is wanted else None for v, flag in zip(one.values, flags, strict=True)])

    if op == "or":
        lefts = there(left)
        return kept([*left, *(where(one, lefts, False) for one in right)])
    rights = there(right)
    return kept(where(one, rights, op == "and") for one in left)


def replace_labels(node: Replaced, series: Sequence[Series]) -> list[Series]:
    """`label_replace`: where the expression matches the whole value, the label gets the replacement.

    :raises LogQLError: the expression is none, or two series get the same labels
    """
    pattern = f"^(?s:{node.regex})$"
    sources = [dict(one.key).get(node.source, "") for one in series]
    try:
        column = pl.Series(sources, dtype=pl.String)
        fits = column.str.contains(pattern).to_list()
        made = column.str.replace(pattern, _go_groups(node.replacement)).to_list()
    except pl.exceptions.ComputeError:
        raise LogQLError(f"label_replace: {node.regex[:60]!r} is no regular expression") from None
    result: list[Series] = []
    for one, is_match, text in zip(series, fits, made, strict=True):
        if not is_match:
            result.append(one)
            continue
        rest = frozenset(pair for pair in one.key if pair[0] != node.label)
        result.append(Series(rest | {(node.label, text)} if text else rest, one.values))
    if len({one.key for one in result}) < len(result):
        raise LogQLError("label_replace makes two series with the same labels")
    return result


def _go_groups(text: str) -> str:
    """Groups as `$1` or `${1}`, always in braces, as both worlds read them alike."""
    return re.sub(r"\$(\w+)", r"${\1}", text)


def constant(value: float, moments: int) -> Series:
    """`vector(value)`."""
    return Series(EMPTY, [value] * moments)
