"""How far each output has come, in PostgreSQL: written by the node that sends, read by all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from ...config import OutputEntry
from ...plugins import OutputConfig
from ..storage.database import Connection
from ..storage.dead_letters import Bounds, Dead, keep
from ..storage.leader import Session

MAX_ERROR = 1_000  # characters
_ENTER = """
insert into output_state (project_id, name, type, settings, position) values ($1, $2, $3, $4, $5)
on conflict (project_id, name) do update
set type = excluded.type, settings = excluded.settings, state = 'ok', error = null,
    -- with other settings the other side may know nothing of what was on the way
    pending = case when output_state.settings = excluded.settings then output_state.pending end
returning position, pending
"""
# Of a commit that nothing was merged with it is known when it came; else it came after what was sent last.
_PROGRESS = """
select o.name, o.type, o.state, o.error, o.events, o.refused, o.position, greatest(l.head - o.position, 0) as commits,
       case when l.head <= o.position then 0
            when next.level = 0 or o.seen_until is null then extract(epoch from now() - next.created_at)
            else extract(epoch from now() - o.seen_until) end as seconds
from output_state o
join segment_log l on l.project_id = o.project_id
left join lateral (
    select created_at, level from segment s
    where s.project_id = o.project_id and s.replaced_at is null and s.max_position > o.position
    order by greatest(s.min_position, o.position + 1), s.level limit 1
) next on true
where o.project_id = $1
"""


@dataclass(frozen=True, slots=True)
class Position:
    """All commits up to `position` are sent. `pending`: those up to it are on the way; None: nothing is."""

    position: int
    pending: int | None = None


@dataclass(frozen=True, slots=True)
class OutputProgress:
    """An output as it is now. `commits` and `seconds` are how far it is behind the store.

    `refused`: events that the other side refused for good, since it was configured first.
    """

    name: str
    type: str
    state: str
    error: str | None
    events: int
    refused: int
    position: int
    commits: int
    seconds: float


async def progress_of(connection: asyncpg.Pool[Any] | Connection, project_id: int) -> dict[str, OutputProgress]:
    """All outputs of a project that there are or have been, by name."""
    rows = await connection.fetch(_PROGRESS, project_id)
    return {row["name"]: OutputProgress(**{**row, "seconds": max(0.0, float(row["seconds"] or 0.0))}) for row in rows}


class Ledger:
    """The leader's writes for one project's outputs."""

    def __init__(self, session: Session, project_id: int, bounds: Callable[[], Bounds]) -> None:
        self._session, self._project, self._bounds = session, project_id, bounds

    async def enter(self, outputs: Mapping[str, OutputEntry], head: int) -> dict[str, Position]:
        """Make the table agree with the configuration; answers how far each output has come.

        An output that was there before, also long ago, goes on where it was.

        :raises RetryableError: the database does not answer
        """
        found = {}
        async with self._session.transaction() as connection:
            for name, entry in outputs.items():
                assert isinstance(entry.config, OutputConfig)
                start = head if entry.config.start == "now" else 0
                row = await connection.fetchrow(_ENTER, self._project, name, entry.type, settings_of(entry), start)
                assert row is not None
                found[name] = Position(row["position"], row["pending"])
        return found

    async def begins(self, name: str, upto: int) -> None:
        """Write what is on the way now, before it is.

        :raises RetryableError: the database does not answer
        """
        async with self._session.transaction() as connection:
            await connection.execute(
                "update output_state set pending = $3 where project_id = $1 and name = $2", self._project, name, upto
            )

    async def arrived(
        self,
        name: str,
        position: int,
        events: int,
        seen_until_ns: int | None,
        letters: Sequence[Dead] = (),
        refused: int = 0,
    ) -> None:
        """Write that all up to a position is sent: so many events, the newest of which came in at `seen_until_ns`.

        `refused` ones are not; they are the dead letters, of which the first are given.

        :raises RetryableError: the database does not answer
        """
        async with self._session.transaction() as connection:
            if not events and not refused:
                # Nothing was sent: after a crash it is looked at again, so no disk is waited for.
                await connection.execute("set local synchronous_commit = off")
            if refused:
                await keep(connection, self._project, letters, self._bounds(), lost=refused - len(letters))
            await connection.execute(
                "update output_state set position = $3, pending = null, events = events + $4, state = 'ok', "
                "error = null, seen_until = coalesce($5, seen_until), refused = refused + $6 "
                "where project_id = $1 and name = $2",
                self._project,
                name,
                position,
                events,
                None if seen_until_ns is None else datetime.fromtimestamp(seen_until_ns / 1e9, UTC),
                refused,
            )

    async def failed(self, name: str, state: str, error: str) -> None:
        """Write why an output does not get on.

        :raises RetryableError: the database does not answer
        """
        async with self._session.transaction() as connection:
            await connection.execute(
                "update output_state set state = $3, error = $4 where project_id = $1 and name = $2",
                self._project,
                name,
                state,
                error.replace("\0", "\ufffd")[:MAX_ERROR],
            )


def settings_of(entry: OutputEntry) -> str:
    """A digest of an output's type and settings, without its secrets: another is another other side."""
    return hashlib.sha256(repr((entry.type, entry.config)).encode()).hexdigest()
