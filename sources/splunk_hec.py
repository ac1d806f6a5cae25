"""Logs by Splunk's HTTP Event Collector: what logging libraries, Docker's driver and others send.

    curl -H 'Authorization: Splunk TOKEN' localhost:8080/services/collector \\
      -d '{"event": "disk full", "host": "web-1"}{"event": {"level": "warn", "message": "retrying"}}'
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, NoReturn
from uuid import UUID

import msgspec
import polars as pl

from ..plugins import (
    NOT_JSON,
    Batch,
    HttpRequest,
    HttpResponse,
    HttpSource,
    Outlet,
    PluginConfig,
    half_the_cores,
    hookimpl,
    in_worker,
    now_ns,
    read_ndjson,
    split_lines,
)
from ..plugins.times import parse_times

MAX_CHANNELS: Final = 10_000
"""Channels whose acknowledgements are known; of more, the one unused for longest is forgotten."""
_TEXTS = {
    0: "Success",
    2: "Token is required",
    3: "Invalid authorization",
    4: "Invalid token",
    5: "No data",
    6: "Invalid data format",
    8: "Internal server error",
    9: "Server is busy",
    10: "Data channel is missing",
    11: "Invalid data channel",
    12: "Event field is required",
    13: "Event field cannot be blank",
    15: "Error in handling indexed fields",
    17: "HEC is healthy",
    27: "Request entity too large",
}
"""Splunk's codes and what it says with them. Source: Splunk, "Troubleshoot HTTP Event Collector"."""
_CODES = {413: 27, 429: 9, 503: 9, 500: 8}
_META = ("host", "source", "sourcetype", "index")
_VERSIONS = ("", "/1.0")


class SplunkHecConfig(PluginConfig):
    """Settings of the Splunk endpoint."""


class _Event(msgspec.Struct, frozen=True):
    event: Any = msgspec.UNSET
    time: int | float | str | None = None
    host: str | None = None
    source: str | None = None
    sourcetype: str | None = None
    index: str | None = None
    fields: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """The events up to the first that is none; `code` and `number` say what it is, and which."""

    batch: Batch
    code: int = 0
    number: int = 0


class SplunkHec(HttpSource[SplunkHecConfig]):
    """Take events in by Splunk's HTTP Event Collector: `/services/collector`, `/event`, `/raw`, `/ack`, `/health`.

    An event that is text becomes the message, one that is an object becomes fields; `fields`, `sourcetype` and `index`
    are fields, `host` and `source` the standard ones. As with Splunk, events before one that is none are stored, and
    the answer says which it is. Who sends a channel gets an `ackId`, true as soon as it is given: every answer comes
    after the commit. Reading is a little Python an event, for objects follow each other without a separator.
    """

    routes: ClassVar = [
        *(("POST", f"/services/collector{path}{version}")
          for path in ("", "/event", "/raw") for version in _VERSIONS),
        ("POST", "/services/collector/ack"),
        *(("GET", f"/services/collector/health{version}") for version in _VERSIONS),
    ]  # fmt: skip

    def __init__(self, config: SplunkHecConfig) -> None:
        super().__init__(config)
        self._threads = half_the_cores()
        self._given: OrderedDict[str, int] = OrderedDict()  # channel → how many acknowledgements it was given

    def refusal(self, headers: Mapping[str, str], status: int, detail: str) -> HttpResponse:
        """`{"text", "code"}`."""
        if status == 401:
            shown = headers.get("authorization", "").split()
            code, status = (2, 401) if not shown else (4, 403) if len(shown) == 2 else (3, 401)
            return _answer(code, status)
        if status == 403:
            return HttpResponse(403, msgspec.json.encode({"text": detail, "code": 1}))
        return _answer(_CODES.get(status, 6), status)

    async def receive(self, request: HttpRequest, outlet: Outlet) -> HttpResponse:
        """Answer Splunk's success after the commit, or its code for what is wrong.

        :raises RetryableError: the store does not answer
        """
        path = request.path.removeprefix("/services/collector").removesuffix("/1.0")
        if path == "/health":
            return _answer(17)
        channel = request.headers.get("x-splunk-request-channel") or request.query.get("channel") or ""
        if channel and not _is_guid(channel):
            return _answer(11, 400)
        if path == "/ack":
            return self._acknowledged(request.body, channel) if channel else _answer(10, 400)
        if not request.body.strip():
            return _answer(5, 400)
        reader = read_raw if path == "/raw" else read_events
        read = await in_worker(reader, request.body, request.query, now_ns(), limiter=self._threads)
        if len(read.batch):
            await (await outlet.send(read.batch, received=len(request.body))).committed()
        if read.code:
            return _answer(read.code, 400, **{"invalid-event-number": read.number})
        return _answer(0, **({"ackId": self._next(channel)} if channel else {}))

    def _next(self, channel: str) -> int:
        number = self._given.pop(channel, 0)
        self._given[channel] = number + 1
        if len(self._given) > MAX_CHANNELS:
            self._given.popitem(last=False)
        return number

    def _acknowledged(self, body: bytes, channel: str) -> HttpResponse:
        try:
            asked = msgspec.json.decode(body, type=_Acks).acks
        except NOT_JSON:
            return _answer(6, 400)
        given = self._given.get(channel, 0)
        return HttpResponse(200, msgspec.json.encode({"acks": {str(number): 0 <= number < given for number in asked}}))


class _Acks(msgspec.Struct, frozen=True):
    acks: list[int]


def read_events(body: bytes, query: Mapping[str, str], observed: int) -> _Read:
    """The events of JSON objects behind each other, with or without space between them, or of an array of them."""
    events, whole = _objects(body)
    lines: list[bytes] = []
    code = 0
    for event in events:
        if code := _wrong(event):
            break
        lines.append(_line(event, query))
    if not code and not whole:
        code = 6
    return _Read(read_ndjson(b"\n".join(lines), observed), code, len(lines))


def read_raw(body: bytes, query: Mapping[str, str], observed: int) -> _Read:
    """An event a line; host, source, sourcetype, index and time of all are in the query."""
    batch = Batch.from_lines(split_lines(body), observed=observed)
    batch = batch.with_default(host=query.get("host"), source=query.get("source"))
    more = [pl.lit(query[name]).alias(name) for name in ("sourcetype", "index") if query.get(name)]
    if query.get("time"):
        at = parse_times(pl.Series([query["time"]]))[0]
        if at is None:
            return _Read(Batch.from_lines([]), 6)
        more.append(pl.lit(at).cast(batch.frame.schema["timestamp"]).alias("timestamp"))
    return _Read(Batch.of(batch.frame.with_columns(more)))


_LINES = msgspec.json.Decoder(_Event)
_ARRAY = msgspec.json.Decoder(list[_Event])


def _objects(body: bytes) -> tuple[Sequence[_Event], bool]:
    """The events, and whether the body was read to its end."""
    try:
        if body.lstrip().startswith(b"["):
            return _ARRAY.decode(body), True
        # Where an object ends inside a text, this breaks the text, which is no JSON then: the slow way decides.
        return _LINES.decode_lines(body.strip().replace(b"}{", b"}\n{")), True
    except NOT_JSON:
        return _one_by_one(body)


_SPACE = re.compile(r"[\s,]*")


def _one_by_one(body: bytes) -> tuple[Sequence[_Event], bool]:
    """The same by Python's own reader, which tells where a value ends; up to what is no event."""
    events: list[_Event] = []
    try:
        text = body.decode()
        at = _SPACE.match(text).end()  # type: ignore[union-attr]
        while at < len(text):
            value, at = _STRICT.raw_decode(text, at)
            for one in value if isinstance(value, list) else [value]:
                events.append(msgspec.convert(one, _Event))  # noqa: PERF401 - those before a bad one count
            at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
    except NOT_JSON:
        return events, False
    return events, True


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_STRICT = json.JSONDecoder(parse_constant=_no_number)


def _wrong(event: _Event) -> int:
    """Splunk's code for what is wrong with an event; 0: nothing is."""
    if event.event is msgspec.UNSET or event.event is None:
        return 12
    return 13 if event.event in ("", {}) else 0


def _line(event: _Event, query: Mapping[str, str]) -> bytes:
    """One event as a line of JSON. A name that is taken gets `fields.` or `event.` before it."""
    found: dict[str, Any] = {} if event.time in (None, "") else {"timestamp": event.time}
    for name in _META:
        if value := getattr(event, name) or query.get(name):
            found[name] = value
    members = event.event if isinstance(event.event, dict) else {"message": _text(event.event)}
    for level, values in (("event", members), ("fields", event.fields or {})):
        for name, value in values.items():
            found[f"{level}.{name}" if name in found else name] = value
    return msgspec.json.encode(found)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _is_guid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _answer(code: int, status: int = 200, **more: int) -> HttpResponse:
    return HttpResponse(status, msgspec.json.encode({"text": _TEXTS[code], "code": code, **more}))


@hookimpl
def cordwood_plugins() -> list[type[SplunkHec]]:
    """Splunk's endpoint."""
    return [SplunkHec]
