"""From the SQL that stages write, DuckDB's as sqlglot trees, to ClickHouse's, which reads the same segments.

What is not listed here has no counterpart in ClickHouse that gives the same: `Foreign` says so before anything runs.
Statements are for `SETTINGS`: read-only, and nulls as SQL has them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlglot import exp

from . import sql
from .sql import Expr

DIALECT = "clickhouse"
SETTINGS = {
    "readonly": 2,  # 1 would forbid file() too
    "join_use_nulls": 1,
    "data_type_default_nullable": 1,
    "prefer_column_name_to_alias": 1,
    "group_by_use_nulls": 0,
    "schema_inference_make_columns_nullable": 1,
    "output_format_arrow_string_as_string": 1,
    "session_timezone": "UTC",
}
TYPES = {
    "BIGINT": "Nullable(Int64)", "DOUBLE": "Nullable(Float64)", "BOOLEAN": "Nullable(Bool)", "TEXT": "Nullable(String)",
    "VARCHAR": "Nullable(String)", "TIMESTAMP_NS": "Nullable(DateTime64(9, 'UTC'))", "UTINYINT": "Nullable(UInt8)",
    "INT128": "Nullable(Int128)",
}  # fmt: skip
CLOCK = {
    "%Y": "%Y", "%m": "%m", "%d": "%d", "%H": "%H", "%I": "%I", "%M": "%i", "%S": "%S", "%j": "%j", "%p": "%p",
    "%y": "%y", "%V": "%V", "%G": "%G", "%F": "%F", "%T": "%T", "%b": "%b", "%B": "%M", "%a": "%a", "%A": "%W",
    "%u": "%u", "%%": "%%",
}  # fmt: skip
FRACTIONS = {"%n": 1, "%f": 1_000, "%g": 1_000_000}  # nanoseconds of a unit
SAME = (
    exp.Abs, exp.Add, exp.Alias, exp.And, exp.Array, exp.Avg, exp.Between, exp.Boolean, exp.Ceil, exp.Coalesce,
    exp.Column, exp.Distinct, exp.Div, exp.EQ, exp.Floor, exp.From, exp.Greatest, exp.Group, exp.GT,
    exp.GTE, exp.Having, exp.Identifier, exp.If, exp.In, exp.Is, exp.Join, exp.Least, exp.Limit, exp.Ln, exp.LT,
    exp.LTE, exp.Max, exp.Min, exp.Mod, exp.Mul, exp.Neg, exp.NEQ, exp.Not, exp.Null, exp.Nullif, exp.Or, exp.Order,
    exp.Ordered, exp.Paren, exp.Qualify, exp.RowNumber, exp.Select, exp.Sqrt, exp.Star, exp.Sub, exp.Subquery, exp.Sum,
    exp.Table, exp.TableAlias, exp.Trunc, exp.Tuple, exp.Union, exp.Where, exp.WindowSpec, exp.Literal,
    exp.Case, exp.Lambda, exp.Repeat, exp.NullSafeEQ, exp.NullSafeNEQ,
)  # fmt: skip
"""Nodes that sqlglot writes for ClickHouse with the same meaning."""
CONDITIONS = (exp.Predicate, exp.Connector, exp.Not)
OF_A_TABLE = ("_file", "_path", "_row_number")  # names that ClickHouse gives to where a row comes from


@dataclass(frozen=True)
class Read:
    """A table with rows of segments: `file` says which of the segments a row is of, `row` its number in that one."""

    table: Expr
    file: Expr
    row: Expr


Reader: TypeAlias = Callable[[Sequence[str], Sequence[str]], Iterable[Read]]
"""From the files that are read together, and the columns that are wanted of them, to tables of ClickHouse."""


class Foreign(Exception):  # noqa: N818 - the caller makes a Mistake of it, where the place is known
    """ClickHouse has nothing that gives the same; the text says of what."""


def clickhouse(pattern: str, **holes: Any) -> Expr:
    """A tree made of a fixed pattern in ClickHouse's words; see `sql.sql`.

    >>> clickhouse("lowerUTF8(:x)", x=sql.column("a")).sql(DIALECT)
    'lowerUTF8("a")'
    """
    return sql.filled(sql.pattern_of(pattern, DIALECT), holes)


def call(name: str, *args: Any) -> Expr:
    """A function by ClickHouse's own name."""
    return exp.Anonymous(this=name, expressions=[sql.tree_of(arg).copy() for arg in args])


def local_files(files: Sequence[str], _: Sequence[str]) -> Iterable[Read]:
    """Files on ClickHouse's own machine, each by itself: they are alike in what is wanted, not in all columns."""
    row = clickhouse("toInt64(_row_number)")
    for number, file in enumerate(files):
        yield Read(call("file", file, "Parquet"), clickhouse("toInt64(:n)", n=number), row)


def translated(tree: Expr, reader: Reader = local_files) -> Expr:
    """The tree in ClickHouse's words.

    :raises Foreign: a part of it has no counterpart
    """
    holder = exp.Tuple(expressions=[tree.copy()])
    for node in reversed(list(holder.expressions[0].walk(bfs=True))):  # children before parents
        if (made := _node(node, reader)) is not node:
            node.replace(made)
    found: Expr = holder.expressions[0].pop()
    return found


def _node(node: Expr, reader: Reader) -> Expr:
    match node:
        case exp.DataType():
            return node if isinstance(node.parent, exp.Cast) else _foreign(node)
        case exp.Anonymous():
            if (make := FUNCTIONS.get(node.name.lower())) is None:
                raise Foreign(f"{node.name.lower()}()")
            made = make(*node.expressions)
            is_count = isinstance(made, exp.Count) and not isinstance(node.parent, exp.Filter | exp.Window)
            return _whole(made) if is_count else made
        case exp.Alias(this=this) if isinstance(this, CONDITIONS):
            node.set("this", _bool(this))
            return node
        case exp.Case():
            return _case(node)
        case exp.Table(this=exp.Anonymous(this="read_parquet")):
            return _read_parquet(node, reader)
    if (rule := RULES.get(type(node))) is not None:
        return rule(node)
    return node if type(node) in SAME else _foreign(node)


def _foreign(node: Expr) -> Expr:
    raise Foreign(type(node).__name__.lower())


def _bool(tree: Any) -> Expr:
    """A condition, which ClickHouse has as 0 and 1, as a boolean."""
    return _typed(tree.copy(), "BOOLEAN")


def _typed(tree: Expr, name: str) -> exp.Cast:
    return exp.Cast(this=tree, to=exp.DataType.build(TYPES[name], dialect=DIALECT))


def _case(node: exp.Case) -> Expr:
    """One that ends the statement where its condition holds is a function here; conditions in branches are cast."""
    for branch in node.args["ifs"]:
        refusal = branch.args["true"]
        if isinstance(refusal, exp.Anonymous) and refusal.name == "throwIf":
            return clickhouse("throwIf(:c, :m) = 0", c=branch.this.copy(), m=refusal.expressions[1].copy())
        if isinstance(refusal, CONDITIONS):
            branch.set("true", _bool(refusal))
    if isinstance(default := node.args.get("default"), CONDITIONS):
        node.set("default", _bool(default))
    return node


def _cast(node: exp.Cast) -> Expr:
    name = node.to.this.value if isinstance(node.to.this, exp.DType) else ""
    if name not in TYPES:
        raise Foreign(f"the type {name.lower()}")
    inner = node.this.copy()
    if isinstance(inner, CONDITIONS):
        inner = _bool(inner)
    if type(node) is exp.TryCast:
        if name == "DOUBLE":
            return clickhouse("toFloat64OrNull(trimBoth(toString(:x)))", x=inner)
        if name in ("BIGINT", "INT128"):
            return clickhouse(f"accurateCastOrNull(:x, '{TYPES[name][9:-1]}')", x=inner)
        raise Foreign("reading a time in a text")
    if name in ("VARCHAR", "TEXT"):
        return _text(inner)
    if name == "BIGINT" and node.this.find(exp.Avg, exp.Round) is not None:
        inner = call("round", inner)
    return _typed(inner, name)


def _text(tree: Expr) -> Expr:
    """A number with decimals keeps them where it is whole: 2.0 is written so."""
    if isinstance(tree, exp.Literal | exp.Null):
        return _typed(tree, "TEXT")
    return clickhouse(
        "concat(toString(:x), if(startsWith(toTypeName(:x), 'Nullable(Float') OR startsWith(toTypeName(:x), 'Float'),"
        " if(match(toString(:x), '^-?[0-9]+$'), '.0', ''), ''))",
        x=tree,
    )


def _named(name: str) -> Callable[..., Expr]:
    """A function that ClickHouse has under this name."""
    return lambda *args: call(name, *args)


def _form(pattern: str, *names: str) -> Callable[..., Expr]:
    """A fixed form, of which the arguments fill the holes in the order of `names`."""
    return lambda *args: exp.Paren(
        this=clickhouse(pattern, **{name: arg.copy() for name, arg in zip(names, args, strict=False)})
    )


def _nothing(what: str) -> Callable[..., Expr]:
    """What ClickHouse does not have."""

    def refuse(*_: object) -> Expr:
        raise Foreign(what)

    return refuse


def _text_of(tree: Expr | None, what: str) -> str:
    if not isinstance(tree, exp.Literal) or not tree.is_string:
        raise Foreign(f"a computed {what}")
    return tree.name


def _regex(pattern: Expr, options: Expr | None = None) -> Expr:
    """RE2 is the same; only that `.` matches line breaks has to be undone, and case is a flag of the expression."""
    flags = "i" if options is not None and "i" in _text_of(options, "option") else ""
    return exp.Literal.string(f"(?{flags}-s){_text_of(pattern, 'regular expression')}")


def _extract(text: Expr, pattern: Expr, group: Expr | None = None, options: Expr | None = None) -> Expr:
    return call("regexpExtract", text, _regex(pattern, options), group or sql.integer(0))


def _full_match(text: Expr, pattern: Expr) -> Expr:
    return call("match", text, exp.Literal.string(f"(?-s)^(?:{_text_of(pattern, 'regular expression')})\\z"))


def _strftime(time: Expr, layout: Expr) -> Expr:
    parts: list[Expr] = []
    for part in re.findall(r"(?:%[^nfg]|[^%])+|%.|%", _text_of(layout, "time format"), re.DOTALL):
        if part in FRACTIONS:
            width = len(str(1_000_000_000 // FRACTIONS[part])) - 1
            ns = clickhouse("intDiv(toUnixTimestamp64Nano(:t) % 1000000000, :n)", t=time.copy(), n=FRACTIONS[part])
            parts.append(call("leftPad", call("toString", ns), width, "0"))
            continue
        known = re.sub(r"%(.)", lambda found: CLOCK.get(found[0]) or _foreign_layout(found[0]), part, flags=re.DOTALL)
        parts.append(call("formatDateTime", time, known))
    return parts[0] if len(parts) == 1 else call("concat", *parts)


def _foreign_layout(part: str) -> str:
    raise Foreign(f"the time format {part}")


def _json(text: Expr, path: Expr) -> Expr:
    """A text without its quotes, other values as they are written; null where there is none."""
    steps = re.findall(r'\."((?:[^"\\]|\\.)*)"|\.([^.\[\]"*]+)|\[(\d+)\]|(.)', _text_of(path, "path")[1:], re.DOTALL)
    if any(step[3] for step in steps):
        raise Foreign("this path in JSON")
    keys = [int(step[2]) + 1 if step[2] else (step[0] or step[1]).replace('\\"', '"') for step in steps]
    whole, plain, kind = (call(name, text, *keys) for name in ("JSONExtractRaw", "JSONExtractString", "JSONType"))
    return clickhouse(
        "multiIf(:k = 'String', CAST(:p AS Nullable(String)), :w = '' OR :w = 'null', NULL, :w)",
        k=kind,
        p=plain,
        w=whole,
    )


def _round(node: exp.Round) -> Expr:
    """Half away from zero."""
    factor = sql.sql_float(10.0 ** int(node.args["decimals"].name)) if "decimals" in node.args else sql.integer(1)
    if isinstance(node.args.get("decimals"), exp.Neg):
        raise Foreign("round() to tens")
    return clickhouse("sign(:x) * floor(abs(:x) * :f + 0.5) / :f", x=node.this.copy(), f=_cast_float(factor))


def _cast_float(tree: Expr) -> Expr:
    return clickhouse("toFloat64(:x)", x=tree.this.copy() if isinstance(tree, exp.Cast) else tree)


def _quantile(value: Expr, share: Expr) -> Expr:
    """A parameter of a function is no argument: the share has to be a number."""
    number = share.this if isinstance(share, exp.Cast) else share
    return exp.ParameterizedAgg(
        this=exp.to_identifier("quantileExactInclusive"),
        expressions=[exp.Literal.number(number.name)],
        params=[value.copy()],
    )


def _read_parquet(node: exp.Table, reader: Reader) -> Expr:
    """The files, with what DuckDB calls the place of a row: the number of its file, and its own."""
    array = node.this.expressions[0]
    files = [_text_of(item, "file") for item in array.expressions]
    around = node.find_ancestor(exp.Select)
    assert around is not None
    columns = dict.fromkeys(column.name for column in around.find_all(exp.Column))
    wanted = [name for name in columns if name not in ("file_index", "file_row_number")]
    if taken := sorted({*OF_A_TABLE} & {*wanted}):
        raise Foreign(f"a field named {taken[0]}")
    reads: Expr | None = None
    for part in reader(files, wanted):
        place = [sql.alias(part.file.copy(), "file_index"), sql.alias(part.row.copy(), "file_row_number")]
        read = exp.Select(expressions=[*map(sql.column, wanted), *place])
        read.from_(exp.Table(this=part.table), copy=False)
        reads = read if reads is None else exp.Union(this=reads, expression=read, distinct=False)
    assert reads is not None
    return exp.Subquery(this=reads)


def _like(node: exp.Like) -> Expr:
    r"""A backslash always escapes in ClickHouse, so without ESCAPE it has to be doubled."""
    if isinstance(node.parent, exp.Escape):
        return node
    pattern = _text_of(node.expression, "pattern").replace("\\", "\\\\")
    return exp.Like(this=node.this.copy(), expression=exp.Literal.string(pattern))


def _counts(node: Expr) -> bool:
    """Whether an aggregate with a filter or over a window is a count."""
    return isinstance(node.this, exp.Count) or (isinstance(node.this, exp.Filter) and _counts(node.this))


def _whole(node: Expr) -> Expr:
    """A count, which has no sign in ClickHouse, as the whole number that it is elsewhere."""
    return clickhouse("toInt64(:c)", c=node.copy())


def _timezone(zone: Expr, time: Expr) -> Expr:
    """Two calls within one another: of UTC to the wall clock of a zone, or back."""
    if not isinstance(time, exp.Anonymous) or time.name != "timezone":
        return call("timezone", zone, time)
    inner, moment = time.expressions
    if inner.name == "UTC":
        return clickhouse("toDateTime64(toString(toTimeZone(:t, :z)), 9, 'UTC')", t=moment.copy(), z=zone.copy())
    return clickhouse("toTimeZone(toDateTime64(toString(:t), 9, :z), 'UTC')", t=moment.copy(), z=inner.copy())


def _sample_deviation(name: str) -> Callable[..., Expr]:
    return lambda value: clickhouse(f"if(count(:x) < 2, NULL, {name}(:x))", x=value.copy())


RULES: dict[type[Expr], Callable[[Any], Expr]] = {
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Count: lambda node: node if isinstance(node.parent, exp.Filter | exp.Window) else _whole(node),
    exp.Filter: lambda node: node if isinstance(node.parent, exp.Window) or not _counts(node) else _whole(node),
    exp.Window: lambda node: _whole(node) if _counts(node) else node,
    exp.ApproxDistinct: lambda node: clickhouse("toInt64(uniqExact(:x))", x=node.this.copy()),
    exp.AnyValue: lambda node: call("any", node.this),
    exp.ArgMax: lambda node: call("argMax", node.this, node.expression),
    exp.ArgMin: lambda node: call("argMin", node.this, node.expression),
    exp.ArrayAgg: lambda node: (
        call("groupUniqArray", *node.this.expressions)
        if isinstance(node.this, exp.Distinct)
        else call("groupArray", node.this)
    ),
    exp.ArraySort: lambda node: call("arraySort", node.this),
    exp.ArraySize: lambda node: call("length", node.this),
    exp.ArrayToString: lambda node: clickhouse(  # an array is never null here
        "if(empty(:x), NULL, arrayStringConcat(:x, :y))", x=node.this.copy(), y=node.expression.copy()
    ),
    exp.Concat: lambda node: FUNCTIONS["concat"](*node.expressions),
    exp.Contains: lambda node: exp.Paren(
        this=clickhouse("position(:x, :y) > 0", x=node.this.copy(), y=node.expression.copy())
    ),
    exp.DPipe: lambda node: call("concat", node.this, node.expression),
    exp.Escape: lambda node: node.this,
    exp.Explode: lambda node: call("arrayJoin", node.this),
    exp.Length: lambda node: call("lengthUTF8", node.this),
    exp.Like: _like,
    exp.Log: lambda node: call("log10", node.expression or node.this),
    exp.Lower: lambda node: call("lowerUTF8", node.this),
    exp.Pad: lambda node: call("leftPad", node.this, node.expression, node.args["fill_pattern"]),
    exp.PercentileCont: lambda node: _quantile(node.this, node.expression),
    exp.RegexpExtract: lambda node: _extract(node.this, node.expression, node.args.get("group")),
    exp.RegexpFullMatch: lambda node: _full_match(node.this, node.expression),
    exp.RegexpReplace: lambda node: FUNCTIONS["regexp_replace"](
        node.this, node.expression, node.args["replacement"], node.args.get("modifiers")
    ),
    exp.Round: _round,
    exp.Split: lambda node: call("splitByString", node.expression, node.this),
    exp.SplitPart: lambda node: FUNCTIONS["split_part"](node.this, node.args["delimiter"], node.args["part_index"]),
    exp.StartsWith: lambda node: call("startsWith", node.this, node.expression),
    exp.TimeToStr: lambda node: _strftime(node.this, node.args["format"]),
    exp.Transform: lambda node: call("arrayMap", node.expression, node.this),
    exp.Upper: lambda node: call("upperUTF8", node.this),
}
FUNCTIONS: dict[str, Callable[..., Expr]] = {
    **{name: _named(name) for name in (
        "avg", "coalesce", "exp", "greatest", "least", "max", "min", "pow", "range", "sum",
    )},
    **{name: _named(other) for name, other in {
        "any_value": "any", "arg_max": "argMax", "arg_min": "argMin", "bool_or": "max", "chr": "char", "first": "any",
        "fsum": "sumKahan", "hour": "toHour", "isfinite": "isFinite", "isodow": "toDayOfWeek",
        "json_valid": "isValidJSON", "last": "anyLast", "lpad": "leftPad", "replace": "replaceAll",
        "starts_with": "startsWith", "substring": "substringUTF8", "suffix": "endsWith", "trim": "trimBoth",
    }.items()},
    "concat": lambda *args: call("concat", *(call("ifNull", arg, "") for arg in args), ""),
    "contains": _form("position(:x, :y) > 0", "x", "y"),
    "count": lambda value: exp.Count(this=value.copy()),
    "epoch_ns": _form("toUnixTimestamp64Nano(:x)", "x"),
    "error": lambda message: call("throwIf", sql.integer(1), message),
    "hash": _nothing("a sample"),
    "json_extract_string": _json,
    "lag": lambda value: call("lag", call("toNullable", value)),
    "list_extract": lambda items, number: call("arrayElement", items, number),
    "list_slice": lambda items, low, high: call("arraySlice", items, low, high),
    "make_timestamp_ns": _form("fromUnixTimestamp64Nano(:x, 'UTC')", "x"),
    "mode": _nothing("mode()"),
    "quantile_cont": _quantile,
    "read_parquet": lambda *args: call("read_parquet", *args),
    "regexp_extract": _extract,
    "regexp_full_match": _full_match,
    "regexp_matches": lambda text, pattern, options: call("match", text, _regex(pattern, options)),
    "regexp_replace": lambda text, pattern, by, options: call("replaceRegexpAll", text, _regex(pattern, options), by),
    "sha256": _form("lower(hex(SHA256(:x)))", "x"),
    "split_part": lambda text, by, number: call("arrayElement", call("splitByString", by, text), number),
    "stddev_samp": _sample_deviation("stddevSampStable"),
    "strftime": _strftime,
    "timezone": _timezone,
    "to_json": lambda value: clickhouse(
        "if(toTypeName(:x) LIKE '%Float%', :t, toJSONString(:x))", x=value.copy(), t=_text(value.copy())
    ),
    "try_strptime": _nothing("parse_time()"),
    "var_samp": _sample_deviation("varSampStable"),
}  # fmt: skip


def columns_of(tree: Any, known: Mapping[str, list[str]]) -> list[str]:
    """The names of the columns of a step, in order; rows put together by the names of their columns get all of both.

    :param known: those of the steps before.
    """
    if isinstance(tree, exp.Union):
        sides = [columns_of(side, known) for side in (tree.left, tree.right)]
        if not tree.args.get("by_name"):
            return sides[0]
        every = list(dict.fromkeys(name for side in sides for name in side))
        for key, select, own in zip(("this", "expression"), (tree.left, tree.right), sides, strict=True):
            listed = [sql.column(name) if name in own else sql.alias(sql.NULL.copy(), name) for name in every]
            inner = exp.Subquery(this=select.copy())
            tree.set(key, exp.Select(expressions=listed).from_(inner, copy=False))
        tree.set("by_name", None)
        return every
    tables = {table.alias_or_name: table.name for table in tree.find_all(exp.Table)}
    names: list[str] = []
    for item in tree.expressions:
        if isinstance(item, exp.Star):
            names += known[tree.args["from_"].this.name]
        elif isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
            names += known[tables[item.table]]
        else:
            names.append(item.alias_or_name)
    return names


def statement(select: exp.Select, steps: Mapping[str, Expr]) -> str:
    """The text of the whole, with the steps before it by name."""
    known: dict[str, list[str]] = {}
    for name, step in steps.items():
        known[name] = columns_of(step, known)
        select = select.with_(exp.to_identifier(name, quoted=True), as_=step, copy=False)
    return select.sql(dialect=DIALECT, copy=False)
