r"""Log Event Extended Format, as products send it to QRadar, with or without a syslog head.

    parse: [{type: leef}]

    LEEF:2.0|Lancope|StealthWatch|1.0|41|^|src=10.0.1.8^dst=10.0.0.5^sev=5^srcPort=81^msg=scan

Source: IBM, "Log Event Extended Format (LEEF)", version 2. The head's fields are `leef.…`; attributes keep their own
names, `devTime` is the time, and `sev` from 1 to 10 the severity.
"""

from __future__ import annotations

import polars as pl

from ..plugins import Batch, Layout, Parser, hookimpl, normalise, parse_times
from .forms import ZonedConfig, share
from .kv import columns_of

_HEAD = (
    r"LEEF:(?P<leef.version>1\.0|2\.0)\|(?P<leef.vendor>[^|\n]*)\|(?P<leef.product>[^|\n]*)\|(?P<leef.product_version>[^|\n]*)\|"
    r"(?P<leef.event_id>[^|\n]*)\|(?:(?P<delimiter>[^|\nA-Za-z0-9]?|0?x[0-9A-Fa-f]{1,4})\|)?(?P<attributes>(?s:.*))$"
)
_LAYOUTS = tuple(map(Layout.of, ("%b %d %Y %H:%M:%S", "%b %d %Y %H:%M:%S.%f", "%b %d %H:%M:%S", "%b %d %H:%M:%S.%f")))
_NUMBER = r"^-?(?:0|[1-9][0-9]{0,17})$"
_MOST = 500  # attributes of a message; what is beyond stays in it alone


class Leef(Parser[ZonedConfig]):
    """Take vendor, product, event id and attributes from a LEEF message."""

    def parse(self, batch: Batch) -> Batch:
        """The message is `msg`, and stays whole where there is none."""
        message, zone = batch.frame["message"], self.config.timezone
        head = message.str.extract_groups(_HEAD).struct.unnest()
        where = head["attributes"].is_not_null()
        columns = columns_of(_pairs(head), len(batch))
        times = pl.repeat(None, len(batch), dtype=pl.Datetime("ns"), eager=True)
        if "devTime" in columns.columns:
            text = columns["devTime"].cast(pl.String)
            for read in (
                parse_times(text, zone),
                *(layout.read(text, batch.frame["observed_timestamp"], zone) for layout in _LAYOUTS),
            ):
                times = times.zip_with(times.is_not_null(), read)
        kept = columns.select(
            name for name in columns.columns if name not in ("timestamp", "severity", "severity_text")
        )
        found = kept.with_columns(*head.drop("attributes", "delimiter"), timestamp=times, **_severity(columns))
        error = pl.select(pl.when(message.is_not_null()).then(pl.lit("leef: no LEEF message"))).to_series()
        return batch.merged(normalise(found, None, zone=zone), where=where, error=error)

    @classmethod
    def detect(cls, messages: pl.Series) -> float:
        """The share of messages with a head of LEEF."""
        return share(messages, _HEAD)


def _pairs(head: pl.DataFrame) -> pl.DataFrame:
    """Row, name, kind and value of each attribute; they are parted by a tab, or by what version 2 names."""
    code = head["delimiter"].str.extract(r"x([0-9A-Fa-f]+)$").str.to_integer(base=16, strict=False)
    distinct = code.drop_nulls().unique()
    letters = [chr(number) if 0 < number < 0xD800 else "\t" for number in distinct]
    named = code.replace_strict(distinct, letters, default=None, return_dtype=pl.String)
    plain = head["delimiter"].set(code.is_not_null() | (head["delimiter"] == ""), None)
    delimiter = pl.select(pl.coalesce(named, plain, pl.lit("\t"))).to_series()
    rows = pl.DataFrame(
        {"row": pl.Series(range(head.height), dtype=pl.UInt32), "text": head["attributes"], "by": delimiter}
    )
    number = pl.col("value").str.contains(_NUMBER) & ~pl.col("name").is_in(["devTime", "msg"])
    return (
        rows.filter(pl.col("text").is_not_null())
        .select("row", pair=pl.col("text").str.split(pl.col("by")).list.head(_MOST))
        .explode("pair")
        .with_columns(pl.col("pair").str.splitn("=", 2).struct.rename_fields(["name", "value"]))
        .unnest("pair")
        .with_columns(pl.col("name").str.strip_chars())
        .filter(pl.col("value").is_not_null() & (pl.col("name") != ""))
        .with_columns(kind=pl.when(number).then(pl.lit("int")).otherwise(pl.lit("text")))
    )


def _severity(columns: pl.DataFrame) -> dict[str, pl.Series]:
    """INFO up to 3, WARN up to 6, ERROR up to 8, ERROR2 above, after `sev`."""
    if "sev" not in columns.columns or columns["sev"].dtype != pl.Int64:
        return {}
    sev = columns["sev"]
    number = pl.when(sev > 8).then(18).when(sev > 6).then(17).when(sev > 3).then(13).when(sev.is_not_null()).then(9)
    return {"severity": pl.select(number.cast(pl.String)).to_series(), "severity_text": sev.cast(pl.String)}


@hookimpl
def cordwood_plugins() -> list[type[Leef]]:
    """The LEEF parser."""
    return [Leef]
