"""Lists in pages, the newest first: an item's id is the cursor of what comes after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from ..plugins import QueryError

T = TypeVar("T")
_LARGEST = 2**63 - 1  # PostgreSQL would refuse a larger number


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Part of a list; `next_cursor` asks for the part after it, None: this is the last."""

    items: list[T]
    next_cursor: str | None


def page(items: Sequence[T], limit: int, cursor: Callable[[T], str]) -> Page[T]:
    """The first `limit` items of one more than that, which was read to see whether there is more."""
    return Page(list(items[:limit]), cursor(items[limit - 1]) if len(items) > limit else None)


def before(cursor: str | None) -> int:
    """The id that those of the page lie below.

    :raises QueryError: the cursor is none of ours
    """
    if cursor is None:
        return _LARGEST
    if not (cursor.isascii() and cursor.isdigit() and int(cursor) <= _LARGEST):
        raise QueryError("this cursor was given out by no page of this list", hint="start without a cursor")
    return int(cursor)


def possible_id(number: int) -> int:
    """The number where an id can be that; else 0, which is nobody's."""
    return number if 0 < number <= _LARGEST else 0
