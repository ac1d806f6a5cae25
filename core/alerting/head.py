"""The head of the segment log, as the leader's detectors wait for it: read once for all of them."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from typing import Protocol

import anyio

from ..storage.database import DATABASE_ERRORS
from ..storage.segment import Segment

POLL_SECONDS = 2.0  # a wake-up that got lost delays a detector by this much
PAUSE_SECONDS = 0.05  # between two readings: of many commits in a second not each needs one
_log = logging.getLogger(__name__)


class Catalog(Protocol):
    """What alerting needs of the catalog."""

    async def head(self, project_id: int) -> int:
        """The last committed position; 0 before the first commit."""

    async def segments(
        self,
        project_id: int,
        *,
        from_ns: int | None = None,
        to_ns: int | None = None,
        after_position: int | None = None,
        upto_position: int | None = None,
    ) -> list[Segment]:
        """The segments that may hold events of the range."""


class Wakeups(Protocol):
    """A subscription to commits."""

    async def wait(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - the store's
        """Wait for a commit, at most `timeout` seconds."""


class Commits(Protocol):
    """What alerting needs of the store's commits."""

    def subscribe(self) -> AbstractContextManager[Wakeups]:
        """A subscription while the context lasts."""


class Head:
    """Follows the head of one project; `run` keeps it up to date."""

    def __init__(self, catalog: Catalog, commits: Commits, project_id: int) -> None:
        self._catalog, self._commits, self._project_id = catalog, commits, project_id
        self._value = -1
        self._moved = anyio.Event()

    @property
    def value(self) -> int:
        """The head as it was read last."""
        return self._value

    async def read(self) -> int:
        """The head now."""
        self._set(await self._catalog.head(self._project_id))
        return self._value

    async def passed(self, position: int, latest: float | None) -> None:
        """Wait until the head lies behind `position`, at most until `latest` (in `anyio.current_time`)."""
        with anyio.CancelScope(deadline=float("inf") if latest is None else latest):
            while self._value <= position:
                await self._moved.wait()

    async def run(self) -> None:
        """Read the head after every commit, until cancelled."""
        with self._commits.subscribe() as subscription:
            while True:
                try:
                    await self.read()
                except DATABASE_ERRORS as why:
                    _log.warning("alerting: cannot read the log's head (%s); trying again", type(why).__name__)
                await anyio.sleep(PAUSE_SECONDS)
                await subscription.wait(POLL_SECONDS)

    def _set(self, value: int) -> None:
        if value > self._value:
            self._value = value
            self._moved.set()
            self._moved = anyio.Event()
