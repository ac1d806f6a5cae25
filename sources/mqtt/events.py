"""Messages to events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import polars as pl

from ...plugins import STANDARD, Batch, read_lines, read_ndjson
from .packets import Publish
from .topics import Topic

TOPIC, RETAINED = "mqtt.topic", "mqtt.retained"
_encode = msgspec.json.Encoder().encode


def read_messages(messages: Sequence[Publish], topics: Sequence[Topic], observed: int) -> Batch:
    """An event a message, in order: a JSON object as its fields, everything else as the message.

    Named levels of the topic fill the fields that the payload does not have.
    """
    lines = [_line(message) for message in messages]
    body = b"\n".join(lines)
    # A line feed within a payload would be read as the end of one.
    plain = body.count(b"\n") == len(lines) - 1 and b"\r" not in body
    found = read_ndjson(body, observed) if plain else read_lines(lines, observed)
    named = {topic: _named(topic, topics) for topic in {message.topic for message in messages}}
    levels: dict[str, list[str | None]] = {name: [] for fields in named.values() for name in fields}
    for message in messages:
        fields = named[message.topic]
        for name, values in levels.items():
            values.append(fields.get(name))
    if levels:
        columns = {name: pl.Series(values, dtype=pl.String) for name, values in levels.items()}
        always = pl.repeat(value=True, n=len(found), eager=True)
        arrived = found.frame.select("timestamp", "observed_timestamp")
        base = Batch.of(arrived.with_columns(**_attributes(columns)))
        found = base.merged(found, where=always, error="", replaces=("timestamp", "message"))
    marks = {TOPIC: pl.Series([message.topic for message in messages], dtype=pl.String)}
    if any(message.retained for message in messages):
        marks[RETAINED] = pl.Series([message.retained or None for message in messages], dtype=pl.Boolean)
    cut = pl.Series([None if message.whole else "mqtt: the message was cut; raise max_message" for message in messages])
    frame = found.frame.with_columns(**marks)
    if cut.null_count() < len(cut):
        error = frame["parse_error"]
        frame = frame.with_columns(parse_error=cut.zip_with(cut.is_not_null(), error))
    return Batch.of(frame)


def _attributes(columns: Mapping[str, pl.Series]) -> dict[str, pl.Series]:
    """Under the columns' names: a field that ends like a kind has its own kind behind it."""
    return {name if name in STANDARD or "#" not in name else f"{name}#text": values for name, values in columns.items()}


def _line(message: Publish) -> bytes:
    """The payload as a line of JSON."""
    if message.payload[:1] == b"{" or message.payload.lstrip()[:1] == b"{":
        if message.whole:
            return message.payload
    elif not message.payload:
        return b"{}"
    return b'{"message":' + _encode(message.payload.decode("utf-8", "backslashreplace")) + b"}"


def _named(topic: str, topics: Sequence[Topic]) -> Mapping[str, str]:
    """The named levels by the first filter that matches."""
    for known in topics:
        if (fields := known.fields(topic)) is not None:
            return fields
    return {}
