"""Sensors that publish to a real Mosquitto, read as compose's pipeline file says."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from cordwood.sources.mqtt import Mqtt, MqttConfig

from ..services import find_mosquitto
from ..sources.brokers import mosquitto
from ..sources.listening import listening, until

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(find_mosquitto() is None, reason="needs mosquitto and mosquitto_pub"),
]
INFRA = Path(__file__).parents[2] / "infra"


async def test_readings_come_from_each_greenhouse_also_after_the_broker_was_away(tmp_path: Path) -> None:
    pipeline = yaml.safe_load((INFRA / "docker/pipelines/mqtt.yaml").read_text())
    settings: dict[str, Any] = {**pipeline["sources"]["greenhouses"]}
    assert settings.pop("type") == "mqtt"
    with mosquitto(tmp_path) as port:
        script = subprocess.Popen(["sh", INFRA / "samples/sensors.sh", "127.0.0.1", str(port), "0.1"])
        try:
            source = Mqtt(MqttConfig(**{**settings, "url": f"mqtt://127.0.0.1:{port}"}))
            async with listening(source) as store:
                await until(lambda: len(store.lines) >= 12, 20)
                events = [event for batch in store.batches for event in batch.events()]
        finally:
            alive = script.poll() is None
    with mosquitto(tmp_path, port=port):
        try:
            async with listening(source) as store:
                await until(lambda: len(store.lines) >= 6, 20)
                assert len(store.lines) >= 6
        finally:
            script.kill()
            script.wait()
    assert alive
    assert {event["host"] for event in events} == {f"greenhouse-{n}" for n in range(1, 7)}
    for event in events:
        assert event["service"] == "sensors"
        assert event["message"].startswith(("reading: ", "battery low: "))
        assert 0 < event["temperature"] < 40
        assert 0 <= event["battery.percent"] <= 100
        assert "parse_error" not in event
