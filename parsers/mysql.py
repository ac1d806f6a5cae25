"""Logs of MySQL and MariaDB: the error log, and entries of the slow query log.

    parse: [{type: mysql}]

    2026-01-31T12:00:00.123456Z 0 [Warning] [MY-010068] [Server] CA certificate ca.pem is self signed.

Source: MySQL, "The Error Log" and "The Slow Query Log"; MariaDB, "Error Log".
"""

from __future__ import annotations

from ..plugins import hookimpl
from .forms import Form, FormParser

_LEVEL = r"\[(?P<severity>System|Error|ERROR|Warning|Note)\]"
_MESSAGE = r"(?P<message>(?s:.*))$"
_LEVELS = {"system": 9}
_NUMBERS = {"thread.id": "int"}
_CODE = r"(?:\[(?P<error_code>MY-[0-9]{6})\] \[(?P<mysql.subsystem>[A-Za-z_ ]+)\] )?"


class Mysql(FormParser):
    """Take time, thread, severity, code and subsystem from an error log, and times, rows and statement of a slow query.

    A slow query's message is the statement.
    """

    what = "a MySQL log"
    forms = (
        Form.of(
            r"^(?P<timestamp>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}(?:Z|[+-][0-9]{2}:[0-9]{2})) +"
            rf"(?P<thread.id>[0-9]+) {_LEVEL} {_CODE}{_MESSAGE}",
            kinds=_NUMBERS,
            levels=_LEVELS,
        ),
        Form.of(  # MariaDB
            rf"^(?P<timestamp>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}} +[0-9]{{1,2}}:[0-9]{{2}}:[0-9]{{2}}) "
            rf"(?P<thread.id>[0-9]+) {_LEVEL} {_MESSAGE}",
            "%Y-%m-%d %H:%M:%S",
            kinds=_NUMBERS,
            levels=_LEVELS,
        ),
        Form.of(
            r"(?s)^# Time: (?P<timestamp>[0-9T:. +-]+Z?)\n"
            r"# User@Host: (?P<user>[^\[\n]*)\[[^\]\n]*\] @ (?P<client.host>[^ \[\n]*) *\["
            r"(?P<client.ip>[^\]\n]*)\][^\n]*\n"
            r"(?:# Thread_id: [^\n]*\n)?"
            r"# Query_time: (?P<query_time>[0-9.]+) +Lock_time: (?P<lock_time>[0-9.]+) +"
            r"Rows_sent: (?P<rows_sent>[0-9]+) +Rows_examined: (?P<rows_examined>[0-9]+)[^\n]*\n"
            r"(?:#[^\n]*\n)*(?:use (?P<db.namespace>[^;\n]+);\n)?(?:SET timestamp=[0-9]+;\n)?(?P<message>.*?);?\s*$",
            kinds={"query_time": "float", "lock_time": "float", "rows_sent": "int", "rows_examined": "int"},
            nothing=("",),
        ),
    )


@hookimpl
def cordwood_plugins() -> list[type[Mysql]]:
    """The parser of MySQL's and MariaDB's logs."""
    return [Mysql]
