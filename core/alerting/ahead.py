"""Answers a detector's queries over the past for many windows at once, where the query allows it.

The detector asks as it always does, window by window; the first question of a kind is asked of the engine for a block
of windows. What cannot be asked so is asked one by one.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ...plugins import iso_ns
from .run import MAX_ROWS, Events
from .windowed import WINDOW, has_groups, windowed

BLOCK = 20_000  # windows that are asked at once
MOST_PHASES = 60  # queries for a block: with more, the windows overlap so much that they are asked one by one
MOST_FETCHED = 500_000  # rows of a block's query
_BLOCKS = 8  # kept
_Rows: TypeAlias = list[dict[str, Any]]


@dataclass
class Ahead:
    """As `Events`, for windows whose ends lie `every_ns` apart, from `first_end` to `last_end`."""

    events: Events
    every_ns: int
    first_end: int
    last_end: int
    queries: int = 0
    """Asked of the engine so far."""
    _blocks: OrderedDict[tuple[str, int, int], dict[int, _Rows]] = field(default_factory=OrderedDict)
    _empty: dict[tuple[str, int], _Rows] = field(default_factory=dict)
    _single: set[tuple[str, int]] = field(default_factory=set)

    async def rows(self, text: str, *, from_ns: int, to_ns: int, now_ns: int, limit: int) -> _Rows:
        """See `Events.rows`.

        :raises QueryError: the query is wrong
        """
        width, number = to_ns - from_ns, (to_ns - self.first_end) // self.every_ns
        is_step = (to_ns - self.first_end) % self.every_ns == 0 and self.first_end <= to_ns <= self.last_end
        if not is_step or (text, width) in self._single or not self._fits(width):
            return await self._ask(text, from_ns, to_ns, now_ns, limit)
        block = number // BLOCK
        key = (text, width, block)
        if key not in self._blocks:
            found = await self._block(text, width, block)
            if found is None:
                self._single.add((text, width))
                return await self._ask(text, from_ns, to_ns, now_ns, limit)
            self._blocks[key] = found
            if len(self._blocks) > _BLOCKS:
                self._blocks.popitem(last=False)
        rows = self._blocks[key].get(to_ns)
        if rows is None:
            rows = await self._of_nothing(text, from_ns, to_ns, now_ns)
        return [dict(row) for row in rows[:limit]]

    def _fits(self, width: int) -> bool:
        if width % self.every_ns == 0:
            return 1 <= width // self.every_ns <= MOST_PHASES
        return self.every_ns % width == 0

    async def _block(self, text: str, width: int, block: int) -> dict[int, _Rows] | None:
        """The rows of a block's windows by their ends; None: they cannot be asked at once."""
        first = self.first_end + block * BLOCK * self.every_ns
        last = min(first + (BLOCK - 1) * self.every_ns, self.last_end)
        found: dict[int, _Rows] = defaultdict(list)
        for start in range(first - width, min(first - width + width, last - width + 1), self.every_ns):
            phase = start % width
            asked = windowed(text, width, phase)
            if asked is None:
                return None
            to_ns = last - (last - width - start) % width
            rows = await self._ask(asked, start, to_ns, to_ns, MOST_FETCHED)
            if len(rows) >= MOST_FETCHED:
                return None
            for row in rows:
                found[iso_ns(row.pop(WINDOW)) + phase + width].append(row)
        return dict(found)

    async def _of_nothing(self, text: str, from_ns: int, to_ns: int, now_ns: int) -> _Rows:
        """The rows of a window without events: the same for all of them."""
        key = (text, to_ns - from_ns)
        if key not in self._empty:
            is_empty = has_groups(text)
            self._empty[key] = [] if is_empty else await self._ask(text, from_ns, to_ns, now_ns, MAX_ROWS)
        return self._empty[key]

    async def _ask(self, text: str, from_ns: int, to_ns: int, now_ns: int, limit: int) -> _Rows:
        self.queries += 1
        return await self.events.rows(text, from_ns=from_ns, to_ns=to_ns, now_ns=now_ns, limit=limit)
