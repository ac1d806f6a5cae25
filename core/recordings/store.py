"""Recorded series in PostgreSQL: figures by step, totals that only grow, and how far each recording has come."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import asyncpg
import msgspec

from ...config import RecordingSettings
from ..alerting.records import to_datetime
from ..storage.database import Connection

Labels: TypeAlias = Mapping[str, str]
MAX_ERROR = 1_000  # characters
_SWEPT = 20_000  # figures that one pass of `sweep` takes
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# `$4`: whether the figures are added to the totals. What a step had counted is never taken back.
_WRITE = """
with fresh as (
    select f.*, coalesce(s.counted, 0) as counted
    from unnest($1::bigint[], $2::timestamptz[], $3::double precision[]) as f (series_id, at, value)
    left join metric_sample s on s.series_id = f.series_id and s.at = f.at
), written as (
    insert into metric_sample (series_id, at, value, counted)
    select series_id, at, value, case when $4 then greatest(value, counted) else counted end from fresh
    on conflict (series_id, at) do update set value = excluded.value, counted = excluded.counted
)
update metric_series m set total = m.total + a.more
from (select series_id, sum(greatest(value - counted, 0)) as more from fresh group by series_id) as a
where m.id = a.series_id and $4
"""
# What a step had, and has no more: its events were deleted, or `where` lets it through no more.
_CLEAR = """
update metric_sample s set value = null from metric_series m
where m.id = s.series_id and m.project_id = $1 and m.recording = $2 and s.at >= $3 and s.at < $4
  and s.value is not null
  and not exists (select from unnest($5::bigint[], $6::timestamptz[]) as f (series_id, at)
                  where f.series_id = s.series_id and f.at = s.at)
"""
_SWEEP = """
delete from metric_sample where (series_id, at) in (
    select s.series_id, s.at from recording_state r
    join metric_series m on m.project_id = r.project_id and m.recording = r.name
    join metric_sample s on s.series_id = m.id and s.at < $2::timestamptz - r.keep
    where r.project_id = $1 limit $3)
"""
_NEWEST = """
select m.recording, m.labels, m.total, s.value
from metric_series m
join recording_state r on r.project_id = m.project_id and r.name = m.recording
left join metric_sample s on s.series_id = m.id and s.at = r.recorded_until - r.step
where m.project_id = $1 and m.recording = $2 order by m.id
"""


class Figure(msgspec.Struct, frozen=True):
    """One figure of one series. `at_ns` is where its step begins."""

    labels: Labels
    at_ns: int
    value: float


class RecordingState(msgspec.Struct, frozen=True):
    """How far a recording has come."""

    since: datetime
    recorded_until: datetime
    position: int
    dropped: int
    error: str | None
    series: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """A series as Prometheus is told of it. `value` is that of the newest step; None: it has none."""

    labels: Labels
    total: float
    value: float | None


async def states(connection: asyncpg.Pool[Any] | Connection, project_id: int) -> dict[str, RecordingState]:
    """All recordings that there are or have been, by name."""
    rows = await connection.fetch(
        """
        select r.name, r.since, r.recorded_until, r.position, r.dropped, r.error,
               (select count(*) from metric_series m
                where m.project_id = r.project_id and m.recording = r.name) as series
        from recording_state r where r.project_id = $1
        """,
        project_id,
    )
    return {row["name"]: RecordingState(*list(row.values())[1:]) for row in rows}


async def newest(pool: asyncpg.Pool[Any], project_id: int, name: str) -> list[Recorded]:
    """The series of a recording, as they are after its newest step."""
    rows = await pool.fetch(_NEWEST, project_id, name)
    return [Recorded(row["labels"], row["total"], row["value"]) for row in rows]


async def enter(
    connection: Connection, project_id: int, name: str, settings: RecordingSettings, since_ns: int
) -> RecordingState:
    """The state of a recording; one that is new begins at `since_ns`, one with another step where the old one ended."""
    await connection.execute(
        """
        insert into recording_state (project_id, name, since, recorded_until, step, keep)
        values ($1, $2, $3, $3, $4, $5)
        on conflict (project_id, name) do update set keep = excluded.keep, step = excluded.step,
            since = case when recording_state.step = excluded.step then recording_state.since
                         else recording_state.recorded_until end
        """,
        project_id,
        name,
        to_datetime(since_ns),
        settings.every,
        settings.keep,
    )
    return (await states(connection, project_id))[name]


async def advance(
    connection: Connection, project_id: int, name: str, *, until_ns: int, position: int, dropped: int
) -> None:
    """Note that the steps before `until_ns` are recorded, with the events up to the position."""
    await connection.execute(
        """
        update recording_state set recorded_until = $3, position = $4, dropped = dropped + $5, error = null
        where project_id = $1 and name = $2
        """,
        project_id,
        name,
        to_datetime(until_ns),
        position,
        dropped,
    )


async def fail(connection: Connection, project_id: int, name: str, error: str) -> None:
    """Note why a recording does not go on."""
    await connection.execute(
        "update recording_state set error = $3 where project_id = $1 and name = $2",
        project_id,
        name,
        error.replace("\0", "")[:MAX_ERROR],
    )


async def write(
    connection: Connection,
    project_id: int,
    name: str,
    figures: Sequence[Figure],
    span: tuple[int, int],
    *,
    most: int,
    counts: bool,
) -> int:
    """Make the figures of a range of steps these, in the caller's transaction; how many were left out.

    Series that are known come first, then new ones in the order of the figures, `most` in all.
    """
    # Two at once would both find room for a series, and count a step twice.
    await connection.fetchval(
        "select 1 from recording_state where project_id = $1 and name = $2 for update", project_id, name
    )
    ids = await _series(connection, project_id, name, figures, most)
    kept = [(ids[key], to_datetime(one.at_ns), one.value) for one in figures if (key := digest(one.labels)) in ids]
    series, times, values = ([row[i] for row in kept] for i in range(3))
    await connection.execute(_CLEAR, project_id, name, to_datetime(span[0]), to_datetime(span[1]), series, times)
    await connection.execute(_WRITE, series, times, values, counts)
    return len(figures) - len(kept)


async def _series(
    connection: Connection, project_id: int, name: str, figures: Sequence[Figure], most: int
) -> dict[bytes, int]:
    """The number of each series by its digest; those that are new are made while there is room."""
    known = {
        row["digest"]: row["id"]
        for row in await connection.fetch(
            "select id, digest from metric_series where project_id = $1 and recording = $2", project_id, name
        )
    }
    fresh = {key: one.labels for one in figures if (key := digest(one.labels)) not in known}
    room = list(fresh.items())[: max(0, most - len(known))]
    made = await connection.fetch(
        """
        insert into metric_series (project_id, recording, labels, digest)
        select $1, $2, f.labels, f.digest from unnest($3::jsonb[], $4::bytea[]) as f (labels, digest)
        returning digest, id
        """,
        project_id,
        name,
        [dict(labels) for _, labels in room],
        [key for key, _ in room],
    )
    return known | {row["digest"]: row["id"] for row in made}


async def sweep(connection: Connection, project_id: int, now_ns: int) -> None:
    """Take out what is older than its recording keeps, and series that have nothing left; a bounded part at a time."""
    await connection.execute(_SWEEP, project_id, to_datetime(now_ns), _SWEPT)
    await connection.execute(
        """
        delete from metric_series m where m.project_id = $1
          and not exists (select from metric_sample s where s.series_id = m.id)
        """,
        project_id,
    )


def digest(labels: Labels) -> bytes:
    """What tells series of one recording apart.

    >>> digest({"a": "1", "b": "2"}) == digest({"b": "2", "a": "1"}) != digest({"a": "1"})
    True
    """
    return hashlib.sha256(msgspec.json.encode(sorted(labels.items()))).digest()


def nanoseconds_of(at: datetime) -> int:
    """Nanoseconds since the epoch.

    >>> nanoseconds_of(to_datetime(1769850000000000000))
    1769850000000000000
    """
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000
