"""What commands print: for people on a terminal, plain where it is piped; messages on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

Value: TypeAlias = Any
"""A JSON value."""

_CONTROL = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), *range(127, 160)) if code not in (9, 10)}
_COLOURS = {"TRACE": "dim", "DEBUG": "dim", "INFO": "green", "WARN": "yellow", "ERROR": "red", "FATAL": "bold red"}
EVENT_COLUMNS = frozenset({"timestamp", "severity", "message"})
"""A result that has these is printed as lines of log, not as a table."""
_HEAD = ("timestamp", "severity", "service", "message")


def say(text: str) -> None:
    """A message for the person, on standard error."""
    print(clean(text), file=sys.stderr, flush=True)


def clean(text: str) -> str:
    """The text without control characters: what others logged must not steer the terminal."""
    return text.translate(_CONTROL)


def text_of(value: Value) -> str:
    """A value as text: JSON for lists and mappings, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False)
    return clean(str(value))


def one_line(text: str) -> str:
    """The text with line feeds and tabs written as `\\n` and `\\t`."""
    return (
        text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t") if "\n" in text or "\t" in text else text
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[Value]], *, numeric: Sequence[bool] = ()) -> None:
    """A table on a terminal; elsewhere lines with tabs between the values, the names first."""
    if not sys.stdout.isatty():
        print("\t".join(columns))
        for row in rows:
            print("\t".join(one_line(text_of(value)) for value in row))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for i, name in enumerate(columns):
        right = i < len(numeric) and numeric[i]
        drawn.add_column(Text(clean(name)), justify="right" if right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(text_of(value)) for value in row))
    Console().print(drawn)


class EventPrinter:
    """Prints events as lines of log: time, severity, service, message, then the other fields."""

    def __init__(self) -> None:
        self._console: Any = None
        if sys.stdout.isatty():
            from rich.console import Console

            self._console = Console(soft_wrap=True, highlight=False)

    def show(self, event: Mapping[str, Value]) -> None:
        """Print one event."""
        time, severity, service, message = (text_of(event.get(name)) for name in _HEAD)
        rest = [
            f"{name}={one_line(text_of(value))}"
            for name, value in event.items()
            if name not in (*_HEAD, "severity_number", "observed_timestamp", "severity_text") and value is not None
        ]
        if self._console is None:
            parts = [time, severity or "-", service or "-", one_line(message), *rest]
            print(" ".join(parts), flush=True)
            return
        from rich.text import Text

        colour = _COLOURS.get(severity.rstrip("234"), "")
        line = Text.assemble((time, "dim"), " ", (f"{severity:5}", colour), " ", (service, "cyan"), " ", message)
        if rest:
            line.append("  " + " ".join(rest), style="dim")
        self._console.print(line)
