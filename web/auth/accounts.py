"""Accounts of people, tokens of programs, sessions of browsers, as PostgreSQL keeps them.

A secret is returned once, when it is made; only its hash is kept.
"""

# ruff: noqa: S608 - what is put into statements are the column lists at the end

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

import asyncpg

from ...plugins import ConfigError, CordwoodError, in_worker
from .credentials import TOKEN_PREFIX, digest, hash_password, new_secret, verify_password

if TYPE_CHECKING:
    from ...config.settings import Settings

Pool: TypeAlias = asyncpg.Pool
Scope: TypeAlias = Literal["ingest", "query", "admin"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
SESSION_DAYS: Final = 14
SHORTEST_PASSWORD: Final = 8  # characters, NIST SP 800-63B
LONGEST_PASSWORD: Final = 1024


class AccountError(CordwoodError):
    """An account or a token cannot be made or changed so; the message says why."""


@dataclass(frozen=True, slots=True)
class User:
    """A person."""

    id: int
    email: str
    is_admin: bool
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Token:
    """A program's access, without its secret."""

    id: int
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and what they may do. `email` is None for a program and for this machine."""

    name: str
    scopes: frozenset[str]
    email: str | None = None
    is_admin: bool = False


async def users_exist(pool: Pool) -> bool:
    """Whether anybody, disabled or not, has an account: from then on everybody must show who they are."""
    return bool(await pool.fetchval("SELECT EXISTS (SELECT FROM user_account)"))


async def add_user(pool: Pool, email: str, password: str, *, is_admin: bool = False) -> User:
    """Make an account.

    :raises AccountError: no such email or password is possible, or the email has an account
    """
    email = _email(email)
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise AccountError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    hashed = await in_worker(hash_password, password)
    row = await pool.fetchrow(
        f"INSERT INTO user_account (email, password_hash, is_admin) VALUES ($1, $2, $3)"
        f" ON CONFLICT (lower(email)) DO NOTHING RETURNING {_USER}",
        email,
        hashed,
        is_admin,
    )
    if row is None:
        raise AccountError(f"{email} has an account already")
    return User(*row)


async def list_users(pool: Pool) -> list[User]:
    """All accounts by email, disabled ones included."""
    return [User(*row) for row in await pool.fetch(f"SELECT {_USER} FROM user_account ORDER BY lower(email)")]


async def disable_user(pool: Pool, email: str) -> User:
    """Close an account and end its sessions; one that is closed stays so.

    :raises AccountError: there is no such account
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "UPDATE user_account SET disabled_at = coalesce(disabled_at, now())"
            f" WHERE lower(email) = lower($1) RETURNING {_USER}",
            email.strip(),
        )
        if row is None:
            raise AccountError(f"{email} has no account")
        await connection.execute("DELETE FROM session WHERE user_id = $1", row["id"])
    return User(*row)


async def create_token(
    pool: Pool, name: str, scopes: Sequence[str], *, valid_for: timedelta | None = None
) -> tuple[Token, str]:
    """Make a token; returns it with its secret, which is never shown again.

    :raises AccountError: a scope is none of `SCOPES`, there is none, or the name is empty
    """
    wrong = sorted(set(scopes) - set(SCOPES))
    if wrong or not scopes:
        raise AccountError(f"{', '.join(wrong) or 'nothing'} is no scope: use some of {', '.join(SCOPES)}")
    if not name.strip() or "\0" in name:
        raise AccountError("a token needs a name, so that you know later whose it is")
    secret = new_secret(TOKEN_PREFIX)
    row = await pool.fetchrow(
        "INSERT INTO api_token (hash, name, scopes, expires_at)"
        f" VALUES ($1, $2, $3, now() + $4::interval) RETURNING {_TOKEN}",
        digest(secret),
        name.strip(),
        sorted(set(scopes)),
        valid_for,
    )
    return _token(row), secret


async def list_tokens(pool: Pool) -> list[Token]:
    """All tokens, newest first, revoked and expired ones included."""
    return [_token(row) for row in await pool.fetch(f"SELECT {_TOKEN} FROM api_token ORDER BY id DESC")]


async def revoke_token(pool: Pool, token_id: int) -> Token:
    """End a token; it is refused within `Gate.TRUST_S` seconds on every node.

    :raises AccountError: there is no such token
    """
    row = await pool.fetchrow(
        f"UPDATE api_token SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 RETURNING {_TOKEN}", token_id
    )
    if row is None:
        raise AccountError(f"there is no token {token_id}")
    return _token(row)


async def verify_token(pool: Pool, secret: str) -> Principal | None:
    """Whose token it is, or None where it is none, revoked or expired. Notes the time of use to the minute."""
    row = await pool.fetchrow(
        "SELECT id, name, scopes, last_used_at < now() - interval '1 minute' AS stale FROM api_token"
        " WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())",
        digest(secret),
    )
    if row is None:
        return None
    if row["stale"] is not False:
        await pool.execute("UPDATE api_token SET last_used_at = now() WHERE id = $1", row["id"])
    return Principal(row["name"], frozenset(row["scopes"]))


async def sign_in(pool: Pool, email: str, password: str) -> tuple[User, str] | None:
    """A session for the right password, with the secret for its cookie; None for a wrong one."""
    clean = email.strip().replace("\0", "")
    row = await pool.fetchrow(f"SELECT {_USER}, password_hash FROM user_account WHERE lower(email) = lower($1)", clean)
    usable = row is not None and row["disabled_at"] is None
    if not await in_worker(verify_password, password, row["password_hash"] if row and usable else None):
        return None
    assert row is not None
    secret = new_secret()
    await pool.execute("DELETE FROM session WHERE expires_at < now()")
    await pool.execute(
        "INSERT INTO session (hash, user_id, expires_at) VALUES ($1, $2, now() + $3::interval)",
        digest(secret),
        row["id"],
        timedelta(days=SESSION_DAYS),
    )
    return User(*tuple(row)[:5]), secret


async def verify_session(pool: Pool, secret: str) -> Principal | None:
    """Whose session it is, or None where it is none, over, or of a closed account."""
    row = await pool.fetchrow(
        "SELECT email, is_admin FROM session JOIN user_account ON user_account.id = user_id"
        " WHERE hash = $1 AND expires_at > now() AND disabled_at IS NULL",
        digest(secret),
    )
    return None if row is None else principal_of(row["email"], is_admin=row["is_admin"])


async def sign_out(pool: Pool, secret: str) -> None:
    """End a session; one that is over already is no error."""
    await pool.execute("DELETE FROM session WHERE hash = $1", digest(secret))


def principal_of(email: str, *, is_admin: bool) -> Principal:
    """What a person may do: everybody reads, an administrator does the rest."""
    return Principal(email, frozenset(SCOPES if is_admin else ("query",)), email, is_admin)


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
        await add_user(pool, email, password.get_secret_value(), is_admin=True)
    except AccountError as why:
        if await users_exist(pool):
            return False
        raise ConfigError(f"CORDWOOD_ADMIN_EMAIL, CORDWOOD_ADMIN_PASSWORD: {why}") from None
    return True


_USER: Final = "id, email, is_admin, created_at, disabled_at"
_TOKEN: Final = "id, name, scopes, created_at, expires_at, last_used_at, revoked_at"  # noqa: S105 - columns


def _token(row: asyncpg.Record | None) -> Token:
    assert row is not None
    id_, name, scopes, *times = row
    return Token(id_, name, tuple(scopes), *times)


def _email(text: str) -> str:
    clean = text.strip()
    name, at, host = clean.rpartition("@")
    if not (name and at and host) or len(clean) > 320 or any(c.isspace() or not c.isprintable() for c in clean):
        raise AccountError(f"{text[:60]!r} is no email address")
    return clean
