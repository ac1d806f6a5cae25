"""A part of the events, where all would be too many.

    parse:
      - {type: json}
      - {type: sample, share: 0.1, by: trace_id, when: "severity<warn"}

Chosen by a hash: events of one value of `by` are kept or left out together, on every node. Those that stay have
`sample.share`, so that their number can be told: `sum(1 / sample.share)`.
"""

from __future__ import annotations

import polars as pl
from pydantic import Field

from ..plugins import Batch, Parser, PluginConfig, hookimpl, split_column

_SEED = 7  # another would choose other events than nodes that run already
_ALL = 2**64


class SampleConfig(PluginConfig):
    """Settings of sampling."""

    share: float = Field(gt=0, lt=1)
    """The part of the events that stays, such as 0.1."""
    by: str = Field("", max_length=1_000)
    """A field whose events stay or go together, such as `trace_id`; events without it, and all if none is named, are
    chosen by time and message."""


class Sample(Parser[SampleConfig]):
    """Keep a part of the events."""

    def parse(self, batch: Batch) -> Batch:
        """The events with `sample.share`."""
        return Batch.of(batch.frame.with_columns(pl.lit(self.config.share).alias("sample.share")))

    def keeps(self, batch: Batch) -> pl.Series:
        """Those whose hash lies in the first part of all hashes."""
        frame = batch.frame
        number = frame.select(h=pl.struct("timestamp", "message").hash(_SEED))["h"]
        for name, dtype in frame.schema.items():
            if split_column(name, dtype)[0] == self.config.by:
                value = frame[name].cast(pl.String)
                number = value.hash(_SEED).zip_with(value.is_not_null(), number)
        return number < int(self.config.share * _ALL)


@hookimpl
def cordwood_plugins() -> list[type[Sample]]:
    """The step that keeps a part."""
    return [Sample]
