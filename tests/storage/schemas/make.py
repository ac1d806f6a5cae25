"""Writes the dump of a database as the code beside it makes it: `python tests/storage/schemas/make.py [REVISION]`.

Before a migration is added, this keeps an image of the schema as it was, with data in it, as `REVISION.sql` here.
`test_upgrades.py` brings each to the newest schema and looks for the data. REVISION may be an older one as long as the
code can still write it; without it, the newest is made. The dumps are never made again: they are what users have.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

import anyio
from cordwood.core.storage import embedded
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.database import open_pool
from cordwood.core.storage.dead_letters import Dead, packed
from cordwood.core.storage.embedded import EmbeddedPostgres
from cordwood.core.storage.migrations import SCHEMA, newest_revision
from cordwood.core.storage.store import Store
from cordwood.plugins import Batch, Checkpoint
from cordwood.web.auth.accounts import add_user
from cordwood.web.auth.tokens import create_token

HERE = Path(__file__).parent
ALERTING = (
    """
    insert into detector_state (project_id, name, type, query, "window", every, notify, severity, state, last_run_at,
                                evaluated_until, position)
    values (1, 'errors', 'threshold', 'severity>=error', '5m', '1m', '["oncall"]', 'ERROR', 'firing',
            '2026-01-31T12:00:00Z', '2026-01-31T12:00:00Z', 20)
    """,
    """
    insert into incident (project_id, detector, dedup_key, state, severity, title, "group", "values", query, from_time,
                          to_time, opened_at, last_seen_at, samples, timeline)
    values (1, 'errors', 'errors/shop', 'open', 'ERROR', 'errors of shop', '{"service": "shop"}', '{"n": 51}',
            'severity>=error', '2026-01-31T11:55:00Z', '2026-01-31T12:00:00Z', '2026-01-31T12:00:01Z',
            '2026-01-31T12:00:01Z', '[{"message": "no"}]', '[]')
    """,
    """
    insert into notification (project_id, incident_id, notifier, channel, event, payload, created_at, next_attempt_at)
    values (1, 1, 'oncall', 'webhook', 'opened', '{"title": "errors of shop"}', '2026-01-31T12:00:01Z',
            '2026-01-31T12:00:01Z')
    """,
)
DEAD_LETTER = Dead(
    "files", "web", 1, "clf", "clf: no such line", "no", packed(Batch.from_records([{"message": "no"}]))[0]
)
DELETION = (
    """
    insert into deletion (project_id, query, attributes, now_ns, timezone, upto_position, requested_by, state,
                          segments_total, segments_done, events_deleted, ticket, finished_at)
    values (1, 'user:…', '{}', 0, 'UTC', 20, 'ann@example.org', 'done', 3, 3, 7, 1, '2026-01-31T12:00:01Z')
    """,
    """
    insert into audit (who, what, project_id, details)
    values ('ann@example.org', 'deletion.done', 1, '{"deletion": 1, "query": "user:…", "events": 7}')
    """,
)


async def fill(store: Store, revision: str) -> None:
    """The events of `events.ndjson`, one commit each, the first sixteen merged; and a row or two of everything else."""
    lines = (HERE / "events.ndjson").read_bytes().splitlines()
    previous = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(store.writer.run)
        for number, line in enumerate(lines):
            mark = Checkpoint("app.log", {"offset": number + 1}, previous)
            batch = Batch.from_ndjson(line)
            receipt = await store.writer.submit(Submission(1, "files", batch, mark, key=f"key-{number}"))
            await receipt.committed()
            previous = mark.value
            if number == 3 and revision >= "0009":
                empty = Batch.from_lines([])
                await (await store.writer.submit(Submission(1, "files", empty, dead=[DEAD_LETTER]))).committed()
            if number == 15:
                assert await store.compactor.compact(1)
        await store.writer.drain()
    await store.pool.execute("insert into project (name) values ('empty')")
    await store.pool.execute("insert into segment_log (project_id) values (2)")
    if revision >= "0002":
        for statement in ALERTING:
            await store.pool.execute(statement)
    if revision >= "0003":
        await add_user(store.pool, "ann@example.org", "correct horse", is_admin=True)
        await create_token(store.pool, "shipper", ["ingest"])
    if revision >= "0005":
        for statement in DELETION:
            await store.pool.execute(statement)
    if revision >= "0008":
        from cordwood.core.query.lookup_store import Lookups

        await Lookups(store.pool).put(1, "owners", b"service,team\nshop,core\n", "ann@example.org")


async def main(revision: str) -> None:
    from cordwood.core.storage.schema import schema_transaction

    with tempfile.TemporaryDirectory(prefix="cordwood-") as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(Path(folder))
        async with server.running():
            pool = await open_pool(server.connect_args)
            await pool.execute(f"create schema if not exists {SCHEMA}")
            async with schema_transaction(server.connect_args) as schema:
                await schema.upgrade(revision)
            await fill(Store(pool, Path(folder) / "cache", embedded=True), revision)
            await pool.close()
            command = [embedded._binary("pg_dump"), "--schema", SCHEMA, "--inserts", "--no-owner", "--no-privileges"]
            address = ["-h", str(server.socket_dir), "-U", embedded.USER, embedded.DATABASE]
            done = subprocess.run([*command, *address], capture_output=True, text=True, check=True)
    script = "\n".join(line for line in done.stdout.splitlines() if line and not line.startswith(("--", "\\")))
    (HERE / f"{revision}.sql").write_text(script + "\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else newest_revision()))
