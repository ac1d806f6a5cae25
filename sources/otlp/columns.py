"""A request in protobuf column by column, as usual SDKs and collectors write it; `records` reads all others.

Source: opentelemetry-proto, `logs/v1/logs.proto` and `common/v1/common.proto`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from ...plugins import STANDARD, Batch, Columns, adopt, clean_name
from ...plugins.columns import EXACT, column_as_sent
from ...plugins.fields import MAX_ATTRIBUTES, split_column
from ..wire import BYTES, FIXED32, FIXED64, VARINT, Body, Fields, Ints, Numbers, OddError, slots, spread
from .records import NAMES, check_count, constant, lay_under, leaves_of, meaning, scope_fields, stamped

_RECORD: Final = (
    (1, FIXED64), (2, VARINT), (3, BYTES), (5, BYTES), (6, BYTES), (7, VARINT), (8, FIXED32), (9, BYTES), (10, BYTES),
    (11, FIXED64), (12, BYTES),
)  # fmt: skip
_PLAIN: Final = ((1, BYTES), (2, VARINT), (3, VARINT), (4, FIXED64))
"""Text, truth value, integer and double of an AnyValue; lists, maps and bytes are odd."""
_KINDS: Final = {1: "text", 2: "bool", 3: "int", 4: "float"}


@dataclass(slots=True)
class _Records:
    """Where the records stand, and what their scopes and resources say."""

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    scopes: list[tuple[range, Any]] = field(default_factory=list)
    resources: list[tuple[range, Any]] = field(default_factory=list)


def read_columns(data: bytes, observed: int) -> Batch:
    """What `read_request` makes of it.

    :raises OddError: it is not as usual senders write it, or no request
    :raises RejectedError: there are too many records
    """
    body = Body(data)
    try:
        found = _records(body)
    except (DecodeError, UnicodeDecodeError) as why:
        raise OddError from why
    rows = len(found.starts)
    if not rows:
        raise OddError
    parts = body.fields(np.array(found.starts), np.array(found.ends), _RECORD)
    attributes = parts.pop(6)
    record = {number: part.alone() for number, part in parts.items()}
    frame = _standard(body, record, rows, observed)
    columns = _own(body, record, rows)
    for name, values in _attributes(body, attributes, rows).items():
        if name in columns:
            raise OddError
        columns[name] = values
    outer = _outer(found, rows)
    taken = {split_column(name, values.dtype)[0] for name, values in columns.items()}
    if taken & {name for name, _ in outer.sparse}:
        raise OddError
    if outer.sparse:
        columns |= {values.name: values for values in outer.frame()}
    if len(columns) > MAX_ATTRIBUTES:
        raise OddError
    return adopt(Batch.of(frame.with_columns(values.alias(name) for name, values in columns.items())), NAMES)


def _records(body: Body) -> _Records:
    found = _Records()
    for number, start, end in body.messages(0, len(body.data)):
        if number != 1:
            raise OddError
        first, resource = len(found.starts), b""
        for part, at, to in body.messages(start, end):
            if part == 1 and not resource:
                resource = body.data[at:to]
            elif part == 2:
                _scope(body, at, to, found)
            elif part == 3:
                body.data[at:to].decode()  # the address of a schema, which says nothing of the events
            else:
                raise OddError
        found.resources.append((range(first, len(found.starts)), Resource.FromString(resource)))
    return found


def _scope(body: Body, start: int, end: int, found: _Records) -> None:
    first, scope = len(found.starts), b""
    starts, ends = found.starts, found.ends
    for part, at, to in body.messages(start, end):
        if part == 2:
            starts.append(at)
            ends.append(to)
        elif part == 1 and not scope:
            scope = body.data[at:to]
        elif part == 3:
            body.data[at:to].decode()
        else:
            raise OddError
    check_count(len(starts))
    found.scopes.append((range(first, len(starts)), InstrumentationScope.FromString(scope)))


def _standard(body: Body, record: Mapping[int, Fields], rows: int, observed: int) -> pl.DataFrame:
    times, seen = (_dense(record[number], body.fixed(record[number], 8), rows) for number in (1, 11))
    numbers = pl.Series(_dense(record[2], record[2].value, rows, most=2**31))
    words = body.text(rows, record[3]).fill_null("")
    said = pl.DataFrame({"number": numbers, "word": words})
    pairs = said.unique(maintain_order=True)
    meanings = [meaning(number, word) for number, word in pairs.iter_rows()]
    told = pairs.with_columns(
        severity=pl.Series([number for number, _ in meanings], dtype=pl.UInt8),
        severity_text=pl.Series([word for _, word in meanings], dtype=pl.String),
    )
    said = said.join(told, on=["number", "word"], how="left", maintain_order="left")
    ids = (body.binary(rows, record[number]).bin.encode("hex") for number in (9, 10))
    trace, span = (text.set(text == "", None) for text in ids)
    return stamped(times, seen, observed).with_columns(
        severity=said["severity"],
        severity_text=said["severity_text"],
        message=_bodies(body, record[5], rows),
        trace_id=trace,
        span_id=span,
    )


def _dense(part: Fields, values: Numbers, rows: int, most: int = 2**64) -> Numbers:
    """A number for each record, 0 where it has none."""
    if most < 2**64 and (values >= most).any():
        raise OddError
    dense = np.zeros(rows, dtype=np.uint64)
    dense[part.owner] = values
    return dense


def _bodies(body: Body, part: Fields, rows: int) -> pl.Series:
    """The messages: bodies that are text, or none."""
    text = body.fields(part.start, part.start + part.size, ((1, BYTES),))[1].alone()
    return body.text(rows, Fields(part.owner[text.owner], text.start, text.size, text.value))


def _own(body: Body, record: Mapping[int, Fields], rows: int) -> dict[str, pl.Series]:
    """What a record says of itself beside the standard fields."""
    names = body.text(rows, record[12])
    flags = _dense(record[8], body.fixed(record[8], 4) & np.uint64(0xFF), rows)
    dropped = _dense(record[7], record[7].value, rows, most=2**32)
    found = {"event.name": names.set(names == "", None)}
    for name, told in (("trace_flags", flags), ("dropped_attributes_count", dropped)):
        numbers = pl.Series(told.astype(np.int64))
        found[name] = numbers.set(numbers == 0, None)
    return {name: values for name, values in found.items() if values.null_count() < rows}


def _attributes(body: Body, pairs: Fields, rows: int) -> dict[str, pl.Series]:
    """A column for each key and kind of value."""
    count = len(pairs.owner)
    parts = body.fields(pairs.start, pairs.start + pairs.size, ((1, BYTES), (2, BYTES)))
    keys = body.text(count, parts[1].alone()).fill_null("")
    whole = parts[2].alone()
    inner = body.fields(whole.start, whole.start + whole.size, _PLAIN)
    kinds = np.zeros(count, dtype=np.uint8)
    values: dict[int, pl.Series] = {}
    for number, part in inner.items():
        at = whole.owner[part.alone().owner]
        if kinds[at].any():
            raise OddError
        kinds[at] = number
        values[number] = _READ[number](body, Fields(at, part.start, part.size, part.value), count)
    found: dict[str, dict[str, pl.Series]] = {}
    rows_of: dict[str, list[Ints]] = {}
    for key, at in slots(keys, pl.Series(kinds)):
        number = int(kinds[at[0]])
        if clean_name(key) != key:
            raise OddError
        if number:
            found.setdefault(key, {})[_KINDS[number]] = spread(values[number], at, pairs.owner, rows)
        rows_of.setdefault(key, []).append(pairs.owner[at])
    columns: dict[str, pl.Series] = {}
    for key, kinds_of in found.items():
        if len(rows_of[key]) > 1 and len(np.unique(np.concatenate(rows_of[key]))) < sum(map(len, rows_of[key])):
            raise OddError
        name = f"attributes.{key}" if key in STANDARD else key
        if name != key and name in found:
            raise OddError
        for kind, column in _one_number(kinds_of).items():
            columns[column_as_sent(name, kind, columns)] = column
    return columns


def _one_number(kinds: dict[str, pl.Series]) -> dict[str, pl.Series]:
    """Integers and doubles of a field are one column of doubles where that loses nothing."""
    if "int" not in kinds or "float" not in kinds:
        return kinds
    ints, floats = kinds["int"], kinds["float"]
    if not all(numbers.drop_nulls().is_between(-EXACT, EXACT, closed="none").all() for numbers in (ints, floats)):
        return kinds
    merged = floats.zip_with(floats.is_not_null(), ints.cast(pl.Float64))
    return {kind: merged if kind == "float" else values for kind, values in kinds.items() if kind != "int"}


def _doubles(body: Body, part: Fields, count: int) -> pl.Series:
    numbers = body.fixed(part, 8).view(np.float64)
    if not np.isfinite(numbers).all():
        raise OddError
    dense = np.zeros(count)
    dense[part.owner] = numbers
    return pl.Series(dense)


_READ: Final[Mapping[int, Callable[[Body, Fields, int], pl.Series]]] = {
    1: lambda body, part, count: body.text(count, part),
    2: lambda body, part, count: pl.Series(_dense(part, part.value, count) != 0),
    3: lambda body, part, count: pl.Series(_dense(part, part.value, count).view(np.int64)),
    4: _doubles,
}


def _outer(found: _Records, rows: int) -> Columns:
    """Fields of scopes and resources."""
    columns, own = Columns(), Columns()
    columns.rows = rows
    for where, scope in found.scopes:
        constant(own, where, scope_fields(scope))
    lay_under(columns, own, "scope")
    own = Columns()
    for where, resource in found.resources:
        constant(own, where, leaves_of(resource.attributes))
    lay_under(columns, own, "resource")
    return columns
