"""`fill`: values for what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from .. import printer
from ..expressions import compute
from ..relation import Relation
from ..scope import lookup
from ..stage import Stage
from ..tree import Name, Named, Place
from ..value import choose, present


class Fill(Stage, frozen=True, kw_only=True):
    """Replaces missing values."""

    name = "fill"
    GRAMMAR = 'fill: FILL assign ("," assign)*'
    DOC = """Puts a value where a column has none.

        | timechart span=5m avg(took) as took | fill took = 0
        | fill user = "nobody", status = 0
    """
    keeps_events = True

    columns: tuple[Named, ...]

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        return cls(columns=tuple(children), at=at)

    def written(self) -> str:
        return f"fill {printer.assigned(self.columns)}"

    def apply(self, relation: Relation) -> Relation:
        for column in self.columns:
            value = lookup(relation, Name(column.name or "", at=column.at))
            filled = choose(present(value), value, compute(column.node, relation))
            relation = relation.with_columns({column.name or "": filled})
        return relation
