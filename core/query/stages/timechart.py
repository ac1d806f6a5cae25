"""`timechart`: aggregates over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Self
from zoneinfo import ZoneInfo

from sqlglot import exp

from .. import literals, printer, sql
from ..aggregate import combining, timed
from ..expressions import compute
from ..functions_time import DAY, MONDAY, WEEK, bin_time
from ..relation import Relation
from ..scope import is_after_1970, lookup
from ..sql import Expr
from ..stage import Stage
from ..tree import Call, Mistake, Name, Named, Node, Place
from ..value import Value, choose, coalesce, group_key, one, present
from .limit import row_count
from .stats import aggregated

SPANS = (
    "1ms",
    "10ms",
    "100ms",
    "1s",
    "5s",
    "10s",
    "30s",
    "1m",
    "5m",
    "10m",
    "30m",
    "1h",
    "3h",
    "6h",
    "12h",
    "1d",
    "7d",
    "30d",
)
CHOSEN = 100  # bars that a span chosen by us makes at most: what a screen shows
MOST = 10_000  # bars of a series at all
SERIES = 10


class Timechart(Stage, frozen=True, kw_only=True):
    """Aggregates in spans of time, for each value of a field; spans in which nothing happened are there too."""

    name = "timechart"
    GRAMMAR = (
        'timechart: TIMECHART timechart_option* named ("," named)* timechart_option* [timechart_by]\n'
        "timechart_by: _BY named timechart_option*\n"
        'timechart_option: TIMECHART_SPAN "=" DURATION | TIMECHART_LIMIT "=" INTEGER\n'
        "TIMECHART_SPAN.9: /span(?=\\s*=)/i\nTIMECHART_LIMIT.9: /limit(?=\\s*=)/i"
    )
    DOC = """Aggregates over time: columns `time`, the field after `by` if there is one, and the aggregates. Without
    `span` one is chosen from the range. The ten largest values make a series each (`limit=`), the rest together is
    `other`. Spans in which nothing happened are there: with 0 for counts, without a value for others.

        | timechart span=5m count() by service
        | timechart avg(took), p99(took)
    """

    aggregates: tuple[Named, ...]
    by: Named | None = None
    span: int | None = None
    limit: int = SERIES

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        span, limit, parts = None, SERIES, []
        *front, by = children
        by, *behind = by.children if by is not None else (None,)
        for child in (*front, *behind):
            if isinstance(child, Named):
                parts.append(child)
                continue
            option, value = child.children
            if option.type == "TIMECHART_LIMIT":
                limit = min(row_count(value), 1000)
            else:
                span = literals.duration(str(value))
                if not span:
                    raise Mistake("the span must be above 0", Place(value.line, value.column))
        return cls(aggregates=tuple(parts), by=by, span=span, limit=limit, at=at)

    def written(self) -> str:
        span = f"span={printer.duration(self.span)} " if self.span else ""
        limit = f"limit={self.limit} " if self.limit != SERIES else ""
        series = f" by {printer.named(self.by)}" if self.by is not None else ""
        return f"timechart {span}{limit}{printer.keys(self.aggregates)}{series}"

    def apply(self, relation: Relation) -> Relation:
        context = relation.context
        moment = lookup(relation, Name("timestamp", at=self.at))
        if "time" not in moment.kinds:
            raise Mistake("there is no timestamp here to chart over", self.at, "put timechart before stats")
        span = self.span or context.ask(lambda context: chosen_span(context.start_ns, context.end_ns))
        begin = bin_time(moment.kinds["time"], span, context.zone, after_1970=context.ask(is_after_1970))
        relation = timed(relation, span)
        starts = context.ask(lambda context: bars(context.start_ns, context.end_ns, span, context.zone, self.at))
        time = one("time", begin)
        if self.by is None:
            keys = {"time": time}
            return self.filled(relation.grouped(keys, aggregated(self.aggregates, relation, keys)), None, starts)
        series = self.by.name or (self.by.node.name if isinstance(self.by.node, Name) else "series")
        if series == "time":
            raise Mistake("the series cannot be called `time`", self.by.at, "name it with `as`")
        value = group_key(compute(self.by.node, relation))
        parts = [combining(item.node) for item in self.aggregates]
        if all(part is not None for part in parts):
            # One pass over the events: what is not among the largest series is put together from its parts.
            keys = {"time": time, series: value}
            made = {**aggregated(self.aggregates, relation, keys), "rows": one("int", sql.sql("count(*)"))}
            split = relation.grouped(keys, {f"{i}": item for i, item in enumerate(made.values())})
            *counted, (_, rows) = list(split.columns.items())[2:]
            weight = one("int", sql.sql("sum(:n)", n=rows.kinds["int"]))
            split, label = self.series(split, split.columns[series], weight)
            combined = {
                name: part(item)
                for name, part, (_, item) in zip(made, parts, counted, strict=False)
                if part is not None
            }
            return self.filled(split.grouped({"time": split.columns["time"], series: label}, combined), series, starts)
        relation = relation.with_columns({series: value})
        relation, label = self.series(relation, relation.columns[series], one("int", sql.sql("count(*)")))
        keys = {"time": time, series: label}
        return self.filled(relation.grouped(keys, aggregated(self.aggregates, relation, keys)), series, starts)

    def series(self, relation: Relation, value: Value, weight: Value) -> tuple[Relation, Value]:
        """The rows, and the key of the series in them: the value where it is among the heaviest, else `other`."""
        if value.is_null:
            return relation, value
        rank = relation.grouped({"series": value}, {"weight": weight})
        kept = rank.sorted_by([(rank.columns["weight"], True), (rank.columns["series"], False)]).limited(self.limit)
        # Each kind against its own list; a value without kinds, the missing one, competes as all others do.
        tests: list[Expr] = []
        for kind, tree in value.kinds.items():
            column = kept.columns["series"].kinds[kind]
            chosen = kept.select(column).where(sql.sql(":x IS NOT NULL", x=column), copy=False)
            tests.append(exp.In(this=tree.copy(), query=exp.Subquery(this=chosen)))
        empty = kept.select(sql.sql("count(*)")).where(sql.negate(present(kept.columns["series"])), copy=False)
        tests.append(sql.all_of([sql.negate(present(value)), sql.sql(":n > 0", n=exp.Subquery(this=empty))]))
        relation, heavy = relation.computed(sql.any_of(tests), "heavy")  # once, not for each kind of the key
        return relation, choose(heavy, value, one("text", sql.text("other")))

    def filled(self, made: Relation, series: str | None, starts: Sequence[int] | None) -> Relation:
        """The rows for all spans and all series, in order: each span with each series, and what there is of the two."""
        if starts is not None:
            grid, keys = grid_of(made, series, starts)
            same = [
                sql.sql(":a IS NOT DISTINCT FROM :b", a=tree, b=sql.column(old.name, "d"))
                for name, value in keys.items()
                for tree, old in zip(value.kinds.values(), made.columns[name].kinds.values(), strict=True)
            ]
            results = list(made.columns.items())[len(keys) :]
            for item, (name, value) in zip(self.aggregates, results, strict=True):
                keys[name] = (
                    counted(value) if counts(item.node) else value.map(lambda _, tree: sql.column(tree.name, "d"))
                )
            columns, selected = made.named(keys)
            query = exp.Select(expressions=selected).from_(named("g", exp.Subquery(this=grid)), copy=False)
            table = named("d", exp.Table(this=exp.to_identifier(made.source, quoted=True)))
            made = made.then(query.join(table, on=sql.all_of(same), join_type="left", copy=False), columns=columns)
        return made.sorted_by([(value, False) for name, value in made.columns.items() if name in ("time", series)])


def named(alias: str, table: exp.Subquery | exp.Table) -> exp.Subquery | exp.Table:
    """The table under an alias."""
    table.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
    return table


def grid_of(made: Relation, series: str | None, starts: Sequence[int]) -> tuple[exp.Select, dict[str, Value]]:
    """SELECT of every span with every series that occurs, and the keys as columns of it under the alias `g`."""
    times = exp.Select(expressions=[sql.alias(sql.sql("make_timestamp_ns(unnest(:l))", l=span_list(starts)), "t")])
    grid = exp.Select(expressions=[sql.column("t", "b")]).from_(named("b", exp.Subquery(this=times)), copy=False)
    keys = {"time": one("time", sql.column("t", "g"))}
    if series is not None:
        kinds = made.columns[series].kinds
        some = [tree.copy() for tree in kinds.values()] or [sql.alias(sql.integer(1), "x")]
        values = named("s", exp.Subquery(this=made.select(*some).distinct(copy=False)))
        grid = grid.join(values, join_type="cross", copy=False)
        grid = grid.select(*(sql.column(tree.name, "s") for tree in kinds.values()), copy=False)
        keys[series] = Value({kind: sql.column(tree.name, "g") for kind, tree in kinds.items()})
    return grid, keys


def counted(value: Value) -> Value:
    """A count, 0 where there was nothing to count."""
    return value.map(lambda _, tree: coalesce([sql.column(tree.name, "d"), sql.integer(0)], "BIGINT"))


def counts(node: Node) -> bool:
    """Whether a span without events has a 0: a count of something."""
    names = ("count", "countif", "distinct", "distinct_exact", "rate", "share")
    return (isinstance(node, Name) and node.name.lower() == "count") or (isinstance(node, Call) and node.name in names)


def chosen_span(start: int | None, end: int | None) -> int:
    """The shortest usual span that makes no more than a hundred bars.

    >>> chosen_span(0, 3600 * 10**9) // 10**9, chosen_span(0, 86400 * 10**9) // 10**9, chosen_span(None, None) // 10**9
    (60, 1800, 60)
    """
    if start is None or end is None:
        return literals.UNITS_NS["m"]
    spans = [literals.duration(text) or 1 for text in SPANS]
    return next((span for span in spans if (end - start) / span <= CHOSEN), 365 * literals.UNITS_NS["d"])


def bars(start: int | None, end: int | None, span: int, zone: ZoneInfo, at: Place) -> list[int] | None:
    """The begins of all spans from start to end (exclusive); None where there is no data.

    :raises Mistake: if they are too many.

    >>> bars(70, 200, 50, ZoneInfo("UTC"), Place())
    [50, 100, 150]
    """
    if start is None or end is None or end <= start:
        return None
    if (end - start) / span > MOST:
        raise Mistake(f"more than {MOST} spans", at, "use a longer span, or a shorter time range")
    origin = MONDAY if span % WEEK == 0 else 0
    if span % DAY or zone.key == "UTC":
        return list(range((start - origin) // span * span + origin, end, span))
    epoch = datetime(1970, 1, 1)  # noqa: DTZ001 - wall clock
    wall = datetime.fromtimestamp(start // 10**9, UTC).astimezone(zone).replace(tzinfo=None)
    first = ((wall - epoch).days * DAY - origin) // span * span + origin
    begins: list[int] = []
    while True:
        day = (epoch + timedelta(days=first // DAY)).replace(tzinfo=zone)
        ns = literals.epoch_ns(day)
        if ns >= end:
            return begins
        begins.append(ns)
        first += span


def span_list(starts: Sequence[int]) -> Expr:
    """The begins as a list; an even one as a range, which is short whatever its length."""
    if len(starts) > 2 and all(b - a == starts[1] - starts[0] for a, b in pairwise(starts)):
        return sql.call("range", starts[0], starts[-1] + 1, starts[1] - starts[0])
    return exp.Array(expressions=[sql.cast(sql.integer(start), "BIGINT") for start in starts])
