"""Log records of OpenTelemetry, from protobuf or JSON, to a batch.

Source: opentelemetry-proto, `logs.proto` and `common.proto`. The objects of both encodings have the same attributes, so
they are read by the same code: Python an attribute, for the format keeps every value in an object of its own.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Protocol

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from ...plugins import STANDARD, Batch, Columns, RejectedError, adopt, leaves
from ...plugins.fields import TIME
from ...plugins.severity import NAMES as NAMES_OF_SEVERITY
from ...plugins.severity import WORDS

MAX_RECORDS: Final = 500_000
"""Records of a request: each costs memory however small it is, and an empty one has two bytes."""
NAMES: Final = {"service.name": "service", "host.name": "host"}
_DEEPEST = 100  # levels of a value, as protobuf's own reader has it
_PLAIN = {"string_value": "text", "int_value": "int", "bool_value": "bool"}
_INT64 = 2**63
LATE: Final = "otlp: a time after 2262-04-11, so the time of arrival stands"


class Value(Protocol):
    """An AnyValue."""

    def WhichOneof(self, group: str, /) -> str | None: ...  # noqa: N802 - protobuf's own name


class Pair(Protocol):
    """A KeyValue."""

    @property
    def key(self) -> str: ...
    @property
    def value(self) -> Any: ...


class Request(Protocol):
    """An ExportLogsServiceRequest."""

    @property
    def resource_logs(self) -> Any: ...


def read_request(request: Request, observed: int, errors: Mapping[int, str] = MappingProxyType({})) -> Batch:
    """The records in their order; `observed` is the time of arrival, `errors` what is wrong with records by number.

    A time of 0 is the observed one. Attributes of the record, members of a body that is a map, and attributes of scope
    and resource become fields. Where an event has a name twice, the outer one gets its level before it:
    `resource.version`.

    :raises RejectedError: there are more than `MAX_RECORDS`
    """
    records: list[Any] = []
    scopes: list[tuple[range, Any]] = []
    resources: list[tuple[range, Any]] = []
    for resource in request.resource_logs:
        first = len(records)
        for scope in resource.scope_logs:
            start = len(records)
            check_count(start + len(scope.log_records))
            records.extend(scope.log_records)
            scopes.append((range(start, len(records)), scope.scope))
        resources.append((range(first, len(records)), resource.resource.attributes))
    columns = _cells(records)
    messages = _bodies(records, columns)
    own = Columns()
    for rows, scope in scopes:
        constant(own, rows, scope_fields(scope))
    lay_under(columns, own, "scope")
    own = Columns()
    for rows, attributes in resources:
        constant(own, rows, leaves_of(attributes))
    lay_under(columns, own, "resource")
    return _batch(records, messages, columns, observed, errors)


def check_count(records: int) -> None:
    """Refuse what is too much, before more is made of it.

    :raises RejectedError: there are more than `MAX_RECORDS`
    """
    if records > MAX_RECORDS:
        raise RejectedError(f"the request has more than {MAX_RECORDS} records: send it in parts")


def _cells(records: Sequence[Any]) -> Columns:
    """The attributes of the records; the hot loop."""
    cells: dict[tuple[str, str | None], tuple[list[int], list[Any]]] = {}
    for row, record in enumerate(records):
        for pair in record.attributes:
            value = pair.value
            which = "string_value" if value.string_value else value.WhichOneof("value")
            slot = pair.key, which
            try:
                rows, values = cells[slot]
            except KeyError:
                rows, values = cells[slot] = ([], [])
            if which is not None:
                rows.append(row)
                values.append(getattr(value, which))
    found, columns = Columns(), Columns()
    columns.rows = len(records)
    for (key, which), (rows, values) in cells.items():
        if which in _PLAIN:
            found.extend(rows, key, _PLAIN[which], values)
        elif which == "double_value" and all(map(math.isfinite, values)):
            found.extend(rows, key, "float", values)
        elif which is not None:
            for row, value in zip(rows, values, strict=True):
                for name, kind, leaf in leaves({key: plain(which, value)}):
                    found.put(row, name, kind, leaf)
    names = [
        ("event.name", "text", [record.event_name for record in records]),
        ("trace_flags", "int", [record.flags & 0xFF for record in records]),
        ("dropped_attributes_count", "int", [record.dropped_attributes_count for record in records]),
    ]
    for name, kind, told in names:
        if any(told):
            rows = [row for row, value in enumerate(told) if value]
            columns.extend(rows, name, kind, [told[row] for row in rows])
    lay_under(columns, found, "attributes")
    return columns


def _bodies(records: Sequence[Any], columns: Columns) -> list[str | None]:
    """The messages; members of a body that is a map go to `columns`."""
    messages: list[str | None] = []
    members = Columns()
    for row, record in enumerate(records):
        body = record.body
        if text := body.string_value:
            messages.append(text)
            continue
        text, which = None, body.WhichOneof("value")
        value = None if which is None else plain(which, getattr(body, which))
        if isinstance(value, dict):
            told = next((name for name in ("message", "msg") if isinstance(value.get(name), str)), None)
            text = value.pop(told) if told else None
            for name, kind, leaf in leaves(value):
                members.put(row, name, kind, leaf)
        elif isinstance(value, str):
            text = value
        elif value is not None:
            text = msgspec.json.encode(value).decode()
        messages.append(text)
    lay_under(columns, members, "body")
    return messages


def plain(which: str, value: Any, depth: int = 0) -> Any:
    """A value as JSON has it: maps and arrays of plain values, bytes as base64, numbers that JSON has not as text."""
    if depth > _DEEPEST:
        return "nested too deep to keep"
    match which:
        case "double_value":
            return value if math.isfinite(value) else str(value)
        case "bytes_value":
            return b64encode(value).decode()
        case "array_value":
            return [_plain(item, depth + 1) for item in value.values]
        case "kvlist_value":
            return {pair.key: _plain(pair.value, depth + 1) for pair in value.values}
    return value


def _plain(value: Any, depth: int) -> Any:
    which = value.WhichOneof("value")
    return None if which is None else plain(which, getattr(value, which), depth)


def scope_fields(scope: Any) -> list[tuple[str, str, Any]]:
    """(name, kind, value) of what an InstrumentationScope says."""
    told = [("otel.scope.name", "text", scope.name), ("otel.scope.version", "text", scope.version)]
    return [field for field in told if field[2]] + leaves_of(scope.attributes)


def leaves_of(attributes: Iterable[Pair]) -> list[tuple[str, str, Any]]:
    """(name, kind, value) of the attributes, nested ones too."""
    return list(leaves({pair.key: _plain(pair.value, 0) for pair in attributes}))


def constant(columns: Columns, rows: range, fields: Iterable[tuple[str, str, Any]]) -> None:
    """The same value in many rows."""
    for name, kind, value in fields:
        columns.extend(rows, name, kind, [value] * len(rows))


def lay_under(columns: Columns, found: Columns, level: str) -> None:
    """Add fields of an outer level; one that the event has, or whose name is a standard field's, is `level.name`."""
    above = {field: columns.rows_of(field) for field in {field for field, _ in found.sparse}}
    for (field, kind), (rows, values) in found.sparse.items():
        taken = above[field]
        if field in STANDARD:
            columns.extend(rows, f"{level}.{field}", kind, values)
        elif not taken or taken.isdisjoint(rows):
            columns.extend(rows, field, kind, values)
        else:
            for row, value in zip(rows, values, strict=True):
                columns.extend((row,), f"{level}.{field}" if row in taken else field, kind, (value,))


def _batch(
    records: Sequence[Any],
    messages: Sequence[str | None],
    columns: Columns,
    observed: int,
    errors: Mapping[int, str],
) -> Batch:
    times = np.array([record.time_unix_nano for record in records], dtype=np.uint64)
    seen = np.array([record.observed_time_unix_nano for record in records], dtype=np.uint64)
    said = [(record.severity_number, record.severity_text) for record in records]
    meanings = {pair: meaning(*pair) for pair in set(said)}
    frame = stamped(times, seen, observed).with_columns(
        severity=pl.Series([meanings[pair][0] for pair in said], dtype=pl.UInt8),
        severity_text=pl.Series([meanings[pair][1] for pair in said], dtype=pl.String),
        message=pl.Series(messages, dtype=pl.String),
        trace_id=pl.Series([record.trace_id.hex() or None for record in records], dtype=pl.String),
        span_id=pl.Series([record.span_id.hex() or None for record in records], dtype=pl.String),
    )
    if errors:
        told = [errors.get(row) for row in range(len(records))]
        frame = frame.with_columns(parse_error=pl.coalesce(pl.Series(told, dtype=pl.String), "parse_error"))
    if columns.sparse:
        frame = frame.hstack(columns.frame())
    return adopt(Batch.of(frame), NAMES)


def stamped(times: npt.NDArray[np.uint64], seen: npt.NDArray[np.uint64], observed: int) -> pl.DataFrame:
    """The columns of times, and `parse_error` for those that are beyond what a timestamp can tell."""
    times = np.where(times == 0, seen, times)
    beyond = times >= _INT64
    stamps = np.where((times == 0) | beyond, observed, times.astype(np.int64))
    late = pl.repeat(None, len(times), dtype=pl.String, eager=True)
    return pl.DataFrame(
        {
            "timestamp": pl.Series(stamps, dtype=pl.Int64).cast(TIME),
            "observed_timestamp": pl.repeat(observed, len(times), dtype=pl.Int64, eager=True).cast(TIME),
            "parse_error": late.set(pl.Series(beyond), LATE) if beyond.any() else late,
        }
    )


def meaning(number: int, word: str) -> tuple[int | None, str | None]:
    """The SeverityNumber, by the word where there is none, and the word where it says more than the number."""
    known = number if number in NAMES_OF_SEVERITY else WORDS.get(word.strip().lower())
    return known, None if not word or word == NAMES_OF_SEVERITY.get(known or 0) else word
