"""What a lookup table of yours says of a value: who owns a service, what a code means.

    parse:
      - {type: json}
      - {type: lookup, table: owners, field: service}
      - {type: lookup, table: staff, field: user, column: login, fields: [team, mail]}

Tables are uploaded with `cordwood lookup put`. What is looked up here is stored with the event, as the table was when
it came; the stage `lookup` of a query looks it up in the table as it is now.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl
from pydantic import Field, field_validator

from ..plugins import Batch, Joiner, PluginConfig, Table, enriched, hookimpl, text_of

_OURS = ("timestamp", "observed_timestamp", "severity", "source", "parse_error")


class LookupConfig(PluginConfig):
    """Settings of looking up."""

    table: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")
    """The table's name, in the project of the events."""
    field: str = Field(min_length=1, max_length=200)
    """The field whose value is looked up."""
    column: str | None = Field(None, min_length=1, max_length=200)
    """The table's column that has the value; the one of the field's name if not set."""
    fields: list[str] = Field([], max_length=100)
    """The table's columns that become fields; all others if not set."""
    overwrite: bool = False
    """Whether a value that an event has already is replaced."""

    @field_validator("fields")
    @classmethod
    def _may_be_set(cls, fields: list[str]) -> list[str]:
        if wrong := [name for name in fields if name in _OURS]:
            raise ValueError(f"{wrong[0]} is set by others; call the table's column otherwise")
        return fields


class Lookup(Joiner[LookupConfig]):
    """Add the columns of the first row of a lookup table that has the field's value.

    Each distinct value of a batch is looked up once. A number and a text are equal where they are written alike. Of an
    event whose value the table does not have, nothing is said. A new version of the table is used a second later.
    """

    @property
    def tables(self) -> Collection[str]:
        """The one table."""
        return (self.config.table,)

    def join(self, batch: Batch, tables: Mapping[str, Table]) -> Batch:
        """Events that have the field get a `parse_error` where there is no such table, or no such column in it."""
        keys = text_of(batch, self.config.field)
        table = tables.get(self.config.table)
        column = self.config.column or self.config.field
        if table is None:
            name = self.config.table
            return _refused(batch, keys, f"lookup: there is no table {name}; make it with `cordwood lookup put {name}`")
        missing = [name for name in (column, *self.config.fields) if name not in table.columns]
        if missing:
            known = ", ".join(table.columns[:10])
            return _refused(batch, keys, f"lookup: {self.config.table} has no column {missing[0]}; it has {known}")
        wanted = self.config.fields or [name for name in table.columns if name not in (column, *_OURS)]
        return enriched(batch, keys, lambda values: table.find(column, values, wanted), overwrite=self.config.overwrite)


def _refused(batch: Batch, keys: pl.Series, error: str) -> Batch:
    why = pl.when(keys.is_not_null()).then(pl.coalesce("parse_error", pl.lit(error[:500]))).otherwise("parse_error")
    return Batch(batch.frame.with_columns(parse_error=why))


@hookimpl
def cordwood_plugins() -> list[type[Lookup]]:
    """The lookup parser."""
    return [Lookup]
