"""`rename`: give columns other names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from .. import printer
from ..relation import Relation
from ..scope import lookup
from ..stage import Stage
from ..tree import Name, Place


class Rename(Stage, frozen=True, kw_only=True):
    """Gives columns other names."""

    name = "rename"
    GRAMMAR = 'rename: RENAME renaming ("," renaming)*\nrenaming: name _AS name'
    DOC = """Gives columns other names; a column that has the new name already is replaced.

        | rename http.status as status, `weird name` as plain
    """
    keeps_events = True

    columns: tuple[Name, ...]
    new: tuple[str, ...]

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        pairs = [child.children for child in children]
        return cls(columns=tuple(old for old, _ in pairs), new=tuple(new.name for _, new in pairs), at=at)

    def written(self) -> str:
        pairs = (f"{printer.name(old)} as {printer.name(new)}" for old, new in zip(self.columns, self.new, strict=True))
        return f"rename {', '.join(pairs)}"

    def apply(self, relation: Relation) -> Relation:
        for name, new in zip(self.columns, self.new, strict=True):
            relation = relation.renamed(name.name, new, lookup(relation, name))
        return relation
