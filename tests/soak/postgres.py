"""A PostgreSQL server from the system's package in a temporary folder, to be stopped and started by a test."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from ..bench.server import free_port
from ..services import find_postgres


def _plain_user() -> pwd.struct_passwd | None:
    """Who runs the server where we are root: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


END_OTHERS = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app' and pid <> pg_backend_pid()"


class PostgresServer:
    """Listens on a free port of 127.0.0.1; anybody there may be its superuser `cordwood`. `options`: its settings."""

    def __init__(self, folder: Path, **options: str) -> None:
        programs = find_postgres()
        if programs is None:
            pytest.skip("no PostgreSQL server is installed: run tests/services.py")
        self._programs: Path = programs
        self._data = folder / "cluster"
        self._log = folder / "postgres.log"
        self.port = free_port()
        self.url = f"postgresql://cordwood@127.0.0.1:{self.port}/postgres"
        self.options = {"max_connections": "100"} | options
        self._process: subprocess.Popen[bytes] | None = None
        user = _plain_user()
        self._as_user: dict[str, Any] = (
            {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        )
        folder.mkdir()
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        self._make_cluster()

    def _make_cluster(self) -> None:
        self._run("initdb", "-D", str(self._data), "-U", "cordwood", "--auth=trust", "--encoding=UTF8", "--no-locale")
        # Who is not the superuser needs a password.
        rules = "".join(f"host {base} cordwood 127.0.0.1/32 trust\n" for base in ("all", "replication"))
        (self._data / "pg_hba.conf").write_text(f"{rules}host all all 127.0.0.1/32 scram-sha-256\n")

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""} | self.options
        command = [str(self._programs / "postgres"), "-D", str(self._data), "-p", str(self.port)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **self._as_user)
        ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        for _ in range(300):
            if subprocess.run(ready, check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError(f"PostgreSQL did not start: {self._log.read_text()[-1000:]}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT ends all sessions in order, SIGQUIT at once, as a crash does."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def family(self) -> list[psutil.Process]:
        """The server's processes."""
        assert self._process is not None
        postmaster = psutil.Process(self._process.pid)
        return [postmaster, *postmaster.children(recursive=True)]

    def kill(self) -> None:
        """SIGKILL to all its processes at once."""
        family = self.family()
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=10)
        self.stop(signal.SIGKILL)

    def signal(self, how: signal.Signals) -> None:
        """SIGSTOP or SIGCONT to all its processes: the connections stay, and nobody answers."""
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(how)

    def sql(self, *statements: str) -> list[Any]:
        """Run statements as the superuser, each by itself; the rows of the last one."""

        async def run() -> list[Any]:
            connection = await asyncpg.connect(self.url)
            try:
                for statement in statements[:-1]:
                    await connection.execute(statement)
                return list(await connection.fetch(statements[-1]))
            finally:
                await connection.close()

        with ThreadPoolExecutor(1) as thread:  # this one may have an event loop already, of a browser's tests
            return thread.submit(asyncio.run, run()).result()

    def standby(self, folder: Path, name: str) -> PostgresServer:
        """A streaming standby of this server, not yet started, known to it as `name`."""
        other = PostgresServer.__new__(PostgresServer)
        other.__dict__ |= self.__dict__ | {
            "_data": folder / "cluster",
            "_log": folder / "postgres.log",
            "port": (port := free_port()),
            "url": f"postgresql://cordwood@127.0.0.1:{port}/postgres",
            "_process": None,
        }
        folder.mkdir()
        if self._as_user:
            os.chown(folder, self._as_user["user"], self._as_user["group"])
        primary = f"host=127.0.0.1 port={self.port} user=cordwood application_name={name}"
        self._run("pg_basebackup", "-D", str(other._data), "-d", primary, "-R", "-X", "stream", "-c", "fast")
        return other

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, **self._as_user)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr or done.stdout}")
