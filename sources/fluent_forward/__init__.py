"""Fluentd's forward protocol: Fluent Bit, Fluentd, Docker's fluentd driver, the fluent-loggers of all languages.

    sources:
      fluent: {type: fluent_forward, tcp: "0.0.0.0:24224"}

A chunk with an identifier is acknowledged after its commit, and is not stored again if it comes again within 24 hours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field, SecretStr, model_validator

from ...plugins import Batch, Need, Outlet, Source, hookimpl, now_ns
from ..network import Address, Gatherer, Listeners, StreamConfig, TlsConfig, streams, tcp_and_tls
from .frames import Message, read_messages
from .server import Server


class FluentForwardConfig(StreamConfig):
    """Settings of a source of the forward protocol: at least one address."""

    tcp: Address | None = None
    """Address for TCP."""
    tls: TlsConfig | None = None
    """Address and certificate for TLS."""
    shared_key: SecretStr | None = None
    """The key that clients must know; not set: clients need none, and there is no handshake."""
    max_frame: int = Field(67_108_864, ge=65_536, le=1_073_741_824)
    """Bytes of a chunk as it comes, and decompressed; a longer one ends the connection, or is cut when decompressed."""

    @model_validator(mode="after")
    def _listens(self) -> FluentForwardConfig:
        if not (self.tcp or self.tls):
            raise ValueError("a fluent_forward source needs an address: tcp or tls")
        return self


class FluentForward(Source[FluentForwardConfig]):
    """Take in what Fluentd and Fluent Bit forward: records become fields, the tag `fluent.tag`.

    The tag is also the service of records that name none.
    """

    _listeners: Listeners | None = None

    def needs(self) -> Sequence[Need]:
        """Its addresses and its certificate."""
        return tcp_and_tls(self.config.tcp, self.config.tls)

    async def run(self, outlet: Outlet) -> None:
        """Listen until cancelled.

        :raises RetryableError: somebody else has an address
        :raises FatalError: an address cannot be had, or a certificate cannot be used
        """
        config = self.config
        gatherer = Gatherer(outlet, self._read)
        key = config.shared_key.get_secret_value() if config.shared_key else ""
        server = Server(outlet, gatherer, self._read, key=key, most=config.max_frame)
        listeners = streams(config.tcp, config.tls, config, server.serve, outlet.source)
        self._listeners = Listeners([gatherer], listeners)
        await self._listeners.run()

    def _read(self, messages: Sequence[Message]) -> Batch:
        return read_messages(messages, now_ns(), self.config.max_frame)

    @property
    def counts(self) -> Mapping[str, int]:
        """What was lost or turned away."""
        return self._listeners.counts if self._listeners else {}


@hookimpl
def cordwood_plugins() -> list[type[FluentForward]]:
    """The source of the forward protocol."""
    return [FluentForward]
