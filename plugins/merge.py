"""What a parser found in events, laid over the events: the one place where that is decided, for every parser."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from .batch import Batch
from .fields import STANDARD, column_name, split_column

_OVERLAID = ("timestamp", "service", "host", "source", "message", "trace_id", "span_id")


def merge(
    batch: Batch, found: Batch, *, where: pl.Series, error: str | pl.Series, replaces: Collection[str] = ()
) -> Batch:
    """The rows of `batch`, in order, with the fields of `found` where the Boolean `where` holds.

    `found` has the same rows; there, null means not found, and what `batch` has stays, except for the standard fields
    in `replaces`. A field that was found in a row has only the kind it was found with. `observed_timestamp` is never
    touched. Rows where `where` is false stay as they came, with `error` (a text, or one a row) as `parse_error`; of two
    errors the first stays.
    """
    where = where.fill_null(value=False)
    old, new = batch.frame, found.frame
    out = {"observed_timestamp": old["observed_timestamp"]}
    for name in _OVERLAID:
        out[name] = _pick(where if name in replaces else where & new[name].is_not_null(), new[name], old[name])
    spoken = where & (new["severity"].is_not_null() | new["severity_text"].is_not_null())
    for name in ("severity", "severity_text"):
        out[name] = _pick(spoken, new[name], old[name])
    failed = pl.repeat(error, old.height, dtype=pl.String, eager=True) if isinstance(error, str) else error
    later = _pick(where, new["parse_error"], failed)
    out["parse_error"] = _pick(old["parse_error"].is_not_null(), old["parse_error"], later)
    for column in _attributes(old, new, where):
        out[column.name] = column
    names = [*STANDARD, *(name for name in out if name not in STANDARD)]
    return Batch.of(pl.DataFrame({name: out[name] for name in names}))


def _pick(mask: pl.Series, yes: pl.Series, no: pl.Series) -> pl.Series:
    """`yes` where the mask holds, else `no`; the usual cases cost nothing."""
    if mask.all():
        return yes
    return yes.zip_with(mask, no) if mask.any() else no


def _attributes(old: pl.DataFrame, new: pl.DataFrame, where: pl.Series) -> list[pl.Series]:
    """The attribute columns of both; a field found in a row takes the place of all its kinds in that row."""
    columns: list[pl.Series] = []
    found = _by_field(new)
    before = _by_field(old)
    for field, kinds in before.items():
        if field not in found:
            columns += kinds.values()
    for field, kinds in found.items():
        had = before.get(field, {})
        here = pl.repeat(value=False, n=len(where), eager=True)
        for column in kinds.values():
            here |= column.alias("").is_not_null()  # a series' own name may be a pattern to polars
        here &= where
        taken: set[str] = set()
        for kind in [*had, *(kind for kind in kinds if kind not in had)]:
            a_column = kinds.get(kind, had.get(kind))
            assert a_column is not None
            null = pl.repeat(None, len(where), dtype=a_column.dtype, eager=True)
            value = _pick(here, kinds.get(kind, null), had.get(kind, null))
            if value.null_count() < len(value):
                name = column_name(field, kind, taken)
                taken.add(field)
                columns.append(value.alias(name))
    return columns


def _by_field(frame: pl.DataFrame) -> dict[str, dict[str, pl.Series]]:
    fields: dict[str, dict[str, pl.Series]] = {}
    for name, dtype in frame.schema.items():
        if name not in STANDARD:
            field, kind = split_column(name, dtype)
            fields.setdefault(field, {})[kind] = frame[name]
    return fields
