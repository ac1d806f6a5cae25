"""Request bodies within bounds: of one body as it came, of one decompressed, and of all that are in memory at once.

The bounds hold while reading: a body that is too large, or a compression bomb, costs no more memory than its bound.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import anyio
import pyarrow as pa
from anyio import CapacityLimiter

from ..config import Limits
from ..plugins import in_worker
from .problems import ProblemException

Receive: TypeAlias = Callable[[], Any]

MIB: Final = 1024 * 1024
STEP: Final = 4 * MIB  # decompressed at once; memory is reserved in such steps, so it bounds what is over-reserved
ENCODINGS: Final = ("gzip", "deflate", "zstd")
_INLINE: Final = 64 * 1024  # a body this small is decompressed on the spot: the way to a thread would take longer


@dataclass(slots=True)
class Budget:
    """Bytes that bodies may take in memory at once, all together."""

    limit: int = 256 * MIB
    wait_s: float = 2.0
    """How long a request waits for room before it is told to come again."""
    used: int = 0
    _freed: anyio.Event = field(default_factory=anyio.Event)

    @contextlib.contextmanager
    def lease(self) -> Iterator[Lease]:
        """Bytes for one request, given back at the end."""
        lease = Lease(self)
        try:
            yield lease
        finally:
            lease.release()

    async def take(self, count: int) -> None:
        """Wait until there is room and take it. One body alone always has room.

        :raises ProblemException: 429 with Retry-After, after `wait_s`
        """
        if self.used and self.used + count > self.limit:
            with anyio.move_on_after(self.wait_s):
                while self.used and self.used + count > self.limit:
                    self._freed = anyio.Event() if self._freed.is_set() else self._freed
                    await self._freed.wait()
            if self.used and self.used + count > self.limit:
                text = "too many bodies are being worked on; send this one again later"
                raise ProblemException(429, text, after=2.0, limit=("bodies_in_flight", self.limit))
        self.used += count

    def give(self, count: int) -> None:
        """Give room back."""
        self.used -= count
        self._freed.set()


@dataclass(slots=True)
class Lease:
    """What one request has taken of the budget."""

    budget: Budget
    taken: int = 0

    async def grow(self, total: int) -> None:
        """Have at least `total` bytes."""
        if total > self.taken:
            await self.budget.take(total - self.taken)
            self.taken = total

    def shrink(self, total: int) -> None:
        """Have at most `total` bytes: a small body must not hold the room of a large one until it is committed."""
        if total < self.taken:
            self.budget.give(self.taken - total)
            self.taken = total

    def release(self) -> None:
        """Give all back."""
        self.shrink(0)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Largest bodies, in bytes."""

    compressed: int = 64 * MIB
    decompressed: int = 64 * MIB

    @classmethod
    def of(cls, limits: Limits) -> Bounds:
        """The bounds that the YAML sets."""
        return cls(limits.compressed_body_size, limits.body_size)


async def read_body(receive: Receive, declared: int | None, bounds: Bounds, lease: Lease) -> bytes:
    """The body as it came. `declared` is its Content-Length.

    :raises ProblemException: 413, it is too large; 429, there is no room for it; 400, the client went away
    """
    if declared is not None:
        if declared > bounds.compressed:
            raise too_large("compressed_body_size", bounds.compressed, "the body")
        await lease.grow(declared)
    chunks: list[bytes] = []
    size = 0
    async for chunk in _chunks(receive):
        size += len(chunk)
        if size > bounds.compressed:
            raise too_large("compressed_body_size", bounds.compressed, "the body")
        if size > lease.taken:
            await lease.grow(size + STEP)
        chunks.append(chunk)
    lease.shrink(size)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        if body := message.get("body"):
            yield body
        if not message.get("more_body"):
            return


class ClientGoneError(Exception):
    """The client went away: nobody reads an answer."""


def too_large(limit: str, most: int, what: str) -> ProblemException:
    """413 that says the limit."""
    text = f"{what} has more than {most} bytes ({most // MIB} MiB): send it in parts"
    return ProblemException(413, text, limit=(limit, most))


async def decompress(
    body: bytes, encoding: str, bounds: Bounds, lease: Lease, limiter: CapacityLimiter | None = None
) -> bytes:
    """The body without its Content-Encoding; large ones in a worker thread.

    :raises ProblemException: 415, an unknown encoding; 413, more than the bound comes out; 400, it is no such thing
    """
    name = encoding.strip().lower().removeprefix("x-").replace(" ", "")
    if name == "gzip,deflate":  # pygelf says what it may be instead of what it is
        name = "gzip" if body.startswith(b"\x1f\x8b") else "deflate"
    if name in ("", "identity"):
        if len(body) > bounds.decompressed:
            raise too_large("body_size", bounds.decompressed, "the body")
        return body
    if name not in ENCODINGS:
        raise ProblemException(
            415,
            f"Content-Encoding {encoding[:60]!r} is unknown: use one of {', '.join(ENCODINGS)}, identity",
            headers={"Accept-Encoding": ", ".join(ENCODINGS)},
        )
    held = lease.taken
    steps = _STEPS[name](body)
    parts: list[bytes] = []
    size = 0
    while True:
        await lease.grow(held + size + STEP)
        try:
            inline = len(body) <= _INLINE and not parts
            part = next(steps, b"") if inline else await in_worker(next, steps, b"", limiter=limiter)
        except (zlib.error, OSError, EOFError) as why:
            raise ProblemException(400, f"the body is not {name}: {why}") from None
        if not part:
            lease.shrink(held + size)
            return parts[0] if len(parts) == 1 else b"".join(parts)
        size += len(part)
        if size > bounds.decompressed:
            raise too_large("body_size", bounds.decompressed, "the decompressed body")
        parts.append(part)


def _zlib_steps(body: bytes, window: int) -> Iterator[bytes]:
    """Parts of at most `STEP` bytes; several members behind each other are one body, as gzip has it."""
    view = memoryview(body)
    position = 0
    while position < len(view) or position == 0:
        inflate = zlib.decompressobj(window)
        while not inflate.eof:
            chunk = inflate.unconsumed_tail or view[position : position + MIB]
            if not inflate.unconsumed_tail:
                position += len(chunk)
                if not chunk and not (rest := inflate.flush(STEP)):
                    raise EOFError("it ends too early")
            if part := inflate.decompress(chunk, STEP) if chunk else rest:
                yield part
        position -= len(inflate.unused_data)
        if not any(view[position : position + 512]):  # tar and some clients pad with zeros
            return


def _gzip_steps(body: bytes) -> Iterator[bytes]:
    return _zlib_steps(body, 31)


def _deflate_steps(body: bytes) -> Iterator[bytes]:
    """RFC 9110 means zlib by `deflate`; some clients send it bare, which the first two bytes tell."""
    wrapped = len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    return _zlib_steps(body, 15 if wrapped else -15)


def _zstd_steps(body: bytes) -> Iterator[bytes]:
    """Frames behind each other are one body. Arrow's stream tells a frame that was cut off, zstandard's does not."""
    if not body:
        raise EOFError("it ends too early")
    with pa.CompressedInputStream(pa.BufferReader(body), "zstd") as stream:
        while part := stream.read(STEP):
            yield part


_STEPS: Final = {"gzip": _gzip_steps, "deflate": _deflate_steps, "zstd": _zstd_steps}
