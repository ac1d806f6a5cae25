"""A topic of Kafka: a message an event, in JSON.

    outputs:
      bus: {type: kafka, brokers: ["kafka-1:9092"], topic: logs, key: host}

Every replica that has to has the messages before a lot counts as sent. Within a lot the client sends each message once;
after a crash the lot comes again, and the header `cordwood-id` of a message is the same as before.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from pydantic import Field

from ..plugins import (
    BrokersConfig,
    Duration,
    FatalError,
    Lot,
    Need,
    Output,
    OutputConfig,
    PartlyRejectedError,
    RetryableError,
    duration_ns,
    hookimpl,
    in_worker,
)
from .rendering import lines

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

_WAIT_S = 0.2  # a stop waits so long
_LARGEST = 64_000_000  # bytes of a message that the client lets pass: the brokers decide
_OF_EVENTS = frozenset({4, 10, 32, 87})  # INVALID_MSG_SIZE, MSG_SIZE_TOO_LARGE, INVALID_TIMESTAMP, INVALID_RECORD
_log = logging.getLogger(__name__)


class KafkaOutputConfig(OutputConfig, BrokersConfig):
    """Settings of the output kafka."""

    topic: str = Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")
    """The topic. Whether it is made when it is not there is a setting of the brokers."""
    key: str | None = None
    """A field whose value is the key of a message: events with the same one stay in order, in one partition."""
    timeout: Duration = "30s"
    """How long to wait for the brokers to have all messages."""


class Kafka(Output[KafkaOutputConfig]):
    """A topic of Kafka, a message an event, in JSON. A little Python an event."""

    def needs(self) -> Sequence[Need]:
        """The brokers, and the files of TLS."""
        return self.config.needs()

    async def write(self, lot: Lot) -> None:
        """Produce the lot; all of it is with the brokers on return.

        :raises RetryableError: no broker answers, or not in time
        :raises PartlyRejectedError: they refuse messages for what these are, such as one that is too large
        :raises FatalError: they refuse us, or the topic; confluent-kafka is not installed, or a setting is wrong
        """
        sending = _Sending(self.config)
        try:
            await in_worker(sending.begin, lot)
            with anyio.move_on_after(duration_ns(self.config.timeout) / 1e9):
                while await anyio.to_thread.run_sync(sending.left):
                    sending.check()
            sending.check()
            sending.check_all_arrived()
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(2):
                await anyio.to_thread.run_sync(sending.end, abandon_on_cancel=True)


class _Sending:
    """A lot on its way, by a client of its own: what one lot leaves behind meets no other."""

    def __init__(self, config: KafkaOutputConfig) -> None:
        """:raises FatalError: as `Kafka.write`"""
        try:
            from confluent_kafka import KafkaException, Producer
        except ImportError:
            raise FatalError("the output kafka needs confluent-kafka: pip install 'cordwood[kafka]'") from None
        self._config = config
        self._count = self._arrived = 0
        self._refused: dict[int, str] = {}
        self._trouble = self._heard = self._denied = ""
        settings = config.client_settings() | {
            "enable.idempotence": True,
            "linger.ms": 5,
            "compression.type": "zstd",
            "message.max.bytes": _LARGEST,
            "message.timeout.ms": duration_ns(config.timeout) // 10**6,
            "queue.buffering.max.messages": 0,  # a lot is bounded already
            "queue.buffering.max.kbytes": 2_000_000,
            "error_cb": self._told,
        }
        try:
            self._producer: Producer = Producer(settings, logger=_log)
        except KafkaException as why:
            raise FatalError(f"the settings of kafka are wrong: {why}") from why

    def begin(self, lot: Lot) -> None:
        """Hand all messages to the client. Blocking, Python per event."""
        from confluent_kafka import KafkaException

        self._count = len(lot.batch)
        frame, name = lot.batch.frame, self._config.key
        keys = frame[name].cast(str).to_list() if name in frame.columns else [None] * self._count
        for number, (line, key) in enumerate(zip(lines(lot.batch), keys, strict=True)):
            try:
                self._producer.produce(
                    self._config.topic,
                    value=line,
                    key=key,
                    headers=[("cordwood-id", f"{lot.key}-{number}".encode())],
                    on_delivery=partial(self._delivered, number),
                )
            except KafkaException as why:
                self._delivered(number, why.args[0], None)

    def left(self) -> int:
        """How many messages are not with the brokers yet, after waiting a little. Blocking."""
        return self._producer.flush(_WAIT_S)

    def check(self) -> None:
        """:raises RetryableError: no broker is to be had"""
        if self._trouble:
            raise RetryableError(self._trouble)

    def check_all_arrived(self) -> None:
        """:raises FatalError: the brokers refuse us
        :raises RetryableError: they have not told of all
        :raises PartlyRejectedError: they have, and refuse some messages
        """
        if self._denied:
            raise FatalError(f"topic {self._config.topic}: {self._denied}")
        if self._arrived + len(self._refused) < self._count:
            why = self._heard or "no answer"
            raise RetryableError(
                f"{', '.join(self._config.brokers)} took {self._arrived} of {self._count} events in time: {why}"
            )
        if self._refused:
            raise PartlyRejectedError(f"topic {self._config.topic} refuses {len(self._refused)} events", self._refused)

    def end(self) -> None:
        """Forget what was not sent. Blocking."""
        self._producer.purge()
        self._producer.flush(1)

    def _delivered(self, number: int, error: KafkaError | None, _: Message | None) -> None:
        from confluent_kafka import KafkaError

        if error is None:
            self._arrived += 1
        elif error.code() == KafkaError._MSG_TIMED_OUT or error.retriable():
            self._heard = self._heard or error.str()
        elif error.code() in _OF_EVENTS:
            self._refused[number] = error.str()
        else:
            self._denied = error.str()

    def _told(self, error: KafkaError) -> None:
        from confluent_kafka import KafkaError

        if error.code() == KafkaError._ALL_BROKERS_DOWN or error.fatal():
            self._trouble = f"no broker of {', '.join(self._config.brokers)}: {self._heard or error.str()}"
        else:
            self._heard = error.str()


@hookimpl
def cordwood_plugins() -> list[type[Output[Any]]]:
    """The output of this module."""
    return [Kafka]
