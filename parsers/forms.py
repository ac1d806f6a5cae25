"""Lines of known shapes, by regular expressions over whole columns: what the parsers of single formats share.

A `Form` is one shape of line. The named groups of its pattern are the fields, under the names that they are stored
with: `timestamp`, `severity` and `message` fill the standard ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias
from zoneinfo import ZoneInfo

import polars as pl

from ..plugins import Batch, Layout, Parser, PluginConfig, normalise, parse_times, severity_number
from .regex import group_names, typed

Derive: TypeAlias = Callable[[pl.DataFrame], pl.DataFrame]
"""Makes more of the groups, which are text columns: splits a request, tells the severity by a status."""


@dataclass(frozen=True, slots=True)
class Form:
    """A shape of line: its pattern and how its groups are read. Make one with `of`."""

    pattern: str
    names: tuple[str, ...]
    layouts: tuple[Layout, ...]
    kinds: Mapping[str, str]
    levels: Mapping[str, int]
    nothing: tuple[str, ...]
    unescaped: tuple[str, ...]
    derive: Derive | None

    @classmethod
    def of(
        cls,
        pattern: str,
        *layouts: str,
        kinds: Mapping[str, str] | None = None,
        levels: Mapping[str, int] | None = None,
        nothing: Sequence[str] = (),
        unescaped: Sequence[str] = (),
        derive: Derive | None = None,
    ) -> Form:
        """The form of a pattern; it should be anchored, so that a line that is none costs little.

        :param layouts: of the group `timestamp`, the first that fits; none: ISO 8601 or epoch numbers
        :param kinds: groups that are `int`, `float` or `bool`
        :param levels: severity words of this format alone, in lower case, to SeverityNumber
        :param nothing: texts that mean no value, such as `-`
        :param unescaped: groups in which a backslash stands before quotes and backslashes
        """
        read = tuple(Layout.of(layout) for layout in layouts)
        names = tuple(group_names(pattern))
        return cls(pattern, names, read, kinds or {}, levels or {}, tuple(nothing), tuple(unescaped), derive)

    def groups(self, text: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
        """The groups as text columns, and which rows have this form at all."""
        marked = text.str.extract_groups(f"(?P<_whole>{self.pattern})").struct.unnest()
        return marked.select(self.names), marked["_whole"].is_not_null()

    def times(self, text: pl.Series, seen: pl.Series, zone: ZoneInfo) -> pl.Series:
        """Datetime(ns) UTC of the texts in the group `timestamp`."""
        if not self.layouts:
            return parse_times(text, zone)
        times = self.layouts[0].read(text, seen, zone).alias("timestamp")
        for layout in self.layouts[1:]:
            if times.null_count() > text.null_count():
                times = times.zip_with(times.is_not_null(), layout.read(text, seen, zone))
        return times

    def read(self, text: pl.Series, seen: pl.Series, zone: ZoneInfo) -> tuple[Batch, pl.Series, pl.Series]:
        """What was found, the rows that have this form and a time that is one, and the rows that have the form."""
        groups, shaped = self.groups(text)
        understood = shaped
        if self.nothing:
            said = pl.all().exclude("message")
            groups = groups.with_columns(pl.when(~said.is_in(self.nothing)).then(said))
        if self.unescaped:
            groups = groups.with_columns(pl.col(self.unescaped).str.replace_all(r'\\(["\\])', "$1"))
        if "timestamp" in self.names:
            times = self.times(groups["timestamp"], seen, zone)
            understood = shaped & (times.is_not_null() | groups["timestamp"].is_null())
            groups = groups.with_columns(times.alias("timestamp"))
        if self.derive:
            groups = self.derive(groups)
        if self.levels:
            groups = spoken(groups, self.levels)
        return normalise(typed(groups, self.kinds), None, zone=zone), understood, shaped


def spoken(groups: pl.DataFrame, levels: Mapping[str, int]) -> pl.DataFrame:
    """The column `severity` as numbers, and the words beside it."""
    word = pl.col("severity")
    own = word.str.to_lowercase().replace_strict(
        list(levels), list(levels.values()), default=None, return_dtype=pl.UInt8
    )
    number = pl.coalesce(own, severity_number(word)).cast(pl.String)
    return groups.with_columns(severity=number, severity_text=word)


class ZonedConfig(PluginConfig):
    """Settings of a parser of one format."""

    timezone: ZoneInfo = ZoneInfo("UTC")
    """Zone of times without an offset."""


class FormSeeker(Parser[ZonedConfig]):
    """A parser that looks for what few messages have. A subclass names its forms: the first that fits counts."""

    forms: ClassVar[Sequence[Form]]

    def parse(self, batch: Batch) -> Batch:
        """Messages without it stay as they are."""
        return read_forms(batch, self.forms, zone=self.config.timezone)


class FormParser(FormSeeker):
    """A parser of one format, which a line has or has not."""

    what: ClassVar[str]
    """What it reads, for the `parse_error` of other lines: `an access log`."""
    sure: ClassVar[float] = 1.0
    """How much a line of these forms tells: less than 1 where other formats have such lines too."""

    def parse(self, batch: Batch) -> Batch:
        """Lines of other forms stay as they came, with `parse_error`."""
        return read_forms(batch, self.forms, zone=self.config.timezone, who=self.type, what=self.what)

    @classmethod
    def detect(cls, messages: pl.Series) -> float:
        """The share of messages that have one of the forms, weighed by how much that tells."""
        return cls.sure * share(messages, *(form.pattern for form in cls.forms))


def share(messages: pl.Series, *patterns: str) -> float:
    """The part of the messages that has one of the patterns, from 0 to 1."""
    has = pl.repeat(value=False, n=len(messages), eager=True)
    for pattern in patterns:
        has |= messages.str.contains(pattern).fill_null(value=False)
    return int(has.sum()) / max(1, len(messages))


def read_forms(batch: Batch, forms: Sequence[Form], *, zone: ZoneInfo, who: str = "", what: str = "") -> Batch:
    """The events with the fields of the first form that each message has; the others get a `parse_error`.

    :param who: the parser, and `what` it looks for: both for the `parse_error`; what is empty: nothing is refused
    """
    left, seen = batch.frame["message"], batch.frame["observed_timestamp"]
    nothing = pl.repeat(None, len(batch), dtype=pl.String, eager=True)
    no_time = pl.repeat(value=False, n=len(batch), eager=True)
    result = batch
    for form in forms:
        found, understood, shaped = form.read(left, seen, zone)
        no_time |= shaped & ~understood
        if understood.any():
            result = result.merged(found, where=understood, error=nothing)
            left = left.set(understood, None)
            if left.null_count() == len(left):
                return result
    if not what:
        return result
    failed = left.is_not_null()
    error = pl.select(
        pl.when(failed & no_time)
        .then(pl.lit(f"{who}: the time in it is none"))
        .when(failed)
        .then(pl.lit(f"{who}: no line of {what}"))
    ).to_series()
    old = result.frame["parse_error"]
    return Batch(result.frame.with_columns(old.zip_with(old.is_not_null(), error)))
