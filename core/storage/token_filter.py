"""The token filter of a merged segment: which row groups can hold a word or an identifier, without reading them.

It lies in the file itself, between the last row group and the footer, where Parquet readers do not look, so whoever
has the file has the filter. Integers are little-endian:

    for each row group:  grams, GRAM_BYTES bytes · bloom, `bloom_bytes` bytes
    trailer:             row groups u32 · rows of a group u32 · bloom_bytes u32 · version u32 · b"CWTF"

* `grams`: a bit for each sequence of three characters in the variable tokens of the messages. A text can lie inside
  a variable token only if all its own sequences are there; outside of them a message is its template (see
  `core.query.templates`). Characters count by class: a letter, whatever its case, and a digit have their own.
* `bloom`: a Bloom filter (Bloom 1970; two hashes make all: Kirsch, Mitzenmacher 2006) of the values of the text
  attributes, each with its field's name, and of fingerprints of long variable tokens: of every 13 neighbouring
  sequences of 8 bytes the smallest hash (winnowing: Schleimer, Wilkerson, Aiken 2003). So two texts that share 20 bytes
  share a fingerprint.

A clear bit is certain, a set one is not: what the filter cannot tell, it calls possible.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from ...plugins.fields import IDENTIFIERS, STANDARD, split_column

Hashes: TypeAlias = npt.NDArray[np.uint64]
Octets: TypeAlias = npt.NDArray[np.uint8]
Classes: TypeAlias = npt.NDArray[np.uint16]
Flags: TypeAlias = npt.NDArray[np.bool_]

VERSION: Final = 1
MAGIC: Final = b"CWTF"
TRAILER: Final = struct.Struct("<IIII4s")
CLASSES: Final = 40
GRAM_BYTES: Final = CLASSES**3 // 8
_PIECE = 8  # bytes of the sequences of which fingerprints are made
_WINDOW = 13  # neighbouring sequences of which one is a fingerprint
_LONG = _PIECE + _WINDOW - 1  # bytes of a text from which on it has one
_BITS = 10  # of the Bloom filter for each entry: 0.8 % of what is absent looks present
_PROBES = 7
_VALUE_BYTES = 256  # of a value that are hashed: values that differ only after them look equal
_AT_ONCE = 2**16  # bytes that are made into hashes at once, which take some 70 times as much memory meanwhile
_NONE = np.uint64(2**64 - 1)
_INTERNAL = ("_template", "_position")
_UNEVEN = ("\u0130", "\u212a")  # not ASCII, but their lower case begins with an ASCII letter


def build(frame: pl.DataFrame, group_rows: int) -> bytes:
    """The filter of a frame that is written in row groups of so many rows.

    :param frame: a batch's columns (any may be missing).
    """
    texts = [
        (field, name)
        for name, dtype in frame.schema.items()
        for field, kind in [split_column(name, dtype)]
        if kind == "text" and _is_filtered(field)
    ]
    grams, entries = [], []
    for start in range(0, frame.height, group_rows):
        part = frame.slice(start, group_rows)
        found = [_value_entries(field, part[name].drop_nulls().unique()) for field, name in texts]
        bits = np.zeros(GRAM_BYTES * 8, dtype=np.uint8)
        if "message" in part.columns:
            for lines in _in_lines(part["message"].drop_nulls()):
                tokens, long = _variable_tokens(lines)
                _set_grams(bits, tokens)
                found.append(_fingerprint_entries(long))
        grams.append(np.packbits(bits, bitorder="little"))
        entries.append(_distinct(np.concatenate(found)) if found else np.empty(0, dtype=np.uint64))
    bloom_bytes = max(1, max(map(len, entries), default=0) * _BITS // 64) * 8
    rows = [np.concatenate([gram, _bloom(hashes, bloom_bytes)]) for gram, hashes in zip(grams, entries, strict=True)]
    return b"".join(row.tobytes() for row in rows) + TRAILER.pack(len(rows), group_rows, bloom_bytes, VERSION, MAGIC)


def insert(parquet: bytes, token_filter: bytes) -> bytes:
    """The Parquet file with the filter before its footer: no offset in the footer points behind that place."""
    footer = len(parquet) - 8 - int.from_bytes(parquet[-8:-4], "little")
    return b"".join((memoryview(parquet)[:footer], token_filter, memoryview(parquet)[footer:]))


@dataclass(frozen=True, eq=False)
class TokenFilter:
    """A filter as it lies in a file; answers are flags, one for each row group."""

    groups: Octets
    """(row groups, GRAM_BYTES + bytes of the Bloom filter)"""
    group_rows: int

    @classmethod
    def open(cls, path: Path) -> TokenFilter | None:
        """The filter of a segment's file; None: it has none that this release can read."""
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
        if footer < TRAILER.size:
            return None
        count, rows, bloom_bytes, version, magic = TRAILER.unpack(data[footer - TRAILER.size : footer])
        start = footer - TRAILER.size - count * (GRAM_BYTES + bloom_bytes)
        if magic != MAGIC or version != VERSION or start < 0:
            return None
        octets = np.frombuffer(data, dtype=np.uint8, count=count * (GRAM_BYTES + bloom_bytes), offset=start)
        return cls(octets.reshape(count, -1), rows)

    def in_variable_token(self, text: str) -> Flags:
        """Where the text, lower case and without white space, may lie inside a variable token of a message."""
        codes = np.frombuffer(text.encode(), dtype=np.uint8)
        ascii_only = codes < 128
        whole = ascii_only[:-2] & ascii_only[1:-1] & ascii_only[2:]
        flags = self._all_set(0, _gram_numbers(codes)[whole])
        entries = _fingerprint_entries(codes, strict=True)
        return flags & self._in_bloom(entries) if len(entries) else flags

    def value(self, field: str, text: str) -> Flags:
        """Where the text field may have exactly this value. True throughout for a field that is not in the filter."""
        if not text or not _is_filtered(field):
            return np.ones(len(self.groups), dtype=np.bool_)
        return self._in_bloom(_value_entry(field, text))

    def _in_bloom(self, entries: Hashes) -> Flags:
        bits = (self.groups.shape[1] - GRAM_BYTES) * 8
        return self._all_set(GRAM_BYTES, _probes(entries, bits))

    def _all_set(self, start: int, bits: npt.NDArray[np.integer]) -> Flags:
        bits = np.unique(bits)
        octets = self.groups[:, start + (bits >> 3).astype(np.intp)]
        return cast("Flags", (octets >> (bits & 7).astype(np.uint8) & 1).all(axis=1))


def _is_filtered(field: str) -> bool:
    """Of the standard fields the identifiers: the others have few values, or are searched by words."""
    return field in IDENTIFIERS or (field not in STANDARD and field not in _INTERNAL)


def _class_table() -> Classes:
    table = np.array([39 if code > 127 else 36 + code % 3 for code in range(256)], dtype=np.uint16)
    for number, character in enumerate("0123456789abcdefghijklmnopqrstuvwxyz"):
        table[[ord(character), ord(character.upper())]] = number
    return table


_CLASS = _class_table()
_POWERS = np.cumprod(np.full(_VALUE_BYTES, 0x9E3779B97F4A7C15, dtype=np.uint64))  # wraps at 2^64; odd, so none is zero


def _gram_numbers(codes: Octets) -> Classes:
    """The number of each sequence of three characters: below 40^3, so 16 bits hold it."""
    classes = _CLASS.take(codes)
    return classes[:-2] * np.uint16(CLASSES**2) + classes[1:-1] * np.uint16(CLASSES) + classes[2:]


def _in_lines(messages: pl.Series) -> Iterator[Octets]:
    """The messages, a line feed behind each, in texts of about `_AT_ONCE` bytes."""
    octets, bounds = _octets(messages + "\n")
    for first, last in _cuts(bounds):
        yield octets[bounds[first] : bounds[last]]


def _octets(values: pl.Series) -> tuple[Octets, npt.NDArray[np.int64]]:
    """The bytes of all values behind each other, and where each begins, with the end of the last."""
    array: Any = values.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, data = array.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int64)[: len(values) + 1]
    return np.frombuffer(data or b"", dtype=np.uint8), bounds


def _cuts(bounds: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """First and last (exclusive) of values that have about `_AT_ONCE` bytes together."""
    starts = np.searchsorted(bounds, np.arange(0, bounds[-1], _AT_ONCE), side="right") - 1
    return pairwise([*np.unique(starts).tolist(), len(bounds) - 1])


def _variable_tokens(lines: Octets) -> tuple[Octets, Octets]:
    """What a template leaves out: the tokens that have a digit, and the long ones of these, a line feed behind each.

    As `encode.VARIABLE_TOKEN` finds them, in half of the time of a regular expression.
    """
    is_space = (lines == ord(" ")) | (lines - np.uint8(ord("\t")) <= ord("\r") - ord("\t"))
    ends = np.flatnonzero(is_space)
    lengths = np.diff(ends, prepend=-1)
    digits = np.cumsum(lines - np.uint8(ord("0")) <= 9, dtype=np.int32)[ends]
    chosen = np.diff(digits, prepend=0) > 0

    def tokens(chosen: Flags) -> Octets:
        found = lines[np.repeat(chosen, lengths)]
        found[np.cumsum(lengths[chosen]) - 1] = ord("\n")
        return found

    long = chosen & (lengths > _LONG)
    return tokens(chosen), tokens(long) if long.any() else lines[:0]


def _set_grams(bits: Octets, tokens: Octets) -> None:
    bits[_gram_numbers(tokens)] = 1
    if (tokens > 127).any() and any(letter.encode() in tokens.tobytes() for letter in _UNEVEN):
        bits[:] = 1


def _fingerprint_entries(tokens: Octets, *, strict: bool = False) -> Hashes:
    """The fingerprints of tokens in lines; `strict`: only those that a longer text must have as well."""
    lower = tokens.tobytes().lower()  # ASCII letters only
    if len(lower) < _LONG:
        return np.empty(0, dtype=np.uint64)
    codes = np.frombuffer(lower, dtype=np.uint8)
    pieces = np.ndarray(len(codes) - _PIECE + 1, dtype="<u8", buffer=lower, strides=(1,))
    broken = (codes == 10) | (codes > 127)
    for step in (1, 2, 4):  # of any of the sequence's bytes
        broken = broken[:-step] | broken[step:]
    hashes = _mixed(pieces ^ _POWERS[0])
    hashes[broken] = _NONE
    two = np.minimum(hashes[:-1], hashes[1:])
    four = np.minimum(two[:-2], two[2:])
    eight = np.minimum(four[:-4], four[4:])
    smallest = np.minimum(eight[: -(_WINDOW - 8)], eight[_WINDOW - 8 :])
    if strict:
        count = np.cumsum(np.concatenate([[0], broken]), dtype=np.int32)
        smallest = smallest[count[_WINDOW:] == count[:-_WINDOW]]
    first = np.concatenate([[True], smallest[1:] != smallest[:-1]])  # neighbours mostly have the same one
    return _distinct(smallest.compress(first & (smallest != _NONE)))


def _distinct(hashes: Hashes) -> Hashes:
    """Each hash once. NumPy's `unique` takes twenty times as long, for it makes a hash table first."""
    ordered = np.sort(hashes)
    found: Hashes = ordered.compress(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(ordered) else ordered
    return found


def _value_entries(field: str, values: pl.Series) -> Hashes:
    """An entry for each value but the empty one."""
    name = _text_hashes(pl.Series([f"\n{field}"]))[0]
    return _mixed(_text_hashes(values) ^ name)


@lru_cache(maxsize=256)
def _value_entry(field: str, text: str) -> Hashes:
    """The entry of one value: a query asks many segments for it."""
    return _value_entries(field, pl.Series([text]))


def _text_hashes(values: pl.Series) -> Hashes:
    """A hash of each text but empty ones: the sum of its bytes, each times a power by its place, mixed."""
    octets = values.cast(pl.Binary).bin.head(_VALUE_BYTES)
    octets = octets.filter(octets.bin.size() > 0)
    if octets.is_empty():
        return np.empty(0, dtype=np.uint64)
    data, bounds = _octets(octets)
    found = []
    for first, last in _cuts(bounds):
        codes = data[bounds[first] : bounds[last]]
        starts, lengths = bounds[first:last] - bounds[first], np.diff(bounds[first : last + 1])
        places = np.arange(len(codes)) - np.repeat(starts, lengths)
        sums: Hashes = np.add.reduceat((codes + np.uint64(1)) * _POWERS[places], starts)
        found.append(_mixed(sums ^ lengths.astype(np.uint64)))
    return np.concatenate(found)


def _mixed(hashes: Hashes) -> Hashes:
    """The finaliser of MurmurHash3: every bit of the input reaches every bit of the output."""
    mixed = hashes.copy()
    for factor in (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)):
        mixed ^= mixed >> np.uint64(33)
        mixed *= factor
    mixed ^= mixed >> np.uint64(33)
    return mixed


def _probes(hashes: Hashes, bits: int) -> npt.NDArray[np.int64]:
    """The bits of a Bloom filter that belong to the entries."""
    first, second = hashes & np.uint64(0xFFFFFFFF), hashes >> np.uint64(32) | np.uint64(1)
    numbers = [(first + np.uint64(i) * second) % np.uint64(bits) for i in range(_PROBES)]
    return np.concatenate(numbers).astype(np.int64)


def _bloom(hashes: Hashes, size: int) -> Octets:
    bits = np.zeros(size * 8, dtype=np.uint8)
    for start in range(0, len(hashes), _AT_ONCE // 8):
        bits[_probes(hashes[start : start + _AT_ONCE // 8], size * 8)] = 1
    return np.packbits(bits, bitorder="little")
