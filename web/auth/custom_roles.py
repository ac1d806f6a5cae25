"""Roles that administrators make: permissions, what of the events is seen, and which fields are masked.

They are of a project. A name is one of the built-in roles' or one of these; a role that accounts have stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec

from ...core.query.request import Mask, Rights
from ...core.storage.audit import audit
from ...core.storage.database import Connection
from .credentials import new_secret
from .errors import AccountError, ConflictError, NoSuchError
from .projects import NAME
from .roles import PERMISSIONS, ROLES, Permission

MOST_ROLES: Final = 200  # of a project


@dataclass(frozen=True, slots=True)
class CustomRole:
    """A role that somebody made. `search` empty: it sees all events."""

    name: str
    permissions: tuple[Permission, ...]
    search: str
    masks: tuple[Mask, ...]
    salt: str
    version: int
    changed_at: datetime
    changed_by: str

    @property
    def rights(self) -> Rights | None:
        """What it sees; None: everything."""
        return rights_of(self.name, self.search, self.masks, self.salt)

    @property
    def etag(self) -> str:
        """Changes with every change."""
        return f'"{hashlib.sha256(f"{self.name} {self.version}".encode()).hexdigest()[:16]}"'


def rights_of(name: str, search: str, masks: Sequence[Mask], salt: str) -> Rights | None:
    """What a role sees of the events; None: everything."""
    return Rights(name, search, tuple(masks), salt) if search.strip() or masks else None


async def list_roles(pool: asyncpg.Pool, project_id: int) -> list[CustomRole]:
    """The roles that were made in a project, by name."""
    rows = await pool.fetch(f"{_ROLES} where project_id = $1 order by name limit {MOST_ROLES}", project_id)
    return [_role(row) for row in rows]


async def get_role(pool: asyncpg.Pool | Connection, project_id: int, name: str) -> CustomRole:
    """One role that was made.

    :raises NoSuchError: there is none of that name
    """
    row = await pool.fetchrow(f"{_ROLES} where project_id = $1 and name = $2", project_id, name)
    if row is None:
        raise NoSuchError(f"there is no role {name[:60]!r}")
    return _role(row)


async def put_role(
    pool: asyncpg.Pool,
    project_id: int,
    name: str,
    permissions: Sequence[Permission],
    search: str,
    masks: Sequence[Mask],
    *,
    etag: str | None = None,
    is_new: bool,
    by: str,
) -> CustomRole:
    """Make or change a role. The search and the masks were checked before (`QueryEngine.check_rights`).

    :raises AccountError: no role can have this name, or these permissions
    :raises ConflictError: it exists and is to be new, it changed meanwhile, or there are too many
    :raises NoSuchError: it is to be changed, and there is none
    """
    if name in ROLES:
        raise ConflictError(f"{name} is a built-in role: choose another name")
    if not NAME.fullmatch(name):
        raise AccountError(f"{name[:60]!r} is no name for a role: use a-z, 0-9, _ and -, at most 63")
    if (search.strip() or masks) and {"admin", "ingest"} & set(permissions):
        raise AccountError("who sees a part of the events cannot be given admin or ingest: they see and make the rest")
    chosen = [permission for permission in PERMISSIONS if permission in permissions]
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select from project where id = $1 for no key update", project_id)
        found = await connection.fetchrow(f"{_ROLES} where project_id = $1 and name = $2", project_id, name)
        if is_new and found is not None:
            raise ConflictError(f"there is a role {name} already")
        if not is_new and found is None:
            raise NoSuchError(f"there is no role {name!r}")
        if found is not None and etag is not None and etag != _role(found).etag:
            raise StaleRoleError(f"the role {name} was changed meanwhile: read it again")
        if is_new and await connection.fetchval("select count(*) from role where project_id = $1", project_id) >= (
            MOST_ROLES
        ):
            raise ConflictError(f"a project has at most {MOST_ROLES} roles: delete one first")
        await connection.execute(
            """
            insert into role (project_id, name, permissions, search, masks, salt, changed_by)
            values ($1, $2, $3, $4, $5, $6, $7)
            on conflict (project_id, name) do update set permissions = $3, search = $4, masks = $5,
                version = role.version + 1, changed_at = now(), changed_by = $7
            """,
            project_id,
            name,
            chosen,
            search,
            msgspec.to_builtins(list(masks)),
            new_secret(),
            by,
        )
        what = "role.create" if is_new else "role.change"
        told: dict[str, Any] = {"role": name, "permissions": chosen, "search": search}
        await audit(connection, by, what, project_id=project_id, **told, masks=msgspec.to_builtins(list(masks)))
        return await get_role(connection, project_id, name)


async def delete_role(pool: asyncpg.Pool, project_id: int, name: str, *, by: str) -> None:
    """Delete a role that no account has.

    :raises NoSuchError: there is none
    :raises ConflictError: accounts have it
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select from project where id = $1 for no key update", project_id)
        await get_role(connection, project_id, name)
        users = await connection.fetchval(
            "select count(*) from user_account where project_id = $1 and role = $2", project_id, name
        )
        if users:
            raise ConflictError(f"{users} accounts have the role {name}: give them another first")
        await connection.execute("delete from role where project_id = $1 and name = $2", project_id, name)
        await audit(connection, by, "role.delete", project_id=project_id, role=name)


async def role_exists(connection: Connection, project_id: int, name: str) -> None:
    """Let a role of the project, or a built-in one, pass. Call it with the project's row locked.

    :raises NoSuchError: there is none of that name
    """
    if name not in ROLES:
        await get_role(connection, project_id, name)


class StaleRoleError(AccountError):
    """What the change was made for is no more: If-Match says another ETag."""

    status = 412


def masks_of(stored: Sequence[Any] | None) -> tuple[Mask, ...]:
    """The masks, as PostgreSQL keeps them."""
    return tuple(msgspec.convert(list(stored or ()), list[Mask]))


_ROLES: Final = "select name, permissions, search, masks, salt, version, changed_at, changed_by from role"


def _role(row: asyncpg.Record) -> CustomRole:
    name, permissions, search, masks, *rest = row
    return CustomRole(name, tuple(permissions), search, masks_of(masks), *rest)
