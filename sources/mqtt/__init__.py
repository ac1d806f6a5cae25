"""MQTT 3.1.1 and 5: subscribes to a broker's topics, and acknowledges each message after its commit.

    sources:
      devices: {type: mqtt, url: "mqtt://broker:1883", topics: ["sensors/{device}/#"]}

The protocol is spoken here and not by a library, for those there are acknowledge QoS 2 before anybody could commit.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from ...plugins import (
    Batch,
    Duration,
    Need,
    Outlet,
    ProjectConfig,
    RetryableError,
    Source,
    duration_ns,
    hookimpl,
    in_worker,
    now_ns,
    reachable,
)
from . import packets
from .connection import Broker, Connection, GoneError, OldBrokerError, secured
from .events import read_messages
from .intake import Intake, Session
from .packets import MalformedError, Publish
from .topics import Topic

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 60.0
_REFUSED_S = 10.0  # before a broker is asked again that did not want us: an operator must act, on one of the two sides
_HEAD = 66_000  # bytes of a packet beside the message: the topic, and what version 5 tells with it
_NOT_EXPIRING = 0xFFFFFFFF
_log = logging.getLogger(__name__)


def _broker(url: str) -> str:
    Broker.of(url)
    return url


def _topic(text: str) -> str:
    Topic.of(text)
    return text


class MqttConfig(ProjectConfig):
    """Settings of a source of a broker's messages."""

    url: Annotated[str, AfterValidator(_broker)]
    """The broker: `mqtt://HOST:PORT`, or with TLS `mqtts://HOST:PORT`; ports 1883 and 8883 if not said."""
    topics: Annotated[list[Annotated[str, AfterValidator(_topic)]], Field(min_length=1, max_length=1000)]
    """Topic filters with `+` and `#`; `{name}` is a `+` that becomes a field. `$share/GROUP/FILTER` is shared."""
    qos: Literal[0, 1, 2] = 1
    """The highest QoS of messages: 0 may lose them, 1 may store one twice after a broken connection, 2 neither."""
    version: Annotated[Literal["auto", "3.1.1", "5"], BeforeValidator(str)] = "auto"
    """The version of MQTT; `auto` is 5, or 3.1.1 with a broker that does not speak it."""
    client_id: str = Field("", max_length=200)
    """The name of our session, which no other client of the broker may have; `cordwood-SOURCE` if not set."""
    username: SecretStr = SecretStr("")
    """The user."""
    password: SecretStr = SecretStr("")
    """Its password."""
    ca_file: Path | None = None
    """Roots of the broker's certificate as PEM; the system's if not set."""
    cert_file: Path | None = None
    """Our certificate, where the broker asks for one."""
    key_file: Path | None = None
    """Its private key, without a passphrase."""
    retained: bool = True
    """Whether messages that the broker retained are wanted too."""
    receive_maximum: int = Field(1000, ge=1, le=65_535)
    """Messages that the broker may send before the first of them is acknowledged (version 5)."""
    session_expiry: Duration = "7d"
    """How long the broker keeps what comes while we are away (version 5)."""
    keepalive: Duration = "60s"
    """The broker is asked for a sign of life twice in this time; from 2s to 18h."""
    max_message: int = Field(1_048_576, ge=1024, le=67_108_864)
    """Bytes of a message; of a longer one the beginning is kept, with `parse_error`."""

    @model_validator(mode="after")
    def _fits(self) -> MqttConfig:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together")
        if not self.url.startswith("mqtts:") and (self.ca_file or self.cert_file):
            raise ValueError("certificates are for mqtts://, and the url begins with mqtt://")
        if not 2 <= duration_ns(self.keepalive) // 10**9 <= 65_535:
            raise ValueError("keepalive: use 2s to 18h")
        if self.password.get_secret_value() and not self.username.get_secret_value():
            raise ValueError("a password needs a username")
        return self


class Mqtt(Source[MqttConfig]):
    """Subscribe to topics of an MQTT broker. A JSON object becomes fields, other payloads are the message."""

    def __init__(self, config: MqttConfig) -> None:
        super().__init__(config)
        self._topics = [Topic.of(text) for text in config.topics]
        self._v5 = config.version != "3.1.1"
        self._pause = _FIRST_PAUSE_S
        self._rejected = self._lost = 0

    def needs(self) -> Sequence[Need]:
        """The broker's host, with TLS; no session is opened there, for that would end the one that runs."""
        broker = Broker.of(self.config.url)
        tls = partial(secured, self.config.ca_file, self.config.cert_file, self.config.key_file)
        return [reachable("url", broker.host, broker.port, tls if broker.secure else None)]

    async def run(self, outlet: Outlet) -> None:
        """Take in what the broker sends until the connection ends, or until cancelled.

        :raises RetryableError: the broker is away, or does not want us
        :raises FatalError: a certificate cannot be used
        """
        context = await in_worker(self._context)
        try:
            gone = await self._session(outlet, context)
        except OldBrokerError as why:
            if self.config.version == "5":
                raise self._again(why) from None
            self._v5 = False
            raise RetryableError(f"{self.config.url} speaks no MQTT 5: going on with 3.1.1", after=0.01) from None
        except GoneError as why:
            gone = why
        except MalformedError as why:
            gone = GoneError(f"the broker speaks no MQTT: {why}", refused=True)
        raise self._again(gone)

    async def _session(self, outlet: Outlet, context: ssl.SSLContext | None) -> GoneError:
        """One connection from its beginning to its end; why it ended.

        :raises GoneError: it did not come about
        """
        config = self.config
        client_id = config.client_id or f"cordwood-{outlet.source}"
        keepalive = duration_ns(config.keepalive) // 10**9
        opened = await Connection.open(
            Broker.of(config.url), context, self._hello(client_id, keepalive), config.max_message + _HEAD, v5=self._v5
        )
        async with opened[0] as connection:
            accepted = opened[1]
            keepalive = accepted.keepalive or keepalive
            connection.silence_s = 1.5 * keepalive
            session = await Session.load(outlet, client_id)
            wanted = [topic.filter for topic in self._topics]
            if not accepted.session:
                # Of the old session's identifiers a new one knows nothing: they will be other messages'.
                await session.store(Batch.from_lines([]), set(), [])
            gone = [topic for topic in session.topics if topic not in wanted]
            await connection.subscribe(wanted, gone, config.qos, retained=config.retained)
            await session.store(Batch.from_lines([]), session.held, wanted)
            self._pause = _FIRST_PAUSE_S
            outlet.started()
            _log.info("source %s: subscribed to %d topics of %s", outlet.source, len(wanted), config.url)
            intake = Intake(outlet, connection, session, self._read, keepalive, self._wanted)
            try:
                why = await intake.run()
            finally:
                self._rejected += intake.rejected
            self._lost += 1
            return why

    def _hello(self, client_id: str, keepalive: int) -> bytes:
        config = self.config
        return packets.connect(
            client_id,
            config.username.get_secret_value(),
            config.password.get_secret_value(),
            keepalive,
            v5=self._v5,
            expiry=min(duration_ns(config.session_expiry) // 10**9, _NOT_EXPIRING),
            receive_maximum=config.receive_maximum,
        )

    def _context(self) -> ssl.SSLContext | None:
        config = self.config
        secure = Broker.of(config.url).secure
        return secured(config.ca_file, config.cert_file, config.key_file) if secure else None

    def _again(self, gone: GoneError) -> RetryableError:
        """What tells the engine when to start us again."""
        pause = max(self._pause, _REFUSED_S) if gone.refused else self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_S)
        return RetryableError(f"{self.config.url}: {gone}", after=pause)

    def _read(self, messages: Sequence[Publish]) -> Batch:
        return read_messages(messages, self._topics, now_ns())

    def _wanted(self, message: Publish) -> bool:
        return self.config.retained or not message.retained

    @property
    def counts(self) -> Mapping[str, int]:
        """What was lost, and how often the connection ended."""
        return {"rejected_events": self._rejected, "lost_connections": self._lost}


@hookimpl
def cordwood_plugins() -> list[type[Source[Any]]]:
    """The source of MQTT."""
    return [Mqtt]
