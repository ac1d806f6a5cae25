"""A Kafka cluster: librdkafka's mock brokers, which live in a producer of this process and speak by TCP."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from confluent_kafka import Producer


class Cluster:
    """Brokers of a producer; a topic has four partitions."""

    def __init__(self, brokers: int = 1) -> None:
        self._producer = Producer(
            {"bootstrap.servers": "none", "test.mock.num.brokers": brokers, "log_level": 3, "linger.ms": 5}
        )
        found = self._producer.list_topics(timeout=10).brokers.values()
        self.brokers = [f"{broker.host}:{broker.port}" for broker in found]

    def send(self, topic: str, *values: str | bytes | None, **more: Any) -> None:
        """Produce messages, and wait until they are there."""
        for value in values:
            self._producer.produce(topic, value=value, **more)
        assert self._producer.flush(30) == 0


@contextmanager
def cluster(brokers: int = 1) -> Iterator[Cluster]:
    """It ends with its producer."""
    made = Cluster(brokers)
    yield made
    del made._producer


_APART = """
import sys
from tests.sources.kafka_cluster import Cluster
made = Cluster(3)
print(*made.brokers, flush=True)
for line in sys.stdin:
    made.send(*line.split())
    print("sent", flush=True)
"""


class ClusterApart:
    """Brokers in a process of their own, which can be stopped."""

    def __init__(self, process: subprocess.Popen[str], asked: IO[str], told: IO[str]) -> None:
        self.process, self._asked, self._told = process, asked, told
        self.brokers = told.readline().split()

    def send(self, topic: str, value: str) -> None:
        """Produce a message of one word, and wait until it is there."""
        self._asked.write(f"{topic} {value}\n")
        self._asked.flush()
        assert self._told.readline() == "sent\n"


@contextmanager
def cluster_apart() -> Iterator[ClusterApart]:
    """It ends with its process."""
    command = [sys.executable, "-c", _APART]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield ClusterApart(process, process.stdin, process.stdout)
        finally:
            process.kill()
