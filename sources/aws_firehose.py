"""Logs by Amazon Data Firehose: its HTTP endpoint delivery, among it what CloudWatch Logs subscriptions send.

    curl -H 'X-Amz-Firehose-Access-Key: TOKEN' localhost:8080/aws/firehose \\
      -d '{"requestId": "1", "timestamp": 1769860800000, "records": [{"data": "ZGlzayBmdWxs"}]}'
"""

from __future__ import annotations

import binascii
import time
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

import msgspec
import polars as pl

from ..plugins import (
    NOT_JSON,
    STANDARD,
    Batch,
    HttpRequest,
    HttpResponse,
    HttpSource,
    Outlet,
    PluginConfig,
    RejectedError,
    half_the_cores,
    hookimpl,
    in_worker,
    leaves,
    now_ns,
    read_ndjson,
)

MAX_UNPACKED: Final = 64 * 1024 * 1024
"""Bytes that the records of a request may unpack to, all together: as much as a body may have otherwise."""
MAX_MEMBERS: Final = 100
"""gzip members of a record: behind each, what is left is copied."""
MAX_COMMON: Final = 50
"""Common attributes of a stream; Firehose takes as many."""
MAX_ID: Final = 128
"""Characters of a request's id, which is kept for 24 hours."""
_encode = msgspec.json.Encoder().encode


class AwsFirehoseConfig(PluginConfig):
    """Settings of the Firehose endpoint."""


class _Record(msgspec.Struct, frozen=True):
    data: str


class _Delivery(msgspec.Struct, frozen=True, rename="camel"):
    request_id: str
    records: list[_Record]


class _Common(msgspec.Struct, frozen=True, rename="camel"):
    common_attributes: dict[str, Any] = {}


class _LogEvent(msgspec.Struct, frozen=True, rename="camel"):
    timestamp: int
    message: str
    id: str = ""
    extracted_fields: dict[str, Any] | None = None


class _CloudWatch(msgspec.Struct, frozen=True, rename="camel"):
    """A message of a CloudWatch Logs subscription."""

    message_type: str
    log_events: list[_LogEvent]
    owner: str = ""
    log_group: str = ""
    log_stream: str = ""
    subscription_filters: list[str] = []


class TooLargeError(RejectedError):
    """The records unpack to too much."""


class AwsFirehose(HttpSource[AwsFirehoseConfig]):
    """Take events in by Amazon Data Firehose's HTTP endpoint delivery: `POST /aws/firehose`.

    A record is lines: JSON objects become fields, others messages. Of a CloudWatch Logs subscription, packed by gzip or
    not, each log event is one, with `logGroup`, `logStream` and `owner`; control messages are skipped. The stream's
    common attributes are fields of all its events. A record that cannot be unpacked is kept with `parse_error`. A
    request that comes again within 24 hours, as its id tells, is not stored again. A little Python a record and event.
    """

    routes: ClassVar = [("POST", "/aws/firehose")]

    def __init__(self, config: AwsFirehoseConfig) -> None:
        super().__init__(config)
        self._threads = half_the_cores()

    def refusal(self, headers: Mapping[str, str], status: int, detail: str) -> HttpResponse:
        """Firehose's answer with `errorMessage`."""
        return _answer(headers.get("x-amz-firehose-request-id", ""), status, errorMessage=detail[:8192])

    async def receive(self, request: HttpRequest, outlet: Outlet) -> HttpResponse:
        """Answer the request's id after the commit.

        :raises RejectedError: the body is no delivery
        :raises RetryableError: the store does not answer
        """
        told = request.headers.get("x-amz-firehose-request-id")
        try:
            delivery = msgspec.json.decode(request.body, type=_Delivery)
            common = request.headers.get("x-amz-firehose-common-attributes") or "{}"
            attributes = msgspec.json.decode(common, type=_Common).common_attributes
        except NOT_JSON as why:
            raise RejectedError(f"this is no delivery of Firehose: {why}") from why
        name = delivery.request_id
        if not 0 < len(name) <= MAX_ID or not name.isprintable() or told not in (None, name):
            raise RejectedError(f"requestId {name[:MAX_ID]!r} is not that of the header, or no id at all")
        if arn := request.headers.get("x-amz-firehose-source-arn"):
            attributes = {"aws.firehose.arn": arn, **attributes}
        try:
            batch = await in_worker(_read, delivery, attributes, now_ns(), limiter=self._threads)
        except TooLargeError as why:
            return self.refusal({"x-amz-firehose-request-id": name}, 413, str(why))
        if len(batch):
            receipt = await outlet.send(batch, key=f"aws_firehose {name}", received=len(request.body))
            await receipt.committed()
        return _answer(name, 200)


def _read(delivery: _Delivery, attributes: Mapping[str, Any], observed: int) -> Batch:
    room = MAX_UNPACKED
    lines: list[bytes] = []
    for record in delivery.records:
        try:
            data = unpacked(binascii.a2b_base64(record.data, strict_mode=True), room)
        except (ValueError, zlib.error) as why:
            lines.append(_encode({"message": record.data, "parse_error": f"aws_firehose: no base64 or gzip: {why}"}))
            continue
        room -= len(data)
        lines += _lines(data)
    batch = read_ndjson(b"\n".join(lines), observed)
    return _with_common(batch, attributes) if attributes and len(batch) else batch


def unpacked(data: bytes, room: int) -> bytes:
    """The bytes of a record, also where they are packed by gzip.

    :raises TooLargeError: more than `room` bytes come out
    :raises zlib.error: it begins like gzip and is none
    """
    parts: list[bytes] = []
    members = 0
    while data.startswith(b"\x1f\x8b"):
        inflate = zlib.decompressobj(31)
        part = inflate.decompress(data, room + 1)
        if (room := room - len(part)) < 0:
            raise TooLargeError(f"the records unpack to more than {MAX_UNPACKED} bytes: make Firehose's buffer smaller")
        members += 1
        if not inflate.eof or members > MAX_MEMBERS:
            raise zlib.error("it ends too early" if not inflate.eof else f"it has more than {MAX_MEMBERS} members")
        parts.append(part)
        data = inflate.unused_data
    if parts:
        return b"".join(parts)
    if len(data) > room:
        raise TooLargeError(f"the records have more than {MAX_UNPACKED} bytes: make Firehose's buffer smaller")
    return data


def _lines(data: bytes) -> Iterator[bytes]:
    """A line of JSON for each event of a record."""
    data = data.strip()
    if data.startswith(b"{"):
        try:
            yield from _object(data)
        except NOT_JSON:
            pass
        else:
            return
        # Where `}{` stands in a text this breaks it, and the line is kept as it is.
        apart = data.replace(b"}{", b"}\n{")
    else:
        apart = data
    for line in apart.splitlines():
        try:
            yield from _object(line)
        except NOT_JSON:
            if line.strip():
                yield line if line.startswith(b"{") else _encode({"message": line.decode("utf-8", "backslashreplace")})


def _object(text: bytes) -> list[bytes]:
    """The events of one JSON object.

    :raises ValueError: it is none
    """
    try:
        found = msgspec.json.decode(text, type=_CloudWatch)
    except msgspec.ValidationError:
        msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        return [msgspec.json.format(text, indent=-1)]
    if found.message_type == "CONTROL_MESSAGE":
        return []
    shared = {"logGroup": found.log_group, "logStream": found.log_stream, "owner": found.owner}
    tail = _encode({"subscriptionFilters": found.subscription_filters, **shared})[1:]
    return [_event(event, tail) for event in found.log_events]


def _event(event: _LogEvent, tail: bytes) -> bytes:
    more = {"extractedFields": event.extracted_fields} if event.extracted_fields else {}
    return _encode({"timestamp": event.timestamp, "message": event.message, "id": event.id, **more})[:-1] + b"," + tail


def _with_common(batch: Batch, attributes: Mapping[str, Any]) -> Batch:
    """The same with fields of all events; a name that is taken is `commonAttributes.name`."""
    taken = batch.frame.columns
    values: dict[str, pl.Expr] = {}
    for name, _, value in list(leaves(attributes))[:MAX_COMMON]:
        if name in ("service", "host"):
            batch = batch.with_default(**{name: str(value)})
        else:
            values[f"commonAttributes.{name}" if name in STANDARD or name in taken else name] = pl.lit(value)
    return Batch.of(batch.frame.with_columns(**values))


def _answer(request_id: str, status: int, **more: str) -> HttpResponse:
    return HttpResponse(status, _encode({"requestId": request_id, "timestamp": time.time_ns() // 1_000_000, **more}))


@hookimpl
def cordwood_plugins() -> list[type[AwsFirehose]]:
    """Firehose's endpoint."""
    return [AwsFirehose]
