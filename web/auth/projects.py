"""Projects, the tenants: each has its own events, and accounts and tokens of its own.

The first, `default`, is the installation's: sources that are no HTTP source store in it unless they name another, and
its administrators administer the others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from ...core.storage.audit import audit
from ...core.storage.database import Connection
from .errors import AccountError, ConflictError, NoSuchError

DEFAULT_PROJECT: Final = "default"
COMMAND_LINE: Final = "command line"
"""Who does what nobody has signed in for, in the audit log."""
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Project:
    """A tenant."""

    id: int
    name: str
    created_at: datetime
    events: int
    bytes: int


async def add_project(pool: asyncpg.Pool, name: str, *, by: str = COMMAND_LINE) -> Project:
    """Make a project.

    :raises AccountError: no project can have this name, or one has it
    """
    if not NAME.fullmatch(name):
        raise AccountError(f"{name[:60]!r} is no name for a project: use a-z, 0-9, _ and -, at most 63")
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "insert into project (name) values ($1) on conflict (name) do nothing returning id, name, created_at", name
        )
        if row is None:
            raise ConflictError(f"there is a project {name} already")
        await connection.execute("insert into segment_log (project_id) values ($1)", row["id"])
        await audit(connection, by, "project.create", project_id=row["id"], name=name)
    return Project(row["id"], row["name"], row["created_at"], 0, 0)


async def list_projects(pool: asyncpg.Pool, only: int | None = None) -> list[Project]:
    """All projects by name, or the one with the id `only`; each with what it holds."""
    rows = await pool.fetch(
        """
        select p.id, p.name, p.created_at, coalesce(sum(s.rows), 0)::bigint, coalesce(sum(s.bytes), 0)::bigint
        from project p left join segment s on s.project_id = p.id and s.replaced_at is null
        where $1::integer is null or p.id = $1 group by p.id order by p.name
        """,
        only,
    )
    return [Project(*row) for row in rows]


async def project_named(connection: Connection | asyncpg.Pool, name: str) -> int:
    """The id of a project.

    :raises NoSuchError: there is none of that name
    """
    id_ = await connection.fetchval("select id from project where name = $1", name)
    if id_ is None:
        raise NoSuchError(f"there is no project {name[:60]!r}")
    return int(id_)
