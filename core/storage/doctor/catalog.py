"""The catalog by itself: positions, numbers, parts, checkpoints, and whether anybody looks after it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from .examination import Examination
from .finding import Finding, fail, listed, ok, warn

UNMERGED = 512
"""Commits that wait longer than ten minutes for being merged: twice what a burst leaves."""

_HEADS = """
select p.name, l.head, max(s.max_position) as last, count(s.id) as segments
from project p left join segment_log l on l.project_id = p.id
left join segment s on s.project_id = p.id and s.replaced_at is null
group by p.id, p.name, l.head order by p.id
"""
_TWICE = """
select p.name, s.min_position, array_agg(s.id order by s.id) as ids
from segment s join project p on p.id = s.project_id
where s.replaced_at is null and s.level = 0 group by p.name, s.min_position having count(*) > 1
"""
_NONSENSE = """
select s.id, p.name from segment s join project p on p.id = s.project_id
where s.replaced_at is null and (s.min_time > s.max_time or s.min_position > s.max_position or s.min_position < 1)
order by s.id
"""
# Retention and deletions are in the audit log; where neither was, a position that no segment has is lost.
_GAPS = """
select p.name, lower(gap) as first, upper(gap) - 1 as last, exists(
    select from audit a
    where coalesce(a.project_id, p.id) = p.id and split_part(a.what, '.', 1) in ('deletion', 'retention')
) as explained
from project p join segment_log l on l.project_id = p.id,
lateral unnest(int8multirange(int8range(1, l.head, '[]')) - coalesce((
    select range_agg(int8range(min_position, max_position, '[]')) from segment
    where project_id = p.id and replaced_at is null), '{}')) gap
where l.head > 0 order by p.id, first
"""
_CURRENT = "select kind, count(*) filter (where current) as current from segment_part group by kind order by kind"
_SEQUENCE = """
select (select last_value from segment_id) as last, coalesce(max(id), 0) as highest from segment
"""
_CHECKPOINTS = """
select source, key, value = 'null'::jsonb as empty, updated_at > now() + interval '1 hour' as future
from checkpoint where value = 'null'::jsonb or updated_at > now() + interval '1 hour' order by source, key
"""
_WAITING = """
select (select count(*) from segment where replaced_at is null and level = 0
        and created_at < now() - interval '10 minutes') as unmerged,
       (select count(*) from segment where replaced_at < now() - interval '1 hour') as unswept
"""


_DELETIONS = """
select id, state, unreadable, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as since from deletion d
where state = 'running' and created_at < now() - interval '1 hour'
   or state = 'incomplete' and exists(select from segment where id = any(d.unreadable) and replaced_at is null)
order by id
"""


async def positions(examination: Examination) -> AsyncIterator[Finding]:
    """Each commit has the next position of its project: none is missing, none there twice, the head is the last."""
    problems = []
    heads = await examination.pool.fetch(_HEADS)
    for name, head, last, _ in heads:
        if head is None:
            mend = "nothing can be stored in it: insert a row for it into cordwood.segment_log, with its last position"
            problems.append(fail("positions", "has no row in segment_log", mend, where=f"project {name}"))
        elif last is not None and last > head:
            mend = (
                f"stop Cordwood and run: update cordwood.segment_log set head = {last} "  # noqa: S608 - shown, not run
                f"where project_id = (select id from cordwood.project where name = '{name}')"
            )
            found = f"the head is {head}, but there is a segment of position {last}"
            problems.append(fail("positions", found, mend, where=f"project {name}"))
    for name, position, ids in await examination.pool.fetch(_TWICE):
        found = f"segments {', '.join(map(str, ids))} have the same position {position}"
        mend = "compare their events: one may be a copy; give it up as docs/doctor.md says"
        problems.append(fail("positions", found, mend, where=f"project {name}"))
    for id_, name in await examination.pool.fetch(_NONSENSE):
        mend = "restore a backup: somebody has changed the catalog"
        found = "its range of times or positions is none"
        problems.append(fail("positions", found, mend, where=f"segment {id_} of project {name}"))
    for finding in listed(problems):
        yield finding
    if not problems:
        commits, segments = sum(row["head"] for row in heads), sum(row["segments"] for row in heads)
        yield ok("positions", f"{commits} commits, {segments} segments")


async def gaps(examination: Examination) -> AsyncIterator[Finding]:
    """Positions that no segment has."""
    found = await examination.pool.fetch(_GAPS)
    mend = "segments are lost: a backup may have them, see docs/doctor.md"
    lost = [
        fail(
            "gaps",
            f"no segment has position {first}" + (f" to {last}" if last > first else ""),
            mend,
            where=f"project {name}",
        )
        for name, first, last, explained in found
        if not explained
    ]
    for finding in listed(lost):
        yield finding
    if not lost:
        count = sum(last - first + 1 for _, first, last, _ in found)
        yield ok(
            "gaps", f"{count} commits are gone by retention or deletion" if count else "none: every commit is there"
        )


async def numbers(examination: Examination) -> AsyncIterator[Finding]:
    """The next segment's number is free, and there is a part for its bytes."""
    row = await examination.pool.fetchrow(_SEQUENCE)
    assert row is not None
    if row["highest"] > row["last"]:
        mend = f"run: select setval('cordwood.segment_id', {row['highest']})"
        yield fail("segment numbers", f"{row['last']} is the last given, {row['highest']} the highest there is", mend)
    else:
        yield ok("segment numbers", f"{row['last']} given")
    without = [kind for kind, current in await examination.pool.fetch(_CURRENT) if current != 1]
    if without:
        for kind in without:
            mend = f"run: update cordwood.segment_part set current = part = (select min(part) from cordwood.segment_part where kind = '{kind}') where kind = '{kind}'"  # noqa: S608, E501 - shown, not run
            yield fail("parts", f"no part of kind {kind} is written to, so no such segment can be stored", mend)
    else:
        yield ok("parts", "one of each kind is written to")


async def checkpoints(examination: Examination) -> AsyncIterator[Finding]:
    """The positions of sources are such."""
    problems = []
    for source, key, empty, _ in await examination.pool.fetch(_CHECKPOINTS):
        where = f"source {source}, {key}"
        if empty:
            mend = (
                "delete the row from cordwood.checkpoint: the source then reads from its start, and events come twice"
            )
            problems.append(fail("checkpoints", "its position is null", mend, where=where))
        else:
            mend = "set PostgreSQL's clock by NTP; nothing else depends on it"
            problems.append(
                warn("checkpoints", "it was moved in the future: PostgreSQL's clock was ahead", mend, where=where)
            )
    for finding in listed(problems):
        yield finding
    if not problems:
        count = await examination.pool.fetchval("select count(*) from checkpoint")
        yield ok("checkpoints", f"{count} positions of sources")


async def upkeep(examination: Examination) -> AsyncIterator[Finding]:
    """Whether a node merges and sweeps."""
    row = await examination.pool.fetchrow(_WAITING)
    assert row is not None
    mend = "run a node with role all or worker; if one runs, its log says why it does not"
    if row["unmerged"] > UNMERGED:
        yield warn("upkeep", f"{row['unmerged']} commits of more than ten minutes ago are not merged", mend)
    if row["unswept"]:
        yield warn("upkeep", f"{row['unswept']} segments were replaced an hour ago and are still there", mend)
    if row["unmerged"] <= UNMERGED and not row["unswept"]:
        yield ok("upkeep", f"{row['unmerged']} commits wait for being merged")


async def deletions(examination: Examination) -> AsyncIterator[Finding]:
    """Whether what must go has gone."""
    problems = []
    for id_, state, unreadable, since in await examination.pool.fetch(_DELETIONS):
        if state == "running":
            mend = "`GET /api/v1/deletions` says what it waits for; a node with role all or worker must run"
            problems.append(warn("deletions", f"it runs since {since} UTC", mend, where=f"deletion {id_}"))
        else:
            segments = ", ".join(map(str, unreadable[:10]))
            mend = "mend or give up those segments, and ask for the deletion again"
            problems.append(
                warn("deletions", f"it could not search segments {segments}", mend, where=f"deletion {id_}")
            )
    for finding in listed(problems):
        yield finding
    if not problems:
        yield ok("deletions", "none is stuck or incomplete")


CHECKS = (positions, gaps, numbers, checkpoints, upkeep, deletions)
