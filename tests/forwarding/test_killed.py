"""A node that is killed while it sends: what its outputs hold in the end is what it stored, each event once."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from ..conftest import Server
from .test_forwarding import files_of

EVENTS = 50  # of a request
LAST_S = 30.0  # how long the last request may wait for its answer: a server that does not come back gives none


@pytest.fixture
def receiver(tmp_path_factory: pytest.TempPathFactory, cluster: Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("r")
    folder.parent.chmod(0o755)
    folder.chmod(0o755)
    server = Server(folder / "data", cluster=cluster)
    server.start()
    yield server
    server.kill()


def send(server: Server, stop: Event, sent: Counter[str]) -> None:
    """Post until told to stop, each request until it is answered; the last one, for a while."""
    number, told = 0, float("inf")
    while not stop.is_set():
        lines = [{"message": f"event {number}-{n}"} for n in range(EVENTS)]
        while True:
            if stop.is_set() and (told := min(told, time.monotonic())) + LAST_S < time.monotonic():
                return
            try:
                if server.post(lines, idempotency_key=f"k{number}")[0] == 200:
                    break
            except OSError:
                pass
            time.sleep(0.02)
        sent.update(line["message"] for line in lines)
        number += 1


def outputs(server: Server) -> dict[str, Any]:
    status, body = server.call("GET", "/api/v1/pipelines")
    assert status == 200
    return {output["name"]: output for output in json.loads(body)["outputs"]}


def wait(done: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.05)


def stored(server: Server) -> Counter[str]:
    rows = server.query("| stats count() as n by message", limit=1_000_000)
    return Counter({row["message"]: row["n"] for row in rows})


@pytest.mark.parametrize("kills", [1, pytest.param(10, marks=pytest.mark.soak)])
def test_killed_while_it_sends(make_server: Any, receiver: Server, tmp_path: Path, kills: int) -> None:
    config = f"""
version: 1
outputs:
  centre: {{type: cordwood, url: "{receiver.url}", every: 100ms, start: beginning, max_events: 700}}
  lines: {{type: file, folder: "{tmp_path}", format: ndjson, every: 200ms, start: beginning}}
"""
    server = make_server(config)
    server.start()
    stop, sent = Event(), Counter[str]()
    sending = Thread(target=send, args=(server, stop, sent))
    sending.start()
    try:
        for _ in range(kills):
            wait(lambda: outputs(server)["centre"]["events"] > 0)
            time.sleep(random.uniform(0, 0.3))
            server.kill()
            server.start()
    finally:
        stop.set()
        sending.join()
    wait(lambda: all(one["lag_commits"] == 0 and one["state"] == "ok" for one in outputs(server).values()))
    assert sum(sent.values()) > EVENTS
    assert stored(server) == sent
    assert stored(receiver) == sent
    assert Counter(event["message"] for event in files_of(tmp_path)) == sent


def test_the_sender_ends_where_the_server_does_not_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "LAST_S", 0.2)
    stop, sent = Event(), Counter[str]()
    sending = Thread(target=send, args=(Server(tmp_path / "data"), stop, sent), daemon=True)
    sending.start()
    stop.set()
    sending.join(20)
    assert not sending.is_alive()
    assert not sent
