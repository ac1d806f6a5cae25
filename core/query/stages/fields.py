"""`fields`: choose columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from .. import printer
from ..relation import Relation
from ..scope import lookup
from ..stage import Stage
from ..tree import Name, Place


class Fields(Stage, frozen=True, kw_only=True):
    """Keeps only these columns, in this order."""

    name = "fields"
    GRAMMAR = "fields: FIELDS names"
    DOC = """Keeps only these columns, in this order.

        | fields timestamp, service, message
    """
    keeps_events = True

    columns: tuple[Name, ...]

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        return cls(columns=children[0], at=at)

    def written(self) -> str:
        return f"fields {printer.names(self.columns)}"

    def apply(self, relation: Relation) -> Relation:
        return relation.only({name.name: lookup(relation, name) for name in self.columns})
