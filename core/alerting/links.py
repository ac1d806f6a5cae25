"""Links that acknowledge an incident without signing in: who was told of it holds one, for that incident and some days.

A token is base64url of a claim and of its HMAC-SHA256. The key is made by the database with its schema, so that all
nodes know it; with `CORDWOOD_SECRET_KEY` it takes both to make a token.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable

import asyncpg
import msgspec

from ...plugins import now_ns

VALID_S = 7 * 24 * 3600  # an incident that nobody acknowledged for longer needs another way
LONGEST = 2_000  # characters of a token: a notifier's name may be long
_MAC = 32  # bytes


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """What a token says: its holder may acknowledge this incident until then (seconds since the epoch)."""

    project_id: int
    incident_id: int
    until: int
    notifier: str


async def signing_key(pool: asyncpg.Pool, secret: str | None) -> bytes:
    """The key of this installation's links."""
    stored: bytes = await pool.fetchval("select key from signing_key")
    return hmac.new((secret or "").encode(), b"acknowledge" + stored, hashlib.sha256).digest()


class Links:
    """Makes tokens and reads them."""

    def __init__(self, key: bytes, clock: Callable[[], int] = now_ns) -> None:
        self._key, self._clock = key, clock

    def token(self, project_id: int, incident_id: int, notifier: str) -> str:
        """A token for whom the notifier tells."""
        until = self._clock() // 1_000_000_000 + VALID_S
        said = msgspec.json.encode(Claim(project_id, incident_id, until, notifier[:500]))
        return urlsafe_b64encode(self._mac(said) + said).decode().rstrip("=")

    def read(self, token: str) -> Claim | None:
        """What the token claims; None: it is none of ours, or was valid once."""
        if len(token) > LONGEST or not token.isascii():
            return None
        try:
            content = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return None
        mac, said = content[:_MAC], content[_MAC:]
        if not hmac.compare_digest(mac, self._mac(said)):
            return None
        claim = msgspec.json.decode(said, type=Claim)
        return claim if claim.until > self._clock() // 1_000_000_000 else None

    def _mac(self, said: bytes) -> bytes:
        return hmac.new(self._key, said, hashlib.sha256).digest()
