r"""Common Event Format, as firewalls and security products send it, mostly behind a syslog head.

    parse: [{type: cef}]

    CEF:0|Security|threatmanager|1.0|100|worm successfully stopped|10|src=10.0.0.1 dst=2.1.2.2 spt=1232

Source: ArcSight, "Common Event Format", revision 25. The head's fields are `cef.…`, the name is the message where there
is no `msg`; extensions keep their own names, a custom one (`cs1` with `cs1Label=Rule`) also gets its label's, and `rt`
or `end` is the time.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

import polars as pl

from ..plugins import Batch, Layout, Parser, hookimpl, normalise, parse_times
from .forms import ZonedConfig, share
from .kv import columns_of

_HEAD = (
    r"CEF: ?(?P<cef.version>[0-9]+(?:\.[0-9]+)?)\|(?P<cef.vendor>(?:[^|\\]|\\.)*)\|(?P<cef.product>(?:[^|\\]|\\.)*)\|"
    r"(?P<cef.product_version>(?:[^|\\]|\\.)*)\|(?P<cef.class_id>(?:[^|\\]|\\.)*)\|(?P<cef.name>(?:[^|\\]|\\.)*)\|"
    r"(?P<cef.severity>[^|\n]*)\|(?P<extension>(?s:.*))$"
)
_SEVERITIES = {"unknown": 9, "low": 9, "medium": 13, "high": 17, "very-high": 18} | {
    str(number): 9 if number < 4 else 13 if number < 7 else 17 if number < 9 else 18 for number in range(11)
}
_KEY = r"(?:^| )([A-Za-z0-9_][A-Za-z0-9_.\[\]-]{0,127})="
_LAYOUTS = tuple(map(Layout.of, ("%b %d %Y %H:%M:%S", "%b %d %Y %H:%M:%S.%f", "%b %d %H:%M:%S", "%b %d %H:%M:%S.%f")))
_NUMBER = r"^-?(?:0|[1-9][0-9]{0,17})$"


class Cef(Parser[ZonedConfig]):
    """Take vendor, product, class, name, severity and extensions from a CEF message."""

    def parse(self, batch: Batch) -> Batch:
        """What stands before `CEF:` is left out; a message without it gets a `parse_error`."""
        message = batch.frame["message"]
        head = message.str.extract_groups(_HEAD).struct.unnest()
        where = head["extension"].is_not_null()
        fields = _extensions(head["extension"], self.config.timezone, batch.frame["observed_timestamp"])
        word = head["cef.severity"].str.to_lowercase()
        number = word.replace_strict(list(_SEVERITIES), list(_SEVERITIES.values()), default=None, return_dtype=pl.UInt8)
        plain = head.drop("extension", "cef.severity").select(pl.all().str.replace_all(r"\\([|\\])", "$1"))
        text = fields["message"] if "message" in fields.columns else plain["cef.name"]
        found = fields.with_columns(
            *plain,
            message=text.zip_with(text.is_not_null(), plain["cef.name"]),
            severity=number.cast(pl.String),
            severity_text=head["cef.severity"],
        )
        error = pl.select(pl.when(message.is_not_null()).then(pl.lit("cef: no CEF message"))).to_series()
        return batch.merged(normalise(found, None, zone=self.config.timezone), where=where, error=error)

    @classmethod
    def detect(cls, messages: pl.Series) -> float:
        """The share of messages with a head of CEF."""
        return share(messages, _HEAD)


def _extensions(text: pl.Series, zone: ZoneInfo, seen: pl.Series) -> pl.DataFrame:
    """A column for each extension, `message` for `msg`, `timestamp` for `rt`.

    A value ends where a blank and the next key begin: an equals sign within a value has a backslash.
    """
    marked = text.str.replace_all("[\x1e\x1f]", " ").str.replace_all(_KEY, "\x1f${1}\x1e").str.strip_chars_start("\x1f")
    pairs = (
        pl.DataFrame(
            {"row": pl.Series(range(len(text)), dtype=pl.UInt32), "pair": marked.str.split("\x1f").list.head(500)}
        )
        .filter(text.is_not_null() & (text.str.strip_chars() != ""))
        .explode("pair")
        .with_columns(pl.col("pair").str.split_exact("\x1e", 1).struct.rename_fields(["name", "value"]))
        .unnest("pair")
        .filter(pl.col("value").is_not_null())
        .with_columns(
            pl.col("value").str.strip_chars_end(" ").str.replace_all(r"\\n", "\n").str.replace_all(r"\\([=\\|])", "$1")
        )
    )
    pairs = _with_labels(pairs)
    number = pl.col("value").str.contains(_NUMBER) & ~pl.col("name").is_in(["rt", "end", "msg"])
    pairs = pairs.with_columns(kind=pl.when(number).then(pl.lit("int")).otherwise(pl.lit("text")))
    columns = columns_of(pairs, len(text))
    return _known(columns, zone, seen)


def _with_labels(pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs, and those of custom fields once more under their labels."""
    labels = pairs.filter(pl.col("name").str.ends_with("Label")).select(
        "row", pl.col("name").str.strip_suffix("Label"), label="value"
    )
    named = pairs.join(labels, on=["row", "name"]).select("row", pl.col("label").str.head(200).alias("name"), "value")
    return pl.concat([pairs, named.filter(pl.col("name") != "")])


def _known(columns: pl.DataFrame, zone: ZoneInfo, seen: pl.Series) -> pl.DataFrame:
    """With the fields that have a place of their own: time, host and message."""
    times = pl.repeat(None, len(seen), dtype=pl.Datetime("ns"), eager=True)
    for name in ("rt", "end"):
        if name in columns.columns:
            text = columns[name].cast(pl.String)
            for read in (parse_times(text, zone), *(layout.read(text, seen, zone) for layout in _LAYOUTS)):
                times = times.zip_with(times.is_not_null(), read)
    renamed = {"msg": "message", "dvchost": "host"}
    columns = columns.rename(
        {old: new for old, new in renamed.items() if old in columns.columns and new not in columns.columns}
    )
    kept = [name for name in columns.columns if name not in ("timestamp", "severity", "severity_text")]
    return columns.select(kept).with_columns(timestamp=times)


@hookimpl
def cordwood_plugins() -> list[type[Cef]]:
    """The CEF parser."""
    return [Cef]
