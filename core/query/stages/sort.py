"""`sort`: order the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from .. import printer
from ..expressions import compute
from ..relation import Relation
from ..stage import Stage
from ..tree import Duration, Negative, Node, Number, Place


class Sort(Stage, frozen=True, kw_only=True):
    """Orders rows by expressions; numbers come before texts, missing values last."""

    name = "sort"
    GRAMMAR = (
        'sort: SORT sort_key ("," sort_key)*\nsort_key: sum [SORT_DIRECTION]\n'
        "SORT_DIRECTION.8: /(?:asc|desc)(?![\\w.])/i"
    )
    DOC = """Orders the rows, with `-` or `desc` downwards. Numbers come before texts, missing values last.

        | sort -n, service
    """
    keeps_events = True

    keys: tuple[Node, ...]
    descending: tuple[bool, ...]

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        keys, descending = [], []
        for key in children:
            node, direction = key.children
            is_down = direction is not None and direction.lower() == "desc"
            if isinstance(node, Negative):
                node, is_down = node.item, not is_down
            keys.append(node)
            descending.append(is_down)
        return cls(keys=tuple(keys), descending=tuple(descending), at=at)

    def written(self) -> str:
        return f"sort {', '.join(sort_key(*key) for key in zip(self.keys, self.descending, strict=True))}"

    def apply(self, relation: Relation) -> Relation:
        keys = [(compute(node, relation), down) for node, down in zip(self.keys, self.descending, strict=True)]
        return relation.sorted_by(keys)


def sort_key(node: Node, is_down: bool) -> str:
    """A key; where its own sign would be taken for the direction, with the direction behind it."""
    made = printer.expression(node, printer.SUM)
    if isinstance(node, Number | Duration):
        return made + " desc" * is_down
    if isinstance(node, Negative):
        return f"-{made}" + " desc" * (not is_down)
    return f"-{printer.expression(node, printer.UNARY)}" if is_down else made
