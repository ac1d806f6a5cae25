"""`QueryResult`: an answer, as columns in Arrow and as rows in JSON values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa

from ...plugins import NOT_JSON
from .plan import Output, Statement
from .severity import severity_name

Json: TypeAlias = Any
CHUNK = 10_000  # rows turned to Python at a time


class ResultColumn(msgspec.Struct, frozen=True):
    """A column: `type` is int, float, number, bool, text, json, time, severity, duration, mixed or null."""

    name: str
    type: str


class QueryStats(msgspec.Struct, frozen=True):
    """What the query cost. Rows and bytes are those of the segments that were opened."""

    elapsed_ms: float = 0.0
    rows_scanned: int = 0
    bytes_scanned: int = 0
    segments_scanned: int = 0
    segments_pruned: int = 0
    segments_cached: int = 0


@dataclass(frozen=True)
class QueryResult:
    """An answer. `complete` is false where a limit cut it, `sampled` true where it is of a sample.

    `table` has a column for each kind of each output. `age`: of another's answer, the seconds since its turn began.
    `written`: the rows as JSON, once somebody has written them, for those who get the same answer.
    """

    id: str
    outputs: Sequence[Output]
    table: pa.Table
    stats: QueryStats = field(default_factory=QueryStats)
    warnings: tuple[str, ...] = ()
    complete: bool = True
    sampled: bool = False
    age: float = 0.0
    written: list[bytes] = field(default_factory=list)

    @property
    def columns(self) -> tuple[ResultColumn, ...]:
        """The columns in order."""
        return tuple(ResultColumn(output.name, output.type) for output in self.outputs)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def rows(self) -> Iterator[list[Json]]:
        """The rows as JSON values: times RFC 3339 with nanoseconds, levels by name, durations in seconds."""
        return rows_of(self.outputs, self.table)

    def objects(self) -> Iterator[dict[str, Json]]:
        """The rows as objects without nulls: for events the form of the contract."""
        names = [output.name for output in self.outputs]
        for row in self.rows():
            yield {name: value for name, value in zip(names, row, strict=True) if value is not None}


def rows_of(outputs: Sequence[Output], table: pa.Table) -> Iterator[list[Json]]:
    """See `QueryResult.rows`."""
    for start in range(0, table.num_rows, CHUNK):
        part = table.slice(start, CHUNK)
        columns = [cells(output, part) for output in outputs]
        if columns:
            yield from (list(row) for row in zip(*columns, strict=True))
        else:
            yield from ([] for _ in range(part.num_rows))


def cells(output: Output, table: pa.Table) -> list[Json]:
    """A column's values; of several kinds the one that is not null."""
    found: list[Json] | None = None
    for kind, name in output.kinds:
        values = shown(kind, table.column(name))
        found = values if found is None else [a if a is not None else b for a, b in zip(found, values, strict=True)]
    return found if found is not None else [None] * table.num_rows


def python_values(column: Any) -> list[Any]:
    """The values of an Arrow column; its stubs' types are narrower than what they say."""
    values: list[Any] = column.to_pylist()
    return values


def shown(kind: str, column: Any) -> list[Json]:
    """The values of one kind as JSON values."""
    match kind:
        case "time":
            ns: Any = column.cast(pa.timestamp("ns")).cast(pa.int64()).fill_null(0).to_numpy().astype("datetime64[ns]")
            texts: list[str] = np.datetime_as_string(ns, unit="ns").tolist()
            return [f"{text}Z" if ok else None for text, ok in zip(texts, column.is_valid().to_pylist(), strict=True)]
        case "severity":
            return [severity_name(number) for number in column.to_pylist()]
        case "json":
            return [None if text is None else decoded(text) for text in column.to_pylist()]
        case "float":
            return [value if value is not None and math.isfinite(value) else None for value in column.to_pylist()]
        case "duration":
            return [None if ns is None else ns / 1e9 for ns in column.to_pylist()]
    return python_values(column)


def decoded(text: str) -> Json:
    """JSON text as a value; text that is none, or nested too deep, stays as it is. Integers keep all their digits."""
    try:
        return msgspec.json.decode(text)
    except NOT_JSON:
        return text


def worth_showing(statement: Statement, table: pa.Table) -> list[Output]:
    """The columns to show: where no stage chose them, those that have a value."""
    first = ("timestamp", "severity", "service", "host", "message")
    return [
        output
        for output in statement.outputs
        if not statement.is_open
        or output.name in first
        or any(table.column(name).null_count < table.num_rows for _, name in output.kinds)
    ]


def in_order(table: pa.Table, statement: Statement, chosen: Sequence[tuple[int, int]]) -> pa.Table:
    """The rows of `plan_fetch` in the order in which they were chosen."""
    places, rows = (python_values(column) for column in table.columns[-2:])
    found = {(statement.segments[place], row): i for i, (place, row) in enumerate(zip(places, rows, strict=True))}
    return table.take(pa.array([found[row] for row in chosen if row in found], pa.int64()))
