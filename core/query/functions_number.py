"""Functions of numbers. Texts that look like numbers count as such; where a function is not defined, it is null."""

from __future__ import annotations

from . import sql
from .expressions import Arguments
from .function import MANY, function
from .sql import Expr
from .tree import Number
from .value import Value, as_number, one


def double(args: Arguments, i: int) -> Expr:
    """The argument as DOUBLE."""
    number = args.number(i)
    return sql.cast(next(iter(number.kinds.values()), sql.NULL.copy()), "DOUBLE")


@function("round(took, 2)", 1, 2)
def round_(args: Arguments) -> Value:
    """The number rounded, half away from zero, to so many decimals (default 0, which gives a whole number)."""
    digits = args.node(1) if len(args) > 1 else Number(0)
    places = digits.value if isinstance(digits, Number) and isinstance(digits.value, int) else 0
    value = args.number(0)
    if places <= 0 and value.has("int"):
        return (
            value
            if places == 0
            else one("int", sql.sql("CAST(round(:x, :n) AS BIGINT)", x=value.kinds["int"], n=places))
        )
    rounded = sql.sql("round(:x, :n)", x=double(args, 0), n=places)
    return one("float", rounded) if places > 0 else one("int", sql.sql("TRY_CAST(:x AS BIGINT)", x=rounded))


@function("floor(took)", 1)
def floor(args: Arguments) -> Value:
    """The largest whole number not above it."""
    return one("int", sql.sql("TRY_CAST(floor(:x) AS BIGINT)", x=double(args, 0)))


@function("ceil(took)", 1)
def ceil(args: Arguments) -> Value:
    """The smallest whole number not below it."""
    return one("int", sql.sql("TRY_CAST(ceil(:x) AS BIGINT)", x=double(args, 0)))


@function("abs(change)", 1)
def abs_(args: Arguments) -> Value:
    """The number without its sign."""
    return args.number(0).map(lambda kind, tree: sql.sql("abs(:x)", x=tree))


@function("sqrt(x)", 1)
def sqrt(args: Arguments) -> Value:
    """The square root; null below zero."""
    return one("float", sql.sql("CASE WHEN :x >= 0 THEN sqrt(:x) END", x=double(args, 0)))


@function("log(x)", 1)
def log(args: Arguments) -> Value:
    """The natural logarithm; null at zero and below."""
    return one("float", sql.sql("CASE WHEN :x > 0 THEN ln(:x) END", x=double(args, 0)))


@function("log10(x)", 1)
def log10(args: Arguments) -> Value:
    """The logarithm to base 10; null at zero and below."""
    return one("float", sql.sql("CASE WHEN :x > 0 THEN log10(:x) END", x=double(args, 0)))


@function("exp(x)", 1)
def exp_(args: Arguments) -> Value:
    """e to the power of x."""
    return one("float", sql.call("exp", double(args, 0)))


@function("pow(x, 2)", 2)
def pow_(args: Arguments) -> Value:
    """x to the power of y."""
    return one("float", sql.call("pow", double(args, 0), double(args, 1)))


def extreme(args: Arguments, name: str) -> Value:
    """The least or greatest of the arguments that are not null."""
    numbers = [args.number(i) for i in range(len(args))]
    trees = [next(iter(number.kinds.values())) for number in numbers if not number.is_null]
    if not trees:
        return Value()
    is_int = all(number.has("int") for number in numbers if not number.is_null)
    return one(
        "int" if is_int else "float", sql.call(name, *(tree if is_int else sql.cast(tree, "DOUBLE") for tree in trees))
    )


@function("min(a, b)", 2, MANY)
def min_(args: Arguments) -> Value:
    """The least of the arguments."""
    return extreme(args, "least")


@function("max(a, b)", 2, MANY)
def max_(args: Arguments) -> Value:
    """The greatest of the arguments."""
    return extreme(args, "greatest")


@function('int("12")', 1)
def int_(args: Arguments) -> Value:
    """The value as a whole number, cut towards zero; null where it looks like no number."""
    value = args.value(0)
    if set(value.kinds) == {"bool"}:
        return one("int", sql.cast(value.kinds["bool"], "BIGINT"))
    number = as_number(value)
    if number.has("float"):
        return one("int", sql.sql("TRY_CAST(trunc(:x) AS BIGINT)", x=number.kinds["float"]))
    return one("int", next(iter(number.kinds.values()))) if not number.is_null else number


@function('float("1.5")', 1)
def float_(args: Arguments) -> Value:
    """The value as a number with decimals; null where it looks like no number."""
    return one("float", double(args, 0))


@function("text(status)", 1)
def text(args: Arguments) -> Value:
    """The value's text form."""
    return one("text", args.text(0))


@function('bool("true")', 1)
def bool_(args: Arguments) -> Value:
    """true and false, as text too; numbers are true unless 0; else null."""
    value = args.value(0)
    parts = []
    for kind, tree in value.kinds.items():
        if kind == "bool":
            parts.append(tree)
        elif kind in ("text", "json"):
            parts.append(
                sql.sql(
                    "CASE WHEN lower(:x) IN ('true', '1') THEN TRUE WHEN lower(:x) IN ('false', '0') THEN FALSE END",
                    x=tree,
                )
            )
        elif kind in ("int", "float"):
            parts.append(sql.sql(":x <> 0", x=tree))
    return one("bool", sql.call("coalesce", *parts, sql.cast(sql.NULL.copy(), "BOOLEAN"))) if parts else Value()
