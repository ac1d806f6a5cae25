"""Spans of time as people write them in settings: `250ms`, `10s`, `5m`, `1h30m`, `2d`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

UNITS_NS = {
    "ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
    "h": 3_600_000_000_000, "d": 86_400_000_000_000, "w": 604_800_000_000_000,
}  # fmt: skip
_UNIT = "ns|us|µs|ms|s|m|h|d|w"
_WHOLE = re.compile(rf"(?:\d+(?:\.\d+)?(?:{_UNIT}))+", re.ASCII)
_PART = re.compile(rf"(\d+(?:\.\d+)?)({_UNIT})", re.ASCII)
_LONGEST_NS = 2**63 - 1


def duration_ns(text: str) -> int:
    """Nanoseconds.

    >>> duration_ns("1h30m"), duration_ns("1.5s")
    (5400000000000, 1500000000)

    :raises ValueError: it is no duration
    """
    if len(text) > 100 or not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is no duration; write it like 10s, 5m or 1h30m")
    total = sum(round(float(amount) * UNITS_NS[unit]) for amount, unit in _PART.findall(text))
    if total > _LONGEST_NS:
        raise ValueError(f"{text!r} is longer than 292 years")
    return total


def _checked(text: str) -> str:
    duration_ns(text)
    return text


Duration = Annotated[
    str,
    AfterValidator(_checked),
    WithJsonSchema({"type": "string", "pattern": f"^{_WHOLE.pattern}$", "examples": ["5m"]}),
]
"""A setting that is a span of time; it stays as written, `duration_ns` reads it."""
