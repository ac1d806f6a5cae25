"""An object's content, whatever it is packed in, to batches."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, Any, Literal

import msgspec

from ...plugins import NOT_JSON, Batch, RejectedError, adopt, now_ns, parse_times, read_array, read_ndjson, split_lines
from ..file.content import Unpacked, kind_of

BLOCK = 1 << 20
"""Bytes of lines in a batch, about; a longer line is divided."""
MOST_ROWS = 20_000
"""Events of a batch, of an object that is read as a whole."""
MOST_JSON = 256 * 1024 * 1024
"""Bytes of an object that is one JSON value, unpacked: it can only be read as a whole."""
CLOUDTRAIL = {"eventName": "message", "eventSource": "service"}
Format = Literal["auto", "lines", "ndjson", "json"]


class Object:
    """The content of an object in a temporary file."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`

    def fill(self, body: Any, most: int) -> None:
        """Take over an answer's body.

        :raises RejectedError: it is longer than `most` bytes
        """
        size = 0
        for piece in body.iter_chunks(BLOCK):
            size += len(piece)
            if size > most:
                raise RejectedError(f"it has more than {most} bytes; raise max_object")
            self._file.write(piece)
        self._file.flush()

    def close(self) -> None:
        """Delete it."""
        self._file.close()

    def batches(self, form: Format) -> Iterator[tuple[Batch, int]]:
        """Its events, block by block, with their bytes; the same blocks each time.

        :raises RejectedError: the rest cannot be read
        """
        self._file.seek(0)
        pieces = self._pieces(kind_of(self._file.read(4)) or "plain")
        first = next(pieces, b"")
        kind = _kind(first) if form == "auto" else form
        if kind == "json":
            batch, size = _whole(first, pieces)
            for at in range(0, len(batch), MOST_ROWS):
                yield Batch(batch.frame.slice(at, MOST_ROWS)), 0 if at else size
            return
        rest = b""
        for piece in _chained(first, pieces):
            data = rest + piece
            end = data.rfind(b"\n") + 1
            if not end and len(data) > BLOCK:
                end = len(data)
            if end:
                yield _lines(data[:end], kind), end
            rest = data[end:]
        if rest:
            yield _lines(rest, kind), len(rest)

    def _pieces(self, packing: str) -> Iterator[bytes]:
        if packing == "plain":
            self._file.seek(0)
            while data := self._file.read(BLOCK):
                yield data
            return
        stream = Unpacked(self._file.fileno(), packing)
        while data := stream.read(BLOCK):
            yield data
        if stream.error or not stream.complete:
            raise RejectedError(f"it is damaged, or not all of it is there: {stream.error or 'it ends too early'}")


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _kind(first: bytes) -> str:
    """What it looks like: an array or an object with `Records` is JSON, other objects are lines of JSON."""
    start = first.removeprefix(b"\xef\xbb\xbf").lstrip()[:200]
    if start.startswith(b"{"):
        return "json" if start[1:].lstrip().startswith(b'"Records"') else "ndjson"
    return "json" if start.startswith(b"[") and start[1:].lstrip()[:1] in (b"{", b"]") else "lines"


def _lines(data: bytes, kind: str) -> Batch:
    return read_ndjson(data, now_ns()) if kind == "ndjson" else Batch.from_lines(split_lines(data))


def _whole(first: bytes, pieces: Iterator[bytes]) -> tuple[Batch, int]:
    """The events of one JSON value: an array, an object with an array `Records`, or an object."""
    body = bytearray(first.removeprefix(b"\xef\xbb\xbf"))
    for piece in pieces:
        body += piece
        if len(body) > MOST_JSON:
            raise RejectedError(f"it is JSON of more than {MOST_JSON} bytes, which cannot be read in parts")
    found = bytes(body).lstrip()
    if found.startswith(b"{"):
        try:
            records = msgspec.json.decode(found, type=dict[str, msgspec.Raw]).get("Records")
        except NOT_JSON as why:
            raise RejectedError(f"it is no JSON: {why}") from why
        if records is None:
            return read_ndjson(msgspec.json.format(found, indent=-1), now_ns()), len(body)
        found = bytes(records)
    return _cloudtrail(read_array(found, now_ns())), len(body)


def _cloudtrail(batch: Batch) -> Batch:
    """CloudTrail's records with their time, name and service; others as they are."""
    if not {"eventTime", "eventName", "eventSource"} <= set(batch.frame.columns):
        return batch
    times = parse_times(batch.frame["eventTime"])
    known = times.is_not_null()
    frame = batch.frame.with_columns(times.zip_with(known, batch.frame["timestamp"]).alias("timestamp"))
    return adopt(Batch(frame.drop("eventTime") if known.all() else frame), CLOUDTRAIL)
