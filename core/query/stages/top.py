"""`top`: the most frequent values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from .. import printer, sql
from ..aggregate import keyed, rows
from ..relation import Relation
from ..stage import Stage
from ..tree import Named, Place
from ..value import one, present
from .limit import row_count

COUNT = 10


class Top(Stage, frozen=True, kw_only=True):
    """Values with their count and share, the most frequent first."""

    name = "top"
    GRAMMAR = "top: TOP [INTEGER] keys"
    DOC = """The N (default 10) most frequent values, with `count` and `share`: the part of all rows that have a value.

        | top 5 service
        | top 20 service, host
    """
    rarest: ClassVar[bool] = False

    keys: tuple[Named, ...]
    count: int = COUNT

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        count, keys = children
        return cls(keys=keys, count=COUNT if count is None else row_count(count), at=at)

    def written(self) -> str:
        count = f"{self.count} " if self.count != COUNT else ""
        return f"{self.name} {count}{printer.keys(self.keys)}"

    def apply(self, relation: Relation) -> Relation:
        keys = keyed(((key.node, key.name) for key in self.keys), relation)
        relation = relation.where(sql.any_of(present(value) for value in keys.values()))
        counted = relation.grouped(keys, {free_name(keys, "count"): rows(relation.context)})
        values, (name, count) = list(counted.columns.values())[:-1], list(counted.columns.items())[-1]
        share = sql.sql("CAST(:n AS DOUBLE) / sum(:n) OVER ()", n=count.kinds["int"])
        shared = counted.with_columns({free_name(keys, "share"): one("float", share)})
        order = [(shared.columns[name], not self.rarest), *((value, False) for value in values)]
        return shared.sorted_by(order).limited(self.count)


def free_name(keys: dict[str, Any], name: str) -> str:
    """The name, or one like it where a key has it.

    >>> free_name({"count": None}, "count"), free_name({}, "count")
    ('count_2', 'count')
    """
    return f"{name}_2" if name in keys else name
