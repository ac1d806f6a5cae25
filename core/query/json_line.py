"""A row as a line of NDJSON, in SQL: an object without the members that are null, and a line feed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from . import sql
from .plan import Output
from .result import decoded
from .sql import Expr
from .value import coalesce, severity_text, time_text

PLAIN_JSON: Final = "cordwood_json"  # a function of statements: see `plain_json`

_WRITTEN: Final[dict[str, Callable[[Expr], Expr]]] = {
    "float": lambda tree: sql.sql("CASE WHEN isfinite(:x) THEN CAST(:x AS VARCHAR) END", x=tree),
    "text": lambda tree: sql.sql("CAST(to_json(:x) AS VARCHAR)", x=tree),
    "json": lambda tree: sql.call(PLAIN_JSON, tree),
    "time": lambda tree: _quoted(time_text(tree)),
    "severity": lambda tree: _quoted(severity_text(tree)),
    "duration": lambda tree: sql.sql("CAST(:x / CAST(1e9 AS DOUBLE) AS VARCHAR)", x=tree),
}


def json_line(outputs: Iterable[Output]) -> Expr:
    """SQL over the columns of the outputs, called as they are."""
    members = [
        coalesce([_member(output.name, kind, column) for kind, column in output.kinds], "VARCHAR")
        for output in outputs
        if output.kinds
    ]
    return sql.call("concat", "{", sql.call("concat_ws", ",", *members) if members else "", "}\n")


def plain_json(text: str) -> str:
    """JSON text on one line; text that is none as a string. Integers keep all their digits.

    >>> plain_json('{"a" : [1]}'), plain_json("no json")
    ('{"a":[1]}', '"no json"')
    """
    return msgspec.json.encode(decoded(text)).decode()


def _member(name: str, kind: str, column: str) -> Expr:
    """`"name":value`, null where the value is."""
    value = sql.column(column)
    written = _WRITTEN[kind](value) if kind in _WRITTEN else sql.cast(value, "VARCHAR")
    return sql.sql(":name || :x", name=msgspec.json.encode(name).decode() + ":", x=written)


def _quoted(text: Expr) -> Expr:
    return sql.sql("""'"' || :x || '"'""", x=text)
