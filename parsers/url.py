"""The parts of an address in a field: scheme, host, port, path, query, fragment.

    parse:
      - {type: url, field: referer, into: referer, parameters: [utm_source]}

Source: RFC 3986, appendix B. A user's name and password in an address are left out. Values of parameters are decoded.
"""

from __future__ import annotations

import polars as pl
from pydantic import Field

from ..plugins import Batch, Parser, PluginConfig, hookimpl, split_column
from .regex import typed

_URL = (
    r"^(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,31}):)?"
    r"(?://(?:[^/?#@]*@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^/?#:]*)(?::(?P<port>[0-9]{1,5}))?)?"
    r"(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>(?s:.*)))?$"
)
_PLUS, _ESCAPE = r"\+", r"%[0-9A-Fa-f]{2}"


class UrlConfig(PluginConfig):
    """Settings of the URL parser."""

    field: str = Field("url", min_length=1, max_length=200)
    """The field that holds the address."""
    into: str = Field("url", min_length=1, max_length=200)
    """What the names of the new fields begin with: `url` gives `url.host`, `url.path` and so on."""
    parameters: list[str] = Field([], max_length=100)
    """Parameters of the query that become fields, such as `url.parameter.id`."""


class Url(Parser[UrlConfig]):
    """Take an address apart.

    Python an event only for parameters with escapes such as `%20`: those are decoded one by one.
    """

    def parse(self, batch: Batch) -> Batch:
        """Events without the field stay as they are; what is no address at all has a path alone."""
        field, into = self.config.field, self.config.into
        names = [n for n, dtype in batch.frame.schema.items() if split_column(n, dtype) == (field, "text")]
        if not names:
            return batch
        text = batch.frame[names[0]]
        parts = text.str.extract_groups(_URL).struct.unnest()
        parts = parts.with_columns(
            pl.col("host").str.strip_chars("[]").str.to_lowercase(), pl.col("scheme").str.to_lowercase()
        )
        query = parts["query"]
        taken = {f"parameter.{name}": _parameter(query, name) for name in self.config.parameters}
        found = parts.select(pl.when(pl.all() != "").then(pl.all())).with_columns(**taken)
        read = typed(found, {"port": "int"}).rename(lambda name: f"{into}.{name}")
        return batch.merged(
            Batch.of(read), where=text.is_not_null(), error=pl.repeat(None, len(text), dtype=pl.String, eager=True)
        )


def _parameter(query: pl.Series, name: str) -> pl.Series:
    """The value of a parameter, decoded; of several the first."""
    from re import escape
    from urllib.parse import unquote

    value = query.str.extract(rf"(?:^|&){escape(name)}=([^&]*)").str.replace_all(_PLUS, " ")
    escaped = value.str.contains(_ESCAPE).fill_null(value=False)
    if not escaped.any():
        return value
    decoded = pl.Series([unquote(one) for one in value.filter(escaped)], dtype=pl.String)
    return value.scatter(escaped.arg_true(), decoded)


@hookimpl
def cordwood_plugins() -> list[type[Url]]:
    """The URL parser."""
    return [Url]
