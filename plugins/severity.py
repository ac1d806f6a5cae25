"""Severity: OpenTelemetry's SeverityNumber, its names, and the words that sources use for it.

Source: OpenTelemetry, Logs Data Model, "Field: SeverityNumber"; syslog's names after RFC 5424, table 2.
"""

from __future__ import annotations

import polars as pl

LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")

NAMES: dict[int, str] = {
    4 * step + minor + 1: level if minor == 0 else f"{level}{minor + 1}"
    for step, level in enumerate(LEVELS)
    for minor in range(4)
}
"""1: TRACE, 2: TRACE2, … 17: ERROR, … 24: FATAL4."""

_WORDS = {
    "finest": 1, "verbose": 1, "vrb": 1, "v": 1, "t": 1, "trc": 1,
    "finer": 3, "fine": 5, "dbg": 5, "d": 5,
    "informational": 9, "information": 9, "inf": 9, "i": 9, "notice": 10, "note": 10, "success": 9, "log": 9,
    "warning": 13, "wrn": 13, "w": 13,
    "err": 17, "e": 17, "severe": 17, "fail": 17, "failure": 17,
    "critical": 18, "crit": 18, "alert": 19,
    "panic": 21, "emerg": 21, "emergency": 21, "f": 21, "c": 18,
}  # fmt: skip

WORDS: dict[str, int] = {name.lower(): number for number, name in NAMES.items()} | _WORDS
"""Lower-case words to SeverityNumber."""

SYSLOG = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
"""Syslog's severities by their numbers, 0 to 7; GELF has the same."""
SYSLOG_NUMBERS = tuple(WORDS[word] for word in SYSLOG)
"""The SeverityNumber of each."""


def severity_rank(name: str) -> int:
    """The number of a severity's name, 0 of what is none: `max(names, key=severity_rank)` is the worst.

    >>> severity_rank("FATAL") > severity_rank("warn") > severity_rank("")
    True
    """
    return WORDS.get(name.lower(), 0)


def severity_number(text: pl.Expr) -> pl.Expr:
    """UInt8 SeverityNumber of a word or a number from 1 to 24 written as text; null where it is neither."""
    word = text.str.strip_chars().str.to_lowercase()
    number = word.cast(pl.UInt8, strict=False)
    spoken = word.replace_strict(WORDS, default=None, return_dtype=pl.UInt8)
    return pl.coalesce(spoken, pl.when(number.is_between(1, 24)).then(number))


def severity_name(number: pl.Expr) -> pl.Expr:
    """TRACE, … ERROR, ERROR2, … of a SeverityNumber; null where it is none."""
    return number.replace_strict(NAMES, default=None, return_dtype=pl.String)
