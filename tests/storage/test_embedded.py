"""The embedded server: started, killed, orphaned, owned."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path

import anyio
import asyncpg
import psutil
import pytest
from cordwood.core.storage import embedded
from cordwood.core.storage.database import current_revision, migrate, open_pool
from cordwood.core.storage.embedded import EmbeddedPostgres
from cordwood.core.storage.migrations import newest_revision
from cordwood.plugins import ConfigError, FatalError

pytestmark = pytest.mark.anyio
UPGRADE = [sys.executable, "-P", "-m", "cordwood.core.storage.schema"]


async def answers(server: EmbeddedPostgres) -> bool:
    connection = await asyncpg.connect(**server.connect_args)
    try:
        return await connection.fetchval("select 1") == 1
    finally:
        await connection.close()


def postmaster(server: EmbeddedPostgres) -> int:
    return int((server.pgdata / "postmaster.pid").read_text().splitlines()[0])


async def test_it_keeps_its_data_and_leaves_no_process(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    async with server.running():
        connection = await asyncpg.connect(**server.connect_args)
        await connection.execute("create table kept as select 42 as n")
        assert await connection.fetchval("show fsync") == "on"
        assert await connection.fetchval("show listen_addresses") == ""
        await connection.close()
        pid = postmaster(server)
    assert not psutil.pid_exists(pid)
    async with server.running():
        connection = await asyncpg.connect(**server.connect_args)
        assert await connection.fetchval("select n from kept") == 42
        await connection.close()


async def test_it_comes_back_when_it_is_killed(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    async with server.running():
        first = postmaster(server)
        os.kill(first, signal.SIGKILL)
        with anyio.fail_after(30):
            while True:
                try:
                    assert await answers(server)
                    break
                except (OSError, asyncpg.PostgresError):
                    await anyio.sleep(0.1)
        assert postmaster(server) != first


async def test_an_orphan_of_a_killed_predecessor_is_replaced(data_dir: Path) -> None:
    program = textwrap.dedent(f"""
        import anyio, os, pathlib
        from cordwood.core.storage.embedded import EmbeddedPostgres
        async def main():
            async with EmbeddedPostgres(pathlib.Path({str(data_dir)!r})).running():
                print("up", flush=True)
                await anyio.sleep(60)
        anyio.run(main)
    """)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    server = EmbeddedPostgres(data_dir)
    orphan = postmaster(server)
    assert psutil.pid_exists(orphan)
    async with server.running():
        assert await answers(server)
        assert postmaster(server) != orphan
    assert not psutil.pid_exists(orphan)


async def test_a_stale_pid_file_of_another_process_harms_nobody(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    async with server.running():
        pass
    (server.pgdata / "postmaster.pid").write_text(f"{os.getpid()}\n{server.pgdata}\n0\n5432\n\n\n")
    async with server.running():
        assert await answers(server)


async def test_an_initdb_that_was_killed_starts_over(data_dir: Path) -> None:
    half = data_dir / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    async with EmbeddedPostgres(data_dir).running():
        assert not half.exists()


async def test_a_folder_has_one_owner(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir).running():
        with pytest.raises(ConfigError, match=f"in use by process {os.getpid()}"):
            async with EmbeddedPostgres(data_dir).running():
                pass


async def test_a_long_path_gets_a_short_socket(data_dir: Path) -> None:
    deep = data_dir / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    server = EmbeddedPostgres(deep)
    async with server.running():
        assert await answers(server)
    assert len(str(server.socket_dir)) < embedded._SOCKET_PATH_MAX


async def test_a_server_that_cannot_start_says_why(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    async with server.running():
        pass
    with (server.pgdata / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(FatalError, match="no_such_setting"):
        async with server.running():
            pass


async def test_migrations_run_once_and_never_backwards(empty_database_url: str) -> None:
    arguments = {"dsn": empty_database_url}
    pool = await open_pool(arguments)
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(migrate, pool, arguments)
    assert await current_revision(pool) == newest_revision()
    await pool.execute("update cordwood.alembic_version set version_num = '9999'")
    with pytest.raises(FatalError, match="revision 9999"):
        await migrate(pool, arguments)
    await pool.close()


async def test_a_migration_that_fails_leaves_the_schema_as_it_was(empty_database_url: str) -> None:
    arguments = {"dsn": empty_database_url}
    pool = await open_pool(arguments)
    await pool.execute("create schema cordwood; create table cordwood.segment_log (of_somebody_else int)")
    with pytest.raises(FatalError, match=r'cannot be migrated: .*"segment_log" already exists'):
        await migrate(pool, arguments)
    assert await current_revision(pool) is None
    assert [row[0] for row in await pool.fetch("select tablename from pg_tables where schemaname = 'cordwood'")] == [
        "segment_log"
    ]
    await pool.close()


async def test_a_migration_whose_asker_was_killed_and_the_next_one(empty_database_url: str) -> None:
    """Several processes migrate at once, and none holds the lock of those that ask for it."""
    pool = await open_pool({"dsn": empty_database_url})
    await pool.execute("create schema cordwood")
    asked = json.dumps({"dsn": empty_database_url}).encode()
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    async with anyio.create_task_group() as tasks, pool.acquire() as connection:
        hindrance = connection.transaction()
        await hindrance.start()
        await connection.execute("create table cordwood.alembic_version (version_num text)")
        for _ in range(3):
            tasks.start_soon(partial(anyio.run_process, UPGRADE, input=asked))
        with anyio.fail_after(30):
            while await pool.fetchval(waiting) < 3:
                await anyio.sleep(0.02)
        await hindrance.rollback()
    assert await current_revision(pool) == newest_revision()
    await pool.close()


async def test_migrating_leaves_nothing_of_its_tools_in_the_process(empty_database_url: str) -> None:
    code = """
        import asyncio, sys
        from cordwood.core.storage.database import current_revision, migrate, open_pool
        async def main():
            pool = await open_pool({"dsn": sys.argv[1]})
            await migrate(pool, {"dsn": sys.argv[1]})
            print(await current_revision(pool), *sorted({"alembic", "sqlalchemy"} & sys.modules.keys()))
            await pool.close()
        asyncio.run(main())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), empty_database_url], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [newest_revision()]


async def test_an_unreachable_server_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigError, match="cannot be reached"):
        await open_pool({"dsn": "postgresql://nobody@127.0.0.1:1/none"})
