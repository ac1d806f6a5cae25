"""A storm of events that say the same: the first of each pattern are stored, the rest as one event with their number.

    parse:
      - {type: storm, events: 100, every: 1m}

Of what goes beyond, each batch has one event a pattern, the last one, with `repeated`: how many it stands for, itself
included. So the count stays exact, whatever is killed: `| stats count() - count(repeated) + sum(repeated) as n`.
"""

from __future__ import annotations

import polars as pl
from pydantic import Field

from ..plugins import (
    Batch,
    Duration,
    Judged,
    MergedPatterns,
    PatternJudge,
    PluginConfig,
    Quota,
    arrived,
    hookimpl,
    keys_of,
)
from ..plugins.patterns import MASK, PLACEHOLDER

_FIELD = "repeated"
_SEED = 5
_MOST_MERGED = 1_000  # masks of a batch, the most frequent, that are compared with what people merged


class StormConfig(PluginConfig):
    """Settings of suppressing storms."""

    events: int = Field(100, ge=1, le=1_000_000_000)
    """How many of a pattern go on as they are."""
    every: Duration = "1m"
    """In which time, such as `1m`; intervals begin at whole multiples of it. An hour at most."""
    by: list[str] = Field(["service", "severity"], max_length=50)
    """Fields that tell events of one pattern apart."""


class Storm(PatternJudge[StormConfig]):
    """Store the first events of each pattern, and the rest as one event a batch: `… (repeated 41,233 times)`.

    A pattern is the message without its tokens that have a digit, or what people merged of such ones: a merge counts a
    second later. It counts for 200,000 patterns, on each node for itself; what it leaves out is in the same commit as
    the event that says how many, so that no count is lost.
    """

    def __init__(self, config: StormConfig) -> None:
        super().__init__(config)
        self._quota = Quota(config.events, config.every)

    def judge_patterns(self, batch: Batch, merged: MergedPatterns | None) -> Judged:
        """The first of each pattern, and of the rest the last of each with their number."""
        now, keys = arrived(batch), self._patterns(batch, merged)
        goes, taken, numbers = self._quota.take(keys, now)
        table = pl.DataFrame({"key": keys, "goes": goes}).with_row_index("row")
        rest = table.filter(~pl.col("goes")).group_by("key").agg(pl.col("row").last(), n=pl.len().cast(pl.Int64))
        several = rest.filter(pl.col("n") > 1)
        repeated = pl.repeat(None, len(batch), dtype=pl.Int64, eager=True).scatter(several["row"], several["n"])
        keeps = goes | pl.Series(range(len(batch)), dtype=pl.UInt32).is_in(rest["row"].implode())

        def settle(committed: bool) -> None:
            if not committed:
                self._quota.back(taken, numbers, now)

        return Judged(_told(batch, repeated) if len(several) else batch, keeps, settle)

    def _patterns(self, batch: Batch, merged: MergedPatterns | None) -> pl.Series:
        """A number for the pattern of each event."""
        message = batch.frame["message"].fill_null("").str.replace_all(MASK, PLACEHOLDER)
        if merged:
            masks = message.value_counts(sort=True)["message"].head(_MOST_MERGED).to_list()
            known = {mask: pattern for mask in masks if (pattern := merged.of_mask(mask)) is not None}
            message = message.replace(known) if known else message
        told_apart = keys_of(batch, self.config.by).fill_null(0).cast(pl.String)
        table = pl.DataFrame([told_apart.alias("by"), message.alias("message")])
        return table.select(key=pl.concat_str("by", "message", separator=" ").hash(_SEED))["key"]


def _told(batch: Batch, repeated: pl.Series) -> Batch:
    """The events that stand for others, with their number."""
    numbers = repeated.drop_nulls().unique().to_list()
    words = repeated.replace_strict(numbers, [f"{n:,}" for n in numbers], default=None, return_dtype=pl.String)
    message = pl.format("{} (repeated {} times)", pl.col("message").fill_null(""), pl.lit(words))
    return batch.parsed({"message": message, _FIELD: pl.lit(repeated)}, where=pl.lit(repeated.is_not_null()), error="")


@hookimpl
def cordwood_plugins() -> list[type[Storm]]:
    """The step that suppresses storms."""
    return [Storm]
