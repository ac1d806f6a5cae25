"""Sessions of browsers, as PostgreSQL keeps them: only the hash of the cookie's secret is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import asyncpg

from ...core.storage.audit import audit
from ...plugins import in_worker
from .accounts import User, get_user
from .credentials import digest, hash_password, is_outdated, new_secret, verify_password
from .custom_roles import masks_of, rights_of
from .errors import NoSuchError
from .principal import Principal
from .roles import PERMISSIONS, ROLES

Pool: TypeAlias = asyncpg.Pool
SESSION_DAYS: Final = 14
CONFIRMED: Final = timedelta(minutes=5)
"""How long a sign-in is fresh: what gives somebody lasting power asks for one."""


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a session is from, for the list that its owner sees."""

    client: str = ""
    agent: str = ""


async def check_password(pool: Pool, email: str, password: str) -> int | None:
    """The account with this password; None for a wrong one, which is audited."""
    clean = email.strip().replace("\0", "")
    row = await pool.fetchrow(
        "SELECT id, email, project_id, password_hash, disabled_at FROM user_account WHERE lower(email) = lower($1)",
        clean,
    )
    usable = row is not None and row["disabled_at"] is None
    if not await in_worker(verify_password, password, row["password_hash"] if row and usable else None):
        # What was typed may be a password in the wrong box: only an account's own name is written down.
        who, project_id = (row["email"], row["project_id"]) if row else ("somebody", None)
        await audit(pool, who, "session.refused", project_id=project_id)
        return None
    assert row is not None
    if is_outdated(row["password_hash"]):
        newer = await in_worker(hash_password, password)
        await pool.execute(
            "UPDATE user_account SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
            row["id"], row["password_hash"], newer,
        )  # fmt: skip
    return int(row["id"])


async def start_session(
    pool: Pool, user_id: int, by: str, browser: Browser = Browser(), *, confirmed_at: datetime | None
) -> str:
    """A session of an account, of which the secret for its cookie is returned.

    :param by: how they showed who they are.
    :param confirmed_at: when they did; None: a provider let them in, and does not say when it last asked.
    """
    secret = new_secret()
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "UPDATE user_account SET signed_in_at = now() WHERE id = $1 AND disabled_at IS NULL AND NOT is_service"
            " RETURNING email, project_id",
            user_id,
        )
        if row is None:
            raise NoSuchError("there is no such account any more, or it is closed")
        await connection.execute("DELETE FROM session WHERE expires_at < now()")
        await connection.execute(
            "INSERT INTO session (hash, user_id, expires_at, client, agent, confirmed_at)"
            " VALUES ($1, $2, now() + $3, $4, $5, $6::timestamptz - greatest($6 - now(), interval '0'))",
            digest(secret),
            user_id,
            timedelta(days=SESSION_DAYS),
            browser.client[:100],
            browser.agent[:200],
            confirmed_at,
        )
        await audit(connection, row["email"], "session.create", project_id=row["project_id"], by=by)
    return secret


async def sign_in(pool: Pool, email: str, password: str) -> tuple[User, str] | None:
    """A session for the right password, with the secret for its cookie; None for a wrong one. Both are audited."""
    user_id = await check_password(pool, email, password)
    if user_id is None:
        return None
    return await get_user(pool, user_id), await start_session(pool, user_id, "password", confirmed_at=datetime.now(UTC))


async def is_confirmed(pool: Pool, secret: str) -> bool:
    """Whether who has the session showed who they are within the last `CONFIRMED`."""
    return bool(
        await pool.fetchval(
            "SELECT confirmed_at > now() - $2::interval FROM session WHERE hash = $1", digest(secret), CONFIRMED
        )
    )


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which somebody is signed in."""

    id: int
    client: str
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    is_current: bool


async def list_sessions(pool: Pool, user_id: int, current: str) -> list[Session]:
    """The sessions of an account, the last used first; `current` is the secret of the one that asks."""
    rows = await pool.fetch(
        "SELECT id, client, agent, created_at, seen_at, expires_at, hash = $2 FROM session"
        " WHERE user_id = $1 AND expires_at > now() ORDER BY seen_at DESC, id DESC LIMIT 200",
        user_id,
        digest(current),
    )
    return [Session(*row) for row in rows]


async def end_session(pool: Pool, user_id: int, session_id: int) -> None:
    """End a session of an account.

    :raises NoSuchError: it has none of this number
    """
    async with pool.acquire() as connection, connection.transaction():
        ended = await connection.fetchrow(
            "DELETE FROM session s USING user_account u WHERE s.id = $1 AND s.user_id = $2 AND u.id = s.user_id"
            " RETURNING u.email, u.project_id",
            session_id,
            user_id,
        )
        if ended is None:
            raise NoSuchError(f"there is no session {session_id}")
        await audit(connection, ended["email"], "session.delete", project_id=ended["project_id"], session=session_id)


async def verify_session(pool: Pool, secret: str) -> Principal | None:
    """Whose session it is, or None where it is none, over, or of a closed account."""
    row = await pool.fetchrow(
        f"SELECT {MEMBER}, s.seen_at < now() - interval '1 minute' AS stale"  # noqa: S608 - made of constants
        f" FROM session s JOIN user_account u ON u.id = s.user_id {MEMBERSHIP}"
        " WHERE s.hash = $1 AND s.expires_at > now() AND u.disabled_at IS NULL",
        digest(secret),
    )
    if row is None:
        return None
    if row["stale"]:
        await pool.execute("UPDATE session SET seen_at = now() WHERE hash = $1", digest(secret))
    return member(row)


async def sign_out(pool: Pool, secret: str) -> None:
    """End a session; one that is over already is no error."""
    async with pool.acquire() as connection, connection.transaction():
        ended = await connection.fetchrow(
            "DELETE FROM session s USING user_account u WHERE s.hash = $1 AND u.id = s.user_id"
            " RETURNING u.email, u.project_id",
            digest(secret),
        )
        if ended is not None:
            await audit(connection, ended["email"], "session.delete", project_id=ended["project_id"])


MEMBER: Final = (
    "u.id, u.email, u.role, u.project_id, p.name AS project, u.must_change_password,"
    " u.password_hash IS NOT NULL AS has_password, r.permissions, r.search, r.masks, r.salt"
)
MEMBERSHIP: Final = (
    "JOIN project p ON p.id = u.project_id LEFT JOIN role r ON r.project_id = u.project_id AND r.name = u.role"
)


def member(row: asyncpg.Record) -> Principal:
    """Who an account is, of the columns of `MEMBER`. A role that is no more may do nothing."""
    role, rights = row["role"], None
    permissions = ROLES.get(role, frozenset())
    if role not in ROLES and row["permissions"] is not None:
        permissions = frozenset(permission for permission in PERMISSIONS if permission in row["permissions"])
        rights = rights_of(role, row["search"], masks_of(row["masks"]), row["salt"])
    must_change: bool = row["must_change_password"]
    return Principal(
        row["email"],
        frozenset() if must_change else permissions,
        row["project_id"],
        row["project"],
        row["email"],
        role,
        must_change,
        rights,
        row["id"],
        has_password=row["has_password"],
    )


async def principal_of(pool: Pool, user_id: int) -> Principal:
    """What somebody may do."""
    row = await pool.fetchrow(
        f"SELECT {MEMBER} FROM user_account u {MEMBERSHIP} WHERE u.id = $1",  # noqa: S608 - made of constants
        user_id,
    )
    if row is None:
        raise NoSuchError(f"there is no account {user_id}")
    return member(row)
