"""What an answer or a plan says of its segments: which are read, why not the others, what is cut."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pyarrow as pa

from ..storage.segment import Segment
from .plan import Given, Statement
from .scan import Seen
from .tree import Query

LACKING = "events may be missing in this answer: a file that holds some cannot be read"
"""What an answer says of damaged segments to somebody who does not see all of them."""


def segments_of(given: Given) -> set[int]:
    """The ids of all segments that the query and its sub-queries could have read."""
    return {id_ for part in given.every() for id_ in (*(segment.id for segment in part.segments), *part.skipped)}


def chosen(given: Given) -> dict[str, Any]:
    """Which segments are read, and why not the others."""
    reasons = dict(Counter(given.skipped.values()))
    return {
        "segments": {"read": len(given.segments), "pruned": len(given.skipped), "reasons": reasons},
        "rows": sum(segment.rows for segment in given.segments),
        "bytes": sum(segment.bytes for segment in given.segments),
    }


def lacking(segments: Sequence[Segment], why: str) -> str:
    """What an answer says of segments that it had to leave out for the same reason."""
    bounds = min(segment.min_time for segment in segments), max(segment.max_time for segment in segments)
    low, high = (datetime.fromtimestamp(ns // 10**9, UTC).isoformat() for ns in bounds)
    which = f"segment {segments[0].id}" if len(segments) == 1 else f"{len(segments)} segments"
    return (
        f"{sum(segment.rows for segment in segments)} events are missing in this answer: {which}, from {low} to "
        f"{high}, cannot be read: {why}"
    )


def in_part(given: Given) -> bool:
    """Whether who asks sees segments in part."""
    return any(isinstance(segment, Seen) for part in given.every() for segment in part.segments)


def rows_left(given: Given) -> float:
    """How many rows the token filters leave to be read; infinite where one segment's told nothing."""
    runs = [given.parts.get(segment.id) for segment in given.segments]
    return sum(math.inf if found is None else sum(last - first + 1 for first, last in found) for found in runs)


def scattered(chosen: Sequence[tuple[int, int]]) -> int:
    """How many runs of neighbours the rows make."""
    rows = sorted(chosen)
    return sum(after != (before[0], before[1] + 1) for before, after in pairwise(rows)) + bool(rows)


def is_sample(query: Query) -> bool:
    """Whether a stage leaves out what should be in the answer."""
    return any(stage.samples or any(map(is_sample, stage.queries())) for stage in query.stages)


def cut(table: pa.Table, statement: Statement) -> tuple[pa.Table, bool]:
    """The rows that may be shown, and whether that is all."""
    return (table, True) if table.num_rows <= statement.cut else (table.slice(0, statement.cut), False)
