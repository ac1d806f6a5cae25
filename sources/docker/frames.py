"""A container's log as the Engine's API streams it: records out of frames, lines out of records, and the place in it.

Source: Docker Engine API, `ContainerLogs` and `ContainerAttach` ("Stream format"). Without a terminal each record is a
frame: `[stream, 0, 0, 0, size as four bytes, big endian]` and the payload; with one, the payloads follow each other.
With `timestamps=1` each begins with its time and a space. A line of more than 16 KiB is several records of one stream,
of which only the last ends with a line feed.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from ...plugins import Batch, Json, now_ns, parse_times
from ..pieces import joined

LOT = 1 << 20
"""Bytes of a batch, about; a line may be twice as long."""
MOST_FRAME = 16 * 1024 * 1024
"""Bytes of a frame: the Engine's have 16 KiB, what is longer is no frame."""
CUT = "docker: the line is longer than 2 MiB, or did not go on; it was cut here"
_HEADER = struct.Struct(">BBBBI")
_STREAMS = {0: "stdin", 1: "stdout", 2: "stderr", 3: "systemerr"}
_PIECE = 16 * 1024  # bytes of a line from which on the Engine divides it


class MalformedError(ValueError):
    """What comes is no log of the Engine."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading goes on: `since`, the newest time in nanoseconds, and what is known of it.

    The Engine's `since` gives the records from the first one on that is no older (of older releases, only such). So of
    those that are known, `same` have just that time, and `older` stand behind them and are of an earlier one: two
    streams may write at once.
    """

    since: int = 0
    same: int = 0
    older: int = 0

    def json(self) -> dict[str, Json]:
        """As the checkpoint keeps it."""
        return {"since": self.since, "same": self.same, "older": self.older}

    @classmethod
    def of(cls, value: Json) -> Place:
        """The place that a checkpoint holds; the beginning where it holds none."""
        if not isinstance(value, Mapping):
            return cls()
        match value.get("since"), value.get("same"), value.get("older"):
            case (int(since), int(same), int(older)):
                return cls(since, same, older)
        return cls()

    def after(self, times: pl.Series) -> Place:
        """The place behind records of these times, nanoseconds; null where one cannot be read."""
        newest = times.max()
        if not isinstance(newest, int) or newest <= self.since:
            same = int((times == self.since).sum())
            return Place(self.since, self.same + same, self.older + len(times) - same)
        same, first = int((times == newest).sum()), (times == newest).arg_true()[0]
        return Place(newest, same, len(times) - first - same)


class Skipping:
    """Leaves out the records that are known when a log is read again from a place on."""

    def __init__(self, place: Place) -> None:
        self._since, self._same, self._older = place.since, place.same, place.older

    def fresh(self, times: pl.Series) -> pl.Series:
        """Which of these records, the next ones, are not known, a Boolean for each."""
        newer = (times > self._since).fill_null(value=False)
        equal = (times == self._since).fill_null(value=False)
        older = ~newer & ~equal
        known = (equal & (equal.cum_sum() <= self._same)) | (older & (older.cum_sum() <= self._older))
        known &= newer.cast(pl.UInt32).cum_sum() == 0
        past = bool(newer.any())
        self._same = 0 if past else max(0, self._same - int(equal.sum()))
        self._older = 0 if past else max(0, self._older - int(older.sum()))
        return ~known


class Records:
    """Takes what comes apart into records."""

    def __init__(self, *, terminal: bool) -> None:
        self._terminal = terminal
        self._rest = bytearray()
        self._streams: list[int] = []
        self._payloads: list[bytes] = []
        self._open: set[int] = set()
        self.size = 0
        """Bytes of the records that nobody has taken yet."""

    @property
    def unfinished(self) -> bool:
        """Whether a line is not complete yet."""
        return bool(self._open) or (self._terminal and bool(self._rest))

    def feed(self, data: bytes) -> None:
        """The next bytes.

        :raises MalformedError: these are no frames
        """
        self._rest += data
        if self._terminal:
            *lines, self._rest = self._rest.split(b"\n")
            for line in lines:
                self._add(1, bytes(line) + b"\n")
            if len(self._rest) > LOT:
                self._add(1, bytes(self._rest))
                self._rest = bytearray()
            return
        at, end = 0, len(self._rest)
        while at + 8 <= end:
            stream, *nothing, size = _HEADER.unpack_from(self._rest, at)
            if stream not in _STREAMS or any(nothing) or size > MOST_FRAME:
                raise MalformedError(f"no frame of a log begins with {bytes(self._rest[at : at + 8]).hex(' ')}")
            if at + 8 + size > end:
                break
            self._add(stream, bytes(self._rest[at + 8 : at + 8 + size]))
            at += 8 + size
        del self._rest[:at]

    def finish(self) -> None:
        """Wait no longer: what is there of a terminal's last line is one."""
        if self._terminal and self._rest:
            self._add(1, bytes(self._rest))
            self._rest = bytearray()

    def _add(self, stream: int, payload: bytes) -> None:
        self._streams.append(stream)
        self._payloads.append(payload)
        self.size += len(payload)
        (self._open.discard if payload.endswith(b"\n") else self._open.add)(stream)

    def take(self) -> pl.DataFrame:
        """The records so far: `stream`, `time` in nanoseconds (null: it cannot be read), `text`."""
        payloads = [payload.decode("utf-8", "backslashreplace") for payload in self._payloads]
        streams = pl.Series("stream", self._streams, dtype=pl.Int64)
        self._streams, self._payloads, self.size = [], [], 0
        self._open = set()
        apart = pl.DataFrame({"payload": pl.Series(payloads, dtype=pl.String), "stream": streams}).select(
            "stream", pl.col("payload").str.splitn(" ", 2).struct.rename_fields(["time", "text"]).alias("p"), "payload"
        )
        apart = apart.unnest("p")
        times = parse_times(apart["time"])
        text = pl.when(pl.Series(times.is_not_null())).then(pl.col("text")).otherwise(pl.col("payload"))
        found = apart.select("stream", times.cast(pl.Int64).alias("time"), text.alias("text"), stamp=pl.col("time"))
        return _without_inner_times(found) if self._terminal else found.drop("stamp")


def _without_inner_times(found: pl.DataFrame) -> pl.DataFrame:
    """Of a terminal's long lines each piece begins with the time of the first: nothing else parts them."""
    long = pl.col("text").str.len_bytes() > _PIECE
    bare = pl.col("text").str.split(pl.col("stamp") + " ").list.join("")
    return found.select("stream", "time", pl.when(long).then(bare).otherwise("text").alias("text"))


def read_lines(records: pl.DataFrame, fields: Mapping[str, str]) -> Batch:
    """A batch of the lines that the records make, in the order they began; `fields` are those of the container."""
    lines = joined(records.with_columns(pl.col("text").str.ends_with("\n").alias("ends")))
    at = pl.lit(now_ns(), dtype=pl.Int64)
    stamped = pl.coalesce("time", at).cast(pl.Datetime("ns"))
    message = pl.col("text").str.strip_suffix("\n").str.strip_suffix("\r")
    wrong = (
        pl.when(~pl.col("ends")).then(pl.lit(CUT)).when(pl.col("time").is_null()).then(pl.lit("docker: it has no time"))
    )
    frame = lines.select(
        stamped.alias("timestamp"),
        at.cast(pl.Datetime("ns")).alias("observed_timestamp"),
        message.alias("message"),
        wrong.alias("parse_error"),
        pl.col("stream").replace_strict(_STREAMS, return_dtype=pl.String).alias("log.iostream"),
        *(pl.lit(value).alias(name) for name, value in fields.items()),
    ).filter(pl.col("message") != "")
    return Batch.of(frame)
