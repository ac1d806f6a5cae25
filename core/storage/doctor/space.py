"""Space: what the store takes on disk, how much of it nobody needs, and what is left."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import anyio.to_thread

from ..parts import Parts
from .examination import Examination
from .finding import Finding, fail, listed, ok, warn

LEAST_FREE_FAIL, LEAST_FREE_WARN = 512 * 1024**2, 5 * 1024**3
DEAD_SHARE, DEAD_BYTES = 0.35, 64 << 20
"""Of segments' bytes: upkeep holds them at 15 %, and more while segments wait for the end of their grace."""
DEAD_ROWS = 50_000
"""Of a table of the catalog, where they are more than half of it: autovacuum comes at a fifth."""

_TABLES = """
select relname as name, n_live_tup as live, n_dead_tup as dead, pg_total_relation_size(relid) as size
from pg_stat_user_tables where schemaname = 'cordwood' and relname !~ '^segment_file' order by relname
"""
_DIRECTORY = "select setting from pg_settings where name = 'data_directory'"
_LOCAL = "select inet_server_addr() is null or inet_server_addr() = inet_client_addr()"


async def bloat_of_segments(examination: Examination) -> AsyncIterator[Finding]:
    """Bytes of segments that are replaced."""
    parts = [part for part in await Parts(examination.pool).state() if not part.empty]
    size, dead = sum(part.size for part in parts), sum(part.dead + part.used - part.live for part in parts)
    text = f"{size / 1e6:,.0f} MB, of which {dead / 1e6:,.0f} MB are of replaced segments"
    if dead > max(DEAD_BYTES, DEAD_SHARE * size):
        mend = "run a node with role all or worker, which gives it back; a backup that runs holds it up"
        yield warn("bloat of segments", text, mend)
    else:
        yield ok("bloat of segments", text)


async def bloat_of_tables(examination: Examination) -> AsyncIterator[Finding]:
    """Dead rows of the catalog's tables."""
    tables = await examination.pool.fetch(_TABLES)
    swollen = [row for row in tables if row["dead"] > max(DEAD_ROWS, row["live"])]
    for finding in listed(
        warn(
            "bloat of tables",
            f"{row['dead']} dead rows beside {row['live']}, {row['size'] / 1e6:,.0f} MB",
            f"run: vacuum (full, analyze) cordwood.{row['name']}; and see whether autovacuum is on",
            where=f"table {row['name']}",
        )
        for row in swollen
    ):
        yield finding
    if not swollen:
        yield ok("bloat of tables", f"none; the catalog has {sum(row['size'] for row in tables) / 1e6:,.0f} MB")


async def free(examination: Examination) -> AsyncIterator[Finding]:
    """The disk of the database, where it is this machine's."""
    size = await examination.pool.fetchval("select pg_database_size(current_database())")
    folder = await examination.pool.fetchval(_DIRECTORY) if await examination.pool.fetchval(_LOCAL) else None
    finding = (
        None
        if folder is None
        else await anyio.to_thread.run_sync(
            free_space, "database's disk", Path(folder), f"the database has {size / 1e6:,.0f} MB", "make room there"
        )
    )
    if finding is None:
        yield ok("database's disk", f"not to be seen from here; the database has {size / 1e6:,.0f} MB")
    else:
        yield finding


def free_space(check: str, folder: Path, text: str, mend: str) -> Finding | None:
    """How much is free where a folder is; None: it cannot be seen. Blocking for a moment."""
    if not folder.is_dir():
        return None
    left = shutil.disk_usage(folder).free
    text = f"{left / 1024**3:.1f} GiB free; {text}"
    if left < LEAST_FREE_FAIL:
        return fail(check, text, mend, where=str(folder))
    if left < LEAST_FREE_WARN:
        return warn(check, text, mend, where=str(folder))
    return ok(check, text, where=str(folder))


CHECKS = (bloat_of_segments, bloat_of_tables, free)
