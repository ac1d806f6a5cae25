"""What the formats of web servers and balancers have in common: a request line, and a severity by the status."""

from __future__ import annotations

import polars as pl

_REQUEST = r"^(?P<method>[A-Z][A-Z_-]{0,31}) (?P<path>[^ ?]*)(?:\?(?P<query>[^ ]*))?(?: (?P<protocol>HTTP/[0-9.]+))?$"
_URL = r"^(?:(?P<scheme>[a-z]+)://(?P<http.host>[^/:?]*)(?::(?P<port>[0-9]+))?)?(?P<rest>.*)$"


def by_status(groups: pl.DataFrame) -> pl.DataFrame:
    """With a `severity` as `clf` has it: ERROR from 500, WARN from 400, else INFO; null where there is no status."""
    status = groups["status"].cast(pl.Int64, strict=False)
    number = pl.when(status >= 500).then(17).when(status >= 400).then(13).when(status.is_not_null()).then(9)
    return groups.with_columns(severity=pl.select(number.cast(pl.String)).to_series())


def with_request(groups: pl.DataFrame) -> pl.DataFrame:
    """With method, path, query and protocol of `request`, which stays only where it is no request line."""
    parts = groups["request"].str.extract_groups(_REQUEST).struct.unnest()
    odd = groups["request"].set(parts["method"].is_not_null(), None)
    return by_status(groups.with_columns(*parts, request=odd))


def with_url(groups: pl.DataFrame) -> pl.DataFrame:
    """As `with_request` where the request line names the whole address, as balancers write it: also `http.host`."""
    groups = with_request(groups)
    parts = groups["path"].str.extract_groups(_URL).struct.unnest()
    return groups.with_columns(parts["http.host"], path=parts["rest"])
