"""The two halves of aggregations, kept: a dashboard asks the same again and again, and to plan it costs as much as to
read what is new.

What a plan is made of is in the key, except the times, which move on with every question. What stages and functions
made of those is asked again (`Context.ask`): where it is the same, so is the plan.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from .halves import Halves, halves
from .plan import Given, planned
from .scope import Context
from .tree import Mistake

MOST: Final = 500  # aggregations
MOST_CHARACTERS: Final = 4_000  # of a query that is kept


@dataclass(frozen=True)
class _Kept:
    """`halves` is None where the plan has none."""

    halves: Halves | None
    warnings: Sequence[str]
    asked: Sequence[tuple[Callable[[Context], Any], Any]]

    def holds(self, context: Context) -> bool:
        """Whether planning would give the same at the context's times."""
        try:
            return all(question(context) == answer for question, answer in self.asked)
        except Mistake:  # who plans it says so
            return False


class KeptHalves:
    """Queries over layouts of events → their halves; the longest unused leave first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    def of(self, given: Given, aggregates: frozenset[str]) -> Halves | None:
        """The halves of a query without sub-queries and lookup tables, planned now where they are not known.

        :param aggregates: see `halves`
        :raises QueryError: with the place of the mistake
        """
        context = given.context
        key = (
            given.query,
            frozenset(given.schema.items()),
            given.limit,
            given.overflowing,
            context.zone,
            context.scale,
            context.shaped,
        )
        kept = self._kept.get(key)
        if kept is None or not kept.holds(context):
            own = replace(context, warnings=[], asked=[])
            found = halves(planned(replace(given, context=own)), aggregates)
            kept = _Kept(found, own.warnings, own.asked)
            if len(given.query.text) <= MOST_CHARACTERS:
                self._kept[key] = kept
                if len(self._kept) > MOST:
                    self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        for warning in kept.warnings:
            context.warn(warning)
        return kept.halves
