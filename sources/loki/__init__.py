"""Logs by Loki's push API: what Promtail, Alloy, Docker's Loki driver and the Loki handlers of all languages send.

    curl -H 'Content-Type: application/json' localhost:8080/loki/api/v1/push \\
      -d '{"streams": [{"stream": {"service": "shop"}, "values": [["1769860800000000000", "disk full"]]}]}'
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

import msgspec
import pyarrow as pa

from ...plugins import (
    NOT_JSON,
    Batch,
    HttpRequest,
    HttpResponse,
    HttpSource,
    Outlet,
    PluginConfig,
    RejectedError,
    adopt,
    half_the_cores,
    hookimpl,
    in_worker,
    normalise,
    now_ns,
    read_ndjson,
)
from ..protobuf import WireError, fields_of, snappy_size
from ..wire import OddError
from .columns import read_columns
from .labels import read_labels

MAX_BODY = 64 * 1024 * 1024
"""Bytes that a snappy body may unpack to: as much as a body may have otherwise."""
NAMES = {
    "service_name": "service",
    "application": "service",
    "job": "service",
    "detected_level": "severity",
    "traceID": "trace_id",
    "traceId": "trace_id",
    "spanID": "span_id",
    "spanId": "span_id",
    "instance": "host",
    "node_name": "host",
}
"""Labels that stand for a standard field where the event has none."""
_encode = msgspec.json.Encoder().encode


class LokiConfig(PluginConfig):
    """Settings of the Loki endpoint."""


class _Entry(msgspec.Struct, array_like=True, frozen=True):
    """`[time, line]`, or with structured metadata as a third. Undecoded: the line goes on as the JSON that it is."""

    time: msgspec.Raw
    line: msgspec.Raw
    metadata: dict[str, Any] | None = None


class _Stream(msgspec.Struct, frozen=True):
    stream: dict[str, Any] = {}
    values: list[_Entry] = []


class _Push(msgspec.Struct, frozen=True):
    streams: list[_Stream]


class Loki(HttpSource[LokiConfig]):
    """Take events in by `POST /loki/api/v1/push`, as JSON or as snappy-compressed protobuf.

    A stream's labels and an entry's structured metadata become fields; `service_name` (else `job`), `level` and
    `detected_level` become service and severity. JSON is put together again as one line an event, which is a little
    Python an event. Protobuf is read column by column; a push with a name twice in an event, or with text that is no
    UTF-8, is read entry by entry in Python, which takes ten times as long.
    """

    routes: ClassVar = [("POST", "/loki/api/v1/push"), ("POST", "/api/prom/push")]

    def __init__(self, config: LokiConfig) -> None:
        super().__init__(config)
        self._threads = half_the_cores()

    def refusal(self, headers: Mapping[str, str], status: int, detail: str) -> HttpResponse:
        """Text, as Loki says it."""
        return HttpResponse(status, detail.encode() + b"\n", "text/plain; charset=utf-8")

    async def receive(self, request: HttpRequest, outlet: Outlet) -> HttpResponse:
        """Answer 204 after the commit.

        :raises RejectedError: the body is no push
        :raises RetryableError: the store does not answer
        """
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        read = read_json
        if media in ("application/x-protobuf", "application/protobuf") or (not media and request.body[:1] != b"{"):
            read = read_protobuf
        elif media not in ("", "application/json") and not media.endswith("+json") and request.body[:1] not in b"{ \n":
            return HttpResponse(
                415, b"send application/json, or application/x-protobuf with snappy\n", "text/plain; charset=utf-8"
            )
        batch = await in_worker(read, request.body, now_ns(), limiter=self._threads)
        if len(batch):
            await (await outlet.send(batch, received=len(request.body))).committed()
        return HttpResponse(204)


def read_json(body: bytes, observed: int) -> Batch:
    """The events of a push in JSON, stream by stream.

    :raises RejectedError: it is none
    """
    try:
        if not body.isascii():
            body.decode()  # values that are not looked into would not be checked
        if b"\n" in body or b"\r" in body:
            body = msgspec.json.format(body, indent=-1)  # so that no line feed is left inside a value
        push = msgspec.json.decode(body, type=_Push)
        lines = [
            _line(entry.time, entry.line, entry.metadata, stream.stream, tail)
            for stream in push.streams
            for tail in (_tail(stream.stream),)
            for entry in stream.values
        ]
    except NOT_JSON as why:
        raise RejectedError(f"the body is no push of Loki: {why}") from why
    return adopt(read_ndjson(b"\n".join(lines), observed), NAMES)


def _line(
    time: msgspec.Raw, line: msgspec.Raw, metadata: Mapping[str, Any] | None, labels: Mapping[str, Any], tail: bytes
) -> bytes:
    """One event as a line of JSON. Nanoseconds come as text and go on as a number, which is read faster."""
    at = bytes(time)
    if at[:1] == b'"' and at[1:-1].isdigit():
        at = at[1:-1].lstrip(b"0") or b"0"
    message = bytes(line)
    if message[:1] != b'"':
        message = _encode(msgspec.json.format(message, indent=-1).decode())
    if metadata:
        names = {f"{name}_extracted" if name in labels else name: value for name, value in metadata.items()}
        tail += _tail(names)
    return b'{"timestamp":%b,"message":%b%b}' % (at, message, tail)


_OWN = ("timestamp", "message")


def _tail(labels: Mapping[str, Any]) -> bytes:
    """Labels as members of a JSON object that has a time and a message already: `,"service":"shop"`."""
    if not labels:
        return b""
    safe = {f"label.{name}" if name in _OWN else name: value for name, value in labels.items()}
    return b"," + _encode(safe)[1:-1]


def read_protobuf(body: bytes, observed: int) -> Batch:
    """The events of a push in protobuf, compressed by snappy (the block format, not frames).

    Source: Loki, `pkg/push/push.proto`: streams (1) of labels (1) and entries (2) of time (1), line (2), metadata (3).

    :raises RejectedError: it is none, or unpacks to more than `MAX_BODY`
    """
    try:
        size = snappy_size(body)
        if size > MAX_BODY:
            raise RejectedError(f"the body unpacks to {size} bytes; the most is {MAX_BODY}: send it in parts")
        plain = pa.Codec("snappy").decompress(body, size, asbytes=True)
        with suppress(OddError):
            return adopt(normalise(read_columns(plain), observed), NAMES)
        return read_entries(plain, observed)
    except (WireError, OSError, pa.ArrowException, *NOT_JSON) as why:
        raise RejectedError(f"the body is no push of Loki in snappy and protobuf: {why}") from why


def read_entries(plain: bytes, observed: int) -> Batch:
    """The events of a push in protobuf that is unpacked, entry by entry: the slow path of `read_columns`.

    :raises WireError: it is no push
    """
    lines: list[bytes] = []
    for number, stream in fields_of(plain):
        if number == 1 and isinstance(stream, memoryview):
            lines += _stream_lines(stream)
    return adopt(read_ndjson(b"\n".join(lines), observed), NAMES)


def _stream_lines(stream: memoryview) -> list[bytes]:
    labels: dict[str, str] = {}
    entries: list[memoryview] = []
    for number, value in fields_of(stream):
        if number == 1 and isinstance(value, memoryview):
            labels = read_labels(str(value, "utf-8"))
        elif number == 2 and isinstance(value, memoryview):
            entries.append(value)
    tail = _tail(labels)
    lines = []
    for entry in entries:
        at, text, metadata = 0, b"", {}
        for number, value in fields_of(entry):
            if number == 1 and isinstance(value, memoryview):
                at = _nanoseconds(value)
            elif number == 2 and isinstance(value, memoryview):
                text = bytes(value)
            elif number == 3 and isinstance(value, memoryview):
                pair = {key: str(part, "utf-8") for key, part in fields_of(value) if isinstance(part, memoryview)}
                metadata[pair.get(1, "")] = pair.get(2, "")
        message = _encode(text.decode("utf-8", "backslashreplace"))
        lines.append(_line(msgspec.Raw(b"%d" % at), msgspec.Raw(message), metadata, labels, tail))
    return lines


def _nanoseconds(stamp: memoryview) -> int:
    parts = {number: value for number, value in fields_of(stamp) if isinstance(value, int)}
    return parts.get(1, 0) * 1_000_000_000 + parts.get(2, 0)


@hookimpl
def cordwood_plugins() -> list[type[Loki]]:
    """Loki's push endpoint."""
    return [Loki]
