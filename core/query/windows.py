"""What stages over an ordered result share: values of a row made of those before it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from . import sql
from .mistakes import did_you_mean
from .relation import Relation
from .scope import lookup
from .sql import Expr
from .tree import Call, Mistake, Name, Node, Place
from .value import Value, as_number, group_key, one

AVERAGES = ("avg", "sum", "min", "max", "count")


def partition(relation: Relation, by: Sequence[Name]) -> list[Expr]:
    """What parts the rows: the named fields; without names, where rows are groups over time, their other keys."""
    if by:
        values = [group_key(lookup(relation, name)) for name in by]
    else:
        keys = [relation.columns[name] for name in relation.keys if name in relation.columns]
        values = [value for value in keys if "time" not in value.kinds] if any("time" in v.kinds for v in keys) else []
    return [tree for value in values for tree in value.kinds.values()]


def over(tree: Expr, relation: Relation, parts: Sequence[Expr], at: Place, last: int | None = None) -> Expr:
    """The tree as a window function over the rows of the same part, in their order.

    :param last: as many rows, this one among them; None: all up to this one.
    :raises Mistake: where the rows have no order.
    """
    order = relation.ordering()
    if order is None:
        raise Mistake("the rows have no order here", at, "put a `sort` before, or use timechart")
    spec = exp.WindowSpec(
        kind="ROWS",
        start="UNBOUNDED" if last is None else exp.Literal.number(last - 1),
        start_side="PRECEDING",
        end="CURRENT ROW",
    )
    return exp.Window(this=tree, partition_by=[part.copy() for part in parts] or None, order=order, spec=spec)


def previous(tree: Expr, relation: Relation, parts: Sequence[Expr], at: Place) -> Expr:
    """The value in the row before."""
    window = over(sql.call("lag", tree), relation, parts, at)
    window.set("spec", None)
    return window


def the_number(node: Node, relation: Relation, what: str) -> tuple[str, Expr]:
    """The column that a stage works on: its kind and tree.

    :raises Mistake: where it is no number.
    """
    from .expressions import compute

    value = compute(node, relation)
    number = as_number(value)
    if value.is_null:
        return "float", sql.cast(sql.NULL.copy(), "DOUBLE")
    if number.is_null:
        raise Mistake(f"`{what}` needs a number, not a {value.type}", node.at)
    return next(iter(number.kinds.items()))


def aggregate_over(call: Node, relation: Relation, parts: Sequence[Expr], at: Place, last: int | None) -> Value:
    """sum(x), avg(x), min(x), max(x) or count() over the rows up to this one, or over the last ones.

    :raises Mistake: for anything else.
    """
    if not isinstance(call, Call) or call.name not in AVERAGES or len(call.args) != (call.name != "count"):
        name = call.name if isinstance(call, Call | Name) else ""
        raise Mistake("an aggregate of one column is needed here", call.at,
                      did_you_mean(name, AVERAGES, "sum(x), avg(x), min(x), max(x) or count()"))  # fmt: skip
    if call.name == "count":
        return one("int", over(sql.sql("count(*)"), relation, parts, at, last))
    kind, tree = the_number(call.args[0], relation, call.name)
    made = over(sql.call(call.name, tree), relation, parts, at, last)
    if call.name == "avg":
        return one("float", made)
    return one(kind, sql.cast(made, "BIGINT") if call.name == "sum" and kind != "float" else made)
