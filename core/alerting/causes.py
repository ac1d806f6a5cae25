"""What is different: the values of fields that an incident's events have more often than events had before.

Both sides are samples, the newest events of each, and every value of every field is tried: how probable is it that as
many of the trouble's events have it by chance (hypergeometric distribution: Fisher's exact test, one-sided), times the
number of values tried (Bonferroni's correction)? What is too probable, or makes little difference, is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
import numpy as np
import polars as pl

from ...plugins import in_worker
from ...plugins.patterns import MASK, PLACEHOLDER, clustered
from ..query import QueryEngine, QueryRequest, QueryResult, parse
from ..query.scope import ALIASES
from ..query.severity import severity_name
from ..query.shaped import NOTHING, Shaped, shaped_of
from ..query.tree import Name

MOST_EVENTS: Final = 5_000  # of each side that are looked at, the newest
LEAST_EVENTS: Final = 20  # before, to compare with: fewer say too little, and the others of the same time are taken
MOST_CAUSES: Final = 8
MOST_VALUES: Final = 50  # of a field that are tried, the most frequent
MOST_TEXT: Final = 200  # characters of a value; longer ones are no labels
CHANCE: Final = 1e-3  # that anything at all is shown which is none
LEAST_DIFFERENCE: Final = 0.1  # of the shares
LEAD: Final = 12  # windows before, at least an hour and at most a day
PATTERN: Final = "pattern"
_HOUR_NS: Final = 3_600_000_000_000
_LEFT_OUT: Final = frozenset(
    {"timestamp", "observed_timestamp", "message", "severity_text", "severity_number", "trace_id", "span_id"}
)
_KINDS: Final = frozenset({"text", "int", "float", "bool", "severity"})


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """A value that the trouble's events have more often; `pattern` stands for the pattern of their message."""

    field: str
    value: str | int | float | bool
    count: int
    share: float
    before_count: int
    before_share: float
    chance: float


class Causes(msgspec.Struct, frozen=True, kw_only=True):
    """The causes, the greatest difference first, and what was compared. Times are nanoseconds since the epoch.

    `compared`: with the same search `before`, or with the `others` of the same time, where too few were before.
    """

    causes: list[Cause]
    compared: Literal["before", "others"]
    events: int
    before_events: int
    from_ns: int
    to_ns: int
    before_from_ns: int
    complete: bool


@dataclass(frozen=True)
class Side:
    """Field and value → how many of the events have it."""

    values: dict[tuple[str, str, str], int]
    events: int


async def causes_of(engine: QueryEngine, asked: QueryRequest) -> Causes:
    """What is different of the events that `asked.text`, a search, finds in its range.

    :raises QueryError: the search cannot be asked
    """
    assert asked.from_ns is not None
    assert asked.to_ns is not None
    lead = min(max(LEAD * (asked.to_ns - asked.from_ns), _HOUR_NS), 24 * _HOUR_NS)
    before_from = asked.from_ns - lead
    now = await engine.run(msgspec.structs.replace(asked, limit=MOST_EVENTS))
    earlier = msgspec.structs.replace(asked, from_ns=before_from, to_ns=asked.from_ns, limit=MOST_EVENTS)
    before = await engine.run(earlier)
    compared: Literal["before", "others"] = "before"
    if len(before) < LEAST_EVENTS and asked.text.strip() not in ("", "*"):
        rest = msgspec.structs.replace(asked, text=f"-({asked.text})", limit=MOST_EVENTS)
        before, compared, before_from = await engine.run(rest), "others", asked.from_ns
    named = _named(asked.text) if compared == "others" else frozenset()
    found = await in_worker(compare, now, before, named, await shaped_of(engine.shaped, asked.project_id))
    return Causes(
        causes=found,
        compared=compared,
        events=len(now),
        before_events=len(before),
        from_ns=asked.from_ns,
        to_ns=asked.to_ns,
        before_from_ns=before_from,
        complete=now.complete and before.complete,
    )


def _named(search: str) -> frozenset[str]:
    """The fields that the search speaks of: what it finds differs from all else in these."""
    names = {node.name for node in parse(search).search.walk() if isinstance(node, Name)}
    return frozenset(ALIASES.get(name, name) for name in names)


def compare(
    now: QueryResult, before: QueryResult, left_out: frozenset[str] = frozenset(), shaped: Shaped = NOTHING
) -> list[Cause]:
    """The values that `now` has more often than `before` had, by the difference of their shares."""
    trouble, usual = _side(now, left_out, shaped), _side(before, left_out, shaped)
    if not trouble.events or not usual.events or not trouble.values:
        return []
    keys = list(trouble.values)
    here = np.array([trouble.values[key] for key in keys])
    there = np.array([usual.values.get(key, 0) for key in keys])
    chances = _chances(here, there, trouble.events, usual.events) * len(keys)
    shares, usual_shares = here / trouble.events, there / usual.events
    differences = shares - usual_shares
    shown = [
        i for i in np.argsort(-differences, kind="stable") if chances[i] < CHANCE and differences[i] >= LEAST_DIFFERENCE
    ]
    return [
        Cause(
            field=keys[i][0],
            value=_typed(keys[i][1], keys[i][2]),
            count=int(here[i]),
            share=round(float(shares[i]), 4),
            before_count=int(there[i]),
            before_share=round(float(usual_shares[i]), 4),
            chance=float(chances[i]),
        )
        for i in shown[:MOST_CAUSES]
    ]


def _chances(here: Any, there: Any, events: int, usual: int) -> Any:
    """How probable it is that as many or more of `events` drawn from all have the value as `here` have."""
    from scipy.stats import hypergeom  # slow to import

    return hypergeom.sf(here - 1, events + usual, here + there, events)


def _side(result: QueryResult, left_out: frozenset[str], shaped: Shaped) -> Side:
    values: dict[tuple[str, str, str], int] = {}
    for output in result.outputs:
        for kind, name in output.kinds:
            column = pl.Series(result.table.column(name).combine_chunks())
            if output.name == "message" and kind == "text":
                values |= {(PATTERN, "text", pattern): n for pattern, n in _patterns(column, shaped)}
            elif output.name not in _LEFT_OUT | left_out and kind in _KINDS:
                values |= {(output.name, kind, value): n for value, n in _counted(column, len(result))}
    return Side(values, len(result))


def _counted(column: pl.Series, events: int) -> list[tuple[str, int]]:
    """The most frequent values as texts, unless nearly every event has one of its own."""
    there = column.drop_nulls()
    if there.is_empty() or there.n_unique() > max(MOST_VALUES, events // 2):
        return []
    return _most(there.cast(pl.String))


def _patterns(messages: pl.Series, shaped: Shaped) -> list[tuple[str, int]]:
    masks = messages.drop_nulls().cast(pl.String).str.replace_all(MASK, PLACEHOLDER)
    distinct = [text for text, _ in sorted(_pairs(masks), key=lambda pair: (-pair[1], pair[0]))]
    found = zip(distinct, clustered(distinct), strict=True)
    pattern_of = {mask: shaped.of_mask(mask) or pattern for mask, pattern in found}
    return _most(masks.replace_strict(pattern_of, return_dtype=pl.String)) if distinct else []


def _most(texts: pl.Series) -> list[tuple[str, int]]:
    pairs = [(text, n) for text, n in _pairs(texts) if len(text) <= MOST_TEXT]
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:MOST_VALUES]


def _pairs(texts: pl.Series) -> list[tuple[str, int]]:
    return list(texts.value_counts().iter_rows())


def _typed(kind: str, text: str) -> str | int | float | bool:
    """The value that a text stands for.

    >>> _typed("int", "402"), _typed("bool", "true"), _typed("severity", "17"), _typed("text", "402")
    (402, True, 'ERROR', '402')
    """
    match kind:
        case "int":
            return int(text)
        case "float":
            return float(text)
        case "bool":
            return text == "true"
        case "severity":
            return severity_name(int(text)) or text
    return text
