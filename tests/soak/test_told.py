"""Everything is killed while incidents open and resolve: each is told at least once, in order, under one id."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ..bench.server import Server
from .conftest import StartServer
from .everything import Going, until_acknowledged
from .told import CHANNELS, Arrival, Arrivals, Http, Mail, config
from .workload import wait_until


class Trouble:
    """Sends an event of a new run every now and then, each until it is acknowledged: an incident each."""

    def __init__(self, going: Going, server: Server, pause: float) -> None:
        self._going, self._server, self._pause = going, server, pause
        self.runs = 0

    def work(self) -> None:
        while not self._going.over.wait(self._pause):
            until_acknowledged(self._server, [{"message": "panic", "run": f"r{self.runs}"}], f"run {self.runs}")
            self.runs += 1


@pytest.fixture
def going() -> Iterator[Going]:
    made = Going()
    yield made
    made.stop()


@pytest.fixture
def others(data_dir: Path) -> Iterator[tuple[Http, Mail]]:
    arrivals = Arrivals(Random(1))
    http, mail = Http(arrivals), Mail(arrivals, data_dir)
    yield http, mail
    http.stop()
    mail.stop()


def listed(server: Server, what: str) -> list[dict[str, Any]]:
    """All notifications or incidents, newest first."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        status, answer, _ = server.get(f"/api/v1/{what}?limit=500{cursor}")
        assert status == 200, answer
        page = json.loads(answer)
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


@pytest.mark.parametrize("kills", [3, pytest.param(30, marks=pytest.mark.soak)], ids=["3 kills", "30 kills"])
def test_each_is_told_at_least_once_in_order_and_under_one_id(
    kills: int, make_server: StartServer, going: Going, others: tuple[Http, Mail]
) -> None:
    random = Random(kills)
    http, mail = others
    arrivals = http.arrivals
    server = make_server(config=config(http, mail), environment={"SSL_CERT_FILE": str(mail.authority)})
    server.start()
    trouble = Trouble(going, server, 0.3)
    going.start(trouble.work)
    for _ in range(kills):
        time.sleep(random.uniform(0.2, 1.5))
        server.kill()
        server.start()
    wait_until(lambda: trouble.runs > 2 * kills, "enough runs")
    going.stop()
    arrivals.faulty = False

    def settled() -> bool:
        # In this order: what is resolved by now is told by a notification that is there by now.
        incidents, told = listed(server, "incidents"), listed(server, "notifications")
        return (
            len(incidents) >= trouble.runs
            and all(one["state"] == "resolved" for one in incidents)
            and not any(one["status"] == "pending" for one in told)
        )

    wait_until(settled, "every incident is over and told", at_most=90)
    incidents, told = listed(server, "incidents"), listed(server, "notifications")
    assert server.stop() == 0

    assert going.problems == []
    assert sorted(one["group"]["run"] for one in incidents) == sorted(f"r{n}" for n in range(trouble.runs))
    assert [one for one in told if one["status"] != "sent"] == []
    wanted = {
        (one["id"], channel, event) for one in incidents for channel in CHANNELS for event in ("opened", "resolved")
    }
    assert {(one["incident_id"], one["notifier"], one["event"]) for one in told} == wanted
    assert len(told) == len(wanted), "two ids for one notification"
    check(arrivals.all, {(one["incident_id"], one["notifier"], one["event"]): one["delivery_id"] for one in told})


def check(arrivals: list[Arrival], ids: dict[tuple[int, str, str], str]) -> None:
    """Every notification arrived, under its own id alone, and none before the one before it was taken."""
    by_incident: dict[tuple[int, str], list[Arrival]] = defaultdict(list)
    for one in arrivals:
        by_incident[one.incident, one.channel].append(one)
    for (incident, channel, event), delivery_id in ids.items():
        came = [one for one in by_incident[incident, channel] if one.event == event]
        assert any(one.is_answered for one in came), f"{channel} was never told that {incident} is {event}"
        assert {one.delivery_id for one in came} <= {delivery_id if channel != "phone" else ""}, f"{channel} {incident}"
    for (incident, channel), came in by_incident.items():
        first = next(i for i, one in enumerate(came) if one.event == "resolved")
        assert any(one.is_taken for one in came[:first]), f"{channel}: {incident} is over before it is opened"
        assert all(one.event == "resolved" for one in came[first:]), f"{channel}: {incident} is opened after its end"
