"""`stats`: aggregate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from .. import printer
from ..aggregate import compute_aggregate, keyed, label, timed
from ..relation import Relation
from ..stage import Stage
from ..tree import Mistake, Named, Place
from ..value import Value


class Stats(Stage, frozen=True, kw_only=True):
    """A row for each distinct value of the keys, with aggregates."""

    name = "stats"
    GRAMMAR = 'stats: STATS named ("," named)* [_BY keys]'
    DOC = """Aggregates. A key is a field, an expression `as` a name, or `bin(5m)`.

        | stats count() as n, p95(took) by service
        | stats countif(status >= 500) / count() as errors by bin(5m), upper(host) as h
    """

    aggregates: tuple[Named, ...]
    keys: tuple[Named, ...] = ()

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        *aggregates, keys = children
        return cls(aggregates=tuple(aggregates), keys=keys or (), at=at)

    def written(self) -> str:
        keys = f" by {printer.keys(self.keys)}" if self.keys else ""
        return f"stats {printer.keys(self.aggregates)}{keys}"

    def apply(self, relation: Relation) -> Relation:
        keys = keyed(((key.node, key.name) for key in self.keys), relation)
        relation = timed(relation, keys=(key.node for key in self.keys))
        return relation.grouped(keys, aggregated(self.aggregates, relation, keys))


def aggregated(items: Sequence[Named], relation: Relation, keys: dict[str, Value]) -> dict[str, Value]:
    """The aggregates by name, each with a name of its own."""
    made: dict[str, Value] = {}
    for item in items:
        name = item.name or label(item.node)
        number = 2
        while item.name is None and (name in made or name in keys):
            name, number = f"{label(item.node)}_{number}", number + 1
        if name in made or name in keys:
            raise Mistake(f"two columns are called `{name}`", item.at, "give one another name with `as`")
        made[name] = compute_aggregate(item.node, relation, keys)
    return made
