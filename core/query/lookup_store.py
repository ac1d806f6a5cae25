"""The lookup tables of a project, in PostgreSQL: each put makes a version, of which the newest few are kept."""

from __future__ import annotations

import io
import re
from collections import OrderedDict
from collections.abc import Collection
from datetime import datetime

import asyncpg
import msgspec
import polars as pl

from ...plugins.base import in_worker
from ...plugins.errors import RejectedError
from ..storage.audit import audit
from .lookup_files import encoded, frame_of, kind_of, lookup_of
from .lookups import Lookup

NAME = re.compile(r"[A-Za-z_]\w{0,99}", re.ASCII)
KEPT = 10  # versions of a table
MOST_TABLES = 500  # of a project
_OPEN_BYTES = 128 << 20  # of tables kept in memory
_COLUMNS = "id, name, version, columns, rows, length(data), created_at, created_by"


class LookupColumn(msgspec.Struct, frozen=True):
    """A column, and the kind of its values."""

    name: str
    kind: str


class LookupTable(msgspec.Struct, frozen=True):
    """A version of a table."""

    id: int
    name: str
    version: int
    columns: tuple[LookupColumn, ...]
    rows: int
    bytes: int
    created_at: datetime
    created_by: str


class Lookups:
    """Puts, lists and reads the tables; those that queries use stay in memory, as they never change."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._open: OrderedDict[int, Lookup] = OrderedDict()

    async def put(self, project_id: int, name: str, data: bytes, who: str) -> LookupTable:
        """Make a table, or a new version of it, from CSV with a header or Parquet.

        :raises RejectedError: no such name may be, the data is no table, or something is too large
        """
        if not NAME.fullmatch(name):
            raise RejectedError(f"`{name[:40]}` is no name for a table; use letters, digits and _, at most 100")
        frame = await in_worker(frame_of, data)
        kept = await in_worker(encoded, frame)
        columns = [{"name": column, "kind": kind_of(dtype)} for column, dtype in frame.schema.items()]
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("select from project where id = $1 for update", project_id)
            names = await connection.fetch("select distinct name from lookup_table where project_id = $1", project_id)
            if len(names) >= MOST_TABLES and name not in {row["name"] for row in names}:
                raise RejectedError(f"a project has at most {MOST_TABLES} lookup tables; delete one before")
            row = await connection.fetchrow(
                f"""
                insert into lookup_table (project_id, name, version, columns, rows, data, created_by)
                select $1, $2::text, coalesce(max(version), 0) + 1, $3, $4::bigint, $5::bytea, $6::text
                from lookup_table where project_id = $1 and name = $2 returning {_COLUMNS}
                """,  # noqa: S608 - a constant
                project_id,
                name,
                columns,
                frame.height,
                kept,
                who,
            )
            assert row is not None
            made = _table(row)
            await connection.execute(
                "delete from lookup_table where project_id = $1 and name = $2 and version <= $3",
                project_id,
                name,
                made.version - KEPT,
            )
            await audit(connection, who, "lookup.put", project_id=project_id, name=name, version=made.version)
        return made

    async def newest(self, project_id: int) -> list[LookupTable]:
        """The newest version of each table, by name."""
        rows = await self._pool.fetch(
            f"select distinct on (name) {_COLUMNS} from lookup_table where project_id = $1 order by name, version desc",  # noqa: S608
            project_id,
        )
        return [_table(row) for row in rows]

    async def versions(self, project_id: int, name: str) -> list[LookupTable]:
        """The versions kept of a table, the newest first."""
        rows = await self._pool.fetch(
            f"select {_COLUMNS} from lookup_table where project_id = $1 and name = $2 order by version desc",  # noqa: S608
            project_id,
            name,
        )
        return [_table(row) for row in rows]

    async def data(self, project_id: int, name: str, version: int | None) -> pl.DataFrame | None:
        """The rows of a version (None: the newest); None: there is none."""
        found = await self._pool.fetchval(
            """
            select data from lookup_table where project_id = $1 and name = $2 and ($3::integer is null or version = $3)
            order by version desc limit 1
            """,
            project_id,
            name,
            version,
        )
        return None if found is None else await in_worker(_read, found)

    async def delete(self, project_id: int, name: str, who: str) -> bool:
        """Delete a table with all its versions; false: there is none."""
        async with self._pool.acquire() as connection, connection.transaction():
            done = await connection.execute(
                "delete from lookup_table where project_id = $1 and name = $2", project_id, name
            )
            if done != "DELETE 0":
                await audit(connection, who, "lookup.delete", project_id=project_id, name=name)
        return bool(done != "DELETE 0")

    async def tables(self, project_id: int, names: Collection[str]) -> dict[str, Lookup]:
        """The newest versions of the tables of these names, as queries take them; without those that there are not."""
        rows = await self._pool.fetch(
            """
            select distinct on (name) id, name from lookup_table where project_id = $1 and name = any($2::text[])
            order by name, version desc
            """,
            project_id,
            list(names),
        )
        found = {}
        for number, name in rows:
            if number not in self._open:
                data = await self._pool.fetchval("select data from lookup_table where id = $1", number)
                if data is None:  # deleted just now
                    continue
                self._open[number] = await in_worker(_lookup, name, data)
            self._open.move_to_end(number)
            found[name] = self._open[number]
            while sum(table.data.nbytes for table in self._open.values()) > _OPEN_BYTES:
                self._open.popitem(last=False)
        return found


def _table(row: asyncpg.Record) -> LookupTable:
    id_, name, version, columns, *rest = row
    return LookupTable(id_, name, version, msgspec.convert(columns, type=tuple[LookupColumn, ...]), *rest)


def _read(data: bytes) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(data))


def _lookup(name: str, data: bytes) -> Lookup:
    return lookup_of(name, _read(data))
