"""A Kafka cluster: librdkafka's mock brokers, which live in a producer of this process and speak by TCP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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
