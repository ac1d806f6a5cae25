"""`cordwood backup`: one snapshot of the store in one file (see `archive`), while everything goes on.

Rows are kept by table and column as they are, so a backup of an older schema is possible, too: it is restored at its
own revision and migrated then. Left out is what another store must not share or makes anew: see `LEFT_OUT`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import msgspec
import zstandard

from ... import __version__
from ...plugins import DeliveryError, in_worker
from .archive import CHUNK, ArchiveWriter, BackupError
from .migrations import SCHEMA
from .parts import POSTGRESQL
from .places import Places
from .snapshot import snapshot

FORMAT = 1
LEFT_OUT = frozenset({"alembic_version", "installation", "segment_file", "session", "store_node", "stray_object"})
"""Tables not kept: the revision is in the manifest; a restored store is another one, whose segments to come will have
the numbers of the first one's, so it needs an identity of its own for caches, and objects in places are the first
one's; bytes are members of their own; people sign in again, and processes enter themselves."""
_TOGETHER = 32 << 20  # bytes of small segments read at once
_AT_ONCE = 16  # objects of those

_TABLES = """
select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.relnamespace = $1::text::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
group by c.relname order by c.relname
"""
_REFERENCES = """
select c.relname as child, p.relname as parent
from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class p on p.oid = k.confrelid
where k.contype = 'f' and k.connamespace = $1::text::regnamespace and k.conrelid <> k.confrelid
"""
_SEQUENCES = "select sequencename as name from pg_sequences where schemaname = $1 order by 1"

Progress = Callable[[int, int], None]
"""Called with (bytes done, of how many)."""


class Table(msgspec.Struct, frozen=True):
    """A table of a backup: the columns in the order of its file, and how many rows there are."""

    name: str
    columns: tuple[str, ...]
    rows: int


class Project(msgspec.Struct, frozen=True):
    """A project, and the last position that the backup holds of it."""

    id: int
    name: str
    head: int


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds. `tables` stand in an order in which references find their rows.

    `missing` and `damaged` are segments whose bytes the store itself had lost, or had otherwise than its catalog says.
    """

    format: int
    cordwood: str
    revision: str
    server: str
    taken_at: str
    tables: tuple[Table, ...]
    sequences: dict[str, tuple[int, bool]]
    projects: tuple[Project, ...]
    segments: int
    rows: int
    size: int
    missing: tuple[int, ...] = ()
    damaged: tuple[int, ...] = ()


def table_member(name: str) -> str:
    """The member of a table's rows."""
    return f"tables/{name}.copy.zst"


def segment_member(id_: int) -> str:
    """The member of a segment's bytes."""
    return f"segments/{id_}.parquet"


@dataclass(frozen=True, slots=True)
class _Wanted:
    id: int
    rows: int
    size: int
    place: str
    object: str | None
    checksum: bytes


async def back_up(
    connect_args: dict[str, Any],
    target: Path,
    progress: Progress,
    places: Places = Places(),  # noqa: B008 - it is frozen
) -> Manifest:
    """Write the backup; `target` is there when it is whole, and untouched otherwise.

    :raises BackupError: there is no store, the file cannot be written, or a place of segments fails or is not known
    """
    writer = await in_worker(ArchiveWriter, target)
    try:
        async with snapshot(connect_args) as connection:
            manifest = await _write(connection, writer, progress, places)
        await in_worker(writer.add, "manifest.json", msgspec.json.format(msgspec.json.encode(manifest), indent=2))
        await in_worker(writer.finish)
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError) as why:
        raise BackupError("the database holds no store of Cordwood") from why
    except OSError as why:
        if why.filename is None and why.strerror is None:
            raise
        raise BackupError(f"{target} cannot be written: {why.strerror or why}") from why
    finally:
        writer.discard()
    return manifest


async def _write(connection: asyncpg.Connection, writer: ArchiveWriter, progress: Progress, places: Places) -> Manifest:
    revision = await connection.fetchval("select version_num from alembic_version")
    found = {row["name"]: tuple(row["columns"]) for row in await connection.fetch(_TABLES, SCHEMA)}
    parts = "part" in found["segment_file"]
    wanted = await _live(connection, found["segment"])
    total = sum(segment.size for segment in wanted)
    progress(0, total)
    pairs = [(row["child"], row["parent"]) for row in await connection.fetch(_REFERENCES, SCHEMA)]
    names = in_order([name for name in found if name not in LEFT_OUT], pairs)
    tables = [Table(name, found[name], await _copy(connection, writer, name, found[name])) for name in names]
    sequences = {}
    for row in await connection.fetch(_SEQUENCES, SCHEMA):
        last = await connection.fetchrow(f'select last_value, is_called from "{row["name"]}"')  # noqa: S608 - a name of ours
        assert last is not None
        sequences[row["name"]] = (last["last_value"], last["is_called"])
    missing, damaged = await _segments(connection, writer, wanted, places, parts=parts, progress=progress)
    heads = await connection.fetch(
        "select id, name, coalesce(head, 0) as head from project left join segment_log on project_id = id order by id"
    )
    return Manifest(
        format=FORMAT,
        cordwood=__version__,
        revision=revision,
        server=str(await connection.fetchval("show server_version")),
        taken_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        tables=tuple(tables),
        sequences=sequences,
        projects=tuple(Project(*row) for row in heads),
        segments=len(wanted),
        rows=sum(segment.rows for segment in wanted),
        size=total,
        missing=missing,
        damaged=damaged,
    )


def in_order(names: Sequence[str], references: Sequence[tuple[str, str]]) -> list[str]:
    """The tables so that each comes after those it refers to; `references` are (from, to).

    >>> in_order(["incident", "notification", "project"], [("notification", "incident"), ("incident", "project")])
    ['project', 'incident', 'notification']
    """
    ordered: list[str] = []
    left = list(names)
    while left:
        waiting = {child for child, parent in references if parent in left}
        ready = [name for name in left if name not in waiting] or left
        ordered += ready
        left = [name for name in left if name not in ready]
    return ordered


async def _live(connection: asyncpg.Connection, columns: Collection[str]) -> list[_Wanted]:
    """The segments that are not replaced; before schema 0004 they had no place or checksum, before 0006 no object."""
    later = {"place": f"'{POSTGRESQL}'", "object": "null::text", "checksum": "''::bytea"}
    more = ", ".join(name if name in columns else f"{absent} as {name}" for name, absent in later.items())
    rows = await connection.fetch(
        f"select id, rows, bytes, {more} from segment where replaced_at is null order by id"  # noqa: S608 - constants
    )
    return [_Wanted(*row) for row in rows]


async def _copy(connection: asyncpg.Connection, writer: ArchiveWriter, name: str, columns: Sequence[str]) -> int:
    """Write a table's member; the number of its rows."""
    quoted = ", ".join(f'"{column}"' for column in columns)
    where = "where replaced_at is null" if name == "segment" else ""
    compressor = zstandard.ZstdCompressor(level=3, write_checksum=True).compressobj()
    buffer: list[bytes] = []

    def flush() -> None:
        writer.write(compressor.compress(b"".join(buffer)))
        buffer.clear()

    async def take(data: bytes) -> None:
        buffer.append(data)
        if sum(map(len, buffer[-64:])) >= CHUNK or len(buffer) >= 4096:
            await in_worker(flush)

    writer.begin(table_member(name))
    status = await connection.copy_from_query(
        f'select {quoted} from "{name}" {where}',  # noqa: S608 - names of ours
        output=take,
        format="text",
    )
    await in_worker(flush)
    writer.write(compressor.flush())
    writer.end()
    return int(status.split()[-1])


async def _segments(
    connection: asyncpg.Connection,
    writer: ArchiveWriter,
    wanted: Sequence[_Wanted],
    places: Places,
    *,
    parts: bool,
    progress: Progress,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Write the members of the segments; the ids of those that are missing, and that are damaged."""
    current = "join segment s on s.id = f.segment_id and s.part = f.part" if parts else ""
    query = f"select f.segment_id, f.data from segment_file f {current} where f.segment_id = any($1)"  # noqa: S608
    missing: list[int] = []
    damaged: list[int] = []
    done, total = 0, sum(segment.size for segment in wanted)

    def write(group: Sequence[_Wanted], data: dict[int, bytes]) -> None:
        for segment in group:
            body = data.pop(segment.id, None)
            if body is None:
                missing.append(segment.id)
                continue
            differs = segment.checksum and hashlib.sha256(body).digest() != segment.checksum
            if differs or len(body) != segment.size:
                damaged.append(segment.id)
            writer.add(segment_member(segment.id), body)

    for group in _groups(wanted):
        rows = await connection.fetch(query, [segment.id for segment in group])
        data = {row[0]: row[1] for row in rows} | await _objects(group, places)
        await in_worker(write, group, data)
        done += sum(segment.size for segment in group)
        progress(done, total)
    return tuple(missing), tuple(damaged)


async def _objects(group: Sequence[_Wanted], places: Places) -> dict[int, bytes]:
    """The bytes of those segments that are outside PostgreSQL; one whose object is gone is left out."""
    found: dict[int, bytes] = {}
    failures: list[Exception] = []
    turns = anyio.CapacityLimiter(_AT_ONCE)

    async def read(segment: _Wanted, object_: str) -> None:
        try:
            async with turns:
                data = await places.named(segment.place).get(object_)
        except DeliveryError as why:
            failures.append(why)
            return
        if data is not None:
            found[segment.id] = data

    async with anyio.create_task_group() as tasks:
        for segment in group:
            if segment.object is not None:
                tasks.start_soon(read, segment, segment.object)
    if failures:
        raise BackupError(str(failures[0])) from failures[0]
    return found


def _groups(wanted: Sequence[_Wanted]) -> list[list[_Wanted]]:
    """Neighbours whose bytes fit the bound together; a large segment is a group of its own."""
    groups: list[list[_Wanted]] = []
    size = 0
    for segment in wanted:
        if not groups or size + segment.size > _TOGETHER:
            groups.append([])
            size = 0
        groups[-1].append(segment)
        size += segment.size
    return groups
