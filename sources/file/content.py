"""Reading a file's content: plain by position, compressed as a stream."""

from __future__ import annotations

import os
import zlib
from typing import Protocol

import zstandard

from .position import HEAD
from .scan import Inode

MAGIC = {"gzip": (b"\x1f\x8b",), "zstd": (b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18")}
"""How compressed content begins; zstd's second is a frame to be skipped, with which parallel writers begin."""
_RAW = 65_536
_ZSTD_RAW = 4_096  # zstandard bounds no output: 4 KiB of the most repetitive input make 128 MiB at worst


class VanishedError(Exception):
    """The path no longer leads to the file that was followed."""


def kind_of(first: bytes) -> str | None:
    """`plain`, `gzip` or `zstd` by a file's first four bytes; None: too few of them to say."""
    for kind, magics in MAGIC.items():
        if first.startswith(magics):
            return kind
        if first and any(magic.startswith(first) for magic in magics):
            return None
    return "plain"


def open_file(path: str, inode: Inode) -> int:
    """A descriptor for reading.

    :raises VanishedError: the path leads to another file by now, to none, or may not be read
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as why:
        raise VanishedError(str(why)) from why
    now = os.fstat(descriptor)
    if (now.st_dev, now.st_ino) != inode:
        os.close(descriptor)
        raise VanishedError(f"{path} is another file now")
    return descriptor


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class Unpacked:
    """The decompressed content of an open file, from its start on; several frames after each other are one content."""

    def __init__(self, descriptor: int, kind: str) -> None:
        self._descriptor = descriptor
        self._at = 0
        self._new = _gzip if kind == "gzip" else _zstd
        self._magic = MAGIC[kind]
        self._step = _RAW if kind == "gzip" else _ZSTD_RAW
        self._decoder: _Decoder | None = None
        self._rest = b""
        self._ready = bytearray()
        self.ended = False
        """Nothing more will come: the compressed data ended, properly or not."""
        self.complete = False
        """The compressed data ended as it should; otherwise it is damaged, or somebody is still writing it."""
        self.error = ""

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the end."""
        while len(self._ready) < size and not self.ended:
            self._more()
        taken = bytes(self._ready[:size])
        del self._ready[:size]
        return taken

    def skip(self, size: int) -> int:
        """Go on by `size` bytes; the number of bytes that there were to skip."""
        left = size
        while left and (data := self.read(min(left, 1 << 20))):
            left -= len(data)
        return size - left

    def _more(self) -> None:
        raw = self._rest or os.pread(self._descriptor, self._step, self._at)
        if not self._rest:
            self._at += len(raw)
        self._rest = b""
        if not raw:
            self.ended, self.complete = True, self._decoder is None
            return
        if self._decoder is None:
            if self._at == len(raw) or raw.strip(b"\0"):
                self._decoder = self._new()
            else:
                return  # tapes and some writers pad with zeros
        try:
            self._ready += self._decoder.decompress(raw)
        except (zlib.error, zstandard.ZstdError) as why:
            self.ended, self.error = True, str(why)
            return
        if self._decoder.eof:
            self._rest, self._decoder = self._decoder.unused_data.lstrip(b"\0"), None
            if len(self._rest) >= 4 and not self._rest.startswith(self._magic):
                self.ended = self.complete = True  # what follows is not ours, as gzip itself says


def _gzip() -> _Decoder:
    return zlib.decompressobj(wbits=31)


def _zstd() -> _Decoder:
    return zstandard.ZstdDecompressor().decompressobj()


def content_start(descriptor: int, kind: str) -> tuple[bytes, bool]:
    """The first `HEAD` bytes of the content, and whether there are so many, or the content ends properly before."""
    if kind == "plain":
        return os.pread(descriptor, HEAD, 0), True
    stream = Unpacked(descriptor, kind)
    start = stream.read(HEAD)
    return start, len(start) == HEAD or stream.complete
