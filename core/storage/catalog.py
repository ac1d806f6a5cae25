"""The catalog: which segments there are, in one snapshot of PostgreSQL."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec

from .database import Connection
from .encode import EncodedSegment
from .files import StoredFile
from .segment import FieldColumn, Segment

_KNOWN = 20_000  # segments whose description is kept in memory (they never change): about 2 KB each

_LIVE = """
select id from segment
where project_id = $1 and replaced_at is null
  and ($2::bigint is null or max_time >= $2) and ($3::bigint is null or min_time < $3)
  and ($4::bigint is null or max_position > $4) and ($5::bigint is null or min_position <= $5)
order by max_time desc, id desc
"""
_DESCRIBE = """
select id, project_id, day, min_time, max_time, rows, bytes, level, min_position, max_position,
       columns, services, hosts, severities, checksum
from segment where id = any($1::bigint[])
"""
_INSERT = """
insert into segment (id, project_id, day, min_time, max_time, rows, bytes, level, min_position, max_position,
                     columns, services, hosts, severities, place, part, checksum, object)
values ($1, $2, $3::text::date, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
"""


class Catalog:
    """Reads the catalog; each answer is one snapshot, in which a segment and its replacement never both occur.

    Which segments live is one statement; what they are like never changes, and is asked for once.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._known: OrderedDict[int, Segment] = OrderedDict()

    async def segments(
        self,
        project_id: int,
        from_ns: int | None = None,
        to_ns: int | None = None,
        after_position: int | None = None,
        upto_position: int | None = None,
    ) -> list[Segment]:
        """The segments that may hold events of the range, newest first.

        Times in nanoseconds, `from_ns` inclusive and `to_ns` exclusive; positions with `after < position <= upto`.
        """
        async with self._pool.acquire() as connection:
            while True:
                rows = await connection.fetch(_LIVE, project_id, from_ns, to_ns, after_position, upto_position)
                known = self._known  # `forget` may exchange it meanwhile
                unknown = [row[0] for row in rows if row[0] not in known]
                found = {r["id"]: _segment(r) for r in await connection.fetch(_DESCRIBE, unknown)} if unknown else {}
                if len(found) == len(unknown):  # else one was replaced, and its row deleted, between the statements
                    break
        answer = [found.get(row[0]) or known[row[0]] for row in rows]
        for segment in answer:
            self._known[segment.id] = segment
            self._known.move_to_end(segment.id)
        while len(self._known) > _KNOWN:
            self._known.popitem(last=False)
        return answer

    def forget(self) -> None:
        """Drop the descriptions kept in memory: they hold values of segments that may be gone for good."""
        self._known = OrderedDict()

    async def head(self, project_id: int) -> int:
        """The last committed position; 0 before the first commit."""
        return int(await self._pool.fetchval("select head from segment_log where project_id = $1", project_id) or 0)

    async def heads(self, project_ids: Sequence[int]) -> dict[int, int]:
        """The last committed position of each project that has one."""
        rows = await self._pool.fetch(
            "select project_id, head from segment_log where project_id = any($1::bigint[])", project_ids
        )
        return {row["project_id"]: row["head"] for row in rows}

    async def totals(self, project_id: int) -> dict[str, int]:
        """Counts over all live segments: `count`, `rows`, `bytes`."""
        rows = await self._pool.fetch(
            "select count(*), coalesce(sum(rows), 0)::bigint, coalesce(sum(bytes), 0)::bigint "
            "from segment where project_id = $1 and replaced_at is null",
            project_id,
        )
        return dict(zip(("count", "rows", "bytes"), rows[0], strict=True))

    async def unmerged(self, project_id: int) -> int:
        """How many live segments are as they were committed."""
        return int(
            await self._pool.fetchval(
                "select count(*) from segment where project_id = $1 and replaced_at is null and level = 0", project_id
            )
        )


async def insert_segment(
    connection: Connection,
    stored: StoredFile,
    project_id: int,
    encoded: EncodedSegment,
    *,
    level: int,
    positions: tuple[int, int],
) -> None:
    """Enter a segment into the catalog; its bytes are stored already, in this transaction or in their place."""
    await connection.execute(
        _INSERT,
        stored.id,
        project_id,
        encoded.day,
        encoded.min_time,
        encoded.max_time,
        encoded.rows,
        len(encoded.data),
        level,
        *positions,
        encoded.columns,
        encoded.services,
        encoded.hosts,
        encoded.severities,
        stored.place,
        stored.part,
        stored.checksum,
        stored.object,
    )


def _segment(row: Any) -> Segment:
    values = dict(row)
    values["day"] = values["day"].isoformat()
    values["columns"] = msgspec.convert(values["columns"], tuple[FieldColumn, ...])
    for name in ("services", "hosts"):
        values[name] = None if values[name] is None else tuple(values[name])
    return Segment(**values)
