"""Where a syslog message ends in a stream: after its line, or after the bytes that it announces. Source: RFC 6587."""

from __future__ import annotations

import re
from dataclasses import dataclass

CUT_OFF = "syslog: the connection ended, or was silent, in the middle of this message"
_COUNT = re.compile(rb"([1-9]\d{0,8}) (?=<\d)")
_PERHAPS_COUNT = re.compile(rb"[1-9]\d{0,8}(?: <?)?")
_COUNT_AFTER_LINE = re.compile(rb"\n(?=[1-9]\d{0,8} <\d)")
_LINE = -1


@dataclass(frozen=True, slots=True)
class Frames:
    """Messages of one peer: lines in one piece, or bytes for each."""

    data: bytes | list[bytes]
    peer: str = ""
    flaw: str = ""
    """What is wrong with all of them."""

    @property
    def size(self) -> int:
        """Bytes of the messages."""
        return len(self.data) if isinstance(self.data, bytes) else sum(map(len, self.data))

    @property
    def events(self) -> int:
        """Number of messages, about."""
        return self.data.count(b"\n") + 1 if isinstance(self.data, bytes) else len(self.data)


class Framing:
    """Cuts one peer's stream. Each message may be framed either way: `57 <34>1 …` says its length; else a line feed, or
    the NUL that some write, ends it. Lines stay in one piece; a message that says its length costs a step of Python.

    :param most: bytes of a message to keep; a longer one comes with one byte more, and the rest is skipped
    """

    def __init__(self, peer: str, most: int) -> None:
        self._peer, self._most = peer, most
        self._buffer = bytearray()
        self._skip = 0

    @property
    def unfinished(self) -> bool:
        """Whether the first part of a message is there."""
        return bool(self._buffer) or self._skip != 0

    def feed(self, data: bytes) -> list[Frames]:
        """The messages that are complete now, in order."""
        buffer = self._buffer
        buffer += data
        found: list[Frames] = []
        counted: list[bytes] = []
        at = 0
        while at < len(buffer):
            if self._skip:
                at = self._skipped(at)
            elif count := _COUNT.match(buffer, at):
                size, start = int(count[1]), count.end()
                end = start + min(size, self._most + 1)
                if end > len(buffer):
                    break
                counted.append(bytes(buffer[start:end]))
                at, self._skip = end, start + size - end
            elif _PERHAPS_COUNT.fullmatch(buffer, at):
                break
            else:
                lines = self._lines(at)
                if not lines:
                    break
                if counted:
                    found.append(Frames(counted, self._peer))
                    counted = []
                found.append(Frames(lines, self._peer))
                at += len(lines)
        if counted:
            found.append(Frames(counted, self._peer))
        del buffer[:at]
        return found

    def _skipped(self, at: int) -> int:
        """Where to go on after the rest of a message that was too long."""
        left = len(self._buffer) - at
        if self._skip > 0:
            step = min(self._skip, left)
            self._skip -= step
            return at + step
        ends = [end for mark in (b"\n", b"\0") if (end := self._buffer.find(mark, at)) >= 0]
        if not ends:
            return len(self._buffer)
        self._skip = 0
        return min(ends) + 1

    def _lines(self, at: int) -> bytes:
        """The lines from `at` on that are complete, up to a message that says its length."""
        buffer = self._buffer
        if turn := _COUNT_AFTER_LINE.search(buffer, at):
            end = turn.end()
        else:
            end = max(buffer.rfind(b"\n", at), buffer.rfind(b"\0", at)) + 1
        if end <= at:
            if len(buffer) - at <= self._most:
                return b""
            end, self._skip = at + self._most + 1, _LINE
        return bytes(buffer[at:end])

    def end(self) -> list[Frames]:
        """What is left when the connection ends: a last line needs no line feed."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        if not rest:
            return []
        if count := _COUNT.match(rest):
            return [Frames([rest[count.end() :]], self._peer, CUT_OFF)]
        return [Frames(rest, self._peer)]
