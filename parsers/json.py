"""Messages that are JSON objects, as most programs log today.

    parse: [{type: json}]

Names, times and severities are understood exactly as in NDJSON that is posted to `/api/v1/logs`.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

import polars as pl

from ..plugins import Batch, Parser, PluginConfig, hookimpl, read_lines, read_ndjson

_NOTHING = "json: no object"
_BEGINS = r'^[ \t\r\n\ufeff]*\{(?:\s*"(?:[^"\\]|\\.)*"\s*:|\s*\}\s*$)'


class JsonConfig(PluginConfig):
    """Settings of the JSON parser."""

    timezone: ZoneInfo = ZoneInfo("UTC")
    """Zone of times without an offset."""


class Json(Parser[JsonConfig]):
    """Take the fields of a message that is a JSON object; nested objects become dotted names."""

    def parse(self, batch: Batch) -> Batch:
        """Fields found override those that the event has; the message is the object's own (null where it has none)."""
        text = batch.frame["message"].str.strip_chars_start(" \t\r\n\ufeff")
        like = text.str.starts_with("{").fill_null(value=False)
        if not like.any():
            return _refused(batch, like)
        lines = text.filter(like).str.strip_chars_end(" \t\r\n")
        body = str(lines.str.join("\n").item()).encode()
        if body.count(b"\n") == len(lines) - 1:
            found = read_ndjson(body, None, zone=self.config.timezone)
        else:  # a message of several lines
            found = read_lines([line.encode() for line in lines.to_list()], None, zone=self.config.timezone)
        # What was no object came back whole; an object cannot hold itself as its own message.
        broken = found.frame["message"].eq_missing(lines) & found.frame["parse_error"].str.starts_with("json: ")
        error = found.frame["parse_error"]
        if not like.all():
            at = like.cum_sum().cast(pl.Int64) - 1
            index = pl.select(pl.when(like).then(at)).to_series()
            found, broken, error = Batch(found.frame[index.fill_null(0)]), broken.gather(index), error.gather(index)
            error = error.fill_null(_NOTHING)
        where = like & ~broken.fill_null(value=False)
        return _refused(batch.merged(found, where=where, error=error, replaces=("message",)), like)

    @classmethod
    def detect(cls, messages: pl.Series) -> float:
        """The share of messages that begin like an object, a little less than those of a format within JSON."""
        return 0.9 * int(messages.str.contains(_BEGINS).sum()) / max(1, len(messages))


def _refused(batch: Batch, like: pl.Series) -> Batch:
    """Mark the messages that are no object at all; an event without a message has nothing to refuse."""
    frame = batch.frame
    marked = pl.when(frame["message"].is_not_null() & ~like).then(pl.lit(_NOTHING))
    return Batch(frame.with_columns(parse_error=pl.coalesce("parse_error", marked)))


@hookimpl
def cordwood_plugins() -> list[type[Json]]:
    """The JSON parser."""
    return [Json]
