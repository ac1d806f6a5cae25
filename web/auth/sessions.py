"""Sessions of browsers, as PostgreSQL keeps them: only the hash of the cookie's secret is there."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, TypeAlias

import asyncpg

from ...core.storage.audit import audit
from ...plugins import in_worker
from .accounts import User, get_user
from .credentials import digest, new_secret, verify_password
from .principal import Principal
from .roles import ROLES

Pool: TypeAlias = asyncpg.Pool
SESSION_DAYS: Final = 14


async def sign_in(pool: Pool, email: str, password: str) -> tuple[User, str] | None:
    """A session for the right password, with the secret for its cookie; None for a wrong one. Both are audited."""
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
    secret = new_secret()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM session WHERE expires_at < now()")
        await connection.execute(
            "INSERT INTO session (hash, user_id, expires_at) VALUES ($1, $2, now() + $3::interval)",
            digest(secret),
            row["id"],
            timedelta(days=SESSION_DAYS),
        )
        await connection.execute("UPDATE user_account SET signed_in_at = now() WHERE id = $1", row["id"])
        await audit(connection, row["email"], "session.create", project_id=row["project_id"])
    return await get_user(pool, row["id"]), secret


async def verify_session(pool: Pool, secret: str) -> Principal | None:
    """Whose session it is, or None where it is none, over, or of a closed account."""
    row = await pool.fetchrow(
        "SELECT u.email, u.role, u.project_id, p.name AS project, u.must_change_password"
        " FROM session s JOIN user_account u ON u.id = s.user_id JOIN project p ON p.id = u.project_id"
        " WHERE s.hash = $1 AND s.expires_at > now() AND u.disabled_at IS NULL",
        digest(secret),
    )
    return None if row is None else _principal(*row)


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


def principal_of(user: User) -> Principal:
    """What a person may do."""
    return _principal(user.email, user.role, user.project_id, user.project, user.must_change_password)


def _principal(email: str, role: str, project_id: int, project: str, must_change_password: bool) -> Principal:
    known = next(name for name in ROLES if name == role)
    permissions = frozenset() if must_change_password else ROLES[known]
    return Principal(email, permissions, project_id, project, email, known, must_change_password)
