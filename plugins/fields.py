"""The fields of an event: standard columns, attribute kinds, and the names that mean the same.

A column of a batch is a field of one kind. The first kind of a field stands under the field's own name and its kind is
the column's type; a further kind of the same field stands beside it as `name#kind`. Such a suffix is written out too
where a name itself ends like one, so that `split_column` and `column_name` are exact inverses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

import polars as pl
from polars.selectors import by_name

TIME = pl.Datetime("ns")
"""Nanoseconds since the epoch, UTC, without a zone: years 1678 to 2261."""

STANDARD: dict[str, pl.DataType] = {
    "timestamp": TIME,
    "observed_timestamp": TIME,
    "severity": pl.UInt8(),
    "severity_text": pl.String(),
    "service": pl.String(),
    "host": pl.String(),
    "source": pl.String(),
    "message": pl.String(),
    "trace_id": pl.String(),
    "span_id": pl.String(),
    "parse_error": pl.String(),
}
"""The columns that every batch has, in this order. `severity` is OpenTelemetry's SeverityNumber, 1 to 24."""

IDENTIFIERS = ("trace_id", "span_id")
"""Standard fields that name one thing each; what looks like a number in them is none."""

ALIASES: dict[str, tuple[str, ...]] = {
    "timestamp": ("timestamp", "@timestamp", "time", "ts", "_time", "date"),
    "severity": ("severity", "level", "lvl", "log.level", "levelname", "severity_number"),
    "message": ("message", "msg", "log", "body", "_msg", "text"),
    "service": ("service", "service.name", "app", "logger"),
    "host": ("host", "hostname", "host.name"),
}
"""Names under which shippers send the standard fields; of two in one event the first counts, the other stays."""

UNDERSTOOD = frozenset(alias for names in ALIASES.values() for alias in names) | STANDARD.keys()
"""Names that fill a standard field."""

KINDS: dict[str, pl.DataType] = {
    "int": pl.Int64(),
    "float": pl.Float64(),
    "bool": pl.Boolean(),
    "text": pl.String(),
    "json": pl.String(),
}
"""Kinds of attribute values. `json` is any JSON value as text: arrays, and numbers beyond 64 bits."""

MAX_NAME = 1000
"""Characters of a field's name; the rest becomes a hash. PostgreSQL and Parquet take more; people do not."""

OVERFLOW = "overflow"
"""The attribute that keeps fields beyond `MAX_ATTRIBUTES`: a JSON object; see `overflow`."""

MAX_ATTRIBUTES = 1000
"""Attribute columns of a batch and of a segment; what goes beyond is kept in `OVERFLOW`.

A column costs memory for every row of the batch, so an unbounded count lets one event multiply the batch's size.
"""


def col(name: str) -> pl.Expr:
    """The column of exactly this name: to polars' own `col`, `*` and `^…$` are patterns, and senders choose names."""
    return by_name(name).as_expr() if name == "*" or name.startswith("^") else pl.col(name)


def kind_of(dtype: pl.DataType) -> str | None:
    """The kind whose column type this is; None: no attribute may have it."""
    return next((kind for kind, known in KINDS.items() if known == dtype), None)


def split_column(name: str, dtype: pl.DataType) -> tuple[str, str]:
    """The field and kind that a column holds.

    >>> split_column("user", pl.String()), split_column("user#int", pl.Int64()), split_column("a#b", pl.String())
    (('user', 'text'), ('user', 'int'), ('a#b', 'text'))
    """
    field, mark, kind = name.rpartition("#")
    if mark and kind in KINDS:
        return field, kind
    return name, kind_of(dtype) or "text"


def column_name(field: str, kind: str, taken: Collection[str] = ()) -> str:
    """The column for values of this kind, where the columns `taken` exist already for other kinds.

    >>> column_name("user", "int"), column_name("user", "int", {"user"}), column_name("tags", "json")
    ('user', 'user#int', 'tags#json')
    """
    if kind == "json" or field in taken or field in STANDARD or (field.rpartition("#")[2] in KINDS and "#" in field):
        return f"{field}#{kind}"
    return field


def clean_name(name: str, most: int = MAX_NAME) -> str:
    """A field name that every layer can carry: no NUL (Arrow's names end at one), no lone surrogate, bounded.

    Of a longer one its start and a hash are left, so that two do not become one.
    """
    name = name.replace("\0", "\ufffd")
    if not name.isascii():
        name = name.encode("utf-8", "replace").decode()
    if len(name) <= most:
        return name
    return f"{name[: most - 17]}…{hashlib.blake2b(name.encode(), digest_size=8).hexdigest()}"
