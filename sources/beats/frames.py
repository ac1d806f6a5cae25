"""The frames of Lumberjack's version 2, which Beats and Logstash speak: where one ends, and what stands in it.

Sources: elastic/logstash-forwarder, PROTOCOL.md (windows, acknowledgements); elastic/go-lumber (JSON frames). All
numbers are big-endian.

    "2" "W" count                     a window: so many events follow
    "2" "J" sequence length JSON      an event, numbered from 1 in its window
    "2" "C" length zlib               frames, compressed
    "2" "A" sequence                  our answer: all up to this one are stored; 0: still at work
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

WINDOW, EVENT, COMPRESSED = b"W"[0], b"J"[0], b"C"[0]
_VERSION = b"2"[0]
MOST_INSIDE = 100_000
"""Frames in a compressed one: ten bytes of it, almost nothing compressed, are a hundred as a Python object."""
_HEADS = {WINDOW: 6, EVENT: 10, COMPRESSED: 6}  # bytes before what a frame holds


class MalformedError(ValueError):
    """What comes over the connection is no frame; where the next begins cannot be told."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame: its kind, the count of a window or the sequence of an event, and what it holds."""

    kind: int
    number: int
    body: bytes = b""


class Framing:
    """Cuts a stream into frames of up to `most` bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._buffer = bytearray()

    @property
    def held(self) -> int:
        """Bytes of the frame that is not complete."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete now. Take them all before the next call.

        :raises MalformedError: what follows is none, or too long
        """
        self._buffer += data
        at = 0
        try:
            while (found := _frame(self._buffer, at, self._most)) is not None:
                frame, at = found
                yield frame
        finally:
            del self._buffer[:at]


def inflated(body: bytes, most: int) -> list[Frame]:
    """The frames in a compressed one. Blocking.

    :raises MalformedError: it is not compressed by zlib, holds no frames, or more than `most` bytes of them
    """
    inflate = zlib.decompressobj()
    try:
        data = inflate.decompress(body, most + 1)
    except zlib.error as why:
        raise MalformedError(f"a compressed frame cannot be read: {why}") from why
    if len(data) > most:
        raise MalformedError(f"a compressed frame unpacks to more than {most} bytes; raise max_frame")
    frames: list[Frame] = []
    at = 0
    while (found := _frame(data, at, most)) is not None:
        frame, at = found
        frames.append(frame)
        if len(frames) > MOST_INSIDE:
            raise MalformedError(f"a compressed frame holds more than {MOST_INSIDE} frames; send smaller windows")
    if not inflate.eof or at < len(data):
        raise MalformedError("a compressed frame ends in the middle of one")
    if any(frame.kind == COMPRESSED for frame in frames):
        raise MalformedError("a compressed frame holds a compressed frame")
    return frames


def _frame(data: bytes | bytearray, at: int, most: int) -> tuple[Frame, int] | None:
    """The frame that begins there, and where it ends; None: it is not all there."""
    if len(data) - at < 2:
        return None
    if data[at] != _VERSION or data[at + 1] not in _HEADS:
        shown = bytes(data[at : at + 2])
        older = "; this is version 1, of which events have no JSON" if shown[:1] == b"1" else ""
        raise MalformedError(f"it sends what is no frame of Lumberjack's version 2: {shown!r}{older}")
    kind = data[at + 1]
    start = at + _HEADS[kind]
    if start > len(data):
        return None
    (number,) = struct.unpack_from(">I", data, at + 2)
    size = 0 if kind == WINDOW else number
    if kind == EVENT:
        (size,) = struct.unpack_from(">I", data, at + 6)
    if size > most:
        raise MalformedError(f"a frame has {size} bytes, more than {most}; raise max_frame, or send smaller ones")
    end = start + size
    return (Frame(kind, number, bytes(data[start:end])), end) if end <= len(data) else None


def acknowledgement(sequence: int) -> bytes:
    """The answer that all events of the window up to this one are stored."""
    return b"2A" + struct.pack(">I", sequence)
