"""Deletion by query: a job finds the events of a search that were committed before it was asked for, and erases them.

    running ── every segment that may hold such events is searched, and replaced where it does (see `erase`)
            ── the bytes of what was replaced are deleted, every node is told to forget them (see `forgetting`)
    done    ── all living nodes have

Until then it goes on after every crash, on whichever node leads. At its end the values in its text are masked: what
had to go must not stay in the list of deletions, and in no later backup.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime

import anyio
import asyncpg
import msgspec

from ...plugins.errors import FatalError, QueryError
from ...plugins.times import now_ns
from .audit import audit
from .cache import SegmentGoneError
from .commits import CHANNEL, Commits
from .database import Connection
from .erase import Count, Eraser, Found, Search, Searcher
from .forgetting import nodes_that_remember, purge
from .leader import Session
from .segment import Segment

EVERY_SECONDS = 5.0  # looks for jobs, where no wake-up came
_ATTEMPTS = 5  # at one segment that is live and cannot be read
_WAIT_SECONDS = 0.3  # between two looks whether all nodes have forgotten
_log = logging.getLogger(__name__)

Purge = Callable[[Connection, Collection[int]], Awaitable[None]]
"""Deletes the bytes of these segments, which are replaced, in the transaction."""


class Deletion(msgspec.Struct, frozen=True, kw_only=True):
    """A job. Times of the search are nanoseconds since the epoch; `query` has its values masked once it is over."""

    id: int
    project_id: int
    query: str
    query_sha256: str
    attributes: list[str]
    from_ns: int | None
    to_ns: int | None
    now_ns: int
    timezone: str
    upto_position: int
    requested_by: str
    state: str
    segments_total: int
    segments_done: int
    rows_deleted: int
    ticket: int | None
    error: str | None
    created_at: datetime
    finished_at: datetime | None

    @property
    def job(self) -> str:
        """Its name in `segment_checked`."""
        return f"deletion:{self.id}"

    @property
    def search(self) -> Search:
        """What it looks for."""
        return Search(
            project_id=self.project_id,
            text=self.query,
            now_ns=self.now_ns,
            from_ns=self.from_ns,
            to_ns=self.to_ns,
            upto_position=self.upto_position,
            timezone=self.timezone,
            attributes=frozenset(self.attributes),
        )


class Deletions:
    """The jobs as the API sees them. Any node; needs the database, and the query language for their texts."""

    def __init__(self, pool: asyncpg.Pool, searcher: Searcher) -> None:
        self._pool, self._searcher = pool, searcher

    async def create(self, search: Search, by: str) -> Deletion:
        """Begin to delete what the search finds among the events that are committed now.

        :raises QueryError: the search is wrong, or has stages
        """
        masked = self._searcher.masked(search.text)
        attributes = sorted(await self._searcher.aliases(search))
        await self._searcher.find(msgspec.structs.replace(search, attributes=frozenset(attributes)))
        digest = hashlib.sha256(search.text.encode()).hexdigest()
        async with self._pool.acquire() as connection, connection.transaction():
            id_ = await connection.fetchval(
                """
                insert into deletion (project_id, query, query_sha256, attributes, from_ns, to_ns, now_ns, timezone,
                                      requested_by, upto_position)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, (select head from segment_log where project_id = $1))
                returning id
                """,
                search.project_id,
                search.text,
                digest,
                attributes,
                search.from_ns,
                search.to_ns,
                search.now_ns,
                search.timezone,
                by,
            )
            await audit(
                connection,
                by,
                "deletion.create",
                project_id=search.project_id,
                deletion=id_,
                query=masked,
                query_sha256=digest,
            )
            await connection.execute("select pg_notify($1, '')", CHANNEL)
        found = await self.get(search.project_id, id_)
        assert found is not None
        return found

    async def preview(self, search: Search) -> Count:
        """What a deletion would take now.

        :raises QueryError: the search is wrong, or has stages
        """
        attributes = await self._searcher.aliases(search)
        return await self._searcher.count(msgspec.structs.replace(search, attributes=attributes))

    async def page(self, project_id: int, *, before: int, limit: int, state: str | None = None) -> list[Deletion]:
        """Jobs with an id below `before`, newest first."""
        rows = await self._pool.fetch(
            "select * from deletion where project_id = $1 and id < $2 and ($3::text is null or state = $3) "
            "order by id desc limit $4",
            project_id,
            before,
            state,
            limit,
        )
        return [Deletion(**row) for row in rows]

    async def get(self, project_id: int, id_: int) -> Deletion | None:
        """One job; None: there is no such."""
        row = await self._pool.fetchrow("select * from deletion where project_id = $1 and id = $2", project_id, id_)
        return None if row is None else Deletion(**row)

    async def cancel(self, project_id: int, id_: int, by: str) -> Deletion | None:
        """End a running job; what it has deleted stays deleted. One that is over stays as it is. None: no such."""
        found = await self.get(project_id, id_)
        if found is None or found.state != "running":
            return found
        async with self._pool.acquire() as connection, connection.transaction():
            if await finish(connection, found, "cancelled", self._searcher.masked(found.query)) is not None:
                await audit(connection, by, "deletion.cancel", project_id=project_id, deletion=id_)
        return await self.get(project_id, id_)

    async def waiting_for(self, deletion: Deletion) -> list[str]:
        """The nodes that have not forgotten yet, where that is all that is left to do."""
        if deletion.state != "running" or deletion.ticket is None:
            return []
        return await nodes_that_remember(self._pool, deletion.ticket)


class DeletionWorker:
    """Does the jobs, one after the other; runs on one node at a time (see `leader`).

    `scrub` takes what a job looks for out of other tables, in the transaction given: samples of incidents.
    """

    def __init__(
        self, pool: asyncpg.Pool, commits: Commits, eraser: Eraser, searcher: Searcher, delete_bytes: Purge
    ) -> None:
        self._pool, self._commits, self._eraser = pool, commits, eraser
        self._searcher, self._delete_bytes = searcher, delete_bytes
        self.scrub: Callable[[Connection, Search], Awaitable[None]] | None = None

    async def work(self, _session: Session) -> None:
        """Do what is to be done, until cancelled."""
        with self._commits.subscribe() as news:
            while True:
                await self.run_all()
                await news.wait(EVERY_SECONDS)
                await anyio.sleep(_WAIT_SECONDS)

    async def run_all(self) -> None:
        """Do all jobs that there are."""
        rows = await self._pool.fetch("select * from deletion where state = 'running' order by id")
        for row in rows:
            deletion = Deletion(**row)
            try:
                await self._run(deletion)
            except (QueryError, FatalError) as why:
                _log.error("deletion %d failed: %s", deletion.id, type(why).__name__)
                await self._end(deletion, "failed", str(why))

    async def _run(self, deletion: Deletion) -> None:
        if deletion.ticket is None:
            if not await self._erase(deletion) or (ticket := await self._purge(deletion)) is None:
                return
        else:
            ticket = deletion.ticket
        while waiting := await nodes_that_remember(self._pool, ticket):
            _log.debug("deletion %d waits for %s", deletion.id, ", ".join(waiting))
            await anyio.sleep(_WAIT_SECONDS)
            if not await self._running(deletion):
                return
        await self._end(deletion, "done")

    async def _erase(self, deletion: Deletion) -> bool:
        """Erase until nothing is left to look at; False if it was cancelled meanwhile."""
        failures: dict[int, int] = {}
        while True:
            found = await self._searcher.find(deletion.search)
            todo = await self._eraser.unchecked(deletion.job, found.segments)
            if not todo:
                return True
            await self._pool.execute(
                "update deletion set segments_total = segments_done + $2 where id = $1 and state = 'running'",
                deletion.id,
                len(todo),
            )
            for segment in todo:
                if not await self._running(deletion):
                    return False
                try:
                    await self._erase_from(deletion, found, segment)
                except SegmentGoneError as why:
                    failures[segment.id] = failures.get(segment.id, 0) + 1
                    if failures[segment.id] >= _ATTEMPTS:
                        raise FatalError(
                            f"segment {segment.id} cannot be read, so that it was not searched: {why}"
                        ) from why
                    break  # compaction was faster: look at what there is now

    async def _erase_from(self, deletion: Deletion, found: Found, segment: Segment) -> None:
        async def progress(connection: Connection, deleted: int) -> None:
            await connection.execute(
                "update deletion set segments_done = segments_done + 1, rows_deleted = rows_deleted + $2 where id = $1",
                deletion.id,
                deleted,
            )

        await self._eraser.erase(deletion.job, segment, await found.rows(segment), progress)

    async def _purge(self, deletion: Deletion) -> int | None:
        """Delete the bytes of all replaced segments that may have held such events; the ticket of it.

        Also of those that compaction replaced, before the job or during it. A query that still reads one starts over.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(
                """
                delete from segment where project_id = $1 and replaced_at is not null and min_position <= $2
                  and ($3::bigint is null or max_time >= $3) and ($4::bigint is null or min_time < $4)
                returning id
                """,
                deletion.project_id,
                deletion.upto_position,
                deletion.from_ns,
                deletion.to_ns,
            )
            ids = [row[0] for row in rows]
            await self._delete_bytes(connection, ids)
            if self.scrub is not None:
                await self.scrub(connection, deletion.search)
            ticket = await purge(connection, ids)
            kept: int | None = await connection.fetchval(
                "update deletion set ticket = $2, segments_total = segments_done where id = $1 and state = 'running' "
                "returning ticket",
                deletion.id,
                ticket,
            )
        return kept

    async def _running(self, deletion: Deletion) -> bool:
        return bool(await self._pool.fetchval("select state = 'running' from deletion where id = $1", deletion.id))

    async def _end(self, deletion: Deletion, state: str, error: str | None = None) -> None:
        try:
            masked = self._searcher.masked(deletion.query)
        except QueryError:  # a text of another release's language
            masked = "…"
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await finish(connection, deletion, state, masked, error)
            if rows is not None:
                await audit(
                    connection,
                    deletion.requested_by,
                    f"deletion.{state}",
                    project_id=deletion.project_id,
                    deletion=deletion.id,
                    rows=rows,
                )
        await self._eraser.forget(deletion.job)
        _log.info("deletion %d is %s: %s events", deletion.id, state, rows)


async def finish(
    connection: Connection, deletion: Deletion, state: str, masked: str, error: str | None = None
) -> int | None:
    """End a running job, and keep its text without values; the rows it deleted, or None if it was over already."""
    rows: int | None = await connection.fetchval(
        "update deletion set state = $2, query = $3, error = $4, finished_at = now() "
        "where id = $1 and state = 'running' returning rows_deleted",
        deletion.id,
        state,
        masked,
        error,
    )
    return rows


def search_of(
    project_id: int, text: str, *, from_ns: int | None = None, to_ns: int | None = None, timezone: str = "UTC"
) -> Search:
    """The search of a new deletion, as of now."""
    return Search(project_id=project_id, text=text, now_ns=now_ns(), from_ns=from_ns, to_ns=to_ns, timezone=timezone)


async def delete_bytes(connection: Connection, ids: Collection[int]) -> None:
    """Delete the segments' bytes."""
    await connection.execute("delete from segment_file where segment_id = any($1)", list(ids))


__all__ = ["Deletion", "DeletionWorker", "Deletions", "delete_bytes", "search_of"]
