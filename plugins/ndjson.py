"""Lines of JSON to a batch: a fast path by Arrow, a slow one by msgspec, and both give the same events.

Arrow parses a block of uniform lines at a million events a second, but it knows no bad line, no field of two kinds, and
is not safe on every input (a lone `null` line, or nesting beyond 100,000 levels, ends the process). So the fast path is
taken only for a body that has been seen to be harmless, and its result only if nothing in it could have lost its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import IO, Any, Final, TypeAlias, cast
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.json

from .batch import Batch, concat
from .columns import EXACT, Columns, column_as_sent
from .fields import MAX_ATTRIBUTES, clean_name
from .normalise import normalise
from .times import UTC

MAX_DEPTH: Final = 32
"""Levels of nesting that become dotted names; what lies deeper is kept as JSON text under the name reached."""

_nesting: Final = ContextVar("nesting", default=MAX_DEPTH)


@contextmanager
def nested(levels: int) -> Iterator[None]:
    """Fewer levels than `MAX_DEPTH`, for all JSON that is read in this context, also by a plugin that knows nothing."""
    token = _nesting.set(levels)
    try:
        yield
    finally:
        _nesting.reset(token)


_SLOW_BLOCK = 64 * 1024  # bytes that the slow path reads at once, a tenth as fast as the other
_DIVISION = 8
_INT64 = 2**63
_ALWAYS_TEXT = ("timestamp", "@timestamp", "time", "ts", "_time", "date", "message", "msg")
_LOOK = 16 * 1024  # bytes in which a name that most lines have is sure to occur; one that is missed costs a second read
_SURELY_SHALLOW = 8192  # bytes of a line that cannot nest deeper than Arrow takes, even if all were brackets


Flat: TypeAlias = Callable[[pl.DataFrame], pl.DataFrame]
"""Changes the flat columns of lines, as they were sent, before their names are understood."""


def as_sent(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns as they are."""
    return frame


def read_ndjson(body: bytes, observed: int | None, *, zone: ZoneInfo = UTC, flat: Flat = as_sent) -> Batch:
    """A batch of the lines of `body`, in order; blank lines are skipped, nothing else is.

    `observed` is the time of arrival in nanoseconds (None: see `normalise`); times without an offset are in `zone`.
    `flat` is for formats with names of their own.
    """
    return concat(list(_blocks(body.removeprefix(b"\xef\xbb\xbf"), observed, zone, flat)))


def _blocks(body: bytes, observed: int | None, zone: ZoneInfo, flat: Flat) -> Iterator[Batch]:
    """The body by the fast path where it can; a block that cannot is divided, so that one bad line slows few others."""
    frame = _fast(body)
    if frame is not None:
        yield normalise(flat(frame), observed, zone=zone)
    elif len(body) <= _SLOW_BLOCK or b"\n" not in body.rstrip(b"\n"):
        yield read_lines(body.split(b"\n"), observed, zone=zone, flat=flat)
    else:
        start, step = 0, len(body) // _DIVISION
        while start < len(body):
            end = body.rfind(b"\n", start, start + step) + 1 or body.find(b"\n", start + step) + 1 or len(body)
            yield from _blocks(body[start:end], observed, zone, flat)
            start = end


def read_lines(
    lines: Sequence[bytes | msgspec.Raw], observed: int | None, *, zone: ZoneInfo = UTC, flat: Flat = as_sent
) -> Batch:
    """As `read_ndjson` for lines already apart (a line may hold line feeds), by the slow path."""
    return normalise(flat(_slow(lines)), observed, zone=zone)


def _fast(body: bytes) -> pl.DataFrame | None:
    """The flat columns by Arrow, or None where the slow path must decide."""
    end = len(body)
    while end and body[end - 1] in b"\r\n":
        end -= 1
    if not (lines := _harmless(body, end)):
        return None
    # Only names that occur: a column that no line has costs as much as one that all have.
    start = body[:_LOOK]
    text = [name for name in _ALWAYS_TEXT if f'"{name}"'.encode() in start]
    table = _read_arrow(memoryview(body)[:end], text)
    if table is None and text:
        table = _read_arrow(memoryview(body)[:end], ())  # a time may be a number, in all lines
    if table is None or table.num_rows != lines or table.num_columns > MAX_ATTRIBUTES:
        return None
    return _faithful(table)


def _harmless(body: bytes, end: int) -> int:
    """The number of lines up to `end`; 0 where one may do harm.

    None does: each begins like an object, all is UTF-8, and none is nested so deep that Arrow's stack overflows.
    """
    if not body.startswith(b"{"):
        return 0
    codes = np.frombuffer(body, dtype=np.uint8)[:end]
    ends = np.flatnonzero(codes == ord("\n"))
    if not (codes[ends + 1] == ord("{")).all():
        return 0
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            return 0
    longest = np.diff(ends, prepend=-1, append=end).max()
    shallow = longest <= _SURELY_SHALLOW or _depth_bound(codes) <= MAX_DEPTH
    return len(ends) + 1 if shallow else 0


def _read_arrow(body: memoryview, text: Sequence[str]) -> pa.Table | None:
    """Arrow's table with every string kept as string, the columns `text` from the start; None: it cannot.

    Times that Arrow sees in other columns are read once more as the text they were.
    """
    known: dict[str, pa.DataType] = dict.fromkeys(text, pa.string())
    for _ in range(3):
        try:
            table = pa.json.read_json(
                cast("IO[bytes]", pa.BufferReader(body)),
                read_options=pa.json.ReadOptions(use_threads=False, block_size=len(body) + 1),
                parse_options=pa.json.ParseOptions(
                    explicit_schema=pa.schema(list(known.items())), unexpected_field_behavior="infer"
                ),
            )
            if _too_deep(table.schema):
                return None
            wrong = {f.name: _as_text(f.type) for f in table.schema if _as_text(f.type) != f.type}
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return None
        if not wrong:
            return table
        known |= wrong
    return None


def _too_deep(schema: pa.Schema) -> bool:
    """Whether structs lie deeper in each other than become dotted names: the slow path keeps those as JSON."""
    level = [field.type for field in schema]
    for _ in range(_nesting.get()):
        level = [inner.type for kind in level if pa.types.is_struct(kind) for inner in kind]
    return any(pa.types.is_struct(kind) for kind in level)


def _as_text(kind: pa.DataType, depth: int = 0) -> pa.DataType:
    """The type with every time in it, at any depth of structs, replaced by string.

    :raises pa.ArrowNotImplementedError: deeper than `MAX_DEPTH`
    """
    if depth > MAX_DEPTH:
        raise pa.ArrowNotImplementedError("nested too deep")
    if pa.types.is_temporal(kind):
        return pa.string()
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _as_text(field.type, depth + 1)) for field in kind])
    return kind


def _faithful(table: pa.Table) -> pl.DataFrame | None:
    """Flat columns, or None if a value may have lost its kind or precision on the way."""
    rows = table.num_rows
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()  # an object without members goes, as in `_flat`
    names = {clean_name(name) for name in table.column_names}
    if len(names) != table.num_columns or table.num_columns > MAX_ATTRIBUTES:
        return None
    table = table.select(
        [i for i, c in enumerate(table.columns) if c.null_count < len(c) and not pa.types.is_null(c.type)]
    )
    columns: dict[str, pl.Series] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = _ARROW_KINDS.get(column.type)
        if kind is None:
            return None  # among them arrays: Arrow makes an array that is not valid of `[null]`
        series = pl.Series(pl.from_arrow(column))
        if kind == "float" and not (series.is_null() | series.abs().lt(EXACT)).all():
            return None
        columns[column_as_sent(name, kind, columns)] = series
    return (
        pl.DataFrame(columns)
        if columns
        else pl.DataFrame({"message": pl.repeat(None, rows, dtype=pl.String, eager=True)})
    )


_ARROW_KINDS = {pa.int64(): "int", pa.float64(): "float", pa.bool_(): "bool", pa.string(): "text"}


def _depth_bound(codes: npt.NDArray[np.uint8]) -> int:
    """At least the deepest nesting of the body: brackets in strings count too, which errs to the slow path."""
    steps = np.zeros(len(codes), dtype=np.int8)
    steps[(codes == ord("{")) | (codes == ord("["))] = 1
    steps[(codes == ord("}")) | (codes == ord("]"))] = -1
    depth = np.cumsum(steps[steps != 0], dtype=np.int32)
    return int(depth.max(initial=0) - min(0, depth.min(initial=0)))


_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def _slow(lines: Sequence[bytes | msgspec.Raw]) -> pl.DataFrame:
    """The flat columns line by line: any line becomes an event, whatever is in it."""
    columns = Columns()
    for line in lines:
        raw = bytes(line).removesuffix(b"\r")
        if not raw.strip():
            continue
        row = columns.rows
        columns.rows += 1
        event, error = _object(raw)
        if event is None:
            columns.put(row, "message", "text", raw.decode("utf-8", "backslashreplace"))
            columns.put(row, "parse_error", "text", error)
        else:
            for field, kind, value in leaves(event):
                columns.put(row, field, kind, value)
    return columns.frame()


def _object(raw: bytes) -> tuple[dict[str, Any] | None, str]:
    try:
        value = _decode(raw.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        return None, f"json: {why}"
    except RecursionError:
        return None, "json: nested too deep"
    if isinstance(value, dict):
        return value, ""
    return None, f"json: {_JSON_NAMES[type(value)]} where an object was expected"


_JSON_NAMES = {
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a truth value",
    type(None): "null",
}


def leaves(value: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """(dotted field, kind, value) of each leaf of a JSON object, nested as deep as the context allows."""
    return _flat(value, "", _nesting.get())


def _flat(value: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, str, Any]]:
    """(dotted field, kind, value) of each leaf that is not null; an object without members has none.

    :param depth: levels that become names; what lies deeper is a leaf.
    """
    for key, leaf in value.items():
        field = f"{prefix}{key}"
        match leaf:
            case None:
                pass
            case bool():
                yield field, "bool", leaf
            case str():
                yield field, "text", leaf
            case int():
                if -_INT64 <= leaf < _INT64:
                    yield field, "int", leaf
                else:
                    yield field, "json", str(leaf)
            case float():
                yield field, "float", leaf
            case dict() if depth:
                yield from _flat(leaf, f"{field}.", depth - 1)
            case _:
                yield field, "json", _json_text(leaf)


def _json_text(value: object) -> str:
    try:
        return _encode(value).decode()
    except RecursionError:
        return '"nested too deep to keep"'
