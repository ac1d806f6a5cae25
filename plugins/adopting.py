"""From a wire format's own names to the standard fields: `trace.id`, `service_name`, `dd.trace_id`."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from .batch import Batch
from .fields import STANDARD, split_column
from .severity import LEVELS, severity_number


def adopt(batch: Batch, names: Mapping[str, str]) -> Batch:
    """Move attributes to standard text fields, or to `severity`, in the rows where those are null.

    `names` has attribute to standard field; of two for one field, the first in `names` counts. A value that does not
    move (the field has one already, the word is no severity) stays an attribute.
    """
    frame = batch.frame
    found = {split_column(name, dtype)[0]: name for name, dtype in frame.schema.items() if not name.endswith("#json")}
    for field, target in names.items():
        column = found.get(field)
        if column is None or column in STANDARD:
            continue
        words = frame[column].cast(pl.String)
        changed: dict[str, pl.Series] = {}
        if target == "severity":
            number = words.to_frame("w").select(severity_number(pl.col("w")))["w"]
            free = frame["severity"].is_null() & number.is_not_null()
            told = words.set(words.str.to_uppercase().is_in(LEVELS), None)
            changed = {"severity": number, "severity_text": told}
        else:
            free = frame[target].is_null() & words.is_not_null() & (words != "")
            changed = {target: words}
        if not (free := free.fill_null(value=False)).any():
            continue
        left = frame[column].set(free, None)
        frame = frame.with_columns(value.zip_with(free, frame[name]).alias(name) for name, value in changed.items())
        frame = frame.drop(column) if left.null_count() == len(left) else frame.with_columns(left.alias(column))
    return Batch(frame)
