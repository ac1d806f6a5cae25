"""What a check says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import islice

import msgspec

MOST_LISTED = 20
"""Findings of one kind that are told one by one."""


class Level(Enum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a check found, where, and how to mend it."""

    level: Level
    check: str
    found: str
    mend: str = ""
    where: str = ""


def ok(check: str, found: str, *, where: str = "") -> Finding:
    """All is well."""
    return Finding(Level.OK, check, found, "", where)


def warn(check: str, found: str, mend: str, *, where: str = "") -> Finding:
    """It works, but ought to be looked at."""
    return Finding(Level.WARN, check, found, mend, where)


def fail(check: str, found: str, mend: str, *, where: str = "") -> Finding:
    """Something is lost, or will be."""
    return Finding(Level.FAIL, check, found, mend, where)


def listed(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The first of many findings of one kind, and how many more there are."""
    rest = iter(findings)
    shown = list(islice(rest, MOST_LISTED))
    yield from shown
    if more := sum(1 for _ in rest):
        yield msgspec.structs.replace(shown[-1], found=f"and {more} more of the same kind", where="")
