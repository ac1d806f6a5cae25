"""One file that is followed: its next block of whole lines, as a batch with the position after it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import polars as pl

from ...plugins import Batch, Json, now_ns, split_lines
from .content import Unpacked, VanishedError, open_file
from .position import HEAD, Position, unrotated
from .scan import Inode, Seen, moved_to

BLOCK = 1 << 20
"""Bytes of lines in a batch, about. It is also the longest line: a longer one is cut, and goes on in the next event."""
CUT = "file: the line is longer than 1 MiB; it was cut here and goes on in the next event"


class ReplacedError(Exception):
    """Under the same inode stands other content than was followed: truncated, or written anew."""


@dataclass(frozen=True, slots=True)
class Block:
    """What was read; `batch` is None where there were empty lines only."""

    batch: Batch | None
    position: Position


class Content(Protocol):
    """How events stand in whole lines."""

    def whole(self, lines: bytes) -> int:
        """Bytes of these lines after which no event is unfinished; 0: there is no such place."""

    def read(self, lines: bytes, path: str, host: str, encoding: str) -> Batch:
        """The events of lines."""


class PlainLines:
    """Each line is an event."""

    def whole(self, lines: bytes) -> int:
        """All of them."""
        return len(lines)

    def read(self, lines: bytes, path: str, host: str, encoding: str) -> Batch:
        """An event a line, with `log.file.path` and `host`."""
        message = split_lines(lines, encoding)
        at = pl.lit(now_ns(), dtype=pl.Int64).cast(pl.Datetime("ns"))
        shown = pl.lit(os.fsencode(path).decode("utf-8", "backslashreplace"))
        columns = {"timestamp": at, "observed_timestamp": at, "host": pl.lit(host), "log.file.path": shown}
        return Batch.of(pl.DataFrame({"message": message}).with_columns(**columns))


@dataclass(frozen=True, slots=True)
class Style:
    """What every event of a source has, and how its files are written."""

    host: str
    encoding: str
    partial_after: float
    content: Content


@dataclass(slots=True)
class Follow:
    """A file being followed; owned by the source's one task, read in a worker thread."""

    key: str
    inode: Inode
    path: str
    kind: str
    position: Position
    """After the last batch that was sent."""
    sent: Json
    """The checkpoint's value after the last batch that was sent: the next one's `previous`."""
    size: int = 0
    mtime_ns: int = 0
    descriptor: int | None = None
    start: bytes = b""
    """The content's first bytes, up to `HEAD`, as they were last seen."""
    outstanding: int = 0
    failed: bool = False
    skip_to: Position | None = None
    stem: str = field(init=False, default="")
    """The name under which rotation may have made it, or will."""
    gone_at: float | None = None
    """When the name vanished, by the monotonic clock; the open file is read on for a while."""
    idle: tuple[int, int] = (-1, -1)
    """Size and mtime up to which all was read, and the head was seen to be the same."""
    _partial: tuple[int, float] = (0, 0.0)
    _stream: Unpacked | None = None
    _pending: bytes = b""
    _complaint: str = field(default="")

    def __post_init__(self) -> None:
        self.stem = unrotated(Path(self.path).name)

    def update(self, seen: Seen) -> None:
        """What a scan found under this inode."""
        grown = (seen.size, seen.mtime_ns) != (self.size, self.mtime_ns)
        if grown and self._stream is not None and self._stream.ended:
            self._stream, self._pending = None, b""
        self.path, self.size, self.mtime_ns, self.gone_at = seen.path, seen.size, seen.mtime_ns, None

    @property
    def waiting(self) -> bool:
        """Whether an unfinished line stands at the end."""
        return self._partial[1] > 0

    def wants_reading(self) -> bool:
        """Whether there may be something new since all was read."""
        return self.waiting or (self.size, self.mtime_ns) != self.idle

    def open(self) -> int:
        """The descriptor, opened anew where it was closed; a file that was renamed is looked for in its folder.

        :raises VanishedError: it is gone
        """
        if self.descriptor is None:
            try:
                self.descriptor = open_file(self.path, self.inode)
            except VanishedError:
                path = moved_to(self.path, self.inode)
                if path is None:
                    raise
                self.descriptor = open_file(path, self.inode)
        return self.descriptor

    def close(self) -> None:
        """Give the descriptor back; a compressed stream starts over at the next look."""
        if self.descriptor is not None:
            os.close(self.descriptor)
        self.descriptor, self._stream, self._pending = None, None, b""

    def restart(self, position: Position, sent: Json) -> None:
        """Go on from a position other than the last one sent."""
        self.position, self.sent, self.failed, self.outstanding = position, sent, False, 0
        self.idle, self._partial = (-1, -1), (0, 0.0)
        self._stream, self._pending = None, b""

    def read(self, style: Style, *, last: bool) -> Block | None:
        """The next block; None: nothing new. `last`: nobody writes to it any more, so an unfinished line is one too.

        :raises ReplacedError: the content is not the one followed so far
        :raises VanishedError: the file is gone
        """
        descriptor = self.open()
        if self.kind == "plain":
            now = os.fstat(descriptor)
            self.size, self.mtime_ns = now.st_size, now.st_mtime_ns
            data = os.pread(descriptor, BLOCK + 1, self.position.offset)
            # The head is looked at after the block: if it still fits, the block was read before any truncation.
            self.start = os.pread(descriptor, HEAD, 0)
            if now.st_size < self.position.offset or not self.position.fits(self.start):
                raise ReplacedError
            ended, complete = len(data) <= BLOCK, last
        else:
            data = self._unpack(descriptor)
            assert self._stream is not None
            ended = self._stream.ended and len(data) <= BLOCK
            complete = self._stream.complete or bool(self._stream.error) or last
        return self._block(data, style, ended=ended, complete=complete)

    def _unpack(self, descriptor: int) -> bytes:
        if self._stream is None:
            self._stream, self._pending = Unpacked(descriptor, self.kind), b""
            self.start = self._stream.read(HEAD)
            if not self.position.fits(self.start):
                raise ReplacedError
            skipped = min(self.position.offset, len(self.start))
            self._pending = self.start[skipped:]
            self._stream.skip(self.position.offset - skipped)
        self._pending += self._stream.read(BLOCK + 1 - len(self._pending))
        return self._pending

    def complaint(self) -> str:
        """What an operator should know about this file, once."""
        if self._stream is None or not self._stream.error or self._complaint:
            return ""
        self._complaint = f"{self.path}: damaged after {self.position.offset} bytes of content ({self._stream.error})"
        return self._complaint

    def _block(self, data: bytes, style: Style, *, ended: bool, complete: bool) -> Block | None:
        """Cut whole lines off `data`, which stands at the position."""
        lines, cut = data.rfind(b"\n") + 1, False
        end = style.content.whole(data[:lines]) if lines else 0
        if not end and len(data) > BLOCK:
            end = lines  # an event that is longer than a block is cut between its lines
        if not end and len(data) > BLOCK:
            end, cut = _cut(data, style.encoding), True
        if not end and ended:
            if data and (complete or self._overdue(len(data), style.partial_after)):
                end = len(data)
            else:
                self._partial = (len(data), self._partial[1] or time.monotonic()) if data else (0, 0.0)
                self.idle = self.size, self.mtime_ns
                return None
        self._partial = (0, 0.0)
        taken = data[:end]
        if self.kind != "plain":
            self._pending = data[end:]
        position = self.position.advanced(self.position.offset + end, self.start, self.path)
        if not self.position.offset:
            taken = taken.removeprefix(b"\xef\xbb\xbf")
        # A writer that kept its place over a truncation leaves a hole before it, which reads as NULs.
        batch = style.content.read(taken.lstrip(b"\0"), self.path, style.host, style.encoding)
        if cut:
            batch = Batch(batch.frame.with_columns(pl.lit(CUT).alias("parse_error")))
        return Block(batch if len(batch) else None, position)

    def _overdue(self, size: int, after: float) -> bool:
        """Whether the unfinished line has not grown for so long that it counts as finished."""
        known, since = self._partial
        if not since or known != size:
            self._partial = size, time.monotonic()
            return False
        return time.monotonic() - since >= after


def _cut(data: bytes, encoding: str) -> int:
    """Where to cut a line that is too long: between two characters, as far as the encoding lets one see that."""
    end = BLOCK
    if encoding == "utf-8":
        while end > BLOCK - 4 and data[end] & 0xC0 == 0x80:
            end -= 1
    return end
