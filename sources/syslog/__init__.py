"""Syslog over UDP, TCP, TLS and a Unix socket: RFC 5424, and RFC 3164 as devices and programs really write it.

    sources:
      devices: {type: syslog, udp: "0.0.0.0:514", tcp: "0.0.0.0:601"}

Syslog knows no acknowledgement. What was read from a connection is kept in memory until it is committed, and sent again
where the store fails; a peer over TCP waits while there is no room. Those of UDP and of a Unix socket cannot wait: what
the store does not take is kept on the disk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from ...plugins import Batch, Need, Outlet, Source, hookimpl, now_ns
from ..network import (
    Address,
    Connection,
    Datagrams,
    Gatherer,
    Listeners,
    StreamConfig,
    Streams,
    TlsConfig,
    open_udp,
    open_unix,
    socket_free,
    streams,
    tcp_and_tls,
)
from .framing import Frames, Framing
from .parsing import read_frames


class SyslogConfig(StreamConfig):
    """Settings of a syslog source: at least one address."""

    tcp: Address | None = None
    """Address for TCP; messages are told apart by octet counts or line feeds, each as it comes (RFC 6587)."""
    udp: Address | None = None
    """Address for UDP."""
    tls: TlsConfig | None = None
    """Address and certificate for TLS."""
    unix: str | None = Field(None, min_length=1, max_length=100)
    """Path of a datagram socket, as `/dev/log` is one; every user of the machine may write to it."""
    timezone: ZoneInfo = ZoneInfo("UTC")
    """Zone of times that come without one."""
    max_frame: int = Field(262_144, ge=480, le=16_777_216)
    """Bytes of a message; the rest of a longer one is cut off, and `parse_error` says so."""

    @model_validator(mode="after")
    def _listens(self) -> SyslogConfig:
        if not (self.tcp or self.udp or self.tls or self.unix):
            raise ValueError("a syslog source needs an address: tcp, udp, tls or unix")
        return self


class Syslog(Source[SyslogConfig]):
    """Take syslog messages in: facility, severity, time, host, program, structured data become fields.

    The program is the service. Of a message without a host the sender's address is the host.
    """

    _listeners: Listeners | None = None

    def needs(self) -> Sequence[Need]:
        """Its addresses and its certificate."""
        config = self.config
        return [
            *([socket_free("udp", config.udp, open_udp)] if config.udp else []),
            *([socket_free("unix", config.unix, open_unix)] if config.unix else []),
            *tcp_and_tls(config.tcp, config.tls),
        ]

    async def run(self, outlet: Outlet) -> None:
        """Listen until cancelled.

        :raises RetryableError: somebody else has an address
        :raises FatalError: an address cannot be had, or a certificate cannot be used
        """
        config = self.config

        def read(items: Sequence[Frames]) -> Batch:
            return read_frames(items, now_ns(), config.timezone, config.max_frame)

        gatherer, held = Gatherer(outlet, read), Gatherer(outlet, read, holds=True)

        async def put(frames: Frames) -> None:
            await gatherer.put(frames, frames.size, frames.events)

        async def serve(connection: Connection) -> None:
            framing = Framing(connection.peer, config.max_frame)
            while data := await connection.receive():
                found = framing.feed(data)
                for frames in found:
                    await put(frames)
                connection.mark(unfinished=framing.unfinished, progress=bool(found))
            for frames in framing.end():
                await put(frames)

        async def take(burst: Sequence[tuple[bytes, str]]) -> None:
            by_peer: dict[str, list[bytes]] = {}
            for data, peer in burst:
                by_peer.setdefault(peer, []).append(data)
            for peer, datagrams in by_peer.items():
                frames = Frames(datagrams, peer)
                await held.put(frames, frames.size, frames.events)

        listeners: list[Streams | Datagrams] = []
        if config.udp:
            listeners.append(Datagrams(partial(open_udp, config.udp), take))
        if config.unix:
            listeners.append(Datagrams(partial(open_unix, config.unix), take))
        listeners += streams(config.tcp, config.tls, config, serve, outlet.source)
        self._listeners = Listeners([gatherer, held], listeners)
        await self._listeners.run()

    @property
    def counts(self) -> Mapping[str, int]:
        """What was lost or turned away."""
        return self._listeners.counts if self._listeners else {}


@hookimpl
def cordwood_plugins() -> list[type[Syslog]]:
    """The syslog source."""
    return [Syslog]
