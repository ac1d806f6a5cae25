"""`rate`: the change a second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from .. import printer, sql
from ..relation import Relation
from ..stage import Stage
from ..tree import Mistake, Name, Place
from ..value import one
from ..windows import partition, previous, the_number


class Rate(Stage, frozen=True, kw_only=True):
    """Adds how fast a number changes from row to row."""

    name = "rate"
    GRAMMAR = 'rate: RATE "(" name ")" [_AS name] [_BY names]'
    DOC = """Adds how fast a number changes, a second, as `rate_x` or the given name: the difference to the row before
    by the time between the two. A counter that fell was started anew: its value is what it grew by.

        | timechart span=1m max(requests_total) as requests by host | rate(requests)
    """

    column: Name
    as_name: str | None = None
    by: tuple[Name, ...] = ()

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        column, name, by = children
        return cls(column=column, as_name=name.name if name else None, by=by or (), at=at)

    def written(self) -> str:
        return f"rate({printer.name(self.column)}){printer.as_name(self.as_name)}{printer.by(self.by)}"

    def apply(self, relation: Relation) -> Relation:
        _, tree = the_number(self.column, relation, self.name)
        moment = relation.field("time") or relation.field("timestamp")
        if moment is None or "time" not in moment.kinds:
            raise Mistake("the rows have no time here", self.at, "put it after timechart, or stats … by bin(5m)")
        parts, time = partition(relation, self.by), moment.kinds["time"]
        number = sql.cast(tree, "DOUBLE")
        before = previous(number, relation, parts, self.at)
        span = sql.sql("epoch_ns(:t) - epoch_ns(:u)", t=time, u=previous(time, relation, parts, self.at))
        made = relation.with_columns({"\0before": one("float", before), "\0span": one("int", span)})
        was, gap = made.columns["\0before"].kinds["float"], made.columns["\0span"].kinds["int"]
        grown = sql.sql(
            "CASE WHEN :g > 0 THEN CASE WHEN :x < :b THEN :x ELSE :x - :b END / (:g / 1e9)"
            " WHEN :g < 0 THEN CASE WHEN :b < :x THEN :b ELSE :b - :x END / (-:g / 1e9) END",
            x=number, b=was, g=gap,
        )  # fmt: skip
        made = made.without(("\0before", "\0span"))
        return made.with_columns({self.as_name or f"rate_{self.column.name}": one("float", sql.cast(grown, "DOUBLE"))})
