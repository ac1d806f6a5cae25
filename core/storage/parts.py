"""The parts of `segment_file`: how the space of dead segments comes back without a VACUUM of their bytes.

No row of that table is ever deleted. It is cut into parts (partitions) of two kinds: `commit` for segments of level 0,
which are merged within minutes, and `merged` for all others. One part of each kind is current: writers add to it. When
it has become large, or mostly dead, another becomes current. A closed part to which no catalog row refers is truncated,
which gives its files back to the disk at once. Where a kind has become too large for what is alive in it, the live rows
of its emptiest part are copied to the current one, and the part is truncated.

A catalog row says in which part its bytes are; a copy and that change commit together, so a reader that joins the two
in one statement finds them always. It takes its locks before its snapshot, so a truncation never cuts it off from the
row it looks for. A transaction of several statements (a backup) must lock the table before its snapshot instead:
`lock table segment_file in access share mode`; parts are then truncated when it is over.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import anyio
import asyncpg

from .database import Connection

POSTGRESQL = "postgresql"
"""The place of segments whose bytes are in `segment_file`."""

LEAST_BYTES = 4 << 20  # a smaller part is not closed for its size
_SHARE = {"commit": 1 / 3, "merged": 1 / 8}  # of its kind, at which a part is closed: parts stay fewer than there are
_DEAD_BYTES = 1 << 20  # less is not worth moving anything
_DEAD_SHARE = 0.15  # of a kind's bytes that may be dead: more costs disk, less costs copying
_OVERHEAD = 1.05  # bytes on disk for a byte of a segment: chunks of TOAST and their index
_MOVE_BYTES = 48 << 20  # copied in one transaction
_LOCK_MS = 200  # a truncation waits so long for readers of its part, for others wait behind it
_PURGE_LOCK_MS = 2000  # the same where what is in the part must go
_PURGE_SECONDS = 60.0
_log = logging.getLogger(__name__)

_STATE = """
select p.part, p.kind, p.current, pg_relation_size(('segment_file_' || p.part)::regclass) = 0 as empty,
       pg_total_relation_size(('segment_file_' || p.part)::regclass) as size,
       coalesce(used, 0) as used, coalesce(live, 0) as live
from segment_part p left join (
    select part, sum(bytes)::bigint as used, sum(bytes) filter (where replaced_at is null)::bigint as live
    from segment where part is not null group by part
) s using (part)
order by p.part
"""
_TURN = "select pg_advisory_xact_lock(hashtextextended('cordwood.parts', 0))"
_COPY = """
insert into segment_file (segment_id, part, data)
select segment_id, $3, data from segment_file where part = $1 and segment_id = any($2)
on conflict (segment_id, part) do update set data = excluded.data
"""
_MOVED = "update segment set part = $3 where part = $1 and id = any($2)"
_DIRTY = """
select distinct f.part from segment_file f
where not exists (select from segment s where s.id = f.segment_id and s.part = f.part)
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One partition. `size`: bytes on disk; `used`: of segments the catalog knows; `live`: of those not replaced."""

    part: int
    kind: str
    current: bool
    empty: bool
    size: int
    used: int
    live: int

    @property
    def dead(self) -> int:
        """Bytes on disk that nobody needs."""
        return 0 if self.empty else max(0, self.size - int(self.used * _OVERHEAD) - (32 << 10))


def kind_of(level: int) -> str:
    """The kind of parts that segments of this level go to."""
    return "merged" if level else "commit"


class Parts:
    """Keeps the parts in order. Safe beside readers, writers and another `Parts` on the same database."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def state(self) -> list[Part]:
        """All parts, by number."""
        return [Part(*row) for row in await self._pool.fetch(_STATE)]

    async def tidy(self) -> None:
        """One round: truncate what is dead, close what is full, move the live rest of one part that is mostly dead."""
        for part in await self.state():
            if not (part.current or part.empty or part.used):
                await self._truncate(part.part)
        for kind in _SHARE:
            parts = [part for part in await self.state() if part.kind == kind]
            total = sum(part.size for part in parts if not part.empty)
            current = next(part for part in parts if part.current)
            full = max(LEAST_BYTES, total * _SHARE[kind])
            if current.size >= full or current.dead > max(_DEAD_BYTES, current.size // 2):
                await self._rotate(kind, only_empty=True)
            elif (mostly_dead := _worth_moving(parts, total)) is not None:
                await self._drain(mostly_dead.part)
                await self._truncate(mostly_dead.part)

    async def purge(self) -> None:
        """Let no byte remain of segments that the catalog does not know (any more).

        Copies whatever is alive in a part that holds such bytes: once at the end of a deletion, not for each segment.

        :raises TimeoutError: somebody reads from a part for so long that it cannot be truncated
        """
        dirty = {row[0] for row in await self._pool.fetch(_DIRTY)}
        by_number = {part.part: part for part in await self.state()}
        closed = [n for n in sorted(dirty) if not by_number[n].current]
        for number in closed:
            await self._emptied(number)
        for number in dirty.difference(closed):
            await self._rotate(by_number[number].kind, only_empty=False)
            await self._emptied(number)

    async def _emptied(self, number: int) -> None:
        deadline = time.monotonic() + _PURGE_SECONDS
        while True:
            await self._drain(number, live_only=False)
            if await self._truncate(number, lock_ms=_PURGE_LOCK_MS):
                return
            if number in {part.part for part in await self.state() if part.current or part.empty}:
                return  # somebody else has truncated it, and perhaps it is in use again
            if time.monotonic() > deadline:
                raise TimeoutError(f"somebody reads from part {number} of the segments' bytes")
            await anyio.sleep(0.1)

    async def _rotate(self, kind: str, *, only_empty: bool) -> None:
        """Make another part current: an empty one, or else (unless `only_empty`) the smallest."""
        others = [part for part in await self.state() if part.kind == kind and not part.current]
        best = min(others, key=lambda part: (not part.empty, part.size))
        if only_empty and not best.empty:
            return
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_TURN)
            await connection.execute("update segment_part set current = false where kind = $1 and current", kind)
            await connection.execute("update segment_part set current = true where part = $1", best.part)
        _log.debug("segments of kind %s go to part %d now", kind, best.part)

    async def _drain(self, number: int, *, live_only: bool = True) -> None:
        """Copy what the catalog knows of a closed part to the current one of its kind, some at a time."""
        began, count = time.monotonic(), 0
        while moved := await self._move_some(number, live_only=live_only):
            count += moved
        if count:
            _log.debug("moved %d segments out of part %d in %.1f s", count, number, time.monotonic() - began)

    async def _move_some(self, number: int, *, live_only: bool) -> int:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_TURN)
            target = await _current_instead(connection, number)
            if target is None:
                return 0
            rows = await connection.fetch(
                "select id, bytes from segment where part = $1 and (replaced_at is null or not $2) order by id "
                "limit 5000 for update skip locked",  # who replaces some of them now does not wait, nor do we
                number,
                live_only,
            )
            ids = _up_to([(row[0], row[1]) for row in rows], _MOVE_BYTES)
            await connection.execute(_COPY, number, ids, target)
            # Also where there were no bytes to copy: a segment whose bytes are lost must not keep the part for ever.
            await connection.execute(_MOVED, number, ids, target)
        return len(ids)

    async def _truncate(self, number: int, *, lock_ms: int = _LOCK_MS) -> bool:
        """Give a closed part's files back; False: it is in use, or somebody reads from it now."""
        with suppress(asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(_TURN)
                await connection.execute(f"set local lock_timeout = {lock_ms}")
                # Who has written to it and not committed holds a lock on it; from here on nobody else gets one.
                await connection.execute(f"lock table segment_file_{number} in access exclusive mode")
                if await connection.fetchval(
                    "select exists(select from segment where part = $1) "
                    "or exists(select from segment_part where part = $1 and current)",
                    number,
                ):
                    return False
                await connection.execute(f"truncate segment_file_{number}")
            return True
        return False


def _worth_moving(parts: Sequence[Part], total: int) -> Part | None:
    """The closed part whose live rest is to be moved: the one with the largest dead share, where too much is dead."""
    if sum(part.dead for part in parts) <= max(_DEAD_BYTES, total * _DEAD_SHARE):
        return None
    # Replaced segments within their grace would keep the part from being truncated: it waits for them.
    closed = [part for part in parts if part.dead and not part.current and part.used - part.live <= part.size // 5]
    best = max(closed, key=lambda part: part.dead / part.size, default=None)
    return best if best is not None and best.dead > best.size * _DEAD_SHARE else None


def _up_to(sized: Sequence[tuple[int, int]], most: int) -> list[int]:
    """The first ids whose sizes together stay below the bound; at least one, if there is one."""
    taken: list[int] = []
    total = 0
    for id_, size in sized:
        total += size
        if taken and total > most:
            break
        taken.append(id_)
    return taken


async def _current_instead(connection: Connection, number: int) -> int | None:
    """The current part of the same kind; None where that is this one."""
    part: int | None = await connection.fetchval(
        "select c.part from segment_part p join segment_part c on c.kind = p.kind and c.current "
        "where p.part = $1 and not p.current",
        number,
    )
    return part
