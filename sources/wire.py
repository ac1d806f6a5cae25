"""The wire format of protobuf for many messages at once: numpy reads the first field of all, then the second, …

What usual senders write is read so; whatever is odd (a group, a field twice, a number of a field beyond 15) raises
`OddError`, and the caller reads the body one message after the other. Source: protobuf.dev, "Encoding".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

Ints: TypeAlias = npt.NDArray[np.int64]
Codes: TypeAlias = npt.NDArray[np.uint8]
Numbers: TypeAlias = npt.NDArray[np.uint64]
_Step: TypeAlias = tuple[Ints, Codes, Ints, Ints, Numbers]

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5
MOST_FIELDS: Final = 256
"""Fields of a message: each is a step over all messages, which is slow where few have so many."""
_PAD: Final = 16  # bytes behind the body that may be read, though they mean nothing


class OddError(ValueError):
    """Not what usual senders write; perhaps no message at all."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Fields of messages, those of a message in their order: whose, and where (`start`, `size`) or which `value`."""

    owner: Ints
    start: Ints
    size: Ints
    value: Numbers

    def alone(self) -> Fields:
        """The same.

        :raises OddError: a message has two of them
        """
        if (self.owner[1:] == self.owner[:-1]).any():
            raise OddError
        return self


def slots(keys: pl.Series, *kinds: pl.Series) -> list[tuple[str, Ints]]:
    """The different keys (with these kinds) in the order they come, and the places where each stands.

    >>> [(key, list(map(int, at))) for key, at in slots(pl.Series(["b", "a", "b"]))]
    [('b', [0, 2]), ('a', [1])]
    """
    if not len(keys):
        return []
    frame = pl.DataFrame([keys.alias("key"), *(kind.alias(str(i)) for i, kind in enumerate(kinds))])
    groups = frame.with_row_index("at").group_by(frame.columns, maintain_order=True).agg("at")
    return [(key, at.to_numpy().astype(np.int64)) for key, at in zip(groups["key"], groups["at"], strict=True)]


def spread(values: pl.Series, at: Ints, owner: Ints, rows: int) -> pl.Series:
    """The values of these places in a column of so many rows, each in its owner's.

    :raises OddError: two are in one row
    """
    mine = owner[at]
    if (mine[1:] == mine[:-1]).any():
        raise OddError
    take = pl.repeat(None, rows, dtype=pl.UInt32, eager=True)
    return values.gather(take.scatter(mine, at.astype(np.uint32)))


class Body:
    """The bytes of a request. Keep it below 2 GiB: views into it have 32 bits."""

    def __init__(self, body: bytes) -> None:
        self.data = body
        self._codes: Codes = np.frombuffer(body + bytes(_PAD), dtype=np.uint8)
        self._buffer = pa.py_buffer(body)

    def messages(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """(number, start, end) of the fields of one message, which all are messages or text.

        :raises OddError: there are others, or one is cut off
        """
        data, at = self.data, start
        while at < end:
            tag, size = data[at], data[at + 1] if at + 1 < end else 0x80
            at += 2
            if size >= 0x80:
                size &= 0x7F
                for shift in (7, 14, 21):
                    if at >= end:
                        raise OddError
                    size |= (data[at] & 0x7F) << shift
                    at += 1
                    if data[at - 1] < 0x80:
                        break
                else:
                    raise OddError
            if tag & 7 != BYTES or not 8 <= tag < 0x80 or at + size > end:
                raise OddError
            yield tag >> 3, at, at + size
            at += size

    def fields(self, start: Ints, end: Ints, known: Collection[tuple[int, int]]) -> dict[int, Fields]:
        """The fields by number of messages from `start` to `end`, which have these (number, wire type) and no others.

        :raises OddError: they have others, more than `MOST_FIELDS`, or one is cut off
        """
        nothing = np.zeros(0, dtype=np.int64)
        steps: list[_Step] = [(nothing, nothing.astype(np.uint8), nothing, nothing, nothing.astype(np.uint64))]
        owner = np.flatnonzero(start < end)
        at, end = start[owner], end[owner]
        while len(owner):
            tags = self._codes[at]
            wire: Codes = np.bitwise_and(tags, 7)
            at, value = self._field(at + 1, wire)
            size = np.where(wire == BYTES, value, 0).astype(np.int64)
            steps.append((owner, tags, at, size, value))
            at = at + np.where(wire == FIXED64, 8, np.where(wire == FIXED32, 4, size))
            if (at > end).any() or len(steps) > MOST_FIELDS:
                raise OddError
            left = at < end
            owner, at, end = owner[left], at[left], end[left]
        return self._by_number(steps, known)

    def _field(self, at: Ints, wire: Codes) -> tuple[Ints, Numbers]:
        """Where the bytes of fields begin, or the next field, and the numbers read: a value, or a size."""
        value = np.zeros(len(at), dtype=np.uint64)
        rows = np.flatnonzero((wire == VARINT) | (wire == BYTES))
        at = at.copy()
        for shift in range(0, 70, 7):
            if not len(rows):
                break
            byte = self._codes[at[rows]]
            if shift == 63 and (byte > 1).any():
                raise OddError
            value[rows] |= (byte & 0x7F).astype(np.uint64) << np.uint64(shift)
            at[rows] += 1
            rows = rows[byte >= 0x80]  # one that is cut off ends in the padding, beyond its message
        if ((wire == BYTES) & (value > len(self.data))).any():
            raise OddError
        return at, value

    def _by_number(self, steps: list[_Step], known: Collection[tuple[int, int]]) -> dict[int, Fields]:
        owners, tags, starts, sizes, values = (np.concatenate(parts) for parts in zip(*steps, strict=True))
        found: dict[int, Fields] = {}
        total = 0
        for number, wire in known:
            rows = np.flatnonzero(tags == number << 3 | wire)
            total += len(rows)
            if (np.diff(owners[rows]) <= 0).any():
                rows = rows[np.argsort(owners[rows], kind="stable")]
            found[number] = Fields(owners[rows], starts[rows], sizes[rows], values[rows])
        if total != len(tags):
            raise OddError
        return found

    def fixed(self, fields: Fields, bytes_: int) -> Numbers:
        """Unsigned numbers of so many bytes."""
        codes = self._codes[fields.start[:, None] + np.arange(bytes_)]
        numbers: Numbers = codes.view(f"<u{bytes_}").reshape(-1).astype(np.uint64)
        return numbers

    def binary(self, rows: int, fields: Fields) -> pl.Series:
        """A value for each of so many messages, null where there is none; views, so that nothing is copied.

        Source: Arrow, "Variable-size Binary View Layout".
        """
        inline = self._codes[fields.start[:, None] + np.arange(12)] if len(self.data) else np.zeros((0, 12), np.uint8)
        inline[np.arange(12) >= fields.size[:, None]] = 0
        views = np.zeros((len(fields.owner), 16), dtype=np.uint8)
        views[:, :4] = fields.size.astype("<u4")[:, None].view(np.uint8)
        views[:, 4:] = inline
        long = np.flatnonzero(fields.size > 12)
        views[long, 8:12] = 0
        views[long, 12:] = fields.start[long].astype("<u4")[:, None].view(np.uint8)
        dense, valid = np.zeros((rows, 16), dtype=np.uint8), np.zeros(rows, dtype=np.bool_)
        dense[fields.owner], valid[fields.owner] = views, True
        bits = pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())
        array = pa.Array.from_buffers(pa.binary_view(), rows, [bits, pa.py_buffer(dense.tobytes()), self._buffer])
        return pl.Series(pl.from_arrow(array), dtype=pl.Binary)

    def text(self, rows: int, fields: Fields) -> pl.Series:
        """The same as text.

        :raises OddError: a value is no UTF-8
        """
        try:
            return self.binary(rows, fields).cast(pl.String)
        except pl.exceptions.PolarsError as why:
            raise OddError from why
