"""What Lark calls for every rule it has read, bottom up: a method makes the tree's node from the rule's children."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from lark import Token, Transformer
from msgspec import structs

from . import literals
from .extract import named_as_re2_does
from .heads import known_head
from .severity import severity_range
from .stage import Stage, Use
from .tree import (
    EVENTS,
    And,
    Arithmetic,
    Bare,
    Call,
    Compare,
    Constant,
    Duration,
    Everything,
    FieldCompare,
    FieldContains,
    FieldMatches,
    FieldPresent,
    FieldRange,
    In,
    InTable,
    IsNull,
    Mistake,
    Name,
    Named,
    Negative,
    Node,
    Not,
    Number,
    Or,
    Parameter,
    Place,
    Query,
    Regex,
    Saved,
    Text,
    Word,
)  # fmt: skip

RANGE = re.compile(r"(.+?)\.\.(.+)", re.DOTALL)


def place(token: Token) -> Place:
    """Where a token stands."""
    return Place(token.line or 1, token.column or 1)


def field_name(token: Token) -> Name:
    """A field as typed; in backticks it may have any character."""
    return Name(literals.unquote(token) if token[0] == "`" else str(token), at=place(token))


class TreeBuilder(Transformer[Token, Query]):
    """Rule names are method names; a stage's rule is its class's `build`."""

    def __init__(self, stages: dict[str, type[Stage]]) -> None:
        super().__init__()
        for name, stage in stages.items():
            setattr(self, name, lambda children, stage=stage: stage.build(place(children[0]), children[1:]))

    def start(self, children: list[Any]) -> Query:
        head, *rest = children
        name = EVENTS if head is None else known_head(head.split()[1], place(head))
        return structs.replace(self.query(rest[0] or Everything(), rest[1:]), head=name)

    def subquery(self, children: list[Any]) -> Query:
        opened, search, *stages = children
        # With its place, so that no two sub-queries are equal: they may read different ranges.
        return self.query(search or Everything(at=place(opened)), stages)

    def query(self, search: Node, children: list[Any]) -> Query:
        return Query(search, placed(search, children))

    # ---- search -----------------------------------------------------------------------------------------------------

    def group(self, children: list[Node]) -> Node:
        return children[0]

    def search_or(self, children: list[Node]) -> Node:
        return Or(tuple(children), at=children[0].at)

    def search_and(self, children: list[Node]) -> Node:
        return And(tuple(children), at=children[0].at)

    def not_(self, children: list[Node]) -> Node:
        return Not(children[0], at=children[0].at)

    def word(self, children: list[Token]) -> Node:
        return Word(str(children[0]), at=place(children[0]))

    def everything(self, children: list[Token]) -> Node:
        return Everything(at=place(children[0]))

    def field_term(self, children: list[Any]) -> Node:
        field, (op, value) = field_name(children[0]), children[1]
        return test(field, op, value)

    def test_compare(self, children: list[Any]) -> tuple[str, Any]:
        op = str(children[0]).replace("==", "=")
        if op != "=" and op != "!=" and not isinstance(children[1], Token):
            raise Mistake(f"`{op}` takes one value", place(children[0]), "lists and expressions go with `:` or `in`")
        return op, children[1]

    def test_is(self, children: list[Any]) -> tuple[str, Any]:
        return ":", children[0]

    def test_contains(self, children: list[Any]) -> tuple[str, Any]:
        return "~", children[0]

    def test_in(self, children: list[Any]) -> tuple[str, Any]:
        return ":", list(children)

    expr_test = field_test = lambda self, children: children[0]

    def list_(self, children: list[Any]) -> list[Any]:
        return children

    # ---- expressions ------------------------------------------------------------------------------------------------

    expr_or, expr_and = search_or, search_and

    def comparing(self, children: list[Any]) -> Node:
        left, op, right = children
        return Compare(str(op).lower().replace("==", "="), left, right, at=place(op))

    def comparing_not(self, children: list[Any]) -> Node:
        return Not(self.comparing(children), at=place(children[1]))

    def in_(self, children: list[Node]) -> Node:
        return In(children[0], tuple(children[1:]), at=children[0].at)

    def not_in(self, children: list[Node]) -> Node:
        return Not(self.in_(children), at=children[0].at)

    def in_table(self, children: list[Any]) -> Node:
        return InTable(children[0], children[1].name, at=children[1].at)

    def not_in_table(self, children: list[Any]) -> Node:
        return Not(self.in_table(children), at=children[0].at)

    def is_null(self, children: list[Any]) -> Node:
        return IsNull(children[0], at=children[0].at)

    def is_not_null(self, children: list[Any]) -> Node:
        return Not(self.is_null(children), at=children[0].at)

    def arithmetic(self, children: list[Any]) -> Node:
        left = children[0]
        for op, right in zip(children[1::2], children[2::2], strict=True):
            left = Arithmetic(str(op), left, right, at=place(op))
        return left  # type: ignore[no-any-return]

    def signed(self, children: list[Any]) -> Node:
        sign, item = children
        if sign == "+":
            return item  # type: ignore[no-any-return]
        match item:
            case Number(value=value, written=written):
                typed = written[1:] if written.startswith("-") else f"-{written}" if written else ""
                return Number(-value, typed, at=place(sign))
            case Duration(ns=ns):
                return Duration(-ns, at=place(sign))
        return Negative(item, at=place(sign))

    def number(self, children: list[Token]) -> Node:
        value = literals.number(str(children[0]))
        if value is None:
            raise Mistake(f"the number {children[0][:20]} is out of range", place(children[0]))
        return Number(value, at=place(children[0]))

    def duration(self, children: list[Token]) -> Node:
        ns = literals.duration(str(children[0]))
        if ns is None:
            raise Mistake(f"the duration {children[0][:20]} is out of range", place(children[0]))
        return Duration(ns, at=place(children[0]))

    def size(self, children: list[Token]) -> Node:
        value = literals.size(str(children[0]))
        if value is None:
            raise Mistake(f"no such size: {children[0][:20]}", place(children[0]), "sizes: 10KB, 1MiB, 2GB")
        return Number(value, str(children[0]), at=place(children[0]))

    def constant(self, children: list[Token]) -> Node:
        return Constant({"true": True, "false": False, "null": None}[children[0].lower()], at=place(children[0]))

    def name(self, children: list[Token]) -> Node:
        return field_name(children[0])

    def text(self, children: list[Token]) -> Node:
        return text_of(children[0])

    def regex(self, children: list[Token]) -> Node:
        return regex_of(children[0])

    def call(self, children: list[Any]) -> Node:
        name, *args = children
        return Call(literals.lower(name), tuple(arg for arg in args if arg is not None), at=place(name))

    def parameter(self, children: list[Token]) -> Node:
        return Parameter(str(children[0])[1:], at=place(children[0]))

    def saved(self, children: list[Any]) -> Node:
        name, *args = children
        return Saved(literals.unquote(name[:-1]), tuple(arg for arg in args if arg is not None), at=place(name))

    def used(self, children: list[Saved]) -> Stage:
        return Use(saved=children[0], at=children[0].at)

    # ---- parts of stages --------------------------------------------------------------------------------------------

    def names(self, children: list[Name]) -> tuple[Name, ...]:
        return tuple(children)

    def named(self, children: list[Any]) -> Named:
        node, name = children
        return Named(node, name.name if name is not None else None, node.at)

    def keys(self, children: list[Named]) -> tuple[Named, ...]:
        return tuple(children)

    def assign(self, children: list[Any]) -> Named:
        name, op, node = children
        if op != "=":
            raise Mistake(f"unexpected `{op}`, expected `=`", place(op), "as in `extend seconds = took / 1000`")
        return Named(node, name.name, name.at)


def placed(search: Node, stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The stages, each with what it needs to know of those before and behind it."""
    made = tuple[Stage, ...]()
    for i, stage in enumerate(stages, start=1):
        made = (*made, stage.placed_before(stages[i:]).placed_after(search, made))
    return made


def text_of(token: Token) -> Text:
    """A text in double or single quotes."""
    return Text(literals.unquote(token), token[0] == "'", at=place(token))


def regex_of(token: Token) -> Regex:
    """A regular expression between slashes."""
    body, _, flags = token[1:].rpartition("/")
    return Regex(named_as_re2_does(body.replace(r"\/", "/")), flags.lower() == "i", at=place(token))


def test(field: Name, op: str, value: Token | Regex | Sequence[Any]) -> Node:
    """The term that `field op value` means, as far as the field's kind does not matter."""
    if isinstance(value, list):
        found = Or(tuple(test(field, ":", item) for item in value), at=field.at)
        return And((FieldPresent(field, at=field.at), Not(found, at=field.at)), at=field.at) if op == "!=" else found
    if isinstance(value, Regex):
        matches = FieldMatches(field, value, at=field.at)
        return (
            And((FieldPresent(field, at=field.at), Not(matches, at=field.at)), at=field.at) if op == "!=" else matches
        )
    assert isinstance(value, Token)
    if value.type in ("STRING", "EXACT"):
        literal: Bare | Text = text_of(value)
    elif op == ":" and value == "*":
        return FieldPresent(field, at=field.at)
    else:
        literal = Bare(str(value), at=place(value))
        if op == ":" and (match := RANGE.fullmatch(literal.text)) and ordered(match[1]) and ordered(match[2]):
            high = Place(literal.at.line, literal.at.column + match.start(2))
            return FieldRange(field, Bare(match[1], at=literal.at), Bare(match[2], at=high), at=field.at)
    if op == "~":
        return FieldContains(field, literal.text, at=field.at)
    return FieldCompare(field, op, literal, at=field.at)


def ordered(text: str) -> bool:
    """Whether a text is something a range can end with: a number, a level or a time. `a..b` in a path is none."""
    return (
        literals.number(text) is not None
        or severity_range(text) is not None
        or literals.time_ns(text, 0, ZoneInfo("UTC")) is not None
    )
