"""Events as the bytes of a file, and what the outputs that write files have in common."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
import polars as pl
from pydantic import Field

from ..plugins import NOT_JSON, STANDARD, Batch, Every, Lot, OutputConfig, severity_name, split_column
from ..plugins.fields import col

_encode = msgspec.json.Encoder().encode
_GZIP = 5  # of 9: beyond, time doubles for a hundredth less


class FilesConfig(OutputConfig):
    """Settings of the outputs that write files."""

    format: Literal["parquet", "ndjson"] = "parquet"
    """`parquet`, compressed with zstd, or `ndjson`: a line of JSON an event, compressed with gzip."""
    every: Every = "5m"
    """A file is written after so long at most, if there are new events."""
    max_events: int = Field(250_000, ge=1, le=1_000_000)
    """A file is written when there are so many; only those of one commit, which is never divided, may be more."""
    max_bytes: int = Field(64_000_000, ge=10_000, le=256_000_000)
    """A file is written when there are so many bytes, counted as JSON, uncompressed, about."""


def file_name(lot: Lot, format_: str) -> str:
    """A path, relative, by the day of arrival (UTC): the same lot has the same."""
    day = datetime.fromtimestamp(lot.arrived_ns // 10**9, UTC)
    return f"{day:%Y/%m/%d}/{lot.key}.{'parquet' if format_ == 'parquet' else 'ndjson.gz'}"


def file_bytes(batch: Batch, format_: str) -> bytes:
    """The whole file. Blocking."""
    if format_ == "parquet":
        return parquet(batch)
    return gzip.compress(ndjson(batch), _GZIP, mtime=0)


def ndjson(batch: Batch) -> bytes:
    """A line an event, as the API gives them. Blocking."""
    ended = (lines(batch) + "\n").rechunk().to_arrow()
    # The texts lie one after the other in the array's last buffer.
    _, offsets, text = ended.buffers()
    assert offsets is not None
    assert text is not None
    bounds = memoryview(offsets).cast("q")
    return bytes(memoryview(text)[bounds[ended.offset] : bounds[ended.offset + len(ended)]]) if len(ended) else b""


def lines(batch: Batch) -> pl.Series:
    """The events as JSON, in order, nulls left out. Blocking.

    All by polars; Python sees the distinct values of fields that are kept as JSON, and no event.
    """
    shown = _shown(batch)
    members = [_member(column) for column in shown.get_columns() if column.null_count() < len(column)]
    if not members:
        return pl.Series(["{}"] * len(batch), dtype=pl.String)
    joined = pl.concat_str(members, separator=",", ignore_nulls=True)
    return shown.select(pl.concat_str(pl.lit("{"), joined, pl.lit("}"))).to_series()


def _member(column: pl.Series) -> pl.Expr:
    """`"name":value` of each event that has the field, else null."""
    name, kind = split_column(column.name, column.dtype)
    value = col(column.name)
    if kind == "json":
        known = column.drop_nulls().unique()
        text = value.replace_strict(known, [_as_json(one) for one in known], return_dtype=pl.String)
    elif column.dtype == pl.String:
        quoted = pl.struct(value.alias("")).struct.json_encode()
        text = quoted.str.strip_prefix('{"":').str.strip_suffix("}")
    elif column.dtype == pl.Float64:
        text = pl.when(value.is_finite()).then(value.cast(pl.String)).otherwise(pl.lit("null"))
    else:
        text = value.cast(pl.String)
    return pl.when(value.is_not_null()).then(pl.concat_str(pl.lit(f"{_encode(name).decode()}:"), text))


def _shown(batch: Batch) -> pl.DataFrame:
    """The frame with times and severities as they are written."""
    return batch.frame.with_columns(
        pl.col("timestamp", "observed_timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S.%9fZ"),
        severity=severity_name(pl.col("severity")),
    )


def events(batch: Batch, json: Callable[[str], Any]) -> Iterator[dict[str, Any]]:
    """The events as mappings, nulls left out; `json` makes the value of a field that is kept as JSON text."""
    shown = _shown(batch)
    fields = [split_column(name, dtype) for name, dtype in shown.schema.items()]
    made = [(name, json if kind == "json" else None) for name, kind in fields]
    for row in shown.iter_rows():
        yield {
            name: value if make is None else make(value)
            for (name, make), value in zip(made, row, strict=True)
            if value is not None
        }


def value_of(text: str) -> Any:
    """The value of JSON text; the text where it is none, or nested too deeply to be read."""
    try:
        return msgspec.json.decode(text)
    except NOT_JSON:
        return text


def _as_json(text: str) -> str:
    """The text as the JSON that it is: a number keeps all its digits, and a line stays one. What is none is quoted."""
    if value_of(text) is text:
        return _encode(text).decode()
    return text.replace("\n", " ").replace("\r", " ")


def parquet(batch: Batch) -> bytes:
    """A Parquet file of the batch's columns; times are UTC. Columns of attributes that no event has are left out."""
    frame = batch.frame
    used = [name for name in frame.columns if name in STANDARD or frame[name].null_count() < frame.height]
    times = pl.col("timestamp", "observed_timestamp").dt.replace_time_zone("UTC")
    target = io.BytesIO()
    frame.select(used).with_columns(times).write_parquet(target, compression="zstd")
    return target.getvalue()
