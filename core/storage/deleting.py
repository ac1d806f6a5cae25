"""The worker that does deletions; see `deletion` for the way of a job."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import anyio
import asyncpg

from ...plugins.errors import FatalError, QueryError, RetryableError
from .cache import SegmentDamagedError, SegmentGoneError
from .commits import Commits
from .database import Connection
from .deletion import Deletion, State, finish
from .erase import Eraser, Found, Search, Searcher
from .files import Files
from .forgetting import sweep_nodes, tell_all, who_remembers
from .leader import Session
from .segment import Segment

EVERY_SECONDS = 5.0  # between looks for jobs, where no wake-up came
_ATTEMPTS = 5  # at one segment that is alive and cannot be read
_PAUSE_SECONDS = 0.3
_log = logging.getLogger(__name__)

Scrub = Callable[[Connection, Search], Awaitable[None]]
"""Takes what a search finds out of other tables, in the transaction given."""


class DeletionWorker:
    """Does the jobs, one after the other; runs on one node at a time (see `leader`)."""

    def __init__(
        self, pool: asyncpg.Pool, commits: Commits, files: Files, eraser: Eraser, searcher: Searcher, scrub: Scrub
    ) -> None:
        self._pool, self._commits, self._files = pool, commits, files
        self._eraser, self._searcher, self._scrub = eraser, searcher, scrub

    async def work(self, _session: Session) -> None:
        """Do what is to be done, until cancelled."""
        with self._commits.subscribe() as news:
            while True:
                await self.run_all()
                await news.wait(EVERY_SECONDS)
                await anyio.sleep(_PAUSE_SECONDS)  # however many commits wake us

    async def run_all(self) -> None:
        """Do all jobs that there are."""
        for row in await self._pool.fetch("select * from deletion where state = 'running' order by id"):
            deletion = Deletion(**row)
            try:
                await self._run(deletion)
            except (TimeoutError, RetryableError) as why:
                _log.warning("deletion %d is tried again: %s", deletion.id, why or "somebody reads what must go")
                continue
            except (QueryError, FatalError) as why:
                _log.error("deletion %d failed: %s", deletion.id, why)  # which may name a value: the table keeps none
                await self._end(deletion, "failed", f"{type(why).__name__}; the log of the server says more")
            await self._eraser.sweep()
            await sweep_nodes(self._pool)

    async def _run(self, deletion: Deletion) -> None:
        if deletion.ticket is None:
            if not await self._erase(deletion):
                return
            await self._files.purge()
            async with self._pool.acquire() as connection, connection.transaction():
                await tell_all(connection, deletion.id)
        while (now := await self._running(deletion)) and now.ticket is not None:
            waiting = await who_remembers(self._pool, now.ticket)
            if not waiting:
                await self._end(now, "incomplete" if now.unreadable else "done")
                return
            _log.debug("deletion %d waits for %s", deletion.id, ", ".join(waiting))
            await anyio.sleep(_PAUSE_SECONDS)

    async def _erase(self, deletion: Deletion) -> bool:
        """Erase until nothing is left to look at; False if it was cancelled meanwhile."""
        failures: dict[int, int] = {}
        unreadable: set[int] = set()
        while True:
            found = await self._searcher.find(deletion.search)
            todo = [s for s in await self._eraser.unchecked(deletion.job, found.segments) if s.id not in unreadable]
            await self._pool.execute(
                "update deletion set segments_total = segments_done + $2, unreadable = $3 where id = $1",
                deletion.id,
                len(todo),
                sorted(unreadable.intersection(segment.id for segment in found.segments)),
            )
            if not todo:
                return await self._running(deletion) is not None
            for segment in todo:
                if await self._running(deletion) is None:
                    return False
                try:
                    await self._erase_from(deletion, found, segment)
                except SegmentDamagedError as why:
                    if segment.id in why.passing:
                        raise RetryableError(str(why)) from why
                    _log.error("deletion %d cannot look into it: %s", deletion.id, why)
                    unreadable.add(segment.id)
                except SegmentGoneError as why:
                    failures[segment.id] = failures.get(segment.id, 0) + 1
                    if failures[segment.id] >= _ATTEMPTS:
                        _log.error("deletion %d cannot look into segment %d: %s", deletion.id, segment.id, why)
                        unreadable.add(segment.id)
                    break  # compaction was faster: look at what there is now

    async def _erase_from(self, deletion: Deletion, found: Found, segment: Segment) -> None:
        async def progress(connection: Connection, deleted: int) -> None:
            await connection.execute(
                "update deletion set segments_done = segments_done + 1, events_deleted = events_deleted + $2 "
                "where id = $1",
                deletion.id,
                deleted,
            )

        await self._eraser.erase(deletion.job, segment, await found.rows(segment), progress)

    async def _running(self, deletion: Deletion) -> Deletion | None:
        """The job as it is now; None: it is over."""
        row = await self._pool.fetchrow("select * from deletion where id = $1 and state = 'running'", deletion.id)
        return None if row is None else Deletion(**row)

    async def _end(self, deletion: Deletion, state: State, error: str | None = None) -> None:
        if state == "incomplete":
            rows = await self._pool.fetch(
                "select rows from segment where id = any($1) and replaced_at is null", deletion.unreadable
            )
            error = (
                f"{len(deletion.unreadable)} segments with {sum(row[0] for row in rows)} events cannot be read and may "
                "still hold such events; `cordwood doctor` says more. Delete again once they are mended or gone"
            )
        try:
            masked = self._searcher.masked(deletion.query)
        except QueryError:  # a text of another release's language
            masked = "…"
        async with self._pool.acquire() as connection, connection.transaction():
            if state in ("done", "incomplete"):
                await self._scrub(connection, deletion.search)
            await finish(connection, deletion, state, masked, deletion.requested_by, error)
        _log.info("deletion %d is %s", deletion.id, state)
