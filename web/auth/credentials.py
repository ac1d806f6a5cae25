"""Passwords and secrets: how they are made, kept and compared."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_NOBODY: Final = "$argon2id$v=19$m=65536,t=3,p=4$Jf6Vl87rqkO0phvR8x8Uyg$ieCfvmX9tnN4DSrdr6wYOB0rGs90yVQJunY3qJdP5dU"
"""A hash that no password has, to be tried where there is no account."""
_MAX_MEMORY: Final = 128 * 1024 * 1024  # of scrypt's
TOKEN_PREFIX: Final = "cw_"  # noqa: S105 - lets secret scanners find a token that leaked


def new_secret(prefix: str = "") -> str:
    """256 random bits, safe in a URL or a header."""
    return prefix + secrets.token_urlsafe(32)


def one_time_password() -> str:
    """80 random bits in four groups that can be read aloud: no letter looks like another."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def digest(secret: str) -> bytes:
    """What is kept of a random secret: SHA-256 is enough, for nobody guesses 256 bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def hash_password(password: str) -> str:
    """Argon2id in its own encoding, by RFC 9106's second recommendation (64 MiB, 3 passes, 4 lanes).

    Takes about 60 ms: call it in a worker thread.
    """
    return _argon2().hash(_bytes(password))


def verify_password(password: str, stored: str | None) -> bool:
    """Whether it is the password. Without a stored hash it takes as long: nobody learns which accounts exist."""
    from argon2.exceptions import VerifyMismatchError

    if stored is not None and stored.startswith("scrypt$"):
        return _is_scrypt(password, stored)
    try:
        return _argon2().verify(stored or _NOBODY, _bytes(password)) and stored is not None
    except VerifyMismatchError:
        return False


def is_outdated(stored: str) -> bool:
    """Whether a right password is to be hashed again: as it was kept in older releases, or at another cost."""
    return stored.startswith("scrypt$") or _argon2().check_needs_rehash(stored)


def _argon2() -> PasswordHasher:
    from argon2 import PasswordHasher  # loaded with the first password: many nodes see none

    return PasswordHasher()


def _is_scrypt(password: str, stored: str) -> bool:
    """`scrypt$15$8$1$salt$hash`, as releases before argon2id kept it."""
    _, log_n, r, p, salt, expected = stored.split("$")
    actual = hashlib.scrypt(
        _bytes(password), salt=base64.b64decode(salt), n=2 ** int(log_n), r=int(r), p=int(p),
        maxmem=_MAX_MEMORY, dklen=32,
    )  # fmt: skip
    return hmac.compare_digest(actual, base64.b64decode(expected))


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
