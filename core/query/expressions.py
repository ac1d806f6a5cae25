"""Expressions to SQL: every node becomes a Value, that is, gets its kinds, before anything runs."""

from __future__ import annotations

from sqlglot import exp

from . import compare, literals, sql
from .function import find_function
from .lookups import Lookup, table_of
from .scope import Scope, find, lookup
from .severity import severity_range
from .sql import Expr
from .terms import field_compare, glob, matches, over_texts, term
from .tree import (
    And,
    Arithmetic,
    Bare,
    Call,
    Compare,
    Constant,
    Duration,
    In,
    InTable,
    IsNull,
    Mistake,
    Name,
    Negative,
    Node,
    Not,
    Number,
    Or,
    Regex,
    Text,
    Word,
)  # fmt: skip
from .value import Value, as_condition, as_number, as_text, comparable, one, present, texts

CONDITIONS = (And, Or, Not, Compare, In, InTable, IsNull)


def condition(node: Node, scope: Scope) -> Expr:
    """The node as a condition: true, or else false or null."""
    match node:
        case And(items=items):
            return sql.all_of(condition(item, scope) for item in items)
        case Or(items=items):
            return sql.any_of(condition(item, scope) for item in items)
        case Not(item=item):
            return sql.negate(condition(item, scope))
        case Compare(op=op, left=left, right=right):
            return comparison(op, left, right, scope)
        case In(item=item, values=items):
            return sql.any_of(comparison("=", item, value, scope) for value in items)
        case InTable(item=item, table=name):
            table = table_of(scope.context.lookups, name, node.at)
            return sql.FALSE if table is None else in_first_column(compute(item, scope), table)
        case IsNull(item=item):
            return sql.negate(present(compute(item, scope)))
        case Constant(value=constant):
            return sql.TRUE if constant else sql.FALSE
        case Negative(item=item) if term(item, scope) is not None or isinstance(item, CONDITIONS):
            return sql.negate(condition(item, scope))
        case Name(name=name) if find(scope, name) is None and find(scope, "message") is not None:
            return scope.phrase(name)
    if (found := term(node, scope)) is not None:
        return found
    value = compute(node, scope)
    if not value.is_null and not value.has("bool", "text", "json"):
        raise Mistake(f"this is a {value.type}, not a condition", node.at, "compare it, as in `x > 0`")
    return as_condition(value)


def in_first_column(value: Value, table: Lookup) -> Expr:
    """Whether the value is one of a table's first column."""
    left, right = comparable(value, next(iter(table.values().values())))
    chosen = exp.Select(expressions=[right]).from_(exp.Table(this=exp.to_identifier(table.view, quoted=True)))
    return exp.In(this=left, query=exp.Subquery(this=chosen.where(sql.sql(":x IS NOT NULL", x=right), copy=False)))


def compute(node: Node, scope: Scope) -> Value:
    """The node as a value."""
    match node:
        case Name():
            return lookup(scope, node)
        case Number(value=number):
            kind = "int" if isinstance(number, int) and -(2**63) <= number < 2**63 else "float"
            return Value({kind: sql.tree_of(number if kind == "int" else float(number))}, node)
        case Text(text=text):
            return Value({"text": sql.text(text)}, node)
        case Duration(ns=ns):
            return Value({"duration": sql.integer(ns)}, node)
        case Constant(value=None):
            return Value()
        case Constant(value=value):
            return one("bool", sql.tree_of(value))
        case Regex():
            raise Mistake(
                "a /regular expression/ is no value", node.at, "it stands alone, or after `matches` or `field:`"
            )
        case Arithmetic():
            return arithmetic(node, scope)
        case Negative(item=item):
            return compute(Arithmetic("-", Number(0), item, at=node.at), scope)
        case Call():
            aggregate = scope.aggregate(node)
            return aggregate if aggregate is not None else find_function(node)(Arguments(node, scope))
        case Word() | Bare():
            raise Mistake("a bare word is no value here", node.at, "write texts in quotes")
    return one("bool", condition(node, scope))


class Arguments:
    """The arguments of a call, computed when a function asks for them."""

    def __init__(self, call: Call, scope: Scope) -> None:
        self.call, self.scope = call, scope

    def __len__(self) -> int:
        return len(self.call.args)

    def value(self, i: int) -> Value:
        """The argument as a value of any kind."""
        return compute(self.call.args[i], self.scope)

    def text(self, i: int) -> Expr:
        """The argument's text form."""
        return as_text(self.value(i))

    def number(self, i: int) -> Value:
        """The argument as a number; null where it looks like none."""
        return as_number(self.value(i))

    def condition(self, i: int) -> Expr:
        """The argument as a condition."""
        return condition(self.call.args[i], self.scope)

    def node(self, i: int) -> Node:
        """The argument as written, for those that must be constants."""
        return self.call.args[i]


def comparison(op: str, left: Node, right: Node, scope: Scope) -> Expr:
    """`left op right`, where a literal on one side is read by the kind of the other."""
    if op in ("like", "matches", "contains", "startswith", "endswith"):
        return text_test(op, left, right, scope)
    if isinstance(left, Number | Text | Duration) and not isinstance(right, Number | Text | Duration):
        return comparison(compare.FLIPPED[op], right, left, scope)
    value = compute(left, scope)
    if (
        isinstance(right, Name)
        and "severity" in value.kinds
        and find(scope, right.name) is None
        and severity_range(right.name)
    ):
        right = Text(right.name, at=right.at)
    if isinstance(right, Constant) and right.value is None:
        hint = "write `is null` or `is not null`"
        raise Mistake("null equals nothing", right.at, hint)
    if isinstance(right, Text) and value.has("severity", "time"):
        parts = [special(value, op, right, scope)]
        rest = Value({kind: tree for kind, tree in value.kinds.items() if kind not in ("severity", "time")})
        return sql.any_of([*parts, compare.with_text(rest, op, right.text)])
    if isinstance(right, Text):
        return compare.with_text(value, op, right.text)
    if isinstance(right, Number):
        return compare.with_number(value, op, right.value)
    if isinstance(right, Duration) and "time" in value.kinds:
        now_ns = scope.context.ask(lambda context: context.now_ns)
        return compare.apply(op, value.kinds["time"], sql.time(in_range(now_ns + right.ns)))
    if isinstance(right, Duration) and not value.is_null and not value.has("duration", "text"):
        raise Mistake("a duration is compared with something that is none", right.at,
                      "write the number in the field's own unit, or a difference of times")  # fmt: skip
    return compare.values(op, value, compute(right, scope))


def in_range(ns: int) -> int:
    """An instant held within what 64 bits of nanoseconds can say."""
    return max(-(2**63) + 10**18, min(2**63 - 10**18, ns))


def special(value: Value, op: str, literal: Text, scope: Scope) -> Expr:
    """A level or time compared with a text that names one."""
    kinds = {kind: tree for kind, tree in value.kinds.items() if kind in ("severity", "time")}

    class Only:
        """A scope whose only field is this value."""

        context = scope.context
        missing = scope.missing
        phrase = scope.phrase
        aggregate = scope.aggregate

        def field(self, name: str) -> Value | None:
            return Value(kinds)

        def known(self) -> list[str]:
            return []

    return field_compare(Name("value", at=literal.at), op, literal, Only())


def text_test(op: str, left: Node, right: Node, scope: Scope) -> Expr:
    """like, matches, contains, startswith, endswith: over the text form; `contains` ignores case, as everywhere."""
    value = compute(left, scope)
    if op == "matches":
        match right:
            case Regex():
                return matches(value, right)
            case Text(text=text):
                return matches(value, Regex(text, at=right.at))
        raise Mistake("`matches` takes a /regular expression/", right.at)
    if op == "contains" and isinstance(left, Name) and left.name == "message" and isinstance(right, Text):
        return scope.phrase(right.text)
    needle = as_text(compute(right, scope)) if not isinstance(right, Text) else sql.text(right.text)
    match op:
        case "contains":
            folded = sql.text(literals.lower(right.text)) if isinstance(right, Text) else sql.sql("lower(:y)", y=needle)
            return over_texts(value, lambda tree: sql.sql("contains(lower(:x), :y)", x=tree, y=folded))
        case "startswith":
            return over_texts(value, lambda tree: sql.sql("starts_with(:x, :y)", x=tree, y=needle))
        case "endswith":
            return over_texts(value, lambda tree: sql.sql("suffix(:x, :y)", x=tree, y=needle))
    if isinstance(right, Text) and "*" in right.text and "%" not in right.text:
        return over_texts(value, glob(right.text))
    return over_texts(value, lambda tree: sql.sql(":x LIKE :y", x=tree, y=needle))


def arithmetic(node: Arithmetic, scope: Scope) -> Value:
    """+ - * / % over numbers, times and durations. `/` always gives a float; division by zero gives null."""
    left, right = compute(node.left, scope), compute(node.right, scope)
    op = node.op
    if left.is_null or right.is_null:
        return Value()
    if left.has("time") or right.has("time"):
        return with_times(node, left, right)
    for side, value in ((node.left, left), (node.right, right)):
        if set(value.kinds) == {"bool"}:
            raise Mistake("a condition is no number", side.at, "use if(condition, 1, 0)")
        if isinstance(side, Text):
            raise Mistake("a text is no number", side.at, "join texts with concat(a, b)")
    left, right = as_number(left), as_number(right)
    a, b = next(iter(left.kinds.values())), next(iter(right.kinds.values()))
    durations = left.has("duration") + right.has("duration")
    if op == "/":
        return one("float", sql.sql("CAST(:a AS DOUBLE) / NULLIF(CAST(:b AS DOUBLE), 0)", a=a, b=b))
    if op == "%":
        if left.has("float") or right.has("float"):
            a, b = sql.cast(a, "DOUBLE"), sql.cast(b, "DOUBLE")
        return one(
            "float" if left.has("float") or right.has("float") else "int", sql.sql(":a % NULLIF(:b, 0)", a=a, b=b)
        )
    is_float = left.has("float") or right.has("float")
    tree = sql.sql(f":a {op} :b", a=a, b=b)
    if (durations and op == "*" and durations < 2) or (
        durations and op in "+-" and (durations == 2 or zero(node.left))
    ):
        return one("duration", sql.cast(tree, "BIGINT") if is_float else tree)
    if durations:
        raise Mistake(f"`{op}` does not fit a duration here", node.at, "durations add to durations and times")
    return one("float" if is_float else "int", tree)


def zero(node: Node) -> bool:
    """Whether it is the zero that a sign is made with."""
    return isinstance(node, Number) and node.value == 0


def with_times(node: Arithmetic, left: Value, right: Value) -> Value:
    """time - time is a duration, time ± duration a time."""
    if node.op == "-" and left.has("time") and right.has("time"):
        return one("duration", sql.sql("epoch_ns(:a) - epoch_ns(:b)", a=left.kinds["time"], b=right.kinds["time"]))
    moment, span = (left, right) if left.has("time") else (right, left)
    if node.op not in "+-" or not span.has("duration") or (node.op == "-" and right.has("time")):
        raise Mistake(
            f"`{node.op}` does not fit a time here", node.at, "time - time, or time ± duration as in now() - 5m"
        )
    return one(
        "time",
        sql.sql(f"make_timestamp_ns(epoch_ns(:a) {node.op} :b)", a=moment.kinds["time"], b=span.kinds["duration"]),
    )


__all__ = ["compute", "condition", "texts"]
