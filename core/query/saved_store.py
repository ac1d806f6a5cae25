"""The saved queries of a project, in PostgreSQL."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from ...plugins.errors import RejectedError
from ..paging import Page, page
from ..storage.audit import audit
from .check import check
from .saved import SavedParameter, SavedQuery, argument, tried
from .tree import EVENTS

NAME = re.compile(r"[^\W_][\w .-]{0,98}\w|[^\W_]")
PARAMETER = re.compile(r"[a-z_]\w{0,63}", re.ASCII | re.IGNORECASE)
MOST = 1000  # of a project
MOST_PARAMETERS = 20
LONGEST = 10_000  # characters of a text
_COLUMNS = "name, text, description, parameters, created_at, created_by, changed_at, changed_by"


class StoredQuery(msgspec.Struct, frozen=True):
    """A saved query and its story."""

    query: SavedQuery
    description: str
    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str


class SavedQueries:
    """Keeps, lists and finds them; what is kept can be run."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def page(self, project_id: int, *, after: str = "", limit: int = MOST) -> Page[StoredQuery]:
        """By name, from the one after `after` on."""
        rows = await self._pool.fetch(
            f"select {_COLUMNS} from saved_query where project_id = $1 and name > $2 order by name limit $3",  # noqa: S608
            project_id,
            after,
            limit + 1,
        )
        return page([_stored(row) for row in rows], limit, lambda stored: stored.query.name)

    async def get(self, project_id: int, name: str) -> StoredQuery | None:
        """The one of this name."""
        row = await self._pool.fetchrow(
            f"select {_COLUMNS} from saved_query where project_id = $1 and name = $2",  # noqa: S608
            project_id,
            name,
        )
        return None if row is None else _stored(row)

    async def create(self, project_id: int, query: SavedQuery, description: str, who: str) -> StoredQuery | None:
        """Keep a new one; None: there is one of this name.

        :raises QueryError: its text is wrong
        :raises RejectedError: a name that none can have, or too many
        """
        await self._checked(project_id, query)
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("select from project where id = $1 for update", project_id)
            if await connection.fetchval("select count(*) from saved_query where project_id = $1", project_id) >= MOST:
                raise RejectedError(f"a project has at most {MOST} saved queries; delete one before")
            row = await connection.fetchrow(
                f"""
                insert into saved_query (project_id, name, text, description, parameters, created_by, changed_by)
                values ($1, $2, $3, $4, $5, $6, $6) on conflict do nothing returning {_COLUMNS}
                """,  # noqa: S608 - a constant
                *(project_id, query.name, query.text, description, msgspec.to_builtins(query.parameters), who),
            )
            if row is not None:
                await audit(
                    connection, who, "saved_query.create", project_id=project_id, name=query.name, text=query.text
                )
        return None if row is None else _stored(row)

    async def change(self, project_id: int, query: SavedQuery, description: str, who: str) -> StoredQuery | None:
        """Give the one of this name another text, description and parameters; None: there is none.

        :raises QueryError: the text is wrong
        """
        await self._checked(project_id, query)
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(
                f"""
                update saved_query set text = $3, description = $4, parameters = $5, changed_by = $6, changed_at = now()
                where project_id = $1 and name = $2 returning {_COLUMNS}
                """,  # noqa: S608 - a constant
                *(project_id, query.name, query.text, description, msgspec.to_builtins(query.parameters), who),
            )
            if row is not None:
                await audit(
                    connection, who, "saved_query.change", project_id=project_id, name=query.name, text=query.text
                )
        return None if row is None else _stored(row)

    async def delete(self, project_id: int, name: str, who: str) -> bool:
        """Delete the one of this name; false: there is none."""
        async with self._pool.acquire() as connection, connection.transaction():
            text = await connection.fetchval(
                "delete from saved_query where project_id = $1 and name = $2 returning text", project_id, name
            )
            if text is not None:
                await audit(connection, who, "saved_query.delete", project_id=project_id, name=name, text=text)
        return text is not None

    async def library(self, project_id: int) -> dict[str, SavedQuery]:
        """All that there are, by name."""
        return {stored.query.name: stored.query for stored in (await self.page(project_id)).items}

    async def _checked(self, project_id: int, query: SavedQuery) -> None:
        if not NAME.fullmatch(query.name):
            raise RejectedError(f"`{query.name[:40]}` is no name; use letters, digits, blanks, _ . and -, at most 100")
        if len(query.text) > LONGEST:
            raise RejectedError(f"a text of {len(query.text)} characters is too long; use at most {LONGEST}")
        names = [parameter.name for parameter in query.parameters]
        if bad := next((name for name in names if not PARAMETER.fullmatch(name)), None):
            raise RejectedError(f"`{bad[:40]}` is no name of a parameter; use letters, digits and _, at most 64")
        if len(set(names)) < len(names) or len(names) > MOST_PARAMETERS:
            raise RejectedError(f"a saved query has up to {MOST_PARAMETERS} parameters, each once")
        defaults = [parameter.default is not None for parameter in query.parameters]
        if defaults != sorted(defaults):
            raise RejectedError("a parameter without a default comes before those with one")
        for parameter in query.parameters:
            if parameter.default is not None:
                argument(parameter.default)
        tree = query.parsed()
        tried(query, {**await self.library(project_id), query.name: query})
        if tree.head == EVENTS and not query.parameters:
            check(query.text)


def _stored(row: asyncpg.Record) -> StoredQuery:
    name, text, description, parameters, *story = row
    made: Any = msgspec.convert(parameters, type=tuple[SavedParameter, ...])
    return StoredQuery(SavedQuery(name, text, made), description, *story)
