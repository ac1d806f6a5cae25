"""A real `cordwood up` on a data folder of its own, for benchmarks and for tests that kill it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from email.message import Message
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

COMMAND = Path(sys.executable).parent / "cordwood"
ROOT = Path(__file__).resolve().parents[2]


class ServerDiedError(RuntimeError):
    """The process ended although nobody asked it to, or did not get ready in time; the message holds its last words."""


def free_port() -> int:
    """A port to listen on, below those that the kernel gives to connections: one of these may be taken meanwhile."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Server:
    """`folder` must be readable by every user where root runs this: PostgreSQL then runs as somebody else."""

    def __init__(
        self,
        folder: Path,
        *,
        config: str | None = None,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "cordwood.log"
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("CORDWOOD_")} | dict(
            environment or {}
        )
        self.command = [str(COMMAND), "up"]
        if config is not None:
            (folder / "cordwood.yaml").write_text(config)
            self.command.append(str(folder / "cordwood.yaml"))
        self.command += ["--data-dir", str(self.data), "--port", str(self.port), *arguments]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, ready_within: float = 90) -> float:
        """Start it and wait until it is ready; seconds that took.

        :raises ServerDiedError: it did not get there
        """
        began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # a session of its own: Ctrl-C in a terminal is for us to pass on
                self.command, stdout=log, stderr=log, cwd=ROOT, env=self.environment, start_new_session=True
            )
        while time.monotonic() - began < ready_within:
            if self.process.poll() is not None:
                raise ServerDiedError(f"exit {self.process.returncode}: {self.last_words()}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.get("/readyz")[0] == 200:
                    return time.monotonic() - began
            time.sleep(0.05)
        raise ServerDiedError(f"not ready after {ready_within} s: {self.last_words()}")

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]

    def family(self) -> list[psutil.Process]:
        """Cordwood's process, its children, and the PostgreSQL of its data folder, whoever its parent is."""
        found: dict[int, psutil.Process] = {}
        roots = [self.process.pid] if self.process else []
        for process in psutil.process_iter(["cmdline"]):
            if any(str(self.data) in argument for argument in process.info["cmdline"] or ()):
                roots.append(process.pid)
        for pid in roots:
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                found |= {p.pid: p for p in [process, *process.children(recursive=True)]}
        return list(found.values())

    def kill(self) -> None:
        """SIGKILL to everything at once, PostgreSQL included, as a power cut would; returns when all are gone."""
        family = self.family()
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if self.process:
            self.process.wait()
            self.process = None
        psutil.wait_procs(family, timeout=10)

    def stop(self, *, within: float = 20) -> int:
        """SIGTERM; its exit code.

        :raises ServerDiedError: it did not stop in time, and was killed
        """
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerDiedError(f"still there {within} s after SIGTERM: {self.last_words()}") from None
        self.process = None
        return code

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """(status, body, headers by name in lower case); a refusal is an answer too.

        :raises OSError: no connection, or it broke
        """
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=dict(headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.read(), _lower(answer.headers)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read(), _lower(refusal.headers)

    def get(self, path: str) -> tuple[int, bytes, Mapping[str, str]]:
        return self.call("GET", path, timeout=5)

    def post(self, events: Sequence[Mapping[str, Any]], **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
        """Send events as NDJSON; header names as keywords with `_` for `-`."""
        body = "".join(json.dumps(event) + "\n" for event in events).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("POST", "/api/v1/logs", body, {"Content-Type": "application/x-ndjson", **named})

    def query(self, text: str, *, whole: bool = False, **more: Any) -> list[dict[str, Any]]:
        """The rows of a query as objects.

        :raises RuntimeError: it was refused, or (`whole`) these are not all rows
        """
        body = json.dumps({"query": text, **more}).encode()
        status, answer, _ = self.call("POST", "/api/v1/query", body, {"Content-Type": "application/json"})
        if status != 200:
            raise RuntimeError(f"{text!r}: {status} {answer[:500]!r}")
        found = json.loads(answer)
        if whole and not found["complete"]:
            raise RuntimeError(f"{text!r}: the answer is not complete: {len(found['rows'])} rows, {found['warnings']}")
        names = [column["name"] for column in found["columns"]]
        return [dict(zip(names, row, strict=True)) for row in found["rows"]]

    def count(self, search: str = "") -> int:
        return int(self.query(f"{search} | stats count() as n")[0]["n"])

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None and error is None:
            if code := self.stop():
                raise ServerDiedError(f"exit {code} after SIGTERM: {self.last_words()}")
            return
        self.kill()
        if error is not None:
            error.add_note(f"the server's last words: {self.last_words()}")


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
