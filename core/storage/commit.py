"""The one transaction that stores a group of submissions: idempotency keys, checkpoints, dead letters, segments,
positions, NOTIFY.

Order matters: what may wait for another node (keys, checkpoints, dead letters) comes first in sorted order, so that
nodes cannot deadlock; the segment log's head, which all commits of a project pass through, is locked last and only for
the catalog's row and the commit itself. So positions are gapless and in the order of commits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ...plugins.base import Acknowledgement, Checkpoint
from ...plugins.batch import Batch
from ...plugins.errors import CheckpointConflictError
from .catalog import insert_segment
from .commits import CHANNEL
from .database import Connection
from .dead_letters import Bounds, Dead, enter
from .encode import EncodedSegment
from .files import Files, PreparedFile
from .outcome import Attempt

KEY_HOURS = 24
"""How long an idempotency key is remembered."""

GATHERED = "gathered:"
"""What stands before a source's name where its steps hold something: no source finds it among its own positions."""

_NEW_KEYS = f"""
insert into idempotency_key as known (project_id, key, accepted)
select * from unnest($1::integer[], $2::text[], $3::integer[])
on conflict (project_id, key) do update set accepted = excluded.accepted, created_at = now()
where known.created_at < now() - interval '{KEY_HOURS} hours'
returning project_id, key
"""  # noqa: S608 - a constant
_OLD_KEYS = """
select project_id, key, accepted from idempotency_key
where (project_id, key) in (select * from unnest($1::integer[], $2::text[]))
"""
_FIRST_CHECKPOINTS = """
insert into checkpoint (source, key, value)
select * from unnest($1::text[], $2::text[], $3::jsonb[])
on conflict (source, key) do nothing
returning source, key
"""
_NEXT_CHECKPOINTS = """
update checkpoint c set value = v.value, updated_at = now()
from unnest($1::text[], $2::text[], $3::jsonb[], $4::jsonb[]) v (source, key, value, previous)
where c.source = v.source and c.key = v.key and c.value = v.previous
returning c.source, c.key
"""
_ADVANCE = """
update segment_log set head = head + 1, day = (now() at time zone 'utc')::date,
    day_bytes = case when day = (now() at time zone 'utc')::date then day_bytes else 0 end + $2
where project_id = $1 returning head, day_bytes
"""
_LAST = "select pg_current_xact_id()::text, pg_postmaster_start_time(), pg_notify($1, '')"


@dataclass(eq=False, slots=True)
class Submission:
    """What a source handed over: a batch of one project, and what must commit with it."""

    project_id: int
    source: str
    batch: Batch
    checkpoint: Checkpoint | None = None
    key: str | None = None
    received: int = 0
    """Bytes as they came, uncompressed, which the project's limits count; 0: the batch's size stands for them."""
    dead: Sequence[Dead] = ()
    """Events that came with the batch and could not be read."""
    left_out: int = 0
    """Events that came with the batch and that its pipeline meant not to be stored; where it made several of one, less
    than none: `accepted` is of those that came."""
    replays: frozenset[int] = frozenset()
    """Dead letters whose events these are: the commit takes them out, or is none."""
    gathered: Checkpoint | None = None
    """What a step holds of events whose last lines are still to come, in place of what it held before."""
    size: int = field(init=False)
    taken_at: float = field(init=False, default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.size = self.batch.size + sum(letter.size for letter in self.dead)
        if self.gathered is not None:
            self.size += len(str(self.gathered.value))
        self.received = self.received or self.size

    @property
    def marks(self) -> list[tuple[str, Checkpoint]]:
        """The positions that its commit moves, each with whose it is."""
        own = [(self.source, self.checkpoint)] if self.checkpoint is not None else []
        return own if self.gathered is None else [*own, (f"{GATHERED}{self.source}", self.gathered)]

    @property
    def accepted(self) -> int:
        """Events taken in: those of the batch, those that could not be read, and those that are not to be stored."""
        return len(self.batch) + len(self.dead) + self.left_out


@dataclass(frozen=True, slots=True)
class Committed:
    """A segment as it was committed."""

    id: int
    project_id: int
    position: int
    encoded: EncodedSegment
    day_bytes: int
    """Bytes that the project has taken in today, with this commit's."""


class SettledBefore(Exception):  # noqa: N818 - it ends a transaction, it is no error
    """Some submissions must not be stored: the group is to be encoded again without them."""

    def __init__(self, outcomes: Mapping[Submission, Acknowledgement | CheckpointConflictError]) -> None:
        super().__init__(f"{len(outcomes)} submissions are settled already")
        self.outcomes = outcomes


async def commit(
    connection: Connection,
    group: Sequence[Submission],
    encoded: Mapping[int, EncodedSegment],
    files: Files,
    prepared: Mapping[int, PreparedFile],
    attempted: Callable[[Attempt, list[Committed]], None] = lambda attempt, committed: None,
    bounds: Bounds = Bounds(),  # noqa: B008 - it is frozen
) -> list[Committed]:
    """Store the group, whose segments by project are `encoded` and whose bytes are `prepared`, in one transaction.

    :param attempted: called before COMMIT is sent; what fails after that may be stored all the same (see `outcome`)
    :raises SettledBefore: nothing was stored; some submissions are duplicates or conflict
    """
    async with connection.transaction():
        settled = await _take_keys(connection, group)
        settled |= await _move_checkpoints(connection, group)
        settled = settled or {**await enter(connection, group, bounds)}
        if settled:
            raise SettledBefore(settled)
        stored = [(id_, await files.insert(connection, prepared[id_], level=0)) for id_ in sorted(encoded)]
        committed = []
        for project_id, file in stored:
            received = sum(s.received for s in group if s.project_id == project_id)
            ((position, day_bytes),) = await connection.fetch(_ADVANCE, project_id, received)
            segment = encoded[project_id]
            await insert_segment(connection, file, project_id, segment, level=0, positions=(position, position))
            committed.append(Committed(file.id, project_id, position, segment, day_bytes))
        ((transaction, started_at, _),) = await connection.fetch(_LAST, CHANNEL)
        segments = tuple((file.id, file.checksum) for _, file in stored)
        attempted(Attempt(transaction, started_at, connection.get_server_pid(), segments), committed)
    return committed


async def _take_keys(
    connection: Connection, group: Sequence[Submission]
) -> dict[Submission, Acknowledgement | CheckpointConflictError]:
    """Enter the idempotency keys; the submissions whose key is known get the first answer."""
    keyed = sorted((s for s in group if s.key is not None), key=lambda s: (s.project_id, s.key or ""))
    if not keyed:
        return {}
    columns = [s.project_id for s in keyed], [s.key for s in keyed], [s.accepted for s in keyed]
    fresh = {tuple(row) for row in await connection.fetch(_NEW_KEYS, *columns)}
    known = [s for s in keyed if (s.project_id, s.key) not in fresh]
    if not known:
        return {}
    rows = await connection.fetch(_OLD_KEYS, [s.project_id for s in known], [s.key for s in known])
    first = {(row[0], row[1]): row[2] for row in rows}
    return {s: Acknowledgement(first[s.project_id, s.key], duplicate=True) for s in known}


async def _move_checkpoints(
    connection: Connection, group: Sequence[Submission]
) -> dict[Submission, Acknowledgement | CheckpointConflictError]:
    """Move each source's positions from what it believes to what it has read; who believes wrong is refused."""
    chains: dict[tuple[str, str], list[tuple[Checkpoint, Submission]]] = {}
    for submission in group:
        for source, mark in submission.marks:
            chains.setdefault((source, mark.key), []).append((mark, submission))
    if not chains:
        return {}
    refused: set[Submission] = set()
    first: list[tuple[str, str, object]] = []
    following: list[tuple[str, str, object, object]] = []
    for (source, key), chain in sorted(chains.items()):
        for (before, earlier), (mark, submission) in pairwise(chain):
            if mark.previous != before.value or earlier in refused:
                refused.add(submission)
        if refused.intersection(submission for _, submission in chain):
            continue
        if chain[0][0].previous is None:
            first.append((source, key, chain[-1][0].value))
        else:
            following.append((source, key, chain[-1][0].value, chain[0][0].previous))
    moved = set()
    if first:
        moved |= {tuple(row) for row in await connection.fetch(_FIRST_CHECKPOINTS, *_columns(first))}
    if following:
        moved |= {tuple(row) for row in await connection.fetch(_NEXT_CHECKPOINTS, *_columns(following))}
    for place, chain in chains.items():
        mine = {submission for _, submission in chain}
        if place not in moved and not refused & mine:
            refused |= mine
    return {
        s: CheckpointConflictError(
            f"the position of {s.source} was moved by another reader; read on from the stored one"
        )
        for s in refused
    }


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


def same_group(group: Sequence[Submission]) -> dict[Submission, Submission]:
    """Submissions whose idempotency key occurs earlier in the same group, with the earlier one."""
    first: dict[tuple[int, str], Submission] = {}
    again = {}
    for submission in group:
        if submission.key is not None:
            earlier = first.setdefault((submission.project_id, submission.key), submission)
            if earlier is not submission:
                again[submission] = earlier
    return again
