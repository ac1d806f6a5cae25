"""Comparisons over values of any kind, exact: integers never pass through DOUBLE, only a text that is a number is one.

The result is null or false where a side is missing or the kinds do not meet.
"""

from __future__ import annotations

import math

from . import sql
from .literals import number
from .sql import FALSE, Expr
from .value import Value, present, text_number, texts

FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}
COMPARE = {op: f":x {'<>' if op == '!=' else op} :y" for op in FLIPPED}
EXACT_DOUBLE = 2**53


def apply(op: str, left: Expr, right: Expr | int | float | str) -> Expr:
    """`left op right` in SQL."""
    return sql.sql(COMPARE[op], x=left, y=right)


def int_bound(op: str, value: int | float) -> tuple[str, int] | bool:
    """A comparison of whole numbers with `value`, as one with a whole number; or what it always is.

    >>> int_bound(">", 1.5), int_bound("<", 1.5), int_bound("<=", -1.5), int_bound("=", 1.5), int_bound("=", 2.0)
    (('>', 1), ('<', 2), ('<=', -2), False, ('=', 2))
    """
    if isinstance(value, int) or value == math.floor(value):
        return op, int(value)
    if op in ("=", "!="):
        return op == "!="
    return op, math.floor(value) if op in (">", "<=") else math.ceil(value)


def float_bound(op: str, value: int | float) -> tuple[str, float] | bool:
    """A comparison of doubles with `value`, exact where the double nearest to a large integer is another number.

    >>> float_bound(">", 5), float_bound("=", 2**53 + 1), float_bound(">", 2**53 + 1), float_bound("<", 10**400)
    (('>', 5.0), False, ('>', 9007199254740992.0), True)
    """
    try:
        near = float(value)
    except OverflowError:
        return {"<": value > 0, "<=": value > 0, ">": value < 0, ">=": value < 0}.get(op, op == "!=")
    if near == value:
        return op, near
    if op in ("=", "!="):
        return op == "!="
    return (">" if near < value else ">=") if op in (">", ">=") else ("<" if near > value else "<="), near


def bounded(bound: tuple[str, int | float] | bool, tree: Expr) -> Expr:
    """The SQL of a bound; one that always holds still needs a value."""
    if isinstance(bound, bool):
        return sql.sql(":x IS NOT NULL", x=tree) if bound else FALSE
    return apply(bound[0], tree, bound[1])


def with_number(value: Value, op: str, literal: int | float, written: str = "") -> Expr:
    """Compare with a number: numbers by value, texts that look like a number by that; `!=` is true for other texts."""
    parts = []
    for kind, tree in value.kinds.items():
        if kind in ("int", "duration", "severity"):
            parts.append(bounded(int_bound(op, literal), tree))
        elif kind == "float":
            parts.append(bounded(float_bound(op, literal), tree))
        elif kind in ("text", "json"):
            parts.append(text_with_number(tree, op, literal, written if kind == "text" else ""))
        elif op == "!=":
            parts.append(sql.sql(":x IS NOT NULL", x=tree))
    return sql.any_of(parts)


def text_with_number(tree: Expr, op: str, literal: int | float, written: str) -> Expr:
    """Compare a text with a number; both integers: digit by digit, since doubles blur beyond 2^53."""
    if op == "!=":  # so that a text that is no number is another than any
        equal = text_with_number(tree, "=", literal, written)
        return sql.sql(":x IS NOT NULL AND NOT COALESCE(:e, FALSE)", x=tree, e=equal)
    if isinstance(literal, float) and EXACT_DOUBLE <= abs(literal) < 2**127:
        literal = int(literal)  # a double that large is a whole number
    as_double = text_number(tree)
    found = bounded(float_bound(op, literal), as_double)
    if isinstance(literal, int) and abs(literal) >= EXACT_DOUBLE:
        if abs(literal) >= 2**127:
            return apply(op, tree, written or str(literal)) if op == "=" else found
        whole = sql.sql(
            "CASE WHEN regexp_full_match(:x, '\\s*[+-]?[0-9]+\\s*') THEN TRY_CAST(:x AS HUGEINT) END", x=tree
        )
        found = sql.sql("CASE WHEN :w IS NOT NULL THEN :e ELSE :d END", w=whole, e=apply(op, whole, literal), d=found)
    return found


def with_text(value: Value, op: str, literal: str) -> Expr:
    """Compare with a text: `=` and `!=` the text form of any kind, the others only texts, by code point."""
    parts = []
    for kind, tree in value.kinds.items():
        if kind in ("text", "json"):
            parts.append(apply(op, tree, literal))
        elif kind == "bool" and op in ("=", "!="):
            parts.append(apply(op, tree, literal == "true") if literal in ("true", "false") else other(op, tree))
        elif kind == "int" and op in ("=", "!="):
            whole = number(literal)
            is_form = isinstance(whole, int) and str(whole) == literal and abs(whole) < 2**63 + 1
            parts.append(apply(op, tree, whole) if is_form and whole is not None else other(op, tree))
        elif kind == "float" and op in ("=", "!="):
            near = number(literal)
            is_form = near is not None and literal in (str(near), str(float_or(near)))
            parts.append(bounded(float_bound(op, near), tree) if is_form and near is not None else other(op, tree))
        elif op in ("=", "!="):
            parts.append(apply(op, texts(Value({kind: tree}))[kind], literal))
    return sql.any_of(parts)


def float_or(value: int | float) -> int | float:
    """The number as a double where it is small enough for one."""
    return float(value) if abs(value) < 2**1000 else value


def other(op: str, tree: Expr) -> Expr:
    """The comparison with something that no value of this kind can equal."""
    return sql.sql(":x IS NOT NULL", x=tree) if op == "!=" else FALSE


def with_severity(tree: Expr, op: str, span: tuple[int, int]) -> Expr:
    """Compare a level with a word's range.

    >>> with_severity(sql.column("s"), ">", (13, 16)).sql(), with_severity(sql.column("s"), "<=", (13, 16)).sql()
    ('"s" > 16', '"s" <= 16')
    """
    low, high = span
    if op in ("=", ":"):
        return apply("=", tree, low) if low == high else sql.sql(":x BETWEEN :a AND :b", x=tree, a=low, b=high)
    if op == "!=":
        return apply("!=", tree, low) if low == high else sql.sql(":x NOT BETWEEN :a AND :b", x=tree, a=low, b=high)
    return apply(op, tree, high if op in (">", "<=") else low)


def with_time(tree: Expr, op: str, span: tuple[int, int]) -> Expr:
    """Compare a time with an instant, or, for equality, with the second, minute, hour, day or month that was named."""
    start, length = span
    if op in ("=", ":") and length:
        return sql.sql(":x >= :a AND :x < :b", x=tree, a=sql.time(start), b=sql.time(start + length))
    if op == "!=" and length:
        return sql.sql(":x < :a OR :x >= :b", x=tree, a=sql.time(start), b=sql.time(start + length))
    return apply(op, tree, sql.time(start))


def values(op: str, left: Value, right: Value) -> Expr:
    """Compare two computed values: kinds that meet, by pairs; a text and a number meet where the text is one."""
    same = [kind for kind in ("bool", "time") if left.has(kind) and right.has(kind)]
    parts = [apply(op, left.kinds[kind], right.kinds[kind]) for kind in same]
    left_texts, right_texts = ([v.kinds[k] for k in ("text", "json") if k in v.kinds] for v in (left, right))
    parts += [apply(op, a, b) for a in left_texts for b in right_texts]
    numeric = ("int", "float", "severity", "duration")
    left_numbers, right_numbers = ({k: t for k, t in v.kinds.items() if k in numeric} for v in (left, right))
    parts += [apply(op, a, b) for a in left_numbers.values() for b in right_numbers.values()]
    if left_numbers and right_texts:
        parts += [apply(op, a, text_number(b)) for a in left_numbers.values() for b in right_texts]
    if left_texts and right_numbers:
        parts += [apply(op, text_number(a), b) for a in left_texts for b in right_numbers.values()]
    if op == "!=":
        both = sql.all_of([present(left), present(right)])
        return sql.all_of([both, sql.negate(values("=", left, right))])
    return sql.any_of(parts)
