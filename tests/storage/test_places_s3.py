"""The place s3 when its server is away, or refuses: what is said, and that nothing is lost or silently less."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from cordwood.core.storage.archive import ArchiveReader, BackupError
from cordwood.core.storage.backup import back_up
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.move import holdings, move
from cordwood.core.storage.places import Places
from cordwood.core.storage.places.folder import Folder, FolderConfig
from cordwood.core.storage.places.s3 import S3, S3Settings
from cordwood.core.storage.restore import restore
from cordwood.core.storage.store import Store
from cordwood.plugins import Batch, FatalError, RetryableError

from ..conftest import free_port
from ..objectstore import Bucket, S3Server
from .asking import SUM, ask_cold
from .erasing import opened
from .proxy import Proxy

pytestmark = pytest.mark.anyio


def place(bucket: Bucket, **more: Any) -> S3:
    return S3(S3Settings.model_validate(bucket.settings(**more)))


@pytest.fixture
async def line(bucket: Bucket) -> AsyncIterator[Proxy]:
    """What stands between us and the server."""
    port = int(bucket.url.rpartition(":")[2])
    async with Proxy(lambda: anyio.connect_tcp("127.0.0.1", port)).running() as proxy:
        yield proxy


@pytest.fixture
async def store(database_url: str, data_dir: Path, bucket: Bucket, line: Proxy) -> AsyncIterator[Store]:
    places = Places("s3", {"s3": place(bucket, endpoint=f"http://{line.url}")})
    async with Store.opened(data_dir, database_url, compact=False, places=places) as opened:
        yield opened


async def filled(store: Store, segments: int, first: int = 1) -> None:
    """Merged segments of ten events each, of days of their own."""
    for n in range(first, first + segments):
        records = [{"message": f"event {i}", "n": i, "timestamp": f"2026-02-{n:02}T00:00:00Z"} for i in range(10)]
        await (await store.writer.submit(Submission(1, "load", Batch.from_records(records)))).committed()
        while await store.compactor.compact(1, now=datetime(2100, 1, 1, tzinfo=UTC)):
            pass


async def per_place(store: Store) -> dict[str, int]:
    return {holding.place: holding.segments for holding in await holdings(store.pool)}


async def test_the_server_goes_away_and_comes_back(
    store: Store, line: Proxy, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "cordwood.core.storage")
    await filled(store, 2)
    assert await per_place(store) == {"s3": 2}
    line.refuses = True
    result = await ask_cold(store, SUM)
    assert (list(result.rows()), result.complete) == ([[None, 0]], False)
    (warning,) = result.warnings
    assert warning.startswith("20 events are missing in this answer: 2 segments, from 2026-02-01T00:00:00+00:00 to ")
    assert f"the bucket {bucket.name} at http://{line.url} does not answer as it should" in warning
    await filled(store, 2, first=3)  # events come in and are merged all the same
    assert await per_place(store) == {"s3": 2, "postgresql": 2}
    result = await ask_cold(store, SUM)
    assert (list(result.rows()), result.complete) == ([[90, 20]], False)
    assert sum("cannot be used" in record.message for record in caplog.records) == 1
    line.refuses = False
    store.files.objects._failed["s3"] = (0.0, "")
    result = await ask_cold(store, SUM)
    assert (list(result.rows()), result.complete) == ([[180, 40]], True)
    assert sum("can be used again" in record.message for record in caplog.records) == 1
    await move(store.pool, store.files, "s3", lambda done, total: None)
    assert await per_place(store) == {"s3": 4}
    assert list((await ask_cold(store, SUM)).rows()) == [[180, 40]]


async def test_what_dies_in_the_middle_of_an_upload_is_tried_again(store: Store, line: Proxy) -> None:
    line.word, line.cuts = b"PUT /", ["before", "answer"]
    await filled(store, 1)
    assert line.done == 2
    assert await per_place(store) == {"s3": 1}
    assert list((await ask_cold(store, SUM)).rows()) == [[45, 10]]


async def test_a_server_that_says_nothing_does_not_hold_up_answers(
    store: Store, line: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cordwood.plugins.bucket._SILENT_SECONDS", 1.0)
    await filled(store, 1)
    line.delay = 3600
    with anyio.fail_after(20):
        result = await ask_cold(store, "* | limit 1")
    assert not result.complete
    assert "does not answer" in result.warnings[0]


async def test_who_refuses_us_says_why(bucket: Bucket, tmp_path: Path) -> None:
    for wrong, message in (
        (place(Bucket("nowhere-at-all", bucket.url)), "nowhere-at-all at .* does not exist: make it"),
        (place(bucket, endpoint="http://127.0.0.1:1"), "does not answer as it should: .*"),
    ):
        for attempt in (wrong.put("k", b"x"), wrong.get("k"), wrong.delete(["k"])):
            with pytest.raises((FatalError, RetryableError), match=message):
                await attempt
        assert "hush" not in await Places("s3", {"s3": wrong}).problem("s3")
    assert await Places("s3", {"s3": place(bucket)}).problem("s3") == ""
    assert bucket.keys() == set()
    server = S3Server(free_port(), tmp_path / "log", checked=True)
    try:
        Bucket("logs", server.url).client.create_bucket(Bucket="logs")
        stranger = place(Bucket("logs", server.url))
        for attempt in (stranger.put("k", b"x"), stranger.get("k"), stranger.delete(["k"])):
            with pytest.raises(FatalError, match=r"refuses us \(InvalidAccessKeyId: .*\): check the key, and"):
                await attempt
    finally:
        server.stop()


async def test_a_backup_has_what_all_places_have_and_restores_into_the_current_one(
    store: Store, line: Proxy, bucket: Bucket, database_url: str, other_url: str, data_dir: Path
) -> None:
    await filled(store, 3)
    line.refuses = True
    await filled(store, 1, first=4)
    with pytest.raises(BackupError, match=f"the bucket {bucket.name} at .* does not answer"):
        await back_up({"dsn": database_url}, data_dir / "b", lambda done, total: None, store.files.places)
    with pytest.raises(BackupError, match="the place s3, which is not configured"):
        await back_up({"dsn": database_url}, data_dir / "b", lambda done, total: None)
    assert not (data_dir / "b").exists()
    line.refuses = False
    assert await per_place(store) == {"s3": 3, "postgresql": 1}
    manifest = await back_up({"dsn": database_url}, data_dir / "b", lambda done, total: None, store.files.places)
    assert (manifest.segments, manifest.rows, manifest.missing, manifest.damaged) == (4, 40, (), ())
    before = bucket.keys()
    archive = ArchiveReader(data_dir / "b")
    shelf = Folder(FolderConfig(path=data_dir / "shelf"))

    class Full(Folder):
        """It takes two objects."""

        taken = 0

        async def put(self, key: str, data: bytes) -> None:
            self.taken += 1
            if self.taken > 2:
                raise RetryableError("there is no room")
            await super().put(key, data)

    with pytest.raises(BackupError, match="there is no room"):
        await restore(
            {"dsn": other_url}, archive, lambda done, total: None, Places("shelf", {"shelf": Full(shelf.config)})
        )
    assert [path for path in (data_dir / "shelf").rglob("*") if path.is_file()] == []
    await restore({"dsn": other_url}, archive, lambda done, total: None, Places("shelf", {"shelf": shelf}))
    archive.close()
    async with Store.opened(data_dir / "second", other_url, compact=False, places=Places("x", {"shelf": shelf})) as two:
        assert await per_place(two) == {"shelf": 4}
        assert list((await ask_cold(two, SUM)).rows()) == [[180, 40]]
        two.files._tidied_at = -100.0
        await two.files.sweep()
        assert list((await ask_cold(two, SUM)).rows()) == [[180, 40]]
    assert bucket.keys() == before  # the first store's objects are its own


async def test_a_restore_without_places_puts_all_into_postgresql(
    store: Store, database_url: str, other_url: str, data_dir: Path
) -> None:
    await filled(store, 2)
    await back_up({"dsn": database_url}, data_dir / "b", lambda done, total: None, store.files.places)
    archive = ArchiveReader(data_dir / "b")
    await restore({"dsn": other_url}, archive, lambda done, total: None)
    archive.close()
    async with Store.opened(data_dir / "second", other_url, compact=False) as two:
        assert await per_place(two) == {"postgresql": 2}
        assert list((await ask_cold(two, SUM)).rows()) == [[90, 20]]


async def test_a_deletion_waits_for_a_place_that_is_away(
    database_url: str, data_dir: Path, bucket: Bucket, line: Proxy
) -> None:
    """And is not done before the bucket has nothing of what it was to find."""
    places = Places("s3", {"s3": place(bucket, endpoint=f"http://{line.url}")})
    async with opened(database_url, data_dir, places) as site:
        await filled(site.store, 2)
        before = bucket.keys()
        site.store.cache.forget([int(path.stem) for path in site.store.cache.folder.glob("*.parquet")])
        line.refuses = True
        asked = await site.ask("n=7")
        await site.worker.run_all()
        now = await site.deletions.get(1, asked.id)
        assert (now.state, now.unreadable) == ("running", [])
        assert bucket.keys() == before
        line.refuses = False
        site.store.files.objects._failed.clear()
        site.store.cache._damaged.clear()
        await site.worker.run_all()
        now = await site.deletions.get(1, asked.id)
        assert (now.state, now.events_deleted) == ("done", 2)
        assert len(bucket.keys()) == 2
        assert not before & bucket.keys()
        assert (await site.found("* | stats sum(n) as s"))[0]["s"] == 2 * (45 - 7)
