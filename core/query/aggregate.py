"""Aggregates: exact unless the name says otherwise. From arguments computed in a row to a group's value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from sqlglot import exp

from . import sql
from .expressions import Arguments, compute
from .function import Signature
from .literals import UNITS_NS
from .mistakes import did_you_mean, nearest
from .relation import Relation
from .scope import Context, find, range_ns
from .sql import Expr
from .tree import Call, Duration, Mistake, Name, Node, Number
from .value import Value, as_number, as_text, group_key, one, present

AGGREGATES: dict[str, Signature] = {}
PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)")


def aggregate(
    usage: str, least: int, most: int | None = None
) -> Callable[[Callable[[Arguments], Value]], Callable[[Arguments], Value]]:
    """Make an aggregate of this name."""

    def mark(run: Callable[[Arguments], Value]) -> Callable[[Arguments], Value]:
        name = usage.split("(", maxsplit=1)[0]
        AGGREGATES[name] = Signature(
            name, usage, (run.__doc__ or "").strip(), least, least if most is None else most, run
        )
        return run

    return mark


def find_aggregate(name: str) -> Signature | None:
    """The aggregate of this name, p50 to p99.9 among them."""
    if (match := PERCENTILE.fullmatch(name)) is not None:
        share = float(match[1]) / 100
        return Signature(name, f"{name}(took)", "the percentile", 1, 1, lambda args: quantile(args, share))
    return AGGREGATES.get(name)


def filtered(tree: Expr, condition: Expr) -> Expr:
    """An aggregate over the rows where the condition holds."""
    return tree if condition == sql.TRUE else exp.Filter(this=tree, expression=exp.Where(this=condition))


def only_number(args: Arguments) -> tuple[str, Expr] | None:
    """The argument as a number and its kind; None: null throughout."""
    return next(iter(args.number(0).kinds.items()), None)


def as_json(value: Value) -> Expr:
    """A value of several kinds as JSON text, so that aggregates which pick values can keep each one's type."""
    trees = [
        tree if kind == "json" else sql.sql("CAST(to_json(:x) AS VARCHAR)", x=tree)
        for kind, tree in group_key(value).kinds.items()
    ]
    return trees[0] if len(trees) == 1 else sql.call("coalesce", *trees)


def scaled(value: Value, context: Context) -> Value:
    """A count, sum or rate of a sample as that of the whole."""
    if context.scale == 1:
        return value
    return value.map(
        lambda kind, tree: sql.sql(
            "CAST(round(:x * :s) AS BIGINT)" if kind != "float" else ":x * :s", x=tree, s=sql.sql_float(context.scale)
        )
    )


def rows(context: Context) -> Value:
    """The number of rows."""
    return scaled(one("int", sql.sql("count(*)")), context)


@aggregate("count()", 0, 1)
def count(args: Arguments) -> Value:
    """The number of rows, or of rows where the argument is not null."""
    if not len(args):
        return rows(args.scope.context)
    value = args.value(0)
    if value.is_null:
        return one("int", sql.sql("count(*) FILTER (WHERE FALSE)"))
    if len(value.kinds) == 1:
        counted = sql.sql("count(:x)", x=next(iter(value.kinds.values())))
    else:
        counted = filtered(sql.sql("count(*)"), present(value))
    return scaled(one("int", counted), args.scope.context)


@aggregate("countif(status >= 500)", 1)
def countif(args: Arguments) -> Value:
    """The number of rows for which the condition holds."""
    counted = sql.sql("count(*) FILTER (WHERE :c)", c=args.condition(0))
    return scaled(one("int", counted), args.scope.context)


@aggregate("sum(bytes)", 1)
def sum_(args: Arguments) -> Value:
    """The sum; exact for whole numbers. Null where there is nothing to add."""
    if (number := only_number(args)) is None:
        return Value()
    kind, tree = number
    total = float_sum(tree) if kind == "float" else sql.sql("CAST(sum(:x) AS BIGINT)", x=tree)
    return scaled(one(kind, total), args.scope.context)


def float_sum(tree: Expr) -> Expr:
    """Kahan's summation; where an infinity takes part, plain addition, since the correction would make it no number."""
    return sql.sql("CASE WHEN isfinite(fsum(:x)) THEN fsum(:x) ELSE sum(:x) END", x=tree)


@aggregate("avg(took)", 1)
def avg(args: Arguments) -> Value:
    """The mean."""
    if (number := only_number(args)) is None:
        return Value()
    kind, tree = number
    if kind == "float":
        return one("float", sql.sql(":s / NULLIF(count(:x), 0)", s=float_sum(tree), x=tree))
    return one(
        "duration" if kind == "duration" else "float",
        sql.cast(sql.sql("avg(:x)", x=tree), "BIGINT") if kind == "duration" else sql.sql("avg(:x)", x=tree),
    )


def extreme(args: Arguments, name: str) -> Value:
    """min or max: of times, of numbers (texts that look like one too, where there are numbers), of texts."""
    return best(args.value(0), name)


def best(value: Value, name: str) -> Value:
    """The least ("min") or greatest ("max") of a value over a group."""
    for kind in ("time", "severity", "duration"):
        if kind in value.kinds:
            return one(kind, sql.call(name, value.kinds[kind]))
    if not value.has("int", "float"):
        if len(value.kinds) > 1:
            return one("text", sql.call(name, as_text(value)))
        return value.map(lambda kind, tree: sql.call(name, tree))
    if set(value.kinds) == {"int"} or set(value.kinds) == {"float"}:
        return value.map(lambda kind, tree: sql.call(name, tree))
    # Whole numbers are compared as such, beyond 2^53 too: the best int and the best float, then the better of the two.
    whole = sql.call(name, value.kinds["int"]) if "int" in value.kinds else sql.NULL.copy()
    rest = as_number(Value({kind: tree for kind, tree in value.kinds.items() if kind != "int"}))
    double = sql.call(name, next(iter(rest.kinds.values()))) if not rest.is_null else sql.NULL.copy()
    better = sql.sql(":i <= :f" if name == "min" else ":i >= :f", i=whole, f=double)
    return Value({
        "int": sql.sql("CASE WHEN :f IS NULL OR :b THEN CAST(:i AS BIGINT) END", f=double, b=better, i=whole),
        "float": sql.sql("CASE WHEN :i IS NULL OR NOT :b THEN CAST(:f AS DOUBLE) END", f=double, b=better, i=whole),
    })  # fmt: skip


@aggregate("min(took)", 1)
def min_(args: Arguments) -> Value:
    """The least value."""
    return extreme(args, "min")


@aggregate("max(took)", 1)
def max_(args: Arguments) -> Value:
    """The greatest value."""
    return extreme(args, "max")


def quantile(args: Arguments, share: float) -> Value:
    """The value below which this share of the values lies, interpolated between neighbours."""
    if (number := only_number(args)) is None:
        return Value()
    kind, tree = number
    found = sql.sql("quantile_cont(:x, :q)", x=sql.cast(tree, "DOUBLE"), q=sql.sql_float(share))
    return one("duration", sql.cast(found, "BIGINT")) if kind == "duration" else one("float", found)


@aggregate("median(took)", 1)
def median(args: Arguments) -> Value:
    """The middle value: p50."""
    return quantile(args, 0.5)


@aggregate("percentile(took, 97)", 2)
def percentile(args: Arguments) -> Value:
    """The percentile, interpolated; the second argument is a number from 0 to 100."""
    share = args.node(1)
    if not isinstance(share, Number) or not 0 <= share.value <= 100:
        raise Mistake("the percentile must be a number from 0 to 100", share.at)
    return quantile(args, share.value / 100)


@aggregate("stdev(took)", 1)
def stdev(args: Arguments) -> Value:
    """The standard deviation of the sample; null for fewer than two values."""
    return (
        one("float", sql.call("stddev_samp", sql.cast(number[1], "DOUBLE")))
        if (number := only_number(args))
        else Value()
    )


@aggregate("variance(took)", 1)
def variance(args: Arguments) -> Value:
    """The variance of the sample; null for fewer than two values."""
    return (
        one("float", sql.call("var_samp", sql.cast(number[1], "DOUBLE"))) if (number := only_number(args)) else Value()
    )


@aggregate("distinct(user)", 1)
def distinct(args: Arguments) -> Value:
    """About how many different values there are (HyperLogLog, within some 5 %)."""
    value = args.value(0)
    return one("int", sql.sql("approx_count_distinct(:x)", x=as_json(value) if len(value.kinds) > 1 else args.text(0)))


@aggregate("distinct_exact(user)", 1)
def distinct_exact(args: Arguments) -> Value:
    """How many different values there are."""
    value = group_key(args.value(0))
    counts = [sql.sql("count(DISTINCT :x)", x=tree) for tree in value.kinds.values()]
    total = counts[0] if counts else sql.sql("count(*) FILTER (WHERE FALSE)")
    for more in counts[1:]:
        total = sql.sql(":a + :b", a=total, b=more)
    return one("int", total)


def picked(args: Arguments, name: str, *more: Expr) -> Value:
    """An aggregate that picks one row's value; a value of several kinds travels as JSON."""
    value = args.value(0)
    if len(value.kinds) == 1:
        return value.map(lambda kind, tree: filtered(sql.call(name, tree, *more), present(value)))
    if value.is_null:
        return value
    return one("json", filtered(sql.call(name, as_json(value), *more), present(value)))


def by_time(args: Arguments, timed: str, untimed: str) -> Value:
    """The value at the earliest or latest time; of the first or last row where rows have no time."""
    moment = find(args.scope, "timestamp")
    return picked(args, timed, moment.kinds["time"]) if moment and "time" in moment.kinds else picked(args, untimed)


@aggregate("first(user)", 1)
def first(args: Arguments) -> Value:
    """The earliest value that is not null, by time."""
    return by_time(args, "arg_min", "first")


@aggregate("last(user)", 1)
def last(args: Arguments) -> Value:
    """The latest value that is not null, by time."""
    return by_time(args, "arg_max", "last")


@aggregate("any(user)", 1)
def any_(args: Arguments) -> Value:
    """Some value that is not null."""
    return picked(args, "any_value")


@aggregate("mode(user)", 1)
def mode(args: Arguments) -> Value:
    """The most frequent value."""
    return picked(args, "mode")


def listed(args: Arguments, pattern: str) -> Value:
    """A list as JSON."""
    value = args.value(0)
    if value.is_null:
        return value
    items = filtered(sql.sql(pattern, x=as_json(value)), present(value))
    if "DISTINCT" in pattern:
        items = sql.sql("list_slice(list_sort(:l), 1, 1000)", l=items)
    return one("json", sql.sql("'[' || array_to_string(:l, ',') || ']'", l=items))


@aggregate("values(user)", 1)
def values(args: Arguments) -> Value:
    """The different values as a list, at most 1000, in the order of their text."""
    return listed(args, "list(DISTINCT :x)")


@aggregate("list(user)", 1)
def list_(args: Arguments) -> Value:
    """All values as a list."""
    return listed(args, "list(:x)")


@aggregate("rate()", 0)
def rate(args: Arguments) -> Value:
    """Events a second: the rows of the group by the length of its span of time, or of the range that is asked."""
    span = args.scope.context.span_ns
    if span is None:
        raise Mistake("the rows have no range of time to make a rate of", args.call.at, "put it before other stages")
    span = span or args.scope.context.ask(range_ns)
    found = sql.sql("count(*) / :s", s=sql.sql_float(span / UNITS_NS["s"]))
    return scaled(one("float", found), args.scope.context)


@aggregate("share()", 0)
def share(args: Arguments) -> Value:
    """The group's part of all rows, 0 to 1."""
    return one("float", sql.sql("CAST(count(*) AS DOUBLE) / NULLIF(sum(count(*)) OVER (), 0)"))


@dataclass(frozen=True)
class GroupScope:
    """The scope of `stats`: calls of aggregates work on the group's rows, other names are its keys."""

    relation: Relation
    keys: dict[str, Value]

    @property
    def context(self) -> Context:
        """Of the relation."""
        return self.relation.context

    def field(self, name: str) -> Value | None:
        """A key."""
        return self.keys.get(name)

    def known(self) -> Iterable[str]:
        """The keys."""
        return self.keys

    def missing(self, name: Name) -> Value:
        """A field that is no key has no single value in a group."""
        raise Mistake(
            f"`{name.name}` is neither aggregated nor a key", name.at, f"as in `any({name.name})`, or add it after `by`"
        )

    def phrase(self, text: str, *, exact: bool = False) -> Expr:
        """Groups have no message."""
        return sql.FALSE

    def aggregate(self, call: Call) -> Value | None:
        """The aggregate; None for a plain function, `min(a, b)` with several arguments among them."""
        signature = find_aggregate(call.name)
        if signature is None or (call.name in ("min", "max") and len(call.args) > 1):
            return None
        signature.check(call)
        return signature.run(Arguments(call, self.relation))


def compute_aggregate(node: Node, relation: Relation, keys: dict[str, Value]) -> Value:
    """The value of an expression over a group. `count` alone means `count()`.

    :raises Mistake: if no aggregate is in it.
    """
    if isinstance(node, Name) and node.name.lower() == "count" and node.name not in keys:
        node = Call("count", (), at=node.at)
    has_one = any(isinstance(item, Call) and find_aggregate(item.name) for item in node.walk())
    if not has_one:
        names = list(AGGREGATES)
        if isinstance(node, Call) and (hint := nearest(node.name, names)):
            raise Mistake(f"no aggregate `{node.name}`", node.at, f"did you mean `{hint}`?")
        name = node.name if isinstance(node, Name | Call) else ""
        raise Mistake(
            "an aggregate is needed here", node.at, did_you_mean(name, names, "as in count(), sum(bytes), p95(took)")
        )
    return compute(node, GroupScope(relation, keys))


# Aggregates of a whole by those of its parts.
COMBINED: dict[str, Callable[[Value], Value]] = {
    "count": lambda part: total(part),
    "countif": lambda part: total(part),
    "sum": lambda part: total(part),
    "min": lambda part: best(part, "min"),
    "max": lambda part: best(part, "max"),
    "rate": lambda part: total(part),
    "share": lambda part: total(part),
}


def total(part: Value) -> Value:
    """The sum of sums or counts."""
    return part.map(
        lambda kind, tree: float_sum(tree) if kind == "float" else sql.sql("CAST(sum(:x) AS BIGINT)", x=tree)
    )


def combining(node: Node) -> Callable[[Value], Value] | None:
    """How the aggregate of a whole is made of those of its parts; None: it is not."""
    if isinstance(node, Name):
        return COMBINED.get(node.name.lower())
    return COMBINED.get(node.name) if isinstance(node, Call) and len(node.args) < 2 else None


def label(node: Node) -> str:
    """The name of a column that was given none: as it was written, in short.

    >>> label(Call("count", ())), label(Call("sum", (Name("bytes"),)))
    ('count', 'sum_bytes')
    """
    match node:
        case Name(name=name):
            return name
        case Call(name=name, args=args):
            inner = "_".join(item.name for item in args if isinstance(item, Name))
            return f"{name}_{inner}" if inner else name
    return "value"


def keyed(items: Iterable[tuple[Node, str | None]], relation: Relation) -> dict[str, Value]:
    """Group keys by name. `bin(5m)` alone is named `time`, a field by itself."""
    keys: dict[str, Value] = {}
    for node, name in items:
        made = name or (
            "time" if isinstance(node, Call) and node.name == "bin" and len(node.args) == 1 else label(node)
        )
        if made in keys:
            raise Mistake(f"two keys are called `{made}`", node.at, "name them with `as`")
        keys[made] = group_key(compute(node, relation))
    return keys


def timed(relation: Relation, span_ns: int | None = None, keys: Iterable[Node] = ()) -> Relation:
    """The same rows, knowing how long a group's span of time is: the given one, that of a `bin` key, or the range."""
    for node in keys:
        if isinstance(node, Call) and node.name == "bin" and isinstance(node.args[-1], Duration):
            span_ns = node.args[-1].ns
    context = relation.context
    if span_ns is None and relation.events is not None:
        span_ns = 0
    return replace(relation, context=replace(context, span_ns=span_ns))
