"""Passwords and secrets: how they are made, kept and compared."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final

# scrypt at 32 MiB and about 60 ms: a stolen table is expensive to try. A stored hash says its own cost, so that these
# may grow; older hashes stay valid.
_LOG_N, _R, _P = 15, 8, 1
_MAX_MEMORY: Final = 128 * 1024 * 1024
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
    """`scrypt$15$8$1$salt$hash`. Takes about 60 ms: call it in a worker thread."""
    salt = secrets.token_bytes(16)
    return "$".join(("scrypt", str(_LOG_N), str(_R), str(_P), _text(salt), _text(_scrypt(password, salt, _LOG_N))))


def verify_password(password: str, stored: str | None) -> bool:
    """Whether it is the password. Without a stored hash it takes as long: nobody learns which accounts exist."""
    if stored is None:
        _scrypt(password, b"no such account!", _LOG_N)
        return False
    _, log_n, r, p, salt, expected = stored.split("$")
    actual = _scrypt(password, base64.b64decode(salt), int(log_n), int(r), int(p))
    return hmac.compare_digest(actual, base64.b64decode(expected))


def _scrypt(password: str, salt: bytes, log_n: int, r: int = _R, p: int = _P) -> bytes:
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=2**log_n, r=r, p=p, maxmem=_MAX_MEMORY, dklen=32)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
