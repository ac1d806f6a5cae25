"""The bytes of segments: writing them where they are to be kept, reading them back, letting them go.

Each catalog row says the place of its bytes by name. In the place `postgresql` they are rows of `segment_file`, written
in the transaction that enters the segment: commits always go there. In any other they are an object (see `objects`).
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import anyio.to_thread
import asyncpg

from ...plugins.base import SharedObject
from ...plugins.errors import RetryableError
from .database import DAMAGED, Connection
from .encode import EncodedSegment
from .objects import Objects, StoredObject
from .parts import POSTGRESQL, Parts, kind_of
from .places import Places

GRACE_SECONDS = 120
"""How long a query may still read a replaced segment's bytes."""

_SMALL = 32 << 10  # bytes that are hashed sooner than a thread is found
_INSERT = """
insert into segment_file (segment_id, part, data)
select nextval('segment_id'), part, $2 from segment_part where kind = $1 and current
returning segment_id, part
"""
_READ = """
select s.id, s.place, s.object, s.checksum, f.data
from segment s left join segment_file f on f.segment_id = s.id and f.part = s.part
where s.id = any($1::bigint[])
"""
_DELETE = """
with gone as (delete from segment where replaced_at < now() - make_interval(secs => $1) returning place, object)
insert into stray_object (place, object, began_at, dead)
select place, object, '-infinity', true from gone where object is not null
"""
_TIDY_SECONDS = 10.0  # between two looks at the parts: each reads the sizes of all
_NO_UPLOAD_SECONDS = 60.0  # after a failed upload: some fail only after a minute, and merging must go on
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """A segment's bytes on their way: in their place already, or to be inserted with their catalog row."""

    data: bytes
    checksum: bytes
    """SHA-256. PostgreSQL can compute it as well, so that a check of all segments moves no bytes."""
    uploaded: StoredObject | None = None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Where a segment's bytes are: in a part of PostgreSQL's, or in an object of another place."""

    id: int
    place: str
    part: int | None
    checksum: bytes
    object: str | None = None


@dataclass(frozen=True, slots=True)
class FoundFile:
    """What is there of a segment. `data` is None, and `problem` says why, where the right bytes cannot be had."""

    id: int
    data: bytes | None
    problem: str = ""
    passing: bool = False
    """Whether the bytes may be had in a while: their place does not answer, or is not configured."""


class Files:
    """Writes, reads and lets go of segments' bytes."""

    def __init__(self, pool: asyncpg.Pool, places: Places = Places()) -> None:  # noqa: B008 - it is frozen
        self._pool = pool
        self.parts = Parts(pool)
        self.objects = Objects(pool, places)
        self._tidied_at = -_TIDY_SECONDS
        self._upload_from = 0.0

    @property
    def places(self) -> Places:
        """Where bytes may be; another value holds from the next call on."""
        return self.objects.places

    @places.setter
    def places(self, places: Places) -> None:
        self.objects.places = places
        self._upload_from = 0.0

    async def prepare(self, segments: Sequence[EncodedSegment], *, level: int = 0) -> list[PreparedFile]:
        """Make the bytes of segments ready for `insert`, outside a transaction. In the order given.

        What is merged (`level` above 0) is uploaded, where another place than PostgreSQL is configured. While that one
        fails it stays in PostgreSQL, so that merging goes on.
        """
        checksums = [await _checksum(segment.data) for segment in segments]
        uploaded: Sequence[StoredObject | None] = [None] * len(segments)
        if level and self.places.current != POSTGRESQL and time.monotonic() >= self._upload_from:
            try:
                uploaded = await self.objects.write(self.places.current, [segment.data for segment in segments])
            except RetryableError as why:
                self._upload_from = time.monotonic() + _NO_UPLOAD_SECONDS
                _log.warning("for a minute, merged segments stay in PostgreSQL: %s", why)
        return [
            PreparedFile(segment.data, checksum, stored)
            for segment, checksum, stored in zip(segments, checksums, uploaded, strict=True)
        ]

    async def abandon(self, prepared: Sequence[PreparedFile]) -> None:
        """These will not be inserted, or their transaction was rolled back."""
        if uploaded := [file.uploaded for file in prepared if file.uploaded]:
            await self.objects.abandon(uploaded)

    async def insert(self, connection: Connection, file: PreparedFile, *, level: int) -> StoredFile:
        """Store a segment's bytes in the transaction that will enter it into the catalog (`catalog.insert_segment`).

        :raises RetryableError: what was uploaded has been given up: prepare it again
        """
        if file.uploaded:
            await self.objects.enter(connection, file.uploaded)
            return StoredFile(file.uploaded.id, file.uploaded.place, None, file.checksum, file.uploaded.object)
        ((id_, part),) = await connection.fetch(_INSERT, kind_of(level), file.data)
        return StoredFile(id_, POSTGRESQL, part, file.checksum)

    async def read(self, segment_ids: Sequence[int]) -> list[FoundFile]:
        """The bytes of segments, each compared with its checksum; those no longer in the catalog are left out."""
        try:
            rows = await self._pool.fetch(_READ, list(segment_ids))
        except DAMAGED as why:  # PostgreSQL itself cannot read one of them
            if len(segment_ids) == 1:
                return [FoundFile(segment_ids[0], None, f"PostgreSQL cannot read its bytes: {why}")]
            return [file for id_ in segment_ids for file in await self.read([id_])]
        found: list[FoundFile] = []

        async def read_object(row: asyncpg.Record) -> None:
            found.extend(await self._read_object(row))

        async with anyio.create_task_group() as tasks:
            for row in rows:
                if row["object"] is None:
                    found.append(await _found(row["id"], row["data"], row["checksum"]))
                else:
                    tasks.start_soon(read_object, row)
        return found

    async def _read_object(self, row: asyncpg.Record) -> list[FoundFile]:
        """The bytes of a segment outside PostgreSQL, wherever it is by now; none: it is gone."""
        id_, place = row["id"], row["place"]
        try:
            data = await self.objects.read(place, row["object"])
        except RetryableError as why:
            return [FoundFile(id_, None, str(why), passing=True)]
        if data is None:
            now = await self._pool.fetchrow("select place, object from segment where id = $1", id_)
            if now is None or tuple(now) != (place, row["object"]):  # deleted, or moved
                return await self.read([id_])
            _log.error("segment %d: %s has no object %s", id_, self.places.where(place), row["object"])
            return [FoundFile(id_, None, f"its bytes are missing in {self.places.where(place)}")]
        return [await _found(id_, data, row["checksum"])]

    async def shared(self, segment_ids: Sequence[int]) -> dict[int, SharedObject]:
        """Where another query engine reads segments, by id; without those that only Cordwood can read."""
        rows = await self._pool.fetch(
            "select id, place, object from segment where id = any($1::bigint[]) and object is not null",
            list(segment_ids),
        )
        known = self.places.known
        found = {row["id"]: known[row["place"]].shared(row["object"]) for row in rows if row["place"] in known}
        return {id_: there for id_, there in found.items() if there is not None}

    async def alive(self, segment_ids: Sequence[int]) -> set[int]:
        """Those of the segments that are in the catalog and not replaced."""
        rows = await self._pool.fetch(
            "select id from segment where id = any($1::bigint[]) and replaced_at is null", list(segment_ids)
        )
        return {row[0] for row in rows}

    async def sweep(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Let go of the bytes of segments that were replaced longer ago than the grace, and of uploads given up."""
        await self._pool.execute(_DELETE, grace_seconds)
        if time.monotonic() - self._tidied_at >= _TIDY_SECONDS:
            await self.parts.tidy()
            await self.objects.sweep()
            self._tidied_at = time.monotonic()

    async def purge(self) -> None:
        """Let no byte remain, in any place, of any segment that is replaced now: no grace for those who still read.

        Queries that lose a file by it read the catalog again. Copies what is alive in the parts concerned: call it once
        at the end of a deletion. Uploads that go on are called off: whoever does them begins again.

        :raises TimeoutError: somebody reads for so long that a part cannot be truncated, or objects not be deleted
        :raises RetryableError: a place does not answer, or is not configured
        """
        await self._pool.execute(_DELETE, -1.0)
        await self.parts.purge()
        await self.objects.purge()


async def _found(id_: int, data: bytes | None, checksum: bytes) -> FoundFile:
    if data is None:
        return FoundFile(id_, None, "its bytes are missing")
    if await _checksum(data) != checksum:
        return FoundFile(id_, None, "its bytes are not those that were written")
    return FoundFile(id_, data)


async def _checksum(data: bytes) -> bytes:
    if len(data) <= _SMALL:
        return checksum_of(data)
    return await anyio.to_thread.run_sync(checksum_of, data)


def checksum_of(data: bytes) -> bytes:
    """SHA-256 of a segment's bytes, as the catalog keeps it."""
    return hashlib.sha256(data).digest()
