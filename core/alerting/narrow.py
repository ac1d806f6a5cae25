"""A detector's query taken apart: what its groups are, and the search for the events behind one of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from ...plugins import Json
from ..query.aggregate import label
from ..query.parser import parse
from ..query.stage import Stage
from ..query.tree import Call, Everything, Name, Named, Node, Or, Place, Query

KEYED = frozenset({"top", "rare", "distinct", "session", "patterns"})
"""Stages other than `stats` and `timechart` whose result has a row for each value of the fields they name."""
_PLAIN = re.compile(
    r"(?!(?:and|or|not|in|is|as|by|from|true|false|null)$)[a-z_]\w*(?:\.\w+)*", re.ASCII | re.IGNORECASE
)
_FROM_EVENTS = re.compile(r"\s*from\s+events(?=\s|\||$)", re.IGNORECASE)
_TIMES = ("timestamp", "observed_timestamp", "time")


@lru_cache(maxsize=1_000)
def group_fields(text: str) -> tuple[str, ...] | None:
    """The columns of the result that tell its rows apart, times left out; None: the query answers events.

    >>> group_fields("error | stats count() as n by service, bin(1m), lower(host) as h"), group_fields("error")
    (('service', 'h'), None)

    :raises QueryError: the query is wrong
    """
    query = parse(text)
    last = [stage for stage in query.stages if _aggregates(stage)][-1:]
    return tuple(_keys(last[0])) if last else None


def sample_query(text: str, group: Mapping[str, Json]) -> str:
    r"""What the query does before it aggregates, narrowed to the events of one group.

    >>> sample_query("a or b | stats count() by service, user", {"service": 'a "b"\\', "user": None})
    '(a or b) service="a \\"b\\"\\\\" -user:*'
    >>> sample_query("timeout | extend u = lower(user) | stats count() by u", {"u": "x"})
    'timeout | extend u = lower(user) | where u = "x"'

    :raises QueryError: the query is wrong
    """
    before, is_search, keys = _before(text)
    fields = [(field, group[name]) for name, field in keys if name in group]
    if is_search:
        return " ".join([*([before] if before else []), *(_term(name, value) for name, value in fields)]) or "*"
    # Stages before may have made the field, so it is tested after them.
    return " | ".join([before, *(f"where {_condition(name, value)}" for name, value in fields)])


@lru_cache(maxsize=1_000)
def _before(text: str) -> tuple[str, bool, tuple[tuple[str, str], ...]]:
    """What a query does before it aggregates, whether that is a search alone, and the fields that its keys are."""
    query = parse(text)
    first = next((i for i, stage in enumerate(query.stages) if _aggregates(stage)), len(query.stages))
    keys = _keys(query.stages[first]) if first < len(query.stages) else {}
    fields = tuple((name, node.name) for name, node in keys.items() if isinstance(node, Name))
    before = text_before(query, first)
    if first == 0:
        before = _FROM_EVENTS.sub("", before).strip()
        if isinstance(query.search, Or):
            before = f"({before})"
        elif isinstance(query.search, Everything):
            before = ""
    return before, first == 0, fields


def _aggregates(stage: Stage) -> bool:
    return stage.name in ("stats", "timechart") or stage.name in KEYED


def _keys(stage: Stage) -> dict[str, Node]:
    """The columns of an aggregating stage that are keys and no times, with what they are made of."""
    named: list[Named] = []
    if stage.name == "stats":
        named = list(getattr(stage, "keys", ()))
    elif stage.name == "timechart":
        named = [key for key in [getattr(stage, "by", None)] if key is not None]
    elif stage.name == "patterns":
        return {"pattern": Name("pattern")}
    else:
        return {node.name: node for node in stage.nodes() if isinstance(node, Name)}
    keys = {key.name or label(key.node): key.node for key in named}
    return {
        name: node
        for name, node in keys.items()
        if not (isinstance(node, Call) and node.name == "bin") and not (isinstance(node, Name) and node.name in _TIMES)
    }


def text_before(query: Query, stage: int) -> str:
    """The text in front of a stage, without the pipe."""
    if stage >= len(query.stages):
        return query.text.strip()
    place: Place = query.stages[stage].at
    lines = query.text.split("\n")
    offset = sum(len(line) + 1 for line in lines[: place.line - 1]) + place.column - 1
    return query.text[:offset].rstrip().removesuffix("|").strip()


def _term(field: str, value: Json) -> str:
    """A search term that is true for this value of a field."""
    return f"-{_name(field)}:*" if value is None else f"{_name(field)}={_literal(value)}"


def _condition(field: str, value: Json) -> str:
    """An expression that is true for this value of a column."""
    return f"{_name(field)} is null" if value is None else f"{_name(field)} = {_literal(value)}"


def _name(field: str) -> str:
    if _PLAIN.fullmatch(field):
        return field
    escaped = field.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def _literal(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
