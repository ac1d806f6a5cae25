"""A second opinion: searches and aggregations in plain Python, one event at a time, for the differential test.

A search is a nested tuple; `shown` writes it in the query language, `holds` says whether an event satisfies it. An
event maps each field to (kind, value), as stored.
"""

from __future__ import annotations

import datetime
import fnmatch
import ipaddress
import math
import re
from collections.abc import Sequence
from typing import Any

from cordwood.plugins.batch import Batch
from cordwood.plugins.fields import STANDARD, split_column

Event = dict[str, tuple[str, Any]]
LEVELS = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21}


def events_of(batch: Batch) -> list[Event]:
    """The events of a batch, typed."""
    names = [
        (name, "time" if "timestamp" in name else "severity" if name == "severity" else "text")
        if name in STANDARD
        else split_column(name, dtype)
        for name, dtype in batch.frame.schema.items()
    ]
    frame = batch.frame.with_columns(batch.frame["timestamp"].cast(int), batch.frame["observed_timestamp"].cast(int))
    return [
        {field: (kind, value) for (field, kind), value in zip(names, row, strict=True) if value is not None}
        for row in frame.iter_rows()
    ]


def fold(text: str) -> str:
    return "".join("i" if letter == "İ" else letter.lower() for letter in text)


def text_form(kind: str, value: Any) -> str:
    if kind == "bool":
        return "true" if value else "false"
    if kind == "severity":
        step = (value - 1) % 4
        return f"{list(LEVELS)[(value - 1) // 4].upper()}{step + 1 if step else ''}"
    return value if isinstance(value, str) else str(value)


def number_of(text: str) -> int | float | None:
    """The number that a stored text looks like."""
    stripped = text.strip(" \t\n\r\v\f")
    if not stripped.isascii():
        return None
    if re.fullmatch(r"[+-]?\d+", stripped):
        return int(stripped)
    try:
        value = float(stripped)
    except ValueError:
        return None
    return value if math.isfinite(value) and re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", stripped) else None


def compared(op: str, a: Any, b: Any) -> bool:
    return {"=": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]


def with_number(event: Event, field: str, op: str, literal: int | float) -> bool:
    if field not in event:
        return False
    kind, value = event[field]
    if kind in ("text", "json"):
        value = number_of(value)
        if value is None:
            return op == "!="
    elif kind == "bool":
        return op == "!="
    return compared(op, value, literal)


def with_text(event: Event, field: str, op: str, literal: str) -> bool:
    if field not in event:
        return False
    kind, value = event[field]
    if op in ("=", "!="):
        same = text_form(kind, value) == literal
        if kind == "float":
            same = same or literal == (str(int(value)) if value == int(value) else str(value))
        return same == (op == "=")
    return kind in ("text", "json") and compared(op, value, literal)


def holds(search: tuple[Any, ...], event: Event) -> bool:
    """Whether the event satisfies the search."""
    name, *rest = search
    message = event.get("message", ("text", None))[1]
    match name:
        case "and":
            return all(holds(item, event) for item in rest)
        case "or":
            return any(holds(item, event) for item in rest)
        case "not":
            return not holds(rest[0], event)
        case "word" | "phrase":
            return message is not None and fold(rest[0]) in fold(message)
        case "exact":
            return message is not None and rest[0] in message
        case "regex":
            # RE2 folds all letters, and has ASCII classes; Python's ASCII flag would hold for both.
            flags = re.IGNORECASE if rest[1] and not rest[0].isascii() else re.ASCII | (re.IGNORECASE if rest[1] else 0)
            pattern = rest[0].replace("$", r"\Z")  # in RE2 it is the very end, in Python also before a last line break
            return message is not None and re.search(pattern, message, flags) is not None
        case "number":
            return with_number(event, *rest)
        case "text":
            return with_text(event, *rest)
        case "range":
            field, low, high = rest
            return with_number(event, field, ">=", low) and with_number(event, field, "<=", high)
        case "in":
            field, items = rest
            return any(
                with_text(event, field, "=", i) if isinstance(i, str) else with_number(event, field, "=", i)
                for i in items
            )
        case "glob":
            field, pattern = rest
            translated = re.compile(fnmatch.translate(pattern.replace("[", "[[]")))
            return field in event and translated.match(text_form(*event[field])) is not None
        case "contains":
            field, text = rest
            return field in event and fold(text) in fold(text_form(*event[field]))
        case "present":
            return rest[0] in event
        case "level":
            op, word = rest
            if "severity" not in event:
                return False
            value, low = event["severity"][1], LEVELS[word]
            return {
                "=": low <= value <= low + 3, "!=": not low <= value <= low + 3, "<": value < low,
                "<=": value <= low + 3,
                ">": value > low + 3, ">=": value >= low,
            }[op]  # fmt: skip
        case "cidr":
            field, network = rest
            if field not in event:
                return False
            try:
                return ipaddress.ip_address(text_form(*event[field])) in ipaddress.ip_network(network)
            except ValueError:
                return False
        case "time":
            op, ns = rest
            return compared(op, event["timestamp"][1], ns)
    raise AssertionError(name)


def quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def name_of(field: str) -> str:
    return (
        field
        if re.fullmatch(r"[A-Za-z_][\w.]*", field)
        else "`" + field.replace("\\", "\\\\").replace("`", "\\`") + "`"
    )


def shown(search: tuple[Any, ...]) -> str:
    """The search in the query language."""
    name, *rest = search
    match name:
        case "and":
            return f"({' '.join(shown(item) for item in rest)})"
        case "or":
            return f"({' or '.join(shown(item) for item in rest)})"
        case "not":
            return f"-{shown(rest[0])}" if search[-1] and len(shown(rest[0])) % 2 else f"not {shown(rest[0])}"
        case "word":
            return str(rest[0])
        case "phrase":
            return quote(rest[0])
        case "exact":
            return "'" + rest[0].replace("\\", "\\\\").replace("'", "\\'") + "'"
        case "regex":
            return f"/{rest[0].replace('/', chr(92) + '/')}/{'i' if rest[1] else ''}"
        case "number":
            field, op, literal = rest
            return f"{name_of(field)}{op}{literal}"
        case "text":
            field, op, literal = rest
            return f"{name_of(field)}{op}{quote(literal)}"
        case "range":
            field, low, high = rest
            return f"{name_of(field)}:{low}..{high}"
        case "in":
            field, items = rest
            listed = ", ".join(quote(i) if isinstance(i, str) else str(i) for i in items)
            return f"{name_of(field)} in ({listed})" if name_of(field)[0] != "`" else f"{name_of(field)}:({listed})"
        case "glob":
            field, pattern = rest
            return f"{name_of(field)}:{quote(pattern)}"
        case "contains":
            field, text = rest
            return f"{name_of(field)}~{quote(text)}"
        case "present":
            return f"{name_of(rest[0])}:*"
        case "level":
            op, word = rest
            return f"severity{op}{word}"
        case "cidr":
            field, network = rest
            return f"{name_of(field)}:{network}"
        case "time":
            op, ns = rest
            seconds, fraction = divmod(ns, 1_000_000_000)
            moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")
            return f"time{op}{moment}.{fraction:09d}Z"
    raise AssertionError(name)


def as_expression(search: tuple[Any, ...]) -> str:
    """The search as an expression of `where`."""
    name, *rest = search
    match name:
        case "and" | "or":
            return f"({f' {name} '.join(as_expression(item) for item in rest)})"
        case "not":
            return f"not {as_expression(rest[0])}"
        case "word":
            return quote(rest[0])
        case "time":
            op, ns = rest
            return f"timestamp {op} {quote(shown(('time', op, ns)).removeprefix(f'time{op}'))}"
        case "number" | "text":
            field, op, literal = rest
            return f"{name_of(field)} {op} {quote(literal) if name == 'text' else literal}"
        case "in":
            field, items = rest
            listed = ", ".join(quote(i) if isinstance(i, str) else str(i) for i in items)
            return f"{name_of(field)} in ({listed})"
        case "present":
            return f"{name_of(rest[0])} is not null"
        case "contains":
            return f"{name_of(rest[0])} contains {quote(rest[1])}"
    return shown(search)


def numbers(events: Sequence[Event], field: str) -> list[int | float]:
    """The field's values as numbers."""
    found = []
    for event in events:
        kind, value = event.get(field, ("null", None))
        if kind in ("int", "float"):
            found.append(value)
        elif kind in ("text", "json") and (number := number_of(value)) is not None:
            found.append(float(number))
    return found
