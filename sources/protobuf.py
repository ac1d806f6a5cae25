"""The wire format of protobuf, as far as a small message needs it; and the size that a snappy block unpacks to.

Source: protobuf.dev, "Encoding". Nothing is copied: a message's fields are views into the body.
"""

from __future__ import annotations

from collections.abc import Iterator


class WireError(ValueError):
    """The bytes are no message."""


def varint(body: bytes | memoryview, at: int) -> tuple[int, int]:
    """The number at `at`, and where the next begins.

    >>> varint(bytes([0xAC, 0x02]), 0)
    (300, 2)
    """
    value = shift = 0
    while True:
        if at >= len(body) or shift > 63:
            raise WireError("a number is cut off or too long")
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields_of(body: bytes | memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """(number, value) of each field in order: a number (unsigned) or the bytes of text, message or packed numbers.

    >>> [(n, v if isinstance(v, int) else bytes(v)) for n, v in fields_of(bytes([8, 5, 18, 1, 120]))]
    [(1, 5), (2, b'x')]

    :raises WireError: it is no message
    """
    view = memoryview(body)
    at = 0
    while at < len(view):
        tag, at = varint(view, at)
        kind = tag & 7
        if kind == 0:
            value, at = varint(view, at)
            yield tag >> 3, value
            continue
        if kind == 2:
            size, at = varint(view, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise WireError(f"wire type {kind} is not known")
        if at + size > len(view):
            raise WireError("a field is cut off")
        part = view[at : at + size]
        at += size
        yield tag >> 3, part if kind == 2 else int.from_bytes(part, "little")


def snappy_size(body: bytes) -> int:
    """Bytes that a snappy block says it unpacks to.

    :raises WireError: it does not begin like one
    """
    return varint(body, 0)[0]
