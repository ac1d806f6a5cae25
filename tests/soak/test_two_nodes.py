"""Two processes on one database: both take in and answer at once, and the detectors run on exactly one of them."""

from __future__ import annotations

import json
import time

from ..bench.server import Server
from .conftest import StartServer
from .postgres import PostgresServer
from .workload import Clients

CONFIG = """\
version: 1
detectors:
  errors:
    type: threshold
    query: "severity>=error | stats count() as n by service"
    condition: "n > 4"
    window: 1m
    every: 1s
"""


def errors(server: Server, service: str) -> None:
    status, answer, _ = server.post(
        [{"severity": "ERROR", "service": service, "message": f"boom {n}"} for n in range(9)]
    )
    assert status == 200, answer


def incidents(server: Server) -> list[str]:
    """The service of each incident there is."""
    status, answer, _ = server.get("/api/v1/incidents?limit=100")
    assert status == 200, answer
    return [item["group"]["service"] for item in json.loads(answer)["items"]]


def seconds_to_incident(server: Server, service: str, *, at_most: float = 30) -> float:
    began = time.monotonic()
    while service not in incidents(server):
        assert time.monotonic() - began < at_most, f"no incident of {service} within {at_most} s"
        time.sleep(0.1)
    return time.monotonic() - began


def test_two_nodes_take_in_and_answer_at_the_same_time(make_server: StartServer, postgres: PostgresServer) -> None:
    nodes = [make_server(name, environment={"CORDWOOD_DATABASE_URL": postgres.url}) for name in ("a", "b")]
    for node in nodes:
        node.start()
    with Clients(nodes, 4, service="both") as clients:
        end = time.monotonic() + 4
        while time.monotonic() < end:
            for node in nodes:
                known = len(clients.acknowledged)  # before the question: those at least must be counted
                assert node.count("service:both") >= known
    assert not clients.unexpected
    assert set(clients.answers) == {200}
    for node in nodes:
        rows = node.query("service:both | stats count() as n, distinct_exact(event_id) as ids")
        assert rows == [{"n": len(clients.acknowledged), "ids": len(clients.acknowledged)}]
        assert node.stop() == 0


def test_the_detectors_go_over_to_the_node_that_is_left(make_server: StartServer, postgres: PostgresServer) -> None:
    options = {"config": CONFIG, "environment": {"CORDWOOD_DATABASE_URL": postgres.url}}
    first, second = make_server("a", **options), make_server("b", **options)
    first.start()
    second.start()
    errors(second, "one")
    seconds_to_incident(second, "one")

    first.kill()
    errors(second, "two")
    assert seconds_to_incident(second, "two") < 10

    # Now the detectors run on the second for sure: it goes, and the first takes over.
    first.start()
    errors(first, "three")
    seconds_to_incident(first, "three")
    second.kill()
    errors(first, "four")
    assert seconds_to_incident(first, "four") < 10
    time.sleep(3)
    assert sorted(incidents(first)) == ["four", "one", "three", "two"]
