"""`extend`: add columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from .. import printer
from ..expressions import compute
from ..relation import Relation
from ..stage import Stage
from ..tree import Named, Place


class Extend(Stage, frozen=True, kw_only=True):
    """Adds or replaces columns; each may use those before it."""

    name = "extend"
    GRAMMAR = 'extend: EXTEND assign ("," assign)*'
    DOC = """Adds columns, or replaces those of the same name.

        | extend seconds = took / 1000, slow = took > 500
    """
    keeps_events = True

    columns: tuple[Named, ...]

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        return cls(columns=tuple(children), at=at)

    def written(self) -> str:
        return f"extend {printer.assigned(self.columns)}"

    def apply(self, relation: Relation) -> Relation:
        for column in self.columns:
            relation = relation.with_columns({column.name or "": compute(column.node, relation)})
        return relation
