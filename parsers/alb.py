"""Access logs of AWS's load balancers: application (ALB) and classic (ELB).

    parse: [{type: alb}]

Source: AWS, "Access logs for your Application Load Balancer", "Access log entries", also of the Classic Load Balancer.
Times are in seconds, -1 is left out. The message stays the whole line.
"""

from __future__ import annotations

import polars as pl

from ..plugins import hookimpl
from .forms import Form, FormParser
from .requests import with_url

_TIME = r"(?P<timestamp>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{1,9}Z)"
_PEERS = (
    r"(?P<client.ip>[0-9A-Fa-f.:]+):(?P<client.port>[0-9]+) (?:(?P<target.ip>[0-9A-Fa-f.:]+):"
    r"(?P<target.port>[0-9]+)|-) "
    r"(?P<request_time>-?[0-9.]+) (?P<target_time>-?[0-9.]+) (?P<response_time>-?[0-9.]+) "
    r"(?P<status>[0-9]{3}|-) (?P<target_status>[0-9]{3}|-|0) (?P<received_bytes>-?[0-9]+) (?P<bytes>-?[0-9]+) "
)
_REQUEST = r'"(?P<request>[^"\n]*)" "(?P<user_agent>(?:[^"\\\n]|\\.)*)" (?P<tls.cipher>\S+) (?P<tls.protocol>\S+)'
_NUMBERS = dict.fromkeys(
    ("client.port", "target.port", "status", "target_status", "received_bytes", "bytes"), "int"
) | dict.fromkeys(("request_time", "target_time", "response_time"), "float")


def _derived(groups: pl.DataFrame) -> pl.DataFrame:
    """A request without an address is written as `- http://host:80- -`."""
    return with_url(groups.with_columns(groups["request"].str.strip_chars_end(" ")))


class Alb(FormParser):
    """Take balancer, client, target, times, statuses, bytes, request and trace from an access log of AWS."""

    what = "an access log of AWS's load balancers"
    forms = (
        Form.of(
            rf"^(?P<type>https?|h2|grpcs|wss?) {_TIME} (?P<balancer>\S+) {_PEERS}{_REQUEST} (?P<target_group>\S+) "
            r'"(?P<xray_trace>[^"\n]*)" "(?P<domain>[^"\n]*)" "(?P<certificate>[^"\n]*)" (?P<rule_priority>\S+) '
            r'(?:[0-9TZ:.-]+) "(?P<actions>[^"\n]*)" "(?P<redirect_url>[^"\n]*)" "'
            r'(?P<error_reason>[^"\n]*)"(?: [^\n]*)?$',
            kinds=_NUMBERS,
            nothing=("-", "-1"),
            derive=_derived,
        ),
        Form.of(
            rf"^{_TIME} (?P<balancer>\S+) {_PEERS}{_REQUEST}$",
            kinds=_NUMBERS,
            nothing=("-", "-1"),
            derive=_derived,
        ),
    )


@hookimpl
def cordwood_plugins() -> list[type[Alb]]:
    """The parser of AWS's load balancers."""
    return [Alb]
