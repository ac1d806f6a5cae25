"""`dedup`: one row for each value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from sqlglot import exp

from .. import printer, sql
from ..relation import Relation
from ..scope import lookup
from ..stage import Stage
from ..tree import Name, Place
from ..value import group_key


class Dedup(Stage, frozen=True, kw_only=True):
    """Keeps one row for each distinct value of the fields."""

    name = "dedup"
    GRAMMAR = (
        'dedup: DEDUP names [dedup_keep]\ndedup_keep: _DEDUP_KEEP "=" DEDUP_END\n'
        "_DEDUP_KEEP.9: /keep(?=\\s*=)/i\nDEDUP_END.9: /(?:first|last)(?![\\w.])/i"
    )
    DOC = """Keeps one row for each distinct value of the fields: the first in the order (of events the newest),
    or with `keep=last` the last.

        | dedup service, host
        | sort took | dedup service keep=last
    """
    keeps_events = True

    columns: tuple[Name, ...]
    keep_last: bool = False

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        names, keep = children
        return cls(columns=names, keep_last=keep is not None and keep.children[0].lower() == "last", at=at)

    def written(self) -> str:
        return f"dedup {printer.names(self.columns)}{' keep=last' * self.keep_last}"

    def apply(self, relation: Relation) -> Relation:
        keys = [tree for name in self.columns for tree in group_key(lookup(relation, name)).kinds.values()]
        number = relation.names.new("nth")
        nth = exp.Window(
            this=exp.RowNumber(), partition_by=keys or None, order=relation.ordering_in_groups(backwards=self.keep_last)
        )
        numbered = relation.then(relation.select(exp.Star(), sql.alias(nth, number)))
        return numbered.where(sql.sql(":n = 1", n=sql.column(number)))
