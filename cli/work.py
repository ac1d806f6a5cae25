"""Errors of the database in the middle of a command's work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..core.storage.database import DATABASE_ERRORS
from .exits import UnreachableError


@contextmanager
def reaching() -> Iterator[None]:
    """What the driver raises when the database goes away becomes a message and exit code 3."""
    try:
        yield
    except DATABASE_ERRORS as why:
        raise UnreachableError(f"the database does not answer: {type(why).__name__}: {why}") from why
