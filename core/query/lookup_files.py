"""Uploaded lookup tables: CSV or Parquet in, columns of known kinds out; and the form in which they are kept."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import polars as pl

from ...plugins.errors import QueryError, RejectedError
from ..storage.cache import SegmentGoneError
from . import sql
from .duck import Duck, Running
from .lookups import LINE, Lookup

MOST_BYTES = 16 << 20  # of an upload
MOST_TEXT = 64 << 20  # bytes of all values, read: a small Parquet file can hold much more
MOST_ROWS = 1_000_000
MOST_COLUMNS = 100
MOST_NAME = 200  # characters of a column's name
_MEMORY = "256MB"
_INT, _FLOAT = r"^(0|-?[1-9]\d{0,17})$", r"^-?\d+\.\d+([eE][+-]?\d{1,3})?$"


def frame_of(data: bytes) -> pl.DataFrame:
    """The table in an upload: Parquet by its first bytes, else CSV with a header. Blocking.

    Of CSV a column is a number or true and false where every value is one as we would write it: `007` stays a text.

    :raises RejectedError: it is neither, or too large
    """
    if len(data) > MOST_BYTES:
        raise RejectedError(f"a lookup table of {len(data)} bytes is too large; use at most {MOST_BYTES}")
    frame = _parquet(data) if data[:4] == b"PAR1" else _csv(data)
    if not frame.width or frame.width > MOST_COLUMNS:
        raise RejectedError(f"{frame.width} columns; use 1 to {MOST_COLUMNS}")
    if frame.height > MOST_ROWS:
        raise RejectedError(f"more than {MOST_ROWS:,} rows")
    for name in frame.columns:
        if not name.strip() or len(name) > MOST_NAME or "\0" in name:
            raise RejectedError(f"`{name[:40]}` is no name for a column; use 1 to {MOST_NAME} characters")
    return frame


def encoded(frame: pl.DataFrame) -> bytes:
    """The table as it is kept."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def kind_of(dtype: pl.DataType) -> str:
    """The kind of a column in the query language."""
    if dtype == pl.Boolean:
        return "bool"
    return "int" if dtype == pl.Int64 else "float" if dtype == pl.Float64 else "time" if dtype.is_temporal() else "text"


def lookup_of(name: str, frame: pl.DataFrame) -> Lookup:
    """The table as queries take it."""
    columns = {column: (kind_of(dtype), f"c{i}") for i, (column, dtype) in enumerate(frame.schema.items())}
    table = frame.rename({column: own for column, (_, own) in columns.items()}).with_row_index(LINE).to_arrow()
    return Lookup(name, columns, table)


def _csv(data: bytes) -> pl.DataFrame:
    try:
        frame = pl.read_csv(data, infer_schema=False, n_rows=MOST_ROWS + 1)
    except (pl.exceptions.PolarsError, UnicodeError) as why:
        raise RejectedError(f"no CSV table with a header: {str(why).partition(chr(10))[0][:200]}") from None
    kinds = frame.select(
        pl.when(pl.col(name).is_null().all())
        .then(pl.lit("text"))
        .when(pl.col(name).str.contains(_INT).all())
        .then(pl.lit("int"))
        .when(pl.col(name).str.contains(f"{_INT}|{_FLOAT}").all())
        .then(pl.lit("float"))
        .when(pl.col(name).is_in(["true", "false"]).all())
        .then(pl.lit("bool"))
        .otherwise(pl.lit("text"))
        .first()
        .alias(name)
        for name in frame.columns
    )
    made = {"int": pl.Int64, "float": pl.Float64}
    return frame.with_columns(
        pl.col(name) == "true" if kind == "bool" else pl.col(name).cast(made[kind])
        for name, kind in zip(frame.columns, kinds.row(0) if frame.height else (), strict=False)
        if kind != "text"
    )


def _parquet(data: bytes) -> pl.DataFrame:
    """By DuckDB, under its limit of memory: the file may say anything about its size."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        path.write_bytes(data)
        duck = Duck(path.parent, memory_limit=_MEMORY, threads=1)
        source = f"FROM read_parquet([{sql.text(str(path)).sql(sql.DIALECT)}])"
        try:
            described = duck.table_now(f"DESCRIBE SELECT * {source}", Running()).to_pydict()
            names = [sql.column(name).sql(sql.DIALECT) for name in described["column_name"]][: MOST_COLUMNS + 1]
            sizes = " + ".join(f"coalesce(sum(strlen({name}::VARCHAR)), 0)" for name in names)
            checked = duck.table_now(f"SELECT count(*) AS n, {sizes} AS size {source}", Running()).to_pylist()[0]
            if checked["n"] > MOST_ROWS or checked["size"] > MOST_TEXT:
                raise RejectedError(
                    f"a table of {checked['n']:,} rows and {checked['size']:,} bytes is too large; "
                    f"use at most {MOST_ROWS:,} and {MOST_TEXT:,}"
                )
            columns = ", ".join(
                f"{name}::{_sql_type(kind)} AS {name}"
                for name, kind in zip(names, described["column_type"], strict=False)
            )
            table = duck.table_now(f"SELECT {columns} {source}", Running())
        except (QueryError, SegmentGoneError) as why:
            raise RejectedError(f"no Parquet table: {str(why).partition(chr(10))[0][:200]}") from None
        finally:
            duck.close()
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _sql_type(kind: str) -> str:
    if kind in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"):
        return "BIGINT"
    if kind in ("FLOAT", "DOUBLE") or kind.startswith("DECIMAL"):
        return "DOUBLE"
    if kind == "DATE" or kind.startswith("TIMESTAMP"):
        return "TIMESTAMP_NS"
    return "BOOLEAN" if kind == "BOOLEAN" else "VARCHAR"
