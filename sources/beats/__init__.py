"""Filebeat and the other Beats, Elastic Agent, Logstash: whatever sends to a Logstash by Lumberjack, version 2.

    sources:
      beats: {type: beats, tcp: "0.0.0.0:5044"}

Each window is acknowledged after its commit: `output.logstash` points here instead of at a Logstash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field, model_validator

from ...plugins import Batch, Need, Outlet, Source, adopt, hookimpl, now_ns, read_lines, read_ndjson
from ..network import Address, Gatherer, Listeners, StreamConfig, TlsConfig, streams, tcp_and_tls
from .server import Documents, Server

_NAMES = {"trace.id": "trace_id", "span.id": "span_id"}


class BeatsConfig(StreamConfig):
    """Settings of a source of Beats: at least one address."""

    tcp: Address | None = None
    """Address for TCP, such as `0.0.0.0:5044`."""
    tls: TlsConfig | None = None
    """Address and certificate for TLS."""
    max_frame: int = Field(67_108_864, ge=65_536, le=1_073_741_824)
    """Bytes of an event or of a compressed frame, as it comes and decompressed; a longer one ends the connection."""

    @model_validator(mode="after")
    def _listens(self) -> BeatsConfig:
        if not (self.tcp or self.tls):
            raise ValueError("a beats source needs an address: tcp or tls")
        return self


class Beats(Source[BeatsConfig]):
    """Take in what Beats send to Logstash; the fields of the Elastic Common Schema keep their names."""

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
        gatherer = Gatherer(outlet, read_documents)
        server = Server(gatherer, config.max_frame)
        listeners = streams(config.tcp, config.tls, config, server.serve, outlet.source)
        self._listeners = Listeners([gatherer], listeners)
        await self._listeners.run()

    @property
    def counts(self) -> Mapping[str, int]:
        """What was lost or turned away."""
        return self._listeners.counts if self._listeners else {}


def read_documents(windows: Sequence[Documents]) -> Batch:
    """An event a document, in order. What is no JSON object is kept as a message, with `parse_error`."""
    documents = [document for window in windows for document in window]
    body = b"\n".join(documents)
    observed = now_ns()
    plain = body.count(b"\n") == len(documents) - 1
    return adopt(read_ndjson(body, observed) if plain else read_lines(documents, observed), _NAMES)


@hookimpl
def cordwood_plugins() -> list[type[Beats]]:
    """The source of Beats."""
    return [Beats]
