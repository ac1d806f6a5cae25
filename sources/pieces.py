"""Lines that a container's runtime wrote in pieces, put together again."""

from __future__ import annotations

import polars as pl


def joined(records: pl.DataFrame) -> pl.DataFrame:
    """The lines of records, in the order they began, each with its first record's time.

    Columns of both: `stream`, `time`, `text`, and `ends`, whether the record is the last of its line; pieces of one
    line follow each other in their stream. Of a line whose end is not among the records `ends` is false.
    """
    if records["ends"].all():
        return records
    number = pl.col("ends").shift(1, fill_value=False).cast(pl.UInt32).cum_sum().over("stream")
    return (
        records.with_columns(number.alias("line"))
        .group_by("stream", "line", maintain_order=True)
        .agg(pl.col("time").first(), pl.col("text").str.join(""), pl.col("ends").last())
        .drop("line")
    )
