"""Durations (`250ms`, `5m`, `1h30m`, `30d`) and sizes (`10MiB`, `2GB`) as people write them, and as pydantic types."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from ..plugins import duration_ns
from ..plugins.durations import UNITS_NS

UNITS_BYTES: dict[str, int] = {"b": 1} | {
    f"{letter}{suffix}": base**power
    for power, letter in enumerate("kmgt", start=1)
    for suffix, base in (("b", 1000), ("ib", 1024))
}
"""Bytes of each unit of a size: KB is 1000, KiB is 1024; case does not matter."""

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")
_HINT_SIZE = "write a number with B, KB, MB, GB, KiB, MiB or GiB, such as 10MiB"


def parse_duration(text: str) -> timedelta:
    """The time span that the text names, to the microsecond.

    >>> parse_duration("1h30m").total_seconds()
    5400.0

    :raises ValueError: it is no duration; the message says how to write one
    """
    return timedelta(microseconds=duration_ns(text.strip()) / 1000)


def format_duration(span: timedelta) -> str:
    """The shortest exact text of a time span: `1h30m`, `250ms`; zero is `0s`.

    >>> format_duration(timedelta(minutes=90))
    '1h30m'
    """
    rest = span // timedelta(microseconds=1)
    text = ""
    for unit in ("d", "h", "m", "s", "ms", "us"):
        count, rest = divmod(rest, UNITS_NS[unit] // 1000)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def parse_size(text: str) -> int:
    """The bytes that the text names.

    >>> parse_size("10MiB")
    10485760

    :raises ValueError: it is no size; the message says how to write one
    """
    found = _SIZE.fullmatch(text)
    if not found or found[2].lower() not in UNITS_BYTES:
        raise ValueError(f"{text!r} is no size; {_HINT_SIZE}")
    return round(float(found[1]) * UNITS_BYTES[found[2].lower()])


def _duration(value: Any) -> Any:
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, int | float):
        raise ValueError(f"{value} has no unit; write it like 10s, 5m or 1h30m")
    return value


def _size(value: Any) -> Any:
    return parse_size(value) if isinstance(value, str) and not value.strip().isdigit() else value


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema(
        {"type": "string", "pattern": r"^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d|w))+$", "examples": ["30s", "5m", "7d"]}
    ),
]
"""A setting such as `30d`."""

Size = Annotated[
    int,
    BeforeValidator(_size),
    WithJsonSchema({"type": ["string", "integer"], "pattern": r"^\d+(\.\d+)?\s*([KMGT]i?)?B$", "examples": ["10MiB"]}),
]
"""A setting such as `10MiB`, or a number of bytes."""
