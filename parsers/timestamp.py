"""The time of an event, from a field of any layout.

parse:
  - {type: regex, pattern: '^(?P<time>\\w{3} +\\d+ [\\d:]+) (?P<msg>.*)$'}
  - {type: timestamp, field: time, format: "%b %d %H:%M:%S", timezone: Europe/Berlin}
"""

from __future__ import annotations

from functools import cached_property
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field, field_validator

from ..plugins import STANDARD, Batch, Layout, Parser, PluginConfig, hookimpl, parse_times, split_column

_COMPLAINT = 'timestamp: "'


class TimestampConfig(PluginConfig):
    """Settings of the timestamp parser."""

    field: str = Field(min_length=1)
    """The field that holds the time."""
    format: str = "auto"
    """Its layout: `auto` for ISO 8601 or epoch seconds, milliseconds, microseconds or nanoseconds (by size), or one in
    the manner of strftime, such as `%d/%b/%Y:%H:%M:%S %z`. `%f` is a fraction of a second of up to nine digits. A
    layout without a year means the latest year that is not in the future."""
    timezone: ZoneInfo = ZoneInfo("UTC")
    """Zone of times that say none."""
    drop: bool = False
    """Leave the field out of events whose time was taken from it."""

    @field_validator("format")
    @classmethod
    def _is_layout(cls, text: str) -> str:
        if text not in _AUTO:
            Layout.of(text)
        return text


_AUTO = ("auto", "iso", "epoch")


class Timestamp(Parser[TimestampConfig]):
    """Set an event's timestamp from a field, to the nanosecond, UTC."""

    @cached_property
    def _layout(self) -> Layout | None:
        return None if self.config.format in _AUTO else Layout.of(self.config.format)

    def parse(self, batch: Batch) -> Batch:
        """Events without the field stay as they are; one whose field is no such time gets a `parse_error`.

        A complaint of an earlier step that the time could not be read is taken back.
        """
        frame, field = batch.frame, self.config.field
        names = [name for name, dtype in frame.schema.items() if split_column(name, dtype)[0] == field]
        if not names:
            return batch
        text, time = _nulls(frame, pl.String()), _nulls(frame, STANDARD["timestamp"])
        for name in names:
            column = frame[name]
            time = time.zip_with(time.is_not_null(), self._times(column, frame["observed_timestamp"]))
            text = text.zip_with(text.is_not_null(), column.cast(pl.String, strict=False))
        found, given = time.is_not_null(), text.is_not_null()
        wrong = pl.format('timestamp: {} "{}" is no time of the layout {}', pl.lit(field), pl.col("t").str.head(200),
                          pl.lit(self.config.format))  # fmt: skip
        error = text.alias("t").to_frame().select(wrong)["literal"] if (given & ~found).any() else text
        old = frame["parse_error"]
        settled = found & old.str.starts_with(_COMPLAINT).fill_null(value=False)
        kept = old.zip_with(~settled, _nulls(frame, pl.String()))
        columns = [
            time.zip_with(found, frame["timestamp"]).alias("timestamp"),
            kept.zip_with(kept.is_not_null() | found | ~given, error).alias("parse_error"),
        ]
        if self.config.drop:
            columns += [
                frame[name].zip_with(~found, _nulls(frame, frame.schema[name])).alias(name)
                for name in names
                if name != "timestamp"
            ]
        result = frame.with_columns(columns)
        empty = [name for name in names if name not in STANDARD and result[name].null_count() == len(result)]
        return Batch.of(
            pl.DataFrame({one.name: one for one in result if one.name not in empty}) if self.config.drop else result
        )

    def _times(self, column: pl.Series, seen: pl.Series) -> pl.Series:
        if self._layout is None:
            return parse_times(column, self.config.timezone)
        if column.dtype.is_temporal():
            return column.cast(STANDARD["timestamp"])
        return self._layout.read(column.cast(pl.String, strict=False), seen, self.config.timezone)


def _nulls(frame: pl.DataFrame, dtype: pl.DataType) -> pl.Series:
    return pl.repeat(None, frame.height, dtype=dtype, eager=True)


@hookimpl
def cordwood_plugins() -> list[type[Timestamp]]:
    """The timestamp parser."""
    return [Timestamp]
