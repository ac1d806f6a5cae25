"""An aggregation in two halves: what the rows of some segments give, and what several such blocks give together.

Segments never change, so the first half of a block is the same whenever it is asked (partials.py keeps it); where a
segment is new, only that one is read. A plan has two halves where its first grouping stands over steps that look at one
row at a time, nothing behind it reads events again, and each aggregate can be put together out of those of parts:
counts, sums, extremes, means, the first and the last. They give the same as over all rows, sums of fractions but for
the last digits, which the order of adding decides anyway. Found in the SQL: a stage need not know of it.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlglot import exp

from ..storage.segment import Segment
from . import sql
from .plan import Given, Planned, Statement, scanned, with_steps
from .relation import Events
from .scan import Layout, Seen, grouped, searched_fields
from .sql import Expr

PARTIALS: Final = "partials"  # the rows of the first half, as the second half calls them
BLOCK: Final = "_block"  # the column that says which block a row of the first half is of
MOST_BLOCKS: Final = 16  # that are read at once: each costs a scan of its own
FEW: Final = frozenset(("severity", "service", "host"))  # fields that have few values, however many the events
MOST_LAYOUTS: Final = 100  # of segments, of which it is kept what is read of them
LEAST_ROWS: Final = 100_000  # of such a block; more blocks than needed make the first answer slower
SETTLED_ROWS: Final = 250_000  # a smaller segment is soon merged with others: it shares no block with those that stay

_BY_ROW: Final = frozenset(("expressions", "from_", "where"))  # clauses of a SELECT that look at one row at a time
_OVER_ROWS: Final = (exp.Window, exp.Select, exp.UDTF, exp.Explode)


class _Whole(Exception):  # noqa: N818 - no error: the plan is not made of two halves
    """There is an aggregate of which parts do not make the whole."""


@dataclass(frozen=True)
class Halves:
    """`first`, SQL, reads the step `events.source`; `second` reads the rows of `PARTIALS`."""

    first: str
    second: Statement
    events: Events
    may_be_many: bool
    """Whether there may be about as many groups as events, as far as the keys tell."""
    texts: dict[Hashable, tuple[str, list[str]]] = field(default_factory=dict)
    """What `told` has found of layouts, with the warnings."""

    def reading(self, given: Given, blocks: Sequence[Sequence[Segment]], files: Mapping[int, str], most: int) -> str:
        """The first half of each block, `BLOCK` counting them from 0; one row more than `most` where they are more."""
        parts = []
        for number, block in enumerate(blocks):
            scan = _scan(given, block, self.events, files)
            rows = f'SELECT *, {number} AS "{BLOCK}" FROM ({self.first})'  # noqa: S608 - SQL made here, and a number
            parts.append(f'(WITH "{self.events.source}" AS ({scan}) {rows})')
        return f"{' UNION ALL '.join(parts)} LIMIT {most + 1}"

    def joined(self, given: Given, segments: Sequence[Segment], files: Mapping[int, str], kept: str = "") -> str:
        """Both halves as SQL over these segments and the rows `kept` of other blocks."""
        scan = _scan(given, segments, self.events, files)
        rows = f"SELECT * FROM ({self.first})"  # noqa: S608 - SQL made here
        if kept:
            rows = f'SELECT * FROM "{kept}" UNION ALL {rows}'  # noqa: S608 - SQL made here
        steps = f'"{self.events.source}" AS ({scan}), "{PARTIALS}" AS ({rows})'
        return f"WITH {steps}, {self.second.sql.removeprefix('WITH ')}"

    def told(self, given: Given, segments: Sequence[Segment]) -> dict[int, str]:
        """Segment id → what is read of it, in SQL without its file: where that is the same, so is its first half.

        :param given: as planned: no file is opened yet.
        """
        fields = {name for name, _ in self.events.needed} | searched_fields([given.query.search], given.schema)
        found: dict[int, str] = {}
        for layout, group in grouped(segments, fields, given.bounds, None, given.overflowing):
            text = self._text(given, layout, group[0])
            found.update((segment.id, text) for segment in group)
        return found

    def _text(self, given: Given, layout: Layout, segment: Segment) -> str:
        """Of one segment of a layout; kept where it is the same whatever range is asked, and when."""
        through = segment.through.key if isinstance(segment, Seen) else None
        key = (*sorted(layout.columns.items()), layout.overflow, through)
        known = self.texts.get(key)
        if known is None or layout.needs_time or layout.needs_positions:
            own = replace(given.context, warnings=[], asked=[])
            known = _scan(replace(given, context=own), [segment], self.events, {segment.id: ""}), own.warnings
            if not (layout.needs_time or layout.needs_positions or own.asked) and len(self.texts) < MOST_LAYOUTS:
                self.texts[key] = known
        text, warnings = known
        for warning in warnings:
            given.context.warn(warning)
        return text


def _scan(given: Given, segments: Sequence[Segment], events: Events, files: Mapping[int, str]) -> str:
    select = scanned(replace(given, segments=tuple(segments)), events.needed, files).select
    return select.sql(dialect=sql.DIALECT, copy=False)


def blocks_of(segments: Sequence[Segment], most: int) -> list[list[Segment]]:
    """The segments in about so many blocks of neighbours in time, those that stay apart from those that are merged."""
    rows = max(sum(segment.rows for segment in segments) // most, LEAST_ROWS)
    blocks: list[list[Segment]] = []
    for settled in (True, False):
        taken = rows
        for segment in sorted(segments, key=lambda segment: segment.min_time):
            if (segment.rows >= SETTLED_ROWS) is settled:
                if taken >= rows:
                    blocks.append([])
                    taken = 0
                blocks[-1].append(segment)
                taken += segment.rows
    return blocks


def halves(plan: Planned, aggregates: frozenset[str]) -> Halves | None:
    """The two halves of a plan; None: it has none.

    :param aggregates: the names of all aggregates that there are in SQL.
    """
    relation = plan.relation
    if len(relation.scanned) != 1:
        return None
    source = relation.scanned[0].source
    for i, (name, step) in enumerate(relation.steps):
        if not isinstance(step, exp.Select) or _table(step) != source:
            return None
        if _by_row(step, aggregates):
            source = name
            continue
        later = relation.steps[i + 1 :]
        made = {name, *(name for name, _ in later)}
        reads = [table.name for _, tree in (*later, ("", plan.select)) for table in tree.find_all(exp.Table)]
        if not made.issuperset(reads):
            return None
        try:
            part, whole = _split(step, aggregates)
        except _Whole:
            return None
        return Halves(
            with_steps(part, relation.steps[:i]),
            Statement(with_steps(plan.select.copy(), [(name, whole), *later]), plan.outputs, plan.cut),
            relation.scanned[0],
            may_be_many=not all(_is_few(key, relation.scanned[0]) for key in _keys(step)),
        )
    return None


def _is_few(key: Expr, events: Events) -> bool:
    """Whether it is a field of few values, or made of the time alone: of a span, as nobody groups by moments."""
    names = {name: field for (field, _), name in events.needed.items()}
    fields = {names.get(column.name) for column in key.find_all(exp.Column)}
    return fields <= FEW or (fields == {"timestamp"} and not isinstance(key, exp.Column))


def _table(step: exp.Select) -> str:
    source = step.args.get("from_")
    return source.this.name if source is not None and isinstance(source.this, exp.Table) else ""


def _by_row(step: exp.Select, aggregates: frozenset[str]) -> bool:
    """Whether each row out is made of one row in."""
    return _clauses(step) <= _BY_ROW and not any(
        isinstance(node, _OVER_ROWS) or _is_aggregate(node, aggregates) for node in step.walk() if node is not step
    )


def _is_aggregate(node: Any, aggregates: frozenset[str]) -> bool:
    return isinstance(node, exp.AggFunc) or (isinstance(node, exp.Anonymous) and node.name.lower() in aggregates)


def _keys(step: exp.Select) -> list[Any]:
    """What it groups by: `Relation.grouped` puts them first."""
    group = step.args.get("group")
    return [item.unalias() for item in step.expressions[: len(group.expressions)]] if group is not None else []


def _clauses(step: exp.Select) -> set[str]:
    return {name for name, value in step.args.items() if value}


def _split(step: exp.Select, aggregates: frozenset[str]) -> tuple[exp.Select, exp.Select]:
    """The grouping of a block's rows, and that of the rows which this makes.

    :raises _Whole: it cannot be split
    """
    count = len(_keys(step))
    if not _clauses(step) <= {*_BY_ROW, "group"} or not all(isinstance(item, exp.Alias) for item in step.expressions):
        raise _Whole
    keys, made = step.expressions[:count], step.expressions[count:]
    sums = [tree.expressions[0] for tree in step.find_all(exp.Anonymous) if tree.name == "fsum"]
    parts = _Parts({item.alias: item.this for item in keys}, sums, aggregates)
    results = [sql.alias(parts.whole(item.this), item.alias) for item in made]
    first = exp.Select(expressions=[*(item.copy() for item in keys), *parts.columns()])
    first.set("from_", step.args["from_"].copy())
    if step.args.get("where") is not None:
        first.set("where", step.args["where"].copy())
    second = exp.Select(expressions=[*(sql.column(item.alias) for item in keys), *results])
    second.from_(exp.Table(this=exp.to_identifier(PARTIALS, quoted=True)), copy=False)
    if count:
        for select in (first, second):
            select.set("group", exp.Group(expressions=[exp.Literal.number(i + 1) for i in range(count)]))
    return first, second


class _Parts:
    """The aggregates that the first half has to have, each once, and the second half's expressions over them."""

    def __init__(self, keys: Mapping[str, Expr], fractions: Sequence[Expr], aggregates: frozenset[str]) -> None:
        self._keys, self._fractions, self._aggregates = keys, fractions, aggregates
        self._made: dict[str, Expr] = {}  # by their SQL

    def columns(self) -> list[Expr]:
        """Of the first half."""
        return [sql.alias(tree, f"p{i}") for i, tree in enumerate(self._made.values())] or [
            sql.alias(sql.integer(1), "nothing")
        ]

    def whole(self, tree: Expr) -> Expr:
        """The expression over a group's rows as one over the parts.

        :raises _Whole: the parts do not tell
        """
        for name, key in self._keys.items():
            if tree == key:
                return sql.column(name)
        match tree:
            case exp.Window():
                return self._over(tree)
            case exp.Filter(this=inner, expression=exp.Where(this=condition)):
                return self._combined(inner, condition, None)
            case exp.Filter():
                raise _Whole
            case _ if _is_aggregate(tree, self._aggregates):
                return self._combined(tree, None, tree.parent)
            case exp.Column() | exp.Star() | exp.Query():
                raise _Whole
        made = tree.copy()
        for name, value in tree.args.items():
            if isinstance(value, Expr):
                made.set(name, self.whole(value))
            elif isinstance(value, list):
                made.set(name, [self.whole(item) if isinstance(item, Expr) else item for item in value])
        return made

    def _over(self, tree: exp.Window) -> Expr:
        """A window over groups: of their aggregates, not of the rows in them."""
        inner = tree.this
        if not isinstance(inner, exp.AggFunc) or any(tree.args.get(name) for name in ("partition_by", "order", "spec")):
            raise _Whole
        made = tree.copy()
        made.this.set("this", self.whole(inner.this))
        return made

    def _combined(self, tree: Expr, condition: Expr | None, parent: Any) -> Expr:
        def part(name: str, *args: Any, where: Expr | None = None) -> Expr:
            made = sql.call(name, *(arg.copy() for arg in args))
            conditions = [test for test in (condition, where) if test is not None]
            if conditions:
                test = sql.all_of(item.copy() for item in conditions)
                made = exp.Filter(this=made, expression=exp.Where(this=test))
            key = made.sql(dialect=sql.DIALECT)
            self._made.setdefault(key, made)
            return sql.column(f"p{list(self._made).index(key)}")

        match _called(tree):
            case "count", [value] if not isinstance(value, exp.Distinct):
                return sql.sql("CAST(COALESCE(sum(:p), 0) AS BIGINT)", p=part("count", value))
            case "fsum", [value]:
                return sql.sql("fsum(:p)", p=part("fsum", value))
            case "sum", [value] if isinstance(parent, exp.Cast) and parent.to.is_type("BIGINT"):
                return sql.sql("sum(CAST(:p AS HUGEINT))", p=part("sum", value))  # Arrow has it as a decimal
            case "sum", [value] if value in self._fractions:
                return sql.sql("sum(:p)", p=part("sum", value))
            case "avg", [value]:  # `avg()` writes it of whole numbers only
                total, count = part("sum", value), part("count", value)
                return sql.sql("CAST(sum(CAST(:s AS HUGEINT)) AS DOUBLE) / sum(:n)", s=total, n=count)
            case ("min" | "max") as name, [value]:
                return sql.call(name, part(name, value))
            case ("arg_min" | "arg_max") as name, [value, moment]:
                at = part(name.removeprefix("arg_"), moment, where=sql.sql(":x IS NOT NULL", x=value))
                return sql.call(name, part(name, value, moment), at)
        raise _Whole


_NAMES: Final[Mapping[type[Expr], str]] = {
    exp.Count: "count", exp.Sum: "sum", exp.Avg: "avg", exp.Min: "min", exp.Max: "max", exp.ArgMin: "arg_min",
    exp.ArgMax: "arg_max",
}  # fmt: skip


def _called(tree: Expr) -> tuple[str, list[Expr]]:
    """The function's name and arguments, however the call is kept in the tree; "" where it is none that is known."""
    if isinstance(tree, exp.Anonymous):
        return tree.name.lower(), tree.expressions
    if tree.expressions or tree.args.get("count"):
        return "", []
    return _NAMES.get(type(tree), ""), [tree.args[name] for name in ("this", "expression") if tree.args.get(name)]
