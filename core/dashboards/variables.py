"""`$name` in the queries of a dashboard: replaced by what a viewer chose, always as quoted values.

What stands in quotes, backticks or a regular expression is left alone. `web/ui/src/lib/dashboards/variables.ts` does
the same in the browser; both are held to `tests/dashboards/substitution.json`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .model import Variable

_QUOTED = r""""(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|`(?:[^`\\]|\\.)*`?"""
# A slash begins a regular expression where a value may stand, and ends it before a space or a closing sign.
_REGEX = r"(?<![^\s(,:=~])/(?:[^/\\\n]|\\.)+/i?(?=[\s)|,]|$)"
_TOKEN = re.compile(rf"{_QUOTED}|{_REGEX}|\$([a-z][a-z0-9_]*)", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z_]\w*(\.\w+)*", re.ASCII)
_RESERVED = {"and", "or", "not", "in", "by", "as", "from", "true", "false", "null"}
_ESCAPES = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"}


@dataclass(frozen=True, slots=True)
class Filled:
    """A query without variables. `places` are (offset, length) of each replacement here, then in the source."""

    text: str
    source: str
    places: tuple[tuple[int, int, int, int], ...] = ()

    def place(self, line: int, column: int) -> tuple[int, int]:
        """Where a place of the text lies in the source; one inside of a replacement: at the variable.

        >>> fill('a $s | nope', [Variable("s", field="service")], {"s": ["long name"]}).place(1, 25)
        (1, 8)
        """
        lines = self.text.split("\n")
        offset = sum(len(one) + 1 for one in lines[: line - 1]) + column - 1
        moved = 0
        for start, length, source_start, source_length in self.places:
            if offset < start:
                break
            if offset < start + length:
                return _line_column(self.source, source_start)
            moved = source_start + source_length - (start + length)
        return _line_column(self.source, min(max(0, offset + moved), len(self.source)))


def fill(text: str, variables: Sequence[Variable], chosen: Mapping[str, Sequence[str]]) -> Filled:
    """The query with each variable replaced by what was chosen, or by its default where nothing is said.

    >>> service = Variable("service", field="service", values=["a"])
    >>> fill('$service "costs $service"', [service], {"service": ["a", 'b"']}).text
    '(service="a" or service="b\\\\"") "costs $service"'
    >>> fill("$service error", [service], {}).text
    '* error'
    """
    known = {variable.name: variable for variable in variables}
    parts: list[str] = []
    places: list[tuple[int, int, int, int]] = []
    done = size = 0
    for found in _TOKEN.finditer(text):
        variable = known.get(found[1] or "")
        if variable is None:
            continue
        before = text[done : found.start()]
        value = written(variable, chosen.get(variable.name, variable.default))
        places.append((size + len(before), len(value), found.start(), found.end() - found.start()))
        parts += [before, value]
        size += len(before) + len(value)
        done = found.end()
    return Filled("".join([*parts, text[done:]]), text, tuple(places))


def unknown(text: str, variables: Sequence[Variable]) -> tuple[str, int, int] | None:
    """The first `$name` that no variable has, with its line and column; quotes make a text of it."""
    known = {variable.name for variable in variables}
    for found in _TOKEN.finditer(text):
        if found[1] and found[1] not in known:
            return found[1], *_line_column(text, found.start())
    return None


def written(variable: Variable, values: Sequence[str]) -> str:
    """What stands for a variable: a term of its field, or the values in quotes."""
    if variable.field is None:
        return ", ".join(quoted(value) for value in values) or '""'
    if not values:
        return "*"
    # `=` takes every character as it is; in a list after `:` or `in`, a star would stand for any run of them.
    terms = " or ".join(f"{_field(variable.field)}={quoted(value)}" for value in values)
    return terms if len(values) == 1 else f"({terms})"


def quoted(text: str) -> str:
    """A text as the query language writes it, whatever characters it has."""
    return '"' + "".join(_ESCAPES.get(letter, letter) for letter in text) + '"'


def _field(name: str) -> str:
    if _PLAIN.fullmatch(name) and name.lower() not in _RESERVED:
        return name
    return "`" + re.sub(r"([\\`])", r"\\\1", name) + "`"


def _line_column(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
