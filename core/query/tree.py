"""The tree of a query: frozen values, each with its place in the text, independent of any SQL dialect.

    Query ─ search: Node            what the events must be
          └ stages: tuple[Stage]    what is done with them (core/query/stages, one file each)

A `Node` is a search term or an expression: one family, because `where` takes both. Values stay as they were written
(`Bare`, `Text`) where their meaning depends on the field: `error` is a level beside `severity`, else a text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ...plugins.errors import QueryError

EVENTS = "events"  # what a query reads where its head says nothing else
MAX_DEPTH = (
    40  # nested parentheses, `not`s, calls: the SQL writer and DuckDB recurse over them, so the sum stays bounded
)
MAX_NODES = 4000  # terms of one query: beyond, planning alone would take seconds
MAX_QUERIES = 16  # sub-queries of one query; each scans its segments again
MAX_NESTED = 4  # sub-queries within one another


class Place(msgspec.Struct, frozen=True):
    """Where something stands in the text; both count from 1.

    `within` are the saved queries that it came out of, for messages: the place is that of their use.
    """

    line: int = 1
    column: int = 1
    within: str = ""

    def prefixed(self, message: str) -> str:
        """The message, with where it comes from."""
        return f"in {self.within}: {message}" if self.within else message


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A search term or an expression."""

    at: Place = Place()

    def children(self) -> Iterator[Node]:
        """The nodes directly below this one, in the order of the text."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Node):
                yield value
            elif isinstance(value, tuple):
                yield from (item for item in value if isinstance(item, Node))

    def walk(self) -> Iterator[Node]:
        """This node and all below it."""
        yield self
        for child in self.children():
            yield from child.walk()


# ---- values ---------------------------------------------------------------------------------------------------------


class Bare(Node, frozen=True):
    """A value as typed, without quotes, beside a field in a search: a number, a level, a time or a text."""

    text: str


class Text(Node, frozen=True):
    """A quoted text. As a term of its own it is a phrase; `exact` (single quotes) respects the case."""

    text: str
    exact: bool = False


class Number(Node, frozen=True):
    """A number, or a size (`10KB` is 10000): `written` is how a size was typed."""

    value: int | float
    written: str = ""


class Duration(Node, frozen=True):
    """A span of time in nanoseconds."""

    ns: int


class Constant(Node, frozen=True):
    """true, false or null."""

    value: bool | None


class Regex(Node, frozen=True):
    """An RE2 regular expression between slashes. As a term of its own it searches the message."""

    pattern: str
    ignore_case: bool = False


# ---- search terms ---------------------------------------------------------------------------------------------------


class Everything(Node, frozen=True):
    """The empty search."""


class Word(Node, frozen=True):
    """A word in the search: the message contains it, ignoring case."""

    text: str


class Name(Node, frozen=True):
    """A field."""

    name: str


class FieldCompare(Node, frozen=True):
    """`field op value`; op is one of : = != < <= > >=, and `:` takes globs, ranges and networks besides values."""

    field: Name
    op: str
    value: Bare | Text


class FieldRange(Node, frozen=True):
    """`field:low..high`, both ends included."""

    field: Name
    low: Bare
    high: Bare


class FieldMatches(Node, frozen=True):
    """`field:/regex/`."""

    field: Name
    regex: Regex


class FieldContains(Node, frozen=True):
    """`field~"text"`, ignoring case."""

    field: Name
    text: str


class FieldPresent(Node, frozen=True):
    """`field:*`."""

    field: Name


class And(Node, frozen=True):
    """All of them."""

    items: tuple[Node, ...]


class Or(Node, frozen=True):
    """Any of them."""

    items: tuple[Node, ...]


class Not(Node, frozen=True):
    """True where the item is false or null: two-valued, so that `-status:200` keeps events without a status."""

    item: Node


# ---- expressions ----------------------------------------------------------------------------------------------------


class Arithmetic(Node, frozen=True):
    """`left op right`; op is one of + - * / %."""

    op: str
    left: Node
    right: Node


class Negative(Node, frozen=True):
    """`-x`: a number with its sign changed; without a condition, if x is one."""

    item: Node


class Compare(Node, frozen=True):
    """`left op right`; op is one of = != < <= > >= like matches contains startswith endswith."""

    op: str
    left: Node
    right: Node


class In(Node, frozen=True):
    """`item in (a, b)`."""

    item: Node
    values: tuple[Node, ...]


class InTable(Node, frozen=True):
    """`item in TABLE`: a value of the first column of a lookup table."""

    item: Node
    table: str


class IsNull(Node, frozen=True):
    """`item is null`."""

    item: Node


class Call(Node, frozen=True):
    """A function or, in an aggregation, an aggregate; the name is in lower case."""

    name: str
    args: tuple[Node, ...]


class Saved(Node, frozen=True):
    """`` `name`(args) ``: a saved query, put in where this stands before anything is planned (saved.py)."""

    name: str
    args: tuple[Node, ...]


class Parameter(Node, frozen=True):
    """`$name` in a saved query: the argument of that name."""

    name: str


# ---- the query ------------------------------------------------------------------------------------------------------


class Named(msgspec.Struct, frozen=True):
    """An expression with the name of the column it becomes; `None`: the name is made from the expression."""

    node: Node
    name: str | None
    at: Place


class Query(msgspec.Struct, frozen=True):
    """A whole query; `stages` hold Stage values of core/query/stages. `text` is what was typed.

    `head` is what it reads: the events, or one of core/query/heads.py.
    """

    search: Node
    stages: tuple[Any, ...]
    text: str = ""
    head: str = EVENTS

    def error(self, message: str, at: Place, hint: str = "") -> QueryError:
        """An error that points into this query."""
        return QueryError(at.prefixed(message), text=self.text, line=at.line, column=at.column, hint=hint)


class Part(msgspec.Struct, frozen=True):
    """A sub-query as it is read: events seem `shift_ns` later than they were."""

    query: Query
    shift_ns: int = 0


class Mistake(Exception):  # noqa: N818 - it is the user's, and becomes a QueryError where the text is known
    """Something wrong at a place; `parse` and `plan` turn it into a QueryError with the query's text."""

    def __init__(self, message: str, at: Place = Place(), hint: str = "") -> None:  # noqa: B008 - frozen
        super().__init__(message)
        self.message, self.at, self.hint = message, at, hint

    def error(self, text: str) -> QueryError:
        """The error for the user."""
        message = self.at.prefixed(self.message)
        return QueryError(message, text=text, line=self.at.line, column=self.at.column, hint=self.hint)
