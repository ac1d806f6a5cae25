"""From segment files back to a frame with a batch's columns and the internal ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from ...plugins.batch import Batch, concat
from ...plugins.fields import MAX_ATTRIBUTES, STANDARD, split_column
from .encode import POSITION, TEMPLATE, template_of
from .segment import Segment

_INTERNAL = (TEMPLATE, POSITION)


def read_segment(segment: Segment, path: Path) -> pl.DataFrame:
    """The rows of a segment under the names a batch has, and `_position`; `_template` where there is a message.

    A column without a value is not there. An attribute's column is `field` where the field has one
    kind here, else `field#kind`; see `fields.split_column`.
    """
    frame = read_commits(segment, path)
    if TEMPLATE not in frame.columns and "message" in frame.columns:
        frame = frame.with_columns(template_of(pl.col("message")).alias(TEMPLATE))
    return frame


def read_commits(segment: Segment, path: Path, positions: tuple[int, int] | None = None) -> pl.DataFrame:
    """As `read_segment`, with `_template` only where the file has it.

    :param positions: only the rows of these commits, `after < position <= upto`; the others take no memory.
    """
    if positions is None or segment.min_position == segment.max_position:
        frame = pl.read_parquet(path)
    else:
        after, upto = positions
        frame = pl.scan_parquet(path).filter(pl.col(POSITION).is_between(after + 1, upto)).collect(engine="streaming")
    names: dict[str, str] = {}
    schema = frame.schema
    kinds = Counter(column.field for column in segment.columns)
    for column in segment.columns:
        if column.field in STANDARD or column.column in _INTERNAL:
            continue
        plain = column.kind != "json" and kinds[column.field] == 1
        natural = plain and split_column(column.field, schema[column.column]) == (column.field, column.kind)
        names[column.column] = column.field if natural else f"{column.field}#{column.kind}"
    frame = frame.rename(names)
    if POSITION not in frame.columns:
        frame = frame.with_columns(pl.lit(segment.min_position, dtype=pl.Int64).alias(POSITION))
    return frame


def read_segments(segments: Sequence[Segment], paths: Mapping[int, Path], fields: int = MAX_ATTRIBUTES) -> pl.DataFrame:
    """The rows of all segments, in the order given; a field with different kinds gets a column for each."""
    return concat(
        [Batch(read_segment(segment, paths[segment.id])) for segment in segments], most=fields, keep=_INTERNAL
    ).frame
