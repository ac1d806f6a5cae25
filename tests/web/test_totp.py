"""A second factor over HTTP: turned on, asked for, used once, guessed at, lost, and kept encrypted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pyotp
import pytest
from cordwood.core.runtime import Node
from cordwood.web.auth import accounts, totp
from cordwood.web.auth.errors import ConflictError
from cordwood.web.auth.totp import Seal
from pydantic import SecretStr

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio
PASSWORD = "correct horse"
ADA = {"email": "ada@example.org", "password": PASSWORD}
TOTP = "/api/v1/session/totp"
NEEDED = "urn:cordwood:problem:code-needed"


@pytest.fixture
async def ada(node: Node, client: Client) -> Client:
    """Signed in."""
    await accounts.add_user(node.store.pool, ADA["email"], PASSWORD, is_admin=True)
    assert (await enter(client)).status_code == 200
    return client


async def enter(client: Client, code: str | None = None) -> Any:
    client.cookies.clear()
    return await client.post("/api/v1/session", json=ADA | ({} if code is None else {"code": code}))


async def turned_on(client: Client) -> tuple[pyotp.TOTP, list[str]]:
    """The app, and the recovery codes."""
    begun = (await client.post(TOTP)).json()
    app = pyotp.TOTP(begun["secret"])
    assert begun["uri"].startswith("otpauth://totp/Cordwood:ada%40example.org?secret=")
    assert begun["qr"].startswith("data:image/svg+xml")
    answer = await client.put(TOTP, json={"code": app.now()})
    assert answer.status_code == 200, answer.text
    return app, answer.json()["recovery_codes"]


async def test_the_password_alone_is_no_longer_enough(ada: Client) -> None:
    app, codes = await turned_on(ada)
    assert (await ada.get(TOTP)).json() == {"on": True, "recovery_codes_left": 10}
    refused = await enter(ada)
    assert (refused.status_code, refused.json()["type"]) == (401, NEEDED)
    assert "set-cookie" not in refused.headers
    code = app.at(time.time() + 30)  # the latest that is taken: all before it are over afterwards
    assert (await enter(ada, f"{code[:3]} {code[3:]}")).status_code == 200
    for used in (code, app.at(time.time()), "", "000000x", "\u0661" * 6):
        assert (await enter(ada, used)).status_code == 401
    assert (await enter(ada, codes[0].upper())).status_code == 200
    assert (await ada.get(TOTP)).json()["recovery_codes_left"] == 9
    assert (await enter(ada, codes[0])).status_code == 401
    assert (await enter(ada, codes[1])).status_code == 200
    assert (await ada.post(f"{TOTP}/off", json={"code": "no"})).status_code == 400
    assert (await ada.post(TOTP)).status_code == 409
    assert (await ada.post(f"{TOTP}/off", json={"code": codes[2]})).status_code == 204
    assert (await enter(ada)).status_code == 200


async def test_it_is_not_on_before_a_code_was_shown(ada: Client) -> None:
    first = (await ada.post(TOTP)).json()["secret"]
    second = (await ada.post(TOTP)).json()["secret"]
    assert first != second
    assert (await ada.put(TOTP, json={"code": pyotp.TOTP(first).now()})).status_code == 400
    assert (await ada.get(TOTP)).json() == {"on": False, "recovery_codes_left": 0}
    assert (await enter(ada)).status_code == 200


async def test_codes_are_not_guessed(ada: Client) -> None:
    app, _ = await turned_on(ada)
    for _ in range(10):
        assert (await enter(ada, "no such")).status_code == 401
    assert (await enter(ada, app.now())).status_code == 429


async def test_a_new_password_by_an_administrator_takes_it_away(node: Node, ada: Client) -> None:
    await turned_on(ada)
    user = (await accounts.list_users(node.store.pool))[0]
    _, password = await accounts.reset_password(node.store.pool, user.id)
    ada.cookies.clear()
    answer = await ada.post("/api/v1/session", json={"email": user.email, "password": password})
    assert answer.status_code == 200


async def test_the_secret_is_encrypted_where_there_is_a_key(node: Node, ada: Client) -> None:
    pool = node.store.pool
    user = (await accounts.list_users(pool))[0]
    key, other = Seal(SecretStr("a key")), Seal(SecretStr("another"))
    secret = await totp.begin(pool, user.id, key)
    kept = await pool.fetchval("select secret from totp")
    assert secret.encode() not in kept
    assert key.opened(kept, user.id) == secret
    for wrong, whose in ((other, user.id), (Seal(None), user.id), (key, user.id + 1)):
        with pytest.raises(ConflictError, match="CORDWOOD_SECRET_KEY"):
            wrong.opened(kept, whose)
    plain = Seal(None).closed(secret, user.id)
    assert key.opened(plain, user.id) == secret
