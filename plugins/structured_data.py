"""Structured data of RFC 5424: `[origin ip="10.0.0.1"][meta seq="7"]` to the columns `origin.ip` and `meta.seq`."""

from __future__ import annotations

import msgspec
import polars as pl

from .fields import clean_name
from .overflow import COLUMN

MOST_COLUMNS = 200
"""Parameters of a batch that have a column, the most frequent ones; a column costs memory for every row."""
_PART = r'\[[^ =\]"]+|[^ =\]"]+="(?:[^"\\]|\\.)*"'
_PARAMETER = r'(?s)^([^=]+)="(.*)"$'


def parameters(data: pl.Series) -> pl.DataFrame:
    """A text column `ID.NAME` for each parameter, as many rows as `data`. Of a name that comes twice in one element the
    last value counts. The rarest of very many names are members of `overflow`."""
    rows = data.len()
    tokens = (
        pl.DataFrame({"row": pl.Series(range(rows), dtype=pl.UInt32), "token": data.str.extract_all(_PART)})
        .filter(data.str.starts_with("[").fill_null(value=False))
        .explode("token")
    )
    element = pl.when(pl.col("token").str.starts_with("[")).then(pl.col("token").str.slice(1)).forward_fill()
    pairs = (
        tokens.with_columns(element=element, pair=pl.col("token").str.extract_groups(_PARAMETER))
        .filter(~pl.col("token").str.starts_with("["))
        .with_columns(
            name=pl.format("{}.{}", "element", pl.col("pair").struct.field("1")), value=pl.col("pair").struct.field("2")
        )
        .select("row", "name", value=pl.col("value").str.replace_all(r'\\(["\\\]])', "$1"))
        .unique(["row", "name"], keep="last", maintain_order=True)
    )
    columns: dict[str, pl.Series] = {}

    def column(at: pl.Series, values: pl.Series) -> pl.Series:
        return pl.repeat(None, rows, dtype=pl.String, eager=True).scatter(at, values)

    ranked = pairs["name"].value_counts(sort=True)["name"]
    for (name,), mine in pairs.filter(pl.col("name").is_in(ranked.head(MOST_COLUMNS).implode())).group_by(
        "name", maintain_order=True
    ):
        columns[clean_name(str(name))] = column(mine["row"], mine["value"])
    if len(ranked) > MOST_COLUMNS:
        rest = pairs.filter(~pl.col("name").is_in(ranked.head(MOST_COLUMNS).implode()))
        members = rest.group_by("row").agg("name", "value")
        texts = [
            msgspec.json.encode(dict(zip(names, values, strict=True))).decode()
            for names, values in zip(members["name"], members["value"], strict=True)
        ]
        columns[COLUMN] = column(members["row"], pl.Series(texts))
    return pl.DataFrame(columns) if columns else pl.DataFrame()
