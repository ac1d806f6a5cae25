"""A second factor beside the password: codes by time (TOTP, RFC 6238), and recovery codes for a lost device.

A code counts once: its time step is kept. The shared secret must be known to check codes, so it cannot be hashed; with
`CORDWOOD_SECRET_KEY` it is kept encrypted (AES-256-GCM, bound to the account).
"""

from __future__ import annotations

import hmac
import secrets
import time
from typing import TYPE_CHECKING, Final, TypeAlias

import asyncpg
from pydantic import SecretStr

from ...core.storage.audit import audit
from ...core.storage.database import Connection
from .credentials import digest, one_time_password
from .errors import AccountError, ConflictError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Pool: TypeAlias = asyncpg.Pool
RECOVERY_CODES: Final = 10
STEP_S: Final = 30
_PLAIN: Final = b"\0"
_SEALED: Final = b"\1"
_NONCE: Final = 12  # bytes, of AES-GCM


class WrongCodeError(AccountError):
    """It is not the code of now, it was used before, or there is no second factor to check."""


class Seal:
    """How secrets are kept: with a key encrypted, without one as they are. What was kept either way is read."""

    def __init__(self, key: SecretStr | None) -> None:
        self._key = key

    def closed(self, secret: str, user_id: int) -> bytes:
        """What is kept of a secret."""
        if self._key is None:
            return _PLAIN + secret.encode()
        nonce = secrets.token_bytes(_NONCE)
        return _SEALED + nonce + self._cipher().encrypt(nonce, secret.encode(), str(user_id).encode())

    def opened(self, kept: bytes, user_id: int) -> str:
        """The secret.

        :raises ConflictError: it was encrypted with another key
        """
        from cryptography.exceptions import InvalidTag

        if kept[:1] == _PLAIN:
            return kept[1:].decode()
        if self._key is not None:
            nonce, sealed = kept[1 : 1 + _NONCE], kept[1 + _NONCE :]
            try:
                return self._cipher().decrypt(nonce, sealed, str(user_id).encode()).decode()
            except InvalidTag:
                pass
        raise ConflictError("this second factor was kept under another CORDWOOD_SECRET_KEY: set that one again")

    def _cipher(self) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        assert self._key is not None
        key = HKDF(SHA256(), 32, None, b"cordwood totp").derive(self._key.get_secret_value().encode())
        return AESGCM(key)


async def is_on(pool: Pool, user_id: int) -> bool:
    """Whether signing in with the password needs a code."""
    return bool(await pool.fetchval("select exists (select from totp where user_id = $1 and confirmed)", user_id))


async def codes_left(pool: Pool, user_id: int) -> int | None:
    """How many recovery codes are left; None: there is no second factor."""
    left: int | None = await pool.fetchval(
        "select cardinality(recovery) from totp where user_id = $1 and confirmed", user_id
    )
    return left


async def begin(pool: Pool, user_id: int, seal: Seal) -> str:
    """A new secret, which counts from the first right code on; returns it for the authenticator app.

    :raises ConflictError: there is a second factor already
    """
    import pyotp

    secret = pyotp.random_base32()
    row = await pool.fetchrow(
        "insert into totp (user_id, secret) values ($1, $2) on conflict (user_id)"
        " do update set secret = $2 where not totp.confirmed returning user_id",
        user_id,
        seal.closed(secret, user_id),
    )
    if row is None:
        raise ConflictError("there is a second factor already: turn it off first")
    return secret


async def confirm(pool: Pool, user_id: int, code: str, seal: Seal) -> list[str]:
    """Turn it on with the first code; returns the recovery codes, of which only hashes are kept.

    :raises WrongCodeError: it is not the code, or nothing was begun
    """
    codes = [one_time_password() for _ in range(RECOVERY_CODES)]
    async with pool.acquire() as connection, connection.transaction():
        row = await _locked(connection, user_id)
        if row is None or row["confirmed"] or not await _takes(connection, row, code, seal):
            raise WrongCodeError("this is not the code that the app shows now")
        await connection.execute(
            "update totp set confirmed = true, recovery = $2 where user_id = $1",
            user_id,
            [digest(one) for one in codes],
        )
        await audit(connection, row["email"], "user.second_factor", project_id=row["project_id"], on=True)
    return codes


async def check(pool: Pool, user_id: int, code: str, seal: Seal) -> None:
    """Let a code of the app, or a recovery code, pass; neither passes twice.

    :raises WrongCodeError: it is neither
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await _locked(connection, user_id)
        if row is None or not row["confirmed"]:
            raise WrongCodeError("there is no second factor")
        if await _takes(connection, row, code, seal):
            return
        used = await connection.fetchval(
            "update totp set recovery = array_remove(recovery, $2) where user_id = $1 and $2 = any(recovery)"
            " returning user_id",
            user_id,
            digest(code.strip().lower()),
        )
        if used is None:
            raise WrongCodeError("the code is wrong, or was used before")
        await audit(connection, row["email"], "user.recovery_code", project_id=row["project_id"])


async def turn_off(pool: Pool, user_id: int, code: str, seal: Seal) -> None:
    """Sign in with the password alone from now on.

    :raises WrongCodeError: the code does not pass
    """
    await check(pool, user_id, code, seal)
    async with pool.acquire() as connection, connection.transaction():
        row = await _locked(connection, user_id)
        if row is not None:
            await connection.execute("delete from totp where user_id = $1", user_id)
            await audit(connection, row["email"], "user.second_factor", project_id=row["project_id"], on=False)


async def _locked(connection: Connection, user_id: int) -> asyncpg.Record | None:
    return await connection.fetchrow(
        "select t.user_id, t.secret, t.confirmed, t.last_step, u.email, u.project_id"
        " from totp t join user_account u on u.id = t.user_id where t.user_id = $1 for update of t",
        user_id,
    )


async def _takes(connection: Connection, row: asyncpg.Record, code: str, seal: Seal) -> bool:
    """Whether it is the code of a step around now that is later than the last one that was taken."""
    import pyotp

    app, now = pyotp.TOTP(seal.opened(row["secret"], row["user_id"])), int(time.time()) // STEP_S
    given = "".join(code.split()).encode("utf-8", "surrogatepass")
    for step in (now - 1, now, now + 1):  # clocks differ, and people type slowly
        if step > row["last_step"] and hmac.compare_digest(app.generate_otp(step).encode(), given):
            await connection.execute("update totp set last_step = $2 where user_id = $1", row["user_id"], step)
            return True
    return False
