"""GELF documents to events. Source: Graylog's documentation, "GELF Payload Specification" 1.1."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import polars as pl

from ...plugins import ALIASES, NOT_JSON, SYSLOG, SYSLOG_NUMBERS, Batch, read_lines, read_ndjson, split_column
from ...plugins.fields import col

NO_MESSAGE = "gelf: there is no short_message"
_RESERVED = frozenset({"timestamp", "observed_timestamp", "severity", "severity_text", "message", "full_message",
                       "host", "source", "parse_error", *ALIASES["severity"]})  # fmt: skip
"""What the document's own fields stand for; an additional field of that name keeps its underscore."""
_LEVEL = ("level", "severity", "severity_text")
_REPLACED = ("short_message", "message", "full_message", *_LEVEL, "version", "parse_error")
_DIGITS, _NUMBERS = [str(level) for level in range(8)], [str(number) for number in SYSLOG_NUMBERS]


def read_documents(bodies: Sequence[bytes], observed: int) -> Batch:
    """An event a document, in order. What is no JSON object is kept as a message, with `parse_error`.

    :param bodies: each some documents with NULs between them
    """
    body = b"\0".join(bodies)
    if b"\n" not in body and b"\r" not in body:
        stripped = body.strip(b"\0")
        return read_ndjson(stripped.replace(b"\0", b"\n"), observed, flat=understood)
    documents = [_one_line(document) for document in body.split(b"\0")]
    return read_lines(documents, observed, flat=understood)


def _one_line(document: bytes) -> bytes:
    """A document that was written over several lines in one; what is no JSON, as it is."""
    try:
        return msgspec.json.format(document, indent=-1) if document.strip() else b""
    except NOT_JSON:
        return document


def understood(frame: pl.DataFrame) -> pl.DataFrame:
    """The flat columns under the names of events: `_user` becomes `user`, `short_message` the message.

    `level` is a syslog severity, 0 to 7. The short message is the event's, the full one stays an attribute of its name
    unless it is the only one.
    """
    fields: dict[str, list[str]] = {}
    for name, dtype in frame.schema.items():
        fields.setdefault(split_column(name, dtype)[0], []).append(name)
    taken = {*fields, *_RESERVED}
    names: dict[str, str] = {}
    for field, columns in fields.items():
        plain = field.removeprefix("_")
        if plain != field and plain and plain not in taken:
            names |= {column: column.removeprefix("_") for column in columns}
    parts = [*_texts(fields, "short_message"), *_texts(fields, "message")]
    full = _texts(fields, "full_message")
    nothing = pl.repeat(None, pl.len(), dtype=pl.String)
    own = [pl.coalesce(*parts, *full, nothing).alias("message")]
    if parts and full:
        own.append(pl.when(pl.coalesce(parts).is_not_null()).then(pl.coalesce(full)).alias("full_message"))
    level, severity, word = (_texts(fields, field) for field in _LEVEL)
    if level or severity or word:
        sent = pl.coalesce(*level, nothing)
        number = sent.replace_strict(_DIGITS, _NUMBERS, default=None, return_dtype=pl.String)
        said = sent.replace_strict(_DIGITS, SYSLOG, default=None, return_dtype=pl.String)
        own += [pl.coalesce(number, sent, *severity).alias("severity"), pl.coalesce(said, *word).alias("severity_text")]
    gone = {name for field in _REPLACED for name in fields.get(field, [])}
    rest = [col(name).alias(names.get(name, name)) for name in frame.columns if name not in gone]
    error = pl.coalesce(*_texts(fields, "parse_error"), nothing)
    without = pl.when(pl.coalesce(*parts, *full, nothing).is_null()).then(pl.lit(NO_MESSAGE))
    return frame.select(*rest, *own, pl.coalesce(error, without).alias("parse_error"))


def _texts(fields: dict[str, list[str]], field: str) -> list[pl.Expr]:
    """The field's columns, of whatever kind, as text."""
    return [col(name).cast(pl.String) for name in fields.get(field, [])]
