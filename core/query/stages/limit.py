"""`limit`: the first rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from ..relation import Relation
from ..request import MOST_ROWS
from ..stage import Stage
from ..tree import Mistake, Place


def row_count(token: Any) -> int:
    """A number of rows.

    :raises Mistake: if it is too large.
    """
    if len(token) > 9 or not 0 <= int(token) <= MOST_ROWS:
        raise Mistake(f"{token[:20]} rows are too many", Place(token.line, token.column), f"use 0 to {MOST_ROWS}")
    return int(token)


class Limit(Stage, frozen=True, kw_only=True):
    """The first rows in the order there is: of events the newest."""

    name = "limit"
    GRAMMAR = "limit: LIMIT INTEGER"
    DOC = """Keeps the first N rows: of events the newest, after a `sort` the first in its order.

        | sort -n | limit 20
    """
    keeps_events = True

    count: int

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        return cls(count=row_count(children[0]), at=at)

    def written(self) -> str:
        return f"limit {self.count}"

    def apply(self, relation: Relation) -> Relation:
        return relation.limited(self.count)
