"""`/api/v1/users`, `/tokens`, `/projects`, `/session/password`, `/session/first` and what they leave in `/audit`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from cordwood.core.runtime import Node
from cordwood.web import create_app
from cordwood.web.auth import accounts, credentials, sessions, tokens
from cordwood.web.auth.gate import Gate

from .conftest import REAL_HASHER

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio
PASSWORD = "correct horse"
EMAIL = "ada@example.org"


@pytest.fixture
async def admin(node: Node, client_of: Callable[..., Client]) -> AsyncIterator[Client]:
    """A browser in which the first administrator has signed in."""
    await accounts.add_user(node.store.pool, EMAIL, PASSWORD, is_admin=True)
    async with client_of(create_app(node)) as client:
        assert (await client.post("/api/v1/session", json={"email": EMAIL, "password": PASSWORD})).status_code == 200
        yield client


async def browser_of(client: Client, email: str, password: str) -> Client:
    """Another browser of the same application, signed in."""
    made = type(client)(transport=client._transport, base_url="http://localhost", timeout=30)
    answer = await made.post("/api/v1/session", json={"email": email, "password": password})
    assert answer.status_code == 200, answer.text
    return made


async def test_a_password_costs_what_rfc_9106_recommends() -> None:
    assert REAL_HASHER().hash(PASSWORD).startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert not REAL_HASHER().check_needs_rehash(credentials._NOBODY), "who is unknown takes as long as who is not"


async def whats(client: Client, **filters: str) -> list[str]:
    """The kinds of the audit log's entries, oldest first."""
    found = (await client.get("/api/v1/audit", params=filters)).json()["items"]
    return [entry["what"] for entry in reversed(found)]


class TestUsers:
    async def test_who_is_invited_chooses_a_password_first(self, admin: Client) -> None:
        made = await admin.post("/api/v1/users", json={"email": "bob@example.org", "role": "operator"})
        assert made.status_code == 201
        password = made.json()["password"]
        assert made.json()["user"]["must_change_password"]
        bob = await browser_of(admin, "bob@example.org", password)
        assert (await bob.get("/api/v1/session")).json()["permissions"] == []
        refused = await bob.get("/api/v1/status")
        assert refused.status_code == 403
        assert "/api/v1/session/password" in refused.json()["detail"]
        for new, status in (("short", 400), (password, 400), ("his own words", 204)):
            answer = await bob.put("/api/v1/session/password", json={"current": password, "new": new})
            assert answer.status_code == status, answer.text
        assert (await bob.get("/api/v1/session")).json()["permissions"] == ["query", "edit", "operate"]
        assert (await bob.get("/api/v1/status")).status_code == 200
        await bob.aclose()

    async def test_a_password_can_be_given(self, admin: Client) -> None:
        made = await admin.post("/api/v1/users", json={"email": "bob@example.org", "password": "his own words"})
        assert made.json()["password"] is None
        bob = await browser_of(admin, "bob@example.org", "his own words")
        assert (await bob.get("/api/v1/session")).json()["user"]["role"] == "viewer"
        await bob.aclose()

    async def test_an_email_has_one_account(self, admin: Client) -> None:
        assert (await admin.post("/api/v1/users", json={"email": EMAIL.upper()})).status_code == 409
        assert (await admin.post("/api/v1/users", json={"email": "nonsense"})).status_code == 400
        assert (await admin.post("/api/v1/users", json={"email": "b@x", "role": "root"})).status_code == 404
        assert (await admin.post("/api/v1/users", json={"email": "b@x", "project": "none"})).status_code == 404

    async def test_a_changed_role_counts_at_once(self, admin: Client) -> None:
        made = await admin.post("/api/v1/users", json={"email": "bob@example.org", "password": "his own words"})
        number, etag = made.json()["user"]["id"], made.headers["etag"]
        bob = await browser_of(admin, "bob@example.org", "his own words")
        assert (await bob.get("/api/v1/users")).status_code == 403
        changed = await admin.patch(f"/api/v1/users/{number}", json={"role": "admin"}, headers={"If-Match": etag})
        assert changed.status_code == 200
        assert (await bob.get("/api/v1/users")).status_code == 200
        stale = await admin.patch(f"/api/v1/users/{number}", json={"role": "viewer"}, headers={"If-Match": etag})
        assert stale.status_code == 412
        assert (await admin.get(f"/api/v1/users/{number}")).headers["etag"] == changed.headers["etag"]
        assert (await admin.patch(f"/api/v1/users/{number}", json={"disabled": True})).json()["disabled"]
        assert (await bob.get("/api/v1/status")).status_code == 401
        assert (await admin.patch(f"/api/v1/users/{number}", json={"name": "x"})).status_code == 400
        await bob.aclose()

    async def test_the_last_administrator_stays(self, admin: Client) -> None:
        (me,) = (await admin.get("/api/v1/users")).json()["items"]
        path = f"/api/v1/users/{me['id']}"
        for answer in (
            await admin.delete(path),
            await admin.patch(path, json={"role": "viewer"}),
            await admin.patch(path, json={"disabled": True}),
        ):
            assert answer.status_code == 409
            assert "last administrator" in answer.json()["detail"]
        assert (await admin.get("/api/v1/users")).json()["items"] == [me]

    async def test_of_two_who_remove_each_other_one_stays(self, admin: Client, node: Node) -> None:
        await accounts.add_user(node.store.pool, "bob@example.org", PASSWORD, is_admin=True)
        numbers = [user["id"] for user in (await admin.get("/api/v1/users")).json()["items"]]
        statuses: list[int] = []

        async def remove(number: int) -> None:
            try:
                await accounts.delete_user(node.store.pool, number)
                statuses.append(204)
            except accounts.ConflictError:
                statuses.append(409)

        async with anyio.create_task_group() as tasks:
            for number in numbers:
                tasks.start_soon(remove, number)
        assert sorted(statuses) == [204, 409]

    async def test_pages(self, admin: Client, node: Node) -> None:
        for number in range(5):
            await accounts.add_user(node.store.pool, f"user{number}@example.org", PASSWORD)
        seen: list[str] = []
        cursor: str | None = None
        while True:
            params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
            page = (await admin.get("/api/v1/users", params=params)).json()
            seen += [user["email"] for user in page["items"]]
            if (cursor := page["next_cursor"]) is None:
                break
        assert seen == [EMAIL, *(f"user{number}@example.org" for number in range(5))]
        for nonsense in ("-1", "x", "9" * 30, "1.5"):
            assert (await admin.get("/api/v1/users", params={"cursor": nonsense})).status_code == 400

    async def test_who_forgot_it_gets_a_password_for_one_use(self, admin: Client) -> None:
        made = await admin.post("/api/v1/users", json={"email": "bob@example.org", "password": "his own words"})
        bob = await browser_of(admin, "bob@example.org", "his own words")
        reset = await admin.post(f"/api/v1/users/{made.json()['user']['id']}/password")
        assert (await bob.get("/api/v1/status")).status_code == 401
        again = await browser_of(admin, "bob@example.org", reset.json()["password"])
        assert (await again.get("/api/v1/session")).json()["user"]["must_change_password"]
        await bob.aclose()
        await again.aclose()


class TestPassword:
    async def test_a_new_password_ends_the_other_sessions(self, admin: Client) -> None:
        other = await browser_of(admin, EMAIL, PASSWORD)
        assert (await other.get("/api/v1/status")).status_code == 200
        body = {"current": PASSWORD, "new": "another horse"}
        assert (await admin.put("/api/v1/session/password", json=body)).status_code == 204
        assert (await other.get("/api/v1/status")).status_code == 401
        assert (await admin.get("/api/v1/status")).status_code == 200
        old = await other.post("/api/v1/session", json={"email": EMAIL, "password": PASSWORD})
        assert old.status_code == 401
        await other.aclose()

    async def test_guessing_the_current_one_ends_after_ten(self, admin: Client) -> None:
        body = {"current": "wrong horse", "new": "another horse"}
        statuses = [(await admin.put("/api/v1/session/password", json=body)).status_code for _ in range(11)]
        assert statuses == [400] * 10 + [429]

    async def test_programs_have_none(self, admin: Client, node: Node) -> None:
        _, secret = await tokens.create_token(node.store.pool, "x", ["admin"])
        admin.cookies.clear()
        body = {"current": PASSWORD, "new": "another horse"}
        for headers in ({"Authorization": f"Bearer {secret}"}, {}):
            assert (await admin.put("/api/v1/session/password", json=body, headers=headers)).status_code == 401


class TestFirst:
    async def test_the_first_administrator_is_made_once_and_signed_in(self, client: Client) -> None:
        assert (await client.get("/api/v1/session")).json()["users_exist"] is False
        for body in ({"email": "x", "password": PASSWORD}, {"email": EMAIL, "password": "short"}):
            assert (await client.post("/api/v1/session/first", json=body)).status_code == 400
        made = await client.post("/api/v1/session/first", json={"email": EMAIL, "password": PASSWORD})
        assert made.status_code == 201
        assert made.json()["permissions"] == ["query", "ingest", "edit", "operate", "admin"]
        assert (await client.get("/api/v1/status")).status_code == 200
        again = await client.post("/api/v1/session/first", json={"email": "eve@x", "password": PASSWORD})
        assert again.status_code == 409
        client.cookies.clear()
        assert (await client.get("/api/v1/status")).status_code == 401

    async def test_neither_a_stranger_nor_a_foreign_page_makes_it(self, node: Node, client: Client) -> None:
        body = {"email": EMAIL, "password": PASSWORD}
        transport = httpx.ASGITransport(app=create_app(node), client=("192.0.2.7", 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as stranger:
            assert (await stranger.post("/api/v1/session/first", json=body)).status_code == 403
        for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
            assert (await client.post("/api/v1/session/first", json=body, headers=headers)).status_code == 403
        assert not await accounts.users_exist(node.store.pool)

    async def test_of_several_one_is_made(self, node: Node) -> None:
        made: list[bool] = []

        async def make(number: int) -> None:
            try:
                await accounts.add_first_admin(node.store.pool, f"a{number}@x", PASSWORD, by="test")
                made.append(True)
            except accounts.ConflictError:
                made.append(False)

        async with anyio.create_task_group() as tasks:
            for number in range(4):
                tasks.start_soon(make, number)
        assert sorted(made) == [False, False, False, True]

    async def test_the_first_account_by_the_list_is_an_administrator_s(self, client: Client) -> None:
        assert (await client.post("/api/v1/users", json={"email": EMAIL, "role": "viewer"})).status_code == 409
        assert (await client.post("/api/v1/users", json={"email": EMAIL, "role": "admin"})).status_code == 201
        assert (await client.get("/api/v1/status")).status_code == 401


class TestTokens:
    async def test_a_token_is_shown_once_and_revoked_at_once(self, admin: Client) -> None:
        body = {"name": "shipper", "scopes": ["ingest", "query"], "valid_for": "90d"}
        made = (await admin.post("/api/v1/tokens", json=body)).json()
        number, secret = made["token"]["id"], made["secret"]
        assert made["token"]["created_by"] == EMAIL
        listed = await admin.get("/api/v1/tokens")
        assert secret not in listed.text
        assert secret not in (await admin.get(f"/api/v1/tokens/{number}")).text
        async with type(admin)(transport=admin._transport, base_url="http://localhost") as shipper:
            shipper.headers["Authorization"] = f"Bearer {secret}"
            assert (await shipper.get("/api/v1/status")).status_code == 200
            assert (await shipper.get("/api/v1/users")).status_code == 403
            assert (await admin.get(f"/api/v1/tokens/{number}")).json()["last_used_at"] is not None
            assert (await admin.delete(f"/api/v1/tokens/{number}")).json()["revoked_at"] is not None
            assert (await shipper.get("/api/v1/status")).status_code == 401

    async def test_other_nodes_refuse_it_within_a_second(self, admin: Client, node: Node) -> None:
        made, secret = await tokens.create_token(node.store.pool, "x", ["query"])
        other = Gate(lambda: node.store.pool, "127.0.0.1")
        headers = {"authorization": f"Bearer {secret}"}
        assert await other.identify(headers) is not None
        assert (await admin.delete(f"/api/v1/tokens/{made.id}")).status_code == 200
        with anyio.fail_after(10):
            while await other.identify(headers) is not None:
                await anyio.sleep(0.02)
        assert other.TRUST_S < 1  # nothing is timed here: this is what the loop waited for at most

    async def test_one_is_looked_up_once_for_all_who_come_with_it(
        self, admin: Client, node: Node, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also where the first of them goes away, and never for longer than until it is revoked."""
        made, secret = await tokens.create_token(node.store.pool, "x", ["query"])
        gate = Gate(lambda: node.store.pool, "127.0.0.1")
        headers = {"authorization": f"Bearer {secret}"}
        verify, looked, found = tokens.verify_token, anyio.Semaphore(0), []
        asked: list[str] = []

        async def slow(pool: Any, secret: str) -> Any:
            asked.append(secret)
            principal = await verify(pool, secret)
            await looked.acquire()
            return principal

        async def identify(first: anyio.CancelScope) -> None:
            with first:
                found.append(await gate.identify(headers))

        monkeypatch.setattr(tokens, "verify_token", slow)
        assert await gate.users_exist()
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                scopes = [anyio.CancelScope() for _ in range(20)]
                for scope in scopes:
                    tasks.start_soon(identify, scope)
                while not asked:
                    await anyio.sleep(0)
                scopes[0].cancel()
                while len(asked) < 2:
                    await anyio.sleep(0)
                await tokens.revoke_token(node.store.pool, made.id)
                gate.distrust()
                looked.release()
            assert (len(found), len(asked)) == (19, 2)
            looked.release()
            assert await gate.identify(headers) is None

    async def test_what_no_token_can_be(self, admin: Client) -> None:
        for body in (
            {"name": "", "scopes": ["query"]},
            {"name": " ", "scopes": ["query"]},
            {"name": "x\0y", "scopes": ["query"]},
            {"name": "x", "scopes": []},
            {"name": "x", "scopes": ["root"]},
            {"name": "x", "scopes": ["query"], "valid_for": "soon"},
            {"name": "x", "scopes": ["query"], "valid_for": "999999999d"},
            {"name": "x" * 300, "scopes": ["query"]},
        ):
            answer = await admin.post("/api/v1/tokens", json=body)
            assert answer.status_code == 400, (body, answer.text)

    async def test_a_tail_ends_when_its_token_is_revoked(self, admin: Client, node: Node, listening: Any) -> None:
        made, secret = await tokens.create_token(node.store.pool, "x", ["query"])
        async with listening(create_app(node)) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
            client.headers["Authorization"] = f"Bearer {secret}"
            with anyio.fail_after(30):
                async with client.stream("GET", "/api/v1/tail") as answer:
                    async for line in answer.aiter_lines():
                        if line.startswith(": following"):
                            await tokens.revoke_token(node.store.pool, made.id)
                assert (await client.get("/api/v1/tail")).status_code == 401


AGAIN = "urn:cordwood:problem:sign-in-again"


async def test_lasting_power_asks_for_a_fresh_sign_in(admin: Client, node: Node) -> None:
    """A second factor, a passkey, a token of scope admin, another's new password; a lesser token does not."""
    bob = (await admin.post("/api/v1/users", json={"email": "bob@example.org"})).json()["user"]["id"]
    asked: list[tuple[str, Any]] = [
        ("/api/v1/session/totp", None),
        ("/api/v1/session/passkeys/options", None),
        ("/api/v1/tokens", {"name": "t", "scopes": ["admin"]}),
        (f"/api/v1/users/{bob}/reset-link", None),
        (f"/api/v1/users/{bob}/password", None),
    ]
    for last in ("now() - interval '6 minutes'", "null"):
        await node.store.pool.execute(f"update session set confirmed_at = {last}")
        for path, body in asked:
            refused = await admin.post(path, json=body)
            assert (refused.status_code, refused.json()["type"]) == (403, AGAIN), path
        assert (await admin.post("/api/v1/tokens", json={"name": "t", "scopes": ["query"]})).status_code == 201
    assert (await admin.post("/api/v1/session", json={"email": EMAIL, "password": PASSWORD})).status_code == 200
    assert [(await admin.post(path, json=body)).status_code for path, body in asked] == [201, 200, 201, 201, 200]


async def test_every_change_is_in_the_audit_log(admin: Client) -> None:
    made = (await admin.post("/api/v1/users", json={"email": "bob@example.org"})).json()
    path = f"/api/v1/users/{made['user']['id']}"
    await admin.patch(path, json={"role": "editor"})
    await admin.post(f"{path}/password")
    await admin.post("/api/v1/session", json={"email": "bob@example.org", "password": "wrong horse"})
    await admin.post("/api/v1/session", json={"email": "hunter2 typed here", "password": "wrong horse"})
    await admin.delete(path)
    token = (await admin.post("/api/v1/tokens", json={"name": "t", "scopes": ["query"]})).json()["token"]
    await admin.delete(f"/api/v1/tokens/{token['id']}")
    await admin.delete(f"/api/v1/tokens/{token['id']}")
    await admin.post("/api/v1/projects", json={"name": "shop"})
    await admin.put("/api/v1/session/password", json={"current": PASSWORD, "new": "another horse"})
    assert await whats(admin) == [
        "user.create", "session.create", "user.create", "user.change", "user.reset_password", "session.refused",
        "session.refused", "user.delete", "token.create", "token.revoke", "project.create", "user.change_password",
    ]  # fmt: skip
    assert await whats(admin, what="token") == ["token.create", "token.revoke"]
    assert await whats(admin, who="bob@example.org") == ["session.refused"]
    assert await whats(admin, to="2020-01-01T00:00:00Z") == []
    every = await admin.get("/api/v1/audit/export", params={"from": "2020-01-01T00:00:00Z"})
    assert every.headers["content-type"].startswith("application/x-ndjson")
    lines = [json.loads(line) for line in every.text.splitlines()]
    assert len(lines) == 12
    assert [line["id"] for line in lines] == sorted((line["id"] for line in lines), reverse=True)
    for secret in (PASSWORD, "another horse", made["password"], "hunter2"):
        assert secret not in every.text


async def test_projects(admin: Client) -> None:
    assert (await admin.post("/api/v1/projects", json={"name": "shop"})).status_code == 201
    assert (await admin.post("/api/v1/projects", json={"name": "shop"})).status_code == 409
    for name in ("", "Shop!", "-x", "a" * 64, "a/b"):
        assert (await admin.post("/api/v1/projects", json={"name": name})).status_code == 400
    assert [p["name"] for p in (await admin.get("/api/v1/projects")).json()["items"]] == ["default", "shop"]
    assert (await admin.get("/api/v1/projects/shop")).json()["events"] == 0
    assert (await admin.get("/api/v1/projects/none")).status_code == 404


async def test_sessions_of_another_site_are_of_no_use(admin: Client) -> None:
    """The cookie is sent along by a foreign page's form: its Origin gives it away."""
    for method, path in (("POST", "/api/v1/tokens"), ("PATCH", "/api/v1/users/1"), ("DELETE", "/api/v1/users/1"),
                         ("PUT", "/api/v1/session/password")):  # fmt: skip
        answer = await admin.request(method, path, json={}, headers={"Origin": "http://evil.example"})
        assert answer.status_code == 403, path


async def test_a_session_that_is_over_is_nobody_s(admin: Client, node: Node) -> None:
    await node.store.pool.execute("update session set expires_at = now() - interval '1 second'")
    secret = admin.cookies["cordwood_session"]
    assert await sessions.verify_session(node.store.pool, secret) is None
