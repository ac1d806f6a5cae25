"""Links by which somebody who forgot their password chooses another: each counts once, for half an hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import asyncpg

from ...core.storage.audit import audit
from ...core.storage.database import Connection
from .accounts import hashed_password
from .credentials import digest, new_secret
from .errors import ConflictError, NoSuchError

Pool: TypeAlias = asyncpg.Pool
VALID_FOR: Final = timedelta(minutes=30)
MOST_LINKS: Final = 5
"""Links of an account that count at a time: a new one takes the place of the oldest."""
_OVER: Final = "this link is over: it was used, is older than half an hour, or another one was. Ask for a new one"


@dataclass(frozen=True, slots=True)
class Reset:
    """A new link. The secret is kept nowhere."""

    email: str
    project_id: int
    secret: str
    expires_at: datetime


async def reset_by_mail(pool: Pool, email: str) -> Reset | None:
    """A link for who forgot their password; None: nobody of this address has one, or the account is closed."""
    clean = email.strip().replace("\0", "")
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "SELECT id, email, project_id FROM user_account WHERE lower(email) = lower($1)"
            " AND disabled_at IS NULL AND NOT is_service AND password_hash IS NOT NULL FOR NO KEY UPDATE",
            clean,
        )
        return None if row is None else await _made(connection, row, row["email"], "mail")


async def reset_by_admin(pool: Pool, user_id: int, *, project_id: int | None, by: str) -> Reset:
    """A link that an administrator hands on; `project_id` None looks at all projects.

    :raises NoSuchError: there is no such account
    :raises ConflictError: it is a service account, or closed
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "SELECT id, email, project_id, is_service, disabled_at FROM user_account"
            " WHERE id = $1 AND ($2::integer IS NULL OR project_id = $2) FOR NO KEY UPDATE",
            user_id,
            project_id,
        )
        if row is None:
            raise NoSuchError(f"there is no account {user_id}")
        if row["is_service"]:
            raise ConflictError(f"{row['email']} is a service account: it has tokens and no password")
        if row["disabled_at"] is not None:
            raise ConflictError(f"{row['email']} is closed: open the account first")
        return await _made(connection, row, by, "link")


async def _made(connection: Connection, account: asyncpg.Record, by: str, how: str) -> Reset:
    secret = new_secret("cwr_")
    await connection.execute("DELETE FROM password_reset WHERE expires_at < now()")
    await connection.execute(
        "DELETE FROM password_reset WHERE hash IN"
        " (SELECT hash FROM password_reset WHERE user_id = $1 ORDER BY expires_at DESC OFFSET $2)",
        account["id"],
        MOST_LINKS - 1,
    )
    expires_at = await connection.fetchval(
        "INSERT INTO password_reset (hash, user_id, created_by, expires_at) VALUES ($1, $2, $3, now() + $4)"
        " RETURNING expires_at",
        digest(secret),
        account["id"],
        by,
        VALID_FOR,
    )
    told = {"email": account["email"], "by": how}
    await audit(connection, by, "user.reset_link", project_id=account["project_id"], **told)
    return Reset(account["email"], account["project_id"], secret, expires_at)


async def choose_password(pool: Pool, secret: str, password: str) -> str:
    """Put a password in the place of the one that was forgotten; returns whose. All sessions and links of it end.

    A second factor stays: a link by mail is no device.

    :raises NoSuchError: the link is over, or there was none such
    :raises AccountError: no such password is possible; the link stays
    """
    if not await pool.fetchval(f"SELECT EXISTS ({_USABLE})", digest(secret)):
        raise NoSuchError(_OVER)  # before the password is hashed, which takes long
    hashed = await hashed_password(password)
    async with pool.acquire() as connection, connection.transaction():
        user_id = await connection.fetchval(f"{_USABLE} FOR UPDATE OF r, u", digest(secret))
        if user_id is None:
            raise NoSuchError(_OVER)
        row = await connection.fetchrow(
            "UPDATE user_account SET password_hash = $2, must_change_password = false WHERE id = $1"
            " RETURNING email, project_id",
            user_id,
            hashed,
        )
        assert row is not None
        await connection.execute("DELETE FROM password_reset WHERE user_id = $1", user_id)
        await connection.execute("DELETE FROM session WHERE user_id = $1", user_id)
        email: str = row["email"]
        await audit(connection, email, "user.change_password", project_id=row["project_id"], email=email, by="link")
    return email


_USABLE: Final = (
    "SELECT u.id FROM password_reset r JOIN user_account u ON u.id = r.user_id"
    " WHERE r.hash = $1 AND r.expires_at > now() AND u.disabled_at IS NULL"
)
