"""Was it committed? Asked where the connection broke between COMMIT and its answer.

A commit is known by what only it can have written: the catalog's rows with the numbers and checksums of its segments.
They are asked for while the transaction cannot be going on any more, and locked by the question, so that with
synchronous replication a yes is as durable as a commit that was answered. The number of the transaction is proof only
while the server has not been started again: a standby that was promoted without it gives the number to another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import anyio
import asyncpg

from .database import Connection

_AGAIN_SECONDS = 0.2
_STATUS = "select case when pg_postmaster_start_time() = $2 then pg_xact_status($1::text::xid8) end"
# The server that does not know yet that its client is gone: a COMMIT that it has not got will not come. One that it has
# got goes on (it may be waiting for a standby), and is waited for.
_END = """
select pg_terminate_backend(pid) from pg_stat_activity
where pid = $2 and backend_xid = xid($1::text::xid8) and starts_with(state, 'idle in transaction')
"""
_FOUND = """
select s.id from segment s join unnest($1::bigint[], $2::bytea[]) w (id, checksum) using (id, checksum)
for key share of s
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A transaction that is about to commit: its number (`xid8`), its backend, (id, checksum) of its segments."""

    transaction: str
    server_started_at: datetime
    backend: int
    segments: tuple[tuple[int, bytes], ...]


async def was_committed(pool: asyncpg.Pool, attempt: Attempt) -> bool:
    """Whether the attempt is stored; waits until it is either that or never will be.

    Ask within `files.GRACE_SECONDS`: then a segment that was merged meanwhile is still in the catalog, also of a server
    that was started again.
    """
    while True:
        async with pool.acquire() as connection:
            status = await _status(connection, attempt)
            if status != "in progress":
                ids, checksums = zip(*attempt.segments, strict=True)
                found = await connection.fetch(_FOUND, ids, checksums)
                return len(found) == len(ids) or status == "committed"
            await connection.execute(_END, attempt.transaction, attempt.backend)
        await anyio.sleep(_AGAIN_SECONDS)


async def _status(connection: Connection, attempt: Attempt) -> str | None:
    """What the server knows of the transaction; None: nothing (any more), or it was started again since."""
    status: str | None = await connection.fetchval(_STATUS, attempt.transaction, attempt.server_started_at)
    return status
