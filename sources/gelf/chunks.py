"""GELF over UDP: messages in up to 128 chunks, compressed by gzip or zlib, or plain. Source: "GELF via UDP"."""

from __future__ import annotations

import time
import zlib
from collections import deque
from dataclasses import dataclass, field

MAGIC = b"\x1e\x0f"
MOST_CHUNKS = 128
EXPIRE_S = 5.0
"""After which the rest of a message is not waited for any more, as the protocol says."""
MOST_PENDING, MOST_BYTES = 1000, 16 * 1024 * 1024
"""Messages, and bytes of their chunks, that wait for the rest: beyond it the oldest go."""
_STEP = 1024 * 1024


@dataclass(slots=True)
class _Pending:
    count: int
    since: float
    parts: dict[int, bytes] = field(default_factory=dict)
    size: int = 0


class Chunks:
    """Puts messages together again."""

    def __init__(self) -> None:
        self._pending: dict[tuple[str, bytes], _Pending] = {}
        self._size = 0
        self.incomplete = 0
        """Messages of which a chunk did not come in time, or was none."""

    def add(self, data: bytes, peer: str) -> bytes | None:
        """The message that is complete with this datagram; None: there is none."""
        if not data.startswith(MAGIC):
            return data
        now = time.monotonic()
        self._expire(now)
        number, count = data[10:12] if len(data) >= 12 else (0, 0)
        if not 0 < count <= MOST_CHUNKS or number >= count:
            self.incomplete += 1
            return None
        key = peer, data[2:10]
        pending = self._pending.get(key)
        if pending is None:
            pending = self._pending[key] = _Pending(count, now)
        if number in pending.parts or count != pending.count:
            return None
        part = data[12:]
        pending.parts[number] = part
        pending.size += len(part)
        self._size += len(part)
        if len(pending.parts) < count:
            return None
        self._forget(key)
        return b"".join(pending.parts[n] for n in range(count))

    def _expire(self, now: float) -> None:
        while self._pending:
            key, oldest = next(iter(self._pending.items()))
            if oldest.since > now - EXPIRE_S and len(self._pending) < MOST_PENDING and self._size < MOST_BYTES:
                return
            self.incomplete += 1
            self._forget(key)

    def _forget(self, key: tuple[str, bytes]) -> None:
        self._size -= self._pending.pop(key).size


def unpack(waiting: deque[bytes], most: int) -> list[bytes]:
    """Takes messages off the front and decompresses them, until about a MiB has come of them.

    :param most: bytes that a message may become; the rest is cut off, and what is left is then no JSON
    """
    found: list[bytes] = []
    size = 0
    while waiting and size < _STEP:
        plain = _unpacked(waiting.popleft(), most)
        size += len(plain)
        found.append(plain)
    return found


def is_packed(data: bytes) -> bool:
    """Whether a message is compressed: JSON begins with neither."""
    return data[:2] == b"\x1f\x8b" or data[:1] == b"\x78"


def _unpacked(data: bytes, most: int) -> bytes:
    if not is_packed(data):
        return data[:most]
    try:
        return zlib.decompressobj(wbits=47).decompress(data, most)
    except zlib.error:
        return data
