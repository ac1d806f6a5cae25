"""Files as blocks of whole lines, decompressed, and what their lines are."""

from __future__ import annotations

import gzip
import io
import re
import select
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

from ..plugins import NOT_JSON
from .exits import InputError

BLOCK = 2 * 1024 * 1024
CHUNK = 128 * 1024  # of a compressed file at once; what comes out of it is held in memory
LONGEST_LINE = 32 * 1024 * 1024  # a longer one is refused here: with it, a block would be larger than a server takes
NDJSON, TEXT = "application/x-ndjson", "text/plain; charset=utf-8"
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
DAMAGED = (OSError, EOFError, zlib.error, zstandard.ZstdError)
PAUSE_S = 0.2
"""Seconds of silence on standard input after which what has come is sent."""
_ARRAY = re.compile(rb"\s*\[\s*[{\]]")


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines. `read` is the number of bytes that were read for it of the file, as it lies on the disk."""

    body: bytes
    lines: int
    read: int


class Lines:
    """A file, or standard input for `-`; gzip and zstd are decompressed, whatever the name.

    `media_type` is what the first line looks like: lines of JSON, or text. A JSON array of objects becomes lines.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        raw: Any = sys.stdin.buffer if name == "-" else Path(name).open("rb")  # noqa: SIM115 - closed by __exit__
        self._raw = raw
        magic = self._raw.peek(4)[:4]
        self._count = _Counting(self._raw)
        self._stream = io.BufferedReader(_decompressed(magic, self._count), BLOCK)
        self._is_live = name == "-" and magic[:2] != GZIP and magic != ZSTD
        try:
            head = self._stream.peek(4096)[:4096].removeprefix(b"\xef\xbb\xbf")
        except DAMAGED as why:
            self._raw.close()
            raise InputError(f"{name} cannot be read: {why}") from None
        self._is_array = bool(_ARRAY.match(head))
        self.media_type = NDJSON if self._is_array or head.lstrip().startswith(b"{") else TEXT

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        if self.name != "-":
            self._raw.close()

    def blocks(self, size: int = BLOCK) -> Iterator[Block]:
        """The blocks in order, each about `size` bytes, no line cut in two.

        :raises InputError: the file is damaged, or a line is longer than `LONGEST_LINE`
        """
        try:
            stream = self._array() if self._is_array else self._stream
            yield from self._blocks(stream, size)
        except DAMAGED as why:
            raise InputError(f"{self.name} cannot be read: {why}") from None

    def _blocks(self, stream: BinaryIO | io.BufferedReader, size: int) -> Iterator[Block]:
        number = before = 0
        while chunk := self._chunk(stream, size):
            if not chunk.endswith(b"\n"):
                chunk += stream.readline(LONGEST_LINE)
            if len(chunk) > size + LONGEST_LINE - 1 and not chunk.endswith(b"\n"):
                raise InputError(f"{self.name}:{number + chunk.count(10) + 1}: a line of more than 32 MiB")
            lines = chunk.count(b"\n") + (not chunk.endswith(b"\n"))
            number += lines
            yield Block(chunk, lines, self._count.read_bytes - before)
            before = self._count.read_bytes

    def _chunk(self, stream: BinaryIO | io.BufferedReader, size: int) -> bytes:
        """The next `size` bytes; of standard input, what has come when nothing more follows at once."""
        if not self._is_live or not isinstance(stream, io.BufferedReader):
            return stream.read(size)
        chunk = stream.read1(size)
        while chunk and len(chunk) < size and select.select([self._raw], [], [], PAUSE_S)[0]:
            more = stream.read1(size - len(chunk))
            if not more:
                break
            chunk += more
        return chunk

    def _array(self) -> BinaryIO:
        import msgspec

        try:
            elements = msgspec.json.decode(msgspec.json.format(self._stream.read(), indent=-1), type=list[msgspec.Raw])
        except NOT_JSON as why:
            raise InputError(f"{self.name} is no JSON array: {why}") from None
        return io.BytesIO(b"\n".join(bytes(element) for element in elements))


class _Counting(io.RawIOBase):
    """Counts the bytes that are read, for the progress of compressed files."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.read_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        chunk = self._raw.read1(len(buffer))
        buffer[: len(chunk)] = chunk
        self.read_bytes += len(chunk)
        return len(chunk)


class _Zstd(io.RawIOBase):
    """Decompresses frame after frame; zstandard's own reader takes a file that is cut off for a whole one."""

    def __init__(self, raw: _Counting) -> None:
        self._raw, self._out, self._fed = raw, b"", b""
        self._frame: Any = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._out:
            fed = self._fed or self._raw.read(CHUNK) or b""
            self._fed = b""
            if not fed:
                if self._frame is not None:
                    raise EOFError("the compressed file ends before its end-of-stream marker was reached")
                return 0
            self._frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
            self._out = self._frame.decompress(fed)
            if self._frame.eof:
                self._fed, self._frame = self._frame.unused_data, None
        chunk = self._out[: len(buffer)]
        self._out = self._out[len(chunk) :]
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _decompressed(magic: bytes, raw: _Counting) -> io.RawIOBase:
    if magic[:2] == GZIP:
        file: Any = gzip.GzipFile(fileobj=raw)
        return file  # type: ignore[no-any-return]
    return _Zstd(raw) if magic == ZSTD else raw
