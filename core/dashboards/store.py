"""The dashboards of a project: those that are built in and read-only, and those that people made, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import resources

import asyncpg
import msgspec

from ...plugins.errors import QueryError, RejectedError
from ..paging import Page, page
from ..storage.audit import audit
from ..storage.database import Connection
from .model import Dashboard

MOST = 500  # dashboards of a project
BUILT_IN = 0  # the version of those that nobody can change


class Stored(msgspec.Struct, frozen=True):
    """A dashboard with what is known of it. `version` counts its changes from 1; `BUILT_IN`: it is read-only."""

    dashboard: Dashboard
    version: int
    updated_at: datetime | None = None
    updated_by: str | None = None


class TakenError(RejectedError):
    """The name is another dashboard's."""


class ChangedError(RejectedError):
    """Somebody else changed it meanwhile."""


@cache
def built_in() -> Mapping[str, Dashboard]:
    """The dashboards that come with Cordwood, by name."""
    folder = resources.files(__package__) / "builtin"
    found = [msgspec.json.decode(file.read_bytes(), type=Dashboard) for file in folder.iterdir()]
    return {dashboard.name: dashboard for dashboard in sorted(found, key=lambda one: one.name)}


class Dashboards:
    """Lists, reads and changes the dashboards of projects. A change is audited in its transaction."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def list(self, project_id: int, *, cursor: str | None = None, limit: int = 100) -> Page[Stored]:
        """The dashboards by name, those that are built in among them.

        :raises QueryError: the cursor is none of ours
        """
        if cursor is not None and "\0" in cursor:
            raise QueryError("this cursor was given out by no page of this list", hint="start without a cursor")
        rows = await self._pool.fetch(
            "select document, version, updated_at, updated_by from dashboard"
            ' where project_id = $1 and ($2::text is null or name collate "C" > $2) order by name collate "C" limit $3',
            project_id,
            cursor,
            limit + 1,
        )
        own = [_stored(row) for row in rows]
        ours = [Stored(one, BUILT_IN) for name, one in built_in().items() if cursor is None or name > cursor]
        items = sorted([*own, *ours], key=lambda one: one.dashboard.name)
        return page(items[: limit + 1], limit, lambda one: one.dashboard.name)

    async def get(self, project_id: int, name: str) -> Stored | None:
        """One dashboard; None: there is none of this name."""
        if found := built_in().get(name):
            return Stored(found, BUILT_IN)
        row = await self._pool.fetchrow(
            "select document, version, updated_at, updated_by from dashboard where project_id = $1 and name = $2",
            project_id,
            name,
        )
        return None if row is None else _stored(row)

    async def create(self, project_id: int, dashboard: Dashboard, who: str) -> Stored:
        """Keep a new dashboard.

        :raises TakenError: there is one of this name
        :raises RejectedError: there are too many
        """
        name = dashboard.name
        if name in built_in():
            raise TakenError(f"the dashboard {name} is built in; give yours another name")
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("select from project where id = $1 for update", project_id)
            if await connection.fetchval("select count(*) from dashboard where project_id = $1", project_id) >= MOST:
                raise RejectedError(f"a project has at most {MOST} dashboards; delete one before")
            row = await connection.fetchrow(
                """
                insert into dashboard (project_id, name, document, updated_by) values ($1, $2, $3, $4)
                on conflict (project_id, name) do nothing returning document, version, updated_at, updated_by
                """,
                project_id,
                name,
                msgspec.to_builtins(dashboard),
                who,
            )
            if row is None:
                raise TakenError(f"there is a dashboard {name} already; change that one, or take another name")
            await audit(connection, who, "dashboard.create", project_id=project_id, name=name)
        return _stored(row)

    async def change(self, project_id: int, dashboard: Dashboard, who: str, version: int | None) -> Stored | None:
        """Put another document in its place, if it is still at this version (None: whichever); None: there is none.

        :raises TakenError: it is built in
        :raises ChangedError: it is at another version
        """
        name = dashboard.name
        if name in built_in():
            raise TakenError(f"the dashboard {name} is built in and stays as it is; save it under another name")
        async with self._pool.acquire() as connection, connection.transaction():
            if not await _locked(connection, project_id, name, version):
                return None
            row = await connection.fetchrow(
                """
                update dashboard set document = $3, version = version + 1, updated_at = now(), updated_by = $4
                where project_id = $1 and name = $2 returning document, version, updated_at, updated_by
                """,
                project_id,
                name,
                msgspec.to_builtins(dashboard),
                who,
            )
            assert row is not None
            changed = _stored(row)
            await audit(connection, who, "dashboard.change", project_id=project_id, name=name, version=changed.version)
        return changed

    async def delete(self, project_id: int, name: str, who: str, version: int | None) -> bool:
        """Delete a dashboard; false: there is none.

        :raises TakenError: it is built in
        :raises ChangedError: it is at another version
        """
        if name in built_in():
            raise TakenError(f"the dashboard {name} is built in and stays")
        async with self._pool.acquire() as connection, connection.transaction():
            if not await _locked(connection, project_id, name, version):
                return False
            await connection.execute("delete from dashboard where project_id = $1 and name = $2", project_id, name)
            await audit(connection, who, "dashboard.delete", project_id=project_id, name=name)
        return True


async def _locked(connection: Connection, project_id: int, name: str, version: int | None) -> bool:
    found = await connection.fetchval(
        "select version from dashboard where project_id = $1 and name = $2 for update", project_id, name
    )
    if found is not None and version is not None and found != version:
        raise ChangedError(f"the dashboard {name} was changed meanwhile: it is at version {found}; read it again")
    return found is not None


def _stored(row: asyncpg.Record) -> Stored:
    document, version, updated_at, updated_by = row
    return Stored(msgspec.convert(document, type=Dashboard), version, updated_at, updated_by)
