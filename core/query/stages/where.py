"""`where`: keep some rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from .. import printer
from ..expressions import condition
from ..relation import Relation
from ..stage import Stage
from ..tree import Node, Place


class Where(Stage, frozen=True, kw_only=True):
    """Keeps the rows for which the condition is true."""

    name = "where"
    GRAMMAR = "where: WHERE expr"
    DOC = """Keeps the rows for which the expression is true. It also takes any search term.

        | where status >= 500 and path startswith "/api"
        | where n > 3 or user in ("ann", "bob")
        | where "connection refused"
    """
    keeps_events = True

    condition: Node

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        return cls(condition=children[0], at=at)

    def written(self) -> str:
        return f"where {printer.expression(self.condition)}"

    def apply(self, relation: Relation) -> Relation:
        return relation.where(condition(self.condition, relation))
