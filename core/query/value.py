"""`Value`: an expression of the language in SQL, as one SQL expression for each kind it may have.

A field can be a number in one event and text in the next. So a value is a mapping kind → SQL expression, of which in
every row at most one is not null; a value without kinds is null. Nothing is packed into a variant: each comparison asks
the kinds it can match, group keys are the columns of all kinds together, and results are put together at the very end.

Kinds: int (BIGINT) · float (DOUBLE) · bool · text · json (JSON as VARCHAR) · time (TIMESTAMP_NS, UTC) · severity
(UTINYINT) · duration (BIGINT, nanoseconds).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from ...plugins.severity import NAMES
from . import sql
from .sql import Expr
from .tree import Node

SQL_TYPES = {
    "int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN", "text": "VARCHAR", "json": "VARCHAR", "time": "TIMESTAMP_NS",
    "severity": "UTINYINT", "duration": "BIGINT",
}  # fmt: skip
ORDER = tuple(SQL_TYPES)
NUMERIC = ("int", "float", "severity", "duration")


@dataclass(frozen=True)
class Value:
    """SQL by kind. `node` is what was written, where its meaning depends on the other side (`severity >= warn`)."""

    kinds: Mapping[str, Expr] = field(default_factory=dict)
    node: Node | None = None

    @property
    def is_null(self) -> bool:
        """Whether it is null in every row."""
        return not self.kinds

    @property
    def type(self) -> str:
        """The name shown for it: its kind, `number` for int and float together, `mixed`, or `null`."""
        kinds = set(self.kinds)
        if len(kinds) < 2:
            return next(iter(kinds), "null")
        return "number" if kinds <= {"int", "float"} else "mixed"

    def has(self, *kinds: str) -> bool:
        """Whether it can be of one of the kinds."""
        return any(kind in self.kinds for kind in kinds)

    def map(self, change: Callable[[str, Expr], Expr]) -> Value:
        """The same kinds with other SQL."""
        return Value({kind: change(kind, tree) for kind, tree in self.kinds.items()})


def one(kind: str, tree: Expr) -> Value:
    """A value of a single kind."""
    return Value({kind: tree})


def present(value: Value) -> Expr:
    """Whether it is not null."""
    return sql.any_of(sql.sql(":x IS NOT NULL", x=tree) for tree in value.kinds.values())


def text_number(tree: Expr) -> Expr:
    """The finite number that a text looks like, as DOUBLE; null where it is none."""
    return sql.sql("CASE WHEN ISFINITE(TRY_CAST(:x AS DOUBLE)) THEN TRY_CAST(:x AS DOUBLE) END", x=tree)


def severity_text(tree: Expr) -> Expr:
    """The level's name; a number outside 1 to 24 as it is."""
    names = [exp.If(this=sql.integer(number), true=exp.Literal.string(name)) for number, name in NAMES.items()]
    return exp.Case(this=tree.copy(), ifs=names, default=sql.cast(tree.copy(), "VARCHAR"))


def time_text(tree: Expr) -> Expr:
    """RFC 3339 with nine digits."""
    return sql.sql("strftime(:x, '%Y-%m-%dT%H:%M:%S.%nZ')", x=tree)


def texts(value: Value) -> dict[str, Expr]:
    """Each kind's text form: what `field:"…"` compares with and what text functions take."""
    forms: dict[str, Callable[[Expr], Expr]] = {
        "text": lambda tree: tree, "json": lambda tree: tree, "severity": severity_text, "time": time_text,
    }  # fmt: skip
    return {kind: forms.get(kind, lambda tree: sql.cast(tree, "VARCHAR"))(tree) for kind, tree in value.kinds.items()}  # type: ignore[no-untyped-call]


def as_text(value: Value) -> Expr:
    """One VARCHAR of all kinds."""
    return coalesce(list(texts(value).values()), "VARCHAR")


def as_number(value: Value) -> Value:
    """The value as a number: int where every row's is whole for sure, else float; texts that look like one count."""
    numbers: dict[str, Expr] = {}
    for kind, tree in value.kinds.items():
        if kind == "int":
            numbers[kind] = tree
        elif kind in ("severity", "duration"):
            numbers[kind] = sql.cast(tree, "BIGINT") if kind == "severity" else tree
        elif kind == "float":
            numbers[kind] = tree
        elif kind in ("text", "json"):
            numbers[kind] = text_number(tree)
    if set(numbers) <= {"int", "severity"} and len(numbers) == 1:
        return one("int", next(iter(numbers.values())))
    if set(numbers) == {"duration"}:
        return one("duration", numbers["duration"])
    if not numbers:
        return Value()
    return one("float", coalesce([sql.cast(tree, "DOUBLE") for tree in numbers.values()], "DOUBLE"))


def as_condition(value: Value) -> Expr:
    """The value as a condition: booleans, and the texts `true` and `false`; anything else is null."""
    parts = []
    for kind, tree in value.kinds.items():
        if kind == "bool":
            parts.append(tree)
        elif kind in ("text", "json"):
            parts.append(sql.sql("CASE WHEN :x = 'true' THEN TRUE WHEN :x = 'false' THEN FALSE END", x=tree))
    return coalesce(parts, "BOOLEAN")


def coalesce(trees: list[Expr], kind: str) -> Expr:
    """The first that is not null; a typed null of none."""
    if not trees:
        return sql.cast(sql.NULL.copy(), kind)
    return trees[0] if len(trees) == 1 else exp.Coalesce(this=trees[0], expressions=trees[1:])


def group_key(value: Value) -> Value:
    """The value as a group key: a float that is whole joins the ints, so that 200 and 200.0 are one group."""
    if not ("int" in value.kinds and "float" in value.kinds):
        return value
    whole = sql.sql(
        "TRY_CAST(CASE WHEN :f = trunc(:f) AND abs(:f) < 9.2e18 THEN :f END AS BIGINT)", f=value.kinds["float"]
    )
    kinds = dict(value.kinds)
    kinds["int"] = exp.Coalesce(this=value.kinds["int"], expressions=[whole])
    kinds["float"] = sql.sql("CASE WHEN :w IS NULL THEN :f END", w=whole, f=value.kinds["float"])
    return Value(kinds)


def comparable(left: Value, right: Value) -> tuple[Expr, Expr]:
    """The two as expressions that are equal where the values are: of one kind as they are, else as texts."""
    if set(left.kinds) == set(right.kinds) and len(left.kinds) == 1:
        return next(iter(left.kinds.values())), next(iter(right.kinds.values()))
    return key_text(left), key_text(right)


def key_text(value: Value) -> Expr:
    """The text form, in which 200.0 is 200."""
    if "float" in value.kinds and "int" not in value.kinds:
        value = Value({"int": sql.cast(sql.NULL.copy(), "BIGINT"), **value.kinds})
    return as_text(group_key(value))


def choose(condition: Expr, yes: Value, no: Value) -> Value:
    """`yes` where the condition holds, else `no`, each with the kinds of both."""
    kinds = {}
    for kind in ORDER:
        if kind in yes.kinds or kind in no.kinds:
            kinds[kind] = sql.sql(
                "CASE WHEN :c THEN :a ELSE :b END",
                c=condition, a=yes.kinds.get(kind, sql.NULL), b=no.kinds.get(kind, sql.NULL),
            )  # fmt: skip
    return Value(kinds)


def sort_keys(value: Value) -> list[Expr]:
    """What to order by: numbers (times, levels, durations) before booleans before texts; nulls are last either way."""
    keys: list[Expr] = []
    numbers = {kind: tree for kind, tree in value.kinds.items() if kind in NUMERIC}
    if len(numbers) > 1:
        keys.append(coalesce([sql.cast(tree, "DOUBLE") for tree in numbers.values()], "DOUBLE"))
    else:
        keys += numbers.values()
    keys += [value.kinds[kind] for kind in ("time", "bool") if kind in value.kinds]
    rest = [value.kinds[kind] for kind in ("text", "json") if kind in value.kinds]
    return keys + ([coalesce(rest, "VARCHAR")] if rest else [])
