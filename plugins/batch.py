"""`Batch`: the events that travel together from a source to a segment, as one polars frame.

Every batch has the columns of `fields.STANDARD`, in that order and of those types; each further column is an
attribute of kind int, float, bool or text, or (`name#json`) any JSON value as text. Rows are events, in their order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
import polars as pl

from .fields import KINDS, MAX_ATTRIBUTES, STANDARD, TIME, clean_name, col, column_name, kind_of, split_column
from .overflow import folded
from .severity import severity_name
from .times import now_ns

Value: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Events as columns. Build one with `from_lines`, `from_ndjson`, `from_records` or `of`; it never changes."""

    frame: pl.DataFrame

    def __len__(self) -> int:
        return self.frame.height

    @property
    def size(self) -> int:
        """Bytes that the columns take in memory, about."""
        return int(self.frame.estimated_size())

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Batch:
        """A batch of any frame: standard columns are added and cast, attributes of other types become text or JSON."""
        return cls(_conform(frame))

    @classmethod
    def from_lines(cls, lines: Iterable[str] | pl.Series, *, observed: int | None = None) -> Batch:
        """One event a line, the line as its message; `observed` is the time of arrival in nanoseconds (now)."""
        message = lines if isinstance(lines, pl.Series) else pl.Series("message", list(lines), dtype=pl.String)
        at = pl.lit(now_ns() if observed is None else observed, dtype=pl.Int64).cast(TIME)
        return cls(_conform(pl.DataFrame({"message": message}).with_columns(timestamp=at, observed_timestamp=at)))

    @classmethod
    def from_ndjson(cls, body: bytes, *, observed: int | None = None) -> Batch:
        """One event a line of JSON; a line that is no JSON object is kept as its message, with `parse_error`."""
        from .ndjson import read_ndjson

        return read_ndjson(body, now_ns() if observed is None else observed)

    @classmethod
    def from_records(cls, records: Iterable[Mapping[str, Any]], *, observed: int | None = None) -> Batch:
        """One event a mapping (JSON values, nested ones become dotted names), as if each had come as a line of JSON."""
        encode = msgspec.json.Encoder().encode
        return cls.from_ndjson(b"\n".join(encode(record) for record in records), observed=observed)

    def parsed(self, columns: Mapping[str, pl.Expr | Value], *, where: pl.Expr, error: str) -> Batch:
        """Fill `columns` where `where` holds; the other rows stay as they came, with `parse_error` = `error`.

        Keys are field names, standard or not; values are expressions over this batch's columns, or constants. Row count
        and order stay. A row that has a `parse_error` already keeps the first.
        """
        # A NUL is in no field's name, so these columns meet none.
        taken = self.frame.lazy().with_columns(where.fill_null(value=False).alias("\0ok"))
        fresh = {
            f"\0{i}": value if isinstance(value, pl.Expr) else pl.lit(value) for i, value in enumerate(columns.values())
        }
        frame = taken.with_columns(**fresh).collect()
        ok, schema = pl.col("\0ok"), frame.schema
        filled: dict[str, pl.Expr] = {}
        for i, field in enumerate(columns):
            dtype = schema[f"\0{i}"]
            value = pl.col(f"\0{i}")
            if field in STANDARD:
                old, new = pl.col(field), value.cast(STANDARD[field], strict=False)
                filled[field] = pl.when(ok).then(new).otherwise(old)
            elif dtype != pl.Null:
                name, new = _attribute(field, value, dtype, schema)
                filled[name] = pl.when(ok).then(new).otherwise(col(name) if name in schema else None)
                for other in self._columns_of(field) - {name}:
                    filled[other] = pl.when(~ok).then(col(other))
        if error:
            failed = pl.when(ok).then(pl.col("parse_error")).otherwise(pl.coalesce("parse_error", pl.lit(error)))
            filled.setdefault("parse_error", failed)
        return Batch(_conform(frame.with_columns(**filled).drop("\0ok", *fresh)))

    def merged(
        self, found: Batch, *, where: pl.Series, error: str | pl.Series, replaces: Collection[str] = ()
    ) -> Batch:
        """These events with what a parser found in them, where it understood the row; see `merge.merge`."""
        from .merge import merge

        return merge(self, found, where=where, error=error, replaces=replaces)

    def with_default(self, **values: str | None) -> Batch:
        """Fill standard text fields with a constant where they are null, as a pipeline's `service:` does."""
        return Batch(self.frame.with_columns(pl.col(name).fill_null(value) for name, value in values.items() if value))

    def with_names(self, most: int) -> Batch:
        """The same with the names of attributes shortened to so many characters; see `fields.clean_name`."""
        if all(len(name) <= most for name in self.frame.columns):
            return self
        names = {}
        for name, dtype in self.frame.schema.items():
            field, _ = split_column(name, dtype)
            if len(field) > most:
                names[name] = clean_name(field, most) + name[len(field) :]
        return Batch(self.frame.rename(names))

    def events(self) -> list[dict[str, Any]]:
        """The events in JSON form: flat, dotted names, nulls left out. For people and tests: it is Python per event."""
        shown = self.frame.with_columns(
            _rfc3339("timestamp"),
            _rfc3339("observed_timestamp"),
            severity=severity_name(pl.col("severity")),
        )
        fields = [split_column(name, dtype) for name, dtype in shown.schema.items()]
        events = []
        for row in shown.iter_rows():
            event = {}
            for (field, kind), value in zip(fields, row, strict=True):
                if value is not None:
                    event[field] = msgspec.json.decode(value) if kind == "json" else value
            events.append(event)
        return events

    def _columns_of(self, field: str) -> set[str]:
        return {name for name, dtype in self.frame.schema.items() if split_column(name, dtype)[0] == field}


def concat(batches: Sequence[Batch], *, most: int = MAX_ATTRIBUTES, keep: Collection[str] = ()) -> Batch:
    """One batch of several, in order; a field that has several kinds in them gets a column for each.

    :param most: attribute columns that it may have; what goes beyond is folded into one, see `overflow.folded`.
    :param keep: columns that are no attributes and stay.
    """
    bounded = folded([batch.frame for batch in batches], most, keep)
    if len(batches) == 1:
        return Batch(bounded[0])
    kinds: dict[str, set[str]] = {}
    for frame in bounded:
        for name, dtype in frame.schema.items():
            field, kind = split_column(name, dtype)
            kinds.setdefault(field, set()).add(kind)
    frames = []
    for frame in bounded:
        names = {}
        for name, dtype in frame.schema.items():
            field, kind = split_column(name, dtype)
            if name not in STANDARD and len(kinds[field]) > 1 and name != f"{field}#{kind}":
                names[name] = f"{field}#{kind}"
            elif name not in STANDARD and len(kinds[field]) == 1 and name != (alone := column_name(field, kind)):
                names[name] = alone
        frames.append(frame.rename(names) if names else frame)
    return Batch(pl.concat(frames, how="diagonal"))


def _rfc3339(name: str) -> pl.Expr:
    return pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S.%9fZ")


def _attribute(
    field: str, value: pl.Expr, dtype: pl.DataType, schema: Mapping[str, pl.DataType]
) -> tuple[str, pl.Expr]:
    """The column name and the expression for an attribute whose value has this type."""
    value, kind = _to_kind(value, dtype)
    taken = {field} if field in schema and kind_of(schema[field]) != kind else ()
    return column_name(clean_name(field), kind, taken), value


def _to_kind(value: pl.Expr, dtype: pl.DataType) -> tuple[pl.Expr, str]:
    if dtype == pl.UInt64 or dtype.is_decimal():
        return value.cast(pl.Float64, strict=False), "float"
    if dtype.is_integer():
        return value.cast(pl.Int64), "int"
    if dtype.is_float():
        return value.cast(pl.Float64), "float"
    if dtype == pl.Boolean:
        return value, "bool"
    if isinstance(dtype, pl.Datetime):
        utc = value.dt.convert_time_zone("UTC") if dtype.time_zone else value
        return utc.cast(TIME).dt.strftime("%Y-%m-%dT%H:%M:%S.%9fZ"), "text"
    if dtype.is_nested():
        as_json = value.map_batches(
            lambda column: pl.Series([None if v is None else _json_text(v) for v in column.to_list()], dtype=pl.String),
            return_dtype=pl.String,
        )
        return as_json, "json"
    return value.cast(pl.String, strict=False), "text"


def _json_text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _conform(frame: pl.DataFrame) -> pl.DataFrame:
    """The same rows under the invariants of a batch. Cheap where they hold already."""
    schema = frame.schema
    wanted: list[pl.Expr] = [
        pl.lit(None, dtype=dtype).alias(name)
        if name not in schema
        else pl.col(name)
        if schema[name] == dtype
        else pl.col(name).cast(dtype, strict=False)
        for name, dtype in STANDARD.items()
    ]
    seen: set[str] = set(STANDARD)
    for name, dtype in schema.items():
        if name in STANDARD or dtype == pl.Null:
            continue
        field, kind = split_column(name, dtype)
        if KINDS.get(kind) == dtype and clean_name(field) == field and name not in seen:
            wanted.append(col(name))
            seen.add(name)
        else:
            value, kind = _to_kind(col(name), dtype)
            column = column_name(clean_name(field), kind, seen)
            if column not in seen:
                wanted.append(value.alias(column))
                seen.add(column)
    in_order = frame.columns[: len(STANDARD)] == list(STANDARD) and seen == set(schema)
    if in_order and all(schema[name] == dtype for name, dtype in STANDARD.items()):
        return frame
    return frame.select(wanted)
