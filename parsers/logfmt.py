"""logfmt: `time=2026-01-31T12:00:00Z level=error msg="card declined" user=42`, as Go's and Heroku's programs write it.

    parse: [{type: logfmt}]

There is no standard; read as go-logfmt and Loki do, but that a word without `=` is no field: it stays in the message.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

import polars as pl

from ..plugins import Batch, Parser, PluginConfig, hookimpl
from .kv import read_pairs

_PAIR = r'[A-Za-z_@][\w.@/-]*=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)'
_LINE = rf"^\s*{_PAIR}(?:\s+{_PAIR})+\s*$"


class LogfmtConfig(PluginConfig):
    """Settings of the logfmt parser."""

    timezone: ZoneInfo = ZoneInfo("UTC")
    """Zone of times without an offset."""


class Logfmt(Parser[LogfmtConfig]):
    """Take the fields of a message in logfmt."""

    def parse(self, batch: Batch) -> Batch:
        """Where there is a `msg`, it is the message; else that stays whole."""
        return read_pairs(batch, pair=" ", key="=", zone=self.config.timezone, who="logfmt")

    @classmethod
    def detect(cls, messages: pl.Series) -> float:
        """The share of messages that are nothing but pairs, two or more; other formats end in pairs, too."""
        return 0.8 * int(messages.str.contains(_LINE).sum()) / max(1, len(messages))


@hookimpl
def cordwood_plugins() -> list[type[Logfmt]]:
    """The logfmt parser."""
    return [Logfmt]
