"""Deletion by query: a job finds the events of a search that were committed before it was asked for, and erases them.

    running ── every segment that may hold such events is searched, and replaced where it does (see `erase`)
            ── the bytes of all that was replaced are purged from the store
            ── every node is told to forget them, and has (see `forgetting`)
            ── what other tables have of the events is scrubbed, and the values in the job's own text are masked
    done    ── or `incomplete`, where segments could not be read and may still hold such events

Until then it goes on after every crash, on whichever node leads; each segment is one transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import asyncpg
import msgspec

from .audit import audit
from .commits import CHANNEL
from .database import Connection
from .erase import Search, Searcher
from .forgetting import who_remembers

State = Literal["running", "done", "incomplete", "failed", "cancelled"]

_CREATE = """
insert into deletion (project_id, query, attributes, from_ns, to_ns, now_ns, timezone, requested_by, upto_position)
values ($1, $2, $3, $4, $5, $6, $7, $8, (select head from segment_log where project_id = $1))
returning id
"""


class Deletion(msgspec.Struct, frozen=True, kw_only=True):
    """A job. Times of the search are nanoseconds since the epoch; `query` has its values masked once it is over.

    `unreadable` are segments that may still hold such events: their bytes cannot be had.
    """

    id: int
    project_id: int
    query: str
    attributes: list[str]
    from_ns: int | None
    to_ns: int | None
    now_ns: int
    timezone: str
    upto_position: int
    requested_by: str
    state: State
    segments_total: int
    segments_done: int
    events_deleted: int
    unreadable: list[int]
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
        attributes = await self._searcher.attributes(search)
        await self._searcher.find(msgspec.structs.replace(search, attributes=attributes))
        async with self._pool.acquire() as connection, connection.transaction():
            id_ = await connection.fetchval(
                _CREATE,
                search.project_id,
                search.text,
                sorted(attributes),
                search.from_ns,
                search.to_ns,
                search.now_ns,
                search.timezone,
                by,
            )
            await audit(connection, by, "deletion.create", project_id=search.project_id, deletion=id_, query=masked)
            await connection.execute("select pg_notify($1, '')", CHANNEL)
        found = await self.get(search.project_id, id_)
        assert found is not None
        return found

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
            await finish(connection, found, "cancelled", self._searcher.masked(found.query), by)
        return await self.get(project_id, id_)

    async def waits_for(self, deletion: Deletion) -> list[str]:
        """The nodes that have not forgotten yet, where that is all that is left to do."""
        if deletion.state != "running" or deletion.ticket is None:
            return []
        return await who_remembers(self._pool, deletion.ticket)


async def finish(
    connection: Connection, deletion: Deletion, state: State, masked: str, by: str, error: str | None = None
) -> bool:
    """End a running job in this transaction, keep its text without values, and enter it into the audit log.

    False: it was over already, and nothing was changed.
    """
    deleted = await connection.fetchval(
        "update deletion set state = $2, query = $3, error = $4, finished_at = now() "
        "where id = $1 and state = 'running' returning events_deleted",
        deletion.id,
        state,
        masked,
        error,
    )
    if deleted is None:
        return False
    await audit(
        connection,
        by,
        f"deletion.{state}",
        project_id=deletion.project_id,
        deletion=deletion.id,
        query=masked,
        events=deleted,
    )
    return True
