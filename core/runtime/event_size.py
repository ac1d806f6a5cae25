"""Events that are too large lose the end of their longest texts, and say so.

The size of an event is the bytes of its texts; names, and our own `source`, are not counted. What is left out is taken
from the longest texts: all that are longer than some length are cut to it, so that a large message costs no event its
trace id. The attribute `truncated` keeps the size that the event had.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import polars as pl

from ...plugins import Batch, split_column

TRUNCATED = "truncated"


def cut(batch: Batch, most: int) -> tuple[Batch, int]:
    """The batch with no event larger than `most` bytes, and how many were cut: same rows, same order."""
    frame = batch.frame
    if frame.estimated_size() <= most:
        return batch, 0
    texts = [
        name
        for name, dtype in frame.schema.items()
        if dtype == pl.String and name != "source" and frame[name].null_count() < len(batch)
    ]
    # The sum of the longest of each column is a bound that holds for all but a few batches, and nearly free.
    if sum(_longest(frame[name]) for name in texts) <= most:
        return batch, 0
    sizes = sum((frame[name].str.len_bytes().fill_null(0).cast(pl.Int64) for name in texts), pl.Series([0]))
    rows = (sizes > most).arg_true()
    if not len(rows):
        return batch, 0
    kinds = [split_column(name, pl.String())[1] for name in texts]
    values = [frame[name].gather(rows).to_list() for name in texts]
    shorter = [_shortened(event, kinds, most) for event in zip(*values, strict=True)]
    columns = [
        frame[name].scatter(rows, pl.Series([event[i] for event in shorter], dtype=pl.String))
        for i, name in enumerate(texts)
    ]
    marker = _marker(frame)
    none = pl.repeat(None, len(batch), dtype=pl.Int64, eager=True)
    marks = frame[marker] if marker in frame.columns else none
    columns.append(marks.scatter(rows, sizes.gather(rows)).alias(marker))
    return Batch(frame.with_columns(columns)), len(rows)


def _longest(texts: pl.Series) -> int:
    longest = texts.str.len_bytes().max()
    assert isinstance(longest, int)
    return longest


def _marker(frame: pl.DataFrame) -> str:
    """The column for `truncated`, which a sender may use for something else."""
    known = {split_column(name, dtype): name for name, dtype in frame.schema.items()}
    if name := known.get((TRUNCATED, "int")):
        return name
    return f"{TRUNCATED}#int" if TRUNCATED in frame.columns else TRUNCATED


def _shortened(values: Sequence[str | None], kinds: Sequence[str], most: int) -> list[str | None]:
    """The texts of an event within `most` bytes."""
    encoded = [b"" if value is None else value.encode() for value in values]
    length = _common_length([len(text) for text in encoded], most)
    return [
        value if value is None or len(text) <= length else _head(text, length, kind)
        for value, text, kind in zip(values, encoded, kinds, strict=True)
    ]


def _common_length(lengths: Sequence[int], most: int) -> int:
    """The length that all may have so that they have `most` together, where shorter ones leave their rest to others.

    >>> _common_length([10, 100, 100], 90), _common_length([10, 20, 300], 100)
    (40, 70)
    """
    rest = most
    for taken, length in enumerate(sorted(lengths)):
        left = len(lengths) - taken
        if length * left > rest:
            return rest // left
        rest -= length
    return most


def _head(text: bytes, length: int, kind: str) -> str:
    """The first bytes, to a whole character; of JSON, which would be none any more, they are a JSON string."""
    if kind != "json":
        return text[:length].decode(errors="ignore")
    start = text[: max(0, length // 2 - 1)].decode(errors="ignore")  # quotes and backslashes in it are doubled
    return msgspec.json.encode(start).decode()
