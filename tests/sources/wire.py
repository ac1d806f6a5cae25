"""What the tests of wire formats share: requests without a server, the events they become, and a server with a user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from cordwood.plugins import HttpRequest, HttpResponse, HttpSource
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore


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
