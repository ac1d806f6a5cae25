"""Logs of HAProxy: HTTP (`option httplog`), HTTPS, TCP (`option tcplog`) and connection errors.

    parse: [{type: syslog}, {type: haproxy}]

    10.0.1.2:33 [06/Feb/2026:12:14:14.655] web app/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "GET / HTTP/1.1"

Source: HAProxy, configuration manual, "Logging". Times are in milliseconds, under the manual's names: `tq`, `tw`, `tc`,
`tr`, `tt`; -1, for what did not happen, is left out. The message stays the whole line.
"""

from __future__ import annotations

from ..plugins import hookimpl
from .forms import Form, FormParser
from .requests import with_request

_CLIENT = r"^(?:.*?haproxy\[[0-9]+\]: )?(?P<client.ip>[0-9A-Fa-f.:]+):(?P<client.port>[0-9]+) "
_TIME = r"\[(?P<timestamp>[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3})\] "
_SERVER = r"(?P<frontend>[^ ]+) (?P<backend>[^ /]+)/(?P<server>[^ ]+) "
_COUNTS = (
    r"(?P<actconn>[0-9]+)/(?P<feconn>[0-9]+)/(?P<beconn>[0-9]+)/(?P<srv_conn>[0-9]+)/\+?(?P<retries>[0-9]+) "
    r"(?P<srv_queue>[0-9]+)/(?P<backend_queue>[0-9]+)"
)
_NUMBERS = dict.fromkeys(
    ("client.port", "tq", "tw", "tc", "tr", "tt", "status", "bytes", "actconn", "feconn", "beconn", "srv_conn",
     "retries", "srv_queue", "backend_queue"), "int",
)  # fmt: skip
_LAYOUT = "%d/%b/%Y:%H:%M:%S.%f"


class Haproxy(FormParser):
    """Take client, frontend, backend, server, timers, status, bytes, counts and request from a line of HAProxy."""

    what = "a HAProxy log"
    forms = (
        Form.of(
            rf"{_CLIENT}{_TIME}{_SERVER}"
            r"(?P<tq>-?[0-9]+)/(?P<tw>-?[0-9]+)/(?P<tc>-?[0-9]+)/(?P<tr>-?[0-9]+)/\+?(?P<tt>[0-9]+) "
            rf"(?P<status>-?[0-9]+) \+?(?P<bytes>[0-9]+) \S+ \S+ (?P<termination_state>[A-Za-z-]{{4}}) {_COUNTS}"
            r"(?: \{(?P<captured_request_headers>[^}\n]*)\})?(?: \{(?P<captured_response_headers>[^}\n]*)\})?"
            r' "(?P<request>[^\n]*?)"?(?: [^"\n]*)?$',
            _LAYOUT,
            kinds=_NUMBERS,
            nothing=("-1", "-", ""),
            derive=with_request,
        ),
        Form.of(
            rf"{_CLIENT}{_TIME}{_SERVER}(?P<tw>-?[0-9]+)/(?P<tc>-?[0-9]+)/\+?(?P<tt>[0-9]+) \+?(?P<bytes>[0-9]+) "
            rf"(?P<termination_state>[A-Za-z-]{{2}}) {_COUNTS}$",
            _LAYOUT,
            kinds=_NUMBERS,
            nothing=("-1",),
        ),
        Form.of(rf"{_CLIENT}{_TIME}(?P<frontend>[^ /]+)/(?P<bind>[^ :]+): (?P<error>[^\n]+)$", _LAYOUT, kinds=_NUMBERS),
    )


@hookimpl
def cordwood_plugins() -> list[type[Haproxy]]:
    """The HAProxy parser."""
    return [Haproxy]
