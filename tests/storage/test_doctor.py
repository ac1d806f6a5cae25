"""Every finding of `cordwood doctor` about the store, provoked; where it prints a statement that mends it, that too."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.doctor import Examination, Finding, Level, catalog, examine, server, space
from cordwood.core.storage.places import Places
from cordwood.core.storage.places.folder import Folder, FolderConfig
from cordwood.core.storage.store import Store
from cordwood.plugins import Batch, Checkpoint

pytestmark = pytest.mark.anyio
DOCS = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text()


@pytest.fixture
async def store(database_url: str, flushing: None, data_dir: Path) -> AsyncIterator[Store]:
    """Four commits of which the first two are merged, and a position of a source."""
    async with Store.opened(data_dir, database_url, compact=False) as opened:
        for n in range(2):
            await send(opened, n)
        assert await opened.compactor.compact(1, now=datetime.now(UTC) + timedelta(hours=1))
        for n in range(2, 4):
            await send(opened, n)
        await opened.files.sweep(grace_seconds=0)
        yield opened


async def send(store: Store, n: int) -> None:
    batch = Batch.from_records([{"message": f"{n} {i}", "timestamp": "2026-01-01T00:00:00Z"} for i in range(10)])
    mark = Checkpoint("file", n + 1, previous=n or None)
    await (await store.writer.submit(Submission(1, "s", batch, mark))).committed()


async def examined(store: Store, *, deep: bool = True, places: Places | None = None) -> list[Finding]:
    said: list[tuple[int, int]] = []
    examination = Examination(
        store.pool, places or Places(), lambda done, total: said.append((done, total)), store.cache.folder, deep
    )
    findings = [finding async for finding in examine(examination)]
    assert said[0][0] == 0
    assert said[-1][0] == said[-1][1] > 0
    return findings


async def problems(store: Store, **more: bool) -> list[Finding]:
    return [finding for finding in await examined(store, **more) if finding.level is not Level.OK]


async def test_a_store_that_is_well(store: Store) -> None:
    found = await examined(store)
    assert [finding for finding in found if finding.level is not Level.OK and finding.check != "database's disk"] == []
    for finding in found:
        assert f"`{finding.check}`" in DOCS, finding
    by_check = {finding.check: finding.found for finding in found}
    assert by_check["segments"].startswith("3 with 40 events")
    assert by_check["positions"] == "4 commits, 3 segments"
    assert by_check["checkpoints"] == "1 positions of sources"


# Segment 3 is merged of 1 and 2; 4 and 5 are commits.
DAMAGE = [
    ("update segment_file set data = data || 'x' where segment_id = 4", "segments", "not those that were written"),
    ("update segment_file set data = 'x' where segment_id = 3", "segments", "not those that were written"),
    ("delete from segment_file where segment_id = 5", "segments", "bytes are missing"),
    ("update segment set rows = 11 where id = 4", "segments", "file has 10 events, the catalog says 11"),
    ("update segment set min_time = min_time - 1 where id = 4", "segments", "another range of times"),
    ("update segment set max_position = 1 where id = 3", "segments", "another range of positions"),
    (
        """
        update segment set checksum = sha256('no parquet') where id = 4;
        update segment_file set data = 'no parquet' where segment_id = 4
        """,
        "segments",
        "its file is no segment",
    ),
    ("update segment_log set head = 3", "positions", "the head is 3, but there is a segment of position 4"),
    ("delete from segment_log", "positions", "no row in segment_log"),
    (
        "update segment set min_position = 3, max_position = 3 where id = 5",
        "positions",
        "4, 5 have the same position 3",
    ),
    ("update segment set min_time = max_time + 1 where id = 5", "positions", "is none"),
    ("delete from segment where id = 4", "gaps", "no segment has position 3"),
    ("update segment set replaced_at = now() where id = 3", "gaps", "no segment has position 1 to 2"),
    ("select setval('segment_id', 2)", "segment numbers", "2 is the last given, 5 the highest"),
    ("update segment_part set current = false where kind = 'commit'", "parts", "no part of kind commit"),
    ("update checkpoint set value = 'null'", "checkpoints", "its position is null"),
    ("update checkpoint set updated_at = now() + interval '2 days'", "checkpoints", "in the future"),
    ("update segment set replaced_at = now() - interval '2 hours' where id = 5", "upkeep", "1 segments were replaced"),
]


@pytest.mark.parametrize(("damage", "check", "text"), DAMAGE, ids=[f"{row[1]} {n}" for n, row in enumerate(DAMAGE)])
async def test_what_is_wrong_in_the_store(store: Store, damage: str, check: str, text: str) -> None:
    await store.pool.execute(damage)
    found = [finding for finding in await problems(store) if finding.check == check]
    assert len(found) == 1, found
    (finding,) = found
    assert text in finding.found
    assert finding.mend
    if statement := re.search(r"((?:update|select setval).*?)(?:`| gives|$)", finding.mend):
        await store.pool.execute(statement[1])
        assert [finding for finding in await problems(store) if finding.check == check] == []


@pytest.mark.parametrize(
    ("what", "project"), [("deletion.done", 1), ("retention.age", 1), ("retention.max_bytes", None)]
)
async def test_a_gap_that_a_deletion_or_retention_left_is_none(store: Store, what: str, project: int | None) -> None:
    await store.pool.execute("delete from segment where id = 4")
    await store.pool.execute("insert into audit (who, what, project_id) values ('a', $1, $2)", what, project)
    assert await problems(store) == []
    (gaps,) = (finding for finding in await examined(store) if finding.check == "gaps")
    assert gaps.found == "1 commits are gone by retention or deletion"


async def test_deletions_that_are_not_done(store: Store) -> None:
    await store.pool.execute(
        """
        insert into deletion (project_id, query, attributes, now_ns, timezone, upto_position, requested_by, state,
                              unreadable, created_at, finished_at)
        select 1, 'a', '{}', 0, 'UTC', 4, 'ann', state, unreadable, now() - interval '2 hours', finished
        from (values ('running', '{}'::bigint[], null), ('incomplete', '{4}', now()), ('incomplete', '{1}', now()))
        v (state, unreadable, finished)
        """
    )
    found = [(finding.level, finding.found) for finding in await problems(store)]
    assert len(found) == 2, "what segment 1 became has been searched since"
    assert found[0][1].startswith("it runs since 20")
    assert found[1] == (Level.WARN, "it could not search segments 4")


async def test_many_of_one_kind_are_counted(store: Store) -> None:
    for n in range(4, 30):
        await send(store, n)
    await store.pool.execute("delete from segment_file where segment_id > 3")
    found = [finding for finding in await problems(store) if finding.check == "segments"]
    assert len(found) == 21
    assert found[-1].found == "and 8 more of the same kind"
    assert "segment 4 of project default, 10 events from 2026-01-01T00:00:00+00:00" in found[0].where


async def test_bounds_of_upkeep_and_bloat(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "UNMERGED", 1)
    monkeypatch.setattr(space, "DEAD_BYTES", 1000)
    monkeypatch.setattr(space, "DEAD_SHARE", 0.01)
    monkeypatch.setattr(space, "LEAST_FREE_FAIL", 1 << 60)
    monkeypatch.setattr(server, "OLD_TRANSACTIONS", 1)
    await store.pool.execute("update segment set created_at = now() - interval '1 hour'")
    await store.pool.execute("update segment set replaced_at = now() where id = 3")
    found = {finding.check: finding for finding in await problems(store)}
    assert "2 commits of more than ten minutes ago" in found["upkeep"].found
    assert "of replaced segments" in found["bloat of segments"].found
    assert "transaction ids" in found
    assert found["database's disk"].level is Level.FAIL


async def test_dead_rows_of_the_catalog(store: Store) -> None:
    await store.pool.execute("alter table idempotency_key set (autovacuum_enabled = false)")
    async with store.pool.acquire() as connection:
        await connection.execute("insert into idempotency_key select 1, n, 1 from generate_series(1, 60000) n")
        await connection.execute("delete from idempotency_key")
        await connection.execute("select pg_stat_force_next_flush()")
        await connection.execute("select 1")
    with anyio.fail_after(10):
        while not (found := [one for one in await problems(store) if one.check == "bloat of tables"]):
            await anyio.sleep(0.1)
    assert found[0].where == "table idempotency_key"
    statement = found[0].mend.removeprefix("run: ").partition(";")[0]
    await store.pool.execute(statement)
    with anyio.fail_after(10):
        while [one for one in await problems(store) if one.check == "bloat of tables"]:
            await anyio.sleep(0.1)


async def test_wrong_files_of_the_cache(store: Store) -> None:
    store.cache.path(4).write_bytes(b"x")
    (store.cache.folder / "9.1.1.part").write_bytes(b"x")
    os.utime(store.cache.folder / "9.1.1.part", (0, 0))
    for deep in (True, False):
        found = [finding for finding in await problems(store, deep=deep) if finding.check == "cache"]
        assert [(finding.level, finding.found) for finding in found] == [
            (Level.FAIL, "has other bytes than its segment"),
            (Level.WARN, "1 files were left half-written"),
        ]
        assert found[0].where == str(store.cache.path(4))
    store.cache.path(4).unlink()
    (store.cache.folder / "9.1.1.part").unlink()
    assert await problems(store) == []


async def test_segments_in_other_places(store: Store, data_dir: Path) -> None:
    folder = data_dir / "elsewhere"
    folder.mkdir()
    places = Places("away", {"away": Folder(FolderConfig(path=folder))})
    store.files.places = places
    assert await store.compactor.compact(1, now=datetime.now(UTC) + timedelta(hours=1))
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(files) == 1
    assert [one for one in await examined(store, places=places) if one.level is not Level.OK] == []
    (unknown,) = await problems(store)
    assert (unknown.check, unknown.level, unknown.where) == ("segments", Level.WARN, "away")
    files[0].write_bytes(files[0].read_bytes() + b"x")
    (wrong,) = [one for one in await examined(store, places=places) if one.level is Level.FAIL]
    assert "not those that were written" in wrong.found
    files[0].unlink()
    (gone,) = [one for one in await examined(store, places=places) if one.level is Level.FAIL]
    assert "missing" in gone.found
