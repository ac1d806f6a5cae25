"""The values in a search: the search with them hidden, and what else must be hidden for it.

A deletion's own text holds what had to go: at its end only the masked form is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from .terms import GLOB
from .tree import (
    And,
    Compare,
    Constant,
    Everything,
    FieldCompare,
    FieldContains,
    FieldMatches,
    FieldPresent,
    FieldRange,
    In,
    IsNull,
    Name,
    Node,
    Not,
    Or,
    Text,
    Word,
)  # fmt: skip

HIDDEN = "…"
SHOWN = {"severity", "severity_number", "level", "timestamp", "observed_timestamp", "time", "@timestamp"}
"""Fields whose values are nobody's."""
_MANYS = {"service", "host", "source", "severity_text"}
"""Fields whose values are shared by so many events that they name nobody where another value does."""

_TELLING = 4  # characters of a pattern beside its `*`, below which it could be anything

Value: TypeAlias = tuple[str | None, str]
"""The field, None for the message, and the value as a regular expression."""


def masked(node: Node) -> str:
    """The search with the names of its fields and with `…` for each value but levels and times.

    >>> from .parser import parse
    >>> masked(parse('checkout user:ada -(severity>=error or ip in ("10.0.0.1"))').search)
    '… and user:… and not (severity>=error or (ip:…))'
    """
    match node:
        case Everything():
            return "*"
        case And(items=items):
            return " and ".join(_grouped(item) for item in items)
        case Or(items=items):
            return " or ".join(_grouped(item) for item in items)
        case Not(item=item):
            return f"not {_grouped(item)}"
        case FieldPresent(field=field):
            return f"{field.name}:*"
        case FieldCompare(field=field, op=op, value=value):
            return f"{field.name}{op}{value.text if field.name in SHOWN else HIDDEN}"
        case FieldRange(field=field, low=low, high=high):
            return f"{field.name}:" + (f"{low.text}..{high.text}" if field.name in SHOWN else f"{HIDDEN}..{HIDDEN}")
        case FieldMatches(field=field):
            return f"{field.name}:/{HIDDEN}/"
        case FieldContains(field=field):
            return f"{field.name}~{HIDDEN}"
        case Compare(op=op, left=Name(name=name)):
            return f"{name}{op}{HIDDEN}"
        case In(item=Name(name=name)):
            return f"{name} in ({HIDDEN})"
        case IsNull(item=Name(name=name)):
            return f"{name} is null"
        case Constant():
            return "true" if node.value else "false"
    return HIDDEN


def _grouped(node: Node) -> str:
    text = masked(node)
    return f"({text})" if isinstance(node, And | Or) else text


def values(node: Node) -> list[Value]:
    """The values that events must have to be found: what tells whose events they are. No regular expressions.

    >>> from .parser import parse
    >>> values(parse('user:ada service:checkout severity>=error -city:Bonn').search)
    [('user', 'ada')]
    >>> values(parse('service:checkout "a b"').search), values(parse('service:check*').search)
    ([(None, 'a\\\\ b')], [('service', 'check\\\\S*')])
    """
    found = list(_values(node))
    return [value for value in found if value[0] not in _MANYS] or found


def fields(node: Node) -> set[str]:
    """The fields whose values the search asks for and that tell whose events they are."""
    found = {part.name for part in node.walk() if isinstance(part, Name)} - SHOWN
    return found - _MANYS or found


def _values(node: Node) -> Iterator[Value]:
    match node:
        case And(items=items) | Or(items=items):
            for item in items:
                yield from _values(item)
        case Word(text=text) | Text(text=text):
            yield None, re.escape(text)
        case FieldContains(field=field, text=text) if field.name not in SHOWN:
            yield field.name, re.escape(text)
        case FieldCompare(field=field, op=(":" | "="), value=value) if field.name not in SHOWN:
            if (isinstance(value, Text) and value.exact) or not GLOB.search(value.text):
                yield field.name, re.escape(value.text)
            elif len(value.text.replace("*", "").replace("?", "")) >= _TELLING:
                yield field.name, r"\S*".join(map(re.escape, re.split(r"[*?]+", value.text)))
