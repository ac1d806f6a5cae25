"""`moving`: an aggregate of the last rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from .. import printer
from ..aggregate import label
from ..relation import Relation
from ..stage import Stage
from ..tree import Mistake, Name, Node, Place
from ..windows import aggregate_over, partition
from .limit import row_count


class Moving(Stage, frozen=True, kw_only=True):
    """Adds an aggregate over the last rows, this one among them."""

    name = "moving"
    GRAMMAR = 'moving: MOVING "(" expr "," INTEGER ")" [_AS name] [_BY names]'
    DOC = """Adds sum, avg, min, max or count over the last N rows, this one among them, as `moving_avg_x` or the given
    name; the first rows have fewer before them. The series of a chart are kept apart; `by` keeps others apart.

        | timechart span=1m count() as n | moving(avg(n), 5) as smooth
    """

    aggregate: Node
    rows: int
    as_name: str | None = None
    by: tuple[Name, ...] = ()

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        aggregate, rows, name, by = children
        if row_count(rows) < 1:
            raise Mistake("at least one row is needed", Place(rows.line, rows.column))
        return cls(aggregate=aggregate, rows=row_count(rows), as_name=name.name if name else None, by=by or (), at=at)

    def written(self) -> str:
        made = f"moving({printer.expression(self.aggregate)}, {self.rows})"
        return made + printer.as_name(self.as_name) + printer.by(self.by)

    def apply(self, relation: Relation) -> Relation:
        made = aggregate_over(self.aggregate, relation, partition(relation, self.by), self.at, self.rows)
        return relation.with_columns({self.as_name or f"moving_{label(self.aggregate)}": made})
