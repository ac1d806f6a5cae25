"""`cordwood storage move`: live segments from one place to another, while everything goes on.

Each is copied, its copy is read back and compared with the checksum, and then one transaction has the catalog point to
the copy, if the segment is alive and where it was. Queries find the old bytes or the new ones. Nothing else is kept: a
move that was broken off goes on with what is not there yet. Commits are left in PostgreSQL, for they are merged soon.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio
import asyncpg

from ...plugins.errors import CordwoodError
from .database import Connection
from .files import Files, checksum_of
from .parts import POSTGRESQL, kind_of

_AT_ONCE = 4  # segments in memory
_TURN = "select pg_try_advisory_lock(hashtextextended('cordwood.move', 0))"
_LEFT = """
select id, bytes from segment
where replaced_at is null and place <> $1 and (level > 0 or $1 = 'postgresql') order by id
"""
_WHERE = "select place, object, checksum from segment where id = $1 and replaced_at is null and place <> $2"
_LOCK = """
select level from segment
where id = $1 and replaced_at is null and place = $2 and object is not distinct from $3 for update
"""
_POINT = """
update segment set place = $4, part = $5, object = $6
where id = $1 and replaced_at is null and place = $2 and object is not distinct from $3
"""
_INSERT = """
insert into segment_file (segment_id, part, data)
select $1, part, $2 from segment_part where kind = $3 and current
on conflict (segment_id, part) do update set data = excluded.data
returning part, sha256(data)
"""
_STRAY = "insert into stray_object (place, object, began_at, dead) values ($1, $2, '-infinity', true)"
_HOLDINGS = """
select place, count(*), sum(rows)::bigint, sum(bytes)::bigint from segment where replaced_at is null
group by place order by place
"""


class MoveError(CordwoodError):
    """Segments cannot be moved."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What a place has of the live segments."""

    place: str
    segments: int
    rows: int
    bytes: int


@dataclass(slots=True)
class Moved:
    """What a move has done. `left` says why of those that cannot be read, by segment id."""

    segments: int = 0
    bytes: int = 0
    left: dict[int, str] = field(default_factory=dict)


async def holdings(pool: asyncpg.Pool) -> list[Holding]:
    """What each place has, by name."""
    return [Holding(*row) for row in await pool.fetch(_HOLDINGS)]


async def move(pool: asyncpg.Pool, files: Files, to: str, progress: Callable[[int, int], None]) -> Moved:
    """Move all merged segments to a place; to PostgreSQL, commits as well. `progress` gets (bytes done, of how many).

    :raises MoveError: another move is under way
    :raises RetryableError: a place does not answer, or is not configured; do it again to go on
    """
    if to != POSTGRESQL:
        files.places.named(to)
    async with pool.acquire() as connection:  # which holds the lock, and gives it back with itself
        if not await connection.fetchval(_TURN):
            raise MoveError("another move is under way: wait for its end")
        mover = _Mover(pool, files, to)
        while await mover.round(progress) and to == files.places.current:
            pass  # what was merged meanwhile, of segments that were where they should not be
    await files.sweep()
    return mover.moved


class _Mover:
    def __init__(self, pool: asyncpg.Pool, files: Files, to: str) -> None:
        self._pool, self._files, self._to = pool, files, to
        self.moved = Moved()
        self._done = 0

    async def round(self, progress: Callable[[int, int], None]) -> bool:
        """Move what there is; whether anything was done."""
        rows = [row for row in await self._pool.fetch(_LEFT, self._to) if row["id"] not in self.moved.left]
        before = self._done
        total = before + sum(row["bytes"] for row in rows)
        progress(self._done, total)
        left = iter(rows)

        async def work() -> None:
            for row in left:
                await self._move(row["id"], row["bytes"])
                self._done += row["bytes"]
                progress(self._done, total)

        async with anyio.create_task_group() as tasks:
            for _ in range(_AT_ONCE):
                tasks.start_soon(work)
        return self._done > before

    async def _move(self, id_: int, size: int) -> None:
        before = await self._pool.fetchrow(_WHERE, id_, self._to)
        found = await self._files.read([id_]) if before else []
        if not before or not found:
            return  # it was merged or moved meanwhile
        data = found[0].data
        if data is None:
            self.moved.left[id_] = found[0].problem
            return
        if self._to == POSTGRESQL:
            moved = await self._into_postgresql(id_, data, before)
        else:
            moved = await self._into_place(id_, data, before)
        if moved:
            self.moved.segments += 1
            self.moved.bytes += size

    async def _into_place(self, id_: int, data: bytes, before: asyncpg.Record) -> bool:
        objects = self._files.objects
        (stored,) = await objects.write(self._to, [data], ids=[id_])
        copy = await objects.read(self._to, stored.object)
        if copy is None or checksum_of(copy) != before["checksum"]:
            await objects.abandon([stored])
            raise MoveError(f"{self._files.places.where(self._to)} does not give back what it was given: segment {id_}")
        async with self._pool.acquire() as connection, connection.transaction():
            if await _pointed(connection, id_, before, [self._to, None, stored.object]):
                await objects.enter(connection, stored)
                return True
        await objects.abandon([stored])
        return False

    async def _into_postgresql(self, id_: int, data: bytes, before: asyncpg.Record) -> bool:
        async with self._pool.acquire() as connection, connection.transaction():
            level = await connection.fetchval(_LOCK, id_, before["place"], before["object"])
            if level is None:
                return False
            row = await connection.fetchrow(_INSERT, id_, data, kind_of(level))
            assert row is not None
            if row[1] != before["checksum"]:
                raise MoveError(f"PostgreSQL does not give back what it was given: segment {id_}")
            return await _pointed(connection, id_, before, [POSTGRESQL, row[0], None])


async def _pointed(connection: Connection, id_: int, before: asyncpg.Record, to: Sequence[object]) -> bool:
    """Have the catalog point to the copy, unless the segment was replaced or moved; its old object is deleted then."""
    old = before["place"], before["object"]
    if await connection.execute(_POINT, id_, *old, *to) != "UPDATE 1":
        return False
    if before["object"] is not None:
        await connection.execute(_STRAY, *old)
    return True
