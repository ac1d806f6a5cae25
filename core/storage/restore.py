"""`cordwood restore`: a backup into an empty database, in one transaction; and the full check of a backup's file."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import msgspec
import pyarrow
import pyarrow.parquet
import zstandard

from ...plugins import in_worker
from .archive import CHUNK, ArchiveReader, BackupError
from .backup import FORMAT, LEFT_OUT, Manifest, Progress, segment_member, table_member
from .migrations import SCHEMA, newest_revision
from .places import Places
from .schema import SchemaTransaction, schema_transaction
from .session_settings import TEXT_FORMS
from .uploads import Uploads, uploading

_OWN_ROWS = {"project": 1, "segment_log": 1, "signing_key": 1}
"""Rows that an empty store has of its own; the tables of `backup.LEFT_OUT`, and which parts there are, do not count."""
_OTHERS = """
select count(*) from pg_stat_activity
where datname = current_database() and application_name = 'cordwood' and pid <> pg_backend_pid()
"""


def read_manifest(archive: ArchiveReader) -> Manifest:
    """What the backup holds, as far as this release understands it.

    :raises BackupError: it is of a newer release, or what it holds is not what it says
    """
    try:
        head = msgspec.json.decode(archive.read("manifest.json"))
        if head["format"] > FORMAT or head["revision"] > newest_revision():
            raise BackupError(
                f"{archive.path} is a backup of Cordwood {head['cordwood']} at revision {head['revision']}, "
                f"this release knows {newest_revision()}: restore it with that release or a newer one"
            )
        manifest = msgspec.convert(head, Manifest)
    except (msgspec.MsgspecError, KeyError, TypeError) as why:
        raise BackupError(f"{archive.path} is no backup of Cordwood: its manifest says nothing usable") from why
    held = {name for name in archive.members if name.startswith("segments/")}
    absent = [table.name for table in manifest.tables if table_member(table.name) not in archive.members]
    if absent or len(held) != manifest.segments - len(manifest.missing):
        raise BackupError(
            f"{archive.path} is damaged: it holds {len(held)} of {manifest.segments} segments"
            + (f" and lacks the table {absent[0]}" if absent else "")
        )
    return manifest


def check(archive: ArchiveReader, progress: Progress) -> Manifest:
    """Check everything a file can be checked for without a database: sums, counts, that each segment can be read.

    Segments that the store itself had lost or damaged are as the manifest says and no error here. Blocking.

    :raises BackupError: what is wrong
    """
    manifest = read_manifest(archive)
    archive.check(lambda done, total: progress(done // 2, total))
    for table in manifest.tables:
        rows = sum(1 for _ in _lines(archive, table.name))
        if rows != table.rows:
            raise BackupError(f"{archive.path}: the table {table.name} has {rows} rows, not {table.rows}")
    columns = next(table.columns for table in manifest.tables if table.name == "segment")
    where = columns.index("id"), columns.index("rows")
    half = archive.size // 2
    for number, line in enumerate(_lines(archive, "segment")):
        values = line.split(b"\t")
        id_, rows = int(values[where[0]]), int(values[where[1]])
        if id_ in manifest.missing or id_ in manifest.damaged:
            continue
        if segment_member(id_) not in archive.members:
            raise BackupError(f"{archive.path}: the segment {id_} is in the catalog, and its bytes are not there")
        found = _rows(archive, id_)
        if found != rows:
            raise BackupError(f"{archive.path}: the segment {id_} has {found} rows, not {rows}")
        progress(half + half * (number + 1) // manifest.segments, archive.size)
    return manifest


async def restore(
    connect_args: dict[str, Any],
    archive: ArchiveReader,
    progress: Progress,
    places: Places = Places(),  # noqa: B008 - it is frozen
) -> Manifest:
    """Fill an empty database from a backup and bring it to this release's schema: all of it, or nothing.

    The whole file is checked before the first row is written. The store gets an identity of its own. Merged segments
    go to the current place, wherever they were; those of a schema before 0006 to PostgreSQL.

    :raises BackupError: the file is damaged or of a newer release, the place fails, or the database is in use or not
        empty
    """
    manifest = read_manifest(archive)
    await in_worker(archive.check, lambda done, total: progress(done // 2, total))
    async with schema_transaction(connect_args) as schema:
        connection = schema.connection
        for name, value in TEXT_FORMS.items():
            await connection.execute("select set_config($1, $2, false)", name, value)
        await _refuse_unless_empty(connection)
        await connection.execute(f"drop schema if exists {SCHEMA} cascade; create schema {SCHEMA}")
        await schema.upgrade(manifest.revision)
        async with uploading(places) as uploads:  # in here: a COMMIT that has no answer may have come to pass
            await _fill(schema, archive, manifest, progress, uploads)
            if manifest.revision != newest_revision():
                await schema.upgrade()
    connection = await asyncpg.connect(**connect_args, server_settings={"search_path": SCHEMA})
    try:
        await connection.execute("analyze")
    finally:
        await connection.close()
    return manifest


async def _refuse_unless_empty(connection: asyncpg.Connection) -> None:
    if await connection.fetchval(_OTHERS):
        raise BackupError("Cordwood is running on this database: stop it, then restore")
    tables = await connection.fetch(
        "select relname from pg_class where relnamespace = to_regnamespace($1) and relkind in ('r', 'p') "
        "and not relispartition",
        SCHEMA,
    )
    for (name,) in tables:
        if name in LEFT_OUT - {"segment_file"} or name == "segment_part":
            continue
        own = _OWN_ROWS.get(name, 0)
        rows = await connection.fetchval(f'select count(*) from (select from {SCHEMA}."{name}" limit {own + 1}) t')  # noqa: S608
        if rows > own:
            raise BackupError(
                f"the database is not empty (its table {name} has rows), and a backup replaces nothing: "
                "restore into a new data folder or another database"
            )
    if "segment_log" in {row[0] for row in tables} and await connection.fetchval(
        f"select coalesce(max(head), 0) from {SCHEMA}.segment_log"  # noqa: S608 - a constant
    ):
        raise BackupError("the database has held events: restore into a new data folder or another database")


async def _fill(
    schema: SchemaTransaction, archive: ArchiveReader, manifest: Manifest, progress: Progress, uploads: Uploads
) -> None:
    connection = schema.connection
    names = ", ".join(f'"{table.name}"' for table in manifest.tables)
    await connection.execute(f"truncate {names} cascade")  # what migrations put in; sessions refer to accounts
    for table in manifest.tables:
        status = await connection.copy_to_table(
            table.name, source=_decompressed(archive, table.name), columns=table.columns, schema_name=SCHEMA
        )
        if int(status.split()[-1]) != table.rows:
            raise BackupError(f"{archive.path}: the table {table.name} has not the {table.rows} rows it should have")
    parts = await connection.fetchval(
        "select exists(select from pg_attribute where attrelid = 'segment_file'::regclass and attname = 'part')"
    )
    insert = (
        "insert into segment_file (segment_id, part, data) select id, part, $2 from segment where id = $1"
        if parts
        else "insert into segment_file (segment_id, data) select id, $2 from segment where id = $1"
    )
    await uploads.begin(connection)
    done, half = 0, archive.size // 2
    for name, (_, size) in archive.members.items():
        if name.startswith("segments/"):
            id_ = int(name.removeprefix("segments/").removesuffix(".parquet"))
            data = await in_worker(archive.read, name)
            if not await uploads.take(id_, data) and await connection.execute(insert, id_, data) != "INSERT 0 1":
                raise BackupError(f"{archive.path}: the segment {id_} is not in its catalog")
            done += size
            progress(half + done // 2, archive.size)
    await uploads.flush()
    for sequence, (value, called) in manifest.sequences.items():
        await connection.execute("select setval($1::text::regclass, $2, $3)", f'"{sequence}"', value, called)


def _decompressor(archive: ArchiveReader, table: str) -> Iterator[bytes]:
    """The rows of a table, some at a time.

    :raises BackupError: they cannot be decompressed
    """
    decompressor = zstandard.ZstdDecompressor().decompressobj()
    try:
        for data in archive.chunks(table_member(table)):
            for start in range(0, len(data), CHUNK // 8):
                yield decompressor.decompress(data[start : start + CHUNK // 8])
    except zstandard.ZstdError as why:
        raise BackupError(f"{archive.path}: the table {table} cannot be decompressed: {why}") from why
    if not decompressor.eof:
        raise BackupError(f"{archive.path}: the table {table} is not whole")


async def _decompressed(archive: ArchiveReader, table: str) -> AsyncIterator[bytes]:
    chunks = _decompressor(archive, table)
    while (data := await in_worker(next, chunks, None)) is not None:
        if data:
            yield data


def _lines(archive: ArchiveReader, table: str) -> Iterator[bytes]:
    rest = b""
    for data in _decompressor(archive, table):
        *lines, rest = (rest + data).split(b"\n")
        yield from lines


def _rows(archive: ArchiveReader, id_: int) -> int:
    """The rows of a segment, all of which are read."""
    try:
        # Without Arrow's threads: a process that ends just after them is aborted, on a busy machine every fourth time.
        file = pyarrow.parquet.ParquetFile(io.BytesIO(archive.read(segment_member(id_))), pre_buffer=False)
        return sum(file.read_row_group(group, use_threads=False).num_rows for group in range(file.num_row_groups))
    except (pyarrow.ArrowException, OSError, ValueError) as why:
        raise BackupError(f"{archive.path}: the segment {id_} cannot be read: {why}") from why
