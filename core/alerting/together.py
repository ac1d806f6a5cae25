"""One aggregation for detectors that ask the same of the same window and differ only in their conditions.

    severity>=error | stats count() as n by service | where n > 50
    severity>=error | stats count() as n by service | where n > 500

Whoever asks first asks for all conditions that were asked of that aggregation lately; the others find their rows there.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, TypeAlias

import anyio

from ...plugins import QueryError
from ..query import printer
from ..query.parser import parse
from .narrow import text_before
from .run import Events

MOST_CONDITIONS: Final = 50  # asked together: each is a column of the answer
MOST_AGGREGATIONS: Final = 1_000  # whose conditions are remembered
MOST_ANSWERS: Final = 64  # kept: those of the last moments
_MARK: Final = "cordwood_holds_"
_Rows: TypeAlias = list[dict[str, Any]]
_Key: TypeAlias = tuple[str, int, int, int, int, int | None, int]


@dataclass
class _Answer:
    """What was asked for one window: the rows by condition, once they are there."""

    lock: anyio.Lock = field(default_factory=anyio.Lock)
    rows: dict[str, _Rows] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sharing:
    """`run.Asked`: events, asked together with others where that can be."""

    together: Together
    events: Events

    async def rows(self, text: str, *, from_ns: int, to_ns: int, now_ns: int, limit: int) -> _Rows:
        """See `Events.rows`."""
        return await self.together.rows(self.events, text, from_ns=from_ns, to_ns=to_ns, now_ns=now_ns, limit=limit)


class Together:
    """Shared by the detectors of a project."""

    def __init__(self) -> None:
        self._conditions: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()
        self._answers: OrderedDict[_Key, _Answer] = OrderedDict()
        self._alone: set[str] = set()  # aggregations of which the conditions cannot be asked together

    async def rows(self, events: Events, text: str, *, from_ns: int, to_ns: int, now_ns: int, limit: int) -> _Rows:
        """As `Events.rows`.

        :raises QueryError: the query is wrong
        """
        parts = conditional(text)
        bounds = {"from_ns": from_ns, "to_ns": to_ns, "now_ns": now_ns, "limit": limit}
        if parts is None or parts[0] in self._alone:
            return await events.rows(text, **bounds)
        base, condition = parts
        known = self._known(base)
        known[condition] = None
        known.move_to_end(condition)
        while len(known) > MOST_CONDITIONS:
            known.popitem(last=False)
        if len(known) == 1:
            return await events.rows(text, **bounds)
        answer = self._answer((base, from_ns, to_ns, now_ns, limit, events.after_position, events.upto_position))
        async with answer.lock:
            if condition not in answer.rows:
                found = await self._asked(events, base, list(known), bounds)
                if found is None:
                    self._alone.add(base)
                    return await events.rows(text, **bounds)
                answer.rows |= found
        return [dict(row) for row in answer.rows[condition]]

    def _known(self, base: str) -> OrderedDict[str, None]:
        """The conditions asked of an aggregation lately, oldest first."""
        found = self._conditions.setdefault(base, OrderedDict())
        self._conditions.move_to_end(base)
        while len(self._conditions) > MOST_AGGREGATIONS:
            self._alone.discard(self._conditions.popitem(last=False)[0])
        return found

    def _answer(self, key: _Key) -> _Answer:
        found = self._answers.setdefault(key, _Answer())
        while len(self._answers) > MOST_ANSWERS:
            self._answers.popitem(last=False)
        return found

    async def _asked(
        self, events: Events, base: str, conditions: list[str], bounds: dict[str, int]
    ) -> dict[str, _Rows] | None:
        """The rows for each condition; None: they cannot be asked at once, or are too many."""
        marks = {condition: f"{_MARK}{i}" for i, condition in enumerate(conditions)}
        columns = ", ".join(f"{mark} = if({condition}, true, false)" for condition, mark in marks.items())
        try:
            rows = await events.rows(f"{base} | extend {columns} | where {' or '.join(marks.values())}", **bounds)
        except QueryError:  # one of the conditions is wrong: each detector finds out for itself
            return None
        if len(rows) >= bounds["limit"]:
            return None
        plain = [{name: value for name, value in row.items() if not name.startswith(_MARK)} for row in rows]
        return {
            condition: [kept for row, kept in zip(rows, plain, strict=True) if row.get(mark)]
            for condition, mark in marks.items()
        }


@lru_cache(maxsize=10_000)
def conditional(text: str) -> tuple[str, str] | None:
    """An aggregation and the condition behind it; None: the query is no such thing.

    >>> conditional("a | stats count() as n by x | where n > 5"), conditional("a | where n > 5")
    (('a | stats count() as n by x', 'n > 5'), None)

    :raises QueryError: the query is wrong
    """
    query = parse(text)
    names = [stage.name for stage in query.stages]
    if len(names) < 2 or names[-1] != "where" or names[-2] not in ("stats", "where", "extend") or "stats" not in names:
        return None
    return text_before(query, len(names) - 1), printer.expression(query.stages[-1].condition)
