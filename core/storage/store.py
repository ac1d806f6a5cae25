"""The store: PostgreSQL with its schema, the catalog, the cache, the writer and what keeps them in order."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import asyncpg

from ...plugins.base import half_the_cores
from ...plugins.errors import ConfigError
from .cache import SegmentCache
from .catalog import Catalog
from .commits import Commits
from .compaction import Compactor
from .database import CHECK_ADDRESS, migrate, open_pool, trouble
from .embedded import EmbeddedPostgres
from .files import Files
from .forgetting import Forgetting
from .leader import lead
from .places import Places
from .writer import Writer

_CACHE_BYTES = 10 * 1024**3
_BEGUN = "insert into checkpoint (source, key, value) values ($1, $2, 'true') on conflict (source, key) do nothing"
_THERE = """
with mine as (
    select key from checkpoint where source = $1 and key = any($2::text[]) and updated_at < now() - $3::interval
    order by key for update skip locked
)
update checkpoint c set updated_at = now() from mine where c.source = $1 and c.key = mine.key
"""
_GONE = """
with gone as (
    select key from checkpoint
    where source = $1 and starts_with(key, $2) and key <> all($3::text[]) and updated_at < now() - $4::interval
        and exists (select from checkpoint where source = $1 and key = $5 and updated_at < now() - $4::interval)
    order by key for update skip locked
)
delete from checkpoint c using gone where c.source = $1 and c.key = gone.key returning c.key
"""
_log = logging.getLogger(__name__)


class Store:
    """Open it with `Store.opened`; all parts work while that context lasts."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        cache_folder: Path,
        *,
        embedded: bool,
        cache_bytes: int = _CACHE_BYTES,
        places: Places = Places(),  # noqa: B008 - it is frozen
    ) -> None:
        self.pool = pool
        self.embedded = embedded
        self.workers = half_the_cores()
        self.catalog = Catalog(pool)
        self.files = Files(pool, places)
        self.cache = SegmentCache(self.files, cache_folder, max_bytes=cache_bytes)
        self.commits = Commits(pool)
        self.forgetting = Forgetting(pool, self.commits, self.cache, self.catalog)
        self.writer = Writer(pool, self.files, self.cache, self.commits, limiter=self.workers)
        self.compactor = Compactor(
            pool, self.catalog, self.cache, self.files, busy=lambda: self.writer.busy, limiter=half_the_cores()
        )

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        data_dir: Path,
        database_url: str | None = None,
        *,
        compact: bool = True,
        places: Places = Places(),  # noqa: B008 - it is frozen
    ) -> AsyncIterator[Store]:
        """The store on a server (`database_url`), or else on the embedded PostgreSQL under `data_dir`.

        At the end the writer commits what it has taken in, then everything stops.

        :raises ConfigError: the folder or the server cannot be used
        :raises FatalError: the server does not start, or the schema is of a newer release
        """
        if database_url is not None:
            connected = cls._connected({"dsn": database_url}, data_dir, places, embedded=False, compact=compact)
            async with connected as store:
                yield store
            return
        server = EmbeddedPostgres(data_dir)
        async with (
            server.running(),
            cls._connected(server.connect_args, data_dir, places, embedded=True, compact=compact) as store,
        ):
            yield store

    @classmethod
    @asynccontextmanager
    async def _connected(
        cls, connect_args: dict[str, Any], data_dir: Path, places: Places, *, embedded: bool, compact: bool
    ) -> AsyncIterator[Store]:
        pool = await open_pool(connect_args)
        try:
            try:
                await migrate(pool, connect_args)
                store = cls(pool, data_dir / "cache" / await _identity(pool), embedded=embedded, places=places)
                await store.forgetting.begin()
            except asyncpg.ReadOnlySQLTransactionError as why:
                raise ConfigError(trouble(why), hint=CHECK_ADDRESS) from why
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(store.commits.run)
                tasks.start_soon(store.forgetting.run)
                tasks.start_soon(store.writer.run)
                if compact:
                    tasks.start_soon(_check, places)
                    tasks.start_soon(lead, pool, "compaction", store.compactor.work)
                try:
                    yield store
                finally:
                    with anyio.CancelScope(shield=True), anyio.move_on_after(6):
                        await store.writer.drain()
                    tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(3):
                await pool.close()
            pool.terminate()

    async def project_id(self, name: str = "default") -> int | None:
        """The project's id; None: there is no such project."""
        id_: int | None = await self.pool.fetchval("select id from project where name = $1", name)
        return id_

    async def checkpoint(self, source: str, key: str) -> Any:
        """The committed position of a source, or None."""
        return await self.pool.fetchval("select value from checkpoint where source = $1 and key = $2", source, key)

    async def checkpoints(self, source: str, prefix: str = "") -> dict[str, Any]:
        """All committed positions of a source whose key begins with `prefix`."""
        rows = await self.pool.fetch(
            "select key, value from checkpoint where source = $1 and starts_with(key, $2)", source, prefix
        )
        return {row["key"]: row["value"] for row in rows}

    async def forget_checkpoints(self, source: str, prefix: str, there: Sequence[str], after_s: float) -> list[str]:
        """Delete positions under `prefix` that were neither `there` nor moved for so long; their keys.

        Rows that a commit moves at this moment are left out: they are there.
        """
        after, began = timedelta(seconds=after_s), f"forget {prefix}"
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(_BEGUN, source, began)
            await connection.execute(_THERE, source, list(there), after / 10)
            rows = await connection.fetch(_GONE, source, prefix, list(there), after, began)
        return [row["key"] for row in rows]


async def _check(places: Places) -> None:
    """Say at the start what would otherwise be said at the first merge."""
    if why := await places.problem(places.current):
        _log.error("merged segments stay in PostgreSQL, for their place cannot be used: %s", why)


async def _identity(pool: asyncpg.Pool) -> str:
    """This database's own name, so that a data folder used with another one does not mix their cached segments."""
    return str(await pool.fetchval("select id from installation"))
