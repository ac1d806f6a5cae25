"""Tokens of programs, as PostgreSQL keeps them: each belongs to a project and has scopes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import asyncpg

from ...core.storage.audit import audit
from .credentials import TOKEN_PREFIX, digest, new_secret
from .errors import AccountError, NoSuchError
from .principal import Principal
from .projects import COMMAND_LINE, DEFAULT_PROJECT, project_named
from .roles import SCOPES, Scope, permissions_of

Pool: TypeAlias = asyncpg.Pool
LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class Token:
    """A program's access, without its secret."""

    id: int
    name: str
    scopes: tuple[Scope, ...]
    project_id: int
    project: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


async def create_token(
    pool: Pool,
    name: str,
    scopes: Sequence[str],
    *,
    valid_for: timedelta | None = None,
    project: str = DEFAULT_PROJECT,
    by: str = COMMAND_LINE,
) -> tuple[Token, str]:
    """Make a token; returns it with its secret, which is never shown again.

    :raises AccountError: a scope is none of `SCOPES`, there is none, the name is no name, or there is no such project
    """
    wrong = sorted(set(scopes) - set(SCOPES))
    if wrong or not scopes:
        raise AccountError(f"{', '.join(wrong) or 'nothing'} is no scope: use some of {', '.join(SCOPES)}")
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise AccountError(
            f"a token needs a name of 1 to {LONGEST_NAME} characters, so that you know later whose it is"
        )
    secret = new_secret(TOKEN_PREFIX)
    async with pool.acquire() as connection, connection.transaction():
        project_id = await project_named(connection, project)
        try:
            id_ = await connection.fetchval(
                "INSERT INTO api_token (hash, name, scopes, expires_at, project_id, created_by)"
                " VALUES ($1, $2, $3, now() + $4::interval, $5, $6) RETURNING id",
                digest(secret),
                name,
                sorted(set(scopes)),
                valid_for,
                project_id,
                by,
            )
        except asyncpg.DatetimeFieldOverflowError:
            raise AccountError(
                "the token would be valid for too long: leave the time out for one without an end"
            ) from None
        told = {"token": id_, "name": name, "scopes": sorted(set(scopes))}
        await audit(connection, by, "token.create", project_id=project_id, **told)
        row = await connection.fetchrow(f"{_TOKENS} WHERE t.id = $1", id_)
    return _token(row), secret


async def list_tokens(
    pool: Pool, *, project_id: int | None = None, before: int = 2**63 - 1, limit: int | None = None
) -> list[Token]:
    """Tokens with an id below `before`, newest first, revoked and expired ones included."""
    rows = await pool.fetch(
        f"{_TOKENS} WHERE ($1::integer IS NULL OR t.project_id = $1) AND t.id < $2 ORDER BY t.id DESC LIMIT $3",
        project_id,
        before,
        limit,
    )
    return [_token(row) for row in rows]


async def get_token(pool: Pool, token_id: int, *, project_id: int | None = None) -> Token:
    """One token.

    :raises NoSuchError: there is none
    """
    row = await pool.fetchrow(
        f"{_TOKENS} WHERE t.id = $1 AND ($2::integer IS NULL OR t.project_id = $2)", token_id, project_id
    )
    if row is None:
        raise NoSuchError(f"there is no token {token_id}")
    return _token(row)


async def revoke_token(pool: Pool, token_id: int, *, project_id: int | None = None, by: str = COMMAND_LINE) -> Token:
    """End a token; it is refused within `Gate.TRUST_S` seconds on every node. One that is revoked stays so.

    :raises NoSuchError: there is no such token
    """
    found = await get_token(pool, token_id, project_id=project_id)
    async with pool.acquire() as connection, connection.transaction():
        ended = await connection.fetchval(
            "UPDATE api_token SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id", token_id
        )
        if ended is not None:
            told = {"token": token_id, "name": found.name}
            await audit(connection, by, "token.revoke", project_id=found.project_id, **told)
    return await get_token(pool, token_id)


async def verify_token(pool: Pool, secret: str) -> Principal | None:
    """Whose token it is, or None where it is none, revoked or expired. Notes the time of use to the minute."""
    row = await pool.fetchrow(
        "SELECT t.id, t.name, t.scopes, t.project_id, p.name AS project,"
        " t.last_used_at < now() - interval '1 minute' AS stale"
        " FROM api_token t JOIN project p ON p.id = t.project_id"
        " WHERE t.hash = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())",
        digest(secret),
    )
    if row is None:
        return None
    if row["stale"] is not False:
        await pool.execute("UPDATE api_token SET last_used_at = now() WHERE id = $1", row["id"])
    return Principal(row["name"], permissions_of(row["scopes"]), row["project_id"], row["project"])


_TOKENS: Final = (
    "SELECT t.id, t.name, t.scopes, t.project_id, p.name AS project, t.created_at, t.created_by, t.expires_at,"
    " t.last_used_at, t.revoked_at FROM api_token t JOIN project p ON p.id = t.project_id"
)


def _token(row: asyncpg.Record | None) -> Token:
    assert row is not None
    id_, name, scopes, *rest = row
    return Token(id_, name, tuple(scopes), *rest)
