"""The silences of a project, in PostgreSQL: who made them, of which incidents and when nobody is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import asyncpg
from pydantic import ValidationError

from ...config import Incident, Maintenance, Matchers, Recurring
from ...plugins import RejectedError, now_ns, rfc3339
from ..paging import Page, before, page, possible_id
from ..storage.audit import audit
from ..storage.database import Connection
from .dependencies import Dependency, Parent
from .records import to_datetime
from .samples import storable

MOST = 500  # of a project that have not ended: each is asked for every incident that is open
LONGEST = timedelta(days=366)
KEPT = timedelta(days=90)  # after its end
State: TypeAlias = Literal["active", "coming", "ended"]


class ChangedError(RejectedError):
    """Somebody else changed it meanwhile."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a silence says. With `recurring` it holds only in those windows between `from_` and `until`."""

    matchers: Matchers
    from_: datetime
    until: datetime
    recurring: Recurring | None
    reason: str

    @classmethod
    def of(cls, matchers: Any, from_: datetime, until: datetime, recurring: Any, reason: str) -> Wanted:
        """Checked.

        :raises RejectedError: something of it can be no part of a silence; the message says what
        """
        try:
            checked = Matchers.model_validate(storable(matchers))
            windows = None if recurring is None else Recurring.model_validate(recurring)
        except ValidationError as why:
            first = why.errors(include_url=False)[0]
            raise RejectedError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        if not from_ < until <= from_ + LONGEST:
            raise RejectedError("until: a silence ends after it begins, and within 366 days")
        return cls(checked, from_, until, windows, storable(reason))


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence and its story. `version` counts its changes from 1."""

    id: int
    wanted: Wanted
    version: int
    created_at: datetime
    created_by: str
    ended_by: str | None

    def state(self, at: datetime) -> State:
        """Whether it is to come, holds (with a schedule: may hold), or has ended."""
        return "ended" if self.wanted.until <= at else "active" if self.wanted.from_ <= at else "coming"

    def holds(self, at: datetime) -> bool:
        """Whether nobody is told at this moment."""
        wanted = self.wanted
        return wanted.from_ <= at < wanted.until and (wanted.recurring is None or wanted.recurring.holds(at))


@dataclass(frozen=True, slots=True)
class Reason:
    """Why nobody is told: `by` whom, in words."""

    by: str | None
    text: str
    incident: int | None = None
    """The one that suppresses it, where that is the reason."""


class Silent:
    """What silences at one moment."""

    def __init__(
        self,
        silences: Iterable[Silence],
        maintenance: Mapping[str, Maintenance],
        at: datetime,
        depends: Mapping[str, Dependency] = MappingProxyType({}),
        parents: Sequence[Parent] = (),
    ) -> None:
        self._at, self._depends, self._parents = at, depends, parents
        self._reasons: list[tuple[Matchers, Reason]] = [
            (one.wanted.matchers, Reason(one.created_by, one.wanted.reason or f"silence {one.id}"))
            for one in silences
            if one.holds(at)
        ]
        self._reasons += [
            (window, Reason(None, f"maintenance {name}" + (f": {window.reason}" if window.reason else "")))
            for name, window in maintenance.items()
            if window.holds(at)
        ]

    def why(self, detector: str, severity: str, group: Mapping[str, Any]) -> Reason | None:
        """Why nobody is told of such an incident; None: people are."""
        incident = Incident(detector, severity, group, self._at)
        reason = next((reason for matchers, reason in self._reasons if matchers.fits(incident)), None)
        dependency = self._depends.get(detector)
        if reason is not None or dependency is None:
            return reason
        parents = (one for one in self._parents if dependency.suppressed_by(one, group, self._at))
        found = next(parents, None)
        return None if found is None else Reason(None, f"incident {found.id}, {found.title}", found.id)

    def __bool__(self) -> bool:
        """Whether anything is silenced."""
        return bool(self._reasons or self._parents)


async def living(connection: Connection | asyncpg.Pool, project_id: int, at: datetime) -> list[Silence]:
    """The silences that have begun and not ended."""
    rows = await connection.fetch(
        "select * from silence where project_id = $1 and until > $2 and from_time <= $2 order by id", project_id, at
    )
    return [_silence(row) for row in rows]


class Silences:
    """Lists and changes them; every change is audited in its transaction. Any node; needs only the database."""

    def __init__(self, pool: asyncpg.Pool, clock: Callable[[], int] = now_ns) -> None:
        self._pool, self._clock = pool, clock

    @property
    def now(self) -> datetime:
        """The moment by which silences hold."""
        return to_datetime(self._clock())

    async def page(self, project_id: int, *, cursor: str | None, limit: int, state: State | None) -> Page[Silence]:
        """Newest first.

        :raises QueryError: the cursor is none of ours
        """
        rows = await self._pool.fetch(
            """
            select * from silence
            where project_id = $1 and id < $2
              and ($3::text is null
                   or $3 = case when until <= $4 then 'ended' when from_time <= $4 then 'active' else 'coming' end)
            order by id desc limit $5
            """,
            project_id,
            before(cursor),
            state,
            self.now,
            limit + 1,
        )
        return page([_silence(row) for row in rows], limit, lambda one: str(one.id))

    async def get(self, project_id: int, number: int) -> Silence | None:
        """One silence; None: there is none."""
        row = await self._pool.fetchrow(
            "select * from silence where project_id = $1 and id = $2", project_id, possible_id(number)
        )
        return None if row is None else _silence(row)

    async def create(self, project_id: int, wanted: Wanted, who: str) -> Silence:
        """Keep a new one. Those that ended long ago are forgotten.

        :raises RejectedError: it has ended already, or there are too many
        """
        now = self._still_to_come(wanted)
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("select from project where id = $1 for update", project_id)
            await connection.execute("delete from silence where project_id = $1 and until < $2", project_id, now - KEPT)
            count = "select count(*) from silence where project_id = $1 and until > $2"
            if await connection.fetchval(count, project_id, now) >= MOST:
                raise RejectedError(f"a project has at most {MOST} silences; end one before")
            row = await connection.fetchrow(
                """
                insert into silence (project_id, matchers, from_time, until, recurring, reason, created_at, created_by)
                values ($1, $2, $3, $4, $5, $6, $7, $8) returning *
                """,
                *(project_id, *_columns(wanted), now, who),
            )
            assert row is not None
            await audit(connection, who, "silence.create", project_id=project_id, **_told(row))
        return _silence(row)

    async def change(
        self, project_id: int, number: int, wanted: Wanted, who: str, version: int | None
    ) -> Silence | None:
        """Make it say something else, if it is still at this version (None: whichever); None: there is none.

        :raises ChangedError: it is at another version
        :raises RejectedError: it has ended
        """
        now = self._still_to_come(wanted)
        async with self._pool.acquire() as connection, connection.transaction():
            found = await _locked(connection, project_id, number, version)
            if found is None:
                return None
            if found.state(now) == "ended":
                raise RejectedError(f"silence {number} has ended; make a new one")
            row = await connection.fetchrow(
                """
                update silence set matchers = $3, from_time = $4, until = $5, recurring = $6, reason = $7,
                                   version = version + 1
                where project_id = $1 and id = $2 returning *
                """,
                *(project_id, number, *_columns(wanted)),
            )
            assert row is not None
            await audit(connection, who, "silence.change", project_id=project_id, **_told(row))
        return _silence(row)

    async def end(self, project_id: int, number: int, who: str, version: int | None) -> Silence | None:
        """End it now, if it is still at this version (None: whichever); one that has ended stays. None: there is none.

        :raises ChangedError: it is at another version
        """
        now = self.now
        async with self._pool.acquire() as connection, connection.transaction():
            found = await _locked(connection, project_id, number, version)
            if found is None or found.state(now) == "ended":
                return found
            row = await connection.fetchrow(
                """
                update silence set from_time = least(from_time, $3), until = $3, ended_by = $4, version = version + 1
                where project_id = $1 and id = $2 returning *
                """,
                *(project_id, number, now, who),
            )
            assert row is not None
            await audit(connection, who, "silence.end", project_id=project_id, id=number)
        return _silence(row)

    def _still_to_come(self, wanted: Wanted) -> datetime:
        now = self.now
        if wanted.until <= now:
            raise RejectedError("until: this moment is over; a silence ends in the future")
        return now


async def _locked(connection: Connection, project_id: int, number: int, version: int | None) -> Silence | None:
    row = await connection.fetchrow(
        "select * from silence where project_id = $1 and id = $2 for update", project_id, possible_id(number)
    )
    if row is not None and version not in (None, row["version"]):
        raise ChangedError(f"silence {number} was changed meanwhile; read it again")
    return None if row is None else _silence(row)


def _columns(wanted: Wanted) -> Sequence[Any]:
    recurring = None if wanted.recurring is None else wanted.recurring.model_dump(mode="json")
    return (wanted.matchers.model_dump(mode="json"), wanted.from_, wanted.until, recurring, wanted.reason)


def _told(row: asyncpg.Record) -> dict[str, Any]:
    times = {"from": rfc3339(row["from_time"]), "until": rfc3339(row["until"])}
    return {"id": row["id"], "matchers": row["matchers"], "reason": row["reason"], **times}


def _silence(row: asyncpg.Record) -> Silence:
    recurring = None if row["recurring"] is None else Recurring.model_validate(row["recurring"])
    wanted = Wanted(Matchers.model_validate(row["matchers"]), row["from_time"], row["until"], recurring, row["reason"])
    return Silence(row["id"], wanted, row["version"], row["created_at"], row["created_by"], row["ended_by"])
