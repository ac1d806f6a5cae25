"""Forgetting: what is deleted for good must leave the caches of every node, and the deletion waits until it has.

Each process that opens the store has a row in `store_node`, with the last purge that it has carried out in its own
caches: files of segments that are not live any more, their descriptions, their templates, what DuckDB keeps of them.
A node that was stopped or cut off does this at its next start, or when it is back, before it reads anything else; one
that has been silent for `GONE_SECONDS` is not waited for.
"""

from __future__ import annotations

import logging
import re
import socket
import uuid
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.to_thread
import asyncpg

from .commits import CHANNEL, Commits
from .database import DATABASE_ERRORS, Connection

BEAT_SECONDS = 5.0
GONE_SECONDS = 30  # six missed beats: a node that slow is no node that answers queries
_PAUSE_SECONDS = 0.5  # between two looks, however many commits wake us
_KEPT_HOURS = 24  # purges and silent nodes; whoever is away longer starts over with all of its files
_NUMBER = re.compile(r"(\d+)\b")
_log = logging.getLogger(__name__)

Forget = Callable[[Collection[int]], Awaitable[None]]
"""Drops what a cache holds of these segments, and takes it in no more."""


class Forgetting:
    """One for a process. `forgetters` are its caches, asked in the order in which they were added."""

    def __init__(self, pool: asyncpg.Pool, commits: Commits, folder: Path) -> None:
        self._pool, self._commits, self._folder = pool, commits, folder
        self._id = uuid.uuid4()
        self._ticket = 0
        self.forgetters: list[Forget] = []

    async def begin(self) -> None:
        """Enter this process, once its cache has no file of a segment that is not live."""
        newest = await self._newest()
        await self._drop_dead_files()
        self._ticket = newest
        await self._enter()

    async def run(self) -> None:
        """Carry purges out until cancelled; then take this process's entry away."""
        try:
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
        """Carry out the purges since the last look, and say so."""
        rows = await self._pool.fetch(
            "select ticket, segment_ids from purge where ticket > $1 order by ticket", self._ticket
        )
        if rows:
            await self._forget({id_ for row in rows for id_ in row["segment_ids"]})
            await self._drop_dead_files()
            self._ticket = rows[-1]["ticket"]
        await self._enter()

    async def _enter(self) -> None:
        await self._pool.execute(
            "insert into store_node (id, name, ticket) values ($1, $2, $3) "
            "on conflict (id) do update set ticket = $3, seen_at = now()",
            self._id,
            socket.gethostname(),
            self._ticket,
        )

    async def _newest(self) -> int:
        return int(await self._pool.fetchval("select coalesce(max(ticket), 0) from purge"))

    async def _forget(self, ids: Collection[int]) -> None:
        for forget in self.forgetters:
            await forget(ids)

    async def _drop_dead_files(self) -> None:
        """Delete the files of segments that are not live: also of those that were merged away long ago."""
        files = await anyio.to_thread.run_sync(_files, self._folder)
        live = await self._pool.fetch(
            "select id from segment where id = any($1::bigint[]) and replaced_at is null", list(files)
        )
        dead = files.keys() - {row[0] for row in live}
        if dead:
            await self._forget(dead)
            await anyio.to_thread.run_sync(_remove, [path for id_ in dead for path in files[id_]])


async def purge(connection: Connection, ids: Collection[int]) -> int:
    """Tell every node to forget these segments, in the transaction that deletes their bytes; the ticket to wait for."""
    ticket = await connection.fetchval("insert into purge (segment_ids) values ($1) returning ticket", list(ids))
    await connection.execute("select pg_notify($1, '')", CHANNEL)
    return int(ticket)


async def nodes_that_remember(pool: asyncpg.Pool, ticket: int) -> list[str]:
    """Names of the living nodes that have not yet carried out the purge."""
    rows = await pool.fetch(
        "select name from store_node where ticket < $1 and seen_at > now() - make_interval(secs => $2) order by name",
        ticket,
        GONE_SECONDS,
    )
    return [row[0] for row in rows]


async def sweep_purges(pool: asyncpg.Pool) -> None:
    """Delete what nobody needs any more: entries of dead nodes, and old purges (a start looks at all files)."""
    await pool.execute("delete from store_node where seen_at < now() - make_interval(hours => $1)", _KEPT_HOURS)
    await pool.execute(
        "delete from purge where at < now() - make_interval(hours => $1) and ticket < (select max(ticket) from purge)",
        _KEPT_HOURS,
    )


def _files(folder: Path) -> dict[int, list[Path]]:
    """The cache's files by segment id: whatever begins with the id, so half-written ones too."""
    found: dict[int, list[Path]] = {}
    for path in folder.glob("[0-9]*"):
        number = _NUMBER.match(path.name)
        if number:
            found.setdefault(int(number[1]), []).append(path)
    return found


def _remove(paths: Collection[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
