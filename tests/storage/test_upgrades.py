"""From every schema there has been to this release's, with the data in it.

`schemas/REVISION.sql` is a dump of a database as that revision's code made it; `schemas/make.py` made it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import pytest
from cordwood.core.alerting.repository import AlertingRepository
from cordwood.core.query import QueryEngine, QueryRequest
from cordwood.core.query.lookup_store import Lookups
from cordwood.core.storage import schema
from cordwood.core.storage.audit import AuditFilter, audit_entries
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.database import current_revision
from cordwood.core.storage.dead_letters import DeadLetters, unpacked
from cordwood.core.storage.migrations import FOLDER, newest_revision
from cordwood.core.storage.store import Store
from cordwood.plugins import Batch, FatalError, now_ns
from cordwood.web.auth.sessions import sign_in

pytestmark = pytest.mark.anyio

SCHEMAS = Path(__file__).parent / "schemas"
KEPT = sorted(path.stem for path in SCHEMAS.glob("*.sql"))
MIGRATIONS = sorted(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))
EVENTS = [json.loads(line) for line in (SCHEMAS / "events.ndjson").read_text().splitlines()]


async def load(database_url: str, revision: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute((SCHEMAS / f"{revision}.sql").read_text())
    await connection.close()


async def events(store: Store, spill: Path, **more: Any) -> list[dict[str, Any]]:
    engine = QueryEngine(
        catalog=store.catalog, cache=store.cache, memory_limit="500MB", threads=1, spill=spill / "spill"
    )
    try:
        result = await engine.run(QueryRequest(text="| sort timestamp", project_id=1, now_ns=now_ns(), **more))
        wanted = set().union(*EVENTS)
        return [{name: value for name, value in event.items() if name in wanted} for event in result.objects()]
    finally:
        engine.close()


@pytest.fixture(params=KEPT)
async def old_database(request: pytest.FixtureRequest, empty_database_url: str) -> tuple[str, str]:
    """(revision, URL) of a database as that revision left it."""
    await load(empty_database_url, request.param)
    return request.param, empty_database_url


async def test_what_an_older_release_stored_is_there(old_database: tuple[str, str], data_dir: Path) -> None:
    revision, url = old_database
    async with Store.opened(data_dir, url, compact=False) as store:
        assert await current_revision(store.pool) == newest_revision()
        expected = sorted(EVENTS, key=lambda event: event["timestamp"])
        assert await events(store, data_dir) == expected
        assert await events(store, data_dir, upto_position=3) == [e for e in expected if e in EVENTS[:3]]
        assert await store.catalog.head(1) == len(EVENTS)
        assert await store.checkpoint("files", "app.log") == {"offset": len(EVENTS)}
        assert await store.pool.fetchval("select count(*) from idempotency_key") == len(EVENTS)
        assert await store.project_id("empty") == 2
        if revision >= "0002":
            alerting = AlertingRepository(store.pool)
            assert [incident.title for incident in (await alerting.list_incidents(1)).items] == ["errors of shop"]
            assert [sent.notifier for sent in (await alerting.list_notifications(1)).items] == ["oncall"]
            assert [detector.name for detector in (await alerting.list_detectors(1)).items] == ["errors"]
        if revision >= "0003":
            for kept in ("scrypt$" if revision < "0011" else "$argon2id$", "$argon2id$"):
                stored = await store.pool.fetchval("select password_hash from user_account")
                assert stored.startswith(kept)  # a sign-in brings it to what passwords are kept as now
                assert not await sign_in(store.pool, "ann@example.org", "correct house")
                assert await sign_in(store.pool, "ann@example.org", "correct horse")
        if revision >= "0005":
            entries = await audit_entries(store.pool, AuditFilter(what="deletion"), before=9, limit=9)
            assert [entry.what for entry in entries] == ["deletion.done"]
            assert await store.pool.fetchval("select events_deleted from deletion where state = 'done'") == 7
        if revision >= "0008":
            assert [table.name for table in await Lookups(store.pool).newest(1)] == ["owners"]
        if revision >= "0009":
            letters = DeadLetters(store.pool)
            ((letter, event),) = await letters.events(1, [1])
            assert (letter.reason, unpacked([event])[0].events()[0]["message"]) == ("clf: no such line", "no")
            assert (await letters.usage(1)).count == 1


async def test_it_goes_on_from_there(empty_database_url: str, data_dir: Path) -> None:
    """Compaction takes old segments, and new events come after the old ones."""
    await load(empty_database_url, KEPT[0])
    async with Store.opened(data_dir, empty_database_url, compact=False) as store:
        fresh = [{"timestamp": f"2026-02-01T00:00:{n:02d}.123456789Z", "message": f"new {n}"} for n in range(12)]
        for event in fresh:
            receipt = await store.writer.submit(Submission(1, "s", Batch.from_records([event])))
            await receipt.committed()
        assert await store.compactor.compact(1)
        assert await store.catalog.head(1) == len(EVENTS) + len(fresh)
        found = await events(store, data_dir)
        assert len(found) == len(EVENTS) + len(fresh)
        assert [event["message"] for event in found[-len(fresh) :]] == [event["message"] for event in fresh]


async def test_nodes_that_start_at_once_migrate_once(empty_database_url: str, data_dir: Path) -> None:
    await load(empty_database_url, KEPT[0])

    async def start(name: str) -> None:
        async with Store.opened(data_dir / name, empty_database_url, compact=False) as store:
            assert await current_revision(store.pool) == newest_revision()
            assert await store.catalog.head(1) == len(EVENTS)

    async with anyio.create_task_group() as tasks:
        for name in ("one", "two", "three"):
            tasks.start_soon(start, name)


async def test_an_older_release_refuses_while_a_newer_one_starts(
    empty_database_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two releases start at once: the older one waits for the newer one's migration, then says what to do."""
    await load(empty_database_url, KEPT[0])
    holder = await asyncpg.connect(empty_database_url)
    await holder.execute("select pg_advisory_lock($1)", schema._LOCK)

    async def older() -> None:
        with pytest.raises(FatalError, match=r"revision 9999, this release knows .*newer Cordwood.*restore a backup"):
            async with Store.opened(data_dir, empty_database_url, compact=False):
                pass

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(older)
        with anyio.fail_after(20):
            waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
            while not await holder.fetchval(waiting):
                await anyio.sleep(0.05)
        await holder.execute("update cordwood.alembic_version set version_num = '9999'")
        await holder.close()
    connection = await asyncpg.connect(empty_database_url)
    assert await connection.fetchval("select count(*) from cordwood.segment") == 22  # nothing was touched
    await connection.close()


def test_every_migration_has_a_dump_of_the_schema_before_it() -> None:
    """Before a migration is added, `tests/storage/schemas/make.py` keeps what it will be applied to."""
    missing = set(MIGRATIONS[:-1]) - set(KEPT)
    assert not missing, f"run tests/storage/schemas/make.py on the commit that had the schema {sorted(missing)}"


def test_revisions_follow_each_other() -> None:
    """Each migration says which one it comes after: the one before it, so that there is one order for everybody."""
    paths = sorted((FOLDER / "versions").glob("[0-9]*.py"))
    for path, before in zip(paths, [None, *MIGRATIONS[:-1]], strict=True):
        says = re.search(r'^down_revision = (?:"(\d{4})"|None)$', path.read_text(), re.MULTILINE)
        assert says, path.name
        assert says[1] == before, path.name


async def test_reports_that_are_to_be_sent_are_in_the_outbox(empty_database_url: str, data_dir: Path) -> None:
    """Up to 0012 a report had a table of its own for what is to be sent."""
    await load(empty_database_url, "0012")
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute(
        """
        insert into cordwood.report_issue (project_id, report, title, from_time, to_time, created_at, summary)
        values (1, 'weekly', 'Overview', '2026-01-01Z', '2026-01-08Z', '2026-01-08Z', '["More.", "Fewer."]'),
               (1, 'daily', 'Today', '2026-01-07Z', '2026-01-08Z', '2026-01-08Z', '[]');
        insert into cordwood.report_delivery (issue_id, notifier, channel, status, attempts, error)
        select id, 'mail', 'email', 'pending', '[{"at": "2026-01-08T00:00:01Z", "ok": false, "detail": "451"}]', '451'
        from cordwood.report_issue
        """
    )
    ids = [
        str(row[0]) for row in await connection.fetch("select delivery_id from cordwood.report_delivery order by id")
    ]
    await connection.close()
    async with Store.opened(data_dir, empty_database_url, compact=False) as store:
        daily, weekly = (await AlertingRepository(store.pool).list_notifications(1, state="pending")).items[:2]
        assert [weekly.delivery_id, daily.delivery_id] == ids
        assert (weekly.event, weekly.report, weekly.incident_title, weekly.error) == (
            "report",
            "weekly",
            "Overview",
            "451",
        )
        assert [attempt.detail for attempt in weekly.attempts] == ["451"]
        said = await store.pool.fetch(
            "select payload->>'text' from notification where issue_id is not null order by id"
        )
        assert [row[0] for row in said] == ["- More.\n- Fewer.", ""]
