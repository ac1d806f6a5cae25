"""Passkeys over HTTP, with a device made of software that answers rightly, and in every wrong way."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import cbor2
import pytest
from cordwood.core.runtime import Node
from cordwood.web.auth import accounts, passkeys
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio
PASSWORD = "correct horse"
EMAIL = "ada@example.org"


def encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass
class Device:
    """An authenticator (WebAuthn 6.1), and the browser before it; what it says can be set."""

    origin: str = "http://localhost"
    host: str = "localhost"
    verified: bool = True
    count: int = 1
    id: bytes = b"c" * 16
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def made(self, challenge: str) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        credential = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(cose)
        attested = {"fmt": "none", "attStmt": {}, "authData": self._data(0x40) + credential}
        response = {
            "clientDataJSON": encoded(self._client(challenge, "webauthn.create")),
            "attestationObject": encoded(cbor2.dumps(attested)),
        }
        return {"id": encoded(self.id), "rawId": encoded(self.id), "response": response}

    def proof(self, challenge: str) -> dict[str, Any]:
        client, data = self._client(challenge, "webauthn.get"), self._data(0)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": encoded(client),
            "authenticatorData": encoded(data),
            "signature": encoded(signature),
        }
        return {"id": encoded(self.id), "rawId": encoded(self.id), "response": response}

    def _client(self, challenge: str, kind: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _data(self, flags: int) -> bytes:
        flags |= 0x01 | (0x04 if self.verified else 0)
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")


@pytest.fixture
async def ada(node: Node, client: Client) -> Client:
    """Signed in."""
    await accounts.add_user(node.store.pool, EMAIL, PASSWORD, is_admin=True)
    await accounts.add_user(node.store.pool, "bob@example.org", PASSWORD)
    await signed_in(client, EMAIL)
    return client


async def signed_in(client: Client, email: str) -> None:
    answer = await client.post("/api/v1/session", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text


async def add(client: Client, device: Device, name: str = "laptop") -> Any:
    options = (await client.post("/api/v1/session/passkeys/options")).json()
    credential = device.made(options["challenge"])
    return await client.post("/api/v1/session/passkeys", json={"name": name, "credential": credential})


async def enter(client: Client, device: Device) -> Any:
    options = (await client.post("/api/v1/session/passkey/options")).json()
    assert (options["rpId"], options["userVerification"]) == ("localhost", "required")
    return await client.post("/api/v1/session/passkey", json=device.proof(options["challenge"]))


async def test_added_used_and_removed(ada: Client) -> None:
    device = Device()
    made = await add(ada, device)
    assert made.status_code == 201, made.text
    assert (await add(ada, device)).status_code == 409
    ada.cookies.clear()
    device.count = 2
    answer = await enter(ada, device)
    assert (answer.status_code, answer.json()["user"]["email"]) == (200, EMAIL), answer.text
    [listed] = (await ada.get("/api/v1/session/passkeys")).json()["items"]
    assert listed["used_at"]
    await signed_in(ada, "bob@example.org")
    assert (await ada.get("/api/v1/session/passkeys")).json()["items"] == []
    assert (await ada.delete(f"/api/v1/session/passkeys/{listed['id']}")).status_code == 404
    await signed_in(ada, EMAIL)
    assert (await ada.delete(f"/api/v1/session/passkeys/{listed['id']}")).status_code == 204
    device.count = 3
    assert (await enter(ada, device)).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:81"},
        {"host": "evil.example"},
        {"verified": False},
        {"count": 1},  # as often as before: the device was copied
        {"key": ec.generate_private_key(ec.SECP256R1())},
        {"id": b"d" * 16},
    ],
    ids=lambda wrong: " ".join(wrong),
)
async def test_an_answer_that_does_not_hold_signs_nobody_in(ada: Client, wrong: dict[str, Any]) -> None:
    device = Device()
    assert (await add(ada, device)).status_code == 201
    ada.cookies.clear()
    for name, value in ({"count": 2} | wrong).items():
        setattr(device, name, value)
    assert (await enter(ada, device)).status_code == 401
    assert (await ada.get("/api/v1/session")).json()["user"] is None


@pytest.mark.parametrize("wrong", [{"origin": "http://evil.example"}, {"host": "evil.example"}, {"verified": False}])
async def test_a_key_that_does_not_hold_is_not_kept(ada: Client, wrong: dict[str, Any]) -> None:
    assert (await add(ada, Device(**wrong))).status_code == 400
    assert (await ada.get("/api/v1/session/passkeys")).json()["items"] == []


async def test_a_challenge_is_answered_once_and_in_time_by_who_asked(node: Node, ada: Client) -> None:
    device, pool = Device(), node.store.pool
    assert (await add(ada, device)).status_code == 201
    challenge = (await ada.post("/api/v1/session/passkey/options")).json()["challenge"]
    device.count = 2
    assert (await ada.post("/api/v1/session/passkey", json=device.proof(challenge))).status_code == 200
    device.count = 3
    assert (await ada.post("/api/v1/session/passkey", json=device.proof(challenge))).status_code == 401
    late = (await ada.post("/api/v1/session/passkey/options")).json()["challenge"]
    await pool.execute("update passkey_challenge set expires_at = now() - $1::interval", timedelta(seconds=1))
    assert (await ada.post("/api/v1/session/passkey", json=device.proof(late))).status_code == 401
    hers = (await ada.post("/api/v1/session/passkeys/options")).json()["challenge"]
    await signed_in(ada, "bob@example.org")
    body = {"name": "bob's", "credential": Device(id=b"e" * 16).made(hers)}
    assert (await ada.post("/api/v1/session/passkeys", json=body)).status_code == 400
    assert urlsafe_b64decode(hers + "=") in [
        row[0] for row in await pool.fetch("select challenge from passkey_challenge")
    ]


async def test_who_asks_for_many_challenges_fills_nothing(
    node: Node, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passkeys, "MOST_CHALLENGES", 3)
    for _ in range(8):
        assert (await client.post("/api/v1/session/passkey/options")).status_code == 200
    assert await node.store.pool.fetchval("select count(*) from passkey_challenge") == 3


async def test_a_closed_account_stays_closed(node: Node, ada: Client) -> None:
    await signed_in(ada, "bob@example.org")
    device = Device()
    assert (await add(ada, device)).status_code == 201
    await accounts.disable_user(node.store.pool, "bob@example.org")
    ada.cookies.clear()
    device.count = 2
    assert (await enter(ada, device)).status_code == 404
    assert (await ada.get("/api/v1/session")).json()["user"] is None


@pytest.mark.parametrize(
    "body", [{}, {"id": "a", "rawId": "%", "response": {}}, {"id": "a", "rawId": "a", "type": "x"}]
)
async def test_what_is_no_answer(ada: Client, body: dict[str, Any]) -> None:
    for path in ("passkey", "passkeys"):
        assert (await ada.post(f"/api/v1/session/{path}", json=body)).status_code == 400
    garbage = {"clientDataJSON": "A", "authenticatorData": "%%", "signature": "\u00e9"}
    answer = await ada.post("/api/v1/session/passkey", json={"id": "a", "rawId": "a", "response": garbage})
    assert answer.status_code == 401
