"""Segments in other places than PostgreSQL: nothing is lost or left behind, and what cannot be read is said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.move import MoveError, holdings, move
from cordwood.core.storage.objects import READING
from cordwood.core.storage.places import Places
from cordwood.core.storage.places.folder import Folder, FolderConfig
from cordwood.core.storage.places.s3 import S3, S3Settings
from cordwood.core.storage.snapshot import snapshot
from cordwood.core.storage.store import Store
from cordwood.plugins import Batch, Place, RetryableError

from ..objectstore import Bucket
from .asking import SUM, ask_cold

pytestmark = pytest.mark.anyio

LATER = timedelta(hours=1)
OBJECT = "select object from segment where day = '2026-02-02' and object is not null"


@dataclass(frozen=True)
class Kept:
    """A place, and what its other end has."""

    place: Place[Any]
    keys: Callable[[], set[str]]


@pytest.fixture(params=["folder", "s3"])
def kept(request: pytest.FixtureRequest, data_dir: Path) -> Kept:
    if request.param == "folder":
        folder = data_dir / "place"
        files = lambda: {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}  # noqa: E731
        return Kept(Folder(FolderConfig(path=folder)), files)
    bucket: Bucket = request.getfixturevalue("bucket")
    settings = S3Settings.model_validate(bucket.settings(prefix="cordwood/"))
    return Kept(S3(settings), lambda: {key.removeprefix("cordwood/") for key in bucket.keys()})  # noqa: SIM118


@pytest.fixture
async def store(database_url: str, data_dir: Path, kept: Kept) -> AsyncIterator[Store]:
    places = Places("shelf", {"shelf": kept.place})
    async with Store.opened(data_dir, database_url, compact=False, places=places) as opened:
        yield opened


async def send(store: Store, first: int, count: int = 10) -> None:
    batch = Batch.from_records([{"message": f"event {n}", "n": n} for n in range(first, first + count)])
    await (await store.writer.submit(Submission(1, "load", batch))).committed()


async def merged(store: Store) -> None:
    """Merge what there is, however young."""
    while await store.compactor.compact(1, now=datetime.now(UTC) + LATER):
        pass


async def filled(store: Store, segments: int = 3) -> None:
    """Merged segments of ten events each, of days of their own."""
    for n in range(segments):
        records = [{"message": f"event {i}", "n": i, "timestamp": f"2026-02-0{n + 1}T00:00:00Z"} for i in range(10)]
        await (await store.writer.submit(Submission(1, "load", Batch.from_records(records)))).committed()
    await merged(store)


async def swept(store: Store) -> None:
    """One round of cleaning, that waits for nothing."""
    store.files._tidied_at = -100.0
    await store.files.sweep(grace_seconds=0)


async def known(store: Store) -> set[str]:
    """The objects that the catalog has."""
    return {row[0] for row in await store.pool.fetch("select object from segment where object is not null")}


async def strays(store: Store) -> int:
    return int(await store.pool.fetchval("select count(*) from stray_object"))


async def test_merged_segments_go_to_the_place_and_come_back(store: Store, kept: Kept) -> None:
    for n in range(3):
        await send(store, n * 10)
    assert kept.keys() == set()  # commits stay in PostgreSQL
    await merged(store)
    await send(store, 30)
    assert len(kept.keys()) == 1
    assert kept.keys() == await known(store)
    identity = await store.pool.fetchval("select id from installation")
    assert all(key.startswith(f"{identity}/") for key in kept.keys())  # noqa: SIM118
    result = await ask_cold(store, SUM)
    assert (list(result.rows()), result.complete) == ([[sum(range(40)), 40]], True)
    assert await strays(store) == 0


async def test_what_is_replaced_is_deleted_after_its_grace(store: Store, kept: Kept) -> None:
    await filled(store, 2)
    before = kept.keys()
    assert len(before) == 2
    await store.pool.execute("update segment set replaced_at = now() where day = '2026-02-01'")
    store.files._tidied_at = -100.0
    await store.files.sweep()
    assert kept.keys() == before  # queries may still be reading it
    await swept(store)
    assert kept.keys() == await known(store)
    assert len(kept.keys()) == 1
    assert await strays(store) == 0


async def test_what_was_uploaded_and_never_committed_is_deleted(store: Store, kept: Kept) -> None:
    await filled(store, 1)
    (lost,) = await store.files.objects.write("shelf", [b"half a merge"])
    await swept(store)
    assert {lost.object} & kept.keys()  # it may be about to be committed
    await store.pool.execute("update stray_object set began_at = now() - interval '16 minutes'")
    await swept(store)
    assert kept.keys() == await known(store)
    with pytest.raises(RetryableError, match="took too long"):
        async with store.pool.acquire() as connection, connection.transaction():
            await store.files.objects.enter(connection, lost)
    await store.pool.execute("update stray_object set began_at = now() - interval '2 hours'")
    await swept(store)
    assert await strays(store) == 0


async def test_a_merge_that_comes_too_late_leaves_nothing(
    store: Store, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else replaces what is merged, while the merged segment is uploaded."""
    await send(store, 0)
    put = type(kept.place).put

    async def slow(self: Place[Any], key: str, data: bytes) -> None:
        await put(self, key, data)
        await store.pool.execute("update segment set replaced_at = now() where level = 0")

    monkeypatch.setattr(type(kept.place), "put", slow)
    with pytest.raises(Exception, match="replaced meanwhile"):
        await merged(store)
    await swept(store)
    assert kept.keys() == set()


async def test_a_purge_deletes_at_once_and_calls_off_uploads(store: Store, kept: Kept) -> None:
    await filled(store)
    await store.pool.execute("update segment set replaced_at = now() where day = '2026-02-01'")
    (going_on,) = await store.files.objects.write("shelf", [b"of what was replaced"])
    await store.files.purge()
    assert kept.keys() == await known(store)
    assert len(kept.keys()) == 2
    await kept.place.put(going_on.object, b"a request that arrives late")
    await swept(store)
    assert kept.keys() == await known(store)
    with pytest.raises(RetryableError):
        async with store.pool.acquire() as connection, connection.transaction():
            await store.files.objects.enter(connection, going_on)


async def test_nothing_is_deleted_while_a_backup_reads(store: Store, kept: Kept, database_url: str) -> None:
    await filled(store, 2)
    async with snapshot({"dsn": database_url}):
        await store.pool.execute("update segment set replaced_at = now() where day = '2026-02-01'")
        await swept(store)
        assert len(kept.keys()) == 2
    while not await store.pool.fetchval(f"select pg_try_advisory_xact_lock({READING})"):
        await anyio.sleep(0.01)  # until the server has noticed that the connection is closed
    await swept(store)
    assert kept.keys() == await known(store)
    assert len(kept.keys()) == 1


async def test_a_lost_object_and_an_unknown_place_are_said(store: Store, kept: Kept) -> None:
    await filled(store)
    await kept.place.delete([await store.pool.fetchval(OBJECT)])
    result = await ask_cold(store, SUM)
    assert (list(result.rows()), result.complete) == ([[90, 20]], False)
    (warning,) = result.warnings
    assert warning.startswith("10 events are missing in this answer: segment ")
    assert f"its bytes are missing in the place shelf ({kept.place.location})" in warning
    store.files.places = Places()
    result = await ask_cold(store, SUM)
    assert not result.complete
    assert any("there are segments in the place shelf, which is not configured" in text for text in result.warnings)
    store.files.places = Places("postgresql", {"shelf": kept.place})
    store.files.objects._failed.clear()
    assert list((await ask_cold(store, SUM)).rows()) == [[90, 20]]


async def test_other_bytes_are_noticed(store: Store, kept: Kept) -> None:
    await filled(store, 2)
    await kept.place.put(await store.pool.fetchval(OBJECT), b"wrong")
    result = await ask_cold(store, SUM)
    assert (list(result.rows()), result.complete) == ([[45, 10]], False)
    assert "its bytes are not those that were written" in result.warnings[0]


async def test_a_defect_of_a_place_stops_nothing(
    store: Store, kept: Kept, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def defective(self: Place[Any], *_: object) -> None:
        raise KeyError("a stranger's mistake")

    await filled(store, 1)
    for name in ("put", "get", "delete"):
        monkeypatch.setattr(type(kept.place), name, defective)
    result = await ask_cold(store, SUM)
    assert (list(result.rows()), result.complete) == ([[None, 0]], False)
    assert result.warnings[0].endswith(f"the place shelf ({kept.place.location}) failed: KeyError")
    await send(store, 0)
    await merged(store)
    await swept(store)
    assert {row.place for row in await holdings(store.pool)} == {"shelf", "postgresql"}
    assert "a stranger's mistake" in caplog.text  # with its traceback, once
    assert caplog.text.count("Traceback") == 1


async def test_there_and_back_while_events_come_in_and_queries_run(store: Store, kept: Kept) -> None:
    await filled(store, 9)
    sent, over = 90, anyio.Event()

    async def send_more() -> None:
        nonlocal sent
        while not over.is_set():
            await send(store, 0)
            sent += 10

    async def compact() -> None:
        while not over.is_set():
            await merged(store)
            await store.files.sweep(grace_seconds=1)
            await anyio.sleep(0.02)

    async def query() -> None:
        while not over.is_set():
            least = sent
            result = await ask_cold(store, SUM)
            ((_, count),) = result.rows()
            assert result.complete, result.warnings
            assert least <= count <= sent + 10

    told: list[tuple[int, int]] = []
    async with anyio.create_task_group() as tasks:
        for work in (send_more, compact, query):
            tasks.start_soon(work)
        for turn in range(3):
            for to in ("postgresql", "shelf"):
                await move(store.pool, store.files, to, lambda done, total: told.append((done, total)))
                places = {row.place for row in await holdings(store.pool)}
                assert turn == 0 or to in places
        over.set()
    await move(store.pool, store.files, "shelf", lambda done, total: None)
    await merged(store)
    assert all(done <= total for done, total in told)
    assert list((await ask_cold(store, SUM)).rows()) == [[sent // 10 * 45, sent]]
    await swept(store)
    await store.pool.execute("update stray_object set began_at = '-infinity'")
    await swept(store)
    assert kept.keys() == await known(store)
    assert [row.place for row in await holdings(store.pool)] == ["shelf"]


async def test_a_move_goes_on_after_a_failure(store: Store, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    await filled(store, 9)
    await move(store.pool, store.files, "postgresql", lambda done, total: None)
    put, left = type(kept.place).put, 4

    async def failing(self: Place[Any], key: str, data: bytes) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise RetryableError("the line is dead")
        await put(self, key, data)

    monkeypatch.setattr(type(kept.place), "put", failing)
    with pytest.raises(ExceptionGroup) as caught:
        await move(store.pool, store.files, "shelf", lambda done, total: None)
    assert caught.group_contains(RetryableError, match="the line is dead")
    store.files.objects._failed.clear()
    there = {row.place: row.segments for row in await holdings(store.pool)}
    assert there["postgresql"] + there["shelf"] == 9
    assert list((await ask_cold(store, SUM)).rows()) == [[9 * 45, 90]]
    monkeypatch.setattr(type(kept.place), "put", put)
    done = await move(store.pool, store.files, "shelf", lambda done, total: None)
    assert (done.segments, done.left) == (there["postgresql"], {})
    assert {row.place: row.segments for row in await holdings(store.pool)} == {"shelf": 9}


async def test_a_copy_that_differs_is_not_pointed_to(store: Store, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    await filled(store, 1)
    await move(store.pool, store.files, "postgresql", lambda done, total: None)
    put = type(kept.place).put

    async def lossy(self: Place[Any], key: str, data: bytes) -> None:
        await put(self, key, data[:-1])

    monkeypatch.setattr(type(kept.place), "put", lossy)
    with pytest.raises(ExceptionGroup) as caught:
        await move(store.pool, store.files, "shelf", lambda done, total: None)
    assert caught.group_contains(MoveError, match="does not give back")
    assert list((await ask_cold(store, SUM)).rows()) == [[45, 10]]
    assert [row.place for row in await holdings(store.pool)] == ["postgresql"]


async def test_one_move_at_a_time(store: Store) -> None:
    await filled(store, 1)
    async with store.pool.acquire() as connection:
        await connection.fetchval("select pg_advisory_lock(hashtextextended('cordwood.move', 0))")
        with pytest.raises(MoveError, match="another move"):
            await move(store.pool, store.files, "postgresql", lambda done, total: None)
