"""Messages of Kafka to events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from ...plugins import Batch, read_lines, read_ndjson

if TYPE_CHECKING:
    from confluent_kafka import Message

_MOST_HEADERS = 50  # names of headers that become fields, of all messages of a batch
_encode = msgspec.json.Encoder().encode


def read_messages(messages: Sequence[Message], observed: int) -> Batch:
    """An event a message, in order: a JSON object as its fields, everything else as text; none without a value.

    The message's time is that of an event which names none; its topic, partition, offset, key and headers are fields.
    """
    messages = [message for message in messages if message.value() is not None]
    lines = [_line(bytes(message.value() or b"")) for message in messages]
    body = b"\n".join(lines)
    # A line feed within a value would be read as the end of one.
    plain = body.count(b"\n") == len(lines) - 1 and b"\r" not in body
    found = read_ndjson(body, observed) if plain else read_lines(lines, observed)
    if not messages:
        return found
    at = pl.Series([message.timestamp()[1] if message.timestamp()[0] else None for message in messages], dtype=pl.Int64)
    frame = found.frame
    timeless = (frame["timestamp"] == frame["observed_timestamp"]) & at.is_not_null()
    columns = {
        "timestamp": (at * 1_000_000).cast(pl.Datetime("ns")).zip_with(timeless, frame["timestamp"]),
        "kafka.topic": _texts([message.topic() for message in messages]),
        "kafka.partition": pl.Series([message.partition() for message in messages], dtype=pl.Int64),
        "kafka.offset": pl.Series([message.offset() for message in messages], dtype=pl.Int64),
        "kafka.key": _texts([_text(message.key()) for message in messages]),
        **_headers(messages),
    }
    return Batch.of(frame.with_columns(**columns))


def _headers(messages: Sequence[Message]) -> dict[str, pl.Series]:
    """A column for each name; of a name that comes twice in a message the last value counts."""
    each = [dict(message.headers() or ()) for message in messages]
    names = dict.fromkeys(name for headers in each for name in headers)
    return {
        f"kafka.header.{name}": _texts([_text(headers.get(name)) for headers in each])
        for name in list(names)[:_MOST_HEADERS]
    }


def _texts(values: Sequence[str | None]) -> pl.Series:
    return pl.Series(values, dtype=pl.String)


def _text(value: str | bytes | None) -> str | None:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value


def _line(value: bytes) -> bytes:
    """The value as a line of JSON."""
    if value.lstrip()[:1] == b"{":
        return value
    return b'{"message":' + _encode(value.decode("utf-8", "backslashreplace")) + b"}"
