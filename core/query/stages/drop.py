"""`drop`: leave columns out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from .. import printer
from ..relation import Relation
from ..scope import lookup
from ..stage import Stage
from ..tree import Name, Place


class Drop(Stage, frozen=True, kw_only=True):
    """Leaves columns out."""

    name = "drop"
    GRAMMAR = "drop: DROP names"
    DOC = """Leaves these columns out.

        | drop trace_id, span_id
    """
    keeps_events = True

    columns: tuple[Name, ...]

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        return cls(columns=children[0], at=at)

    def written(self) -> str:
        return f"drop {printer.names(self.columns)}"

    def apply(self, relation: Relation) -> Relation:
        for name in self.columns:
            lookup(relation, name)
        return relation.without(name.name for name in self.columns)
