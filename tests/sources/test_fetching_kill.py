"""A real server that fetches is killed, with its PostgreSQL, while there is ever more to fetch: each event once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from anyio.from_thread import start_blocking_portal

from .docker_engine import START_NS, FakeEngine

EVENTS = 10_000
LOT = 500


class Peer:
    """Somebody from whom events are fetched. `settings` are those of the source; `give` makes the next events."""

    settings: dict[str, Any]

    def give(self, numbers: range) -> None:
        raise NotImplementedError


@pytest.fixture
def docker_peer(data_dir: Path) -> Iterator[Peer]:
    engine = FakeEngine()
    socket = data_dir.with_suffix(".sock")
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(engine.serving(socket)):
        containers = [engine.add(name) for name in ("a", "b")]

        class Docker(Peer):
            settings = {"type": "docker", "url": f"unix://{socket}"}  # noqa: RUF012

            def give(self, numbers: range) -> None:
                for n in numbers:
                    portal.call(lambda n=n: containers[n % 2].say(f"n={n}", at=START_NS + n // 7))

        yield Docker()


PEERS = ("docker",)


def test_each_event_once(request: pytest.FixtureRequest, make_server: Callable[..., Any]) -> None:
    peers: dict[str, Peer] = {name: request.getfixturevalue(f"{name}_peer") for name in PEERS}
    sources = {name: peer.settings for name, peer in peers.items()}
    pipeline = {"from": list(sources), "parse": [{"type": "kv"}]}
    server = make_server(yaml.safe_dump({"version": 1, "sources": sources, "pipelines": {"given": pipeline}}))
    server.start()
    for start in range(0, EVENTS, LOT):
        for peer in peers.values():
            peer.give(range(start, start + LOT))
        if start == EVENTS // 2:
            server.kill()
            server.start()
    query = "* | stats count() as total, distinct_exact(n) as different by source | sort source"
    expected = [{"source": name, "total": EVENTS, "different": EVENTS} for name in sorted(PEERS)]
    give_up = time.monotonic() + 60
    while (rows := server.query(query)) != expected and time.monotonic() < give_up:
        time.sleep(0.2)
    assert rows == expected
    assert server.stop() == 0
