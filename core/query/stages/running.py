"""`running`: an aggregate of all rows so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from .. import printer
from ..aggregate import label
from ..relation import Relation
from ..stage import Stage
from ..tree import Name, Node, Place
from ..windows import aggregate_over, partition


class Running(Stage, frozen=True, kw_only=True):
    """Adds an aggregate over the rows up to each row."""

    name = "running"
    GRAMMAR = 'running: RUNNING "(" expr ")" [_AS name] [_BY names]'
    DOC = """Adds sum, avg, min, max or count over the rows up to this one, as `running_sum_x` or the given name. The
    series of a chart are kept apart; `by` keeps others apart.

        | timechart span=1h sum(bytes) as bytes | running(sum(bytes)) as total
    """

    aggregate: Node
    as_name: str | None = None
    by: tuple[Name, ...] = ()

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        aggregate, name, by = children
        return cls(aggregate=aggregate, as_name=name.name if name else None, by=by or (), at=at)

    def written(self) -> str:
        return f"running({printer.expression(self.aggregate)}){printer.as_name(self.as_name)}{printer.by(self.by)}"

    def apply(self, relation: Relation) -> Relation:
        made = aggregate_over(self.aggregate, relation, partition(relation, self.by), self.at, None)
        return relation.with_columns({self.as_name or f"running_{label(self.aggregate)}": made})
