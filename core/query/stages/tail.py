"""`tail`: the last rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from ..relation import Relation
from ..stage import Stage
from ..tree import Place
from .limit import row_count


class Tail(Stage, frozen=True, kw_only=True):
    """The last rows in the order there is: of events the oldest."""

    name = "tail"
    GRAMMAR = "tail: TAIL INTEGER"
    DOC = """Keeps the last N rows, in their order: of events the oldest, after a `sort` the last in its order.

        | sort took | tail 5
    """
    keeps_events = True

    count: int

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        return cls(count=row_count(children[0]), at=at)

    def written(self) -> str:
        return f"tail {self.count}"

    def apply(self, relation: Relation) -> Relation:
        return relation.limited(self.count, backwards=True)
