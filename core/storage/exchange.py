"""Exchanging segments for others with their events, as compaction and erasing do, each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Sequence

from .cache import SegmentGoneError
from .catalog import insert_segment
from .database import Connection
from .encode import POSITION, EncodedSegment
from .files import Files, PreparedFile
from .segment import Segment


async def exchange(
    connection: Connection,
    files: Files,
    old: Sequence[Segment],
    fresh: Sequence[EncodedSegment],
    prepared: Sequence[PreparedFile],
    *,
    level: int,
) -> list[int]:
    """Take segments of one project out of the catalog and enter the fresh ones, whose bytes are `prepared`; their ids.

    All of the old ones must still be alive: so of two who exchange the same segment the slower fails, whatever he does.

    :raises SegmentGoneError: one was replaced meanwhile: the transaction must not commit
    """
    ids = [segment.id for segment in old]
    replaced = await connection.fetch(
        "update segment set replaced_at = now() where id = any($1) and replaced_at is null returning id", ids
    )
    if len(replaced) != len(ids):
        await files.abandon(prepared)
        raise SegmentGoneError(f"segments {sorted(set(ids) - {row[0] for row in replaced})} were replaced meanwhile")
    written = []
    for encoded, file in zip(fresh, prepared, strict=True):
        stored = await files.insert(connection, file, level=level)
        await insert_segment(connection, stored, old[0].project_id, encoded, level=level, positions=_positions(encoded))
        written.append(stored.id)
    return written


def _positions(encoded: EncodedSegment) -> tuple[int, int]:
    """The first and the last commit of the events of a segment that was written anew."""
    column = next(column for column in encoded.columns if column.column == POSITION)
    assert isinstance(column.min, int)
    assert isinstance(column.max, int)
    return column.min, column.max
