"""`delta`: the change from row to row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from .. import printer, sql
from ..relation import Relation
from ..stage import Stage
from ..tree import Name, Place
from ..value import one
from ..windows import partition, previous, the_number


class Delta(Stage, frozen=True, kw_only=True):
    """Adds the difference to the value in the row before."""

    name = "delta"
    GRAMMAR = "delta: DELTA name [_AS name] [_BY names]"
    DOC = """Adds how much a number changed since the row before, as `delta_x` or the given name; null in the first row.
    The series of a chart are kept apart; `by` keeps others apart. Events are newest first: sort them before.

        | timechart span=5m count() as n | delta n
        | sort timestamp | delta bytes as more by host
    """

    column: Name
    as_name: str | None = None
    by: tuple[Name, ...] = ()

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        column, name, by = children
        return cls(column=column, as_name=name.name if name else None, by=by or (), at=at)

    def written(self) -> str:
        return f"delta {printer.name(self.column)}{printer.as_name(self.as_name)}{printer.by(self.by)}"

    def apply(self, relation: Relation) -> Relation:
        kind, tree = the_number(self.column, relation, self.name)
        before = previous(tree, relation, partition(relation, self.by), self.at)
        change = one(kind, sql.sql(":x - :y", x=tree, y=before))
        return relation.with_columns({self.as_name or f"delta_{self.column.name}": change})
