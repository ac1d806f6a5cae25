"""The bound of a threshold for a wished number of alerts a week, from what the past would have given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...plugins import Detector, RejectedError, duration_ns
from ..query.parser import parse
from ..query.tree import Compare, Name, Number
from .ahead import Ahead
from .backtest import WEEK_NS, Span, step_ends
from .narrow import group_fields
from .run import MAX_ROWS, Events

CANDIDATES = 200  # bounds that are tried
MOST_VALUES = 1_000_000  # figures of groups in windows
UP, _DOWN = (">", ">="), ("<", "<=")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A condition that would have fired as often as wished, or the next less often."""

    condition: str
    per_week: float


@dataclass(frozen=True, slots=True)
class Bound:
    """A condition of the form `n > 50`."""

    column: str
    op: str
    value: float


def bound_of(condition: str) -> Bound | None:
    """The condition as a column and its bound; None: it is another.

    >>> bound_of("n > 50"), bound_of("n > 50 and m < 3")
    (Bound(column='n', op='>', value=50), None)
    """
    (stage,) = parse(f"* | where {condition}").stages
    nodes = list(stage.nodes())
    match nodes:
        case [Compare(op=op, left=Name(name=name), right=Number(value=value))] if op in (*UP, *_DOWN):
            return Bound(name, op, value)
    return None


async def suggest(detector: Detector[Any], events: Events, span: Span, per_week: float) -> Suggestion:
    """The mildest bound with at most so many incidents a week over the range.

    :raises QueryError: the query is wrong
    :raises RejectedError: the detector's condition is no bound on a figure, or there are no figures
    """
    query, condition = (getattr(detector.config, setting, None) for setting in ("query", "condition"))
    bound = bound_of(condition) if isinstance(condition, str) else None
    if bound is None or not isinstance(query, str):
        raise RejectedError("a bound can be suggested for a condition such as `n > 50` only")
    ends = step_ends(detector, span)
    figures = await _figures(query, bound.column, events, ends, duration_ns(detector.config.window))
    sign = 1.0 if bound.op in UP else -1.0
    values = figures[:, 2] * sign
    config = detector.config
    resolve_after = duration_ns(config.window if config.resolve_after is None else config.resolve_after)
    weeks = max(1, span.to_ns - span.from_ns) / WEEK_NS
    tried = np.unique(np.quantile(values, np.linspace(0, 1, CANDIDATES), method="inverted_cdf"))
    chosen, fired = tried[-1], 0  # beyond the worst figure it never fires
    for value in tried[::-1]:
        count = _openings(figures[values > value], ends.step, resolve_after)
        if count > per_week * weeks:
            break
        chosen, fired = value, count
    shown = float(chosen) * sign
    literal = msgspec.json.encode(int(shown) if shown.is_integer() else shown).decode()
    return Suggestion(f"{bound.column} {bound.op[0]} {literal}", fired / weeks)


async def _figures(query: str, column: str, events: Events, ends: range, window_ns: int) -> NDArray[np.float64]:
    """Rows of group's number, window's number, figure; sorted by group, then window."""
    ahead = Ahead(events, ends.step, ends[0], ends[-1])
    fields = group_fields(query) or ()
    groups: dict[bytes, int] = {}
    rows: list[tuple[float, float, float]] = []
    for number, at_ns in enumerate(ends):
        found = await ahead.rows(query, from_ns=at_ns - window_ns, to_ns=at_ns, now_ns=at_ns, limit=MAX_ROWS)
        for row in found:
            figure = row.get(column)
            if isinstance(figure, int | float):
                key = msgspec.json.encode([row.get(name) for name in fields])
                rows.append((groups.setdefault(key, len(groups)), number, figure))
        if len(rows) > MOST_VALUES:
            raise RejectedError(f"more than {MOST_VALUES:,} figures; take a shorter range, or fewer groups")
    if not rows:
        raise RejectedError(f"the query gives no figure `{column}` in this range; take another range")
    return np.array(sorted(rows), dtype=np.float64)


def _openings(rows: NDArray[np.float64], step_ns: int, resolve_after: int) -> int:
    """Incidents that these windows in trouble make: a new one after a window that was well for long enough."""
    if not len(rows):
        return 0
    same = rows[1:, 0] == rows[:-1, 0]
    apart = (rows[1:, 1] - rows[:-1, 1]) * step_ns
    goes_on = (apart <= step_ns) | (apart - step_ns < resolve_after)
    return int(len(rows) - np.count_nonzero(same & goes_on))
