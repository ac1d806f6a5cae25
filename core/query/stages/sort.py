"""`sort`: order the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from ..expressions import compute
from ..relation import Relation
from ..stage import Stage
from ..tree import Negative, Node, Place


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

    def apply(self, relation: Relation) -> Relation:
        keys = [(compute(node, relation), down) for node, down in zip(self.keys, self.descending, strict=True)]
        return relation.sorted_by(keys)
