"""For tests of deletion and retention: a store with all that erases, and a search of every byte it keeps."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pyarrow
import pyarrow.parquet
import zstandard
from cordwood.config import StoreSettings
from cordwood.core.alerting.scrub import scrub
from cordwood.core.query import QueryEngine, QueryRequest
from cordwood.core.query.searcher import EngineSearcher
from cordwood.core.storage.archive import ArchiveReader
from cordwood.core.storage.backup import back_up
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.deleting import DeletionWorker
from cordwood.core.storage.deletion import Deletion, Deletions
from cordwood.core.storage.erase import Eraser, Search
from cordwood.core.storage.places import Places
from cordwood.core.storage.retention import Retention
from cordwood.core.storage.store import Store
from cordwood.plugins import Batch, now_ns


@dataclass
class Site:
    """One node's store with what erases in it."""

    url: str
    folder: Path
    store: Store
    engine: QueryEngine
    searcher: EngineSearcher
    deletions: Deletions
    worker: DeletionWorker
    retention: Retention

    async def write(self, *records: dict[str, Any]) -> None:
        """One commit."""
        receipt = await self.store.writer.submit(Submission(1, "s", Batch.from_records(list(records))))
        await receipt.committed()

    async def found(self, text: str = "*", **more: Any) -> list[dict[str, Any]]:
        """What a query answers."""
        request = QueryRequest(text=text, project_id=1, now_ns=now_ns(), limit=100_000, **more)
        return list((await self.engine.run(request)).objects())

    async def ask(self, text: str, **more: Any) -> Deletion:
        """Ask for a deletion."""
        return await self.deletions.create(Search(project_id=1, text=text, now_ns=now_ns(), **more), "ann")

    async def delete(self, text: str, **more: Any) -> Deletion:
        """Do one; as it is at its end."""
        asked = await self.ask(text, **more)
        await self.worker.run_all()
        done = await self.deletions.get(1, asked.id)
        assert done is not None
        return done


@asynccontextmanager
async def opened(url: str, folder: Path, places: Places = Places()) -> AsyncIterator[Site]:  # noqa: B008 - frozen
    """A site whose worker runs when it is told to; it does not compact by itself."""
    async with Store.opened(folder, url, compact=False, places=places) as store:
        engine = QueryEngine(
            catalog=store.catalog, cache=store.cache, memory_limit="500MB", threads=1, spill=folder / "spill"
        )
        store.forgetting.others.append(engine.forget)
        searcher = EngineSearcher(engine)
        eraser = Eraser(store.pool, store.files, store.cache, limiter=store.workers)
        worker = DeletionWorker(store.pool, store.commits, store.files, eraser, searcher, scrub)
        try:
            retention = Retention(store.pool, eraser, searcher, StoreSettings())
            yield Site(url, folder, store, engine, searcher, Deletions(store.pool, searcher), worker, retention)
        finally:
            engine.close()


def holds(value: str, data: bytes) -> bool:
    """Whether a segment's file, or anything else, holds the text: in its bytes or in a compressed column."""
    if value.lower().encode() in data.lower():
        return True
    if data[:4] != b"PAR1":
        return False
    table = pyarrow.parquet.read_table(io.BytesIO(data))
    texts = [column.cast(pyarrow.string()) for column in table.columns if not pyarrow.types.is_primitive(column.type)]
    assert texts, table.schema
    return any(value.lower() in item.lower() for column in texts for item in column.to_pylist() if item is not None)


async def where(value: str, site: Site) -> list[str]:
    """Every place that keeps the value: rows of all tables, segments' bytes, cached files."""
    found = []
    for row in await site.store.pool.fetch("select segment_id, data from segment_file"):
        if holds(value, row["data"]):
            found.append(f"segment {row['segment_id']}")
    for row in await site.store.pool.fetch(
        "select tablename from pg_tables where schemaname = 'cordwood' and tablename not like 'segment\\_file%'"
    ):
        texts = await site.store.pool.fetch(f'select t::text from "{row[0]}" t')
        found += [f"{row[0]}: {text[0]}" for text in texts if value.lower() in text[0].lower()]
    return found + cached(value, site.folder)


def cached(value: str, folder: Path) -> list[str]:
    """The files of a data folder that hold the value."""
    return [str(path) for path in folder.rglob("*") if path.is_file() and holds(value, path.read_bytes())]


async def in_backup(value: str, site: Site, path: Path) -> list[str]:
    """The members of a backup taken now that hold the value."""
    await back_up({"dsn": site.url}, path, lambda done, total: None)
    archive = ArchiveReader(path)
    try:
        return [name for name, data in _members(archive) if holds(value, data)]
    finally:
        archive.close()


def _members(archive: ArchiveReader) -> Iterator[tuple[str, bytes]]:
    for name in archive.members:
        data = archive.read(name)
        if name.endswith(".zst"):
            data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
        yield name, data


async def open_incident(pool: asyncpg.Pool, title: str, group: dict[str, Any], samples: list[dict[str, Any]]) -> int:
    """An open incident with a notification of it."""
    id_ = await pool.fetchval(
        """
        insert into incident (project_id, detector, dedup_key, state, severity, title, "group", "values", query,
                              from_time, to_time, opened_at, last_seen_at, samples, timeline)
        values (1, 'errors', $1, 'open', 'ERROR', $1, $2, '{"n": 51}', $1, now(), now(), now(), now(), $3, '[]')
        returning id
        """,
        title,
        group,
        samples,
    )
    await pool.execute(
        "insert into notification (project_id, incident_id, notifier, channel, event, payload, created_at, "
        "next_attempt_at) values (1, $1, 'oncall', 'webhook', 'opened', $2, now(), now())",
        id_,
        {"title": title, "group": group, "values": {"n": 51}},
    )
    return int(id_)
