"""All checks of a store, in an order in which the quick ones come first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from ..places import Places
from .finding import Finding


@dataclass(frozen=True, slots=True)
class Examination:
    """What is examined, and how."""

    pool: asyncpg.Pool
    places: Places
    progress: Callable[[int, int], None]
    """Called with (bytes checked, of how many)."""
    cache: Path | None = None
    """The folder of this machine's cache; None: there is none."""
    deep: bool = False
    """Look at every file of the cache, not only at some."""


async def examine(examination: Examination) -> AsyncIterator[Finding]:
    """The findings; the store may be in use meanwhile, and nothing in it is changed.

    :raises asyncpg.PostgresError: the database goes away
    """
    from . import cache, catalog, segments, server, space

    for check in (*server.CHECKS, *catalog.CHECKS, *space.CHECKS, *segments.CHECKS, *cache.CHECKS):
        async for finding in check(examination):
            yield finding
