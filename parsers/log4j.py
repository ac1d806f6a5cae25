"""Lines of Java's loggers: Log4j, Logback and Spring Boot in the layouts that Hadoop, ZooKeeper, Kafka and most use.

    parse: [{type: log4j}]

    2026-01-31 12:00:00,123 INFO [main] org.example.App: started
    2026-01-31 12:00:00,123 - WARN  [worker-1:Quorum@774] - timed out
    [2026-01-31 12:00:00,123] INFO started (kafka.server.KafkaServer)
    12:00:00.123 [main] DEBUG org.example.App - started
    2026-01-31T12:00:00.123Z  INFO 7 --- [shop] [main] o.example.App : started
    081109 203615 148 INFO dfs.DataNode: started

Source: Log4j, "Pattern Layout", and the `log4j.properties` that these projects ship; Logback, "default configuration";
Spring Boot, "Log Format". The logger's name is `log.logger`. A stack trace behind the text stays in the message: the
step `java` takes it.
"""

from __future__ import annotations

from ..plugins import hookimpl
from .forms import Form, FormParser

_LEVEL = r"(?P<severity>TRACE|DEBUG|INFO|WARN|ERROR|FATAL|SEVERE|WARNING|FINE|FINER|FINEST|CONFIG)"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}"
_TIME = rf"(?P<timestamp>{_DATE}(?:[.,][0-9]{{1,9}})?(?:Z| ?[+-][0-9]{{2}}:?[0-9]{{2}})?)"
_LOGGER = r"(?P<log.logger>[A-Za-z_$][A-Za-z0-9_.$/-]*)"
_MESSAGE = r"(?P<message>(?s:.*))$"
_LINE = {"code.line.number": "int"}
_PID = {"process.pid": "int"}
_LEVELS = {"config": 8}


class Log4j(FormParser):
    """Take time, severity, thread and logger from a line of a Java logger."""

    what = "a Java logger"
    sure = 0.95
    forms = (
        Form.of(rf"^{_TIME} {_LEVEL} +\[(?P<thread.name>.*?)\] {_LOGGER}(?::| -) ?{_MESSAGE}", levels=_LEVELS),
        Form.of(  # ZooKeeper; the thread's name has colons and brackets of its own
            rf"^{_TIME} (?:\[myid:(?P<zookeeper.id>[0-9]*)\] )?- {_LEVEL} +"
            rf"\[(?P<thread.name>[^@\n]*):(?P<log.logger>[^:@\n]*)@(?P<code.line.number>[0-9]+)\] - {_MESSAGE}",
            kinds=_LINE,
        ),
        Form.of(  # Kafka
            rf"^\[{_TIME}\] {_LEVEL} (?P<message>(?s:.*)) \((?P<log.logger>[A-Za-z_$][A-Za-z0-9_.$-]*)\)$"
        ),
        Form.of(  # Spring Boot
            rf"^{_TIME} +{_LEVEL} (?P<process.pid>[0-9]+) --- (?:\[(?P<app>[^\]\n]*)\] )??"
            rf"\[ *(?P<thread.name>[^\]\n]*)\] {_LOGGER} *: {_MESSAGE}",
            kinds=_PID,
        ),
        Form.of(  # Logback without a configuration; the day is that of the arrival
            rf"^(?P<timestamp>[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}[.,][0-9]{{3}}) \[(?P<thread.name>.*?)\] "
            rf"{_LEVEL} +{_LOGGER}(?: --?|:) {_MESSAGE}",
            "%H:%M:%S.%f",
            "%H:%M:%S,%f",
        ),
        Form.of(rf"^{_TIME} \[(?P<thread.name>.*?)\] {_LEVEL} +{_LOGGER}(?: --?|:) {_MESSAGE}"),
        Form.of(rf"^{_TIME},? {_LEVEL} +{_LOGGER}(?: --?|:) {_MESSAGE}"),
        Form.of(  # HDFS before 0.21
            rf"^(?P<timestamp>[0-9]{{6}} [0-9]{{6}}) (?P<process.pid>[0-9]+) {_LEVEL} {_LOGGER}: {_MESSAGE}",
            "%y%m%d %H%M%S",
            kinds=_PID,
        ),
        Form.of(  # Hadoop's and Spark's console
            rf"^(?P<timestamp>[0-9]{{2}}/[0-9]{{2}}/[0-9]{{2}} [0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}) {_LEVEL} "
            rf"{_LOGGER}: {_MESSAGE}",
            "%y/%m/%d %H:%M:%S",
        ),
    )


@hookimpl
def cordwood_plugins() -> list[type[Log4j]]:
    """The parser of Java's loggers."""
    return [Log4j]
