"""Segments' bytes outside PostgreSQL: objects in places, and a record of those that no segment needs.

An object is uploaded before the transaction that enters its segment into the catalog, and deleted after the one that
takes it out; a crash between leaves an object that no segment knows. Every such object is in `stray_object`:

    record ──► upload ──► commit: off the record, into the catalog ──► … ──► out of it, on the record ──► delete ──► off

Invariants: only what is on the record and `dead` is deleted; what is dead can no longer be entered, because a commit
must find the object on the record and alive. So neither clocks nor listings decide, a process that was stopped for
hours can do no harm, and copies of the database do not take each other's objects for strays. A key is never used
twice: it holds the identity of the database, the segment's number and 64 random bits.

A backup reads what was alive when it began: while it holds `READING`, nothing is deleted.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

import anyio
import asyncpg

from ...plugins.base import Place
from ...plugins.errors import DeliveryError, RetryableError
from .database import Connection
from .places import Places

READING = "hashtextextended('cordwood.objects', 0)"
"""The advisory lock that a long reader holds shared, and that must be free when it is decided what to delete."""

_AT_ONCE = 16  # requests of one process
_UPLOAD = "15 minutes"  # after it, an upload that was not committed is given up
_LATE = "1 hour"  # after it, no request of an upload can still arrive: until then its object is deleted again
_TOGETHER = 1000  # objects deleted by one call
_ANSWER_SECONDS = 120.0  # a place retries for seconds; one that does not end must not hold us for ever
_PAUSE_SECONDS = 5.0  # nobody asks a place that has failed for so long: a thousand segments are not a thousand waits
_PURGE_SECONDS = 60.0
_log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An uploaded object, and the number of the segment that it is for."""

    id: int
    place: str
    object: str


def new_key(identity: str, segment_id: int) -> str:
    """A key for a segment of the database with this identity, that no object has had."""
    return f"{identity}/{segment_id}-{secrets.token_hex(8)}.parquet"


class Objects:
    """Writes, reads and deletes objects. Every method that asks a place raises RetryableError where it fails."""

    def __init__(self, pool: asyncpg.Pool, places: Places) -> None:
        self._pool = pool
        self.places = places
        self._identity = ""
        self._turns = anyio.CapacityLimiter(_AT_ONCE)
        self._failed: dict[str, tuple[float, str]] = {}

    async def write(self, place: str, blobs: Sequence[bytes], ids: Sequence[int] | None = None) -> list[StoredObject]:
        """Upload segments, in the order given; with numbers of their own, or the next free ones.

        :raises RetryableError: the place fails; what was uploaded is deleted by and by
        """
        self._identity = self._identity or str(await self._pool.fetchval("select id from installation"))
        if ids is None:
            fresh = await self._pool.fetch("select nextval('segment_id') from generate_series(1, $1)", len(blobs))
            ids = [row[0] for row in fresh]
        written = [StoredObject(id_, place, new_key(self._identity, id_)) for id_ in ids]
        await self._pool.execute(
            "insert into stray_object (place, object) select $1, unnest($2::text[])", place, [o.object for o in written]
        )
        failures: list[RetryableError] = []

        async def upload(stored: StoredObject, data: bytes) -> None:
            try:
                await self._ask(place, lambda there: there.put(stored.object, data))
            except RetryableError as why:
                failures.append(why)

        async with anyio.create_task_group() as tasks:
            for stored, data in zip(written, blobs, strict=True):
                tasks.start_soon(upload, stored, data)
        if failures:
            await self.abandon(written)
            raise failures[0]
        return written

    async def enter(self, connection: Connection, stored: StoredObject) -> None:
        """Take an object off the record, in the transaction that has the catalog point to it.

        :raises RetryableError: it was given up meanwhile
        """
        status = await connection.execute(
            "delete from stray_object where place = $1 and object = $2 and not dead", stored.place, stored.object
        )
        if status != "DELETE 1":
            raise RetryableError(f"the upload of segment {stored.id} took too long, or a deletion called it off")

    async def abandon(self, written: Sequence[StoredObject]) -> None:
        """These are not entered after all. Harmless for those that are."""
        await self._pool.execute(
            "update stray_object s set dead = true from unnest($1::text[], $2::text[]) u (place, object) "
            "where s.place = u.place and s.object = u.object",
            [stored.place for stored in written],
            [stored.object for stored in written],
        )

    async def read(self, place: str, object_: str) -> bytes | None:
        """The bytes of an object; None: there is none.

        :raises RetryableError: the place fails, or is not configured
        """
        return await self._ask(place, lambda there: there.get(object_))

    async def sweep(self) -> None:
        """Give up what was uploaded and never entered, and delete some of what is dead. A place that fails can wait."""
        await self._pool.execute(
            f"update stray_object set dead = true where not dead and began_at < now() - interval '{_UPLOAD}'"  # noqa: S608
        )
        for place, objects in (await self._dead("", "") or {}).items():
            try:
                await self._delete(place, objects)
            except RetryableError:
                continue  # it is in the log already

    async def purge(self) -> None:
        """Delete every object that no segment needs, also of uploads that go on: those are called off.

        :raises RetryableError: a place fails, or is not configured
        :raises TimeoutError: a backup runs
        """
        await self._pool.execute("update stray_object set dead = true where not dead")
        place = object_ = ""
        with anyio.fail_after(_PURGE_SECONDS) as scope:
            while True:
                found = await self._dead(place, object_)
                if found is None:
                    await anyio.sleep(0.2)
                    continue
                if not found:
                    return
                for place, objects in found.items():
                    await self._delete(place, objects)
                    object_ = objects[-1]
                scope.deadline = anyio.current_time() + _PURGE_SECONDS

    async def _dead(self, place: str, object_: str) -> dict[str, list[str]] | None:
        """Some objects to delete, by place, from the one after this on; None while somebody reads."""
        async with self._pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(f"select pg_try_advisory_xact_lock({READING})"):
                return None
            # A reader that begins now does not see them: they were dead before.
            rows = await connection.fetch(
                "select place, object from stray_object where dead and (place, object) > ($1, $2) "
                "order by place, object limit $3",
                place,
                object_,
                _TOGETHER,
            )
        return {name: [row[1] for row in group] for name, group in groupby(rows, key=lambda row: str(row[0]))}

    async def _delete(self, place: str, objects: Sequence[str]) -> None:
        await self._ask(place, lambda there: there.delete(objects))
        await self._pool.execute(
            f"delete from stray_object where place = $1 and object = any($2) and began_at < now() - interval '{_LATE}'",  # noqa: S608
            place,
            list(objects),
        )

    async def _ask(self, name: str, question: Callable[[Place[Any]], Awaitable[T]]) -> T:
        async with self._turns:
            until, message = self._failed.get(name, (0.0, ""))
            if until > time.monotonic():
                raise RetryableError(message, after=_PAUSE_SECONDS)
            try:
                place = self.places.named(name)
                with anyio.fail_after(_ANSWER_SECONDS):
                    answer = await question(place)
            except Exception as why:  # a place may be a stranger's code: its defects must not stop merging and queries
                message = self._told(name, why)
                if name not in self._failed:
                    defect = None if isinstance(why, DeliveryError | TimeoutError) else why
                    _log.error("the place %s cannot be used: %s", name, message, exc_info=defect)
                self._failed[name] = time.monotonic() + _PAUSE_SECONDS, message
                raise RetryableError(message, after=_PAUSE_SECONDS) from why
        if self._failed.pop(name, None):
            _log.info("the place %s can be used again", name)
        return answer

    def _told(self, name: str, why: Exception) -> str:
        if isinstance(why, DeliveryError):
            return str(why)
        where = self.places.where(name)
        return f"{where} does not answer" if isinstance(why, TimeoutError) else f"{where} failed: {type(why).__name__}"
