"""Flow logs of Amazon VPC.

    parse: [{type: vpc_flow}]

    2 123456789010 eni-1235b8ca 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK

Source: AWS, "Flow log records", the default format (version 2). The time is the end of the flow; REJECT is a WARN. The
header line and records without data have no fields but what they say. The message stays the whole line.
"""

from __future__ import annotations

import polars as pl

from ..plugins import hookimpl
from .forms import Form, FormParser

_NAMES = ("protocol", "packets", "bytes", "source.port", "destination.port", "vpc.start")


def _derived(groups: pl.DataFrame) -> pl.DataFrame:
    return groups.with_columns(
        severity=groups["vpc.action"].replace_strict({"ACCEPT": "9", "REJECT": "13"}, default=None)
    )


class VpcFlow(FormParser):
    """Take account, interface, addresses, ports, protocol, packets, bytes, start, action and status from a flow log."""

    what = "a VPC flow log"
    forms = (
        Form.of(
            r"^(?P<vpc.version>[2-9]) (?P<cloud.account.id>[0-9]{12}|unknown|-) (?P<vpc.interface>eni-[0-9a-f]+|-) "
            r"(?P<source.ip>[0-9A-Fa-f.:]+|-) (?P<destination.ip>[0-9A-Fa-f.:]+|-) (?P<source.port>[0-9]+|-) "
            r"(?P<destination.port>[0-9]+|-) (?P<protocol>[0-9]+|-) (?P<packets>[0-9]+|-) (?P<bytes>[0-9]+|-) "
            r"(?P<vpc.start>[0-9]+) (?P<timestamp>[0-9]+) (?P<vpc.action>ACCEPT|REJECT|-) "
            r"(?P<vpc.status>OK|NODATA|SKIPDATA)$",
            kinds=dict.fromkeys(_NAMES, "int") | {"vpc.version": "int"},
            nothing=("-",),
            derive=_derived,
        ),
    )


@hookimpl
def cordwood_plugins() -> list[type[VpcFlow]]:
    """The parser of VPC flow logs."""
    return [VpcFlow]
