"""Events that are not worth keeping.

    parse:
      - {type: clf}
      - {type: drop, when: "path=/healthz status=200"}

They are acknowledged and counted (`cordwood_source_left_out_events_total`), and not stored.
"""

from __future__ import annotations

import polars as pl

from ..plugins import Batch, Parser, PluginConfig, hookimpl


class DropConfig(PluginConfig):
    """Dropping has no settings but `when`; without it nothing is left."""


class Drop(Parser[DropConfig]):
    """Leave out the events that `when` finds."""

    def parse(self, batch: Batch) -> Batch:
        """The events as they came."""
        return batch

    def keeps(self, batch: Batch) -> pl.Series:
        """None of them."""
        return pl.repeat(value=False, n=len(batch), eager=True)


@hookimpl
def cordwood_plugins() -> list[type[Drop]]:
    """The step that leaves events out."""
    return [Drop]
