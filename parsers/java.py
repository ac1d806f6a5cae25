"""Stack traces of Java, Kotlin and Scala, in messages of several lines.

    parse: [{type: log4j}, {type: java}]

Source: `java.lang.Throwable.printStackTrace`; OpenTelemetry, "Semantic conventions for exceptions". The exception is
the outermost one; its causes stand in the stack trace.
"""

from __future__ import annotations

from ..plugins import hookimpl
from .forms import Form, FormSeeker

_TYPE = r"(?P<exception.type>(?:[A-Za-z_$][\w$]*\.)+[A-Za-z_$][\w$]*|[A-Z][\w$]*(?:Exception|Error|Throwable))"


class Java(FormSeeker):
    """Take `exception.type`, `.message`, `.stacktrace` and the top frame from a stack trace; the text before it stays.

    A message that is nothing but the trace stays whole, and one without a trace stays as it is.
    """

    forms = (
        Form.of(
            r"^(?:(?P<message>(?s:.*?\S))\s*\n)??(?P<exception.stacktrace>(?:Exception in thread \""
            r"(?P<thread.name>[^\"\n]*)\" )?"
            rf"{_TYPE}(?:: (?P<exception.message>(?s:.*?)))?\r?\n"
            r"\s+at (?:[\w.@/-]+/)?(?P<code.function.name>[\w.$<>/-]+)\((?:(?P<code.file.path>[^:()\n]+?)(?::"
            r"(?P<code.line.number>[0-9]+))?)?\)(?s:.*))$",
            kinds={"code.line.number": "int"},
            nothing=("Unknown Source", "Native Method"),
        ),
    )


@hookimpl
def cordwood_plugins() -> list[type[Java]]:
    """The parser of Java's stack traces."""
    return [Java]
