"""Records of Linux's audit system, as they stand in `/var/log/audit/audit.log`.

    parse: [{type: auditd}]

    type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e success=no exit=-13 comm="cat" key="sshd_config"

Source: Linux Audit, "Audit Event Fields" and the `auditd` user space. Each field is `audit.NAME`; those that a program
put in single quotes stand beside the kernel's. What the kernel wrote as hexadecimal digits is decoded where it is a
command line, `proctitle`. The message stays the whole line.
"""

from __future__ import annotations

import polars as pl

from ..plugins import Batch, hookimpl
from .forms import Form, FormParser
from .kv import columns_of, pairs_in

_RENAMED = {"acct": "user", "addr": "client.ip", "exe": "process.executable.path", "pid": "process.pid"}
_HEX = r"^(?:[0-9A-F]{2})+$"


def _failed(groups: pl.DataFrame) -> pl.DataFrame:
    """WARN for what was denied or failed, else INFO."""
    bad = groups["pairs"].str.contains(r"\b(?:success=no|res=(?:failed|0)|denied)\b") | groups["audit.type"].is_in(
        ["AVC", "ANOM_ABEND", "ANOM_PROMISCUOUS", "ANOM_LOGIN_FAILURES"]
    )
    severity = pl.select(pl.when(bad).then(pl.lit("13")).when(bad.is_not_null()).then(pl.lit("9"))).to_series()
    return groups.drop("pairs").with_columns(severity=severity)


class Auditd(FormParser):
    """Take type, time, number and fields from a record of the audit system; records of one number are of one event."""

    what = "the audit log"
    forms = (
        Form.of(
            r"^(?:node=(?P<host>\S+) )?type=(?P<audit.type>\S+) msg=audit\((?P<timestamp>[0-9]{1,11}\.[0-9]{3}):"
            r"(?P<audit.id>[0-9]+)\): ?(?P<pairs>(?s:.*))$",
            kinds={"audit.id": "int"},
            derive=_failed,
        ),
    )

    def parse(self, batch: Batch) -> Batch:
        """A field without quotes that is a number is one; `?` and `(null)` mean none."""
        read = super().parse(batch)
        text = batch.frame["message"].str.extract(self.forms[0].pattern, 5)
        plain = text.str.replace_all(r"\bmsg='", "").str.replace_all(r"['\x1d]", " ")
        pairs, some = pairs_in(plain)
        named = pairs["name"].unique()
        names = [_RENAMED.get(name, f"audit.{name}") for name in named]
        pairs = pairs.with_columns(value=_value(pl.col("name"), pl.col("value"))).filter(pl.col("value").is_not_null())
        pairs = pairs.with_columns(pl.col("name").replace_strict(named.to_list(), names, return_dtype=pl.String))
        fields = Batch.of(columns_of(pairs, len(read)))
        return read.merged(fields, where=some, error=pl.repeat(None, len(read), dtype=pl.String, eager=True))


def _value(field: pl.Expr, value: pl.Expr) -> pl.Expr:
    """The text of a field's value, null where the record says that there is none."""
    encoded = (field == "proctitle") & value.str.contains(_HEX)
    decoded = value.str.decode("hex", strict=False).cast(pl.String, strict=False).str.replace_all("\0", " ")
    said = ~value.is_in(["?", "(null)", "(none)"])
    return pl.when(encoded).then(pl.coalesce(decoded, value)).when(said).then(value)


@hookimpl
def cordwood_plugins() -> list[type[Auditd]]:
    """The parser of the audit log."""
    return [Auditd]
