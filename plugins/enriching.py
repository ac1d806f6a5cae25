"""What is known of a value of an event, laid over it: each distinct value of a batch is looked up once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
import polars as pl

from .batch import Batch
from .fields import KINDS, STANDARD, clean_name, column_name, split_column

_KEY = "\0key"  # a NUL is in no field's name
_OURS = ("timestamp", "observed_timestamp", "severity", "parse_error")
_MOST_INT = 2**63


def text_of(batch: Batch, field: str) -> pl.Series:
    """The field as text, whatever its kinds; null where an event lacks it."""
    text = pl.repeat(None, len(batch), dtype=pl.String, eager=True)
    for column in batch.frame:
        if split_column(column.name, column.dtype)[0] == field:
            text = text.zip_with(text.is_not_null(), written(column))
    return text


def written(column: pl.Series) -> pl.Series:
    """The values as text; a whole number is written the same whether it came among fractions or not."""
    text = column.cast(pl.String, strict=False)
    return text.alias("").str.strip_suffix(".0") if column.dtype.is_float() else text


def enriched(
    batch: Batch, keys: pl.Series, look_up: Callable[[pl.Series], pl.DataFrame], *, overwrite: bool = True
) -> Batch:
    """The events with the fields that belong to the key of each.

    `look_up` gets the distinct keys and answers a row for each, in their order: a column a field, null where nothing is
    known. Its `parse_error` says of which key it could not be asked.

    :param overwrite: whether what is found takes the place of what an event has already
    """
    distinct = keys.drop_nulls().unique(maintain_order=True)
    if not len(distinct):
        return batch
    table = look_up(distinct)
    error = table["parse_error"] if "parse_error" in table.columns else pl.Series([None] * len(table), dtype=pl.String)
    table = table.drop([*_OURS, "source"], strict=False)
    numbers = keys.alias(_KEY).to_frame().join(
        pl.DataFrame({_KEY: distinct, "row": pl.arange(len(distinct), eager=True)}),
        on=_KEY, how="left", maintain_order="left",
    )["row"]  # fmt: skip
    found = table[numbers.fill_null(0)] if table.width else pl.DataFrame(height=len(batch))
    if not overwrite:
        found = pl.DataFrame([_absent(batch, column) for column in found])
    read = Batch.of(found.with_columns(parse_error=error.gather(numbers)))
    return batch.merged(read, where=keys.is_not_null(), error=pl.repeat(None, len(keys), dtype=pl.String, eager=True))


def columns_of(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> pl.DataFrame:
    """Rows of values as JSON has them, as columns that a batch may have: a column a kind of each field."""
    columns: list[pl.Series] = []
    for number, name in enumerate(names):
        by_kind: dict[str, list[Any]] = {}
        for at, row in enumerate(rows):
            kind, value = _kind(row[number])
            if kind:
                by_kind.setdefault(kind, [None] * len(rows))[at] = value
        if by_kind.keys() == {"int", "float"}:
            merged = zip(by_kind.pop("int"), by_kind["float"], strict=True)
            by_kind["float"] = [b if a is None else float(a) for a, b in merged]
        taken: set[str] = set()
        for kind, values in by_kind.items():
            column = attribute(name, kind, taken)
            if column not in taken:
                columns.append(pl.Series(column, values, dtype=KINDS[kind]))
                taken.add(column)
    return pl.DataFrame(columns) if columns else pl.DataFrame(height=len(rows))


def attribute(name: str, kind: str, taken: Collection[str] = ()) -> str:
    """The column of a batch for values of this kind of a field that somebody else has named."""
    return name if name in STANDARD else column_name(clean_name(name), kind, taken)


def _kind(value: object) -> tuple[str, Any]:
    match value:
        case None:
            return "", None
        case bool():
            return "bool", value
        case int():
            return ("int", value) if -_MOST_INT <= value < _MOST_INT else ("text", str(value))
        case float():
            return "float", value
        case str():
            return "text", value
        case bytes() | bytearray():
            return "text", bytes(value).hex()
    return "json", msgspec.json.encode(value).decode()


def _absent(batch: Batch, column: pl.Series) -> pl.Series:
    """The column where the event has no value of that field."""
    field, name = split_column(column.name, column.dtype)[0], column.name
    column = column.alias("")  # a series' own name may be a pattern to polars
    for own in batch.frame:
        if split_column(own.name, own.dtype)[0] == field:
            column = column.set(own.alias("").is_not_null(), None)
    return column.alias(name)
