"""Logs of Redis, Valkey and Sentinel.

    parse: [{type: redis}]

    1:M 31 Jan 2026 12:00:00.123 * Ready to accept connections tcp

Source: Redis, `serverLogRaw` in `server.c`. The letter behind the process is its role: X Sentinel, C child, S replica,
M master.
"""

from __future__ import annotations

from ..plugins import hookimpl
from .forms import Form, FormParser

_LEVELS = {".": 5, "-": 9, "*": 10, "#": 13}  # debug, verbose, notice, warning
_ROLES = {"X": "sentinel", "C": "child", "S": "replica", "M": "master"}
_TIME = r"(?P<timestamp>[0-9]{1,2} [A-Z][a-z]{2}(?: [0-9]{4})? [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3})"
_REST = rf" {_TIME} (?P<severity>[.*#-]) (?P<message>(?s:.*))$"


class Redis(FormParser):
    """Take process, role, time and severity from a line of Redis."""

    what = "a Redis log"
    forms = (
        Form.of(
            rf"^(?P<process.pid>[0-9]+):(?P<redis.role>[XCSM]){_REST}",
            "%d %b %Y %H:%M:%S.%f",
            kinds={"process.pid": "int"},
            levels=_LEVELS,
            derive=lambda groups: groups.with_columns(groups["redis.role"].replace_strict(_ROLES, default=None)),
        ),
        Form.of(  # before 3.0
            rf"^\[(?P<process.pid>[0-9]+)\]{_REST}", "%d %b %H:%M:%S.%f", kinds={"process.pid": "int"}, levels=_LEVELS
        ),
    )


@hookimpl
def cordwood_plugins() -> list[type[Redis]]:
    """The parser of Redis's logs."""
    return [Redis]
