"""`distinct`: the different values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from .. import printer
from ..aggregate import keyed
from ..relation import Relation
from ..stage import Stage
from ..tree import Named, Place


class Distinct(Stage, frozen=True, kw_only=True):
    """A row for each distinct combination of values, and nothing else."""

    name = "distinct"
    GRAMMAR = "distinct: DISTINCT keys"
    DOC = """The different values, or combinations of values; only these columns stay.

        | distinct service, host
    """

    keys: tuple[Named, ...]

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        return cls(keys=children[0], at=at)

    def written(self) -> str:
        return f"distinct {printer.keys(self.keys)}"

    def apply(self, relation: Relation) -> Relation:
        return relation.grouped(keyed(((key.node, key.name) for key in self.keys), relation), {})
