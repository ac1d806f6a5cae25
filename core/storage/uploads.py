"""Where a restore puts merged segments: into the current place, with keys of the new store.

All of a restore is one transaction, so the objects cannot be on the record of those that nobody needs: where it fails,
they are deleted here.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import asyncpg

from ...plugins.errors import DeliveryError
from .archive import BackupError
from .objects import new_key
from .parts import POSTGRESQL
from .places import Places

_TOGETHER = 32 << 20  # bytes of segments uploaded at once
_AT_ONCE = 16
_CLEANING_SECONDS = 60.0
_COLUMN = """
select exists(select from pg_attribute where attrelid = 'segment'::regclass and attname = 'object' and not attisdropped)
"""
_ALL_HERE = """
update segment s set place = $1, object = null, part = p.part from segment_part p
where p.current and p.kind = case when s.level > 0 then 'merged' else 'commit' end and s.place <> $1
"""
_POINT = "update segment set place = $2, object = $3, part = null where id = $1"
_log = logging.getLogger(__name__)


class Uploads:
    """Takes merged segments, and uploads some at a time."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._connection: asyncpg.Connection | None = None
        self._merged: set[int] = set()
        self._identity = ""
        self._taken: list[tuple[str, int, bytes]] = []
        self._keys: list[str] = []

    async def begin(self, connection: asyncpg.Connection) -> None:
        """Have all rows of the catalog say PostgreSQL: what they say is of the store that was backed up."""
        self._connection = connection
        if not await connection.fetchval(_COLUMN):
            return
        await connection.execute(_ALL_HERE, POSTGRESQL)
        if self._places.current != POSTGRESQL:
            self._merged = {row[0] for row in await connection.fetch("select id from segment where level > 0")}
            self._identity = str(await connection.fetchval("select id from installation"))

    async def take(self, id_: int, data: bytes) -> bool:
        """Upload this segment, now or soon; False: it belongs into PostgreSQL.

        :raises BackupError: the place fails
        """
        if id_ not in self._merged:
            return False
        self._taken.append((new_key(self._identity, id_), id_, data))
        if len(self._taken) >= _AT_ONCE or sum(len(data) for _, _, data in self._taken) >= _TOGETHER:
            await self.flush()
        return True

    async def flush(self) -> None:
        """Upload what was taken.

        :raises BackupError: the place fails
        """
        place, failures = self._places.current, list[DeliveryError]()

        async def put(key: str, data: bytes) -> None:
            self._keys.append(key)
            try:
                await self._places.named(place).put(key, data)
            except DeliveryError as why:
                failures.append(why)

        async with anyio.create_task_group() as tasks:
            for key, _, data in self._taken:
                tasks.start_soon(put, key, data)
        if failures:
            raise BackupError(str(failures[0])) from failures[0]
        if self._taken and self._connection:
            await self._connection.executemany(_POINT, [(id_, place, key) for key, id_, _ in self._taken])
        self._taken.clear()

    async def undo(self) -> None:
        """Delete what was uploaded."""
        if not self._keys:
            return
        try:
            await self._places.named(self._places.current).delete(self._keys)
        except DeliveryError as why:
            _log.error("objects whose names begin with %s are left and nobody needs them: %s", self._identity, why)


@asynccontextmanager
async def uploading(places: Places) -> AsyncIterator[Uploads]:
    """Uploads that are undone where the context fails."""
    uploads = Uploads(places)
    try:
        yield uploads
    except BaseException:
        with anyio.CancelScope(shield=True), anyio.move_on_after(_CLEANING_SECONDS):
            await uploads.undo()
        raise
