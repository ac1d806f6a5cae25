"""Layouts of times, as `strftime` writes them, read by a regular expression on whole columns."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from zoneinfo import ZoneInfo

import polars as pl

from .times import to_utc

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONG_MONTHS = ("january", "february", "march", "april", "june", "july", "august", "september", "october",
                "november", "december")  # fmt: skip
_COMPOSED = {
    "D": "%m/%d/%y",
    "F": "%Y-%m-%d",
    "R": "%H:%M",
    "T": "%H:%M:%S",
    "r": "%I:%M:%S %p",
    "c": "%a %b %e %H:%M:%S %Y",
}
_MONTH_NAME = "(?i:" + "|".join([*_LONG_MONTHS, *_MONTHS]) + ")"
_DIRECTIVES = {
    "Y": ("year", r"\d{4}"),
    "y": ("short_year", r"\d\d"),
    "m": ("month", r"\d{1,2}"),
    "b": ("month_name", _MONTH_NAME),
    "B": ("month_name", _MONTH_NAME),
    "h": ("month_name", _MONTH_NAME),
    "d": ("day", r" ?\d{1,2}"),
    "e": ("day", r" ?\d{1,2}"),
    "j": ("day_of_year", r"\d{3}"),
    "H": ("hour", r" ?\d{1,2}"),
    "k": ("hour", r" ?\d{1,2}"),
    "I": ("half_hour", r" ?\d{1,2}"),
    "l": ("half_hour", r" ?\d{1,2}"),
    "p": ("half", "(?i:[ap]m)"),
    "P": ("half", "(?i:[ap]m)"),
    "M": ("minute", r"\d\d"),
    "S": ("second", r"\d\d"),
    "f": ("fraction", r"\d{1,9}"),
    "z": ("offset", r"Z|[+-]\d\d:?(?:\d\d)?"),
    "Z": ("zone", "(?:UTC|GMT|Z)"),
    "s": ("epoch", r"-?\d{1,11}"),
    "a": ("", "[^\\W\\d_]+\\.?"),
    "A": ("", "[^\\W\\d_]+"),
}
_WORDS = frozenset({"month_name", "half", "offset", "zone", "fraction"})
Part: TypeAlias = Callable[[str], pl.Expr]
"""A part of the layout, as the text that stands there."""
_SLACK = pl.duration(days=1)  # a writer's clock may be ahead of ours by so much before its date counts as last year's


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout that was understood; make one with `of`."""

    regex: str
    parts: frozenset[str]

    @classmethod
    def of(cls, text: str) -> Layout:
        """The layout of a strftime text; `%f` is any fraction of a second, up to nine digits.

        :raises ValueError: it has an unknown or doubled directive, or not enough to tell a time
        """
        text = re.sub(r"%(.)", lambda found: _COMPOSED.get(found[1], found[0]), text)
        regex, at = "", 0
        parts: set[str] = set()
        for found in re.finditer(r"%(\.?[369]?f|.)|\s+", text):
            regex += re.escape(text[at : found.start()])
            at = found.end()
            letter = found[1]
            if letter is None:
                regex += r"\s+"
                continue
            if letter == "%":
                regex += "%"
                continue
            if letter.endswith("f"):
                regex += r"\." if letter.startswith(".") else ""
                letter = "f"
            if letter not in _DIRECTIVES:
                known = " ".join(f"%{one}" for one in sorted(_DIRECTIVES, key=str.lower))
                raise ValueError(f"%{letter} at character {found.start() + 1} is no known directive; there are {known}")
            name, pattern = _DIRECTIVES[letter]
            if name in parts:
                raise ValueError(f"%{letter} at character {found.start() + 1} says again what came before")
            regex += f"(?P<{name}>{pattern})" if name else pattern
            parts |= {name} - {""}
        regex += re.escape(text[at:])
        if not parts & {"epoch", "hour", "half_hour", "day", "day_of_year"}:
            raise ValueError(f"the layout {text!r} has neither a day nor an hour; write one such as %Y-%m-%d %H:%M:%S")
        return cls(rf"^\s*{regex}\s*$", frozenset(parts))

    def read(self, text: pl.Series, seen: pl.Series, zone: ZoneInfo) -> pl.Series:
        """Datetime(ns) UTC of each text; null where it does not fit. `seen` is when the event arrived, UTC.

        Without a year it is the latest that is not more than a day ahead of `seen`; without a date, the day likewise.
        """
        # The groups are taken once: as one expression, polars would run the regular expression for each of them.
        groups = text.str.extract_groups(self.regex).struct.unnest()
        return groups.with_columns(seen.alias("seen")).select(time=self._time(pl.col, pl.col("seen"), zone))["time"]

    def _time(self, part: Part, seen: pl.Expr, zone: ZoneInfo) -> pl.Expr:
        number = {name: part(name).str.strip_chars().cast(pl.Int64, strict=False) for name in self.parts - _WORDS}
        if "epoch" in self.parts:
            whole = number["epoch"] * 1_000_000_000 + self._fraction(part)
            return whole.cast(pl.Datetime("ns"))
        clock = self._clock(part, number)
        fits = part(min(self.parts)).is_not_null() & clock.is_not_null()
        local = seen
        if zone.key != "UTC":
            local = seen.dt.replace_time_zone("UTC").dt.convert_time_zone(zone.key).dt.replace_time_zone(None)

        def at(day: pl.Expr) -> pl.Expr:
            naive = day.cast(pl.Datetime("ns")) + clock.cast(pl.Duration("ns"))
            return pl.when(fits).then(self._to_utc(naive, part, zone))

        if "year" in self.parts or "short_year" in self.parts:
            return at(self._day(self._year(number), part, number))
        if not self.parts & {"day", "day_of_year"}:
            today = at(local.dt.truncate("1d"))
            return pl.when(today > seen + pl.duration(hours=1)).then(today - pl.duration(days=1)).otherwise(today)
        this_year, last_year = (at(self._day(local.dt.year() - back, part, number)) for back in (0, 1))
        next_year = at(self._day(local.dt.year() + 1, part, number))
        near = pl.when(next_year <= seen + _SLACK).then(next_year).otherwise(this_year)
        return pl.when(near > seen + _SLACK).then(last_year).otherwise(pl.coalesce(near, last_year))

    def _year(self, number: dict[str, pl.Expr]) -> pl.Expr:
        if "year" in self.parts:
            return number["year"]
        short = number["short_year"]
        return pl.when(short < 69).then(short + 2000).otherwise(short + 1900)  # as POSIX strptime

    def _day(self, year: pl.Expr, part: Part, number: dict[str, pl.Expr]) -> pl.Expr:
        if "day_of_year" in self.parts:
            text = pl.format("{} {}", year, number["day_of_year"].cast(pl.String).str.zfill(3))
            return text.str.to_date("%Y %j", strict=False)
        month = number["month"] if "month" in self.parts else pl.lit(1)
        if "month_name" in self.parts:
            name = part("month_name").str.to_lowercase().str.head(3)
            month = name.replace_strict(list(_MONTHS), list(range(1, 13)), default=None, return_dtype=pl.Int64)
        day = number["day"] if "day" in self.parts else pl.lit(1)
        date = pl.format("{}-{}-{}", year, month.cast(pl.String).str.zfill(2), day.cast(pl.String).str.zfill(2))
        parsed = date.str.to_date("%Y-%m-%d", strict=False)
        return pl.when(year.is_between(1678, 2261)).then(parsed)

    def _clock(self, part: Part, number: dict[str, pl.Expr]) -> pl.Expr:
        """Nanoseconds since midnight; null where there is no such time."""
        zero = pl.lit(0, dtype=pl.Int64)
        hour = number.get("hour", zero)
        if "half_hour" in self.parts:
            half = number["half_hour"]
            afternoon = part("half").str.to_lowercase() == "pm" if "half" in self.parts else pl.lit(value=False)
            hour = pl.when(half.is_between(1, 12)).then(half % 12 + pl.when(afternoon).then(12).otherwise(0))
        minute, second = number.get("minute", zero), number.get("second", zero)
        valid = (hour < 24) & (minute < 60) & (second <= 60)  # a leap second counts as the second after it
        seconds = (hour * 60 + minute) * 60 + second
        return pl.when(valid).then(seconds * 1_000_000_000 + self._fraction(part))

    def _fraction(self, part: Part) -> pl.Expr:
        if "fraction" not in self.parts:
            return pl.lit(0, dtype=pl.Int64)
        return part("fraction").str.pad_end(9, "0").cast(pl.Int64)

    def _to_utc(self, naive: pl.Expr, part: Part, zone: ZoneInfo) -> pl.Expr:
        if "offset" in self.parts:
            offset = part("offset")
            hours = offset.str.extract(r"(\d\d)").cast(pl.Int64).fill_null(0)
            minutes = offset.str.extract(r"\d\d:?(\d\d)").cast(pl.Int64).fill_null(0)
            span = pl.duration(hours=hours, minutes=minutes, time_unit="ns")
            return pl.when(offset.str.starts_with("-")).then(naive + span).otherwise(naive - span)
        return naive if "zone" in self.parts else to_utc(naive, zone)
