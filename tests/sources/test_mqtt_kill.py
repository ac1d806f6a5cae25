"""A real server, killed with its PostgreSQL while Mosquitto delivers: nothing is lost, and QoS 2 comes once."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ..services import find_mosquitto
from .brokers import PLAIN, mosquitto, publish

EVENTS, PARTS = 3000, 6


@pytest.mark.skipif(find_mosquitto() is None, reason="needs mosquitto and mosquitto_pub")
def test_every_message_over_a_kill(make_server: Any, data_dir: Path) -> None:
    with mosquitto(data_dir, f"{PLAIN}max_inflight_messages 200\n") as port:
        broker = f'type: mqtt, url: "mqtt://127.0.0.1:{port}"'
        server = make_server(f"""
version: 1
sources:
  one: {{{broker}, topics: ["once/{{line}}"], qos: 1}}
  two: {{{broker}, topics: ["exact/{{line}}"], qos: 2, version: 3.1.1}}
""")
        server.start()
        give_up = time.monotonic() + 20
        while server.log.read_text().count("subscribed to") < 2 and time.monotonic() < give_up:
            time.sleep(0.05)

        def talk(topic: str, qos: str) -> None:
            for part in range(PARTS):
                size = EVENTS // PARTS
                lines = [f'{{"n": {n}}}' for n in range(part * size, (part + 1) * size)]
                publish(port, topic, lines, "-q", qos)

        talkers = [threading.Thread(target=talk, args=given) for given in (("once/a", "1"), ("exact/a", "2"))]
        for talker in talkers:
            talker.start()
        give_up = time.monotonic() + 20
        while not server.query("* | stats count() as n")[0]["n"] and time.monotonic() < give_up:
            time.sleep(0.05)
        server.kill()
        assert any(talker.is_alive() for talker in talkers)
        server.start()
        for talker in talkers:
            talker.join()
        rows: dict[str, Any] = {}
        give_up = time.monotonic() + 60
        while time.monotonic() < give_up and any(
            rows.get(topic, {}).get("different") != EVENTS for topic in ("once/a", "exact/a")
        ):
            time.sleep(0.3)
            found = server.query("* | stats count() as total, distinct_exact(n) as different by mqtt.topic")
            rows = {row["mqtt.topic"]: row for row in found}
    assert rows["once/a"]["different"] == EVENTS
    assert (rows["exact/a"]["different"], rows["exact/a"]["total"]) == (EVENTS, EVENTS)
    assert server.stop() == 0
