r"""Grok: regular expressions put together from named ones, `%{NAME:field}`, as Logstash's users have them.

    parse:
      - {type: grok, pattern: '%{SYSLOGBASE} Failed password for %{USER:user} from %{IP:client.ip}'}

The patterns of Logstash's collection are known, and `definitions` adds others; `(?<field>…)` takes a field without one.
Of several patterns the first that matches counts. Fields are as with `regex`: names with a meaning everywhere fill the
standard fields; `[a][b]` is `a.b`. A time that one of the patterns for times takes is read by its layout.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field, ValidationInfo, field_validator

from ...plugins import ALIASES, UNDERSTOOD, Batch, Layout, Parser, PluginConfig, hookimpl, normalise
from ..regex import group_names, typed
from .patterns import LAYOUTS, PATTERNS

_REFERENCE = re.compile(r"%\{(\w+)(?::([^:}]+))?(?::(\w+))?\}|\(\?P?<([A-Za-z_\[][\w.\[\]-]*)>|\\.", re.DOTALL)
_TYPES = {"int": "int", "integer": "int", "long": "int", "float": "float", "double": "float", "bool": "bool",
          "boolean": "bool", "text": "text", "string": "text"}  # fmt: skip
_LAYOUTS = {name: tuple(map(Layout.of, layouts)) for name, layouts in LAYOUTS.items()}
_DEEPEST = 20  # patterns within patterns
_LONGEST = 100_000  # characters of an expression when all is put together


@dataclass(frozen=True, slots=True)
class Expression:
    """A regular expression, and of each of its groups g0, g1 … the field, the kind of its value and its pattern."""

    text: str
    fields: tuple[tuple[str, str, str], ...]

    @classmethod
    def of(cls, pattern: str, definitions: dict[str, str]) -> Expression:
        """The pattern with its names resolved.

        :raises ValueError: a name is unknown, names go in a circle, or it is no regular expression of Rust's dialect
        """
        fields: list[tuple[str, str, str]] = []
        text = "".join(_resolved(pattern, definitions, fields, ()))
        if len(text) > _LONGEST:
            raise ValueError(f"the pattern has more than {_LONGEST} characters when its names are resolved")
        if not fields:
            raise ValueError("the pattern takes nothing; write %{NAME:field} or (?<field>…) around what to take")
        group_names(text)
        return cls(f"(?P<whole>{text})", tuple(fields))


def _resolved(
    pattern: str, definitions: dict[str, str], fields: list[tuple[str, str, str]], outer: tuple[str, ...]
) -> Iterator[str]:
    """The parts of the pattern, with a group for each name; notes the fields."""
    at = 0
    for found in _REFERENCE.finditer(pattern):
        yield pattern[at : found.start()]
        at = found.end()
        name, field, kind, own = found.groups()
        if own is not None:  # a group of the pattern's own
            yield f"(?P<g{len(fields)}>"
            fields.append((_dotted(own), "text", ""))
            continue
        if name is None:  # a backslash and what it stands before
            yield found[0]
            continue
        inner = definitions.get(name) or PATTERNS.get(name)
        if inner is None:
            raise ValueError(f"there is no pattern {name}; define it under definitions")
        if name in outer or len(outer) >= _DEEPEST:
            raise ValueError(f"the pattern {name} is made of itself: {' → '.join([*outer, name])}")
        if kind is not None and kind not in _TYPES:
            raise ValueError(f"{kind} is no kind of value; there are {', '.join(sorted(set(_TYPES.values())))}")
        if field is None:
            yield "(?:"
        else:
            yield f"(?P<g{len(fields)}>"
            fields.append((_dotted(field), _TYPES[kind or "text"], name))
        yield from _resolved(inner, definitions, fields, (*outer, name))
        yield ")"
    yield pattern[at:]


def _dotted(field: str) -> str:
    """The name of a field that may be written as Logstash does: `[a][b]` is `a.b`."""
    return field.replace("][", ".").strip("[]")


class GrokConfig(PluginConfig):
    """Settings of the grok parser."""

    definitions: dict[str, str] = Field({}, max_length=500)
    """Further patterns by name, such as `{ORDER: "A-[0-9]+"}`; one with the name of a known one takes its place."""
    pattern: str | list[str]
    """A pattern, or several of which the first that matches counts. It may match anywhere in the message."""
    timezone: ZoneInfo = ZoneInfo("UTC")
    """Zone of times without an offset."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | list[str], info: ValidationInfo) -> str | list[str]:
        for one in [pattern] if isinstance(pattern, str) else pattern:
            Expression.of(one, info.data.get("definitions", {}))
        if not pattern:
            raise ValueError("there is no pattern")
        return pattern


class Grok(Parser[GrokConfig]):
    """Take fields from the message by grok patterns."""

    @cached_property
    def _expressions(self) -> list[Expression]:
        given = self.config.pattern
        return [Expression.of(one, self.config.definitions) for one in ([given] if isinstance(given, str) else given)]

    def parse(self, batch: Batch) -> Batch:
        """A field that is named twice in a pattern has the value of the first that took part in the match."""
        message, rest = batch.frame["message"], batch
        left = message.is_not_null()
        for number, expression in enumerate(self._expressions):
            groups = message.str.extract_groups(expression.text).struct.unnest()
            matched = left & groups["whole"].is_not_null()
            left &= ~matched
            last = number == len(self._expressions) - 1
            error = pl.select(pl.when(left & last).then(pl.lit("grok: no match"))).to_series()
            found = normalise(self._fields(groups, expression, batch), None, zone=self.config.timezone)
            rest = rest.merged(found, where=matched, error=error)
        return rest

    def _fields(self, groups: pl.DataFrame, expression: Expression, batch: Batch) -> pl.DataFrame:
        """The groups by their fields' names, those of one name joined, and of the wanted kinds."""
        columns: dict[str, pl.Series] = {}
        kinds: dict[str, str] = {}
        for number, (field, kind, name) in enumerate(expression.fields):
            column = groups[f"g{number}"].alias(field)
            if field in ALIASES["timestamp"] and name in _LAYOUTS:
                column = self._times(column, _LAYOUTS[name], batch.frame["observed_timestamp"])
            before = columns.get(field)
            columns[field] = column if before is None else before.zip_with(before.is_not_null(), column)
            kinds[field] = "text" if field in UNDERSTOOD else kind
        return typed(pl.DataFrame(columns), kinds)

    def _times(self, text: pl.Series, layouts: Sequence[Layout], seen: pl.Series) -> pl.Series:
        """The texts that are times of a layout in ISO 8601, others as they are."""
        for layout in layouts:
            times = layout.read(text, seen, self.config.timezone)
            text = times.dt.strftime("%Y-%m-%dT%H:%M:%S.%9fZ").zip_with(times.is_not_null(), text)
        return text


@hookimpl
def cordwood_plugins() -> list[type[Grok]]:
    """The grok parser."""
    return [Grok]
