"""Columns that are filled value by value, where a format has to be read event by event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
import polars as pl

from .fields import KINDS, MAX_ATTRIBUTES, OVERFLOW, STANDARD, clean_name, column_name
from .overflow import joined

EXACT: Final = 2**53
"""Integers up to here keep their value as a double."""
_NONE: Final[tuple[list[int], list[Any]]] = ([], [])


class Columns:
    """Sparse columns by (field, kind) while lines are read one by one."""

    def __init__(self) -> None:
        self.sparse: dict[tuple[str, str], tuple[list[int], list[Any]]] = {}
        self.rows = 0
        self.names: dict[str, str] = {}

    def put(self, row: int, name: str, kind: str, value: object) -> None:
        """One value. Of two in one row the last counts, as everywhere in JSON."""
        field = self.names.get(name)
        if field is None:
            field = self.names[name] = clean_name(name)
        entry = self.sparse.get((field, kind))
        if entry is None:
            entry = self.sparse[field, kind] = ([], [])
        rows, values = entry
        if rows and rows[-1] == row:
            values[-1] = value
        else:
            rows.append(row)
            values.append(value)

    def extend(self, rows: Iterable[int], name: str, kind: str, values: Iterable[object]) -> None:
        """Many values of one field and kind."""
        mine = self.sparse.setdefault((clean_name(name), kind), ([], []))
        mine[0].extend(rows)
        mine[1].extend(values)

    def rows_of(self, field: str) -> set[int]:
        """The rows that have a value of the field, of whatever kind."""
        return {row for kind in KINDS for row in self.sparse.get((field, kind), _NONE)[0]}

    def frame(self) -> pl.DataFrame:
        """Dense columns; numbers of a field are one float column where that loses nothing."""
        for field in [field for field, kind in self.sparse if kind == "float"]:
            ints, floats = self.sparse.get((field, "int")), self.sparse[field, "float"]
            if ints and all(-EXACT < v < EXACT for v in ints[1]) and all(-EXACT < v < EXACT for v in floats[1]):
                merged = sorted(
                    zip(ints[0] + floats[0], [*map(float, ints[1]), *floats[1]], strict=True), key=lambda p: p[0]
                )
                self.sparse[field, "float"] = ([row for row, _ in merged], [value for _, value in merged])
                del self.sparse[field, "int"]
        self._overflow()
        columns: dict[str, pl.Series] = {}
        for (field, kind), (rows, values) in self.sparse.items():
            at = pl.Series(rows, dtype=pl.UInt32)
            take = pl.repeat(None, self.rows, dtype=pl.UInt32, eager=True).scatter(
                at, pl.Series(range(len(rows)), dtype=pl.UInt32)
            )
            columns[column_as_sent(field, kind, columns)] = pl.Series(values, dtype=KINDS[kind]).gather(take)
        return (
            pl.DataFrame(columns)
            if columns
            else pl.DataFrame({"message": pl.repeat(None, self.rows, dtype=pl.String, eager=True)})
        )

    def _overflow(self) -> None:
        """Move what goes beyond `MAX_ATTRIBUTES` columns, the rarest first, into one JSON object an event."""
        surplus = len(self.sparse) - MAX_ATTRIBUTES
        if surplus <= 0:
            return
        attributes = [key for key in self.sparse if key[0] not in STANDARD and key != (OVERFLOW, "json")]
        rest: dict[int, dict[str, Any]] = {}
        for field, kind in sorted(attributes, key=lambda key: len(self.sparse[key][0]))[: surplus + 1]:
            for row, value in zip(*self.sparse.pop((field, kind)), strict=True):
                rest.setdefault(row, {})[field] = msgspec.Raw(value.encode()) if kind == "json" else value
        own = dict(zip(*self.sparse.get((OVERFLOW, "json"), ((), ())), strict=True))
        texts = own | {row: joined(own.get(row), members) for row, members in rest.items()}
        rows = sorted(texts)
        self.sparse[OVERFLOW, "json"] = (rows, [texts[row] for row in rows])


def column_as_sent(field: str, kind: str, taken: Mapping[str, object]) -> str:
    """As sent, a standard name stays plain whatever its kind: `normalise` reads it."""
    field = clean_name(field)
    if field in STANDARD and field not in taken and kind != "json":
        return field
    return column_name(field, kind, taken)
