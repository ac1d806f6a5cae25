"""What the catalog knows of a segment: enough to decide, without opening it, whether a query needs it.

A segment is immutable: once committed, neither its file nor these values change. It holds the events of one project
and one UTC day.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from ...plugins.fields import OVERFLOW

Checksum: TypeAlias = bytes  # in a class with a field `bytes`
INTERNAL = "_"  # physical columns whose names begin so are ours: `_template`, `_position`


class FieldColumn(msgspec.Struct, frozen=True, array_like=True):
    """One physical column: which field and kind it holds, under which name, and its bounds.

    `min` and `max` are exact for int, float, time (nanoseconds since the epoch) and severity, and None for the others
    or where all values are null. `nulls` counts the rows without a value. `size` are the bytes of its texts, which
    the file does not say; of segments of an earlier release it is not known, and 0.
    """

    field: str
    kind: str  # int float bool text json time severity
    column: str
    nulls: int
    min: int | float | None = None
    max: int | float | None = None
    size: int = 0


class Segment(msgspec.Struct, frozen=True):
    """A catalog row. Times are nanoseconds since the epoch; positions count commits, from 1, without gaps."""

    id: int
    project_id: int
    day: str
    min_time: int
    max_time: int
    rows: int
    bytes: int
    level: int
    min_position: int
    max_position: int
    columns: tuple[FieldColumn, ...]
    services: tuple[str | None, ...] | None
    hosts: tuple[str | None, ...] | None
    severities: int
    checksum: Checksum = b""
    """SHA-256 of the file."""

    @property
    def text_bytes(self) -> int:
        """What the texts of its events take, before compression; templates are few, and not counted."""
        return sum(column.size for column in self.columns if not column.column.startswith(INTERNAL))

    @property
    def overflow(self) -> FieldColumn | None:
        """The column with the fields that have none of their own, if there are such; see `plugins.overflow`."""
        return next((column for column in self.columns if column.field == OVERFLOW and column.kind == "json"), None)

    def kinds(self, field: str) -> tuple[FieldColumn, ...]:
        """The physical columns that hold the field, one for each kind it has here; none: it is null throughout."""
        return tuple(column for column in self.columns if column.field == field)
