"""Loki's parameters: times, steps and ranges in the forms that its API takes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from ..api.times import time_ns
from ..problems import ProblemException
from .parser import duration_ns

SECOND: Final = 10**9
HOUR: Final = 3600 * SECOND
POINTS: Final = 250  # of a range whose step nobody says, as in Loki
_NUMBER: Final = re.compile(r"-?\d{1,19}(?:\.\d{1,12})?(?:[eE]\+?\d{1,2})?", re.ASCII)
_LAST: Final = 2**62


class Parameters:
    """The parameters of a request; of one that comes twice the first counts, but for `all`."""

    def __init__(self, values: Mapping[str, Sequence[str]], now_ns: int) -> None:
        self._values, self.now_ns = values, now_ns

    def text(self, name: str, default: str = "") -> str:
        """A parameter as it came."""
        return next(iter(self._values.get(name, ())), default)

    def all(self, name: str) -> list[str]:
        """All values of a parameter."""
        return list(self._values.get(name, ()))

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number from 0 on.

        :raises ProblemException: 400, it is none, or more than `most`
        """
        text = self.text(name)
        if not text:
            return default
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or int(text) > most:
            raise ProblemException(400, f"{name} {text[:40]!r} is no number from 0 to {most}")
        return int(text)

    def time(self, name: str, default: int) -> int:
        """A time: nanoseconds since the epoch, seconds with or without a fraction, or RFC 3339.

        :raises ProblemException: 400, it is none
        """
        text = self.text(name).strip()
        if not text:
            return default
        if _NUMBER.fullmatch(text):
            plain = text.lstrip("-")
            value = int(text) if plain.isdigit() and len(plain) > 10 else int(Decimal(text) * SECOND)
            if abs(value) >= _LAST:
                raise ProblemException(400, f"{name} {text[:40]!r} is no time between 1824 and 2116")
            return value
        return time_ns(text, name) or 0

    def length(self, name: str) -> int | None:
        """A length of time in nanoseconds: `5m`, or seconds with or without a fraction; None: nobody says.

        :raises ProblemException: 400, it is none, or not above 0
        """
        text = self.text(name).strip()
        if not text:
            return None
        found = int(Decimal(text) * SECOND) if _NUMBER.fullmatch(text) else duration_ns(text)
        if found is None or found <= 0 or found >= _LAST:
            raise ProblemException(400, f"{name} {text[:40]!r} is no length of time above 0, such as 5m or 15")
        return found

    def range(self, before: int = HOUR) -> tuple[int, int]:
        """(start, end): without a start, `since` or else `before` nanoseconds before the end.

        :raises ProblemException: 400, one of them is no time, or the end is before the start
        """
        end = self.time("end", self.now_ns)
        since = self.length("since") or before
        start = self.time("start", min(end, self.now_ns) - since)
        if end < start:
            raise ProblemException(400, "the end is before the start")
        return start, end

    def step(self, start: int, end: int) -> int:
        """The step of a range, in nanoseconds."""
        return self.length("step") or max(SECOND, (end - start) // POINTS // SECOND * SECOND)
