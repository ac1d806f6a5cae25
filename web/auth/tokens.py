"""Tokens of programs, as PostgreSQL keeps them: each belongs to a project and has scopes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import asyncpg

from ...core.storage.audit import audit
from ...core.storage.database import Connection
from .credentials import TOKEN_PREFIX, digest, new_secret
from .errors import AccountError, NoSuchError
from .origin import origin_of
from .principal import Principal
from .projects import COMMAND_LINE, DEFAULT_PROJECT, project_named
from .roles import SCOPES, Scope, permissions_of
from .sessions import MEMBER, MEMBERSHIP, member

Pool: TypeAlias = asyncpg.Pool
LONGEST_NAME: Final = 200
MOST_ORIGINS: Final = 50


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
    origins: tuple[str, ...] = ()
    """The pages whose scripts may send with it; none: it is a program's."""
    account: str | None = None
    """The service account that it is of."""


async def create_token(
    pool: Pool,
    name: str,
    scopes: Sequence[str],
    *,
    valid_for: timedelta | None = None,
    project: str = DEFAULT_PROJECT,
    origins: Sequence[str] = (),
    account: str | None = None,
    by: str = COMMAND_LINE,
) -> tuple[Token, str]:
    """Make a token; returns it with its secret, which is never shown again.

    :param origins: pages such as `https://shop.example` whose scripts may send with it, and nothing else may: whoever
        reads the page has it.
    :param account: the service account that it is of.
    :raises AccountError: a scope is none of `SCOPES`, there is none, the name is no name, there is no such project or
        account, or a token for browsers could do more than send
    """
    pages = checked_origins(origins)
    if pages and set(scopes) != {"ingest"}:
        raise AccountError("a token with origins is in a page for everybody to read: it can only have the scope ingest")
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
        account_id = None if account is None else await _service_account(connection, project_id, account)
        try:
            id_ = await connection.fetchval(
                "INSERT INTO api_token (hash, name, scopes, expires_at, project_id, created_by, origins, account_id)"
                " VALUES ($1, $2, $3, now() + $4::interval, $5, $6, $7, $8) RETURNING id",
                digest(secret),
                name,
                sorted(set(scopes)),
                valid_for,
                project_id,
                by,
                list(pages),
                account_id,
            )
        except asyncpg.DatetimeFieldOverflowError:
            raise AccountError(
                "the token would be valid for too long: leave the time out for one without an end"
            ) from None
        told: dict[str, Any] = {"token": id_, "name": name, "scopes": sorted(set(scopes))}
        told |= {key: value for key, value in (("origins", list(pages)), ("account", account)) if value}
        await audit(connection, by, "token.create", project_id=project_id, **told)
        row = await connection.fetchrow(f"{_TOKENS} WHERE t.id = $1", id_)
    return _token(row), secret


def checked_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """Origins as browsers write them, each once.

    :raises AccountError: one is none, or there are too many

    >>> checked_origins(["https://Shop.example", "http://localhost:3000"])
    ('https://shop.example', 'http://localhost:3000')
    """
    if len(origins) > MOST_ORIGINS:
        raise AccountError(f"{len(origins)} origins are too many: use at most {MOST_ORIGINS}")
    found = []
    for origin in origins:
        if len(origin) > 300 or origin_of(origin) is None or origin.count("/") != 2:
            raise AccountError(f"{origin[:60]!r} is no origin: write it as https://shop.example, without a path")
        found.append(origin.lower())
    return tuple(dict.fromkeys(found))


async def _service_account(connection: Connection, project_id: int, name: str) -> int:
    found = await connection.fetchval(
        "SELECT id FROM user_account WHERE lower(email) = lower($1) AND project_id = $2 AND is_service",
        name,
        project_id,
    )
    if found is None:
        raise NoSuchError(f"there is no service account {name[:60]!r} in this project")
    return int(found)


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
        "SELECT t.id AS token_id, t.name, t.scopes, t.origins, t.account_id, t.project_id AS of_project,"  # noqa: S608
        f" tp.name AS of_project_name, t.last_used_at < now() - interval '1 minute' AS stale, {MEMBER}"
        " FROM api_token t JOIN project tp ON tp.id = t.project_id LEFT JOIN (user_account u"
        f" {MEMBERSHIP}) ON u.id = t.account_id"
        " WHERE t.hash = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())"
        " AND u.disabled_at IS NULL",
        digest(secret),
    )
    if row is None:
        return None
    if row["stale"] is not False:
        await pool.execute("UPDATE api_token SET last_used_at = now() WHERE id = $1", row["token_id"])
    allowed, origins = permissions_of(row["scopes"]), tuple(row["origins"])
    if row["account_id"] is None:
        return Principal(row["name"], allowed, row["of_project"], row["of_project_name"], origins=origins)
    # A service account's token does what its role and its scopes both allow.
    account = member(row)
    return replace(account, name=row["name"], permissions=account.permissions & allowed, email=None, origins=origins)


async def pages(pool: Pool) -> frozenset[str]:
    """The origins of all tokens that are good."""
    rows = await pool.fetch(
        "SELECT DISTINCT unnest(origins) AS origin FROM api_token"
        " WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())"
    )
    return frozenset(row["origin"] for row in rows)


_TOKENS: Final = (
    "SELECT t.id, t.name, t.scopes, t.project_id, p.name AS project, t.created_at, t.created_by, t.expires_at,"
    " t.last_used_at, t.revoked_at, t.origins, u.email AS account"
    " FROM api_token t JOIN project p ON p.id = t.project_id LEFT JOIN user_account u ON u.id = t.account_id"
)


def _token(row: asyncpg.Record | None) -> Token:
    assert row is not None
    values = {**row, "scopes": tuple(row["scopes"]), "origins": tuple(row["origins"])}
    return Token(**values)
