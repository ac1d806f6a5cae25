"""A detector's query for many windows at once: the windows become a key of its aggregation. Pure.

    severity>=error | stats count() as n by service | where n > 50
    severity>=error | stats count() as n by service, bin(timestamp, 5m) as cordwood_window | where n > 50

Windows that overlap fall into phases, each of windows side by side: five minutes every minute are five queries.
"""

from __future__ import annotations

import re

from ...plugins import QueryError
from ..query.parser import parse
from ..query.tree import EVENTS, Call, Query
from .narrow import text_before

WINDOW = "cordwood_window"
"""The column that has the begin of the window, less its phase."""
_BEFORE = frozenset({"where", "extend", "parse"})  # what looks at a row alone
_AFTER = frozenset({"where", "extend", "sort"})  # and what leaves the rows of a window in the order it would give them
_OF_ALL = frozenset({"rate", "share"})  # aggregates that look at more than their own group
_TIMES = re.compile(r"\b(?:timestamp|time|now)\b|[^\w.\"]-?\d+[smhdw]\b", re.IGNORECASE)


def windowed(text: str, width_ns: int, phase_ns: int) -> str | None:
    """The query by windows that begin `phase_ns` behind a multiple of `width_ns`; None: it cannot be asked so.

    >>> windowed("a | stats count() as n | where n > 5", 300, 60)
    'a | stats count() as n by bin(timestamp - 60ns, 300ns) as cordwood_window | where n > 5'
    >>> windowed("a | stats count() by x | sort -x | limit 3", 300, 0) is None
    True

    :raises QueryError: the query is wrong
    """
    query = parse(text)
    place = next((i for i, stage in enumerate(query.stages) if stage.name == "stats"), None)
    if place is None or not _rows_alone(query, place):
        return None
    head = text_before(query, place + 1)
    if _TIMES.search(text_before(query, place)):  # what is meant by now, or by the time, differs from window to window
        return None
    moment = f"timestamp - {phase_ns}ns" if phase_ns else "timestamp"
    glue = ", " if getattr(query.stages[place], "keys", ()) else " by "
    made = f"{head}{glue}bin({moment}, {width_ns}ns) as {WINDOW}{query.text.rstrip()[len(head) :]}"
    try:
        parse(made)
    except QueryError:
        return None
    return made


def has_groups(text: str) -> bool:
    """Whether a window without events has no row."""
    return any(getattr(stage, "keys", ()) for stage in parse(text).stages if stage.name == "stats")


def _rows_alone(query: Query, place: int) -> bool:
    """Whether the other stages, and all aggregates, would say the same of a window if there were no others."""
    names = [stage.name for stage in query.stages]
    if query.head != EVENTS or set(names[:place]) - _BEFORE or set(names[place + 1 :]) - _AFTER:
        return False
    if any(True for stage in query.stages for _ in stage.queries()):
        return False
    calls = {
        node.name
        for top in (query.search, *(node for stage in query.stages for node in stage.nodes()))
        for node in top.walk()
        if isinstance(node, Call)
    }
    return not calls & (_OF_ALL | {"now"})
