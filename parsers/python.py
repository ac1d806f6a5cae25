"""Tracebacks of Python, in messages of several lines.

    parse: [{type: python}]

Source: Python, module `traceback`; OpenTelemetry, "Semantic conventions for exceptions". Of a chain the exception is
the last one, which was not caught, and its top frame is where it was raised.
"""

from __future__ import annotations

from ..plugins import hookimpl
from .forms import Form, FormSeeker


class Python(FormSeeker):
    """Take `exception.type`, `.message`, `.stacktrace` and the top frame from a traceback; the text before it stays.

    A message that is nothing but the traceback stays whole, and one without one stays as it is.
    """

    forms = (
        Form.of(
            r"^(?:(?P<message>(?s:.*?\S))\s*\n)??(?P<exception.stacktrace>Traceback \(most recent call last\):\n(?s:.*)"
            r'\n? *File "(?P<code.file.path>[^"\n]+)", line (?P<code.line.number>[0-9]+)(?:, in '
            r"(?P<code.function.name>[^\n]+))?\n"
            r"(?:[ \t]+[^\n]*\n)*(?P<exception.type>[A-Za-z_][\w.]*)(?:: (?P<exception.message>(?s:.*?)))?)\s*$",
            kinds={"code.line.number": "int"},
        ),
    )


@hookimpl
def cordwood_plugins() -> list[type[Python]]:
    """The parser of Python's tracebacks."""
    return [Python]
