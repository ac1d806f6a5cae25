"""Backup and restore: nothing else than what was there, all of it or nothing, beside whatever goes on."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import pytest
from cordwood.core.query import QueryEngine, QueryRequest
from cordwood.core.storage.archive import ArchiveReader, BackupError
from cordwood.core.storage.backup import Manifest, back_up
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.database import current_revision
from cordwood.core.storage.migrations import newest_revision
from cordwood.core.storage.restore import check, restore
from cordwood.core.storage.store import Store
from cordwood.plugins import Batch, now_ns

pytestmark = pytest.mark.anyio

SCHEMAS = Path(__file__).parent / "schemas"
OLD = sorted(path.stem for path in SCHEMAS.glob("*.sql"))
QUERIES = (
    "| stats count() as n",
    "| stats sum(n) as s, min(n) as low, max(n) as high",
    "| stats count() as n by service | sort service",
    "severity>=error | stats count() as n, sum(n) as s by service | sort service",
    "| sort -n | limit 100 | fields n, service, message, severity",
)


def quiet(done: int, total: int) -> None:
    """No progress."""


async def send(store: Store, first: int, count: int) -> None:
    records = [
        {
            "message": f"request {n} took {n % 97} ms",
            "n": n,
            "service": f"s{n % 5}",
            "level": ("info", "error")[n % 7 == 0],
        }
        for n in range(first, first + count)
    ]
    receipt = await store.writer.submit(Submission(1, "load", Batch.from_records(records)))
    await receipt.committed()


async def answers(store: Store, spill: Path, **more: Any) -> list[list[dict[str, Any]]]:
    engine = QueryEngine(catalog=store.catalog, cache=store.cache, memory_limit="500MB", threads=1, spill=spill / "s")
    try:
        request = [QueryRequest(text=text, project_id=1, now_ns=now_ns(), **more) for text in QUERIES]
        return [list((await engine.run(each)).objects()) for each in request]
    finally:
        engine.close()


async def made(url: str, path: Path) -> Manifest:
    return await back_up({"dsn": url}, path, quiet)


async def restored(url: str, path: Path) -> Manifest:
    archive = ArchiveReader(path)
    try:
        return await restore({"dsn": url}, archive, quiet)
    finally:
        archive.close()


def checked(path: Path) -> Manifest:
    archive = ArchiveReader(path)
    try:
        return check(archive, quiet)
    finally:
        archive.close()


async def small(url: str, data_dir: Path) -> None:
    """A store with merged and fresh segments, a replaced one among them."""
    async with Store.opened(data_dir / "first", url, compact=False) as store:
        for n in range(18):
            await send(store, n * 10, 10)
            if n == 15:
                assert await store.compactor.compact(1)


async def test_a_backup_under_load_is_one_moment_of_the_store(
    database_url: str, other_url: str, data_dir: Path
) -> None:
    """Commits and merges go on meanwhile; the answers are those of the original at the position the backup names."""
    path = data_dir / "b"
    async with Store.opened(data_dir / "first", database_url, compact=False) as store:
        stop = anyio.Event()

        async def load() -> None:
            number = 0
            while not stop.is_set():
                await send(store, number * 50, 50)
                number += 1

        async def merge() -> None:
            while not stop.is_set():
                await store.compactor.compact(1)
                await anyio.sleep(0.05)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(load)
            tasks.start_soon(load)
            tasks.start_soon(merge)
            while await store.catalog.head(1) < 40:
                await anyio.sleep(0.05)
            manifest = await made(database_url, path)
            while await store.catalog.head(1) < manifest.projects[0].head + 20:
                await anyio.sleep(0.05)
            stop.set()
        head = manifest.projects[0].head
        assert 40 <= head < await store.catalog.head(1)
        expected = await answers(store, data_dir, upto_position=head)
        identity = await store.pool.fetchval("select id from installation")
    assert checked(path) == manifest
    assert await restored(other_url, path) == manifest
    async with Store.opened(data_dir / "second", other_url, compact=False) as store:
        assert await store.catalog.head(1) == head
        assert await answers(store, data_dir) == expected
        assert await store.pool.fetchval("select id from installation") != identity
        await send(store, 0, 5)  # it goes on
        assert await store.catalog.head(1) == head + 1
        assert await store.pool.fetchval("select count(*) from segment where replaced_at is not null") == 0


async def test_ordinary_tools_open_and_check_it(database_url: str, data_dir: Path) -> None:
    await small(database_url, data_dir)
    path = data_dir / "b"
    manifest = await made(database_url, path)
    folder = data_dir / "opened"
    folder.mkdir()
    subprocess.run(["tar", "xf", path, "-C", folder], check=True)
    if subprocess.run(["which", "sha256sum"], capture_output=True, check=False).returncode == 0:
        subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], cwd=folder, check=True)
    assert json.loads((folder / "manifest.json").read_text())["rows"] == manifest.rows == 180
    assert len(list((folder / "segments").glob("*.parquet"))) == manifest.segments
    assert path.stat().st_mode & 0o777 == 0o600
    assert not list(data_dir.glob("*.part"))


@pytest.mark.parametrize("revision", OLD)
async def test_a_backup_of_an_older_schema_is_brought_to_this_one(
    revision: str, empty_database_url: str, other_url: str, data_dir: Path
) -> None:
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute((SCHEMAS / f"{revision}.sql").read_text())
    await connection.close()
    manifest = await made(empty_database_url, data_dir / "b")
    assert manifest.revision == revision
    await restored(other_url, data_dir / "b")
    async with Store.opened(data_dir, other_url, compact=False) as store:
        assert await current_revision(store.pool) == newest_revision()
        assert await store.catalog.head(1) == 20
        (count,) = (await answers(store, data_dir))[0]
        assert count == {"n": 20}
        assert await store.checkpoint("files", "app.log") == {"offset": 20}
        for table, least, rows in (("incident", "0002", 1), ("notification", "0002", 1), ("detector_state", "0002", 1),
                                   ("user_account", "0003", 1), ("api_token", "0003", 1)):  # fmt: skip
            if revision >= least:
                assert await store.pool.fetchval(f"select count(*) from {table}") == rows, table
        fresh = await store.pool.fetchval("insert into project (name) values ('third') returning id")
        assert fresh == 3  # sequences go on where they were


async def test_only_an_empty_database_is_filled(database_url: str, other_url: str, data_dir: Path) -> None:
    await small(database_url, data_dir)
    await made(database_url, data_dir / "b")
    with pytest.raises(BackupError, match="not empty"):
        await restored(database_url, data_dir / "b")
    async with Store.opened(data_dir / "x", other_url, compact=False):
        with pytest.raises(BackupError, match="is running on this database"):
            await restored(other_url, data_dir / "b")
    await restored(other_url, data_dir / "b")  # a store that was started once and holds nothing is empty
    with pytest.raises(BackupError, match="not empty"):
        await restored(other_url, data_dir / "b")


async def test_a_damaged_file_is_refused_before_anything_is_written(
    database_url: str, other_url: str, data_dir: Path
) -> None:
    await small(database_url, data_dir)
    path = data_dir / "b"
    await made(database_url, path)
    whole = path.read_bytes()
    reader = ArchiveReader(path)
    places = {name: start + size // 2 for name, (start, size) in reader.members.items() if size}
    reader.close()
    segment = next(name for name in places if name.startswith("segments/"))
    damaged = {f"a bit of {name}": flipped(whole, places[name]) for name in (segment, "tables/segment.copy.zst",
               "tables/checkpoint.copy.zst", "manifest.json", "SHA256SUMS")}  # fmt: skip
    damaged |= {f"cut at {part}": whole[: int(len(whole) * part)] for part in (0, 0.001, 0.3, 0.7, 0.95)}
    damaged["no backup"] = b"hello"
    for what, data in damaged.items():
        path.write_bytes(data)
        for attempt in (checked, None):
            with pytest.raises(BackupError):  # noqa: PT012 - the same of both
                _ = attempt(path) if attempt else await restored(other_url, path)
                pytest.fail(what)
    connection = await asyncpg.connect(other_url)
    assert await connection.fetchval("select to_regnamespace('cordwood')") is None
    await connection.close()


def flipped(data: bytes, at: int) -> bytes:
    """The data with one bit changed."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


async def test_a_restore_that_fails_halfway_leaves_nothing(database_url: str, other_url: str, data_dir: Path) -> None:
    await small(database_url, data_dir)
    await made(database_url, data_dir / "b")

    def kill(done: int, total: int) -> None:
        if done > total * 0.5:  # the first segment
            raise ConnectionError("the line was cut")

    archive = ArchiveReader(data_dir / "b")
    with pytest.raises(ConnectionError):
        await restore({"dsn": other_url}, archive, kill)
    archive.close()
    connection = await asyncpg.connect(other_url)
    assert await connection.fetchval("select to_regnamespace('cordwood')") is None
    await connection.close()
    await restored(other_url, data_dir / "b")


async def test_a_store_that_lost_segments_can_still_be_backed_up(
    database_url: str, other_url: str, data_dir: Path
) -> None:
    await small(database_url, data_dir)
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "cordwood"})
    gone, bad = [
        row[0] for row in await connection.fetch("select id from segment where level = 0 and replaced_at is null")
    ]
    await connection.execute("delete from segment_file where segment_id = $1", gone)
    await connection.execute(
        "update segment_file set data = set_byte(data, 100, 1) || '\\x00' where segment_id = $1", bad
    )
    await connection.close()
    manifest = await made(database_url, data_dir / "b")
    assert (manifest.missing, manifest.damaged) == ((gone,), (bad,))
    assert checked(data_dir / "b") == manifest
    assert await restored(other_url, data_dir / "b") == manifest


async def test_a_failed_backup_leaves_the_old_file(empty_database_url: str, database_url: str, data_dir: Path) -> None:
    (data_dir / "b").write_text("old")
    with pytest.raises(BackupError, match="holds no store"):
        await made(empty_database_url, data_dir / "b")
    assert (data_dir / "b").read_text() == "old"
    assert not (data_dir / "b.part").exists()
    with pytest.raises(BackupError, match="cannot be written"):
        await made(database_url, data_dir / "no" / "b")


async def test_a_backup_of_a_newer_release_is_refused(
    database_url: str, other_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made(database_url, data_dir / "b")
    monkeypatch.setattr("cordwood.core.storage.restore.newest_revision", lambda: "0000")
    with pytest.raises(BackupError, match="this release knows 0000: restore it with that release"):
        await restored(other_url, data_dir / "b")
