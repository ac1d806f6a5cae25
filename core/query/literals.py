"""Numbers, durations, sizes and times as people type them, turned into values. Pure: "now" and the zone are given."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

UNITS_NS = {
    "ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
    "h": 3_600_000_000_000, "d": 86_400_000_000_000, "w": 604_800_000_000_000,
}  # fmt: skip
SIZES = {"b": 1}
for power, letter in enumerate("kmgtp", start=1):
    SIZES |= {f"{letter}b": 1000**power, f"{letter}ib": 1024**power}
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d|w))+", re.ASCII)
PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w)", re.ASCII)
ISO = re.compile(
    r"(\d{4})-(\d\d)(?:-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,9})\d*)?)?)?)?)?\s*(Z|[+-]\d\d:?\d\d)?",
    re.ASCII | re.IGNORECASE,
)
DAY_NS = UNITS_NS["d"]


def number(text: str) -> int | float | None:
    """The finite number a text looks like, exact for integers of any length; None if it is no number.

    >>> number("200"), number("-1.5"), number("1e3"), number("007"), number("1.2.3"), number("1e999"), number("0x10")
    (200, -1.5, 1000.0, 7, None, None, None)
    """
    if len(text) > 400 or not NUMBER.fullmatch(text):
        return None
    if text.lstrip("+-").isdigit():
        return int(text)
    value = float(text)
    return value if math.isfinite(value) else None


def duration(text: str) -> int | None:
    """Nanoseconds of `250ms`, `5m`, `1h30m`, `2d`.

    >>> duration("1h30m"), duration("1.5s"), duration("5"), duration("5 m")
    (5400000000000, 1500000000, None, None)
    """
    if len(text) > 100 or not DURATION.fullmatch(text):
        return None
    total = sum(
        int(amount) * UNITS_NS[unit] if amount.isdigit() else round(float(amount) * UNITS_NS[unit])
        for amount, unit in PART.findall(text)
    )
    return total if total < 2**63 else None


def size(text: str) -> int | None:
    """Bytes of `10KB`, `1MiB`.

    >>> size("10KB"), size("1MiB"), size("1.5kb"), size("10")
    (10000, 1048576, 1500, None)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgtp]?i?b)", text, re.IGNORECASE | re.ASCII)
    if not match or len(text) > 40 or match[2].lower() not in SIZES:
        return None
    unit: int = SIZES[match[2].lower()]
    return round(float(match[1]) * unit)


def time_ns(text: str, now_ns: int, zone: ZoneInfo) -> tuple[int, int] | None:
    """The instant a text means and the length of what it names (0 for an instant), in nanoseconds since the epoch.

    ISO 8601 with or without an offset (without: in `zone`), cut to the second, minute, hour, day or month; `now`;
    `-15m` before and `+1h` after now; epoch seconds, milliseconds, microseconds or nanoseconds by their size.

    >>> utc = ZoneInfo("UTC")
    >>> time_ns("1970-01-02", 0, utc), time_ns("-15m", 900_000_000_001, utc), time_ns("1970-01-01T00:00:00.5Z", 0, utc)
    ((86400000000000, 86400000000000), (1, 0), (500000000, 0))
    >>> time_ns("1970-01-01T02:00", 0, ZoneInfo("Europe/Berlin")), time_ns("soon", 0, utc)
    ((3600000000000, 60000000000), None)
    """
    lowered = text.strip().lower()
    if lowered == "now":
        return now_ns, 0
    if lowered[:1] in "+-" and (shift := duration(lowered[1:])) is not None:
        return now_ns + (shift if lowered[0] == "+" else -shift), 0
    if lowered.isascii() and lowered.isdigit() and 9 <= len(lowered) <= 19:
        return int(lowered) * 10 ** (
            9 if len(lowered) < 12 else 6 if len(lowered) < 15 else 3 if len(lowered) < 18 else 0
        ), 0
    if not (match := ISO.fullmatch(text.strip())):
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        start = datetime(
            int(year), int(month), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=zone
        )
        if offset:
            digits = offset.upper().replace(":", "")
            shift_by = timedelta() if digits == "Z" else timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5]))
            start = start.replace(tzinfo=UTC) - (shift_by if digits[0] != "-" else -shift_by)
        end = (
            start + timedelta(seconds=1) if second else start + timedelta(minutes=1) if minute
            else start + timedelta(hours=1) if hour else start + timedelta(days=1) if day
            else start.replace(year=start.year + month_over(start.month), month=start.month % 12 + 1)
        )  # fmt: skip
    except (ValueError, OverflowError):
        return None
    begin, finish = epoch_ns(start), epoch_ns(end)
    if not (-(2**63) < begin < 2**63 and finish < 2**63):
        return None
    return begin + int((fraction or "").ljust(9, "0")), 0 if fraction else finish - begin


def month_over(month: int) -> int:
    """1 where the month after this one lies in the next year."""
    return 1 if month == 12 else 0


def epoch_ns(moment: datetime) -> int:
    """Nanoseconds since the epoch, exact: floats would lose the microseconds."""
    delta = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1_000


ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\", "`": "`"}


def unquote(text: str) -> str:
    r"""A quoted text without its quotes; an escape that is none stays as typed, so that "C:\dir" and "\d" work.

    >>> unquote(r'"a\"b\tc\d"')
    'a"b\tc\\d'
    """
    return re.sub(r"\\(.)", lambda match: ESCAPES.get(match[1], match[0]), text[1:-1], flags=re.DOTALL)


def lower(text: str) -> str:
    r"""Lower case exactly as DuckDB's `lower` makes it: letter by letter, never changing the number of letters.

    >>> lower("İSTANBUL ΣΑΣ") == "istanbul \u03c3\u03b1\u03c3", len(lower("İ"))
    (True, 1)
    """
    if text.isascii():
        return text.lower()
    return "".join("i" if letter == "İ" else letter.lower() for letter in text)
