"""Fields beyond a bound: kept as members of one JSON object an event, in the attribute `overflow`.

A column costs memory for every row, so that a column for each name a sender can think of would let few events fill it.
The fields that most events have keep their columns; the others lose nothing but speed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
import polars as pl

from .fields import OVERFLOW, STANDARD, split_column

_SHORT = 4096  # rows of a column that are looked at one by one: quicker than to ask which have a value
_KEY = (OVERFLOW, "json")
COLUMN = f"{OVERFLOW}#json"
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def folded(frames: Sequence[pl.DataFrame], most: int, keep: Collection[str] = ()) -> Sequence[pl.DataFrame]:
    """The frames with at most so many attribute columns together, `overflow` among them; the same if there are no more.

    :param frames: with a batch's columns each.
    :param keep: columns besides the standard ones that are no attributes.
    """
    if len(set().union(*(frame.columns for frame in frames))) <= most:
        return frames
    fixed = {*STANDARD, *keep}
    columns = [
        {split_column(name, dtype): name for name, dtype in frame.schema.items() if name not in fixed}
        for frame in frames
    ]
    if len(set().union(*columns)) <= most:
        return frames
    counts: Counter[tuple[str, str]] = Counter()
    for frame, named in zip(frames, columns, strict=True):
        counts.update({key: frame.height - frame[name].null_count() for key, name in named.items()})
    counts = Counter({key: count for key, count in counts.items() if key[0] != OVERFLOW})  # a sender's own joins in
    kept = {_KEY, *sorted(counts, key=lambda key: (-counts[key], key))[: most - 1]}
    return [
        _without(frame, {name: key for key, name in named.items() if key not in kept})
        for frame, named in zip(frames, columns, strict=True)
    ]


def _without(frame: pl.DataFrame, surplus: dict[str, tuple[str, str]]) -> pl.DataFrame:
    """The frame with these columns as members of its overflow."""
    if not surplus:
        return frame
    members: dict[int, dict[str, Any]] = {}
    for name, (field, kind) in surplus.items():
        for row, value in _values(frame[name]):
            members.setdefault(row, {})[field] = msgspec.Raw(value.encode()) if kind == "json" else value
    none = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    before = frame[COLUMN] if COLUMN in frame.columns else none
    at = pl.Series(list(members), dtype=pl.UInt32)
    texts = [joined(text, members[row]) for row, text in zip(members, before.gather(at).to_list(), strict=True)]
    overflow = before.scatter(at, pl.Series(texts, dtype=pl.String)).alias(COLUMN)
    return frame.drop(list(surplus)).with_columns(overflow)


def _values(column: pl.Series) -> Iterable[tuple[int, Any]]:
    """(row, value) of each that is neither null nor NaN, which JSON has not."""
    if len(column) <= _SHORT:
        return ((row, value) for row, value in enumerate(column.to_list()) if value is not None and value == value)
    rows = column.is_not_null().arg_true()
    pairs = zip(rows.to_list(), column.gather(rows).to_list(), strict=True)
    return ((row, value) for row, value in pairs if value == value)


def joined(before: str | None, members: dict[str, Any]) -> str:
    """The overflow of an event with further members. What a sender itself called `overflow` becomes one of them.

    >>> joined('{"a":1}', {"b": 2}), joined("[1]", {"b": 2}), joined(None, {"b": 2})
    ('{"a":1,"b":2}', '{"overflow":[1],"b":2}', '{"b":2}')
    """
    known: dict[str, Any] = {}
    if before is not None:
        known = _members(before) if before.startswith("{") else {OVERFLOW: msgspec.Raw(before.encode())}
    return _encode(known | members).decode()
