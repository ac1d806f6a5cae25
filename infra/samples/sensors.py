"""A flock of greenhouse sensors, as an MQTT broker sees them: readings, weak batteries, one that falls silent."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

from .sender import Event

SENSORS = 48
READING_EVERY_S = 6
SILENT_EVERY_S, SILENT_S, NOTICED_S = 900, 240, 60
"""Once in this time a sensor says nothing for so long; the gateway notices after so long."""


class Sensors:
    """Sensors with a battery each, in six greenhouses, and the gateway that carries their messages."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._battery = [random.uniform(15, 100) for _ in range(SENSORS)]

    def second(self, at: int, busy: float) -> list[tuple[float, Event]]:
        """The readings of this second. A sensor knows no rush, but few of them are awake while it is quiet."""
        said: list[tuple[float, Event]] = []
        turn, since = divmod(at, SILENT_EVERY_S)
        silent = turn * 7 % SENSORS
        for sensor in range(at % READING_EVERY_S, SENSORS, READING_EVERY_S):
            if (sensor == silent and since < SILENT_S) or self._random.random() > busy:
                continue
            said += self._reading(at + self._random.random(), sensor)
        name = _name(silent)
        if since == NOTICED_S:
            words = f"{name} has been silent for {since} s"
            said.append((at + 0.2, self._gateway("WARN", words, name)))
        elif since == SILENT_S:
            words = f"{name} is back after {since} s, {SILENT_S // READING_EVERY_S} readings are missing"
            said.append((at + 0.2, self._gateway("INFO", words, name)))
        return said

    def _reading(self, at: float, sensor: int) -> Iterator[tuple[float, Event]]:
        random = self._random
        self._battery[sensor] -= random.uniform(0, 0.004)
        if self._battery[sensor] < 5:
            self._battery[sensor] = 100.0  # somebody came by with a new one
        battery = round(self._battery[sensor], 1)
        day = math.sin((at % 86_400) / 86_400 * 2 * math.pi - 2)
        told: dict[str, object] = {
            "sensor.id": _name(sensor),
            "topic": f"sensors/greenhouse-{sensor % 6 + 1}/{_name(sensor)}",
            "temperature": round(21 + 6 * day + sensor % 6 + random.gauss(0, 0.4), 2),
            "humidity": round(58 - 12 * day + random.gauss(0, 2), 1),
            "battery.percent": battery,
        }
        words = f"temperature {told['temperature']} C, humidity {told['humidity']} %"
        yield at, self._event("INFO", words, sensor, told)
        if battery < 20 and random.random() < 0.1:
            yield at + 0.01, self._event("WARN", f"battery low: {battery} %", sensor, told)
        if random.random() < 0.0006:
            yield at + 0.02, self._event("ERROR", "checksum of reading does not match: frame dropped", sensor, told)

    def _event(self, severity: str, message: str, sensor: int, told: dict[str, object]) -> Event:
        host = f"greenhouse-{sensor % 6 + 1}"
        return {"severity": severity, "service": "sensors", "host": host, "message": message, **told}

    def _gateway(self, severity: str, message: str, sensor: str) -> Event:
        told = {"severity": severity, "service": "mqtt-gateway", "host": "edge-1"}
        return {**told, "message": message, "sensor.id": sensor}


def _name(sensor: int) -> str:
    return f"gh-{sensor:02d}"
