"""`union`: the rows of another query too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any, Self

from sqlglot import exp

from .. import printer, sql
from ..relation import Order, Relation, United
from ..scope import Context
from ..stage import Stage
from ..tree import Mistake, Place, Query
from ..value import ORDER, Value


class Union(Stage, frozen=True, kw_only=True):
    """Puts the rows of a sub-query below those there are."""

    name = "union"
    GRAMMAR = "union: UNION subquery"
    DOC = """Adds the rows of another query. Columns of the same name are one; what a side lacks is null. Events of both
    sides are in one order, the newest first; other rows of the sub-query come after those there are. It reads the same
    time range, but for the ends that its own search sets with `time`. Up to 16 sub-queries, nested 4 deep.

        severity>=error | limit 100 | union (service:checkout status:402 | limit 100)
        severity>=error | stats count() as n by service | union (| stats count() as n | extend service = "all")
        severity>=error | union (severity>=error time>=-7d time<-6d) | timechart span=1h count()
    """

    query: Query

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        return cls(query=children[0], at=at)

    def gives_events(self) -> bool:
        return all(stage.gives_events() for stage in self.query.stages)

    def written(self) -> str:
        return f"union {printer.subquery(self.query)}"

    def apply(self, relation: Relation) -> Relation:
        other = relation.inner(self.query, 0)
        if relation.context.scale != other.context.scale:
            raise Mistake("only one side is a sample, or they are different ones", self.at,
                          "put the same `sample` into both, or aggregate before")  # fmt: skip
        return united(relation, other)


def united(first: Relation, second: Relation) -> Relation:
    """The rows of both. A column of an event's field is called the same on both sides, so that it needs no mention."""
    dropped = first.dropped & second.dropped
    wanted = dict.fromkeys((*first.columns, *second.columns, *sorted((first.dropped | second.dropped) - dropped)))
    values = [{name: side.field(name) or Value() for name in wanted} for side in (first, second)]
    kinds = {name: [kind for kind in ORDER if any(kind in own[name].kinds for own in values)] for name in wanted}
    made = {
        name: Value({kind: sql.column(first.names.new(f"{name}_{kind}" if len(of) > 1 else name)) for kind in of})
        for name, of in kinds.items()
    }
    part = first.names.new("part")
    selects = []
    for number, (side, own) in enumerate(zip((first, second), values, strict=True)):
        columns = [
            sql.alias(tree.copy(), made[name].kinds[kind].name)
            for name, value in own.items()
            for kind, tree in value.kinds.items()
        ]
        rest = [exp.Star()] if side.events is not None else [sql.column(name) for name in side.carried()]
        selects.append(side.select(*rest, *columns, sql.alias(sql.integer(number), part)))
    same = [a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first.order, second.order, strict=False))]
    order = (*same, Order(part), *first.order[len(same) :], *second.order[len(same) :])
    events = tuple(side.events for side in (first, second) if side.events is not None)
    return replace(
        first.then(exp.Union(this=selects[0], expression=selects[1], distinct=False, by_name=True)),
        context=spanning(first.context, second.context),
        columns=made,
        dropped=dropped,
        events=United(events) if events else None,
        order=tuple(dict.fromkeys(order)),
        hidden=tuple(dict.fromkeys((*first.hidden, *second.hidden))),
        keys=first.keys if first.keys == second.keys else (),
    )


def spanning(first: Context, second: Context) -> Context:
    """The context of rows of both: their times are those of either."""

    def known(*ends: int | None) -> Iterator[int]:
        yield from (end for end in ends if end is not None)

    start = min(known(first.start_ns, second.start_ns), default=None)
    return replace(first, start_ns=start, end_ns=max(known(first.end_ns, second.end_ns), default=None))
