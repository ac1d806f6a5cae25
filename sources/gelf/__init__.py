"""GELF: what Graylog's clients send, over UDP, TCP, TLS and HTTP.

    sources:
      graylog: {type: gelf, udp: "0.0.0.0:12201", tcp: "0.0.0.0:12201"}

`POST /gelf` on Cordwood's own port works without an entry in the YAML.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar

import anyio
from pydantic import Field

from ...plugins import (
    Batch,
    HttpRequest,
    HttpResponse,
    HttpSource,
    Need,
    Outlet,
    ProjectName,
    RejectedError,
    half_the_cores,
    hookimpl,
    in_worker,
    now_ns,
)
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
    socket_free,
    streams,
    tcp_and_tls,
)
from .chunks import Chunks, is_packed, unpack
from .documents import read_documents


class GelfConfig(StreamConfig):
    """Settings of a GELF source; without an address, only `POST /gelf` is served."""

    project: ProjectName = "default"
    """The project of what comes to these addresses; until there is one, nobody listens there. HTTP: the token's."""
    tcp: Address | None = None
    """Address for TCP; a NUL ends a message."""
    udp: Address | None = None
    """Address for UDP: plain, gzip or zlib, in chunks or not."""
    tls: TlsConfig | None = None
    """Address and certificate for TLS."""
    max_frame: int = Field(1_048_576, ge=8192, le=16_777_216)
    """Bytes of a message, decompressed, about; a longer one is cut, and kept as a text with `parse_error`."""


class Gelf(HttpSource[GelfConfig]):
    """Take GELF messages in; `_user` becomes the field `user`, `_service` the service, `level` the severity."""

    routes: ClassVar = [("POST", "/gelf")]
    _listeners: Listeners | None = None

    def __init__(self, config: GelfConfig) -> None:
        super().__init__(config)
        self._threads = half_the_cores()
        self._chunks = Chunks()

    async def receive(self, request: HttpRequest, outlet: Outlet) -> HttpResponse:
        """Answer 202 after the commit, as Graylog does; a body may hold several messages, a line each.

        :raises RejectedError: the body does not begin as JSON
        :raises RetryableError: the store does not answer
        """
        body = request.body.strip()
        if not body.startswith(b"{"):
            raise RejectedError("the body is no GELF message; send a JSON object, or several, a line each")
        batch = await in_worker(_of_request, body, limiter=self._threads)
        await (await outlet.send(batch, received=len(request.body))).committed()
        return HttpResponse(202)

    def needs(self) -> Sequence[Need]:
        """Its addresses and its certificate."""
        config = self.config
        datagrams = [socket_free("udp", config.udp, open_udp)] if config.udp else []
        return [*datagrams, *tcp_and_tls(config.tcp, config.tls)]

    async def run(self, outlet: Outlet) -> None:
        """Listen until cancelled.

        :raises RetryableError: somebody else has an address
        :raises FatalError: an address cannot be had, or a certificate cannot be used
        """
        config = self.config

        def read(items: Sequence[bytes]) -> Batch:
            return read_documents(items, now_ns())

        gatherer, held = Gatherer(outlet, read), Gatherer(outlet, read, holds=True)

        async def put(documents: bytes, into: Gatherer[bytes] = gatherer) -> None:
            await into.put(documents, len(documents), documents.count(b"\0") + 1)

        async def serve(connection: Connection) -> None:
            framing = Documents(config.max_frame)
            while data := await connection.receive():
                if documents := framing.feed(data):
                    await put(documents)
                connection.mark(unfinished=framing.unfinished, progress=bool(documents))
            if rest := framing.end():
                await put(rest)

        async def take(burst: Sequence[tuple[bytes, str]]) -> None:
            waiting = deque(whole for data, peer in burst if (whole := self._chunks.add(data, peer)))
            while waiting:
                if any(map(is_packed, waiting)):
                    found = await in_worker(unpack, waiting, config.max_frame, limiter=self._threads)
                else:
                    found = unpack(waiting, config.max_frame)
                await put(b"\0".join(found), held)

        listeners: list[Streams | Datagrams] = []
        if config.udp:
            listeners.append(Datagrams(partial(open_udp, config.udp), take))
        listeners += streams(config.tcp, config.tls, config, serve, outlet.source)
        if not listeners:
            outlet.started()
            await anyio.sleep_forever()
        self._listeners = Listeners([gatherer, held], listeners)
        await self._listeners.run()

    @property
    def counts(self) -> Mapping[str, int]:
        """What was lost or turned away."""
        if self._listeners is None:
            return {}
        return {**self._listeners.counts, "incomplete_messages": self._chunks.incomplete}


class Documents:
    """Cuts a stream at NULs. A document that is longer than `most` is cut, and its rest skipped."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._buffer = bytearray()
        self._skipping = False

    @property
    def unfinished(self) -> bool:
        """Whether the first part of a document is there."""
        return bool(self._buffer) or self._skipping

    def feed(self, data: bytes) -> bytes:
        """The documents that are complete now, with NULs between them."""
        if self._skipping:
            _, end, data = data.partition(b"\0")
            self._skipping = not end
        self._buffer += data
        end_at = self._buffer.rfind(b"\0") + 1
        if not end_at and len(self._buffer) > self._most:
            end_at, self._skipping = self._most, True
        documents = bytes(self._buffer[:end_at])
        del self._buffer[: len(self._buffer) if self._skipping else end_at]
        return documents.strip(b"\0")

    def end(self) -> bytes:
        """What is left when the connection ends."""
        return bytes(self._buffer)


def _of_request(body: bytes) -> Batch:
    """The events of a body: one document, maybe over several lines, or a document a line."""
    lines = body.split(b"\n")
    apart = len(lines) > 1 and lines[0].rstrip().endswith(b"}")
    return read_documents([line for line in lines if line.strip()] if apart else [body], now_ns())


@hookimpl
def cordwood_plugins() -> list[type[Gelf]]:
    """The GELF source."""
    return [Gelf]
