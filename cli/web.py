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


_BUSY = b"too many connections; try again\n"
_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nRetry-After: 1\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_BUSY), _BUSY)
)


class _WholeRequests(RequestResponseCycle):
    """A request that came whole is taken, also if its sender left without waiting for the answer, as pygelf does."""

    _whole = False

    async def receive(self) -> ASGIReceiveEvent:
        """The next of the body; only what comes after its end, or in place of it, is that the client has gone."""
        message = await super().receive()
        if message["type"] == "http.disconnect" and self.disconnected and not (self.more_body or self._whole):
            body, self.body = bytes(self.body), bytearray()
            message = {"type": "http.request", "body": body, "more_body": False}
        if message["type"] == "http.request":
            self._whole = not message["more_body"]
        return message


httptools_impl.RequestResponseCycle = _WholeRequests  # type: ignore[misc] # there is no setting for it


def _protocol(most: int | None, refused: Callable[[], None]) -> type[HttpToolsProtocol]:
    """uvicorn's protocol with at most so many connections: uvicorn's own limit, once reached, refuses all requests."""

    class Protocol(HttpToolsProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if most is not None and len(self.connections) > most:
                refused()
                transport.write(_REFUSAL)
                transport.close()

    return Protocol


class WebServer(uvicorn.Server):
    """A uvicorn that leaves signals to us, and says when it listens.

    :param connections: how many there may be at once; `refused` is called for each one more.
    """

    def __init__(
        self, app: Any, *, connections: int | None = None, refused: Callable[[], None] = lambda: None, **options: Any
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="none",
                http=_protocol(connections, refused),
                ws="websockets-sansio",
                ws_max_size=64 * 1024,  # nobody who follows has to say anything
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=75,
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
