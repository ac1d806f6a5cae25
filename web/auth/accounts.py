"""Accounts of people, as PostgreSQL keeps them: one project and one role each.

A secret is returned once, when it is made; only its hash is kept. Every change is in the audit log. `project_id` None
looks at all projects, as the administrators of `default` do; else at one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg

from ...core.storage.audit import audit
from ...core.storage.database import Connection
from ...plugins import ConfigError, in_worker
from .credentials import digest, hash_password, one_time_password, verify_password
from .custom_roles import role_exists
from .errors import AccountError, ConflictError, NoSuchError
from .projects import COMMAND_LINE, DEFAULT_PROJECT, NAME, project_named
from .roles import Role

if TYPE_CHECKING:
    from ...config.settings import Settings

Pool: TypeAlias = asyncpg.Pool
SHORTEST_PASSWORD: Final = 8  # characters, NIST SP 800-63B
LONGEST_PASSWORD: Final = 1024
_FIRST_ADMIN: Final = 0x61646D69  # advisory lock: of two who make the first administrator one does


@dataclass(frozen=True, slots=True)
class User:
    """A person."""

    id: int
    email: str
    role: Role
    project_id: int
    project: str
    created_at: datetime
    disabled_at: datetime | None
    signed_in_at: datetime | None
    must_change_password: bool
    is_service: bool = False
    """A program's, which has tokens and does not sign in."""

    @property
    def is_admin(self) -> bool:
        """Whether the role is `admin`."""
        return self.role == "admin"

    @property
    def etag(self) -> str:
        """Changes with what can be changed."""
        text = f"{self.id} {self.role} {self.disabled_at} {self.must_change_password}"
        return f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'


async def users_exist(pool: Pool) -> bool:
    """Whether anybody, disabled or not, has an account: from then on everybody must show who they are."""
    return bool(await pool.fetchval("SELECT EXISTS (SELECT FROM user_account)"))


async def add_user(
    pool: Pool,
    email: str,
    password: str,
    *,
    role: Role = "viewer",
    is_admin: bool = False,
    project: str = DEFAULT_PROJECT,
    must_change_password: bool = False,
    by: str = COMMAND_LINE,
) -> User:
    """Make an account; `is_admin` is short for the role `admin`.

    :raises AccountError: no such email or password is possible, the email has an account, or there is no such project
    """
    async with pool.acquire() as connection, connection.transaction():
        role = "admin" if is_admin else role
        return await _add(connection, email, password, role, project, by, must_change_password=must_change_password)


async def add_first_admin(pool: Pool, email: str, password: str, *, by: str) -> User:
    """Make the first account of all, an administrator.

    :raises ConflictError: somebody has an account
    :raises AccountError: no such email or password is possible
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _FIRST_ADMIN)
        if await connection.fetchval("SELECT EXISTS (SELECT FROM user_account)"):
            raise ConflictError("there are accounts already: sign in, or ask an administrator")
        return await _add(connection, email, password, "admin", DEFAULT_PROJECT, by)


async def add_member(connection: Connection, email: str, *, role: Role, project: str, by: str) -> int:
    """Make an account without a password, of somebody who signs in elsewhere; returns its id.

    :raises AccountError: no such email is possible, it has an account, or there is no such role or project
    """
    return (await _add(connection, email, None, role, project, by)).id


async def _add(
    connection: Connection,
    email: str,
    password: str | None,
    role: Role,
    project: str,
    by: str,
    *,
    must_change_password: bool = False,
) -> User:
    email, hashed = _email(email), None if password is None else await hashed_password(password)
    project_id = await project_named(connection, project)
    await connection.execute("SELECT FROM project WHERE id = $1 FOR NO KEY UPDATE", project_id)
    await role_exists(connection, project_id, role)
    id_ = await connection.fetchval(
        "INSERT INTO user_account (email, password_hash, role, project_id, must_change_password)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (lower(email)) DO NOTHING RETURNING id",
        email,
        hashed,
        role,
        project_id,
        must_change_password,
    )
    if id_ is None:
        raise ConflictError(f"{email} has an account already")
    await audit(connection, by, "user.create", project_id=project_id, email=email, role=role)
    return await _get(connection, id_, None)


async def add_service_account(
    pool: Pool, name: str, *, role: Role = "viewer", project: str = DEFAULT_PROJECT, by: str = COMMAND_LINE
) -> User:
    """Make an account of a program: it has tokens and cannot sign in.

    :raises AccountError: no account can have this name, it exists, or there is no such role or project
    """
    if not NAME.fullmatch(name):
        raise AccountError(f"{name[:60]!r} is no name for a service account: use a-z, 0-9, _ and -, at most 63")
    if role == "admin":
        raise AccountError("a service account is no administrator: use a token of scope admin, or a role by permission")
    async with pool.acquire() as connection, connection.transaction():
        project_id = await project_named(connection, project)
        await connection.execute("SELECT FROM project WHERE id = $1 FOR NO KEY UPDATE", project_id)
        await role_exists(connection, project_id, role)
        id_ = await connection.fetchval(
            "INSERT INTO user_account (email, role, project_id, is_service) VALUES ($1, $2, $3, true)"
            " ON CONFLICT (lower(email)) DO NOTHING RETURNING id",
            name,
            role,
            project_id,
        )
        if id_ is None:
            raise ConflictError(f"there is an account {name} already")
        await audit(connection, by, "user.create", project_id=project_id, email=name, role=role, service=True)
        return await _get(connection, id_, None)


async def list_users(
    pool: Pool, *, project_id: int | None = None, after: int = 0, limit: int | None = None
) -> list[User]:
    """Accounts in the order they were made, disabled ones included, those with an id above `after`."""
    rows = await pool.fetch(
        f"{_USERS} WHERE ($1::integer IS NULL OR u.project_id = $1) AND u.id > $2 ORDER BY u.id LIMIT $3",
        project_id,
        after,
        limit,
    )
    return [User(*row) for row in rows]


async def get_user(pool: Pool, id_: int, *, project_id: int | None = None) -> User:
    """One account.

    :raises NoSuchError: there is none
    """
    async with pool.acquire() as connection:
        return await _get(connection, id_, project_id)


async def change_user(
    pool: Pool,
    id_: int,
    *,
    role: Role | None = None,
    disabled: bool | None = None,
    etag: str | None = None,
    project_id: int | None = None,
    by: str = COMMAND_LINE,
) -> User:
    """Change the role of an account, or close or open it; None leaves it. Closing ends its sessions.

    :raises NoSuchError: there is none
    :raises ConflictError: it is the last administrator
    :raises StaleError: `etag` is given, and it has changed since
    """
    async with pool.acquire() as connection, connection.transaction():
        found = await _locked(connection, id_, project_id)
        if etag is not None and etag != found.etag:
            raise StaleError(f"{found.email} was changed meanwhile: read it again")
        if role is not None:
            await role_exists(connection, found.project_id, role)
        if found.is_admin and found.disabled_at is None and (disabled or role not in (None, "admin")):
            await _not_the_last(connection, found)
        await connection.execute(
            "UPDATE user_account SET role = coalesce($2, role), disabled_at ="
            " CASE WHEN $3::boolean IS NULL THEN disabled_at WHEN $3 THEN coalesce(disabled_at, now()) END"
            " WHERE id = $1",
            id_,
            role,
            disabled,
        )
        if disabled:
            await connection.execute("DELETE FROM session WHERE user_id = $1", id_)
        changed: dict[str, Any] = {"role": role, "disabled": disabled}
        told = {name: value for name, value in changed.items() if value is not None}
        await audit(connection, by, "user.change", project_id=found.project_id, email=found.email, **told)
        return await _get(connection, id_, project_id)


async def disable_user(pool: Pool, email: str, *, by: str = COMMAND_LINE) -> User:
    """Close an account and end its sessions; one that is closed stays so.

    :raises NoSuchError: there is no such account
    :raises ConflictError: it is the last administrator
    """
    id_ = await pool.fetchval("SELECT id FROM user_account WHERE lower(email) = lower($1)", email.strip())
    if id_ is None:
        raise NoSuchError(f"{email} has no account")
    return await change_user(pool, id_, disabled=True, by=by)


async def delete_user(pool: Pool, id_: int, *, project_id: int | None = None, by: str = COMMAND_LINE) -> None:
    """Delete an account with its sessions.

    :raises NoSuchError: there is none
    :raises ConflictError: it is the last administrator
    """
    async with pool.acquire() as connection, connection.transaction():
        found = await _locked(connection, id_, project_id)
        if found.is_admin and found.disabled_at is None:
            await _not_the_last(connection, found)
        await connection.execute("DELETE FROM user_account WHERE id = $1", id_)
        await audit(connection, by, "user.delete", project_id=found.project_id, email=found.email)


async def reset_password(
    pool: Pool, id_: int, *, project_id: int | None = None, by: str = COMMAND_LINE
) -> tuple[User, str]:
    """A new password for one use: who signs in with it must choose another. Ends sessions and the second factor.

    :raises NoSuchError: there is none
    """
    password = one_time_password()
    hashed = await hashed_password(password)
    async with pool.acquire() as connection, connection.transaction():
        found = await _locked(connection, id_, project_id)
        if found.is_service:
            raise ConflictError(f"{found.email} is a service account: it has tokens and no password")
        await connection.execute(
            "UPDATE user_account SET password_hash = $2, must_change_password = true WHERE id = $1", id_, hashed
        )
        await connection.execute("DELETE FROM totp WHERE user_id = $1", id_)  # the device is lost, as like as not
        await connection.execute("DELETE FROM session WHERE user_id = $1", id_)
        await connection.execute("DELETE FROM password_reset WHERE user_id = $1", id_)
        await audit(connection, by, "user.reset_password", project_id=found.project_id, email=found.email)
        return await _get(connection, id_, project_id), password


async def change_password(pool: Pool, email: str, current: str, new: str, *, keep: str) -> None:
    """Change one's own password; ends all sessions of the account but the one whose secret is `keep`.

    :raises WrongPasswordError: it is not the current password
    :raises ConflictError: there is none to change
    :raises AccountError: the new one cannot be
    """
    row = await pool.fetchrow(f"{_USERS} WHERE lower(u.email) = lower($1)", email)
    stored = await pool.fetchval("SELECT password_hash FROM user_account WHERE lower(email) = lower($1)", email)
    if row is not None and stored is None:
        raise ConflictError("this account has no password: it signs in by a provider or a passkey")
    if row is None or not await in_worker(verify_password, current, stored):
        raise WrongPasswordError("the current password is wrong")
    user = User(*row)
    if new == current:
        raise AccountError("the new password is the current one: choose another")
    hashed = await hashed_password(new)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "UPDATE user_account SET password_hash = $2, must_change_password = false WHERE id = $1", user.id, hashed
        )
        await connection.execute("DELETE FROM session WHERE user_id = $1 AND hash <> $2", user.id, digest(keep))
        await connection.execute("DELETE FROM password_reset WHERE user_id = $1", user.id)
        await audit(connection, user.email, "user.change_password", project_id=user.project_id, email=user.email)


async def ensure_first_admin(pool: Pool, settings: Settings) -> bool:
    """Make the administrator of `CORDWOOD_ADMIN_EMAIL` and `CORDWOOD_ADMIN_PASSWORD` where nobody has an account yet.

    Returns whether one was made; of nodes that start at once, one makes it.

    :raises ConfigError: one of the two settings is missing, or not usable
    """
    email, password = settings.admin_email, settings.admin_password
    if not email and password is None:
        return False
    if not email or password is None:
        raise ConfigError("the first administrator needs CORDWOOD_ADMIN_EMAIL and CORDWOOD_ADMIN_PASSWORD, both")
    if await users_exist(pool):
        return False
    try:
        await add_first_admin(pool, email, password.get_secret_value(), by="environment")
    except ConflictError:
        return False
    except AccountError as why:
        raise ConfigError(f"CORDWOOD_ADMIN_EMAIL, CORDWOOD_ADMIN_PASSWORD: {why}") from None
    return True


async def hashed_password(password: str) -> str:
    """What is kept of a password.

    :raises AccountError: it is too short or too long
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise AccountError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    return await in_worker(hash_password, password)


class WrongPasswordError(AccountError):
    """The current password is not the one that was given."""


class StaleError(AccountError):
    """What the change was made for is no more: If-Match says another ETag."""

    status = 412


_USERS: Final = (
    "SELECT u.id, u.email, u.role, u.project_id, p.name, u.created_at, u.disabled_at, u.signed_in_at,"
    " u.must_change_password, u.is_service FROM user_account u JOIN project p ON p.id = u.project_id"
)


async def _get(connection: Connection, id_: int, project_id: int | None) -> User:
    row = await connection.fetchrow(
        f"{_USERS} WHERE u.id = $1 AND ($2::integer IS NULL OR u.project_id = $2)", id_, project_id
    )
    if row is None:
        raise NoSuchError(f"there is no account {id_}")
    return User(*row)


async def _locked(connection: Connection, id_: int, project_id: int | None) -> User:
    """The account, while no other change of its project's accounts is under way."""
    found = await _get(connection, id_, project_id)
    await connection.execute("SELECT FROM project WHERE id = $1 FOR NO KEY UPDATE", found.project_id)
    return await _get(connection, id_, project_id)


async def _not_the_last(connection: Connection, user: User) -> None:
    others = await connection.fetchval(
        "SELECT count(*) FROM user_account"
        " WHERE role = 'admin' AND NOT is_service AND disabled_at IS NULL AND project_id = $1 AND id <> $2",
        user.project_id,
        user.id,
    )
    if not others:
        raise ConflictError(f"{user.email} is the last administrator of {user.project}: make another first")


def _email(text: str) -> str:
    clean = text.strip()
    name, at, host = clean.rpartition("@")
    if not (name and at and host) or len(clean) > 320 or any(c.isspace() or not c.isprintable() for c in clean):
        raise AccountError(f"{text[:60]!r} is no email address")
    return clean
