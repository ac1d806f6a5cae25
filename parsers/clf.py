"""Access logs of web servers: the Common Log Format and the combined one, as Apache and nginx write them.

    parse: [{type: clf}]

    1.2.3.4 - ada [31/Jan/2026:12:00:00 +0000] "GET /cart?id=7 HTTP/1.1" 200 512 "https://shop/" "curl/8.5"

Source: Apache HTTP Server, "Log Files"; nginx, `ngx_http_log_module`. What stands behind the user agent, such as
nginx's `$request_time`, stays in the message.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

import polars as pl

from ..plugins import Batch, Layout, Parser, PluginConfig, hookimpl

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_LINE = (
    r"^(?:([A-Za-z0-9._-]+):[0-9]{1,5} )?"  # the virtual host and port that `vhost_combined` begins with
    r"([0-9A-Za-z.:_%-]+) (\S+) (.+?) "
    r"\[([0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4})\] "
    rf"{_QUOTED} ([0-9]{{3}}) ([0-9]+|-)(?: {_QUOTED} {_QUOTED})?(?: .*)?$"
)
_PARTS = ("vhost", "client.ip", "ident", "user", "time", "request", "status", "bytes", "referer", "user_agent")
_ESCAPED = ("request", "referer", "user_agent")
_REQUEST = r"^([A-Z][A-Z_-]{0,31}) ([^ ?]*)(?:\?([^ ]*))?(?: (HTTP/[0-9.]+))?$"
_TIME = Layout.of("%d/%b/%Y:%H:%M:%S %z")
_UTC = ZoneInfo("UTC")  # each time says its offset


class ClfConfig(PluginConfig):
    """The access log parser has no settings."""


class Clf(Parser[ClfConfig]):
    """Take client, user, time, method, path, query, status, bytes, referer and user agent from an access log.

    Severity is by status: ERROR from 500, WARN from 400, else INFO. The message stays the whole line.
    """

    def parse(self, batch: Batch) -> Batch:
        """`request` holds a request line that is none, as scanners send them."""
        message = batch.frame["message"]
        parts = message.str.extract_groups(_LINE).struct.unnest()
        parts.columns = list(_PARTS)
        times = _TIME.read(parts["time"], batch.frame["observed_timestamp"], _UTC)
        parts = parts.select(pl.when(pl.col(name) != "-").then(_plain(name)).alias(name) for name in _PARTS)
        request = parts["request"].str.extract_groups(_REQUEST).struct.unnest()
        request.columns = ["method", "path", "query", "protocol"]
        status = parts["status"].cast(pl.Int64, strict=False)
        found = parts.drop("time", "vhost").with_columns(
            *request,
            timestamp=times,
            host=parts["vhost"],
            request=parts["request"].set(request["method"].is_not_null(), None),
            status=status,
            bytes=parts["bytes"].cast(pl.Int64, strict=False),
            severity=pl.select(pl.when(status >= 500).then(17).when(status >= 400).then(13).otherwise(9)).to_series(),
        )
        error = pl.select(pl.when(message.is_not_null()).then(pl.lit("clf: no line of an access log"))).to_series()
        return batch.merged(Batch.of(found), where=times.is_not_null(), error=error)

    @classmethod
    def detect(cls, messages: pl.Series) -> float:
        """The share of lines of an access log."""
        return int(messages.str.contains(_LINE).sum()) / max(1, len(messages))


def _plain(name: str) -> pl.Expr:
    """Without the backslashes that servers write before quotes."""
    return pl.col(name).str.replace_all(r'\\(["\\])', "$1") if name in _ESCAPED else pl.col(name)


@hookimpl
def cordwood_plugins() -> list[type[Clf]]:
    """The access log parser."""
    return [Clf]
