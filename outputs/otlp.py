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
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from pydantic import AfterValidator, Field, SecretStr

from ..plugins import (
    STANDARD,
    Batch,
    Duration,
    HttpAddress,
    Lot,
    Output,
    OutputConfig,
    duration_ns,
    hookimpl,
    http_send,
    in_worker,
)
from .rendering import events, value_of

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_IDENTIFIERS = (("trace_id", 32), ("span_id", 16))
_KEPT = {"source": "cordwood.source", "parse_error": "cordwood.parse_error"}
"""Standard fields that OTLP has no place for, and the attributes that hold them."""
_GZIP = 3
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
    """An ExportLogsServiceRequest with a resource for each service and host. Blocking, Python per event."""
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    request = ExportLogsServiceRequest()
    scopes: dict[tuple[str, str], Any] = {}
    frame = batch.frame
    columns = (
        events(batch, value_of),
        frame["timestamp"].to_physical().fill_null(0).to_list(),
        frame["observed_timestamp"].to_physical().fill_null(0).to_list(),
        frame["severity"].fill_null(0).to_list(),
    )
    for event, time, observed, severity in zip(*columns, strict=True):
        at = event.get("service", ""), event.get("host", "")
        if at not in scopes:
            resource = request.resource_logs.add()
            for name, value in zip(("service.name", "host.name"), at, strict=True):
                if value:
                    resource.resource.attributes.add(key=name).value.string_value = value
            scopes[at] = resource.scope_logs.add()
        record = scopes[at].log_records.add(
            time_unix_nano=max(0, time),
            observed_time_unix_nano=max(0, observed),
            severity_number=severity,
            severity_text=event.get("severity_text", ""),
        )
        if "message" in event:
            record.body.string_value = event["message"]
        _fill(record, event)
    return request.SerializeToString()


def _fill(record: Any, event: Mapping[str, Any]) -> None:
    """Identifiers and attributes. An identifier that is none of OpenTelemetry's becomes an attribute."""
    for name, length in _IDENTIFIERS:
        if value := event.get(name):
            try:
                found = bytes.fromhex(value) if len(value) == length else b""
            except ValueError:
                found = b""
            if found:
                setattr(record, name, found)
            else:
                record.attributes.add(key=name).value.string_value = value
    for name, value in event.items():
        if name not in STANDARD or name in _KEPT:
            _set(record.attributes.add(key=_KEPT.get(name, name)).value, value)


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
