"""Error logs of Apache's HTTP server, of 2.4 and before.

    parse: [{type: apache_error}]

    [Sat Jan 31 12:00:00.123456 2026] [core:error] [pid 12:tid 34] [client 1.2.3.4:56] AH00126: Invalid URI

Source: Apache HTTP Server, "Log Files" and the default of `ErrorLogFormat`.
"""

from __future__ import annotations

from ..plugins import hookimpl
from .forms import Form, FormParser

_TIME = r"\[(?P<timestamp>[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}(?:\.[0-9]{6})? [0-9]{4})\]"
_LAYOUTS = ("%a %b %d %H:%M:%S.%f %Y", "%a %b %d %H:%M:%S %Y")
_CLIENT = r"(?P<client.ip>[0-9A-Fa-f.:]+)"
_MESSAGE = r"(?P<message>(?:\([0-9]+\)[^:\n]*: )?(?:(?P<error_code>AH[0-9]{5}): )?(?s:.*))$"
_LEVELS = {f"trace{number}": 1 for number in range(1, 9)} | {"emerg": 21}


class ApacheError(FormParser):
    """Take time, severity, module, process, client and error code from a line of an Apache error log."""

    what = "an Apache error log"
    forms = (
        Form.of(
            rf"^{_TIME} \[(?P<module>[a-z0-9_-]*):(?P<severity>[a-z]+[1-8]?)\]"
            r" \[pid (?P<process.pid>[0-9]+)(?::tid (?P<thread.id>[0-9]+))?\]"
            rf"(?: \[(?:client|remote) {_CLIENT}:(?P<client.port>[0-9]+)\])? {_MESSAGE}",
            *_LAYOUTS,
            kinds={"process.pid": "int", "thread.id": "int", "client.port": "int"},
            levels=_LEVELS,
        ),
        Form.of(  # 2.2, where the client is part of the text and has no port
            rf"^{_TIME} \[(?P<severity>[a-z]+)\] (?P<message>(?:\[client {_CLIENT}\] )?(?s:.*))$",
            *_LAYOUTS,
            levels=_LEVELS,
        ),
    )


@hookimpl
def cordwood_plugins() -> list[type[ApacheError]]:
    """The parser of Apache's error logs."""
    return [ApacheError]
