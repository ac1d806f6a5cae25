"""`python -m tests.bench.steady PORT RATE SECONDS`: events of now at a steady rate, from a process of its own.

Over several connections, each body `BODY_EVENTS` events in which nothing is trouble. A rate of 0: as fast as they are
taken in. Prints a line of JSON: `acknowledged` events and the seconds that took, `wall_s`.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import subprocess
import sys
import threading
import time
from typing import Any, Final

from .server import ROOT

CONNECTIONS: Final = 4
BODY_EVENTS: Final = 2_000


def started(port: int, rate: float, seconds: float) -> subprocess.Popen[bytes]:
    """It as a process, for `told`."""
    command = [sys.executable, "-m", "tests.bench.steady", str(port), str(rate), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)


def told(process: subprocess.Popen[bytes]) -> dict[str, float]:
    """What it says at its end.

    :raises RuntimeError: events were refused
    """
    said, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the sender ended with {process.returncode}")
    found: dict[str, float] = json.loads(said)
    return found


def _body(number: int) -> bytes:
    at, first = time.time_ns(), number * BODY_EVENTS
    return "\n".join(
        f'{{"timestamp":{at + i},"service":"svc{(first + i) % 40}","severity":"INFO","host":"web-{i % 60}",'
        f'"status":{500 if i % 50 == 0 else 200},'
        f'"message":"request {first + i} to /api/v1/items/{i % 97} took {i % 300} ms for user u{i % 1000}"}}'
        for i in range(BODY_EVENTS)
    ).encode()


def _send(port: int, rate: float, seconds: float) -> dict[str, Any]:
    began, numbers, lock = time.perf_counter(), itertools.count(), threading.Lock()
    done: list[int] = []

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while True:
            with lock:
                number = next(numbers)
            due = number * BODY_EVENTS / rate if rate else 0.0
            if max(due, time.perf_counter() - began) >= seconds:
                return
            time.sleep(max(0.0, began + due - time.perf_counter()))
            connection.request("POST", "/api/v1/logs", _body(number), {"Content-Type": "application/x-ndjson"})
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{answer.status} {said[:300]!r}")
            done.append(number)

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"acknowledged": len(done) * BODY_EVENTS, "wall_s": time.perf_counter() - began}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("rate", type=float)
    parser.add_argument("seconds", type=float)
    given = parser.parse_args()
    failed: list[Any] = []
    threading.excepthook = failed.append
    print(json.dumps(_send(given.port, given.rate, given.seconds)))
    if failed:
        sys.exit(str(failed[0].exc_value))
