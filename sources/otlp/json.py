"""Requests in OTLP's JSON: objects with the attributes that protobuf's have, so that one reader takes both.

Source: OTLP specification, "JSON Protobuf Encoding": names in lowerCamelCase, ids in hex, 64-bit numbers as text or
number, unknown names ignored.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec.structs import force_setattr

from ...plugins import NOT_JSON, RejectedError
from .records import check_count

_Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]


class _Object(msgspec.Struct, rename="camel", frozen=True):
    """Base: names as the encoding has them."""


class _Any(_Object, frozen=True):
    """An AnyValue: one of these."""

    string_value: str | None = None
    int_value: int | str | None = None
    bool_value: bool | None = None
    double_value: float | str | None = None
    kvlist_value: _List | None = None
    array_value: _Array | None = None
    bytes_value: bytes | None = None

    def __post_init__(self) -> None:
        """Make numbers of those that came as text, such as `NaN`."""
        if self.int_value is not None:
            force_setattr(self, "int_value", _within(self.int_value, -(2**63), 2**63))
        elif self.double_value is not None:
            force_setattr(self, "double_value", float(self.double_value))

    def WhichOneof(self, group: str, /) -> str | None:  # noqa: N802 - protobuf's own name
        """The name of the attribute that has the value."""
        return next((name for name in self.__struct_fields__ if getattr(self, name) is not None), None)


class _Pair(_Object, frozen=True):
    key: str = ""
    value: _Any = _Any()


class _Array(_Object, frozen=True):
    values: list[_Any] = []


class _List(_Object, frozen=True):
    values: list[_Pair] = []


class _Record(_Object, frozen=True):
    time_unix_nano: int | str = 0
    observed_time_unix_nano: int | str = 0
    severity_number: int = 0
    severity_text: str = ""
    body: _Any = _Any()
    attributes: list[_Pair] = []
    dropped_attributes_count: _Count = 0
    flags: _Count = 0
    trace_id: Any = b""
    span_id: Any = b""
    event_name: str = ""

    def __post_init__(self) -> None:
        """Make of times and ids what protobuf has."""
        for name in ("time_unix_nano", "observed_time_unix_nano"):
            force_setattr(self, name, _within(getattr(self, name), 0, 2**64))
        for name in ("trace_id", "span_id"):
            force_setattr(self, name, bytes.fromhex(getattr(self, name) or ""))


class _Scope(_Object, frozen=True):
    name: str = ""
    version: str = ""
    attributes: list[_Pair] = []


class _ScopeLogs(_Object, frozen=True):
    scope: _Scope = _Scope()
    log_records: list[Any] = []


class _Resource(_Object, frozen=True):
    attributes: list[_Pair] = []


class _ResourceLogs(_Object, frozen=True):
    resource: _Resource = _Resource()
    scope_logs: list[_ScopeLogs] = []


class JsonRequest(_Object, frozen=True):
    """An ExportLogsServiceRequest."""

    resource_logs: list[_ResourceLogs] = []


def read_json(body: bytes) -> tuple[JsonRequest, dict[int, str]]:
    """The request, and what is wrong with records by their number: such a one is kept as its JSON text.

    :raises RejectedError: it is no request at all
    """
    errors: dict[int, str] = {}
    row = 0
    try:
        request = msgspec.json.decode(body, type=JsonRequest)
        check_count(sum(len(scope.log_records) for resource in request.resource_logs for scope in resource.scope_logs))
        for resource in request.resource_logs:
            for scope in resource.scope_logs:
                records = scope.log_records
                for i, record in enumerate(records):
                    try:
                        records[i] = msgspec.convert(record, _Record)
                    except NOT_JSON as why:
                        errors[row] = f"otlp: {why}"
                        records[i] = _Record(body=_Any(string_value=msgspec.json.encode(record).decode()))
                    row += 1
    except NOT_JSON as why:
        raise RejectedError(f"the body is no logs request of OTLP in JSON: {why}") from why
    return request, errors


def _within(value: int | str, low: int, beyond: int) -> int:
    number = int(value)
    if not low <= number < beyond:
        raise ValueError(f"{number} does not fit in 64 bits")
    return number
