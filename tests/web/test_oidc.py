"""Sign-in by OpenID Connect, with a provider that says what a test wants: the truth, and every lie there is."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
import pytest
from cordwood.config.sign_in import OidcSettings, SignInSettings
from cordwood.core.runtime import Node
from cordwood.web.auth import accounts, sessions
from cordwood.web.auth.oidc import Flow, OidcClient, OidcError
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import ValidationError

if TYPE_CHECKING:
    from .conftest import Client

PASSWORD = "correct horse"
PAGE = {"redirect_uri": "http://localhost/api/v1/session/oidc/callback"}
KEY = rsa.generate_private_key(65537, 2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
STRANGER = rsa.generate_private_key(65537, 2048)


class Liar(ThreadingHTTPServer):
    """A provider that says what a test wants; by default, the truth."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.issuer = f"http://127.0.0.1:{self.server_address[1]}"
        self.nonce, self.challenge = "", ""
        self.document: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
        }
        self.claims: dict[str, Any] = {"email": "ann@example.org", "email_verified": True, "groups": ["ops"]}
        self.info: dict[str, Any] = {"sub": "s-1"}
        self.key: Any = KEY
        self.algorithm, self.kid = "RS256", "k1"
        self.asked: list[str] = []

    def token(self) -> str:
        now = int(time.time())
        known = {"iss": self.issuer, "aud": "cordwood", "sub": "s-1", "iat": now, "exp": now + 60, "nonce": self.nonce}
        claims = {name: value for name, value in (known | self.claims).items() if value is not None}
        return jwt.encode(claims, self.key, self.algorithm, headers={"kid": self.kid})

    def jwks(self) -> dict[str, Any]:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
        return {"keys": [public | {"kid": "k1", "use": "sig"}]}


class Answering(BaseHTTPRequestHandler):
    server: Liar

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        liar = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        liar.asked.append(self.path)
        said: Any = liar.document
        if self.path == "/jwks":
            said = liar.jwks()
        elif self.path == "/userinfo":
            said = liar.info
        elif self.path == "/token":
            verifier = parse_qs(body)["code_verifier"][0]
            challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
            scheme, _, pair = self.headers["Authorization"].partition(" ")
            name, _, secret = b64decode(pair).decode().partition(":")
            assert (scheme, name, unquote(secret)) == ("Basic", "cordwood", "s:1")
            assert challenge == liar.challenge
            said = {"access_token": "a", "token_type": "Bearer", "id_token": liar.token()}
        text = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Nothing on standard error."""


@pytest.fixture
def liar() -> Iterator[Liar]:
    with Liar() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def oidc(liar: Liar, **more: Any) -> OidcSettings:
    known = {"issuer": liar.issuer, "client_id": "cordwood", "client_secret": "s:1"}
    return OidcSettings.model_validate(known | more)


def follow(liar: Liar, address: str) -> str:
    """What the provider takes from the address that the browser is sent to; answers its state."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    liar.nonce, liar.challenge = asked["nonce"], asked["code_challenge"]
    return asked["state"]


LIES: dict[str, tuple[str, Callable[[Liar], Any]]] = {
    "nonce": ("nonce", lambda liar: liar.claims.update(nonce="x")),
    "no nonce": ("nonce", lambda liar: liar.claims.update(nonce=None)),
    "audience": ("Audience", lambda liar: liar.claims.update(aud="other")),
    "azp": ("azp", lambda liar: liar.claims.update(aud=["cordwood", "x"], azp="x")),
    "issuer": ("issuer", lambda liar: liar.claims.update(iss="https://evil.example")),
    "expired": ("expired", lambda liar: liar.claims.update(exp=int(time.time()) - 3600)),
    "no expiry": ("exp", lambda liar: liar.claims.update(exp=None)),
    "no subject": ("sub", lambda liar: liar.claims.update(sub="")),
    "another's key": ("does not hold", lambda liar: setattr(liar, "key", STRANGER)),
    "unknown key": ("does not publish", lambda liar: setattr(liar, "kid", "k2")),
    "another kind of key": (
        "does not hold",
        lambda liar: (
            setattr(liar, "key", ec.generate_private_key(ec.SECP256R1())),
            setattr(liar, "algorithm", "ES256"),
        ),
    ),
    "no signature": ("does not hold", lambda liar: (setattr(liar, "key", None), setattr(liar, "algorithm", "none"))),
    "signed by the client's secret": (
        "does not hold",
        lambda liar: (setattr(liar, "key", "s:1" * 20), setattr(liar, "algorithm", "HS256")),
    ),
    "user info of somebody else": (
        "somebody else",
        lambda liar: (liar.claims.update(email=None), liar.info.update(sub="s-2")),
    ),
    "another document": ("is of the issuer", lambda liar: liar.document.update(issuer="https://evil.example")),
    "keys elsewhere": (
        "not the issuer's host",
        lambda liar: liar.document.update(jwks_uri="https://evil.example/jwks"),
    ),
    "tokens inside": (
        "not the issuer's host",
        lambda liar: liar.document.update(token_endpoint="http://169.254.169.254/token"),
    ),
    "another port": (
        "not the issuer's host",
        lambda liar: liar.document.update(token_endpoint="http://127.0.0.1:1/token"),
    ),
    "a document without end": ("not as it must be", lambda liar: liar.document.update(more="x" * 100_000)),
}


@pytest.mark.anyio
@pytest.mark.parametrize("lie", LIES)
async def test_a_provider_that_lies_signs_nobody_in(liar: Liar, lie: str) -> None:
    said, tell = LIES[lie]
    tell(liar)
    client, flow = OidcClient(oidc(liar)), Flow.begun()
    with pytest.raises(OidcError, match=re.escape(said)):
        await begin_and_finish(client, flow, liar)


async def begin_and_finish(client: OidcClient, flow: Flow, liar: Liar) -> None:
    state = follow(liar, await client.start(flow, **PAGE))
    await client.finish(flow, code="c", state=state, issuer=None, **PAGE)


@pytest.mark.anyio
async def test_an_answer_of_another_browser_or_provider_is_refused(liar: Liar) -> None:
    client, flow = OidcClient(oidc(liar)), Flow.begun()
    state = follow(liar, await client.start(flow, **PAGE))
    with pytest.raises(OidcError, match="this browser"):
        await client.finish(Flow.begun(), code="c", state=state, issuer=None, **PAGE)
    with pytest.raises(OidcError, match="another provider"):
        await client.finish(flow, code="c", state=state, issuer="https://evil.example", **PAGE)
    assert "/token" not in liar.asked
    who = await client.finish(flow, code="c", state=state, issuer=liar.issuer, **PAGE)
    assert (who.subject, who.email, who.email_verified, who.groups) == ("s-1", "ann@example.org", True, ("ops",))


@pytest.mark.parametrize("issuer", ["http://id.example", "https://", "ftp://id.example", "https://a@id.example", "x"])
def test_what_can_be_no_issuer(issuer: str) -> None:
    with pytest.raises(ValidationError, match="issuer"):
        OidcSettings.model_validate({"issuer": issuer, "client_id": "c"})


@pytest.mark.anyio
class TestAccounts:
    """Over HTTP in this process, with the provider that says what is wanted."""

    async def test_made_once_and_known_by_subject(self, node: Node, client: Client, liar: Liar, admin: None) -> None:
        configure(node, oidc(liar, roles={"ops": "operator"}, default_role=None))
        assert await enter(client, liar, "/tail?q=a") == "/tail?q=a"
        assert (await user(client))["role"] == "operator"
        liar.claims.update(email="renamed@example.org")
        await enter(client, liar)
        assert (await user(client))["email"] == "ann@example.org"
        liar.claims.update(groups=[])
        assert await enter(client, liar) == "/explore#sign-in=no-account"

    async def test_one_of_before_is_linked_by_a_verified_email_alone(
        self, node: Node, client: Client, liar: Liar, admin: None
    ) -> None:
        made = await accounts.add_user(node.store.pool, "ann@example.org", PASSWORD, must_change_password=True)
        configure(node, oidc(liar))
        liar.claims.update(email_verified=False)
        assert await enter(client, liar) == "/explore#sign-in=no-account"
        liar.claims.update(email_verified=True)
        assert await enter(client, liar) == "/explore"
        assert not (await user(client))["must_change_password"]
        assert await sessions.check_password(node.store.pool, "ann@example.org", PASSWORD) is None
        await accounts.change_user(node.store.pool, made.id, disabled=True)
        assert await enter(client, liar) == "/explore#sign-in=closed"

    async def test_the_last_administrator_stays_one(self, node: Node, client: Client, liar: Liar, admin: None) -> None:
        configure(node, oidc(liar, roles={"ops": "viewer"}))
        liar.claims.update(email="ada@example.org")
        assert await enter(client, liar) == "/explore"
        assert (await user(client))["role"] == "admin"

    async def test_nobody_new_where_none_is_made(self, node: Node, client: Client, liar: Liar, admin: None) -> None:
        configure(node, oidc(liar, create_users=False))
        assert await enter(client, liar) == "/explore#sign-in=no-account"
        configure(node, oidc(liar, roles={"ops": "no-such-role"}))
        assert await enter(client, liar) == "/explore#sign-in=settings"

    async def test_no_password_and_fresh_only_if_the_provider_has_just_asked(
        self, node: Node, client: Client, liar: Liar, admin: None
    ) -> None:
        configure(node, oidc(liar))
        totp, now = "/api/v1/session/totp", int(time.time())
        for asked_at, status in ((None, 403), ("now", 403), (now - 400, 403), (now + 3600, 201), (now, 201)):
            liar.claims.update(auth_time=asked_at)
            assert await enter(client, liar) == "/explore"
            assert (await client.post(totp)).status_code == status, asked_at
        assert not (await user(client))["has_password"]
        change = {"current": PASSWORD, "new": "another horse"}
        assert (await client.put("/api/v1/session/password", json=change)).status_code == 409
        answer = await client.get("/api/v1/session/oidc", params={"again": "true"})
        sent = parse_qs(urlsplit(answer.headers["location"]).query)
        assert (sent["prompt"], sent["max_age"]) == (["login"], ["0"])

    async def test_nobody_is_sent_elsewhere(self, node: Node, client: Client, liar: Liar, admin: None) -> None:
        configure(node, oidc(liar))
        for page in ("//evil.example", "/\\evil.example", "https://evil.example", "/api/v1/session", "/a\r\nX: y"):
            assert await enter(client, liar, page) == "/explore"

    async def test_without_a_cookie_or_with_a_refusal(
        self, node: Node, client: Client, liar: Liar, admin: None
    ) -> None:
        configure(node, oidc(liar))
        callback = "/api/v1/session/oidc/callback"
        for asked, said in (
            ({"code": "c", "state": "s"}, "failed"),
            ({"error": "access_denied"}, "denied"),
            ({"error": "<script>"}, "failed"),
            ({}, "failed"),
        ):
            answer = await client.get(callback, params=asked)
            assert (answer.status_code, answer.headers["location"]) == (302, f"/explore#sign-in={said}")
        assert (await client.get("/api/v1/session")).json()["user"] is None

    async def test_there_is_none(self, client: Client, admin: None) -> None:
        assert (await client.get("/api/v1/session/oidc")).status_code == 404
        assert (await client.get("/api/v1/session")).json()["oidc"] is None


@pytest.fixture
async def admin(node: Node) -> None:
    """Somebody has an account, so that others must sign in."""
    await accounts.add_user(node.store.pool, "ada@example.org", PASSWORD, is_admin=True)


def configure(node: Node, settings: OidcSettings) -> None:
    node.config = replace(node.config, sign_in=SignInSettings(oidc=settings))


async def enter(client: Client, liar: Liar, page: str = "/explore") -> str:
    """Sign in at the provider; answers where the browser is sent."""
    client.cookies.clear()
    answer = await client.get("/api/v1/session/oidc", params={"return_to": page})
    assert answer.status_code == 302, answer.text
    state = follow(liar, answer.headers["location"])
    back = await client.get("/api/v1/session/oidc/callback", params={"code": "c", "state": state})
    assert back.status_code == 302, back.text
    return str(back.headers["location"])


async def user(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get("/api/v1/session")).json()["user"]
    return found
