"""glog and klog lines, as every component of Kubernetes writes them.

    parse: [{type: glog}]

    E0314 15:09:26.535897    1234 server.go:42] connection refused

Source: google/glog, "Log Line Prefix"; kubernetes/klog. The prefix has no year: it is the latest that is not in the
future. klog's pairs behind the text, such as `pod="web-1"`, stay in the message; a step `kv` takes them.
"""

from __future__ import annotations

from ..plugins import hookimpl
from .forms import Form, FormParser

_REST = (
    r" +(?P<thread.id>[0-9]{1,10}) (?P<code.file.path>[^:\] ]+):(?P<code.line.number>[0-9]{1,7})\] "
    r"(?P<message>(?s:.*))$"
)
_NUMBERS = {"thread.id": "int", "code.line.number": "int"}
_CLOCK = r"[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}"


class Glog(FormParser):
    """Take severity, time, thread, file and line from the prefix of a glog or klog line."""

    what = "glog"
    forms = (
        Form.of(
            rf"^(?P<severity>[DIWEF])(?P<timestamp>[0-9]{{4}} {_CLOCK}){_REST}", "%m%d %H:%M:%S.%f", kinds=_NUMBERS
        ),
        Form.of(  # glog with --log_year_in_prefix
            rf"^(?P<severity>[DIWEF])(?P<timestamp>[0-9]{{8}} {_CLOCK}){_REST}", "%Y%m%d %H:%M:%S.%f", kinds=_NUMBERS
        ),
    )


@hookimpl
def cordwood_plugins() -> list[type[Glog]]:
    """The glog parser."""
    return [Glog]
