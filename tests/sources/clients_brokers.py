"""Clients over a kill with a broker between, which keeps what comes meanwhile: mosquitto_pub, paho, Kafka's, kcat."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as paho
from confluent_kafka import Producer
from paho.mqtt.enums import CallbackAPIVersion

from ..services import find_kcat
from .brokers import PLAIN, mosquitto
from .kafka_cluster import Cluster
from .killing import GIVE_UP_S, Client, Loss, Send, Stage, lines_to, program

IN_FLIGHT = 500


def mqtt(qos: int) -> Callable[[Stage], Mapping[str, Any]]:
    """A Mosquitto, and the source that subscribes to it."""

    def settings(stage: Stage) -> dict[str, Any]:
        stage.daemons.enter_context(mosquitto(stage.folder, f"{PLAIN}max_inflight_messages 0\n", port=stage.broker))
        address = f"mqtt://127.0.0.1:{stage.broker}"
        return {"type": "mqtt", "url": address, "topics": ["kill"], "qos": qos, "receive_maximum": IN_FLIGHT}

    return settings


def subscribed(stage: Stage) -> None:
    """The broker keeps nothing for a session that it does not know yet."""
    until = time.monotonic() + GIVE_UP_S
    while f"source {stage.name}: subscribed" not in stage.server.log.read_text():
        assert time.monotonic() < until
        time.sleep(0.05)


def mosquitto_pub(qos: int) -> Callable[[Stage], Any]:
    """`mosquitto_pub`, a line a message."""

    @contextmanager
    def opened(stage: Stage) -> Iterator[Send]:
        subscribed(stage)
        command = ("mosquitto_pub", "-h", "127.0.0.1", "-p", str(stage.broker), "-t", "kill", "-q", str(qos), "-l")
        with program(stage, *command, stdin=subprocess.PIPE) as process:
            yield lines_to(process, stage)

    return opened


def paho_publisher(qos: int) -> Callable[[Stage], Any]:
    """paho's client."""

    @contextmanager
    def opened(stage: Stage) -> Iterator[Send]:
        subscribed(stage)
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.connect("127.0.0.1", stage.broker)
        client.loop_start()
        last: list[paho.MQTTMessageInfo] = []

        def send(n: int) -> None:
            last[:] = [client.publish("kill", stage.text(n), qos)]

        yield send
        last[0].wait_for_publish(GIVE_UP_S)
        until = time.monotonic() + GIVE_UP_S
        while client.want_write() or client._out_messages:
            assert time.monotonic() < until
            time.sleep(0.05)
        client.disconnect()
        client.loop_stop()

    return opened


def kafka(stage: Stage) -> dict[str, Any]:
    """A cluster, and the source that is in a group of its own."""
    stage.client = Cluster()
    return {"type": "kafka", "brokers": stage.client.brokers, "topics": [stage.name], "group": stage.name}


@contextmanager
def confluent(stage: Stage) -> Iterator[Send]:
    """Confluent's client."""
    producer = Producer({"bootstrap.servers": ",".join(stage.client.brokers), "linger.ms": 5})
    yield lambda n: producer.produce(stage.name, stage.text(n)) and None
    assert producer.flush(GIVE_UP_S) == 0


@contextmanager
def kcat(stage: Stage) -> Iterator[Send]:
    """kcat for a hundred lines at a time, each a message."""
    lines: list[str] = []
    command = [str(find_kcat()), "-P", "-b", ",".join(stage.client.brokers), "-t", stage.name]

    def flush() -> None:
        subprocess.run(command, input="".join(f"{line}\n" for line in lines).encode(), check=True)
        lines.clear()

    def send(n: int) -> None:
        lines.append(stage.text(n))
        if len(lines) == 100:
            flush()

    yield send
    flush()


BROKERS: Mapping[str, Client] = {
    "mosquitto-pub-1": Client(mosquitto_pub(1), Loss.NOTHING, mqtt(1), again=IN_FLIGHT),
    "mosquitto-pub-2": Client(mosquitto_pub(2), Loss.NOTHING, mqtt(2)),
    "paho-1": Client(paho_publisher(1), Loss.NOTHING, mqtt(1), again=IN_FLIGHT),
    "paho-2": Client(paho_publisher(2), Loss.NOTHING, mqtt(2)),
    "confluent-kafka": Client(confluent, Loss.NOTHING, kafka),
    "kcat": Client(kcat, Loss.NOTHING, kafka),
}
