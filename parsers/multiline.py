"""Events of several lines, put together again: stack traces, statements, whatever goes on below its first line.

    parse:
      - {type: multiline, starts: '^\\d{4}-\\d\\d-\\d\\d '}         # a date begins an event
      - {type: multiline, continues: '^\\s|^Caused by: '}       # what is indented belongs to the line before

Lines of one stream (`by`) belong together, also where other streams' come in between, and those of several batches.
"""

from __future__ import annotations

from typing import Final

import polars as pl
from pydantic import Field, model_validator

from ..plugins import (
    Batch,
    Duration,
    Gathered,
    Gatherer,
    Held,
    PluginConfig,
    concat,
    duration_ns,
    hookimpl,
    keys_of,
)

MOST_STREAMS: Final = 1_000
"""Events that are held, one a stream; beyond, the one that has waited longest is whole as it is."""
MOST_BYTES: Final = 1024 * 1024
"""Bytes of them: they are written with each commit."""
_OVERHEAD: Final = 300  # bytes of an event beside its message, about
_LONGEST: Final = 300  # seconds
_CUT: Final = "multiline: an event with more lines or bytes than max_lines and max_bytes is several"


class MultilineConfig(PluginConfig):
    """Settings of putting lines together."""

    starts: str | None = Field(None, min_length=1, max_length=2_000)
    """A regular expression that finds the first line of each event. Either this or `continues`."""
    continues: str | None = Field(None, min_length=1, max_length=2_000)
    """A regular expression that finds each line that belongs to the one before."""
    by: list[str] = Field(["host", "service", "log.file.path", "container.id", "stream"], max_length=50)
    """Fields that tell streams apart; lines that have none of them are one stream of their source."""
    timeout: Duration = "2s"
    """How long the next line is waited for, such as `2s`; five minutes at most."""
    max_lines: int = Field(500, ge=2, le=10_000)
    """Lines of an event; what goes beyond is another event, with `parse_error`."""
    max_bytes: int = Field(256 * 1024, ge=1024, le=MOST_BYTES)
    """Bytes of an event, after which no line is added to it; what goes beyond is another event, with `parse_error`."""

    @model_validator(mode="after")
    def _one_of_both(self) -> MultilineConfig:
        if (self.starts is None) == (self.continues is None):
            raise ValueError("give either starts or continues")
        return self


class Multiline(Gatherer[MultilineConfig]):
    """Make one event of the lines that belong together; it has the fields and times of its first line.

    It is the first step of a pipeline. Of 1,000 streams of a source, and a megabyte, it waits for the next line: what
    is held is committed with the lines, so that neither a crash nor a restart loses one or stores it twice.
    """

    def __init__(self, config: MultilineConfig) -> None:
        super().__init__(config)
        self._timeout = duration_ns(config.timeout)
        if not 0 < self._timeout <= _LONGEST * 1_000_000_000:
            raise ValueError("timeout: five minutes is the longest")
        pattern = config.starts or config.continues or ""
        try:
            pl.select(pl.lit("").str.contains(pattern))
        except pl.exceptions.ComputeError as why:
            name = "starts" if config.starts else "continues"
            raise ValueError(f"{name}: no regular expression: {why}") from None

    @property
    def timeout_ns(self) -> int:
        """See `Gatherer`."""
        return self._timeout

    def gather(self, held: Held, batch: Batch, now: int, *, last: bool = False) -> Gathered:
        """See `Gatherer`. The lines of an event stand below each other in its message."""
        both = concat([held.batch, batch]) if len(held.batch) else batch
        if not len(both):
            return Gathered(both, Held())
        events = self._events(both, held, now)
        frame = both.frame[events["first"]]
        cut = pl.repeat(_CUT, len(events), eager=True).set(~events["cut"], None)
        made = frame.with_columns(
            message=frame["message"].zip_with(events["rows"] == 1, events["text"]),
            parse_error=frame["parse_error"].fill_null(cut),
        )
        if last:
            return Gathered(Batch(made), Held())
        waits = self._waits(events, now)
        rest = events.filter(waits)
        there = Held(Batch(made.filter(waits)), rest["parts"].to_list(), rest["at"].to_list())
        return Gathered(Batch(made.filter(~waits)), there)

    def _events(self, both: Batch, held: Held, now: int) -> pl.DataFrame:
        """A row an event, in the order of their first lines: its text, its lines, when the last of them came."""
        before, rows = len(held.batch), len(both)
        message = both.frame["message"]
        number = pl.int_range(rows, eager=True)
        table = pl.DataFrame(
            {
                "row": number,
                "key": keys_of(both, self.config.by).fill_null(0),
                "message": message,
                "parts": pl.Series([*held.parts, *([1] * (rows - before))], dtype=pl.Int64),
                "size": message.str.len_bytes().fill_null(0).cast(pl.Int64) + 1,
                "at": pl.Series([*held.at, *([now] * (rows - before))], dtype=pl.Int64),
                "begins": self._begins(message) | (number < before),
            }
        )
        # Sorted by stream, an event's lines follow each other, and sums are differences of running ones.
        waited = (pl.col("row") < before) & (pl.col("at") + self._timeout <= now)
        starts = pl.col("begins") | (pl.col("key") != pl.col("key").shift(1)).fill_null(value=True) | waited.shift(1)
        pieces = (
            table.lazy()
            .sort("key", maintain_order=True)
            .with_columns(starts=starts.fill_null(value=True))
            .with_columns(
                by_lines=_before("parts") // self.config.max_lines, by_size=_before("size") // self.config.max_bytes
            )
            .with_columns(
                event=pl.col("starts").cum_sum(),
                piece=(pl.col("starts") | _changes("by_lines") | _changes("by_size")).cum_sum(),
            )
            .group_by("piece", maintain_order=True)
            .agg(
                pl.col("key", "event", "row").first(),
                pl.col("message").str.join("\n").alias("text"),
                pl.len().alias("rows"),
                pl.col("parts", "size").sum(),
                pl.col("at").last(),
            )
            .with_columns(
                cut=pl.col("event").is_duplicated(),
                newest=(pl.col("key") != pl.col("key").shift(-1)).fill_null(value=True),
            )
            .sort("row")
        )
        return pieces.rename({"row": "first"}).collect()

    def _begins(self, message: pl.Series) -> pl.Series:
        """Which lines begin an event."""
        if self.config.starts is not None:
            return message.str.contains(self.config.starts).fill_null(value=True)
        assert self.config.continues is not None
        return ~message.str.contains(self.config.continues).fill_null(value=False)

    def _waits(self, events: pl.DataFrame, now: int) -> pl.Series:
        """Of which events the next line is waited for: the newest of each stream, within the bounds."""
        newest = events["newest"] & (events["at"] + self._timeout > now)
        sizes = pl.when(pl.lit(newest)).then(pl.col("size") + _OVERHEAD).otherwise(0)
        # The latest first: beyond the bounds, those go that have waited longest.
        ordered = (
            events.select("at", "first", size=sizes, newest=newest)
            .with_row_index("n")
            .sort("at", "first", descending=True)
        )
        within = (pl.col("size").cum_sum() <= MOST_BYTES) & (pl.col("newest").cast(pl.UInt32).cum_sum() <= MOST_STREAMS)
        return ordered.with_columns(within=within).sort("n")["within"] & newest


def _before(name: str) -> pl.Expr:
    """The sum of a column over the lines of an event before this one; they follow each other."""
    running = pl.col(name).cum_sum() - pl.col(name)
    return running - pl.when("starts").then(running).forward_fill()


def _changes(name: str) -> pl.Expr:
    return (pl.col(name) != pl.col(name).shift(1)).fill_null(value=False)


@hookimpl
def cordwood_plugins() -> list[type[Multiline]]:
    """The step that puts lines together."""
    return [Multiline]
