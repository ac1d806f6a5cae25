"""The web server of this process: uvicorn, in our event loop, with our signals."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import anyio
import uvicorn
from uvicorn.protocols.http import httptools_impl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveEvent

from ..plugins import ConfigError

# Bytes of a body that uvicorn keeps for us before it stops reading the socket. Its own 64 KiB are less than one read,
# so that it would stop and start again for every read of a large body; and it copies all that it keeps for each read.
httptools_impl.HIGH_WATER_LIMIT = 1 << 18  # type: ignore[attr-defined] # there is no setting for it

GRACE_S = 3
"""Seconds that requests have to finish at a stop; live tails are ended, and what takes longer is cut."""
PATIENCE_S = 30
"""Seconds that a peer has to send a request's head, from the connection or its first byte on, and that a body may keep
us waiting, all its pauses together, beyond the time that its bytes take at `SLOWEST`."""
SLOWEST = 240
"""Bytes a second."""
IDLE_S = 75
"""Seconds that a connection may be idle after an answer."""
MOST_HEAD = 64 * 1024
"""Bytes of a head, and those of one read more. The parser has no bound."""

_BUSY = b"too many connections; try again\n"
_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nRetry-After: 1\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_BUSY), _BUSY)
)
_SLOW, _LARGE_HEAD = b"408 Request Timeout", b"431 Request Header Fields Too Large"


class _Requests(RequestResponseCycle):
    """A request that came whole is taken, also if its sender left without waiting for the answer, as pygelf does.

    One that does not come on is given up.
    """

    _whole = False
    _waited = 0.0

    async def receive(self) -> ASGIReceiveEvent:
        """The next of the body; only what comes after its end, or in place of it, is that the client has gone."""
        message = await (self._in_time() if self.more_body else super().receive())
        if message["type"] == "http.disconnect" and self.disconnected and not (self.more_body or self._whole):
            body, self.body = bytes(self.body), bytearray()
            message = {"type": "http.request", "body": body, "more_body": False}
        if message["type"] == "http.request":
            self._whole = not message["more_body"]
        return message

    async def _in_time(self) -> ASGIReceiveEvent:
        """The next of a body that has not ended; a sender that is too slow is cut off, which ends the waiting."""
        loop = asyncio.get_running_loop()
        began, protocol = loop.time(), self.transport.get_protocol()
        assert isinstance(protocol, _Protocol)
        over = loop.call_later(PATIENCE_S - self._waited, protocol.cut, b"" if self.response_started else _SLOW)
        try:
            message = await super().receive()
        finally:
            over.cancel()
        came = len(message["body"]) if message["type"] == "http.request" else 0
        self._waited = max(0.0, self._waited + loop.time() - began - came / SLOWEST)
        return message


httptools_impl.RequestResponseCycle = _Requests  # type: ignore[misc] # there is no setting for it


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol with at most so many connections, heads of a size, and peers that do not keep it waiting.

    Of too many connections the one that is idle the longest goes: browsers keep six each. uvicorn's own limit, once
    reached, refuses all requests.
    """

    most: int | None
    refused: Callable[[str], None]
    idle: dict[_Protocol, None]  # the server's, the longest idle first
    _in_head = False
    _head = 0
    _over: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.most is None or len(self.connections) <= self.most or self._has_closed_an_idle_one():
            self._wait_for_head()
        else:
            self.refused("connections")
            transport.write(_REFUSAL)
            transport.close()

    def _has_closed_an_idle_one(self) -> bool:
        one = next((one for one in self.idle if not one.transport.is_closing()), None)
        if one is not None:
            one.transport.close()
        return one is not None

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:
            self.idle[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.idle.pop(self, None)
        self._wait_no_more()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head = True, 0

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._in_head = False
        self._wait_no_more()

    def data_received(self, data: bytes) -> None:
        self.idle.pop(self, None)
        self._head += len(data)  # where a head begins in what came, it counts from there on, and not this read
        super().data_received(data)
        if self._in_head and self._head > MOST_HEAD:
            self.cut(_LARGE_HEAD)
        elif self._over is None and (self._in_head or self.cycle is None or self.cycle.response_complete):
            self._wait_for_head()

    def cut(self, status: bytes) -> None:
        """End the connection, with this answer where it is not empty."""
        if self.transport.is_closing():
            return
        self.refused("request_head" if status == _LARGE_HEAD else "request_time")
        if status:
            self.transport.write(b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" % status)
        self.transport.close()

    def _wait_for_head(self) -> None:
        if self.transport.get_protocol() is self:  # a WebSocket has a protocol of its own
            self._over = self.loop.call_later(PATIENCE_S, self._head_is_late)

    def _head_is_late(self) -> None:
        if self._in_head:
            self.cut(_SLOW)
        else:  # it asked for no answer: browsers connect ahead of their requests
            self.transport.close()

    def _wait_no_more(self) -> None:
        if self._over is not None:
            self._over.cancel()
            self._over = None


class WebServer(uvicorn.Server):
    """A uvicorn that leaves signals to us, and says when it listens.

    :param connections: how many there may be at once
    :param refused: called with the name of the limit for each peer that is refused or cut off
    """

    def __init__(
        self,
        app: Any,
        *,
        connections: int | None = None,
        refused: Callable[[str], None] = lambda _: None,
        **options: Any,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="none",
                http=type(
                    "Protocol", (_Protocol,), {"most": connections, "refused": staticmethod(refused), "idle": {}}
                ),
                ws="websockets-sansio",
                ws_max_size=64 * 1024,  # nobody who follows has to say anything
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=IDLE_S,
                timeout_graceful_shutdown=GRACE_S,
                **options,
            )
        )
        self._app = app
        self.listens = anyio.Event()
        self.stopping = anyio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the caller's."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets=sockets)
        self.listens.set()

    def stop(self) -> None:
        """Accept nothing new, finish what runs (live tails are ended), then end `serve`."""
        self.should_exit = True
        self._app.stop()
        self.stopping.set()


def bound(host: str, port: int) -> socket.socket:
    """A socket bound to the address, not yet listening, so that nobody connects before we are ready.

    :raises ConfigError: the port is taken, or the address is none of this machine
    """
    name = host.strip("[]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as why:
        raise ConfigError(f"the host {host} has no address: {why}", hint="choose another with --host") from None
    bound_socket = socket.socket(family, kind, protocol)
    try:
        bound_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound_socket.bind(address)
    except OSError as why:
        bound_socket.close()
        what = f"the address {host} port {port} cannot be used"
        hint = (
            "stop who listens there, or choose another with --port"
            if why.errno == errno.EADDRINUSE
            else "choose another --host"
        )
        raise ConfigError(f"{what}: {why.strerror}", hint=hint) from None
    return bound_socket


def url_of(host: str, port: int) -> str:
    """The URL to reach a server that is bound there, from this machine."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host.strip("[]"), host)  # noqa: S104
    return f"http://[{name}]:{port}" if ":" in name and not name.startswith("[") else f"http://{name}:{port}"
