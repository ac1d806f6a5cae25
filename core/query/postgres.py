"""From the SQL that stages write, DuckDB's as sqlglot trees, to PostgreSQL's, with every text as a bound parameter.

What is not listed here has no counterpart in PostgreSQL that gives the same: `Foreign` says so before anything runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from . import sql
from .postgres_regex import postgres_regex
from .sql import Expr

DIALECT = "postgres"
NUMBER = re.compile(r"\d+(\.\d+)?([eE][+-]?\d+)?")
# 200 digits and two of an exponent: more leaves DOUBLE, which PostgreSQL answers with an error instead of null.
DOUBLE = r"^\s*[+-]?([0-9]{1,200}\.?[0-9]{0,200}|\.[0-9]{1,200})([eE][+-]?[0-9]{1,2})?\s*$"
TYPES = {
    "BIGINT": "BIGINT", "DOUBLE": "DOUBLE PRECISION", "BOOLEAN": "BOOLEAN", "TEXT": "TEXT", "VARCHAR": "TEXT",
    "TIMESTAMP_NS": "TIMESTAMP", "UTINYINT": "SMALLINT", "INT128": "NUMERIC",
}  # fmt: skip
CLOCK = {
    "%Y": "YYYY", "%m": "MM", "%d": "DD", "%H": "HH24", "%I": "HH12", "%M": "MI", "%S": "SS", "%f": "US", "%g": "MS",
    "%j": "DDD", "%p": "AM", "%y": "YY", "%n": 'US"000"', "%u": "ID", "%V": "IW", "%G": "IYYY", "%F": "YYYY-MM-DD",
    "%T": "HH24:MI:SS", "%b": "Mon", "%B": "FMMonth", "%a": "Dy", "%A": "FMDay", "%%": '"%"',
}  # fmt: skip
SAME = (
    exp.Add, exp.Alias, exp.And, exp.ArrayToString, exp.Boolean, exp.Case, exp.Ceil, exp.Coalesce, exp.Column,
    exp.Count, exp.Distinct, exp.Div, exp.DPipe, exp.EQ, exp.Explode, exp.Filter, exp.Floor, exp.From, exp.Group,
    exp.GT, exp.GTE, exp.Having, exp.Identifier, exp.If, exp.In, exp.Is, exp.Join, exp.Length, exp.Limit, exp.Ln,
    exp.Lower, exp.LT, exp.LTE, exp.Mod, exp.Mul, exp.Neg, exp.NEQ, exp.Not, exp.Null, exp.NullSafeEQ,
    exp.NullSafeNEQ, exp.Nullif, exp.Or, exp.Order, exp.Ordered, exp.Paren, exp.PercentileCont, exp.RowNumber,
    exp.Select, exp.Sqrt, exp.Star, exp.Sub, exp.Subquery, exp.Sum, exp.Table, exp.TableAlias, exp.Trunc, exp.Upper,
    exp.Where, exp.WindowSpec, exp.Between, exp.Escape, exp.Abs, exp.Greatest, exp.Least, exp.Avg, exp.Min, exp.Max,
)  # fmt: skip
"""Nodes that sqlglot writes for PostgreSQL with the same meaning."""


class Foreign(Exception):  # noqa: N818 - the caller makes a Mistake of it, where the place is known
    """PostgreSQL has nothing that gives the same; the text says of what."""


class Translator:
    """Translates the steps of one statement; `arguments` are the values of `$2` and on ($1 is the project)."""

    def __init__(self) -> None:
        self.arguments: list[str] = []
        self._numbers: dict[str, int] = {}

    def translated(self, tree: Expr) -> Expr:
        """The tree in PostgreSQL's words.

        :raises Foreign: a part of it has no counterpart
        """
        holder = exp.Tuple(expressions=[tree.copy()])
        for node in reversed(list(holder.expressions[0].walk(bfs=True))):  # children before parents
            if (made := self._node(node)) is not node:
                node.replace(made)
        found: Expr = holder.expressions[0].pop()
        return found

    def _node(self, node: Expr) -> Expr:
        match node:
            case exp.Literal():
                return self._literal(node)
            case exp.DataType():
                return node if isinstance(node.parent, exp.Cast) else _foreign(node)
            case exp.Cast():
                return self._cast(node)
            case exp.Anonymous():
                arguments = node.expressions
                if (make := FUNCTIONS.get(node.name.lower())) is None:
                    raise Foreign(f"{node.name.lower()}()")
                return make(self, *arguments)
            case exp.Window(this=exp.PercentileCont()):
                raise Foreign("a percentile over the rows before")
            case exp.Window():
                return node
            case exp.Filter(this=exp.Bracket() as bracket):
                # An aggregate of which one item is taken: the filter belongs to the aggregate.
                inner = exp.Filter(this=bracket.this.copy(), expression=node.expression.copy())
                return first(exp.Paren(this=inner))
        if (rule := RULES.get(type(node))) is not None:
            return rule(self, node)
        return node if type(node) in SAME else _foreign(node)

    def _literal(self, node: exp.Literal) -> Expr:
        if not node.is_string:
            return node if NUMBER.fullmatch(node.name) else _foreign(node)
        return self.text(node.name)

    def text(self, value: str) -> Expr:
        """A bound text. The cast says its type: a parameter alone has none."""
        number = self._numbers.setdefault(value, len(self.arguments) + 2)
        if number == len(self.arguments) + 2:
            self.arguments.append(value)
        return exp.Cast(this=exp.Parameter(this=exp.Literal.number(number)), to=exp.DataType.build("TEXT"))

    def bound(self, statement: exp.Select) -> tuple[str, ...]:
        """The values of the parameters that the statement has, which are numbered anew: PostgreSQL takes no others."""
        used = [node for node in statement.find_all(exp.Parameter) if node.name != "1"]
        numbers = {old: i + 2 for i, old in enumerate(sorted({int(node.name) for node in used}))}
        for node in used:
            node.set("this", exp.Literal.number(numbers[int(node.name)]))
        return tuple(self.arguments[old - 2] for old in numbers)

    def value(self, tree: Expr) -> str:
        """The text that was bound for a literal.

        :raises Foreign: it is none
        """
        if isinstance(tree, exp.Cast) and isinstance(tree.this, exp.Parameter):
            return self.arguments[int(tree.this.name) - 2]
        raise Foreign("a computed pattern or format")

    def pattern(self, tree: Expr, *, extracts: bool = False) -> Expr:
        """A regular expression.

        :raises Foreign: PostgreSQL would find something else by it
        """
        if (made := postgres_regex(self.value(tree), extracts=extracts)) is None:
            raise Foreign(f"the regular expression /{self.value(tree)[:60]}/")
        return self.text(made)

    def _cast(self, node: exp.Cast) -> Expr:
        name = node.to.this.value if isinstance(node.to.this, exp.DType) else ""
        if name not in TYPES:
            raise Foreign(f"the type {name.lower()}")
        made = exp.Cast(this=node.this.copy(), to=exp.DataType.build(TYPES[name], dialect=DIALECT))
        if type(node) is exp.Cast:
            return made
        inner = node.this
        if isinstance(inner, exp.Floor | exp.Ceil | exp.Trunc) or (name == "BIGINT" and inner.find(exp.Round)):
            return sql.postgres("CASE WHEN ABS(:x) < 9.2e18 THEN :y END", x=inner.copy(), y=made)
        if name == "DOUBLE":
            return sql.postgres("CASE WHEN :x ~ :p THEN :y END", x=inner.copy(), p=self.text(DOUBLE), y=made)
        if name == "INT128":  # a regular expression of the caller lets only whole numbers through
            return made
        raise Foreign("reading a time in a text")


def _foreign(node: Expr) -> Expr:
    raise Foreign(type(node).__name__.lower())


def first(array: Expr, number: int = 1) -> exp.Bracket:
    """An item of an array; it counts from 1, as PostgreSQL does."""
    return exp.Bracket(this=array, expressions=[exp.Literal.number(number)], offset=1)


def _named(name: str) -> Callable[..., Expr]:
    """A function that PostgreSQL has under this name."""
    return lambda _, *args: exp.Anonymous(this=name, expressions=[arg.copy() for arg in args])


def _form(pattern: str, *names: str) -> Callable[..., Expr]:
    """A fixed form, of which the arguments fill the holes in the order of `names`."""
    return lambda _, *args: exp.Paren(
        this=sql.postgres(pattern, **{name: arg.copy() for name, arg in zip(names, args, strict=False)})
    )


def _nothing(what: str) -> Callable[..., Expr]:
    """What PostgreSQL does not have."""

    def refuse(*_: object) -> Expr:
        raise Foreign(what)

    return refuse


def _item(pattern: str) -> Callable[..., Expr]:
    """The first item of an ordered aggregate; `Translator` moves a filter into it."""

    def make(_: Translator, *args: Expr) -> Expr:
        made = sql.postgres(pattern, **{name: arg.copy() for name, arg in zip("xt", args, strict=False)})
        return first(made)

    return make


def _matches(self: Translator, text: Expr, pattern: Expr, options: Expr) -> Expr:
    op = "~*" if "i" in self.value(options) else "~"
    return exp.Paren(this=sql.postgres(f":x {op} :p", x=text.copy(), p=self.pattern(pattern)))


def _full_match(self: Translator, text: Expr, pattern: Expr) -> Expr:
    whole = self.text(f"^(?:{self.value(self.pattern(pattern))})$")
    return exp.Paren(this=sql.postgres(":x ~ :p", x=text.copy(), p=whole))


def _extract(self: Translator, text: Expr, pattern: Expr, group: Expr, options: Expr | None = None) -> Expr:
    """The empty text where nothing matches, as DuckDB gives it; group 0 is the whole match."""
    made = self.value(self.pattern(pattern, extracts=True))
    number = int(group.name) + 1
    flags = self.text("i" if options is not None and "i" in self.value(options) else "c")
    found = sql.postgres("REGEXP_MATCH(:x, :p, :f)", x=text.copy(), p=self.text(f"({made})"), f=flags)
    return sql.postgres("COALESCE(:m, '')", m=first(exp.Paren(this=found), number))


def _replaced(self: Translator, text: Expr, pattern: Expr, by: Expr, options: Expr) -> Expr:
    return _named("regexp_replace")(self, text, self.pattern(pattern, extracts=True), by, options)


def _strftime(self: Translator, time: Expr, layout: Expr) -> Expr:
    parts: list[str] = []
    for part in re.findall(r"%.|[^%]+|%", self.value(layout), re.DOTALL):
        if part[0] == "%" and part not in CLOCK:
            raise Foreign(f"the time format {part}")
        quoted = part.replace("\\", "\\\\").replace('"', '\\"')
        parts.append(CLOCK[part] if part[0] == "%" else f'"{quoted}"')
    return _named("to_char")(self, time, self.text("".join(parts)))


def _substring(self: Translator, text: Expr, start: Expr, *length: Expr) -> Expr:
    if any(not isinstance(tree.this, exp.Literal) or tree.this.name == "0" for tree in (start, *length)):
        raise Foreign("substr() with a computed, negative or zero position")
    whole = [sql.postgres("CAST(:x AS INTEGER)", x=tree.copy()) for tree in (start, *length)]
    return _named("substring")(self, text, *whole)


def _split(self: Translator, text: Expr, by: Expr, number: Expr) -> Expr:
    return _named("split_part")(self, text, by, sql.postgres("CAST(:x AS INTEGER)", x=number.copy()))


def _range(_: Translator, start: Expr, end: Expr, step: Expr) -> Expr:
    return sql.postgres("ARRAY(SELECT GENERATE_SERIES(CAST(:a AS BIGINT), :b - 1, :s))", a=start.copy(), b=end.copy(),
                        s=step.copy())  # fmt: skip


def _sorted_slice(_: Translator, array: Expr, low: Expr, high: Expr) -> Expr:
    """`values()`: an aggregate of different texts, sorted, of which the first are taken."""
    aggregate = array.find(exp.ArrayAgg)
    if aggregate is None or not isinstance(aggregate.this, exp.Distinct):
        raise Foreign("list_slice()")
    item = aggregate.this.expressions[0]
    order = exp.Order(this=aggregate.this.copy(), expressions=[exp.Ordered(this=item.copy())])
    aggregate.set("this", order)
    found = array.this if isinstance(array, exp.ArraySort) else array
    part = exp.Slice(this=low.copy(), expression=high.copy())
    return exp.Bracket(this=exp.Paren(this=found.copy()), expressions=[part], offset=1)


def _round(_: Translator, node: Expr) -> Expr:
    places = node.args.get("decimals") or exp.Literal.number(0)
    return sql.postgres("CAST(ROUND(CAST(:x AS NUMERIC), :n) AS DOUBLE PRECISION)", x=node.this.copy(), n=places.copy())


def _like(self: Translator, node: Expr) -> Expr:
    """Without ESCAPE nothing escapes, other than by PostgreSQL's own default."""
    return node if isinstance(node.parent, exp.Escape) else exp.Escape(this=node.copy(), expression=self.text(""))


RULES: dict[type[Expr], Callable[[Translator, Any], Expr]] = {
    exp.ApproxDistinct: lambda _, node: sql.postgres("COUNT(DISTINCT :x)", x=node.this.copy()),
    exp.ArrayAgg: lambda _, node: node,
    exp.ArraySort: lambda _, node: node,
    exp.Contains: lambda _, node: exp.Paren(
        this=sql.postgres("STRPOS(:x, :y) > 0", x=node.this.copy(), y=node.expression.copy())
    ),
    exp.Like: _like,
    exp.Log: lambda _, node: _named("log10")(_, node.expression or node.this),
    exp.RegexpExtract: lambda self, node: _extract(
        self, node.this, node.expression, node.args.get("group") or exp.Literal.number(0)
    ),
    exp.Round: _round,
    exp.TimeToStr: lambda self, node: _strftime(self, node.this, node.args["format"]),
    exp.StartsWith: lambda _, node: _named("starts_with")(_, node.this, node.expression),
}
FUNCTIONS: dict[str, Callable[..., Expr]] = {
    **{name: _named(name) for name in (
        "avg", "coalesce", "concat", "concat_ws", "count", "exp", "greatest", "least", "lag", "max", "min", "pow",
        "replace", "starts_with", "stddev_samp", "sum", "timezone", "to_json", "var_samp",
    )},
    "any_value": _item("ARRAY_AGG(:x)"),
    "arg_max": _item("ARRAY_AGG(:x ORDER BY :t DESC)"),
    "arg_min": _item("ARRAY_AGG(:x ORDER BY :t)"),
    "chr": _nothing("a NUL character"),
    "contains": _form("STRPOS(:x, :y) > 0", "x", "y"),
    "epoch_ns": _form("CAST(EXTRACT(EPOCH FROM :x) * 1000000000 AS BIGINT)", "x"),
    "fsum": _named("sum"),
    "hour": _form("CAST(EXTRACT(HOUR FROM :x) AS BIGINT)", "x"),
    "isfinite": _form("TRUE"),  # numbers of Cordwood's tables are, and so are those that texts are read as
    "isodow": _form("CAST(EXTRACT(ISODOW FROM :x) AS BIGINT)", "x"),
    "json_extract_string": _form("JSONB_PATH_QUERY_FIRST(CAST(:x AS JSONB), CAST(:p AS JSONPATH)) #>> '{}'", "x", "p"),
    "json_valid": _form(":x IS NOT NULL", "x"),
    "list_slice": _sorted_slice,
    "make_timestamp_ns": _form(
        "CAST('1970-01-01' AS TIMESTAMP) + :x / 1000 * CAST('1 microsecond' AS INTERVAL)", "x"
    ),
    "mode": lambda _, item: sql.postgres("MODE() WITHIN GROUP (ORDER BY :x)", x=item.copy()),
    "quantile_cont": _nothing("a percentile over the rows before"),
    "range": _range,
    "regexp_extract": _extract,
    "regexp_full_match": _full_match,
    "regexp_matches": _matches,
    "regexp_replace": _replaced,
    "sha256": _form("ENCODE(SHA256(CONVERT_TO(:x, 'UTF8')), 'hex')", "x"),
    "split_part": _split,
    "strftime": _strftime,
    "substring": _substring,
    "suffix": _form("RIGHT(:x, LENGTH(:y)) = :y", "x", "y"),
    "trim": _named("btrim"),
}  # fmt: skip
