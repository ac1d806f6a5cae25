"""Fields with a value of yours: a constant, a text made of other fields, or what an expression is worth.

parse:
  - {type: set, fields: {env: production, shard: 7, key: "{service}/{user}"}}
  - {type: set, fields: {team: payments}, when: "path~^/pay"}
  - {type: set, expressions: {seconds: took / 1000, severity: "if(status >= 500, 'error', 'info')"}}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, field_validator, model_validator

from ..plugins import Batch, Computer, PluginConfig, hookimpl, normalise, split_column

_REFERENCE = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")
_LATER = ("timestamp", "observed_timestamp", "severity")  # no text in a template: their form would be ours to choose
_LONGEST = 100_000  # characters of a text that is made
_OURS = frozenset(("observed_timestamp", "parse_error"))
_UTC = ZoneInfo("UTC")


class SetConfig(PluginConfig):
    """Settings of setting fields."""

    fields: dict[str, StrictBool | StrictInt | StrictFloat | StrictStr] = Field({}, max_length=500)
    """Names and values: a number, `true` or `false`, or a text in which `{field}` stands for another field and `{{` for
    a brace. An event that lacks one of the named fields does not get the text."""
    expressions: dict[str, Annotated[str, Field(min_length=1, max_length=4000)]] = Field({}, max_length=100)
    """Names and expressions of the query language, as in its stage `extend`: `took / 1000`, `lower(user)`. Where one is
    null, the event does not get the field. None sees what another of the same step sets."""
    overwrite: bool = True
    """Whether a value that is there already is replaced."""

    @model_validator(mode="after")
    def _sets(self) -> SetConfig:
        if not self.fields and not self.expressions:
            raise ValueError("set what? give fields, or expressions")
        if both := sorted(self.fields.keys() & self.expressions.keys()):
            raise ValueError(f"{both[0]} stands in fields and in expressions; take one of them out")
        if wrong := sorted(self.expressions.keys() & _OURS):
            raise ValueError(f"{wrong[0]} is Cordwood's own; set another field")
        return self

    @field_validator("fields")
    @classmethod
    def _can_be_filled(cls, fields: dict[str, bool | int | float | str]) -> dict[str, bool | int | float | str]:
        for name, value in fields.items():
            if name in _OURS:
                raise ValueError(f"{name} is Cordwood's own; set another field")
            for part in _REFERENCE.findall(value) if isinstance(value, str) else ():
                if part in _LATER:
                    raise ValueError(f"{name}: {{{part}}} cannot stand in a text; use fields that are text or numbers")
        return fields


class Set(Computer[SetConfig]):
    """Set fields to constants, to texts made of other fields, or to the values of expressions of the query language."""

    @property
    def expressions(self) -> Mapping[str, str]:
        """Those of the setting."""
        return self.config.expressions

    def put(self, batch: Batch, values: pl.DataFrame) -> Batch:
        """All values are of the event as it came: one that is set does not stand in the text of another."""
        columns: dict[str, pl.Series] = {}
        for name, value in self.config.fields.items():
            made = self._text(batch, value) if isinstance(value, str) else pl.repeat(value, len(batch), eager=True)
            if not self.config.overwrite:
                made = made.set(_present(batch, name), None)
            columns[name] = made.alias(name)
        for made in values:
            name = split_column(made.name, made.dtype)[0]
            kept = made if self.config.overwrite else made.set(_present(batch, name), None)
            columns[made.name] = kept.str.head(_LONGEST) if kept.dtype == pl.String else kept
        if not columns:
            return batch
        everywhere = pl.repeat(value=True, n=len(batch), eager=True)
        return batch.merged(normalise(pl.DataFrame(columns), None, zone=_UTC), where=everywhere, error="")

    def _text(self, batch: Batch, template: str) -> pl.Series:
        """The template filled for each event; null where it lacks a field."""
        parts: list[pl.Expr] = []
        at = 0
        values: dict[str, pl.Series] = {}
        for found in _REFERENCE.finditer(template):
            parts.append(pl.lit(template[at : found.start()]))
            at = found.end()
            field = found[1]
            if field is None:
                parts.append(pl.lit(found[0][0]))
            else:
                key = f"{len(values)}"
                values[key] = _field(batch, field)
                parts.append(pl.col(key))
        parts.append(pl.lit(template[at:]))
        if not values:
            return pl.repeat("".join(_REFERENCE.sub(lambda found: found[0][0], template)), len(batch), eager=True)
        return pl.DataFrame(values).select(t=pl.concat_str(parts).str.head(_LONGEST))["t"]


def _columns(batch: Batch, field: str) -> list[pl.Series]:
    return [column for column in batch.frame if split_column(column.name, column.dtype)[0] == field]


def _field(batch: Batch, field: str) -> pl.Series:
    """The field as text, whatever its kinds."""
    text = pl.repeat(None, len(batch), dtype=pl.String, eager=True)
    for column in _columns(batch, field):
        text = text.zip_with(text.is_not_null(), column.cast(pl.String, strict=False))
    return text


def _present(batch: Batch, field: str) -> pl.Series:
    has = pl.repeat(value=False, n=len(batch), eager=True)
    for column in _columns(batch, field):
        has |= column.is_not_null()
    return has


@hookimpl
def cordwood_plugins() -> list[type[Set]]:
    """The step that sets fields."""
    return [Set]
