"""The answer of a query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name and its type in words of the query language."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows in the order of the query: a value for each column, None where there is none.

    `complete` is False where a limit cut rows off.
    """

    id: str
    columns: tuple[Column, ...]
    rows: list[list[Any]]
    stats: dict[str, Any]
    warnings: tuple[str, ...]
    complete: bool

    @classmethod
    def of(cls, found: dict[str, Any]) -> Answer:
        """The answer in a JSON body."""
        columns = tuple(Column(column["name"], column["type"]) for column in found["columns"])
        return cls(
            found["id"], columns, found["rows"], found["stats"], tuple(found["warnings"]), bool(found["complete"])
        )

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Each row as a mapping by column."""
        names = [column.name for column in self.columns]
        for row in self.rows:
            yield dict(zip(names, row, strict=True))
