"""Forgetting: what is deleted for good must leave the caches of every node, and a deletion waits until it has.

Each process that has the store open has a row in `store_node`, with the last ticket it has carried out: a ticket says
that segments' bytes are gone from the store, and that files and memory of all that are not alive must go too. A node
that was cut off does so when it is back; one that has been silent for `GONE_SECONDS` is not waited for, and at its next
start does it before it reads anything.
"""

from __future__ import annotations

import socket
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio
import asyncpg

from .cache import SegmentCache
from .catalog import Catalog
from .commits import CHANNEL, Commits
from .database import DATABASE_ERRORS, Connection

BEAT_SECONDS = 3.0
GONE_SECONDS = 15  # five missed beats: a node that slow is no node that answers queries
_PAUSE_SECONDS = 0.5  # between looks, however many commits wake us
_AGAIN_SECONDS = 1.0  # after which a second look finds what was being written into the cache during the first
_NEWEST = "select coalesce(max(ticket), 0) from deletion"


class Forgetting:
    """One for a process. `others` forget with the cache and the catalog: what queries keep in memory."""

    def __init__(self, pool: asyncpg.Pool, commits: Commits, cache: SegmentCache, catalog: Catalog) -> None:
        self._pool, self._commits, self._cache, self._catalog = pool, commits, cache, catalog
        self._id = uuid.uuid4()
        self._ticket = 0
        self.others: list[Callable[[], Awaitable[None]]] = []

    async def begin(self) -> None:
        """Enter this process, once its cache has no file of a segment that is not alive."""
        await self._enter(0)  # from here on it is waited for
        ticket = await self._pool.fetchval(_NEWEST)
        await self._cache.forget_dead()
        await self._enter(ticket)

    async def run(self) -> None:
        """Forget whatever is to be forgotten, until cancelled; then take this process's entry away."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._beat)
                with self._commits.subscribe() as news:
                    while True:
                        await news.wait(BEAT_SECONDS)
                        with suppress(*DATABASE_ERRORS):
                            await self.look()
                        await anyio.sleep(_PAUSE_SECONDS)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(2), suppress(*DATABASE_ERRORS):
                await self._pool.execute("delete from store_node where id = $1", self._id)

    async def look(self) -> None:
        """Carry out what has come since the last look, and say so."""
        ticket = await self._pool.fetchval(_NEWEST)
        if ticket > self._ticket:
            await self._forget()
            await anyio.sleep(_AGAIN_SECONDS)
            await self._forget()
            await self._enter(ticket)

    async def _beat(self) -> None:
        """Say that this process lives, also while it waits for what is being fetched."""
        while True:
            await anyio.sleep(BEAT_SECONDS)
            with suppress(*DATABASE_ERRORS):
                await self._enter(self._ticket)

    async def _forget(self) -> None:
        self._catalog.forget()
        for forget in self.others:
            await forget()
        await self._cache.forget_dead()

    async def _enter(self, ticket: int) -> None:
        await self._pool.execute(
            "insert into store_node (id, name, ticket) values ($1, $2, $3) "
            "on conflict (id) do update set ticket = greatest(store_node.ticket, $3), seen_at = now()",
            self._id,
            socket.gethostname(),
            ticket,
        )
        self._ticket = max(self._ticket, ticket)


async def tell_all(connection: Connection, deletion_id: int) -> None:
    """Let every node forget what is not alive, in the transaction that notes it: the deletion's ticket."""
    await connection.execute("update deletion set ticket = nextval('forget_ticket') where id = $1", deletion_id)
    await connection.execute("select pg_notify($1, '')", CHANNEL)


async def who_remembers(pool: asyncpg.Pool, ticket: int) -> list[str]:
    """Names of the living nodes that have not carried out the ticket yet."""
    rows = await pool.fetch(
        "select name from store_node where ticket < $1 and seen_at > now() - make_interval(secs => $2) order by name",
        ticket,
        GONE_SECONDS,
    )
    return [row[0] for row in rows]


async def sweep_nodes(pool: asyncpg.Pool) -> None:
    """Delete the entries of nodes that ended without taking them away."""
    await pool.execute("delete from store_node where seen_at < now() - interval '1 day'")
