"""`compare`: the same figures of an earlier time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from msgspec import structs
from sqlglot import exp

from .. import literals, printer, sql
from ..relation import Relation
from ..request import MOST_ROWS
from ..sql import Expr
from ..stage import Stage
from ..tree import Everything, Mistake, Node, Place, Query
from ..value import ORDER, SQL_TYPES, Value, as_number, one
from .join import qualified
from .top import Top

CHOOSING = ("where", "limit", "tail")  # after the figures are made: they leave rows out, which were others before


class Compare(Stage, frozen=True, kw_only=True):
    """Adds to each figure what it was in a range of time that lies earlier, and by how much it changed."""

    name = "compare"
    GRAMMAR = "compare: COMPARE SIGN DURATION"
    DOC = """After `stats`, `timechart`, `top` and the like: the same figures of the range that lies that much earlier,
    as `x_before`, and the difference, as `x_change`. Rows belong together by their keys; the spans of a chart line up.
    What was not there before is null.

        severity>=error | stats count() as n by service | compare -1d
        | timechart span=1h count() as n | compare -7d | where n_change > 100
        | top 10 path | compare -1d | extend growth = count_change / count_before
    """

    back_ns: int
    query: Query = Query(Everything(), ())

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        sign, token = children
        back = literals.duration(str(token))
        if sign != "-" or not back:
            raise Mistake("compare looks back in time", Place(sign.line, sign.column), "as in `compare -1d`")
        return cls(back_ns=back, at=at)

    def placed_after(self, search: Node, stages: tuple[Stage, ...]) -> Self:
        made = max((i for i, stage in enumerate(stages) if not stage.gives_events()), default=len(stages))
        same = tuple(
            structs.replace(stage, count=MOST_ROWS) if isinstance(stage, Top) and i == made else stage
            for i, stage in enumerate(stages)
            if i <= made or stage.name not in CHOOSING
        )
        return structs.replace(self, query=Query(search, same))

    def shift_ns(self) -> int:
        return self.back_ns

    def nodes(self) -> Iterator[Node]:
        """None: those of the query are the stages' before."""
        return iter(())

    def written(self) -> str:
        return f"compare -{printer.duration(self.back_ns)}"

    def apply(self, relation: Relation) -> Relation:
        if all(stage.gives_events() for stage in self.query.stages):
            raise Mistake("there are no figures to compare yet", self.at, "put it after stats, timechart or top")
        keys = dict.fromkeys(relation.keys)
        if not keys.keys() <= relation.columns.keys():
            raise Mistake("the rows have lost the keys by which they are compared", self.at, "put it before `fields`")
        numbers = {
            name: as_number(value)
            for name, value in relation.columns.items()
            if name not in keys and (value.is_null or value.has("int", "float", "duration"))
        }
        if not numbers:
            raise Mistake("there are no numbers to compare", self.at, "as in `stats count() by service`")
        taken = (f"{name}_{end}" for name in numbers for end in ("before", "change"))
        if (twice := next((name for name in taken if name in relation.columns), None)) is not None:
            raise Mistake(f"there is a column `{twice}` already", self.at, "give it another name with `rename` before")
        before = relation.inner(self.query, self.back_ns)
        before, its = before.computed(nth(before, keys), "nth")
        relation, mine = relation.computed(nth(relation, keys), "nth")
        tests: list[Expr] = [exp.EQ(this=qualified(mine, "l"), expression=qualified(its, "r"))]
        tests += (test for name in keys for test in equal(relation.columns[name], before.columns[name]))
        earlier = {
            f"{name}_before": as_number(before.columns[name]).map(lambda _, tree: qualified(tree, "r"))
            for name in numbers
        }
        made, columns = relation.named(earlier)
        select = exp.Select(expressions=[exp.Column(this=exp.Star(), table=exp.to_identifier("l")), *columns])
        select = select.from_(relation.table("l"), copy=False)
        select = select.join(before.table("r"), on=sql.all_of(tests), join_type="left", copy=False)
        found = relation.then(select, columns={**relation.columns, **made})
        found = found.with_columns({
            f"{name}_change": change(value, found.columns[f"{name}_before"]) for name, value in numbers.items()
        })  # fmt: skip
        return replace(found, columns=in_order(found.columns, numbers))


def nth(relation: Relation, keys: Mapping[str, None]) -> Expr:
    """The row's number among those with the same keys: 1, except where stages have made more of a group."""
    parts = [tree.copy() for name in keys for tree in relation.columns[name].kinds.values()]
    return exp.Window(this=exp.RowNumber(), partition_by=parts or None, order=relation.ordering())


def equal(left: Value, right: Value) -> Iterator[Expr]:
    """Whether keys are equal or both null."""
    for kind in (kind for kind in ORDER if kind in left.kinds or kind in right.kinds):
        missing = sql.cast(sql.NULL.copy(), SQL_TYPES[kind])
        mine, its = (value.kinds.get(kind, missing) for value in (left, right))
        yield exp.NullSafeEQ(this=qualified(mine, "l"), expression=qualified(its, "r"))


def change(now: Value, before: Value) -> Value:
    """The difference; null where one is missing."""
    for kind, tree in now.kinds.items():
        for other, was in before.kinds.items():
            return one(kind if kind == other else "float", sql.sql(":a - :b", a=tree, b=was))
    return Value()


def in_order(columns: Mapping[str, Value], numbers: Mapping[str, Value]) -> dict[str, Value]:
    """Each figure followed by the two that were made of it."""
    names: dict[str, None] = {}
    for name in columns:
        names |= dict.fromkeys((name, f"{name}_before", f"{name}_change") if name in numbers else (name,))
    return {name: columns[name] for name in names}
