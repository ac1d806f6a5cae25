"""Nodes of all roles on one PostgreSQL: restarted one after the other, killed, cut off, each time under load.

A client that retries once, at another node, has no request that fails; what was acknowledged is there exactly once; and
what one node does for all goes over to another within ten seconds.
"""

from __future__ import annotations

import http.client
import json
import signal
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType

import pytest

from ..bench.server import Server
from .conftest import StartServer
from .postgres import PostgresServer
from .test_two_nodes import CONFIG, errors, incidents, seconds_to_incident
from .workload import Clients

ROLES = {"taking": "ingest", "answering": "query", "working": "worker", "second": "all"}


class RetryingOnce:
    """Threads that post to an ingest node and query a query node, and retry once, at the second. Entered: they run."""

    def __init__(self, nodes: dict[str, Server]) -> None:
        self._nodes, self._done = nodes, threading.Event()
        self._threads = [threading.Thread(target=self._post), threading.Thread(target=self._ask)]
        self.posted = self.asked = self.retried = 0
        self.failed: list[str] = []

    def _post(self) -> None:
        while not self._done.is_set():
            event = {"message": f"event {self.posted}", "service": "once", "event_id": str(self.posted)}
            if self._either("taking", lambda to: to.post([event], Idempotency_Key=f"once-{self.posted}")[0]):  # noqa: B023 - called now
                self.posted += 1
            time.sleep(0.005)

    def _ask(self) -> None:
        body = json.dumps({"query": "service:once | stats count() as n"}).encode()
        while not self._done.is_set():
            at_least = self.posted

            def count(at: Server) -> int:
                status, answer, _ = at.call("POST", "/api/v1/query", body, {"Content-Type": "application/json"})
                if status == 200 and json.loads(answer)["rows"][0][0] < at_least:  # noqa: B023 - called now
                    self.failed.append(f"{answer!r}, where {at_least} were acknowledged")  # noqa: B023
                return status

            self.asked += self._either("answering", count)
            time.sleep(0.02)

    def _either(self, name: str, request: Callable[[Server], int]) -> bool:
        said: list[str] = []
        for node in (self._nodes[name], self._nodes["second"]):
            try:
                if (status := request(node)) == 200:
                    self.retried += len(said)
                    return True
                said.append(str(status))
            except (OSError, http.client.HTTPException) as why:
                said.append(f"{type(why).__name__}: {why}")
        self.failed.append(f"{name}: {said}")
        return False

    def __enter__(self) -> RetryingOnce:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def nodes(request: pytest.FixtureRequest, make_server: StartServer, postgres: PostgresServer) -> dict[str, Server]:
    """Nodes of these names, all started."""
    made = {}
    for name in request.param:
        role = ROLES[name]
        environment = {"CORDWOOD_DATABASE_URL": postgres.url, "CORDWOOD_ROLE": role}
        made[name] = make_server(name, config=CONFIG, environment=environment)
    made["taking"].start()  # the schema is made by whoever comes first
    starts = [threading.Thread(target=made[name].start) for name in request.param if name != "taking"]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    return made


def exactly(node: Server, service: str, events: int) -> None:
    rows = node.query(f"service:{service} | stats count() as n, distinct_exact(event_id) as ids")
    assert rows == [{"n": events, "ids": events}]


def cut_off(node: Server) -> None:
    """The process stands still: its connections stay, and nobody answers."""
    assert node.process is not None
    node.process.send_signal(signal.SIGSTOP)


def back(node: Server) -> None:
    assert node.process is not None
    node.process.send_signal(signal.SIGCONT)


def restarted_in_turn(nodes: dict[str, Server], names: Sequence[str]) -> None:
    with RetryingOnce(nodes) as client:
        for name in names:
            assert nodes[name].stop() == 0
            nodes[name].start()
    assert client.failed == []
    assert client.posted > 0
    assert client.asked > 0
    assert client.retried > 0, "no node was away while it was asked"
    exactly(nodes["second"], "once", client.posted)


@pytest.mark.parametrize("nodes", [("taking", "answering", "second")], ids=["three"], indirect=True)
def test_a_rolling_restart_fails_no_request_that_is_retried_once(nodes: dict[str, Server]) -> None:
    assert nodes["answering"].call("POST", "/api/v1/logs", b"{}")[0] == 404  # it takes nothing in
    restarted_in_turn(nodes, ["taking", "answering"])


@pytest.mark.soak
@pytest.mark.parametrize("nodes", [tuple(ROLES)], ids=["four"], indirect=True)
def test_each_is_killed_and_cut_off_in_turn(nodes: dict[str, Server]) -> None:
    restarted_in_turn(nodes, ["taking", "answering", "working"])
    known = []
    with Clients([nodes["taking"], nodes["second"]], 4, service="kill") as clients:
        for way in ("killed", "cut off"):
            for name in ROLES:
                node, other = nodes[name], nodes["answering" if name != "answering" else "second"]
                node.kill() if way == "killed" else cut_off(node)
                takes = nodes["second" if name != "second" else "taking"]
                service = f"{name} {way}"
                errors(takes, service)
                assert seconds_to_incident(other, service) < 10
                known.append(service)
                node.start() if way == "killed" else back(node)
    assert not clients.unexpected
    for node in nodes.values():
        exactly(node, "kill", len(clients.acknowledged))
    assert sorted(incidents(nodes["answering"])) == sorted(known)
