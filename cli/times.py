"""Times as people give them to a command: `15m` ago, `now`, a date, or ISO 8601."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .exits import InputError

_FRACTION = re.compile(r"[.,](\d{1,9})\d*")


def ago(text: str, now_ns: int | None = None) -> str:
    """RFC 3339 of the time that lies a duration such as `15m` before now.

    :raises InputError: it is no duration
    """
    from ..plugins.durations import duration_ns

    try:
        span = duration_ns(text.strip().removeprefix("-"))
    except ValueError as why:
        raise InputError(str(why)) from None
    return rfc3339((time.time_ns() if now_ns is None else now_ns) - span)


def moment(text: str, zone: str = "UTC", now_ns: int | None = None) -> str:
    """RFC 3339 of a time: `now`, `-15m`, `2026-01-31`, `2026-01-31 12:00`, or ISO 8601; without an offset in `zone`.

    :raises InputError: it is no time, or the zone is not known
    """
    stripped = text.strip()
    if stripped == "now":
        return rfc3339(time.time_ns() if now_ns is None else now_ns)
    if re.fullmatch(r"-?\d[\d.]*[a-zµ].*", stripped):
        return ago(stripped, now_ns)
    fraction = _FRACTION.search(stripped)
    whole = _FRACTION.sub("", stripped)
    try:
        parsed = datetime.fromisoformat(whole)
    except ValueError:
        raise InputError(f"{text!r} is no time; write 2026-01-31T12:00:00Z, a date, now, or -15m") from None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=known_zone(zone))
    nanoseconds = (fraction[1] if fraction else "").ljust(9, "0")
    return f"{parsed.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds}Z"


def known_zone(name: str) -> ZoneInfo:
    """The zone of this name.

    :raises InputError: there is none
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"{name!r} is no time zone; write one such as Europe/Berlin") from None


def rfc3339(ns: int) -> str:
    """UTC with nine digits."""
    seconds, rest = divmod(ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
