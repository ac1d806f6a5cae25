"""Pairs such as `user=7 took=12.5 path="/a b"`, wherever they stand in a message.

    parse:
      - {type: kv, pair: ";", key: ":"}        # user:7;took:12.5

Names with a meaning everywhere (`time`, `level`, `msg`, `service` …) fill the standard fields. What is no pair stays in
the message. A value without quotes that is a number, `true` or `false` is one; in quotes it is text.
"""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field

from ..plugins import Batch, Columns, Parser, PluginConfig, hookimpl, normalise

_MOST_PAIRS = 1_000  # of a message; what is beyond stays in it alone
_KINDS = {"int": pl.Int64, "float": pl.Float64, "bool": pl.Boolean, "text": pl.String}
_IS_INT = r"^-?(?:0|[1-9][0-9]{0,17})$"  # what a 64-bit number holds for sure; 007 is text
_IS_FLOAT = r"^-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?$"


class KvConfig(PluginConfig):
    """Settings of the key-value parser."""

    pair: str = Field(" ", min_length=1, max_length=10)
    """What stands between pairs; a blank means any white space."""
    key: str = Field("=", min_length=1, max_length=10)
    """What stands between a name and its value."""
    timezone: ZoneInfo = ZoneInfo("UTC")
    """Zone of times without an offset."""


class Kv(Parser[KvConfig]):
    """Take the pairs of a name and a value from the message."""

    def parse(self, batch: Batch) -> Batch:
        """A message without a pair gets a `parse_error`; of a name that comes twice in one the last value counts.

        Of a message with more than 1,000 pairs the first 1,000 are taken.
        """
        return read_pairs(batch, pair=self.config.pair, key=self.config.key, zone=self.config.timezone, who="kv")


def read_pairs(batch: Batch, *, pair: str, key: str, zone: ZoneInfo, who: str) -> Batch:
    """The events with the pairs of their messages as fields. `who` stands before a `parse_error`."""
    message = batch.frame["message"]
    pairs, matched = pairs_in(message, pair, key)
    error = pl.select(pl.when(message.is_not_null()).then(pl.lit(f"{who}: no pair of a name and a value"))).to_series()
    return batch.merged(normalise(columns_of(pairs, len(message)), None, zone=zone), where=matched, error=error)


def pairs_in(text: pl.Series, pair: str = " ", key: str = "=") -> tuple[pl.DataFrame, pl.Series]:
    """The pairs in texts, `row`, `name`, `kind` and `value` (text), and which rows have any."""
    found = text.str.extract_all(_pattern(pair, key, groups=False)).list.head(_MOST_PAIRS)
    matched = found.list.len().fill_null(0) > 0
    pairs = pl.DataFrame({"row": pl.Series(range(len(text)), dtype=pl.UInt32), "pair": found}).filter(matched)
    pairs = pairs.explode("pair").select("row", parts=pl.col("pair").str.extract_groups(_pattern(pair, key)))
    pairs = (
        pairs.unnest("parts")
        .rename({"1": "name", "2": "quoted", "3": "bare"})
        .with_columns(pl.col("bare").str.strip_chars_end())
        .select(
            "row",
            "name",
            kind=_kind(pl.col("bare")),
            value=pl.coalesce("bare", pl.col("quoted").str.replace_all(r"\\(.)", "$1")),
        )
    )
    return pairs, matched


def columns_of(pairs: pl.DataFrame, rows: int) -> pl.DataFrame:
    """A column for each name and kind of the pairs; of a name that comes twice in a row the last value counts."""
    columns = Columns()
    columns.rows = rows
    pairs = pairs.unique(["row", "name"], keep="last", maintain_order=True)
    for (field, kind), mine in pairs.group_by(["name", "kind"], maintain_order=True):
        values = mine["value"] == "true" if kind == "bool" else mine["value"].cast(_KINDS[str(kind)])
        columns.extend(mine["row"].to_list(), str(field), str(kind), values.to_list())
    return columns.frame()


def _pattern(pair: str, key: str, *, groups: bool = True) -> str:
    """A pair: its name, and its value in quotes (with backslashes) or bare."""
    end, equals = r"\s" if pair == " " else re.escape(pair), re.escape(key)
    name, quoted, bare = rf"[^\s\"'{equals}{end}]+", r'(?:[^"\\]|\\.)*', rf'(?:[^"{end}][^{end}]*)?'
    if pair != " ":
        equals = rf"[ \t]?{equals}[ \t]?"
    if groups:
        return rf'(?s)^({name}){equals}(?:"({quoted})"|({bare}))$'
    return rf'(?s){name}{equals}(?:"{quoted}"|{bare})'


def _kind(bare: pl.Expr) -> pl.Expr:
    """What a value without quotes is."""
    return (
        pl.when(bare.str.contains(_IS_INT)).then(pl.lit("int"))
        .when(bare.str.contains(_IS_FLOAT)).then(pl.lit("float"))
        .when(bare.is_in(["true", "false"])).then(pl.lit("bool"))
        .otherwise(pl.lit("text"))
    )  # fmt: skip


@hookimpl
def cordwood_plugins() -> list[type[Kv]]:
    """The key-value parser."""
    return [Kv]
