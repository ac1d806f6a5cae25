"""Timestamps as people and programs write them, to nanoseconds UTC; all on whole columns."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow as pa

from .fields import TIME

UTC = ZoneInfo("UTC")

_DATE = r"(\d{4}-\d\d-\d\d)"
_CLOCK = r"(?:[Tt ](\d\d):(\d\d)(?::([0-5]\d)(?:[.,](\d{1,9})\d*)?)?)?"
_OFFSET = r" ?(?:([Zz])|([+-])(\d\d):?(\d\d)?)?"
ISO = rf"^\s*{_DATE}{_CLOCK}{_OFFSET}\s*$"
_GROUPS = ("date", "hour", "minute", "second", "fraction", "zulu", "sign", "offset_hour", "offset_minute")

# Epoch numbers are told apart by size: up to 1e11 are seconds (year 5138), then milli-, micro-, nanoseconds.
SECONDS, MILLIS, MICROS = 10**11, 10**14, 10**17
_FIRST, _LAST = (
    pl.lit("1677-09-22").str.to_date(),
    pl.lit("2262-04-10").str.to_date(),
)  # what 64-bit nanoseconds can hold


def now_ns() -> int:
    """The wall clock: nanoseconds since the epoch."""
    return time.time_ns()


def utc_time(text: pl.Expr, layout: str, zone: ZoneInfo = UTC) -> pl.Expr:
    """Parse `text` by a strftime layout, as the wall clock of `zone`; Datetime(ns) UTC, null where it does not fit.

    Of a time that daylight saving makes twice, the first counts; one that it skips is null.
    """
    parsed = text.str.to_datetime(layout, time_unit="ns", strict=False)
    return to_utc(parsed, zone)


def to_utc(naive: pl.Expr, zone: ZoneInfo) -> pl.Expr:
    """A naive wall clock time of `zone` as naive UTC."""
    if zone.key == "UTC":
        return naive
    aware = naive.dt.replace_time_zone(zone.key, ambiguous="earliest", non_existent="null")
    return aware.dt.convert_time_zone("UTC").dt.replace_time_zone(None)


def iso_ns(text: str) -> int:
    """Nanoseconds since the epoch of a time as queries answer it: UTC, with nine digits.

    >>> iso_ns("2026-01-31T12:00:00.123456789Z")
    1769860800123456789
    """
    second, _, rest = text.partition(".")
    whole = datetime.fromisoformat(f"{second}+00:00") - datetime(1970, 1, 1, tzinfo=UTC)
    return (whole.days * 86_400 + whole.seconds) * 1_000_000_000 + int(rest.removesuffix("Z"))


def rfc3339(moment: int | datetime) -> str:
    """A time as queries answer it, of nanoseconds since the epoch or of a datetime with a zone.

    >>> rfc3339(1_769_860_800_123_456_789), rfc3339(datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC))
    ('2026-01-31T12:00:00.123456789Z', '2026-01-31T12:00:00.123456000Z')
    """
    if isinstance(moment, datetime):
        return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"
    seconds, rest = divmod(moment, 1_000_000_000)
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def iso_time(text: pl.Expr, zone: ZoneInfo = UTC) -> pl.Expr:
    """ISO 8601 with any offset or none (then `zone`), to Datetime(ns) UTC; null where it is no such time."""
    groups = text.str.extract_groups(ISO).struct.rename_fields(list(_GROUPS)).struct
    return _iso_parts(lambda name: groups[name], zone)


def _iso_parts(part: Callable[[str], pl.Expr], zone: ZoneInfo) -> pl.Expr:
    """The time that the groups of `ISO` make."""
    number = {
        name: part(name).cast(pl.Int64).fill_null(0)
        for name in _GROUPS
        if name not in ("date", "zulu", "sign", "fraction")
    }
    date = part("date").str.to_date("%Y-%m-%d", strict=False)
    date = pl.when(date.is_between(_FIRST, _LAST)).then(date)
    fraction = part("fraction").fill_null("0").str.pad_end(9, "0").cast(pl.Int64)
    valid = (
        (number["hour"] < 24) & (number["minute"] < 60) & (number["offset_hour"] < 24) & (number["offset_minute"] < 60)
    )
    clock_ns = ((number["hour"] * 60 + number["minute"]) * 60 + number["second"]) * 1_000_000_000 + fraction
    naive = pl.when(valid).then(date.cast(TIME) + clock_ns.cast(pl.Duration("ns")))
    offset = (number["offset_hour"] * 60 + number["offset_minute"]) * 60_000_000_000
    signed = pl.when(part("sign") == "-").then(-offset).otherwise(offset).cast(pl.Duration("ns"))
    zoned = part("zulu").is_not_null() | part("sign").is_not_null()
    return pl.when(zoned).then(naive - signed).otherwise(to_utc(naive, zone))


def epoch_time(number: pl.Expr) -> pl.Expr:
    """Epoch seconds, milliseconds, microseconds or nanoseconds, told apart by size, to Datetime(ns).

    Takes Int64 or Float64; a float counts to the microsecond. Null where it leaves the range of 64-bit nanoseconds.
    """
    whole = number.cast(pl.Int64, strict=False)
    size = whole.abs()
    exact = (
        pl.when(size < SECONDS)
        .then(whole.clip(-9_223_372_036, 9_223_372_036) * 1_000_000_000)
        .when(size < MILLIS)
        .then(whole.clip(-9_223_372_036_854, 9_223_372_036_854) * 1_000_000)
        .when(size < MICROS)
        .then(whole.clip(-9_223_372_036_854_775, 9_223_372_036_854_775) * 1_000)
        .otherwise(whole)
    )
    in_range = (
        pl.when(size < SECONDS)
        .then(size <= 9_223_372_036)
        .when(size < MILLIS)
        .then(size <= 9_223_372_036_854)
        .when(size < MICROS)
        .then(size <= 9_223_372_036_854_775)
        .otherwise(pl.lit(value=True))
    )
    return pl.when(in_range).then(exact).cast(TIME)


def float_epoch_time(number: pl.Expr) -> pl.Expr:
    """As `epoch_time` for floats, to the microsecond: 1769860800.123456 keeps its fraction."""
    seconds = number.abs() < SECONDS
    micros = (number * 1_000_000).round().cast(pl.Int64, strict=False)
    fractional = pl.when(micros.abs() <= 9_223_372_036_854_775).then(micros * 1_000).cast(TIME)
    return pl.when(seconds).then(fractional).otherwise(epoch_time(number))


def parse_times(column: pl.Series, zone: ZoneInfo = UTC) -> pl.Series:
    """Any column of times to Datetime(ns) UTC, null where a value is no time.

    Text that is all ISO 8601 with an offset goes through Arrow's parser (about 30 ns a value); the rest by expression.
    """
    if column.dtype == pl.String:
        fast = _arrow_times(column)
        return fast if fast is not None else _text_times(column, zone)
    if column.dtype.is_temporal():
        return column.cast(TIME, strict=False)
    frame = column.alias("t").to_frame()
    if column.dtype.is_float():
        return frame.select(float_epoch_time(pl.col("t")))["t"]
    if column.dtype.is_integer():
        return frame.select(epoch_time(pl.col("t")))["t"]
    return pl.Series("t", [None], dtype=TIME).new_from_index(0, len(column))


def _arrow_times(column: pl.Series) -> pl.Series | None:
    first = column.first()
    if not isinstance(first, str) or len(first) < 20:
        return None
    try:
        parsed = column.to_arrow().cast(pa.timestamp("ns", tz="UTC"))
    except pa.ArrowInvalid:
        return None
    return pl.Series(pl.from_arrow(parsed)).dt.replace_time_zone(None)


def _text_times(column: pl.Series, zone: ZoneInfo) -> pl.Series:
    # The groups are taken once: as one expression, polars would run the regular expression for each of them.
    groups = column.str.extract_groups(ISO).struct.unnest()
    groups.columns = list(_GROUPS)
    iso = groups.select(t=_iso_parts(pl.col, zone))["t"]
    if iso.null_count() == column.null_count():
        return iso
    text = pl.col("t")
    digits = text.str.contains(r"^\s*-?\d+(?:\.\d+)?\s*$")
    number = pl.when(digits).then(text.str.strip_chars())
    whole, real = number.cast(pl.Int64, strict=False), number.cast(pl.Float64, strict=False)
    epoch = pl.when(whole.is_not_null()).then(epoch_time(whole)).otherwise(float_epoch_time(real))
    return iso.zip_with(iso.is_not_null(), column.alias("t").to_frame().select(t=epoch)["t"])
