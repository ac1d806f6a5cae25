"""Access logs in the W3C extended format: IIS, CloudFront, and others that name their fields.

    parse: [{type: w3c, fields: iis}]

    2026-01-31 12:00:00 10.0.0.1 GET /index.html id=7 443 - 192.0.2.7 Mozilla/5.0+(Windows) - 200 0 0 15

Source: W3C, "Extended Log File Format"; Microsoft, "W3C Logging"; AWS, "Standard logging (access logs)". A stream says
its `#Fields:` once, and a parser sees only parts of a stream: so they are named in the settings. Lines that begin with
`#` stay as they are. The message stays the whole line.
"""

from __future__ import annotations

from functools import cached_property
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field, field_validator

from ..plugins import Batch, Layout, Parser, PluginConfig, hookimpl, normalise
from .forms import share
from .regex import typed
from .requests import by_status

_IIS = (
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status "
    "sc-substatus sc-win32-status time-taken"
)
_CLOUDFRONT = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) "
    "cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken "
    "x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status "
    "fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len "
    "sc-range-start sc-range-end"
)
_KNOWN = {"iis": _IIS, "cloudfront": _CLOUDFRONT}
_NAMES = {
    "c-ip": "client.ip", "c-port": "client.port", "cs-username": "user", "cs-method": "method",
    "cs-uri-stem": "path", "cs-uri-query": "query", "sc-status": "status", "sc-bytes": "bytes",
    "cs-bytes": "received_bytes", "cs(User-Agent)": "user_agent", "cs(Referer)": "referer",
    "cs(Cookie)": "cookie", "cs(Host)": "http.host", "cs-host": "http.host", "cs-version": "protocol",
    "cs-protocol-version": "protocol", "s-ip": "server.ip", "s-port": "server.port", "s-computername": "host",
    "s-sitename": "site", "cs-protocol": "scheme", "time-taken": "time_taken",
}  # fmt: skip
_INTS = (
    "client.port",
    "server.port",
    "status",
    "bytes",
    "received_bytes",
    "sc-substatus",
    "sc-win32-status",
    "sc-content-len",
)
_FLOATS = ("time_taken", "time-to-first-byte")
_TIME = Layout.of("%Y-%m-%d %H:%M:%S")
_MOST = 200
_IIS_LINE = (
    r"^#(?:Software|Version|Date|Fields): |^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} [0-9A-Fa-f.:]+ [A-Z]+ /\S* "
    r"\S+ [0-9]{1,5} \S+ [0-9A-Fa-f.:]+ \S+ \S+ [0-9]{3} [0-9]+ [0-9]+ [0-9]+$"
)


class W3cConfig(PluginConfig):
    """Settings of the W3C parser."""

    fields: str = Field("iis", min_length=3, max_length=5_000)
    """`iis` (what IIS logs unless told otherwise), `cloudfront`, or what stands behind `#Fields:` in the log."""
    timezone: ZoneInfo = ZoneInfo("UTC")
    """Zone of the times; the format has UTC."""

    @field_validator("fields")
    @classmethod
    def _have_a_time(cls, fields: str) -> str:
        names = _KNOWN.get(fields, fields).split()
        if not {"date", "time"} <= set(names):
            raise ValueError("the fields have no date and time; write iis, cloudfront, or what stands behind #Fields:")
        if len(names) > _MOST or len(set(names)) < len(names):
            raise ValueError(f"a field is named twice, or there are more than {_MOST}")
        return fields


class W3c(Parser[W3cConfig]):
    """Take time, client, method, path, status and the other named fields from an access log in W3C's format."""

    @cached_property
    def _fields(self) -> list[str]:
        return _KNOWN.get(self.config.fields, self.config.fields).removeprefix("#Fields:").split()

    def parse(self, batch: Batch) -> Batch:
        """Known fields have the names that `clf` has; others keep theirs. CloudFront may have fewer."""
        message = batch.frame["message"]
        values = message.str.strip_chars_end().str.replace_all("\t", " ").str.split(" ")
        most = len(self._fields)
        fits = values.list.len() == most
        if self.config.fields == "cloudfront":
            fits |= values.list.len().is_between(19, most)
        comment = message.str.starts_with("#").fill_null(value=False)
        fits = fits.fill_null(value=False) & ~comment
        parts = values.set(~fits, None).list.to_struct(fields=self._fields).struct.unnest()
        times = _TIME.read(
            parts.select(at=pl.format("{} {}", "date", "time"))["at"],
            batch.frame["observed_timestamp"],
            self.config.timezone,
        )
        found = _named(parts.drop("date", "time").select(pl.when(pl.all() != "-").then(pl.all())))
        read = normalise(found.with_columns(timestamp=times), None, zone=self.config.timezone)
        error = pl.select(
            pl.when(message.is_not_null() & ~comment).then(pl.lit("w3c: no line of these fields"))
        ).to_series()
        return batch.merged(read, where=fits & times.is_not_null(), error=error)

    @classmethod
    def detect(cls, messages: pl.Series) -> float:
        """The share of lines with the fields of IIS; others have to be named."""
        return share(messages, _IIS_LINE)


def _named(parts: pl.DataFrame) -> pl.DataFrame:
    """The fields under their names and of their kinds; blanks in values, written as + or %20, are blanks again."""
    names: dict[str, str] = {}
    for field in parts.columns:
        name = _NAMES.get(field, field)
        names[field] = field if name in names.values() else name
    found = parts.rename(names)
    blanks = [name for name in ("user_agent", "referer") if name in found.columns]
    found = found.with_columns(pl.col(blanks).str.replace_all(r"\+|%20|%2520", " "))
    found = by_status(found) if "status" in found.columns else found
    kinds = dict.fromkeys(_INTS, "int") | dict.fromkeys(_FLOATS, "float")
    return typed(found, {name: kind for name, kind in kinds.items() if name in found.columns})


@hookimpl
def cordwood_plugins() -> list[type[W3c]]:
    """The W3C parser."""
    return [W3c]
