"""Whatever comes: the format is told from a sample, and `log.format` says which it was.

    parse: [{type: auto}]

Every loaded parser that can tell its format takes part, also a third party's. Service, source, host and file are told
apart, so a batch may hold several formats; where one of them is mixed too, lines that the likeliest format does not
understand are tried as the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field, ValidationError, field_validator

from ..plugins import Batch, Parser, PluginConfig, concat, hookimpl, load_plugins

_SAMPLE = 50
"""Lines of a group that are looked at: more would make small batches dear, fewer would miss what is rare."""
_LONGEST = 4_096
"""Characters of a line that are looked at."""
_GROUPS = 32
"""Services, sources, hosts and files of a batch that are told apart; what is beyond is one group."""
_ROUNDS = 6
"""Formats that a group may be of."""
_LEAST = 0.05
"""Scores below are chance: one line of fifty is less."""
_KEYS = ("service", "source", "host", "log.file.path")
_ROW, _GROUP = "\0row", "\0group"  # a NUL is in no field's name
_UNKNOWN = "auto: no known format; name a parser, such as regex or grok"


class AutoConfig(PluginConfig):
    """Settings of the parser that finds the format itself."""

    formats: list[str] = Field([], max_length=100)
    """The formats that may come, by the types of their parsers; none: all that can be told."""
    timezone: ZoneInfo = ZoneInfo("UTC")
    """Zone of times without an offset."""

    @field_validator("formats")
    @classmethod
    def _can_be_told(cls, formats: list[str]) -> list[str]:
        known = _detecting() if formats else {}
        for name in formats:
            if name not in known:
                raise ValueError(f"{name} is no format that can be told from a sample; there are {', '.join(known)}")
        return formats


class Auto(Parser[AutoConfig]):
    """Find the format of the lines of each service, source, host and file, and parse them by it."""

    @cached_property
    def _parsers(self) -> dict[str, Parser[Any]]:
        """The parsers that can tell their format, by type, with their own settings' defaults."""
        made: dict[str, Parser[Any]] = {}
        for name, cls in _detecting().items():
            if not self.config.formats or name in self.config.formats:
                zone = {"timezone": self.config.timezone} if "timezone" in cls.config_model.model_fields else {}
                try:
                    made[name] = cls(cls.config_model.model_validate(zone))
                except ValidationError:  # it cannot be used without settings
                    continue
        return made

    def parse(self, batch: Batch) -> Batch:
        """Understood events have `log.format`; the others get a `parse_error`."""
        if not len(batch):
            return batch
        frame = batch.frame.with_columns(pl.Series(_ROW, range(len(batch)), dtype=pl.UInt32), _groups(batch))
        ranks = self._ranks(frame)
        done: list[pl.DataFrame] = []
        left = frame
        for number in range(max(map(len, ranks.values()), default=0)):
            chosen = {group: names[number] for group, names in ranks.items() if len(names) > number}
            for name in dict.fromkeys(chosen.values()):
                mine = left[_GROUP].is_in([group for group, one in chosen.items() if one == name])
                mine &= left["message"].is_not_null()
                understood = _understood(self._parsers[name], name, left.filter(mine))
                done.append(understood)
                left = left.filter(~left[_ROW].is_in(understood[_ROW].implode()))
        unknown = pl.when(pl.col("message").is_not_null()).then(pl.coalesce("parse_error", pl.lit(_UNKNOWN)))
        pieces = [*done, left.drop(_GROUP).with_columns(parse_error=unknown)]
        joined = concat([Batch(piece) for piece in pieces if piece.height], keep=(_ROW,)).frame
        return Batch.of(joined.sort(_ROW).drop(_ROW))

    def _ranks(self, frame: pl.DataFrame) -> dict[int, Sequence[str]]:
        """Of each group the likeliest formats, best first."""
        ranks: dict[int, Sequence[str]] = {}
        for (group,), rows in (
            frame.select(_GROUP, "message").drop_nulls("message").group_by(_GROUP, maintain_order=True)
        ):
            sample = rows["message"].gather_every(max(1, rows.height // _SAMPLE)).head(_SAMPLE).str.head(_LONGEST)
            scores: Mapping[str, float] = {name: parser.detect(sample) for name, parser in self._parsers.items()}
            likely = sorted((name for name in scores if scores[name] >= _LEAST), key=lambda name: -scores[name])
            ranks[int(group)] = likely[:_ROUNDS]
        return ranks


def _detecting() -> dict[str, type[Parser[Any]]]:
    """The loaded parsers that offer a score, by type."""
    found = {name: loaded.cls for name, loaded in load_plugins().kinds["parser"].items()}
    return {
        name: cls
        for name, cls in sorted(found.items())
        if issubclass(cls, Parser) and cls is not Auto and cls.detect.__func__ is not Parser.detect.__func__  # type: ignore[attr-defined]  # a class method
    }


def _groups(batch: Batch) -> pl.Series:
    """A small number for each row: the same for the same service, source, host and file."""
    keys = [name for name in _KEYS if name in batch.frame.columns]
    number = batch.frame.select(pl.struct(keys).rank("dense") - 1).to_series().cast(pl.Int64)
    common = number.value_counts(sort=True).head(_GROUPS)[number.name]
    return pl.select(pl.when(number.is_in(common.implode())).then(number).otherwise(-1)).to_series().alias(_GROUP)


def _understood(parser: Parser[Any], name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that the parser understands, parsed; an earlier step's `parse_error` stays."""
    if not rows.height:
        return rows.drop(_GROUP)
    before = rows["parse_error"]
    fresh = rows.drop(_ROW, _GROUP).with_columns(parse_error=pl.lit(None, dtype=pl.String))
    parsed = parser.parse(Batch(fresh)).frame
    good = parsed["parse_error"].is_null()
    marked = Batch.of(parsed.with_columns(parse_error=before, **{"log.format": pl.lit(name)})).frame
    return marked.with_columns(rows[_ROW]).filter(good)


@hookimpl
def cordwood_plugins() -> list[type[Auto]]:
    """The parser that finds the format."""
    return [Auto]
