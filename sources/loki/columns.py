"""A push in protobuf column by column, as usual senders write it."""

from __future__ import annotations

import numpy as np
import polars as pl

from ...plugins import clean_name
from ...plugins.columns import column_as_sent
from ...plugins.fields import MAX_ATTRIBUTES
from ..wire import BYTES, VARINT, Body, Fields, Ints, OddError, slots, spread
from .labels import read_labels

MAX_ENTRIES = 500_000
"""Entries that are read at once: each costs memory in every column."""
_OWN = ("timestamp", "message", "")
_SECOND = 1_000_000_000


def read_columns(plain: bytes) -> pl.DataFrame:
    """The entries as flat columns with the names that were sent, for `normalise`; the time in nanoseconds.

    Source: Loki, `pkg/push/push.proto`.

    :raises OddError: it is not as usual senders write it, or no push
    :raises WireError: a stream's labels are none
    """
    body = Body(plain)
    starts: list[int] = []
    ends: list[int] = []
    labels: list[dict[str, str]] = []
    counts: list[int] = []
    for number, start, end in body.messages(0, len(plain)):
        if number != 1:
            raise OddError
        found: dict[str, str] = {}
        before = len(starts)
        for part, first, last in body.messages(start, end):
            if part == 2:
                starts.append(first)
                ends.append(last)
            elif part == 1:
                found = read_labels(plain[first:last].decode())
            else:
                raise OddError
        labels.append(found)
        counts.append(len(starts) - before)
    if not 0 < len(starts) <= MAX_ENTRIES:
        raise OddError
    rows = len(starts)
    entries = body.fields(np.array(starts), np.array(ends), ((1, BYTES), (2, BYTES), (3, BYTES)))
    columns = {
        "timestamp": _times(body, entries[1].alone(), rows),
        "message": body.text(rows, entries[2].alone()).fill_null(""),
    }
    whose = np.repeat(np.arange(len(labels), dtype=np.uint32), counts)
    for name in dict.fromkeys(name for found in labels for name in found):
        values = pl.Series([found.get(name) for found in labels], dtype=pl.String)
        _add(columns, name, values.gather(whose))
    _metadata(body, entries[3], rows, columns)
    return pl.DataFrame(columns)


def _times(body: Body, stamps: Fields, rows: int) -> pl.Series:
    """Nanoseconds; 0 where an entry has no time."""
    parts = body.fields(stamps.start, stamps.start + stamps.size, ((1, VARINT), (2, VARINT)))
    seconds, rest = np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64)
    for number, into, most in ((1, seconds, 2**63 // _SECOND), (2, rest, _SECOND)):
        part = parts[number].alone()
        if (part.value >= most).any():
            raise OddError
        into[stamps.owner[part.owner]] = part.value.astype(np.int64)
    return pl.Series(seconds * _SECOND + rest)


def _metadata(body: Body, pairs: Fields, rows: int, columns: dict[str, pl.Series]) -> None:
    """A column for each name of structured metadata."""
    parts = body.fields(pairs.start, pairs.start + pairs.size, ((1, BYTES), (2, BYTES)))
    names, values = (body.text(len(pairs.owner), parts[number].alone()).fill_null("") for number in (1, 2))
    at: Ints
    for name, at in slots(names):
        _add(columns, name, spread(values, at, pairs.owner, rows))


def _add(columns: dict[str, pl.Series], name: str, values: pl.Series) -> None:
    if name in _OWN or clean_name(name) != name or len(columns) > MAX_ATTRIBUTES:
        raise OddError
    column = column_as_sent(name, "text", {})
    if column in columns:
        raise OddError
    columns[column] = values
