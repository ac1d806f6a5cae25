"""What fields there are, and what is in them: for the field list of the interface and for completion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pyarrow as pa

from . import sql
from .plan import Given, Statement, apply_stages, relation_of, sources_of, written
from .stages.top import Top
from .tree import Everything, Name, Named, Query
from .value import present


class FieldSummary(msgspec.Struct, frozen=True):
    """A field: the kinds its values have, and how many events have one."""

    name: str
    type: str
    count: int


class FieldInventory(msgspec.Struct, frozen=True):
    """The fields of what a query finds. Where segments are damaged their events are missing: `warnings` says which."""

    fields: tuple[FieldSummary, ...]
    warnings: tuple[str, ...] = ()
    complete: bool = True


class FieldValues(msgspec.Struct, frozen=True):
    """A field's most frequent values, as (value, count), the most frequent first; the rest as `FieldInventory`."""

    values: tuple[tuple[Any, int], ...]
    warnings: tuple[str, ...] = ()
    complete: bool = True


def known_fields(given: Given) -> list[FieldSummary] | None:
    """The fields by the catalog alone; None where only some rows of the segments count."""
    query, bounds = given.query, given.bounds
    is_whole = all(bounds.covers_time(s) and bounds.covers_positions(s) for s in given.segments)
    if query.stages or not isinstance(query.search, Everything) or not is_whole:
        return None
    counts: dict[str, int] = {}
    for segment in given.segments:
        for column in segment.columns:
            counts[column.field] = counts.get(column.field, 0) + segment.rows - column.nulls
    outputs = relation_of(given).output()
    return [FieldSummary(name, value.type, counts[name]) for name, value in outputs.items() if counts.get(name)]


def plan_fields(given: Given, files: Mapping[int, str]) -> tuple[Statement, dict[str, str]]:
    """A statement that counts the values of every column; the names of its columns, and each column's type."""
    relation = apply_stages(given, relation_of(given), given.query.stages)
    columns = relation.output()
    counts = [sql.alias(sql.call("count_if", present(value)), f"n{i}") for i, value in enumerate(columns.values())]
    select = relation.select(*counts or [sql.alias(sql.integer(0), "nothing")])
    types = {name: value.type for name, value in columns.items()}
    return Statement(written(relation, select, sources_of(given, relation, files)), (), 1), types


def counted_fields(table: pa.Table, types: Mapping[str, str]) -> list[FieldSummary]:
    """The fields that have a value, by the answer of `plan_fields`."""
    found = []
    for i, (name, type_) in enumerate(types.items()):
        count: Any = table.column(f"n{i}")[0].as_py()
        if count:
            found.append(FieldSummary(name, type_, int(count)))
    return found


def query_of_values(query: Query, name: str, limit: int) -> Query:
    """The query for a field's most frequent values."""
    top = Top(keys=(Named(Name(name), "value", query.search.at),), count=limit)
    return Query(query.search, (*query.stages, top), query.text, query.head)
