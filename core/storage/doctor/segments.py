"""Every segment: are its bytes there, are they those that were written, and do they hold what the catalog says.

PostgreSQL computes the checksums, so only the files' footers (some KB each) leave it. Segments elsewhere are read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import anyio.to_thread
import asyncpg
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from ..database import DAMAGED
from ..encode import POSITION
from ..files import Files
from ..parts import POSTGRESQL
from .examination import Examination
from .finding import Finding, fail, listed, ok, warn

_AT_ONCE_BYTES = 64 << 20
_AT_ONCE = 500
_MAGIC = b"PAR1"
_LIVE = """
select s.id, p.name as project, s.place, s.rows, s.bytes, s.min_time, s.max_time, s.min_position, s.max_position
from segment s join project p on p.id = s.project_id where s.replaced_at is null order by s.place, s.part, s.id
"""
_CHECK = """
select s.id, sha256(f.data) = s.checksum as right, f.data is null as missing, substr(f.data, length(f.data) - 7) as tail
from segment s left join segment_file f on f.segment_id = s.id and f.part = s.part
where s.id = any($1::bigint[]) and s.replaced_at is null and s.place = 'postgresql'
"""
_FOOTERS = """
select s.id, substr(f.data, length(f.data) - 7 - w.size) as footer
from unnest($1::bigint[], $2::integer[]) w (id, size) join segment s using (id)
join segment_file f on f.segment_id = s.id and f.part = s.part
"""
_ROWS_WITHOUT = """
select count(*) from segment_file f
where not exists (select from segment s where s.id = f.segment_id)
"""
_STRAYS = "select place, count(*) from stray_object group by place order by place"
_MEND = (
    "a backup may have its bytes; else its events are lost, and `update cordwood.segment set replaced_at = now() "
    "where id = {id}` gives them up: see docs/doctor.md"
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A segment as the catalog has it."""

    id: int
    project: str
    place: str
    rows: int
    bytes: int
    min_time: int
    max_time: int
    min_position: int
    max_position: int

    @property
    def where(self) -> str:
        low, high = (datetime.fromtimestamp(ns // 10**9, UTC).isoformat() for ns in (self.min_time, self.max_time))
        return f"segment {self.id} of project {self.project}, {self.rows} events from {low} to {high}"

    def problem(self, found: str) -> Finding:
        return fail("segments", found, _MEND.format(id=self.id), where=self.where)


async def segments(examination: Examination) -> AsyncIterator[Finding]:
    """Checksums and descriptions of all segments."""
    rows = [_Row(*row) for row in await examination.pool.fetch(_LIVE)]
    total, done, problems, unreachable = sum(row.bytes for row in rows), 0, [], set()
    examination.progress(0, total)
    for group in _groups(rows):
        if group[0].place == POSTGRESQL:
            problems += await _in_postgresql(examination.pool, group)
        elif group[0].place in examination.places.known:
            problems += await _elsewhere(examination, group)
        else:
            unreachable.add(group[0].place)
        done += sum(row.bytes for row in group)
        examination.progress(done, total)
    for finding in listed(problems):
        yield finding
    for place in sorted(unreachable):
        count = sum(row.place == place for row in rows)
        mend = "name the pipeline file that has it: cordwood doctor PIPELINE.yaml"
        yield warn("segments", f"{count} segments were not checked: their place is not configured", mend, where=place)
    if not problems and not unreachable:
        events = sum(row.rows for row in rows)
        yield ok("segments", f"{len(rows)} with {events} events, {total / 1e6:,.1f} MB: all as they were written")


async def leftovers(examination: Examination) -> AsyncIterator[Finding]:
    """Bytes of segments that the catalog does not know: upkeep truncates them with their part, and deletes objects."""
    count = await examination.pool.fetchval(_ROWS_WITHOUT)
    yield ok("leftovers", f"bytes of {count} segments that are gone wait for their part to be emptied")
    for place, objects in await examination.pool.fetch(_STRAYS):
        yield ok("leftovers", f"{objects} objects are being written, or wait to be deleted", where=f"place {place}")


async def _in_postgresql(pool: asyncpg.Pool, group: Sequence[_Row]) -> list[Finding]:
    """What is wrong with these segments; those that were replaced meanwhile are left out."""
    ids = [row.id for row in group]
    try:
        found = {row["id"]: row for row in await pool.fetch(_CHECK, ids)}
        whole = {id_: row["tail"] for id_, row in found.items() if row["right"] and row["tail"][4:] == _MAGIC}
        sizes = [int.from_bytes(tail[:4], "little") for tail in whole.values()]
        footers = {row["id"]: row["footer"] for row in await pool.fetch(_FOOTERS, list(whole), sizes)}
    except DAMAGED as why:
        if len(group) == 1:
            return [group[0].problem(f"PostgreSQL cannot read its bytes: {why}")]
        return [problem for row in group for problem in await _in_postgresql(pool, [row])]
    problems = []
    for row in group:
        if row.id not in found:
            continue
        if found[row.id]["missing"]:
            problems.append(row.problem("its bytes are missing"))
        elif not found[row.id]["right"]:
            problems.append(row.problem("its bytes are not those that were written"))
        elif row.id not in whole:
            problems.append(row.problem("its file is no segment"))
        elif row.id in footers and (differs := await anyio.to_thread.run_sync(_differs, row, footers[row.id])):
            problems.append(row.problem(differs))
    return problems


async def _elsewhere(examination: Examination, group: Sequence[_Row]) -> list[Finding]:
    """The same for segments in another place: their bytes are read."""
    problems = []
    for row in group:
        for file in await Files(examination.pool, examination.places).read([row.id]):
            if file.data is None and file.passing:
                mend = "see that the place answers, and look again"
                problems.append(fail("segments", file.problem, mend, where=row.where))
            elif file.data is None:
                problems.append(row.problem(file.problem))
            elif why := await anyio.to_thread.run_sync(_differs, row, _footer(file.data)):
                problems.append(row.problem(why))
    return problems


def _footer(data: bytes) -> bytes:
    """The end of a Parquet file from its footer on."""
    return data[-8 - int.from_bytes(data[-8:-4], "little") :]


def _differs(row: _Row, footer: bytes) -> str:
    """In what the file differs from what the catalog says of it; empty: in nothing."""
    try:
        metadata = pq.read_metadata(pa.BufferReader(_MAGIC + footer))
        columns = msgspec.json.decode((metadata.metadata or {})[b"cordwood"])["columns"]
    except (pa.ArrowInvalid, KeyError, OSError, msgspec.DecodeError) as why:
        return f"its file is no segment: {why}"
    spans: dict[str, Any] = {column: (low, high) for _, _, column, _, low, high in columns}
    if metadata.num_rows != row.rows:
        return f"its file has {metadata.num_rows} events, the catalog says {row.rows}"
    if spans["timestamp"] != (row.min_time, row.max_time):
        return "the catalog has another range of times than its file"
    if POSITION in spans and spans[POSITION] != (row.min_position, row.max_position):
        return "the catalog has another range of positions than its file"
    return ""


def _groups(rows: Sequence[_Row]) -> list[list[_Row]]:
    """Neighbours in one place whose bytes fit the bound together."""
    groups: list[list[_Row]] = []
    size = 0
    for row in rows:
        last = groups[-1] if groups else []
        if not last or last[0].place != row.place or size + row.bytes > _AT_ONCE_BYTES or len(last) >= _AT_ONCE:
            groups.append([])
            size = 0
        groups[-1].append(row)
        size += row.bytes
    return groups


CHECKS = (segments, leftovers)
