"""Lines of OpenStack's services, as oslo.log writes them.

    parse: [{type: oslo}]

    2017-05-16 00:00:00.008 25746 INFO nova.osapi_compute.wsgi.server [req-38101a0b… 113d… 54fa… - - -] started

Source: OpenStack, oslo.log, `logging_context_format_string` and `logging_default_format_string`. A file's name before
the time, as collected logs have it, is `log.file.name`. An instance at the message's beginning stays there.
"""

from __future__ import annotations

from ..plugins import hookimpl
from .forms import Form, FormParser

_REQUEST = (
    r"\[(?:(?:(?P<openstack.global_request_id>req-[0-9a-f-]{36}) )?(?P<openstack.request_id>req-[0-9a-f-]{36}) "
    r"(?P<user>[^ \]]+) (?P<openstack.project_id>[^ \]]+)[^\]\n]*|-|None[^\]\n]*)\] "
)


class Oslo(FormParser):
    """Take time, process, severity, logger and request from a line of an OpenStack service."""

    what = "an OpenStack service"
    forms = (
        Form.of(
            r"^(?:(?P<log.file.name>[^ \n]+) )??"
            r"(?P<timestamp>[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}) (?P<process.pid>[0-9]+) "
            r"(?P<severity>TRACE|DEBUG|INFO|AUDIT|WARNING|ERROR|CRITICAL) (?P<log.logger>[A-Za-z_][A-Za-z0-9_.]*) "
            rf"(?:{_REQUEST})?(?P<message>(?:\[instance: (?P<openstack.instance_id>[0-9a-f-]{{36}})\])?(?s:.*))$",
            kinds={"process.pid": "int"},
            levels={"audit": 10},
            nothing=("-",),
        ),
    )


@hookimpl
def cordwood_plugins() -> list[type[Oslo]]:
    """The parser of OpenStack's services."""
    return [Oslo]
