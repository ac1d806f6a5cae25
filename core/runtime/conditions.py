"""What a node sees around itself now and then: the clock of the database, the place of segments, what waits.

A wrong environment is said while everything runs, with what mends it: by `/readyz`, in the log, and as metrics.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import anyio
import asyncpg

from ..storage.database import DATABASE_ERRORS
from ..storage.places import Places

EVERY_SECONDS: Final = 15.0
PLACE_EVERY_SECONDS: Final = 300.0
"""Each look at a place writes, reads and deletes an object there."""
CLOCK_WARN_SECONDS: Final = 1.0
"""Events get their time of arrival from this process; retention and detectors look at it."""
CLOCK_FAIL_SECONDS: Final = 60.0
_log = logging.getLogger(__name__)


async def clock_difference(pool: asyncpg.Pool[Any], clock: Callable[[], float] = time.time) -> float:
    """Seconds that the database's clock is ahead of this one, as far as the answer's delay leaves no doubt."""
    before = clock()
    theirs = float(await pool.fetchval("select extract(epoch from clock_timestamp())::float8"))
    return theirs - min(max(theirs, before), clock())


class Conditions:
    """Looks around until cancelled (`run`). `writes`: this node puts segments into the place."""

    def __init__(
        self,
        pool: asyncpg.Pool[Any],
        places: Callable[[], Places],
        *,
        writes: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._pool, self._places, self._writes, self._clock = pool, places, writes, clock
        self.clock_difference_seconds = 0.0
        self.unmerged_segments = 0
        self.place_up: bool | None = None
        """Whether the place could be used at the last look; None: there is none, or this node does not write to it."""
        self._place_at = float("-inf")
        self._said: set[str] = set()

    @property
    def reasons(self) -> list[str]:
        """What makes the node unfit, for everybody to read, each with its mend."""
        if abs(self.clock_difference_seconds) <= CLOCK_FAIL_SECONDS:
            return []
        return [self._clock_words()]

    @property
    def warnings(self) -> list[str]:
        """What is wrong and does not stop it, likewise."""
        found = []
        if CLOCK_WARN_SECONDS < abs(self.clock_difference_seconds) <= CLOCK_FAIL_SECONDS:
            found.append(self._clock_words())
        if self.place_up is False:
            found.append(
                f"the place {self._places().current} cannot be used, so merged segments stay in PostgreSQL: "
                "the log says why; let this node put, get and delete objects there"
            )
        return found

    async def run(self) -> None:
        """Look now, and again and again."""
        while True:
            with suppress(*DATABASE_ERRORS):  # who asks for readiness asks the database itself
                await self.look()
            await anyio.sleep(EVERY_SECONDS)

    async def look(self) -> None:
        """One look. What begins to be wrong is logged, and so is its end."""
        self.clock_difference_seconds = await clock_difference(self._pool, self._clock)
        self.unmerged_segments = await self._pool.fetchval(
            "select count(*) from segment where level = 0 and replaced_at is null"
        )
        if self._writes and anyio.current_time() - self._place_at >= PLACE_EVERY_SECONDS:
            self._place_at = anyio.current_time()
            await self._look_at_place()
        now = {*self.reasons, *self.warnings}
        for words in sorted(now - self._said):
            _log.warning("%s", words)
        if self._said and not now:
            _log.info("the environment is as it should be again")
        self._said = now

    async def _look_at_place(self) -> None:
        places = self._places()
        if places.current not in places.known:
            self.place_up = None
            return
        why = await places.problem(places.current)
        if why and self.place_up is not False:
            _log.error("merged segments stay in PostgreSQL: %s", why)
        self.place_up = not why

    def _clock_words(self) -> str:
        # Without the figure, which changes: who reads the log wants the change of state alone.
        return "this node's clock differs from the database's: set both by NTP (cordwood doctor tells by how much)"
