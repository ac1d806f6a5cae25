"""Error logs of nginx.

    parse: [{type: nginx_error}]

    2026/01/31 12:00:00 [error] 12#34: *9 open() "/x" failed (2: No such file), client: 1.2.3.4, server: shop

Source: nginx, `ngx_log.c` and `ngx_http_log_error_handler`.
"""

from __future__ import annotations

from ..plugins import hookimpl
from .forms import Form, FormParser

_REQUEST = (
    r'"(?:(?P<method>[A-Z][A-Z_-]{0,31}) (?P<path>[^ ?"]*)(?:\?(?P<query>[^ "]*))?(?: (?P<protocol>HTTP/[0-9.]+))?'
    r'|[^"\n]*)"'
)


class NginxError(FormParser):
    """Take severity, process, connection, client, server, request and upstream from a line of an nginx error log."""

    what = "an nginx error log"
    forms = (
        Form.of(
            r"^(?P<timestamp>[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}) "
            r"\[(?P<severity>debug|info|notice|warn|error|crit|alert|emerg)\] (?P<process.pid>[0-9]+)#"
            r"(?P<thread.id>[0-9]+): "
            r"(?:\*(?P<connection>[0-9]+) )?(?P<message>(?s:.*?))"
            r"(?:, client: (?P<client.ip>[^,\s]+))?(?:, server: (?P<server>[^,\s]*))?"
            rf"(?:, request: {_REQUEST})?(?:, subrequest: \"[^\"\n]*\")?(?:, upstream: \"(?P<upstream>[^\"\n]*)\")?"
            r'(?:, host: "(?P<http.host>[^"\n]*)")?(?:, referrer: "(?P<referer>[^"\n]*)")?$',
            "%Y/%m/%d %H:%M:%S",
            kinds={"process.pid": "int", "thread.id": "int", "connection": "int"},
            nothing=("",),
        ),
    )


@hookimpl
def cordwood_plugins() -> list[type[NginxError]]:
    """The parser of nginx's error logs."""
    return [NginxError]
