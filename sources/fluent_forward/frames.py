"""The messages of Fluentd's forward protocol: where one ends, and what stands in it.

Source: "Forward Protocol Specification v1" (v1.5 for metadata beside the time). A message is one of

    [tag, time, record, option?]                 Message
    [tag, [[time, record], …], option?]          Forward
    [tag, packed bytes of such pairs, option?]   PackedForward; with {"compressed": "gzip"} CompressedPackedForward

Nothing is made of a message before all of it is there, and then of one entry at a time: an empty map of one byte is 64
bytes as a Python object.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgpack
import msgspec
import polars as pl

from ...plugins import Batch, read_ndjson
from ..network import READ

MOST_ENTRY = 1024 * 1024
"""Bytes of an entry; of a longer one the beginning is kept as text."""
_KEPT = 64 * 1024  # characters of an entry that could not be read
_EVENT_TIME = 0  # the extension type of times with nanoseconds
_BINARY = (b"\xc4", b"\xc5", b"\xc6")
_PACKED = (*range(0xA0, 0xC0), 0xC4, 0xC5, 0xC6, 0xD9, 0xDA, 0xDB)
_ARRAY = (*range(0x90, 0xA0), 0xDC, 0xDD)
_HEADER = {0xDC: 3, 0xDD: 5}  # bytes of an array's header; else one
_PAIR = b"\x92"  # the header of an array of two
_BAD = (ValueError, TypeError, IndexError, AttributeError, RecursionError, OverflowError, msgpack.UnpackException)
_encode = msgspec.json.Encoder(enc_hook=str).encode


class MalformedError(ValueError):
    """What comes over the connection is no message; where the next begins cannot be told."""


class Framing:
    """Cuts a stream into messages, whole ones of up to `most` bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._buffer = bytearray()
        self._start = 0
        # It keeps its place in a message that is not complete, so that no byte is looked at twice.
        self._unpacker = msgpack.Unpacker(max_buffer_size=most + READ, strict_map_key=False)

    @property
    def held(self) -> int:
        """Bytes of the message that is not complete."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are complete now.

        :raises MalformedError: these are none, or one is too long
        """
        found: list[bytes] = []
        self._buffer += data
        try:
            self._unpacker.feed(data)
            while True:
                self._unpacker.skip()
                size = self._unpacker.tell() - self._start
                found.append(bytes(self._buffer[:size]))
                del self._buffer[:size]
                self._start += size
        except msgpack.OutOfData:
            pass
        except _BAD as why:
            raise MalformedError(f"it sends what is no MessagePack: {why}") from why
        if len(self._buffer) > self._most or any(len(message) > self._most for message in found):
            raise MalformedError(f"a message has more than {self._most} bytes; raise max_frame, or send smaller chunks")
        return found


@dataclass(frozen=True, slots=True)
class Message:
    """A message that is understood up to its entries."""

    tag: str
    entries: bytes
    """Pairs of time and record, one after the other; maybe compressed."""
    option: dict[str, Any]

    @property
    def chunk(self) -> str | None:
        """What to acknowledge once it is stored."""
        chunk = self.option.get("chunk")
        return chunk if isinstance(chunk, str) else None


def read_message(message: bytes) -> Message | None:
    """What the message is; None: a heartbeat.

    :raises MalformedError: it is none
    """
    if message == b"\xc0":
        return None
    reader = msgpack.Unpacker(raw=True, strict_map_key=False, max_buffer_size=len(message))
    reader.feed(message)
    try:
        count, tag, start = reader.read_array_header(), reader.unpack(), reader.tell()
        if (first := message[start]) in _PACKED:
            entries, used = reader.unpack(), 2
        else:
            used = 2 if first in _ARRAY else 3
            for _ in range(used - 1):
                reader.skip()
            entries = message[start : reader.tell()]
            entries = entries[_HEADER.get(first, 1) :] if used == 2 else _PAIR + entries
        option = msgpack.unpackb(message[reader.tell() :], strict_map_key=False) if count > used else None
    except _BAD as why:
        raise MalformedError(f"it sends what is no message of the forward protocol: {why}") from why
    if not isinstance(tag, bytes):
        raise MalformedError("it sends what is no message of the forward protocol: the tag is no text")
    return Message(_text(tag), entries, option if isinstance(option, dict) else {})


def lines(message: Message, most: int) -> list[bytes]:
    """A line of JSON for each entry: in Python an entry, for the format forces it.

    :param most: bytes that a compressed message may unpack to; the rest is cut off
    """
    body = message.entries
    tag = _encode(message.tag)
    if message.option.get("compressed") == "gzip":
        try:
            body = _unzipped(body, most)
        except zlib.error as why:
            return [_kept(body, tag, f"the message is not compressed by gzip: {why}")]
    found: list[bytes] = []
    places = msgpack.Unpacker(strict_map_key=False, max_buffer_size=len(body) + 1)
    places.feed(body)
    start = 0
    while start < len(body):
        try:
            places.skip()
        except _BAD:
            found.append(_kept(body[start:], tag, "the entries end in the middle of one"))
            break
        end = places.tell()
        found.append(_line(body[start:end], tag))
        start = end
    return found


def read_messages(messages: Sequence[Message], observed: int, most: int) -> Batch:
    """The events of messages, in order; the tag is the service of those that name none."""
    found = [line for message in messages for line in lines(message, most)]
    if not found:
        return Batch.from_lines([], observed=observed)
    batch = read_ndjson(b"\n".join(found), observed)
    if batch.frame.schema.get("fluent.tag") != pl.String:
        return batch  # a record has a number under this name
    return Batch(batch.frame.with_columns(service=pl.coalesce("service", "fluent.tag")))


def _line(entry: bytes, tag: bytes) -> bytes:
    """An entry as a line of JSON; one that cannot be read is kept as it is."""
    if len(entry) > MOST_ENTRY:
        return _kept(entry, tag, f"the entry has more than {MOST_ENTRY} bytes")
    try:
        at, record = msgpack.unpackb(
            entry, unicode_errors="backslashreplace", strict_map_key=False, ext_hook=_extension
        )
        if isinstance(at, list):  # with metadata, as Fluent Bit may send it
            at, metadata = at
            if metadata:
                record = {"metadata": metadata, **record}
        if not isinstance(at, int | float) or not isinstance(record, dict):
            raise TypeError(f"{type(at).__name__} and {type(record).__name__}")
        if "timestamp" in record:
            record["record.timestamp"] = record.pop("timestamp")
        if any(mark in entry for mark in _BINARY):
            record = _plain(record)
        try:
            fields = _encode(record)
        except TypeError:  # a map with keys that JSON has not
            fields = _encode(_plain(record))
        head = b'{"timestamp":%b,"fluent.tag":%b' % (_stamp(at), tag)
    except _BAD as why:
        return _kept(entry, tag, f"the entry is no time and record: {why}")
    return head + b"}" if fields == b"{}" else head + b"," + fields[1:]


def _kept(entry: bytes, tag: bytes, why: str) -> bytes:
    text = entry[:_KEPT].decode("utf-8", "backslashreplace")
    error = _encode(f"fluent_forward: {why}")
    return b'{"message":%b,"fluent.tag":%b,"parse_error":%b}' % (_encode(text), tag, error)


def _stamp(at: int | float) -> bytes:
    """Nanoseconds; seconds where so few of them would be taken for another unit."""
    nanoseconds = at if isinstance(at, _Nanoseconds) else int(at * 1_000_000_000)
    return b"%d" % nanoseconds if abs(nanoseconds) >= 10**17 else _encode(nanoseconds / 1e9)


class _Nanoseconds(int):
    """A time that had nanoseconds."""


def _extension(code: int, data: bytes) -> Any:
    if code == _EVENT_TIME and len(data) == 8:
        return _Nanoseconds(int.from_bytes(data[:4], "big") * 1_000_000_000 + int.from_bytes(data[4:], "big"))
    return _text(data)


def _plain(value: Any) -> Any:
    """The value with text for bytes, and for keys of any kind."""
    match value:
        case dict():
            return {_text(key): _plain(inner) for key, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case bytes():
            return _text(value)
        case _:
            return value


def _text(value: object) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _unzipped(body: bytes, most: int) -> bytes:
    """What gzip made of it, one member after the other, up to `most` bytes."""
    parts: list[bytes] = []
    left = most
    while body and left > 0:
        inflate = zlib.decompressobj(wbits=31)
        parts.append(inflate.decompress(body, left))
        left -= len(parts[-1])
        body = inflate.unused_data
    return b"".join(parts)
