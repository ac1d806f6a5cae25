"""What is asked of the engine, and what it needs from the store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from ..storage.segment import Segment

DEFAULT_LIMIT = 1000  # events of an answer where nobody says otherwise
MAX_ROWS = 100_000  # rows of an aggregation's answer where nobody says otherwise
MOST_ROWS = 10_000_000  # that anybody can ask for


class Mask(msgspec.Struct, frozen=True):
    """A field that is not shown as it is: as a hash, which is the same for equal values, or as stars."""

    field: str
    how: Literal["hash", "stars"] = "stars"


class Rights(msgspec.Struct, frozen=True):
    """What a role may see: the events that `search` finds, with some fields masked (rights.py).

    `salt` goes into the hashes, so that nobody can try values.
    """

    role: str
    search: str = ""
    masks: tuple[Mask, ...] = ()
    salt: str = ""


class QueryRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A query with its range. Times are nanoseconds since the epoch, `to_ns` exclusive; `timeout` is seconds.

    `max_age`: who asks takes an answer to a question that was equal up to so many seconds before (together.py).

    `after_position` (exclusive) and `upto_position` (inclusive) bound the commits that are read. `is_admin`: who asks
    may read what is for administrators. `rights`: who asks sees no more than these let through; None: all. `principal`:
    who takes turns with others (turns.py); "": the node itself.
    """

    text: str
    project_id: int
    now_ns: int
    from_ns: int | None = None
    to_ns: int | None = None
    limit: int | None = None
    timezone: str = "UTC"
    timeout: float = 30.0
    max_age: float = 0.0
    after_position: int | None = None
    upto_position: int | None = None
    id: str | None = None
    is_admin: bool = False
    rights: Rights | None = None
    principal: str = ""


class Catalog(Protocol):
    """Which segments there are."""

    async def segments(
        self,
        project_id: int,
        from_ns: int | None = None,
        to_ns: int | None = None,
        after_position: int | None = None,
        upto_position: int | None = None,
    ) -> Sequence[Segment]:
        """One snapshot, newest `max_time` first. `from_ns` and `upto_position` are inclusive, the others exclusive."""


class Cache(Protocol):
    """The segments' files on local disk."""

    @property
    def folder(self) -> Path:
        """Where all files lie: the only folder that DuckDB may read."""

    async def paths(self, segments: Sequence[Segment]) -> dict[int, Path]:
        """Segment id → Parquet file, fetched where missing.

        :raises SegmentGoneError: if one was compacted away meanwhile; the catalog must be read anew.
        """
