"""OpenTelemetry's protocol over HTTP (protobuf): the Collector, and whoever takes OTLP logs.

    outputs:
      collector: {type: otlp, url: "http://collector:4318", headers: {x-api-key: "${KEY}"}}

Specification: OpenTelemetry Protocol 1.x, "OTLP/HTTP". Service and host are the resource's `service.name` and
`host.name`, the message is the body. The protocol has no key by which the other side could know a request again:
after a crash it may get events twice.
"""

from __future__ import annotations

import gzip
import logging
import re
import struct
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import polars as pl
from pydantic import AfterValidator, Field, SecretStr

from ..plugins import (
    STANDARD,
    Batch,
    Duration,
    HttpAddress,
    Lot,
    Need,
    Output,
    OutputConfig,
    duration_ns,
    hookimpl,
    http_send,
    in_worker,
    split_column,
    url_reachable,
)
from .rendering import value_of

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_LENGTHS = {"trace_id": (0x4A, 32), "span_id": (0x52, 16)}
"""Identifiers: their fields of a LogRecord, and their digits."""
_KEPT = {"source": "cordwood.source", "parse_error": "cordwood.parse_error"}
"""Standard fields that OTLP has no place for, and the attributes that hold them."""
_GZIP = 3
_DOUBLE = struct.Struct("<d")
_DEEPEST = 16  # levels of nesting; protobuf reads a hundred, and each of ours is two or three of them
_log = logging.getLogger(__name__)


def _headers(headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a header")
        if not _VALUE.fullmatch(value.get_secret_value()):
            raise ValueError(f"the value of {name} has a character that no header may have, such as a line break")
    return headers


class OtlpConfig(OutputConfig):
    """Settings of the output otlp."""

    url: HttpAddress
    """Address of the other side: `http://host:4318`, or the whole one, that ends with `/v1/logs`."""
    headers: Annotated[dict[str, SecretStr], AfterValidator(_headers)] = Field(default_factory=dict)
    """Further headers, such as `Authorization`."""
    timeout: Duration = "30s"
    """How long to wait for the whole answer."""


class Otlp(Output[OtlpConfig]):
    """OpenTelemetry's protocol over HTTP, in protobuf."""

    def needs(self) -> Sequence[Need]:
        """The host that it sends to."""
        return [url_reachable("url", self.config.url)]

    async def write(self, lot: Lot) -> None:
        """Post once. What the other side says it has left out (a partial success) is logged: it must not be sent again.

        :raises RetryableError: no answer in time; 408, 425, 429, 5xx
        :raises RejectedError: 400, 413, 422
        :raises FatalError: any other status
        """
        body = await in_worker(_packed, lot.batch)
        headers = {name.lower(): value.get_secret_value() for name, value in self.config.headers.items()}
        headers |= {"content-type": "application/x-protobuf", "content-encoding": "gzip", "user-agent": "Cordwood"}
        url = self.config.url.get_secret_value().rstrip("/")
        address = SecretStr(url if url.endswith("/v1/logs") else f"{url}/v1/logs")
        answer = await http_send(address, body, headers, seconds=duration_ns(self.config.timeout) / 1e9)
        answer.taken_events()
        if left_out := _left_out(answer.body):
            _log.warning("output otlp: the other side left out %s", left_out)


def _left_out(body: bytes) -> str:
    """How many records a partial success left out, and why; nothing where it took all."""
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

    try:
        told = ExportLogsServiceResponse.FromString(body).partial_success
    except DecodeError:  # a 200 is a 200: some servers answer with text
        return ""
    count = told.rejected_log_records
    return f"{count} events: {told.error_message[:300]}" if count else ""


def _packed(batch: Batch) -> bytes:
    return gzip.compress(export_request(batch), _GZIP)


def export_request(batch: Batch) -> bytes:
    """An ExportLogsServiceRequest with a resource for each service and host. Blocking.

    The bytes of protobuf are made column by column, of a value that many events have once; Python joins those of an
    event. Objects of protobuf, one for each event and attribute, took three times as long.
    """
    frame = batch.frame
    columns = [
        [b"\x09" + max(0, time).to_bytes(8, "little") for time in _physical(frame["timestamp"])],
        [b"\x59" + max(0, time).to_bytes(8, "little") for time in _physical(frame["observed_timestamp"])],
        [b"\x10" + _varint(severity) for severity in frame["severity"].fill_null(0).to_list()],
        _each(frame["severity_text"], lambda text: _field(0x1A, text.encode())),
        _each(frame["message"], lambda text: _field(0x2A, _any(text))),
    ]
    for name, dtype in frame.schema.items():
        field, kind = split_column(name, dtype)
        if field in _LENGTHS:
            columns.append(_each(frame[name], partial(_identifier, field)))
        elif field not in STANDARD or field in _KEPT:
            make = _attribute_of_json if kind == "json" else _attribute
            columns.append(_each(frame[name], partial(make, _key(_KEPT.get(field, field)))))
    scopes: dict[tuple[str, str], list[bytes]] = {}
    places = zip(frame["service"].fill_null("").to_list(), frame["host"].fill_null("").to_list(), strict=True)
    for at, record in zip(places, map(b"".join, zip(*columns, strict=True)), strict=True):
        scopes.setdefault(at, []).append(_field(0x12, record))
    return b"".join(_field(0x0A, _resource(at) + _field(0x12, b"".join(records))) for at, records in scopes.items())


def _physical(times: pl.Series) -> list[int]:
    return times.to_physical().fill_null(0).to_list()


def _each(column: pl.Series, make: Callable[[Any], bytes]) -> list[bytes]:
    """What is made of each value, once for each that is there more often; nothing of a null."""
    known: dict[Any, bytes] = {None: b""}
    if column.dtype == pl.Float64:  # 0.0 and -0.0 are one key
        return [b"" if value is None else make(value) for value in column.to_list()]
    values = column.to_list()
    for value in values:
        if value not in known:
            known[value] = make(value)
    return [known[value] for value in values]


def _resource(at: tuple[str, str]) -> bytes:
    """Of a ResourceLogs; nothing where no attribute is known."""
    named = [(name, value) for name, value in zip(("service.name", "host.name"), at, strict=True) if value]
    made = b"".join(_field(0x0A, _key(name) + _field(0x12, _any(value))) for name, value in named)
    return _field(0x0A, made) if made else b""


def _identifier(name: str, value: str) -> bytes:
    """Of a record; what is no identifier of OpenTelemetry's becomes an attribute."""
    if not value:
        return b""
    tag, length = _LENGTHS[name]
    try:
        found = bytes.fromhex(value) if len(value) == length else b""
    except ValueError:
        found = b""
    return _field(tag, found) if found else _attribute(_key(name), value)


def _key(name: str) -> bytes:
    """Of a KeyValue."""
    return _field(0x0A, name.encode())


def _attribute(key: bytes, value: Any) -> bytes:
    return _field(0x32, key + _field(0x12, _any(value)))


def _attribute_of_json(key: bytes, text: str) -> bytes:
    return _attribute(key, value_of(text))


def _any(value: Any) -> bytes:
    """An AnyValue."""
    match value:
        case str():
            return _field(0x0A, value.encode())
        case bool():
            return b"\x10" + _varint(value)
        case int() if -(2**63) <= value < 2**63:
            return b"\x18" + _varint(value % 2**64)
        case int() | float():
            return b"\x21" + _DOUBLE.pack(value)
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue

    made = AnyValue()
    _set(made, value)
    return made.SerializeToString()


def _field(tag: int, data: bytes) -> bytes:
    """A field of bytes; `tag` is its number and its kind, in one byte."""
    size = len(data)
    return b"%c%c%b" % (tag, size, data) if size < 0x80 else b"%c%b%b" % (tag, _varint(size), data)


def _varint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _set(target: AnyValue, value: Any, depth: int = 0) -> None:
    if depth == _DEEPEST and isinstance(value, list | dict):
        value = msgspec.json.encode(value).decode()
    match value:
        case bool():
            target.bool_value = value
        case int() if -(2**63) <= value < 2**63:
            target.int_value = value
        case int() | float():
            target.double_value = value
        case str():
            target.string_value = value
        case list():
            target.array_value.SetInParent()
            for item in value:
                _set(target.array_value.values.add(), item, depth + 1)
        case dict():
            target.kvlist_value.SetInParent()
            for name, item in value.items():
                _set(target.kvlist_value.values.add(key=name).value, item, depth + 1)


@hookimpl
def cordwood_plugins() -> list[type[Output[Any]]]:
    """The output of this module."""
    return [Otlp]
