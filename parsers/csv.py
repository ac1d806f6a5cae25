"""Lines of separated values: CSV, TSV and their kin.

    parse:
      - {type: csv, columns: [time, level, user, amount, msg], types: {amount: float}}

Source: RFC 4180. Values may stand in quotes, a quote within them is doubled. A stream says its header once, and a
parser sees only parts of a stream: so the columns are named in the settings. A line that repeats them stays as it is.
"""

from __future__ import annotations

import re
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field, field_validator, model_validator

from ..plugins import ALIASES, UNDERSTOOD, Batch, Parser, PluginConfig, hookimpl, normalise
from .regex import typed

_MOST = 1_000  # columns


class CsvConfig(PluginConfig):
    """Settings of the CSV parser."""

    columns: list[str] = Field(min_length=1, max_length=_MOST)
    """The names of the values, in order; an empty name leaves a value out. `time`, `level`, `msg` and so on fill
    the standard fields."""
    delimiter: str = Field(",", min_length=1, max_length=1)
    """What stands between values, such as `;`, `|` or a tab."""
    quote: str = Field('"', max_length=1)
    """What values may stand in; empty: nothing."""
    types: dict[str, Literal["int", "float", "bool", "text"]] = Field({})
    """Kinds of columns that are no text; text that is no such value stays text."""
    timezone: ZoneInfo = ZoneInfo("UTC")
    """Zone of times without an offset."""

    @field_validator("columns")
    @classmethod
    def _are_distinct(cls, columns: list[str]) -> list[str]:
        named = [name for name in columns if name]
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise ValueError(f"{twice[0]} is named twice")
        if not named:
            raise ValueError("every name is empty; name the columns to take")
        return columns

    @model_validator(mode="after")
    def _fit_together(self) -> CsvConfig:
        if unknown := sorted(self.types.keys() - set(self.columns)):
            raise ValueError(f"there is no column {unknown[0]}; there are {', '.join(filter(None, self.columns))}")
        if self.quote == self.delimiter:
            raise ValueError(f"{self.quote!r} cannot be both the quote and the delimiter")
        return self


class Csv(Parser[CsvConfig]):
    """Take the values of a line as fields."""

    def parse(self, batch: Batch) -> Batch:
        """A line with more or fewer values than columns, or with a quote astray, gets a `parse_error`.

        Empty values are none.
        """
        config, message = self.config, batch.frame["message"]
        values, whole = values_of(message, config.delimiter, config.quote)
        wanted = len(config.columns)
        where = whole & (values.list.len() == wanted)
        header = message.str.strip_chars() == config.delimiter.join(config.columns)
        where = (where & ~header).fill_null(value=False)
        fields = values.set(~where, None).list.to_struct(fields=[f"{i}" for i in range(wanted)]).struct.unnest()
        taken = fields.select(
            pl.when(pl.col(f"{i}") != "").then(f"{i}").alias(name) for i, name in enumerate(config.columns) if name
        )
        kinds = {name: kind for name, kind in config.types.items() if name not in UNDERSTOOD}
        found = normalise(typed(taken, kinds), None, zone=config.timezone)
        count = pl.select(pl.format("csv: {} values for {} columns", values.list.len(), wanted)).to_series()
        error = pl.select(
            pl.when(header.fill_null(value=True))
            .then(None)
            .when(whole)
            .then(count)
            .otherwise(pl.lit("csv: a quote is astray"))
        ).to_series()
        replaces = ("message",) if set(config.columns) & {*ALIASES["message"]} else ()
        return batch.merged(found, where=where, error=error, replaces=replaces)


def values_of(text: pl.Series, delimiter: str, quote: str) -> tuple[pl.Series, pl.Series]:
    """The values of each line as a list of texts, and whether they are all of the line."""
    text = text.str.strip_chars_end("\r\n")
    if not quote:
        return text.str.split(delimiter), text.is_not_null()
    q, d = re.escape(quote), re.escape(delimiter)
    # A value with its delimiter before it, so that none is an empty match.
    tokens = (pl.lit(delimiter) + pl.lit(text)).str.extract_all(rf"{d}(?:{q}(?:[^{q}]|{q}{q})*{q}|[^{d}{q}]*)")
    found = pl.select(tokens=tokens)["tokens"]
    whole = found.list.eval(pl.element().str.len_bytes()).list.sum() == text.str.len_bytes() + len(delimiter.encode())
    value = pl.element().str.slice(1)
    quoted = value.str.starts_with(quote)
    bare = (
        pl.when(quoted)
        .then(value.str.slice(1).str.head(-1).str.replace_all(quote * 2, quote, literal=True))
        .otherwise(value)
    )
    return found.list.eval(bare), whole


@hookimpl
def cordwood_plugins() -> list[type[Csv]]:
    """The CSV parser."""
    return [Csv]
