"""Topics of Kafka, as a member of a consumer group: each message once, over rebalances, restarts and crashes.

    sources:
      orders: {type: kafka, brokers: ["kafka-1:9092"], topics: [orders]}

The next offset of each partition is committed together with the messages before it; the group's own offsets follow, for
those who watch its lag. The client is librdkafka's (`cordwood[kafka]`): it is maintained with the protocol, typed, and
leaves the event loop alone; aiokafka is neither typed nor as quick.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import anyio
import anyio.from_thread
import anyio.to_thread
from pydantic import Field

from ...plugins import (
    BrokersConfig,
    Checkpoint,
    FatalError,
    Json,
    Need,
    Outlet,
    ProjectConfig,
    RetryableError,
    Source,
    hookimpl,
    in_worker,
    now_ns,
)
from ..storing import store
from .events import read_messages

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

LOT_BYTES = 4 * 1024 * 1024
"""Bytes that are taken at once, about, by the size of the messages before."""
_LOT = 5000  # messages that are taken at once at most
_WAIT_S = 0.2  # in which more may come; a stop waits so long
_SILENT_S = 20.0  # after which a broker that owes an answer is gone, connected or not; librdkafka waits a minute
_log = logging.getLogger(__name__)


class KafkaConfig(ProjectConfig, BrokersConfig):
    """Settings of a source of topics."""

    topics: tuple[str, ...] = Field(min_length=1)
    """Names of topics; one that begins with `^` is a regular expression of names."""
    group: str = "cordwood"
    """The consumer group; the nodes that run this source share the partitions."""
    start: Literal["beginning", "end"] = "beginning"
    """Where to begin in a partition in which neither this source nor its group has been."""


class Kafka(Source[KafkaConfig]):
    """Take in topics of Kafka: a message that is a JSON object as its fields, others as text.

    A little Python a message.
    """

    def __init__(self, config: KafkaConfig) -> None:
        super().__init__(config)
        self._rebalances = self._rejected = 0
        self._places: dict[str, Json] = {}
        self._trouble = self._heard = ""

    @property
    def counts(self) -> Mapping[str, int]:
        """How often partitions were given to it, and what the store refused."""
        return {"rebalances": self._rebalances, "rejected_events": self._rejected}

    def needs(self) -> Sequence[Need]:
        """The brokers, and the files of TLS."""
        return self.config.needs()

    async def run(self, outlet: Outlet) -> None:
        """Follow until cancelled.

        :raises RetryableError: no broker answers, or they refuse, or another reads a partition too
        :raises FatalError: confluent-kafka is not installed, or takes a setting for wrong
        """
        try:
            from confluent_kafka import Consumer, KafkaException
        except ImportError:
            raise FatalError("the source kafka needs confluent-kafka: pip install 'cordwood[kafka]'") from None
        self._places, self._trouble, self._heard = {}, "", ""
        try:
            consumer = Consumer(self._settings(), logger=_log)
        except KafkaException as why:
            raise FatalError(f"the settings of kafka are wrong: {why}") from why
        try:
            consumer.subscribe(list(self.config.topics), on_assign=lambda *given: self._assigned(outlet, *given))
            size = 1000
            while True:
                most = max(1, min(_LOT, LOT_BYTES // size))
                messages = await anyio.to_thread.run_sync(consumer.consume, most, _WAIT_S)
                if self._trouble:
                    raise RetryableError(self._trouble)
                if good := [message for message in messages if self._is_good(message)]:
                    size = max(1, sum(len(message) for message in good) // len(good))
                    await self._take(consumer, outlet, good)
        except KafkaException as why:
            raise RetryableError(f"Kafka: {why}") from why
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(2):
                await anyio.to_thread.run_sync(consumer.close, abandon_on_cancel=True)

    def _settings(self) -> dict[str, Any]:
        return self.config.client_settings() | {
            "group.id": self.config.group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest" if self.config.start == "beginning" else "latest",
            "queued.max.messages.kbytes": 8192,
            "socket.timeout.ms": round(_SILENT_S * 1000),
            "error_cb": self._told,
        }

    def _told(self, error: KafkaError) -> None:
        """An error of the client; those that do not pass by themselves start the source again, and so are seen."""
        from confluent_kafka import KafkaError

        if error.code() == KafkaError._ALL_BROKERS_DOWN or error.fatal():
            why = self._heard or error.str()  # what went before says why no broker is left
            self._trouble = f"no broker of {', '.join(self.config.brokers)}: {why}"
        else:
            self._heard = error.str()

    def _assigned(self, outlet: Outlet, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Go on in these partitions where this source was, whichever node ran it; called in the consumer's thread."""
        self._rebalances += 1
        self._places = {}
        for partition in partitions:
            key = _key(partition.topic, partition.partition)
            value: Json = anyio.from_thread.run(outlet.checkpoint, key)
            self._places[key] = value
            if isinstance(value, Mapping) and isinstance(value.get("offset"), int):
                partition.offset = int(str(value["offset"]))
        consumer.assign(list(partitions))

    def _is_good(self, message: Message) -> bool:
        """Whether it is a message, and no event of the client.

        :raises RetryableError: the client says what does not pass by itself
        """
        from confluent_kafka import KafkaError

        error = message.error()
        if error is None:
            return True
        if error.code() == KafkaError._PARTITION_EOF:
            return False
        raise RetryableError(f"Kafka: {message.topic() or ''} {error.str()}")

    async def _take(self, consumer: Consumer, outlet: Outlet, messages: Sequence[Message]) -> None:
        """Store messages, those of each partition with its next offset.

        :raises RetryableError: another reads the same partition, as it may in the moment of a rebalance
        """
        from confluent_kafka import TopicPartition

        apart: dict[tuple[str, int], list[Message]] = defaultdict(list)
        for message in messages:
            apart[message.topic() or "", message.partition() or 0].append(message)
        raised: list[Exception] = []

        async def one(topic: str, partition: int, mine: Sequence[Message]) -> None:
            key, fresh = _key(topic, partition), {"offset": (mine[-1].offset() or 0) + 1}
            try:
                batch = await in_worker(read_messages, mine, now_ns())
                checkpoint = Checkpoint(key, fresh, self._places.get(key))
                size = sum(len(message) for message in mine)
                self._rejected += await store(outlet, batch, checkpoint=checkpoint, received=size)
                self._places[key] = fresh
            except Exception as why:  # the first is raised when all have ended
                raised.append(why)

        async with anyio.create_task_group() as tasks:
            for (topic, partition), mine in apart.items():
                tasks.start_soon(one, topic, partition, mine)
        if raised:
            raise raised[0]
        offsets = [
            TopicPartition(topic, partition, (mine[-1].offset() or 0) + 1) for (topic, partition), mine in apart.items()
        ]
        consumer.commit(offsets=offsets, asynchronous=True)  # for others to see; ours are in the store


def _key(topic: str, partition: int) -> str:
    return f"kafka/{topic}/{partition}"


@hookimpl
def cordwood_plugins() -> list[type[Source[Any]]]:
    """The source of topics."""
    return [Kafka]
