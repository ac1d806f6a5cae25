"""A PostgreSQL server from the system's package in a temporary folder, to be stopped and started by a test."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

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


class PostgresServer:
    """Listens on a free port of 127.0.0.1; anybody there may be its superuser `cordwood`."""

    def __init__(self, folder: Path) -> None:
        programs = find_postgres()
        if programs is None:
            pytest.skip("no PostgreSQL server is installed: run tests/services.py")
        self._programs: Path = programs
        self._data = folder / "cluster"
        self._log = folder / "postgres.log"
        self.port = free_port()
        self.url = f"postgresql://cordwood@127.0.0.1:{self.port}/postgres"
        self._process: subprocess.Popen[bytes] | None = None
        user = _plain_user()
        self._as_user: dict[str, Any] = (
            {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        )
        folder.mkdir()
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        self._run("initdb", "-D", str(self._data), "-U", "cordwood", "--auth=trust", "--encoding=UTF8", "--no-locale")

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "100"}
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

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, **self._as_user)
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr or done.stdout}")
