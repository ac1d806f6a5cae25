"""Passkeys (WebAuthn): a key pair for each device, of which the public half is kept here.

A challenge is kept until it is answered, once, or for five minutes. The device must have verified its user, by PIN,
finger or face: a passkey is both what somebody has and what they know or are.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import asyncpg

from ...core.storage.audit import audit
from .errors import AccountError, ConflictError, NoSuchError

Pool: TypeAlias = asyncpg.Pool
CHALLENGE: Final = timedelta(minutes=5)
MOST_CHALLENGES: Final = 10_000  # that wait for an answer: who asks needs no account
MOST_PASSKEYS: Final = 20  # of an account
LONGEST_NAME: Final = 100


class NoPasskeyError(AccountError):
    """The answer is not one of a passkey of an account here; the message says why, for the log."""

    status = 401


@dataclass(frozen=True, slots=True)
class Site:
    """Whom a passkey is for: the host's name, and the origins of its pages."""

    host: str
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey of an account."""

    id: int
    name: str
    created_at: datetime
    used_at: datetime | None


async def new_challenge(pool: Pool, user_id: int | None) -> bytes:
    """A challenge: of somebody who adds a passkey, or (None) of whoever signs in."""
    challenge = secrets.token_bytes(32)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("delete from passkey_challenge where expires_at < now()")
        await connection.execute(
            "insert into passkey_challenge (challenge, user_id, expires_at) values ($1, $2, now() + $3)",
            challenge,
            user_id,
            CHALLENGE,
        )
        await connection.execute(  # the oldest go, so that nobody locks others out by asking for many
            "delete from passkey_challenge where challenge in"
            " (select challenge from passkey_challenge order by expires_at desc, challenge offset $1)",
            MOST_CHALLENGES,
        )
    return challenge


async def credential_ids(pool: Pool, user_id: int) -> list[bytes]:
    """The devices' own ids of an account's passkeys: a device is not asked to make a second one."""
    rows = await pool.fetch("select credential_id from passkey where user_id = $1 order by id", user_id)
    return [row["credential_id"] for row in rows]


async def list_passkeys(pool: Pool, user_id: int) -> list[Passkey]:
    """An account's passkeys in the order they were added."""
    rows = await pool.fetch("select id, name, created_at, used_at from passkey where user_id = $1 order by id", user_id)
    return [Passkey(*row) for row in rows]


async def add_passkey(pool: Pool, user_id: int, name: str, credential: dict[str, Any], site: Site) -> Passkey:
    """Keep the public key of a device that has answered the account's challenge.

    :raises NoPasskeyError: the answer does not hold
    :raises ConflictError: the passkey is kept already, or the account has too many
    """
    from webauthn import verify_registration_response
    from webauthn.helpers.exceptions import WebAuthnException

    challenge = await _answered(pool, credential, user_id)
    try:
        found = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=list(site.origins),
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError) as why:
        raise NoPasskeyError(f"the device's answer does not hold: {why}") from None
    async with pool.acquire() as connection, connection.transaction():
        owner = await connection.fetchrow(
            "select email, project_id from user_account where id = $1 for no key update", user_id
        )
        if owner is None:
            raise NoSuchError(f"there is no account {user_id}")
        if await connection.fetchval("select count(*) from passkey where user_id = $1", user_id) >= MOST_PASSKEYS:
            raise ConflictError(f"an account has at most {MOST_PASSKEYS} passkeys: remove one first")
        row = await connection.fetchrow(
            "insert into passkey (user_id, credential_id, public_key, sign_count, name) values ($1, $2, $3, $4, $5)"
            " on conflict (credential_id) do nothing returning id, name, created_at, used_at",
            user_id,
            found.credential_id,
            found.credential_public_key,
            found.sign_count,
            name,
        )
        if row is None:
            raise ConflictError("this passkey is kept already")
        await audit(connection, owner["email"], "user.add_passkey", project_id=owner["project_id"], name=name)
    return Passkey(*row)


async def delete_passkey(pool: Pool, user_id: int, id_: int) -> None:
    """Forget a passkey of an account.

    :raises NoSuchError: it has none of this number
    """
    async with pool.acquire() as connection, connection.transaction():
        gone = await connection.fetchrow(
            "delete from passkey k using user_account u where k.id = $1 and k.user_id = $2 and u.id = k.user_id"
            " returning u.email, u.project_id, k.name",
            id_,
            user_id,
        )
        if gone is None:
            raise NoSuchError(f"there is no passkey {id_}")
        who, project_id = gone["email"], gone["project_id"]
        await audit(connection, who, "user.delete_passkey", project_id=project_id, name=gone["name"])


async def owner_of(pool: Pool, credential: dict[str, Any], site: Site) -> int:
    """The account whose passkey answered a challenge.

    :raises NoPasskeyError: it is no passkey of an account, or the answer does not hold
    """
    from webauthn import base64url_to_bytes, verify_authentication_response
    from webauthn.helpers.exceptions import WebAuthnException

    challenge = await _answered(pool, credential, None)
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "select id, user_id, public_key, sign_count from passkey where credential_id = $1 for update",
            base64url_to_bytes(credential["rawId"]),
        )
        if row is None:
            raise NoPasskeyError("no account has this passkey")
        try:
            found = verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=site.host,
                expected_origin=list(site.origins),
                credential_public_key=row["public_key"],
                credential_current_sign_count=row["sign_count"],
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError) as why:
            raise NoPasskeyError(f"the device's answer does not hold: {why}") from None
        await connection.execute(
            "update passkey set sign_count = $2, used_at = now() where id = $1", row["id"], found.new_sign_count
        )
        return int(row["user_id"])


async def _answered(pool: Pool, credential: dict[str, Any], user_id: int | None) -> bytes:
    """The challenge that is answered, which is over with it.

    :raises NoPasskeyError: it is none of ours, somebody else's, or too old
    """
    from webauthn import base64url_to_bytes
    from webauthn.helpers import parse_client_data_json
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        base64url_to_bytes(credential["rawId"])
        said = parse_client_data_json(base64url_to_bytes(credential["response"]["clientDataJSON"]))
    except (WebAuthnException, ValueError) as why:
        raise NoPasskeyError(f"the device's answer cannot be read: {why}") from None
    found: bytes | None = await pool.fetchval(
        "delete from passkey_challenge where challenge = $1 and user_id is not distinct from $2"
        " and expires_at > now() returning challenge",
        said.challenge,
        user_id,
    )
    if found is None:
        raise NoPasskeyError("the challenge was answered before, or is too old: begin again")
    return found
