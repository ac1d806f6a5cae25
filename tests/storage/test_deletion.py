"""After a deletion is said to be done nothing keeps what it found, and nothing else is gone."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from cordwood.core.storage.audit import AuditFilter, audit_entries
from cordwood.core.storage.cache import SegmentGoneError
from cordwood.core.storage.files import FoundFile
from cordwood.core.storage.forgetting import who_remembers
from cordwood.core.storage.places import Places
from cordwood.core.storage.places.folder import Folder, FolderConfig
from cordwood.core.storage.snapshot import snapshot
from cordwood.core.storage.token_filter import TokenFilter
from cordwood.plugins import QueryError

from .erasing import Site, cached, in_backup, open_incident, opened, where

pytestmark = pytest.mark.anyio
LATER = timedelta(hours=1)
SECRET = "ada-7f3a91c2@example.org"


@pytest.fixture
async def site(database_url: str, data_dir: Path) -> AsyncIterator[Site]:
    async with opened(database_url, data_dir) as made:
        yield made


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes look for what they must forget at once."""
    monkeypatch.setattr("cordwood.core.storage.forgetting._AGAIN_SECONDS", 0.05)
    monkeypatch.setattr("cordwood.core.storage.forgetting._PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("cordwood.core.storage.deleting._PAUSE_SECONDS", 0.05)


def event(n: int, **more: Any) -> dict[str, Any]:
    return {
        "timestamp": f"2026-01-{28 + n % 3}T12:00:{n % 60:02}Z",
        "service": f"s{n % 3}",
        "level": ("info", "error")[n % 5 == 0],
        "message": f"user {'%s' % (SECRET if n % 4 == 0 else f'bob-{n}@example.org')} did {n}",
        "user": SECRET if n % 4 == 0 else f"bob-{n}@example.org",
        "n": n,
    } | more


async def fill(site: Site, count: int = 60, size: int = 3) -> None:
    for start in range(0, count, size):
        await site.write(*(event(n) for n in range(start, start + size)))


async def compacted(site: Site) -> None:
    while await site.store.compactor.compact(1, now=datetime.now(UTC) + LATER):
        pass


async def numbers(site: Site) -> list[int]:
    return sorted(found["n"] for found in await site.found("| fields n, timestamp"))


@pytest.mark.parametrize("merged", [False, True], ids=["commits", "merged"])
async def test_what_the_search_finds_goes_and_nothing_else(site: Site, merged: bool) -> None:
    await fill(site)
    if merged:
        await compacted(site)
    before = {found["n"]: found for found in await site.found()}
    done = await site.delete(f'user:"{SECRET}" severity>=error')
    expected = [n for n in range(60) if n % 20 == 0]
    assert (done.state, done.events_deleted, done.error) == ("done", len(expected), None)
    assert {found["n"]: found for found in await site.found()} == {
        n: found for n, found in before.items() if n not in expected
    }
    assert (await site.found("| stats count() as c"))[0]["c"] == 60 - len(expected)
    assert len(await site.found(upto_position=3)) == len([n for n in range(9) if n not in expected])
    await compacted(site)
    assert await numbers(site) == [n for n in range(60) if n not in expected]


@pytest.mark.parametrize("merged", [False, True], ids=["commits", "merged"])
async def test_no_byte_of_it_stays_anywhere(site: Site, merged: bool, tmp_path: Path) -> None:
    await fill(site, 30)
    if merged:
        await compacted(site)
    await open_incident(site.store.pool, f"errors: user={SECRET}", {"user": SECRET}, [event(0), event(1)])
    assert await site.found(f'"{SECRET}"')
    async with opened(site.url, tmp_path / "other") as other:
        assert await other.found(f'"{SECRET}"')
        assert cached(SECRET, other.folder)
        assert len(await where(SECRET, site)) > 3
        half = site.store.cache.folder / f"{(await site.store.catalog.segments(1))[0].id}.99.99.part"
        half.write_bytes(SECRET.encode())  # as a process leaves it that is killed while it writes
        done = await site.delete(f'user:"{SECRET}" or "{SECRET}"')
        assert (done.state, done.query) == ("done", "user:… or …")
        assert await where(SECRET, site) == []
        assert cached(SECRET, other.folder) == []
        assert await other.found(f'"{SECRET}"') == []
    assert await in_backup(SECRET, site, tmp_path / "backup") == []
    assert await numbers(site) == [n for n in range(30) if n % 4]
    assert [entry.what for entry in await audit_entries(site.store.pool, AuditFilter(), before=1 << 60, limit=9)] == [
        "deletion.done",
        "deletion.create",
    ]


async def test_no_byte_of_it_stays_in_another_place(database_url: str, data_dir: Path) -> None:
    shelf = Folder(FolderConfig(path=data_dir / "shelf"))
    async with opened(database_url, data_dir / "one", Places("shelf", {"shelf": shelf})) as site:
        await fill(site, 30)
        await compacted(site)
        assert cached(SECRET, data_dir / "shelf")
        done = await site.delete(f'user:"{SECRET}" or "{SECRET}"')
        assert (done.state, done.events_deleted) == ("done", 8)
        assert await numbers(site) == [n for n in range(30) if n % 4]
        assert await site.store.pool.fetchval("select count(*) from segment where place = 'shelf'")
        assert await where(SECRET, site) == []
        assert cached(SECRET, data_dir) == []


async def test_what_is_being_fetched_meanwhile_does_not_stay(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another node has the bytes in its hands, and not yet in its cache, when they are deleted."""
    await fill(site, 12)
    async with opened(site.url, tmp_path / "other") as other:
        has_read, may_go_on = anyio.Event(), anyio.Event()
        read = other.store.files.read

        async def held(ids: list[int]) -> list[FoundFile]:
            found = await read(ids)
            has_read.set()
            await may_go_on.wait()
            return found

        monkeypatch.setattr(other.store.files, "read", held)
        answers: list[Any] = []
        states: list[str] = []

        async def ask() -> None:
            answers.append(await other.found("user:*"))

        async def delete() -> None:
            states.append((await site.delete(f'user:"{SECRET}"')).state)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await has_read.wait()
            tasks.start_soon(delete)
            with anyio.fail_after(20):
                while not (ticket := await site.store.pool.fetchval("select max(ticket) from deletion")):
                    await anyio.sleep(0.02)
                while len(await who_remembers(site.store.pool, ticket)) > 1:
                    await anyio.sleep(0.02)
            assert await who_remembers(site.store.pool, ticket)
            assert states == []  # the other node holds it up
            may_go_on.set()
        assert states == ["done"]
        assert cached(SECRET, other.folder) == []
        assert {event["user"] == SECRET for event in answers[0]} <= {True, False}
        assert await other.found(f'user:"{SECRET}"') == []


async def test_the_filters_know_nothing_of_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cordwood.core.storage.compaction.merge.__kwdefaults__", {"row_group": 64, "filtered_rows": 1})
    monkeypatch.setattr("cordwood.core.storage.erase.FILTERED_ROWS", 1)
    await fill(site, 120, 30)
    await compacted(site)

    async def known() -> list[bool]:
        segments = await site.store.catalog.segments(1)
        paths = await site.store.cache.paths(segments)
        filters = [TokenFilter.open(paths[segment.id]) for segment in segments]
        assert all(token_filter is not None for token_filter in filters)
        return [
            bool(f.value("user", SECRET).any() or f.in_variable_token(SECRET).any()) for f in filters if f is not None
        ]

    assert all(await known())
    await site.delete(f'user:"{SECRET}"')
    assert not any(await known())


async def test_what_is_committed_after_it_was_asked_for_stays(site: Site) -> None:
    await fill(site, 12)
    asked = await site.ask("user:*")
    await site.write(event(100), event(101))
    await compacted(site)  # old and new events are now in one segment
    await site.worker.run_all()
    done = await site.deletions.get(1, asked.id)
    assert done is not None
    assert (done.state, done.events_deleted) == ("done", 12)
    assert await numbers(site) == [100, 101]


async def test_compaction_at_the_same_time_brings_nothing_back(site: Site) -> None:
    written: list[int] = []
    over = anyio.Event()

    async def writing() -> None:
        for n in range(0, 300, 3):
            await site.write(*(event(i) for i in range(n, n + 3)))
            written.extend(range(n, n + 3))
        over.set()

    async def compacting() -> None:
        while not over.is_set():
            try:
                await site.store.compactor.compact(1, now=datetime.now(UTC) + LATER)
            except SegmentGoneError:
                continue  # the deletion was faster
            await anyio.sleep(0.005)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(writing)
        tasks.start_soon(compacting)
        for limit in (100, 200):
            while len(written) < limit:
                await anyio.sleep(0.01)
            done = await site.delete(f'user:"{SECRET}" n<{limit}')
            assert done.state == "done"
            left = await site.found(f'user:"{SECRET}" n<{limit}')
            assert left == []
    last = await site.delete(f'user:"{SECRET}"')
    assert last.state == "done"
    assert await numbers(site) == [n for n in range(300) if n % 4]
    assert await where(SECRET, site) == []


KILLED = """
import sys, anyio
from pathlib import Path
from cordwood_erasing import opened

async def main():
    async with opened(sys.argv[1], Path(sys.argv[2])) as site:
        erase, done = site.worker._eraser.erase, 0
        async def slowly(*arguments):
            nonlocal done
            if done == 5:
                print("half", flush=True)
                await anyio.sleep_forever()
            done += 1
            return await erase(*arguments)
        site.worker._eraser.erase = slowly
        await site.ask(sys.argv[3])
        await site.worker.run_all()

anyio.run(main)
"""


async def test_it_goes_on_after_a_kill(database_url: str, data_dir: Path, tmp_path: Path) -> None:
    async with opened(database_url, data_dir / "one") as site:
        await fill(site)
    (tmp_path / "cordwood_erasing.py").write_text((Path(__file__).parent / "erasing.py").read_text())
    killed = subprocess.Popen(
        [sys.executable, "-c", KILLED, database_url, str(data_dir / "one"), f'user:"{SECRET}"'],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert killed.stdout is not None
    assert await anyio.to_thread.run_sync(killed.stdout.readline) == b"half\n"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    killed.stdout.close()
    async with opened(database_url, data_dir / "two") as site:
        (half,) = await site.deletions.page(1, before=1 << 60, limit=9)
        assert (half.state, half.segments_done) == ("running", 5)
        assert 0 < half.events_deleted < 15
        await site.store.pool.execute(  # nobody waits a quarter of a minute for it here
            "update store_node set seen_at = now() - interval '1 hour' where id <> $1", site.store.forgetting._id
        )
        await site.worker.run_all()
        done = await site.deletions.get(1, half.id)
        assert done is not None
        assert (done.state, done.events_deleted, done.segments_done) == ("done", 15, 20)
        assert await numbers(site) == [n for n in range(60) if n % 4]
        assert await where(SECRET, site) == []
    async with opened(database_url, data_dir / "one") as site:  # what the killed node had cached goes at its start
        assert cached(SECRET, data_dir / "one") == []


async def test_a_backup_that_is_being_taken_is_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads what must go, so the deletion is not done before it is, and says nothing else."""
    monkeypatch.setattr("cordwood.core.storage.parts._PURGE_SECONDS", 0.2)
    await fill(site, 12)
    monkeypatch.setattr("cordwood.core.storage.parts._PURGE_LOCK_MS", 100)
    async with snapshot({"dsn": site.url}) as reader:
        before = await reader.fetch("select segment_id, data from segment_file order by 1")
        assert (await site.delete(f'user:"{SECRET}"')).state == "running"
        assert await reader.fetch("select segment_id, data from segment_file order by 1") == before
    await site.worker.run_all()
    (done,) = await site.deletions.page(1, before=1 << 60, limit=9)
    assert (done.state, done.events_deleted) == ("done", 3)
    assert await where(SECRET, site) == []


async def test_a_damaged_segment_is_told_of(site: Site) -> None:
    await fill(site, 12)
    segments = await site.store.catalog.segments(1)
    bad = next(segment for segment in segments if segment.min_position == 1)
    await site.store.pool.execute("update segment_file set data = 'wrong' where segment_id = $1", bad.id)
    site.store.cache.forget([bad.id])
    done = await site.delete(f'user:"{SECRET}"')
    assert (done.state, done.unreadable, done.events_deleted) == ("incomplete", [bad.id], 2)
    assert done.error is not None
    assert "1 segments with 3 events cannot be read" in done.error


async def test_it_can_be_cancelled(site: Site) -> None:
    await fill(site, 12)
    asked = await site.ask(f'user:"{SECRET}"')
    cancelled = await site.deletions.cancel(1, asked.id, "bob")
    assert cancelled is not None
    assert (cancelled.state, cancelled.query, cancelled.events_deleted) == ("cancelled", "user:…", 0)
    await site.worker.run_all()
    assert await numbers(site) == list(range(12))
    assert (await audit_entries(site.store.pool, AuditFilter(), before=1 << 60, limit=1))[0].who == "bob"


async def test_only_a_search_may_choose(site: Site) -> None:
    await fill(site, 3)
    with pytest.raises(QueryError, match="`limit` is a stage"):
        await site.ask("user:* | limit 3")
    with pytest.raises(QueryError):
        await site.ask('user:"')
    assert await site.deletions.page(1, before=1 << 60, limit=9) == []


async def test_a_name_keeps_its_meaning_while_it_runs(site: Site) -> None:
    """`level` is an attribute of one event; when that is gone, it must not come to mean the severity of others."""
    await site.write({"message": "a", "severity": "INFO", "level": "error", "n": 1})
    await site.write({"message": "b", "severity": "ERROR", "n": 2})
    asked = await site.ask("level:error")
    found = await site.found("level:error")
    await site.worker.run_all()
    await site.worker.run_all()
    done = await site.deletions.get(1, asked.id)
    assert done is not None
    assert done.events_deleted == len(found)
    assert len(await site.found()) == 2 - len(found)


async def test_a_field_beyond_those_that_have_a_column_of_their_own(site: Site) -> None:
    many = {f"field{n}": n for n in range(1500)}
    await site.write({"message": "a", "n": 1, **many, "zz": SECRET}, {"message": "b", "n": 2, **many, "zz": "other"})
    await site.write({"message": "c", "n": 3, "zz": SECRET})
    await compacted(site)
    done = await site.delete(f'zz:"{SECRET}"')
    assert (done.state, done.events_deleted) == ("done", 2)
    assert [event["message"] for event in await site.found()] == ["b"]
    assert len(await site.found("zz:other field1499:1499")) == 1
    assert await where(SECRET, site) == []


async def test_a_range_of_time_bounds_it(site: Site) -> None:
    await fill(site)
    from_ns, to_ns = (int(datetime(2026, 1, day, tzinfo=UTC).timestamp()) * 10**9 for day in (29, 30))
    done = await site.delete("", from_ns=from_ns, to_ns=to_ns)
    assert done.events_deleted == 20
    assert await numbers(site) == [n for n in range(60) if n % 3 != 1]


async def test_any_search_deletes_what_it_finds(site: Site) -> None:
    """Against the query itself, for searches of every kind; some words are found by templates and filters."""
    noise = random.Random(7)
    for text in (
        "did 1", "n:3..9", "user~BOB-1", "message:/did [0-9]$/", "host:*", "-(n in (1, 2, 30) or service:s0)",
    ):  # fmt: skip
        await fill(site, 30)
        if noise.random() < 0.5:
            await compacted(site)
        before, found = await numbers(site), [e["n"] for e in await site.found(text)]
        done = await site.delete(text)
        assert (done.state, done.events_deleted) == ("done", len(found)), text
        left = before.copy()
        for n in found:
            left.remove(n)
        assert await numbers(site) == left, text
