"""Times of the API: RFC 3339 with up to nine digits, to nanoseconds since the epoch and back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Final, TypeAlias

from msgspec import Meta

from ..problems import ProblemError, ProblemException

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:([Zz])|([+-])(\d\d):?(\d\d))", re.ASCII
)
_LAST: Final = 2**63 - 1  # what 64-bit nanoseconds hold: the years 1677 to 2262; a time beyond means its end

Time: TypeAlias = Annotated[
    str, Meta(description="RFC 3339, up to nanoseconds", examples=["2026-01-31T12:00:00.123456789Z"])
]


def time_ns(text: str | None, name: str) -> int | None:
    """Nanoseconds since the epoch; None stays None.

    :raises ProblemException: 400, with a pointer to the parameter `name`
    """
    if text is None:
        return None
    found = _RFC3339.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError
        year, month, day, hour, minute, second = (int(found[i]) for i in range(1, 7))
        offset = timedelta()
        if found[9]:
            offset = timedelta(hours=int(found[10]), minutes=int(found[11])) * (-1 if found[9] == "-" else 1)
        whole = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=timezone(offset)) - _EPOCH
    except (ValueError, OverflowError):
        hint = "write RFC 3339, such as 2026-01-31T12:00:00Z"
        message = f"{name}: {text[:60]!r} is no time"
        raise ProblemException(
            400, f"{message}; {hint}", errors=[ProblemError(0, 0, message, hint, pointer=f"/{name}")]
        ) from None
    seconds = whole.days * 86_400 + whole.seconds + (second == 60)
    value = seconds * 1_000_000_000 + int((found[7] or "0").ljust(9, "0"))
    return max(-_LAST, min(_LAST, value))
