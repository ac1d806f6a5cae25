"""Where names are looked up while a node becomes SQL: events of one layout, or the relation before a stage."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from ...plugins.errors import QueryError
from ...plugins.fields import STANDARD
from ..storage.segment import FieldColumn
from . import sql
from .literals import lower
from .lookups import Lookup
from .mistakes import did_you_mean, nearest
from .request import MOST_ROWS
from .shaped import NOTHING, Shaped
from .sql import Expr
from .tree import Call, Mistake, Name
from .value import Value, one

STANDARD_KINDS = {
    name: "time" if name in ("timestamp", "observed_timestamp") else "severity" if name == "severity" else "text"
    for name in STANDARD
}
# The internal columns as fields: under names that no attribute can have, since none holds a NUL.
TEMPLATE, POSITION, SEGMENT = "\0template", "\0position", "\0segment"
INTERNAL_COLUMNS = {"_template": TEMPLATE, "_position": POSITION}
# Understood where the data has no field of that name.
ALIASES = {"level": "severity", "time": "timestamp", "@timestamp": "timestamp", "pattern": TEMPLATE}
_UNCASED = re.compile(r"[ -@\[-`{-~]{3,}")  # no character becomes one of these by turning to small letters
MAY_BE_ALIASES = {*ALIASES, "severity_number"}
T = TypeVar("T")


@dataclass(frozen=True)
class Context:
    """What planning is given besides the tree: it asks no clock and no zone database of the machine.

    `start_ns` and `end_ns` bound the times that the rows can have (end exclusive), as far as known; `span_ns` is
    the length of a group's span of time, 0 where that is the range that is asked; `scale` how many events each row
    of a sample stands for; `most_joined` the rows that a join may make; `lookups` the tables that the query names
    (None: any may be there); `shaped` the patterns that people shaped, where the query has to do with patterns.
    `warnings` collects what the answer should say, `asked` what stages and functions made of the times: see `ask`.
    """

    now_ns: int
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    start_ns: int | None = None
    end_ns: int | None = None
    span_ns: int | None = None
    scale: float = 1.0
    most_joined: int = MOST_ROWS
    lookups: Mapping[str, Lookup] | None = None
    shaped: Shaped = NOTHING
    warnings: list[str] = field(default_factory=list)
    asked: list[tuple[Callable[[Context], Any], Any]] = field(default_factory=list)

    def ask(self, question: Callable[[Context], T]) -> T:
        """What a question about `now_ns`, `start_ns` and `end_ns` gives.

        Stages and functions ask so, and do not look themselves: a plan holds at other times too where all its
        questions have the answers that they had (kept_halves.py).
        """
        answer = question(self)
        self.asked.append((question, answer))
        return answer

    def warn(self, message: str) -> None:
        """Add a warning, once."""
        if message not in self.warnings:
            self.warnings.append(message)


class Scope(Protocol):
    """The names of a place in the query."""

    @property
    def context(self) -> Context:
        """What planning is given."""

    def field(self, name: str) -> Value | None:
        """The value under exactly this name; None: there is no such field."""

    def known(self) -> Iterable[str]:
        """The names that exist, for hints."""

    def missing(self, name: Name) -> Value:
        """What an unknown name is: null with a warning where rows are events, a mistake where columns are fixed."""

    def phrase(self, text: str, *, exact: bool = False) -> Expr:
        """Whether the message contains the text; `exact`: in the same case."""

    def aggregate(self, call: Call) -> Value | None:
        """The aggregate of a group that a call means; None where rows are no groups, or it is a plain function."""


def find(scope: Scope, name: str) -> Value | None:
    """The value under a name or what it is an alias of."""
    if (value := scope.field(name)) is not None:
        return value
    if name == "severity_number" and (level := scope.field("severity")) is not None:
        return one("int", sql.cast(level.kinds["severity"], "BIGINT")) if level.has("severity") else Value()
    if name in ALIASES:
        return scope.field(ALIASES[name])
    return None


def lookup(scope: Scope, name: Name) -> Value:
    """The value of a name; see `Scope.missing` for unknown ones."""
    value = find(scope, name.name)
    return scope.missing(name) if value is None else value


def unknown_in_events(context: Context, name: Name, known: Iterable[str]) -> Value:
    """Null, with a warning."""
    names = set(known)
    if names:
        hint = nearest(name.name, names)
        meant = f"did you mean `{hint}`?" if hint else "a text with `:` or `=` in it goes in quotes"
        context.warn(f"no event here has a field `{name.name}`; {meant}")
    return Value()


def unknown_column(name: Name, known: Iterable[str]) -> Mistake:
    """The mistake of naming a column that the stage before does not make."""
    names = sorted(known)
    listed = f"columns here: {', '.join(names[:12])}" if names else "no column is left here"
    return Mistake(f"no column `{name.name}` here", name.at, did_you_mean(name.name, names, listed))


def message_phrase(message: Value | None, text: str, *, exact: bool = False) -> Expr:
    """Whether the message contains the text, ignoring case unless `exact`: the one definition."""
    if message is None or "text" not in message.kinds:
        return sql.FALSE
    if not text:
        return sql.sql(":x IS NOT NULL", x=message.kinds["text"])
    if exact:
        return sql.sql("contains(:x, :y)", x=message.kinds["text"], y=text)
    whole = sql.sql("contains(lower(:x), :y)", x=message.kinds["text"], y=lower(text))
    part = uncased(text)
    return sql.all_of([sql.sql("contains(:x, :y)", x=message.kinds["text"].copy(), y=part), whole]) if part else whole


def uncased(text: str) -> str:
    """The longest part that reads the same in either case, if one is long enough to be worth a look before the whole.

    Turning a message to small letters costs more than searching it, and few messages have the digits of an identifier.

    >>> uncased("9fecb417-93a6-6E80"), uncased("connection refused"), uncased("user 42")
    ('417-93', '', ' 42')
    """
    return max((part for part in _UNCASED.findall(text) if re.search("[0-9]", part)), key=len, default="")


def field_of(column: FieldColumn) -> str:
    """The field that a physical column holds, internal ones under their own names."""
    return INTERNAL_COLUMNS.get(column.column, column.field)


Schema = Mapping[str, tuple[str, ...]]
"""Field → the kinds it has in the segments asked, in ORDER; standard fields are always there."""


def is_after_1970(context: Context) -> bool:
    """Whether no row can be older, as far as known."""
    return context.start_ns is not None and context.start_ns > 0


def range_ns(context: Context) -> int:
    """The length of the range that is asked; without one there is no event either."""
    return max((context.end_ns or 0) - (context.start_ns or 0), 1)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of a request.

    :raises QueryError: if there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise QueryError(f"no time zone `{name[:80]}`", hint="use a name such as UTC or Europe/Berlin") from None
