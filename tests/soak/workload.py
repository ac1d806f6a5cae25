"""Clients that retry until they are acknowledged, and a log file that is written to and rotated."""

from __future__ import annotations

import http.client
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from types import TracebackType

from ..bench.server import Server


def wait_until(true: Callable[[], bool], what: str, *, at_most: float = 30) -> float:
    """Seconds until it was true."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < at_most, f"not within {at_most} s: {what}"
        time.sleep(0.1)
    return time.monotonic() - began


class Clients:
    """Threads that post NDJSON with an Idempotency-Key, each body until it is answered 200. Entered: they run."""

    def __init__(self, servers: Sequence[Server], count: int = 4, *, events: int = 100, service: str = "kill") -> None:
        self._servers, self._events, self._service = servers, events, service
        self._threads = [threading.Thread(target=self._post, args=(n,), name=f"client-{n}") for n in range(count)]
        self._done = threading.Event()
        self._lock = threading.Lock()
        self.acknowledged: set[str] = set()
        self.answers: dict[int, int] = {}
        """How often each status was answered; 0 is a broken connection."""
        self.retry_after: set[str] = set()
        """Values of Retry-After in answers 429 and 503; empty where one had none."""
        self.unexpected: list[str] = []

    def _post(self, client: int) -> None:
        body = 0
        while not self._done.is_set():
            ids = [f"{client}-{body}-{n}" for n in range(self._events)]
            server = self._servers[(client + body) % len(self._servers)]
            if self._until_acknowledged(server, ids, f"{self._service}-{client}-{body}"):
                with self._lock:
                    self.acknowledged.update(ids)
            body += 1

    def _until_acknowledged(self, server: Server, ids: Sequence[str], key: str) -> bool:
        events = [{"message": f"kill test of {id_}", "service": self._service, "event_id": id_} for id_ in ids]
        gave_up_at = None
        while True:
            try:
                status, answer, headers = server.post(events, Idempotency_Key=key)
            except (OSError, http.client.HTTPException):
                status, answer, headers = 0, b"", {}
            with self._lock:
                self.answers[status] = self.answers.get(status, 0) + 1
                if status in (429, 503):
                    self.retry_after.add(headers.get("retry-after", ""))
                elif status not in (0, 200):
                    self.unexpected.append(f"{status} {answer[:300]!r}")
            if status == 200:
                return True
            # A body that was begun is brought to its end, or it would be unknown whether it is stored.
            if self._done.is_set():
                gave_up_at = gave_up_at or time.monotonic() + 60
                if time.monotonic() > gave_up_at:
                    self.unexpected.append(f"{key} was not acknowledged within 60 s")
                    return False
            time.sleep(0.02)

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()


class LogFile:
    """A program that writes numbered lines to `path`, some of them in two pieces, and lets its file be rotated."""

    def __init__(self, path: Path, seed: int) -> None:
        self.path = path
        self.written = 0
        self._random = Random(seed)
        self._rotations = 0
        self._lock = threading.Lock()  # held while a line is written, and during a rotation: the writer then pauses
        self._done = threading.Event()
        self._file = path.open("ab", buffering=0)
        self._thread = threading.Thread(target=self._write, name="log-file")

    def _write(self) -> None:
        while not self._done.is_set():
            with self._lock:
                for _ in range(self._random.randrange(1, 40)):
                    line = f"line {self.written} {'x' * self._random.randrange(0, 120)}\n".encode()
                    middle = self._random.randrange(1, len(line)) if self._random.random() < 0.05 else len(line)
                    self._file.write(line[:middle])
                    if middle < len(line):
                        time.sleep(0.005)
                        self._file.write(line[middle:])
                    self.written += 1
            time.sleep(self._random.uniform(0, 0.03))

    def rotate_by_rename(self) -> None:
        """As logrotate does by default: the old file gets another name, the program opens a new one."""
        with self._lock:
            self.path.rename(self._next_name())
            self._file.close()
            self._file = self.path.open("ab", buffering=0)

    def rotate_by_copy(self) -> None:
        """As logrotate's copytruncate: a copy is made, the program goes on in the emptied file."""
        with self._lock:
            shutil.copyfile(self.path, self._next_name())
            self._file.truncate(0)

    def _next_name(self) -> Path:
        self._rotations += 1
        return self.path.with_name(f"{self.path.name}.{self._rotations}")

    def __enter__(self) -> LogFile:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self._file.close()
