"""Rows as NDJSON, a column at a time by polars; only values that are JSON already are read and written one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
import polars as pl
import pyarrow as pa

from ...core.query.result import decoded, python_values
from ...plugins.severity import NAMES

if TYPE_CHECKING:
    from ...core.query.plan import Output

Member: TypeAlias = tuple[str, list[pl.Series]]
"""A name and its values, of each kind that it may have; a series of structs holds JSON text, one to a row."""

_TIME: Final = "%Y-%m-%dT%H:%M:%S%.9fZ"
_encode = msgspec.json.Encoder().encode


def json_lines(outputs: Sequence[Output], table: pa.Table) -> bytes:
    """An object a row, each with a line feed, without the members that are null."""
    members = [
        (output.name, [_shown(kind, table.column(name)) for kind, name in output.kinds])
        for output in outputs
        if output.kinds
    ]
    if not table.num_rows or not members:
        return b"{}\n" * table.num_rows
    parts = list(_parts(members))
    lines = pl.select(
        pl.concat_str(pl.lit("{"), pl.concat_str(parts, separator=",", ignore_nulls=True), pl.lit("}\n"))
    ).to_series()
    array: Any = lines.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, text = array.buffers()
    return bytes(memoryview(text)[: memoryview(offsets).cast("q")[table.num_rows]])


def _shown(kind: str, column: Any) -> pl.Series:
    """One kind's values, ready to be written: text, numbers, booleans; as one-member structs where they are JSON."""
    match kind:
        case "time":
            return _series(column.cast(pa.timestamp("ns"))).dt.strftime(_TIME)
        case "severity":
            numbers = _series(column)
            return numbers.replace_strict(NAMES, default=numbers.cast(pl.String), return_dtype=pl.String)
        case "duration":
            return _series(column).cast(pl.Float64) / 1e9
        case "json":
            return _json([None if text is None else _encode(decoded(text)).decode() for text in python_values(column)])
    series = _series(column)
    is_number = series.dtype.is_float() or series.dtype.is_integer()
    if not is_number and series.dtype not in (pl.String, pl.Boolean):
        return _json([None if value is None else _encode(value).decode() for value in python_values(column)])
    return series


def _series(column: Any) -> pl.Series:
    series = pl.from_arrow(column)
    assert isinstance(series, pl.Series)
    return pl.select(pl.when(series.is_finite()).then(series)).to_series() if series.dtype.is_float() else series


def _json(texts: list[str | None]) -> pl.Series:
    return pl.Series("", texts, pl.String).to_frame("json").to_struct()


def _parts(members: Sequence[Member]) -> Iterator[pl.Expr]:
    """The members' text, `"name":value`, null where the value is; those that are never null are written together."""

    def always(member: Member) -> bool:
        _, kinds = member
        return len(kinds) == 1 and kinds[0].dtype != pl.Struct and not kinds[0].null_count()

    for together, some in groupby(members, always):
        if together:
            yield _unwrapped(pl.struct(*(kinds[0].alias(name) for name, kinds in some)))
            continue
        for name, kinds in some:
            yield pl.coalesce(*(_member(name, values) for values in kinds))


def _member(name: str, values: pl.Series) -> pl.Expr:
    if values.dtype == pl.Struct:
        return pl.lit(_encode(name).decode() + ":") + pl.lit(values.struct.field("json"))
    return pl.when(values.is_not_null()).then(_unwrapped(pl.struct(values.alias(name))))


def _unwrapped(members: pl.Expr) -> pl.Expr:
    return members.struct.json_encode().str.strip_prefix("{").str.strip_suffix("}")
