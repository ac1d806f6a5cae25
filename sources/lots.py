"""A stream of bytes to lots of whole lines, many lines at once and few lots a second."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import anyio
import polars as pl

MOST_BYTES = 4 * 1024 * 1024
"""Bytes of a lot; while it is stored whoever writes waits, as the pipe is full."""
_LINGER_S = 0.05  # waited for more lines: so few batches a second are no load


async def lots(read: Callable[[], Awaitable[bytes | None]], most: int) -> AsyncIterator[bytes]:
    """What `read` gives until it gives None, in whole lines. A line that does not end is ended after `most` bytes.

    `read` waits until there is something; it may be cancelled meanwhile, and loses nothing then.
    """
    rest = bytearray()
    open_ = True
    while open_:
        found = bytearray()
        until = float("inf")
        while open_ and len(found) < MOST_BYTES:
            data: bytes | None = b""
            with anyio.move_on_at(until):
                data = await read()
            if data == b"":  # nothing more came for a while
                break
            if data is None:
                found += rest
                open_ = False
            else:
                found += _whole(rest, data, most)
            until = min(until, anyio.current_time() + _LINGER_S)
        if found:
            yield bytes(found)


def _whole(rest: bytearray, data: bytes, most: int) -> bytes:
    """The lines that are whole now, with their line feeds; what is left stays in `rest`."""
    end = data.rfind(b"\n") + 1
    whole = bytes(rest) + data[:end] if end else b""
    if end:
        rest.clear()
    rest += data[end:]
    if len(rest) > most:
        whole += bytes(rest) + b"\n"
        rest.clear()
    return whole


def divided(lines: pl.Series, most: int) -> pl.Series:
    """The lines, with those of more than `most` characters in several parts."""
    longest = lines.str.len_chars().max()
    if not isinstance(longest, int) or longest <= most:
        return lines
    parts = [line[at : at + most] for line in lines for at in range(0, len(line), most)]
    return pl.Series(lines.name, parts, dtype=pl.String)
