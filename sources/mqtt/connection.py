"""A connection to a broker: TLS, the handshake of MQTT, packets in and out, and a clock that watches it."""

from __future__ import annotations

import math
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import anyio
from anyio.abc import ByteStream
from anyio.streams.tls import TLSStream

from ...plugins import FatalError
from . import packets
from .packets import Accepted, Framing, MalformedError, Packet

READ = 256 * 1024
"""Bytes read at once, at most."""
_CONNECT_S = 15.0  # for the connection, TLS and the broker's answer together
_SEND_S = 30.0
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError, ssl.SSLError)


class GoneError(Exception):
    """The connection has ended, or never came about; the message says why. `refused`: the broker does not want us."""

    def __init__(self, message: str, *, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


class OldBrokerError(GoneError):
    """The broker does not speak version 5."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it is."""

    host: str
    port: int
    secure: bool

    @classmethod
    def of(cls, url: str) -> Broker:
        """Read an URL.

        >>> Broker.of("mqtts://broker.example")
        Broker(host='broker.example', port=8883, secure=True)

        :raises ValueError: it is none
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/") or parts.query:
            raise ValueError(f"{url!r} is no address of a broker; write mqtt://HOST:PORT or mqtts://HOST:PORT")
        if parts.username is not None or parts.password is not None:
            raise ValueError("write username and password as settings of their own, not in the url")
        return cls(parts.hostname, parts.port or _PORTS[parts.scheme], parts.scheme == "mqtts")


def secured(ca: Path | None, cert: Path | None, key: Path | None) -> ssl.SSLContext:
    """TLS that knows these authorities (or the system's), and shows this certificate. Blocking.

    :raises FatalError: a file is not there, or is no such thing
    """
    try:
        context = ssl.create_default_context(cafile=ca)
        if cert is not None:
            # Without a function for it, OpenSSL would ask the terminal for a passphrase.
            context.load_cert_chain(cert, key, password=lambda: "")
    except (OSError, ValueError) as why:
        files = ", ".join(str(path) for path in (ca, cert, key) if path)
        raise FatalError(f"the certificates {files} cannot be used: {why}") from why
    return context


class Connection:
    """An open connection after the handshake. Use it as a context: leaving takes leave of the broker and closes."""

    def __init__(self, stream: ByteStream, most: int, *, v5: bool) -> None:
        self._stream = stream
        self._framing = Framing(most)
        self._sending = anyio.Lock()
        self._early: list[Packet] = []
        self._greeted = False
        self.v5 = v5
        self.silence_s = math.inf
        """So long the broker may be silent, which is pinged more often."""

    @classmethod
    async def open(
        cls, broker: Broker, context: ssl.SSLContext | None, hello: bytes, most: int, *, v5: bool
    ) -> tuple[Connection, Accepted]:
        """Connect, and send `hello`, which is a CONNECT.

        :param most: bytes of a packet
        :raises GoneError: the broker is not there, or does not want us
        """
        stream: ByteStream | None = None
        try:
            with anyio.fail_after(_CONNECT_S):
                stream = await _connected(broker, context)
                connection = cls(stream, most, v5=v5)
                await connection.send(hello)
                (first, *connection._early) = await connection._packets()
                accepted = packets.read_connack(first, v5=v5)
            if accepted.code:
                error = OldBrokerError if v5 and accepted.code in (1, 0x84) else GoneError
                raise error(f"the broker refuses us: {accepted.said}", refused=True)
            stream = None
            return connection, accepted
        except TimeoutError:
            raise GoneError(f"the broker did not answer within {_CONNECT_S:.0f} s") from None
        except MalformedError as why:
            raise GoneError(f"what answers is no MQTT broker: {why}", refused=True) from None
        finally:
            if stream is not None:
                await anyio.aclose_forcefully(stream)

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(self, *_: object) -> None:
        with anyio.CancelScope(shield=True), anyio.move_on_after(1):
            await self.send(packets.LEAVE)
        with anyio.CancelScope(shield=True):
            await self.close()

    async def receive(self) -> list[Packet]:
        """The next packets, at least one.

        :raises GoneError: the connection has ended, or the broker is silent
        :raises MalformedError: what comes is no MQTT
        """
        if self._early:
            early, self._early = self._early, []
            return early
        with anyio.move_on_after(self.silence_s):
            return await self._packets()
        raise GoneError(f"the broker was silent for {self.silence_s:.0f} s")

    async def _packets(self) -> list[Packet]:
        while True:
            try:
                data = await self._stream.receive(READ)
            except _GONE as why:
                raise GoneError(f"the connection was lost{_words(why)}") from why
            if not self._greeted and data[0] >> 4 != packets.CONNACK:
                raise MalformedError("its first packet is no CONNACK")
            self._greeted = True
            if found := self._framing.feed(data):
                return found

    async def send(self, data: bytes) -> None:
        """Send; a broker that is gone or does not read is noticed by `receive`."""
        try:
            with anyio.fail_after(_SEND_S):
                async with self._sending:
                    await self._stream.send(data)
        except TimeoutError:
            await self.close()
        except _GONE:
            pass

    async def close(self) -> None:
        """End the connection now; whoever receives is told."""
        await anyio.aclose_forcefully(self._stream)

    async def subscribe(self, wanted: Sequence[str], gone: Sequence[str], qos: int, *, retained: bool) -> None:
        """Give up the topics `gone`, and subscribe to those that are wanted. Messages that come meanwhile are kept.

        :raises GoneError: the connection has ended, or a topic is refused
        :raises MalformedError: what comes is no MQTT
        """
        if gone:
            await self.send(packets.unsubscribe(1, gone, v5=self.v5))
        await self.send(packets.subscribe(2, wanted, qos, v5=self.v5, retained=retained))
        codes: list[int] | None = None
        kept: list[Packet] = []
        with anyio.move_on_after(_CONNECT_S):
            while codes is None:
                for packet in await self.receive():
                    if packet.kind == packets.SUBACK:
                        codes = packets.read_suback(packet, v5=self.v5)
                    else:
                        kept.append(packet)
        if codes is None:
            raise GoneError(f"the broker did not answer SUBSCRIBE within {_CONNECT_S:.0f} s")
        self._early = [*kept, *self._early]
        refused = [f"{topic} ({packets.reason(code)})" for topic, code in zip(wanted, codes, strict=False) if code > 2]
        if refused:
            raise GoneError(f"the broker refuses a subscription to {', '.join(refused)}", refused=True)


async def _connected(broker: Broker, context: ssl.SSLContext | None) -> ByteStream:
    """The connection, with TLS where there is a context.

    :raises GoneError: nobody is there, or one side does not want the other's certificate
    """
    try:
        stream = await anyio.connect_tcp(broker.host, broker.port)
    except OSError as why:
        raise GoneError(f"nobody is there{_words(why)}") from why
    if context is None:
        return stream
    secure: TLSStream | None = None
    try:
        secure = await TLSStream.wrap(
            stream, hostname=broker.host, ssl_context=context, standard_compatible=False, server_side=False
        )
        return secure
    except _GONE as why:
        raise GoneError(f"TLS{_words(why)}") from why
    finally:
        if secure is None:  # also where the broker never ends the handshake
            await anyio.aclose_forcefully(stream)


def _words(why: BaseException) -> str:
    """The cause, as the end of a sentence."""
    cause = why.__cause__ if isinstance(why.__cause__, ssl.SSLError) else why
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f": we refuse the broker's certificate: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        said = (cause.reason or "").replace("_", " ").lower()
        return f": the broker refuses us: {said.partition('alert ')[2]}" if "alert" in said else f": {said}"
    if isinstance(cause, OSError) and cause.strerror:
        return f": {cause.strerror}"
    return f": {cause}" if str(cause) else ""
