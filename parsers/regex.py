r"""Messages of one layout, by a regular expression with named groups.

    parse:
      - {type: regex, pattern: '^(?P<time>\S+) (?P<level>\w+) (?P<msg>.*)$', types: {status: int}}

Groups with names that are understood everywhere (`time`, `level`, `msg`, `service`, `host` …) fill the standard fields;
each other group is an attribute. A name may have dots: `(?P<http.status>\d+)`. The dialect is Rust's: it knows no
look-around, and takes time in proportion to the text whatever the pattern.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field, ValidationInfo, field_validator

from ..plugins import ALIASES, UNDERSTOOD, Batch, Parser, PluginConfig, hookimpl, normalise

_KINDS = {"int": pl.Int64, "float": pl.Float64, "text": pl.String}
_TRUTHS = {"true": True, "t": True, "yes": True, "on": True, "1": True,
           "false": False, "f": False, "no": False, "off": False, "0": False}  # fmt: skip


class RegexConfig(PluginConfig):
    """Settings of the regular expression parser."""

    pattern: str = Field(max_length=10_000)
    """A regular expression of Rust's dialect with named groups, `(?P<name>…)` or `(?<name>…)`. It may match anywhere in
    the message: write `^` and `$` for the whole of it."""
    types: dict[str, Literal["int", "float", "bool", "text"]] = Field({})
    """Kinds of groups that are no text, such as `{status: int}`; text that is no such value stays text."""
    timezone: ZoneInfo = ZoneInfo("UTC")
    """Zone of times without an offset."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        names = group_names(pattern)
        if not names:
            raise ValueError("the pattern has no named group; write (?P<name>…) around what to take")
        return pattern

    @field_validator("types")
    @classmethod
    def _are_groups(cls, types: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if "pattern" not in info.data:
            return types  # its own error is told already
        groups = group_names(str(info.data["pattern"]))
        unknown = sorted(types.keys() - set(groups))
        if unknown:
            raise ValueError(f"the pattern has no group {unknown[0]}; it has {', '.join(groups)}")
        return types


class Regex(Parser[RegexConfig]):
    """Take the named groups of a regular expression from the message."""

    def __init__(self, config: RegexConfig) -> None:
        super().__init__(config)
        groups = group_names(config.pattern)
        self._groups = groups
        self._replaces = ("message",) if set(groups) & {*ALIASES["message"]} else ()
        self._kinds = {name: kind for name, kind in config.types.items() if name not in UNDERSTOOD}

    def parse(self, batch: Batch) -> Batch:
        """A group that took no part in the match is null; without a group for it, the message stays whole."""
        message = batch.frame["message"]
        groups = message.str.extract_groups(self.config.pattern).struct.unnest().select(self._groups)
        matched = groups.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
        if not matched.all():  # a match may take no group at all, such as `(?P<a>x)?`
            matched |= message.str.contains(self.config.pattern).fill_null(value=False)
        found = normalise(typed(groups, self._kinds), None, zone=self.config.timezone)
        error = pl.select(pl.when(message.is_not_null()).then(pl.lit("regex: no match"))).to_series()
        return batch.merged(found, where=matched, error=error, replaces=self._replaces)


def typed(groups: pl.DataFrame, kinds: Mapping[str, str]) -> pl.DataFrame:
    """Text columns as int, float or bool, where `kinds` wants it; a text that is no such value stays beside them."""
    columns: list[pl.Series] = []
    for text in groups:
        kind = kinds.get(text.name, "text")
        if kind == "text":
            columns.append(text)
            continue
        if kind == "bool":
            value = text.str.to_lowercase().replace_strict(_TRUTHS, default=None, return_dtype=pl.Boolean)
        else:
            value = text.str.strip_chars().cast(_KINDS[kind], strict=False)
        columns.append(value)
        other = text.zip_with(value.is_null(), pl.repeat(None, len(text), dtype=pl.String, eager=True))
        if other.null_count() < len(other):
            columns.append(other.alias(f"{text.name}#text"))
    return pl.DataFrame(columns)


def group_names(pattern: str) -> list[str]:
    """The names of its groups, in order.

    :raises ValueError: it is no regular expression; the message names the place
    """
    try:
        structure = pl.Series([""]).str.extract_groups(pattern).dtype
    except pl.exceptions.ComputeError as why:
        raise ValueError(_explained(pattern, str(why))) from None
    assert isinstance(structure, pl.Struct)
    return [field.name for field in structure.fields if not field.name.isdigit()]


def _explained(pattern: str, why: str) -> str:
    """Rust's message in one line, with the column that its caret points at."""
    reason = (re.search(r"error: ([^\n]*)$", why) or re.search(r"([^\n]*)$", why))[1]  # type: ignore[index]
    caret = re.search(r"^( {4,})\^", why, re.MULTILINE)
    if not caret or "\n" in pattern:
        return f"no regular expression: {reason}"
    column = len(caret[1]) - 3
    hint = "; leave look-around out and match what stands there" if "look-around" in reason else ""
    return f"no regular expression: {reason} at character {column}, near {pattern[column - 1 :][:20]!r}{hint}"


@hookimpl
def cordwood_plugins() -> list[type[Regex]]:
    """The regular expression parser."""
    return [Regex]
