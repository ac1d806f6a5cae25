"""Small pieces of SQL as sqlglot trees. User text enters only as literals, which sqlglot escapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from sqlglot import exp, parse_one

from .tree import Place

Expr = exp.Expression
DIALECT = "duckdb"
REFUSED = "cordwood: "  # begins what a statement says that refuses itself
# Kinds of nodes that bind tighter than any operator: no parentheses around them.
CLOSED = (
    exp.Column,
    exp.Literal,
    exp.Func,
    exp.Cast,
    exp.Paren,
    exp.Null,
    exp.Boolean,
    exp.Anonymous,
    exp.Star,
    exp.Neg,
)


@lru_cache(maxsize=1000)
def pattern_of(text: str, dialect: str = DIALECT) -> Expr:
    """The tree of a constant of this package."""
    tree: Any = parse_one(text, dialect=dialect)
    assert isinstance(tree, exp.Expression)
    return tree


@lru_cache(maxsize=100)
def _type(name: str) -> exp.DataType:
    return exp.DataType.build(name, dialect=DIALECT)


def sql(pattern: str, **holes: Any) -> Expr:
    """A tree made of a fixed pattern with `:name` holes; a hole takes a tree, or a Python value as a literal.

    The pattern is always a constant of this package, never made of user text.

    >>> sql("lower(:x) = :y", x=column("a"), y="it's").sql(DIALECT)
    'LOWER("a") = \\'it\\'\\'s\\''
    """
    return filled(pattern_of(pattern), holes)


def postgres(pattern: str, **holes: Any) -> Expr:
    """The same with a pattern in PostgreSQL's words.

    >>> postgres("CAST(:x AS TIMESTAMP)", x=column("a")).sql("postgres")
    'CAST("a" AS TIMESTAMP)'
    """
    return filled(pattern_of(pattern, "postgres"), holes)


def filled(pattern: Expr, holes: Mapping[str, Any]) -> Expr:
    """A copy of the pattern with its holes filled."""
    tree = pattern.copy()
    if isinstance(tree, exp.Placeholder):
        return closed(tree_of(holes[tree.name]))
    for hole in list(tree.find_all(exp.Placeholder)):
        value = tree_of(holes[hole.name])
        hole.replace(closed(value if value.parent is None else value.copy()))  # what stands elsewhere stays there
    return tree


def closed(tree: Expr) -> Expr:
    """The tree, in parentheses where an operator beside it could tear it apart."""
    is_closed = isinstance(tree, CLOSED) and not isinstance(tree, exp.Connector | exp.Binary)
    return tree if is_closed else exp.Paren(this=tree)


def tree_of(value: Any) -> Expr:
    """A Python value as a literal; a tree as it is."""
    if isinstance(value, Expr):
        return value
    if value is None:
        return exp.Null()
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, float):
        return sql_float(value)
    return integer(value)


def text(value: str) -> Expr:
    """A text literal; DuckDB's SQL text cannot hold NUL, so that is put in by `chr(0)`."""
    if "\0" not in value:
        return exp.Literal.string(value)
    parts: list[Expr] = []
    for i, part in enumerate(value.split("\0")):
        parts += [exp.Anonymous(this="chr", expressions=[exp.Literal.number(0)])] if i else []
        parts += [exp.Literal.string(part)] if part else []
    return exp.Anonymous(this="concat", expressions=parts)


def integer(value: int) -> Expr:
    """A whole number; beyond 64 bits as HUGEINT, which DuckDB chooses itself."""
    number = exp.Literal(this=str(abs(value)), is_string=False)
    return exp.Neg(this=number) if value < 0 else number


def sql_float(value: float) -> Expr:
    """A DOUBLE: without the cast DuckDB would read a DECIMAL and compare in that."""
    return exp.Cast(this=exp.Literal.string(repr(value)), to=_type("DOUBLE"))


def time(ns: int) -> Expr:
    """An instant: nanoseconds since the epoch as TIMESTAMP_NS, folded by DuckDB before it reads anything."""
    second, fraction = divmod(ns, 1_000_000_000)
    moment = datetime(1970, 1, 1) + timedelta(seconds=second)  # noqa: DTZ001 - TIMESTAMP_NS has no zone, it means UTC
    return exp.Cast(
        this=exp.Literal.string(f"{moment.isoformat(sep=' ')}.{fraction:09d}"),
        to=_type("TIMESTAMP_NS"),
    )


def refused(message: str, at: Place, hint: str = "") -> Expr:
    """An expression that ends the statement with a mistake of the query, where it is computed: see `duck.teaching`."""
    return call("error", REFUSED + msgspec.json.encode((message, at.line, at.column, hint)).decode())


def at_most(count: int, refusal: Expr) -> Expr:
    """What a QUALIFY takes to end the statement at the first row beyond: without an order, rows stream."""
    return sql("CASE WHEN row_number() OVER () > :n THEN :e ELSE TRUE END", n=count, e=refusal)


def column(name: str, table: str | None = None) -> Expr:
    """A column under a quoted name."""
    return exp.Column(
        this=exp.Identifier(this=name, quoted=True), table=exp.Identifier(this=table, quoted=True) if table else None
    )


def cast(tree: Expr, kind: str) -> Expr:
    """CAST(tree AS kind)."""
    return exp.Cast(this=tree, to=_type(kind))


def call(name: str, *args: Any) -> Expr:
    """A function by DuckDB's own name."""
    return exp.Anonymous(this=name, expressions=[tree_of(arg) for arg in args])


def alias(tree: Expr, name: str) -> Expr:
    """tree AS "name"."""
    return exp.Alias(this=tree, alias=exp.Identifier(this=name, quoted=True))


def all_of(parts: Iterable[Expr]) -> Expr:
    """AND, folded: TRUE where empty, FALSE where one part is FALSE."""
    rest: list[Expr] = []
    for part in parts:
        if part == FALSE:
            return FALSE
        if part != TRUE:
            rest.append(closed(part))
    return _balanced(exp.And, rest) if rest else TRUE


def any_of(parts: Iterable[Expr]) -> Expr:
    """OR, folded: FALSE where empty, TRUE where one part is TRUE."""
    rest: list[Expr] = []
    for part in parts:
        if part == TRUE:
            return TRUE
        if part != FALSE:
            rest.append(closed(part))
    return _balanced(exp.Or, rest) if rest else FALSE


def _balanced(kind: type[exp.Connector], parts: Sequence[Expr]) -> Expr:
    """A tree of logarithmic depth: thousands of terms must not exhaust anybody's stack."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    left, right = _balanced(kind, parts[:half]), _balanced(kind, parts[half:])
    joined: Any = kind(this=left, expression=right)
    assert isinstance(joined, exp.Expression)
    return joined


def negate(tree: Expr) -> Expr:
    """Two-valued NOT: true where the tree is false or null."""
    if tree in (TRUE, FALSE):
        return FALSE if tree == TRUE else TRUE
    return exp.Not(this=exp.Coalesce(this=tree, expressions=[exp.Boolean(this=False)]))


TRUE: Expr = exp.Boolean(this=True)
FALSE: Expr = exp.Boolean(this=False)
NULL: Expr = exp.Null()
