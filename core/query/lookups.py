"""Lookup tables as queries see them: columns of known kinds, and rows that DuckDB reads from memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from . import sql
from .tree import Mistake, Place
from .value import Value, one

LINE = "line"  # the number of a row in its table: of rows with equal keys the first counts


@dataclass(frozen=True)
class Lookup:
    """A table: each column's kind and its name in `data`, in order; `data` also has the rows' numbers."""

    name: str
    columns: Mapping[str, tuple[str, str]]
    data: pa.Table = field(compare=False)

    @property
    def view(self) -> str:
        """Its name in a statement; no field and no step is called so."""
        return f"lookup:{self.name}"

    def values(self) -> dict[str, Value]:
        """The columns over `view`."""
        return {name: one(kind, sql.column(column)) for name, (kind, column) in self.columns.items()}


class LookupTables(Protocol):
    """Where the tables are."""

    async def tables(self, project_id: int, names: Collection[str]) -> Mapping[str, Lookup]:
        """The tables of these names, as far as there are."""


def table_of(lookups: Mapping[str, Lookup] | None, name: str, at: Place) -> Lookup | None:
    """The table of a name; None: nobody knows which there are, where a query is only checked.

    :raises Mistake: there is none.
    """
    if lookups is None:
        return None
    if name not in lookups:
        raise Mistake(f"no lookup table `{name}`", at, "`cordwood lookup list` and /api/v1/lookups say which there are")
    return lookups[name]
