"""What an answer or a plan says of its segments: which are read, why not the others, what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ..storage.segment import Segment
from .plan import Given


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
