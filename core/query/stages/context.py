"""`context`: what was logged around each hit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from sqlglot import exp

from .. import sql
from ..relation import Order, Relation
from ..scope import POSITION, SEGMENT
from ..sql import Expr
from ..stage import Stage
from ..tree import Everything, Mistake, Place, Query
from ..value import Value, one
from .join import qualified
from .limit import row_count

AROUND = 10
MOST_AROUND = 1000
MOST_HITS = 1000  # each brings its neighbours: more than anybody reads
STREAM = ("service", "host", "source")
ROW = "_row"  # of an event, beside its segment what tells it from all others


class Context(Stage, frozen=True, kw_only=True):
    """Adds the events before and after each event in its stream."""

    name = "context"
    GRAMMAR = (
        "context: CONTEXT context_option*\n"
        'context_option: CONTEXT_SIDE "=" INTEGER\nCONTEXT_SIDE.9: /(?:before|after)(?=\\s*=)/i'
    )
    DOC = """Adds the events that come right before and after each event found, 10 of each unless it is said, at most
    1000, in the same stream: of the same service, host and source, in the order of time and arrival. `_hit` is true for
    those found, and each event is there once. It reads the time range of the request; a time in the search bounds only
    the hits, of which there may be 1000.

        "connection refused" | limit 20 | context before=5 after=0
        trace_id:aa01 | context | fields timestamp, service, message, _hit
    """

    before: int = AROUND
    after: int = AROUND
    query: Query

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        counts = {"before": AROUND, "after": AROUND}
        for child in children:
            side, token = child.children
            counts[side.lower()] = row_count(token)
            if row_count(token) > MOST_AROUND:
                raise Mistake(f"{token} events on a side are too many", Place(token.line, token.column),
                              f"use 0 to {MOST_AROUND}")  # fmt: skip
        every = Query(Everything(at=at), ())
        return cls(before=counts["before"], after=counts["after"], query=every, at=at)

    def gives_events(self) -> bool:
        return True

    def written(self) -> str:
        sides = {"before": self.before, "after": self.after}
        return "context" + "".join(f" {side}={count}" for side, count in sides.items() if count != AROUND)

    def apply(self, relation: Relation) -> Relation:
        if relation.events is None:
            raise Mistake("the rows are no events here", self.at, "put context before `fields`, stats and the like")
        hits, made = self.hits(relation)
        near = self.near(relation.inner(self.query, 0), hits)
        events = relation.inner(self.query, 0)
        moment, segment, position = (column(events, name) for name in ("timestamp", SEGMENT, POSITION))
        shown, columns = relation.named({
            **{name: value.map(lambda _, tree: qualified(tree, "h")) for name, value in made.items()},
            "_hit": one("bool", sql.column("hit", "n")),
        })  # fmt: skip
        select = exp.Select(expressions=[star("e"), *columns]).from_(events.table("e"), copy=False)
        tests = [same(segment, "e", "segment_of", "n"), same(ROW, "e", "row_of", "n")]
        select = select.join(near.table("n"), on=sql.all_of(tests), copy=False)
        tests = [same(segment, "e", "hit_segment", "h"), same(ROW, "e", "hit_row", "h")]
        select = select.join(hits.table("h"), on=sql.all_of(tests), join_type="left", copy=False)
        order = tuple(Order(name, descending=True) for name in (moment, position, ROW))
        return events.then(select, columns=shown, order=order, dropped=relation.dropped - shown.keys())

    def hits(self, relation: Relation) -> tuple[Relation, dict[str, Value]]:
        """The rows found, each once, with their stream and the columns that stages made."""
        segment = column(relation, SEGMENT)
        made, columns = relation.named(relation.columns)
        stream = [sql.alias(sql.column(column(relation, name)), f"hit_{name}") for name in STREAM]
        place = [sql.alias(sql.column(segment), "hit_segment"), sql.alias(sql.column(ROW), "hit_row")]
        select = relation.select(*place, *stream, *columns)
        number = sql.sql("row_number() OVER (PARTITION BY :s, :r)", s=sql.column(segment), r=sql.column(ROW))
        select.set("qualify", exp.Qualify(this=sql.sql(":n = 1", n=number)))
        found = relation.then(select)
        refusal = sql.refused(f"more than {MOST_HITS:,} events to show the context of", self.at,
                              f"put `| limit {MOST_HITS}` before it, or search more narrowly")  # fmt: skip
        bounded = found.select()
        bounded.set("qualify", exp.Qualify(this=sql.at_most(MOST_HITS, refusal)))
        return found.then(bounded), made

    def near(self, events: Relation, hits: Relation) -> Relation:
        """Which events are hits or near one: their segments and rows, and whether they are hits themselves."""
        moment, segment, position = (column(events, name) for name in ("timestamp", SEGMENT, POSITION))
        names = {name: column(events, name) for name in STREAM}
        tests: list[Expr] = [
            exp.NullSafeEQ(this=sql.column(own, "e"), expression=sql.column(f"hit_{name}", "h"))
            for name, own in names.items()
        ]
        select = exp.Select(expressions=[star("e")]).from_(events.table("e"), copy=False)
        streams = events.then(select.join(hits.table("h"), on=sql.all_of(tests), join_type="semi", copy=False))
        is_hit = sql.alias(sql.sql(":s IS NOT NULL", s=sql.column("hit_segment", "h")), "hit")
        place = {"moment": moment, "segment_of": segment, "row_of": ROW, "position_of": position}
        columns = [sql.alias(sql.column(own, "e"), name) for name, own in place.items()]
        columns += [sql.alias(sql.column(own, "e"), f"stream_{name}") for name, own in names.items()]
        select = exp.Select(expressions=[*columns, is_hit]).from_(streams.table("e"), copy=False)
        tests = [same(segment, "e", "hit_segment", "h"), same(ROW, "e", "hit_row", "h")]
        marked = streams.then(select.join(hits.table("h"), on=sql.all_of(tests), join_type="left", copy=False))
        order = [exp.Ordered(this=sql.column(name)) for name in ("moment", "position_of", "row_of")]
        spec = exp.WindowSpec(
            kind="ROWS",
            start=exp.Literal.number(self.after),
            start_side="PRECEDING",
            end=exp.Literal.number(self.before),
            end_side="FOLLOWING",
        )
        window = exp.Window(
            this=sql.call("bool_or", sql.column("hit")),
            partition_by=[sql.column(f"stream_{name}") for name in STREAM],
            order=exp.Order(expressions=order),
            spec=spec,
        )
        chosen = marked.select()
        chosen.set("qualify", exp.Qualify(this=window))
        return marked.then(chosen)


def column(relation: Relation, name: str) -> str:
    """The SQL column of a field of the events themselves, whatever stages made under its name."""
    assert relation.events is not None
    value = relation.events.value(name, relation.names)
    assert value is not None
    return next(iter(value.kinds.values())).name


def same(left: str, of_left: str, right: str, of_right: str) -> Expr:
    """Whether columns of two tables are equal."""
    return exp.EQ(this=sql.column(left, of_left), expression=sql.column(right, of_right))


def star(table: str) -> Expr:
    """All columns of a table."""
    return exp.Column(this=exp.Star(), table=exp.to_identifier(table, quoted=True))
