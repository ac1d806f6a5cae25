"""What the tests of wire formats share: requests without a server, the events they become, and a server with a user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from cordwood.plugins import HttpRequest, HttpResponse, HttpSource
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore

from ..conftest import Server, data_folder


def request(
    path: str, body: bytes = b"", method: str = "POST", *, headers: Mapping[str, str] | None = None, **params: str
) -> HttpRequest:
    """A request as the web room hands it over; `params` are the parts of its path."""
    plain, _, query = path.partition("?")
    return HttpRequest(method, plain, params, dict(parse_qsl(query)), dict(headers or {}), body)


async def received(source: HttpSource[Any], asked: HttpRequest) -> tuple[HttpResponse, list[dict[str, Any]]]:
    """The answer, and the events that were stored, without the times of arrival."""
    store = MemoryStore()
    answer = await source.receive(replace(asked), MemoryOutlet(store))
    events = [event for batch in store.batches for event in batch.events()]
    for event in events:
        event.pop("observed_timestamp")
    return answer, events


def field(number: int, value: bytes | int) -> bytes:
    """A field of protobuf."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


@contextmanager
def serving(config: str | None = None, environment: dict[str, str] | None = None) -> Iterator[Server]:
    """A server of one's own, for a module's tests to share."""
    with data_folder() as folder:
        server = Server(folder, config, environment)
        try:
            server.start()
            yield server
        finally:
            if server.process is not None and server.process.poll() is None:
                server.stop()
            for path in (server.log, server.config):
                if path:
                    path.unlink(missing_ok=True)
