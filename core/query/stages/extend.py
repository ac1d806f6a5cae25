"""`extend`: add columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from .. import printer
from ..expressions import compute
from ..relation import Relation
from ..scan import searched_fields
from ..stage import Stage
from ..tree import Named, Place
from ..value import Value


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
        made: dict[str, Value] = {}
        for column in self.columns:
            name = column.name or ""
            if not made.keys().isdisjoint({name, *searched_fields([column.node], {})}):
                relation, made = relation.with_columns(made), {}
            made[name] = compute(column.node, relation)
        return relation.with_columns(made)
