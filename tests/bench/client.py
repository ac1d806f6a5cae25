"""The benchmark's sender: a process of its own that costs little CPU, so that it hardly disturbs what is measured.

Blocks go from the corpus file to the socket inside the kernel (sendfile). Prints a line of JSON for each million
events acknowledged, and one at the end.
"""

from __future__ import annotations

import argparse
import json
import queue
import re
import socket
import threading
import time
from pathlib import Path
from typing import Any

from .corpus import block_ranges

_STATUS = re.compile(rb"HTTP/1\.1 (\d+)")
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_RETRY = re.compile(rb"(?i)\r\nretry-after: *(\d+)")


class Sender:
    """Posts the file's blocks over several connections; each block is sent until it is acknowledged."""

    def __init__(self, path: Path, port: int, connections: int) -> None:
        self.path, self.port, self.connections = path, port, connections
        self.work: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
        for block in block_ranges(path):
            self.work.put(block)
        self.lock = threading.Lock()
        self.acknowledged = 0
        self.retries = 0
        self.waits_ms: list[float] = []
        self.failures: list[str] = []

    def run(self) -> dict[str, Any]:
        """Send everything; what came of it."""
        began = time.monotonic()
        threads = [threading.Thread(target=self._connection) for _ in range(self.connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        waits = sorted(self.waits_ms) or [0.0]
        return {
            "acknowledged": self.acknowledged,
            "wall_s": time.monotonic() - began,
            "client_cpu_s": time.process_time(),
            "retries": self.retries,
            "request_ms": {"median": waits[len(waits) // 2], "max": waits[-1]},
            "failures": self.failures,
        }

    def _connection(self) -> None:
        try:
            with socket.create_connection(("127.0.0.1", self.port)) as connection, self.path.open("rb") as file:
                connection.settimeout(120)
                while True:
                    try:
                        offset, size = self.work.get_nowait()
                    except queue.Empty:
                        return
                    self._send(connection, file, offset, size)
        except (OSError, ValueError) as error:
            self.failures.append(repr(error))

    def _send(self, connection: socket.socket, file: Any, offset: int, size: int) -> None:
        """One block, until it is acknowledged.

        :raises ValueError: it was refused for good
        """
        head = (
            f"POST /api/v1/logs HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Content-Type: application/x-ndjson\r\nContent-Length: {size}\r\n\r\n"
        ).encode()
        began = time.monotonic()
        while True:
            connection.sendall(head)
            connection.sendfile(file, offset, size)
            status, body, wait = _answer(connection)
            if status == 200:
                break
            if status not in (429, 503):
                raise ValueError(f"{status}: {body[:300]!r}")
            with self.lock:
                self.retries += 1
            time.sleep(wait)
        with self.lock:
            self.waits_ms.append((time.monotonic() - began) * 1000)
            before = self.acknowledged
            self.acknowledged += json.loads(body)["accepted"]
            if self.acknowledged // 1_000_000 > before // 1_000_000:
                print(json.dumps({"millions": self.acknowledged // 1_000_000}), flush=True)


def _answer(connection: socket.socket) -> tuple[int, bytes, float]:
    """(status, body, seconds of Retry-After) of one response."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _receive(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    status, length, retry = _STATUS.match(head), _LENGTH.search(head), _RETRY.search(head)
    if status is None or length is None:
        raise ValueError(f"no such answer is understood: {head[:300]!r}")
    while len(body) < int(length[1]):
        body += _receive(connection)
    return int(status[1]), body, float(retry[1]) if retry else 0.2


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise ConnectionResetError("the server closed the connection")
    return data


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--connections", type=int, default=8)
    given = parser.parse_args()
    print(json.dumps(Sender(given.corpus, given.port, given.connections).run()), flush=True)
