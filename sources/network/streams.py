"""Connections over TCP and TLS, within bounds: how many, how long they may be silent, how long a frame may take."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
from anyio.abc import ByteStream, SocketAttribute, SocketStream, TaskStatus
from anyio.streams.tls import TLSStream
from pydantic import Field

from ...plugins import Duration, FatalError, PluginConfig, ProjectConfig, duration_ns
from .address import Address, host_port, no_listener

READ = 256 * 1024
"""Bytes read at once, at most."""
_HANDSHAKE_S = 10.0
_SEND_S = 30.0  # for an answer: a peer that does not read it has no use for the connection
_QUIET_S = 10.0  # between two complaints of one kind: anybody can cause them
_GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)
_log = logging.getLogger(__name__)


class TlsFiles(PluginConfig):
    """A server's certificate, as PEM files."""

    cert_file: Path
    """The server's certificate, with those between it and its root."""
    key_file: Path
    """Its private key, without a passphrase."""
    client_ca_file: Path | None = None
    """Roots of clients' certificates: only clients that show one are served."""


class TlsConfig(TlsFiles):
    """Where to listen with TLS, and with which certificate."""

    listen: Address
    """The address, such as `0.0.0.0:6514`."""


class StreamConfig(ProjectConfig):
    """Settings of every source that takes connections."""

    max_connections: int = Field(1000, ge=1, le=100_000)
    """Connections at once; further ones are closed as they come, and counted."""
    idle: Duration = "1h"
    """How long a connection may be silent between two messages; then it is closed."""
    unfinished: Duration = "30s"
    """How long a message may take from its first byte on; then it counts as it is, and the connection ends."""


class Connection:
    """One peer, and the clock that watches it."""

    def __init__(
        self, stream: ByteStream, peer: str, config: StreamConfig, complain: Callable[[str, str], None]
    ) -> None:
        self._stream, self.complain = stream, complain
        self.peer = peer
        self._idle_s, self._unfinished_s = duration_ns(config.idle) / 1e9, duration_ns(config.unfinished) / 1e9
        self._since: float | None = None

    async def receive(self) -> bytes:
        """The next bytes; empty: the peer has gone, or was silent for too long."""
        until = time.monotonic() + self._idle_s if self._since is None else self._since + self._unfinished_s
        with anyio.move_on_after(max(0.0, until - time.monotonic())):
            try:
                return await self._stream.receive(READ)
            except ssl.SSLError as why:
                self.complain("tls", f"TLS with {self.peer}: {tls_reason(why)}")
            except _GONE:
                pass
        return b""

    def mark(self, *, unfinished: bool, progress: bool) -> None:
        """Say after each read whether the first part of a message is there, and whether a whole one came."""
        if not unfinished:
            self._since = None
        elif progress or self._since is None:
            self._since = time.monotonic()

    async def send(self, data: bytes) -> bool:
        """Answer; False: the peer has gone or does not read."""
        with anyio.move_on_after(_SEND_S):
            try:
                await self._stream.send(data)
                return True
            except _GONE:
                pass
        return False

    async def close(self) -> None:
        """End the connection now; whoever receives gets nothing more."""
        await anyio.aclose_forcefully(self._stream)


def streams(
    tcp: str | None, tls: TlsConfig | None, config: StreamConfig, serve: Callable[[Connection], Awaitable[None]],
    source: str,
) -> list[Streams]:  # fmt: skip
    """A listener for each address that is set, plain and encrypted."""
    plain = [Streams(tcp, config, serve, source)] if tcp else []
    return plain + ([Streams(tls.listen, config, serve, source, tls)] if tls else [])


class Streams:
    """Listens at an address, and lets `serve` speak with each peer in a task of its own."""

    def __init__(
        self, address: str, config: StreamConfig, serve: Callable[[Connection], Awaitable[None]], source: str,
        tls: TlsConfig | None = None,
    ) -> None:  # fmt: skip
        self._address, self._config, self._serve, self._source = address, config, serve, source
        self._tls = tls
        self._open = 0
        self._said: dict[str, tuple[float, int]] = {}
        self.refused = 0
        """Connections closed at once, for there were as many as there may be."""
        self.failed_handshakes = 0

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Listen until cancelled.

        :raises RetryableError: somebody else has the address
        :raises FatalError: it cannot be had, or the certificate cannot be used
        """
        context = context_of(self._tls) if self._tls else None
        host, port = host_port(self._address)
        try:
            listener = await anyio.create_tcp_listener(local_host=host, local_port=port, backlog=1024)
        except OSError as why:
            raise no_listener(f"tcp {self._address}", why) from why
        async with listener:
            task_status.started()
            await listener.serve(lambda stream: self._take(stream, context))

    async def _take(self, stream: SocketStream, context: ssl.SSLContext | None) -> None:
        peer = "?"
        try:
            async with stream:
                if self._open >= self._config.max_connections:
                    self.refused += 1
                    self._complain(
                        "full", f"a connection was closed: there are {self._open} already; raise max_connections"
                    )
                    return
                self._open += 1
                try:
                    peer = str(stream.extra(SocketAttribute.remote_address)[0])  # noqa: S610 - anyio's
                    over = stream if context is None else await self._secured(stream, peer, context)
                    if over is not None:
                        await self._serve(Connection(over, peer, self._config, self._complain))
                finally:
                    self._open -= 1
        except _GONE:  # while closing
            pass

    async def _secured(self, stream: SocketStream, peer: str, context: ssl.SSLContext) -> TLSStream | None:
        """The connection with TLS; None: it did not come about."""
        why = f"the client did not finish the handshake within {_HANDSHAKE_S:.0f} s"
        with anyio.move_on_after(_HANDSHAKE_S):
            try:
                return await TLSStream.wrap(stream, server_side=True, ssl_context=context, standard_compatible=False)
            except (*_GONE, ssl.SSLError) as error:
                cause = error.__cause__ if isinstance(error.__cause__, ssl.SSLError) else error
                why = tls_reason(cause)
        self.failed_handshakes += 1
        self._complain("tls", f"TLS with {peer}: {why}")
        return None

    def _complain(self, kind: str, message: str) -> None:
        """A warning, at most one of a kind in ten seconds."""
        at, left_out = self._said.get(kind, (-_QUIET_S, 0))
        if (now := time.monotonic()) - at < _QUIET_S:
            self._said[kind] = at, left_out + 1
            return
        self._said[kind] = now, 0
        more = f" ({left_out} more like this since the last)" if left_out else ""
        _log.warning("source %s at %s: %s%s", self._source, self._address, message, more)


def tls_reason(why: BaseException) -> str:
    """Which side did not want the other, and why."""
    reason = (getattr(why, "reason", None) or "").replace("_", " ").lower()
    if isinstance(why, ssl.SSLCertVerificationError):
        return f"we refuse the client's certificate: {why.verify_message}"
    if "peer did not return a certificate" in reason:
        return "we refuse the client: it has no certificate, and client_ca_file asks for one"
    if "alert" in reason:
        said = reason.partition("alert ")[2] or reason
        hint = "; does it know the authority of our certificate?" if "unknown ca" in said else ""
        return f"the client refuses us: {said}{hint}"
    if reason in ("wrong version number", "http request", "unknown protocol", "packet length too long"):
        return f"what the client sends is no TLS ({reason})"
    if reason:
        return f"we refuse the client: {reason}"
    return "the client closed the connection in the handshake"


def context_of(tls: TlsFiles) -> ssl.SSLContext:
    """TLS 1.2 or newer, with this certificate.

    :raises FatalError: a file is not there, or is no such thing
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Who never reads closes over unread tickets: its system then resets the connection, and the last messages are lost.
    context.num_tickets = 0
    try:
        # Without a function for it, OpenSSL would ask the terminal for a passphrase.
        context.load_cert_chain(tls.cert_file, tls.key_file, password=lambda: "")
    except (OSError, ValueError) as why:
        raise FatalError(f"the certificate {tls.cert_file} with the key {tls.key_file} cannot be used: {why}") from why
    if tls.client_ca_file is not None:
        try:
            context.load_verify_locations(tls.client_ca_file)
        except (OSError, ValueError) as why:
            raise FatalError(f"the authority {tls.client_ca_file} cannot be used: {why}") from why
        context.verify_mode = ssl.CERT_REQUIRED
    return context
