"""Fields under other names.

    parse:
      - {type: json}
      - {type: rename, fields: {usr: user, lvl_name: severity_text, tmp: ""}}

A field that is renamed to nothing goes. Standard fields take text: what becomes `severity` or `timestamp` is read as
with `json`.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field, field_validator

from ..plugins import STANDARD, Batch, Parser, PluginConfig, hookimpl, normalise, split_column

_UTC = ZoneInfo("UTC")


class RenameConfig(PluginConfig):
    """Settings of renaming."""

    fields: dict[str, str] = Field(min_length=1, max_length=500)
    """Old names and new ones; an empty new name takes the field out. Standard fields keep their names."""

    @field_validator("fields")
    @classmethod
    def _can_be_moved(cls, fields: dict[str, str]) -> dict[str, str]:
        if wrong := sorted(fields.keys() & STANDARD.keys()):
            raise ValueError(f"{wrong[0]} is a standard field, which every event has; rename others")
        new = [name for name in fields.values() if name]
        if twice := sorted({name for name in new if new.count(name) > 1}):
            raise ValueError(f"two fields would be {twice[0]}")
        return fields


class Rename(Parser[RenameConfig]):
    """Give attributes other names, or take them out."""

    def parse(self, batch: Batch) -> Batch:
        """Where an event has the new name already, the renamed field takes its place; nothing is refused."""
        wanted = self.config.fields
        moved: dict[str, pl.Series] = {}
        kept: list[pl.Series] = []
        for column in batch.frame:
            field, kind = split_column(column.name, column.dtype)
            if column.name in STANDARD or field not in wanted:
                kept.append(column)
            elif wanted[field]:
                name = wanted[field] if column.name == field else f"{wanted[field]}#{kind}"
                moved[name] = column.alias(name)
        if not moved and len(kept) == len(batch.frame.columns):
            return batch
        rest = Batch.of(pl.DataFrame(kept))
        if not moved:
            return rest
        found = normalise(pl.DataFrame(list(moved.values())), None, zone=_UTC)
        everywhere = pl.repeat(value=True, n=len(batch), eager=True)
        return rest.merged(found, where=everywhere, error="")


@hookimpl
def cordwood_plugins() -> list[type[Rename]]:
    """The step that renames."""
    return [Rename]
