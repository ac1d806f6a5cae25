"""A field that holds JSON as text, as fields.

    parse:
      - {type: json}
      - {type: flatten, field: payload}        # {"payload": "{\"user\": {\"id\": 7}}"} gives payload.user.id

Loggers that know no nesting put an object into a field as text. Arrays stay JSON values.
"""

from __future__ import annotations

import polars as pl
from pydantic import Field

from ..plugins import Batch, Parser, PluginConfig, hookimpl, read_lines, read_ndjson, split_column

_OBJECT = r"^\s*\{"


class FlattenConfig(PluginConfig):
    """Settings of flattening."""

    field: str = Field(min_length=1, max_length=200)
    """The field that holds an object as text."""
    into: str | None = Field(None, max_length=200)
    """What the names of the new fields begin with: the field's own name if not set, nothing if empty."""


class Flatten(Parser[FlattenConfig]):
    """Take the members of a JSON object that a field holds as text."""

    def parse(self, batch: Batch) -> Batch:
        """The field itself stays; an event in which it is no object stays as it is. Standard names get the prefix."""
        field = self.config.field
        names = [n for n, dtype in batch.frame.schema.items() if split_column(n, dtype) == (field, "text")]
        if not names:
            return batch
        text = batch.frame[names[0]].str.strip_chars()
        like = text.str.contains(_OBJECT).fill_null(value=False)
        if not like.any():
            return batch
        lines = text.filter(like)
        if self.config.into == "":
            found = _read(lines)
        else:
            # Within a field of another name no member is taken for a time, a severity or a message.
            found = _read('{"_":' + lines + "}")
            found = _renamed(found, f"{self.config.into or field}.")
        at = like.cum_sum().cast(pl.Int64) - 1
        index = pl.select(pl.when(like).then(at)).to_series()
        spread = Batch(found.frame[index.fill_null(0)])
        where = like & spread.frame["parse_error"].is_null()
        return batch.merged(spread, where=where, error=pl.repeat(None, len(batch), dtype=pl.String, eager=True))


def _read(lines: pl.Series) -> Batch:
    """The members of the objects; what is none has a `parse_error`."""
    body = str(lines.str.join("\n").item()).encode()
    if body.count(b"\n") == len(lines) - 1:
        return read_ndjson(body, None)
    return read_lines([line.encode() for line in lines.to_list()], None)


def _renamed(found: Batch, prefix: str) -> Batch:
    """The attributes with this before their names, in place of the wrapping's; what stands beside it is no object."""
    members, flawed = [], found.frame["parse_error"]
    for column in found.frame:
        if column.name.startswith("_."):
            members.append(column.alias(prefix + column.name[2:]))
        elif column.name not in ("timestamp", "observed_timestamp", "parse_error"):
            flawed = flawed.set(column.is_not_null(), "flatten: no object")
    return Batch.of(pl.DataFrame([flawed, *members]))


@hookimpl
def cordwood_plugins() -> list[type[Flatten]]:
    """The step that flattens."""
    return [Flatten]
