"""What came over the network to events: the messages of frames, as `plugins.syslog` reads them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from ...plugins import Batch
from ...plugins.syslog import syslog_events
from .framing import Frames


def read_frames(items: Sequence[Frames], observed: int, zone: ZoneInfo, most: int) -> Batch:
    """An event a message, in order; empty ones are left out.

    :param zone: of times that come without one
    :param most: bytes of a message; the rest is cut off
    """
    frame = _messages(items, most)
    if not frame.height:
        return Batch.from_lines([], observed=observed)
    seen = pl.repeat(observed, frame.height, dtype=pl.Int64, eager=True).cast(pl.Datetime("ns")).alias("seen")
    found = syslog_events(frame.with_columns(seen), zone)
    return Batch.of(found.with_columns(found["timestamp"].zip_with(found["timestamp"].is_not_null(), seen)))


def _messages(items: Sequence[Frames], most: int) -> pl.DataFrame:
    """`text`, `peer` and `flaw` of each message."""
    parts: list[pl.Series] = []
    counts: list[int] = []
    for in_lines, group in groupby(items, lambda item: isinstance(item.data, bytes)):
        same = list(group)
        if in_lines:
            text, numbers = _lines([bytes(item.data) for item in same])  # type: ignore[arg-type]
        else:
            text = pl.Series([part.decode("utf-8", "backslashreplace") for item in same for part in item.data])  # type: ignore[union-attr]
            numbers = [len(item.data) for item in same]
        parts.append(text.cast(pl.String).alias("text"))
        counts += numbers
    whose = pl.Series(range(len(items)), dtype=pl.UInt32).repeat_by(pl.Series(counts)).explode(empty_as_null=False)
    frame = pl.DataFrame(
        {
            "text": pl.concat(parts) if parts else pl.Series([], dtype=pl.String),
            "peer": pl.Series([item.peer or None for item in items], dtype=pl.String).gather(whose),
            "flaw": pl.Series([item.flaw or None for item in items], dtype=pl.String).gather(whose),
        }
    )
    frame = frame.with_columns(pl.col("text").str.strip_chars_end("\r\n\0")).filter(pl.col("text") != "")
    if (long := frame["text"].str.len_bytes() > most).any():
        cut = [message.encode()[:most].decode("utf-8", "ignore") for message in frame["text"].filter(long)]
        flaw = f"syslog: the message is longer than {most} bytes; the rest was cut off (max_frame)"
        at = long.arg_true()
        frame = frame.with_columns(frame["text"].scatter(at, cut), frame["flaw"].scatter(at, flaw))
    return frame


def _lines(pieces: Sequence[bytes]) -> tuple[pl.Series, list[int]]:
    """All lines, and how many each piece has; a piece that does not end one is a line of its own."""
    whole = [piece if piece[-1] in b"\n\0" else piece + b"\n" for piece in pieces]
    body = b"".join(whole)
    counts = [piece.count(b"\n") for piece in whole]
    if b"\0" in body:  # which some senders end a message with
        body = body.replace(b"\0", b"\n")
        counts = [count + piece.count(b"\0") for count, piece in zip(counts, whole, strict=True)]
    text = body[:-1].decode("utf-8", "backslashreplace")
    lines = pl.Series(pl.from_arrow(pc.split_pattern(pa.array([text], pa.large_string()), "\n").flatten()))
    return lines, counts
