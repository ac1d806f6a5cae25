"""The course of the figure that a threshold looks at, and the bounds it is held against: what a chart of it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...plugins import Detector, Json, duration_ns
from .ahead import Ahead
from .backtest import Span, step_ends
from .narrow import group_fields
from .run import MAX_ROWS, Events
from .suggest import UP, bound_of

POINTS: Final = 400  # of a course: a chart has few more pixels
BEFORE, AFTER = 8, 60  # windows of an incident's course, before it began and from then on
_PHASES: Final = 12  # of these windows: a query each


@dataclass(frozen=True, slots=True)
class Level:
    """A bound: where trouble begins (`condition`), where it ends (`recover`), or where it has a severity."""

    what: str
    op: str
    value: float


@dataclass(frozen=True, slots=True)
class Course:
    """A figure by the ends of windows, the worst of each stretch of `step_ns`; None: no row. Times are nanoseconds."""

    column: str
    levels: tuple[Level, ...]
    step_ns: int
    ends: tuple[int, ...]
    values: tuple[float | None, ...]


def levels_of(detector: Detector[Any]) -> tuple[str, tuple[Level, ...]] | None:
    """The column that the condition looks at, with all bounds on it; None: the condition is no bound on a figure."""
    config = detector.config
    condition = getattr(config, "condition", None)
    bound = bound_of(condition) if isinstance(condition, str) else None
    if bound is None or not isinstance(getattr(config, "query", None), str):
        return None
    said = {"condition": condition, "recover": getattr(config, "recover", None)} | getattr(config, "severities", {})
    found = {what: bound_of(text) for what, text in said.items() if isinstance(text, str)}
    levels = (Level(what, one.op, one.value) for what, one in found.items() if one and one.column == bound.column)
    return bound.column, tuple(levels)


async def course_of(
    detector: Detector[Any], events: Events, ends: range, group: Mapping[str, Json] | None = None
) -> Course | None:
    """The figure of one group in windows (see `step_ends`), or (None) the worst of all groups; None: see `levels_of`.

    :raises QueryError: the detector's query is wrong
    """
    found = levels_of(detector)
    if found is None:
        return None
    column, levels = found
    query = (await events.engine.resolver(events.project_id))(detector.config.query)
    fields = group_fields(query) or ()
    ahead = Ahead(events, ends.step, ends[0], ends[-1])
    window = duration_ns(detector.config.window)
    worst = max if levels[0].op in UP else min
    stretch = -(-len(ends) // POINTS)
    points: dict[int, float] = {}
    for number, at_ns in enumerate(ends):
        rows = await ahead.rows(query, from_ns=at_ns - window, to_ns=at_ns, now_ns=at_ns, limit=MAX_ROWS)
        for row in rows:
            figure = row.get(column)
            if not isinstance(figure, int | float) or isinstance(figure, bool):
                continue
            if group is None or all(row.get(name) == group.get(name) for name in fields):
                place = number // stretch
                points[place] = worst(points.get(place, figure), figure)
    shown = range(-(-len(ends) // stretch))
    return Course(
        column,
        levels,
        ends.step * stretch,
        tuple(ends[min((place + 1) * stretch, len(ends)) - 1] for place in shown),
        tuple(points.get(place) for place in shown),
    )


async def course_of_incident(
    detector: Detector[Any], events: Events, from_ns: int, until_ns: int, group: Mapping[str, Json]
) -> Course | None:
    """The figure of an incident's group, from some windows before its first one on; of a long one, its begin.

    :raises QueryError: the detector's query is wrong
    """
    window = duration_ns(detector.config.window)
    span = Span(from_ns - BEFORE * window, min(until_ns, from_ns + AFTER * window))
    return await course_of(detector, events, step_ends(detector, span, (BEFORE + AFTER) * _PHASES, _PHASES), group)
