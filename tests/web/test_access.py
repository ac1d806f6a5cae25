"""Who gets in: this machine alone until a user exists; after that who shows a token or has signed in."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from cordwood.config import Settings
from cordwood.core.runtime import Node
from cordwood.plugins import ConfigError, DeniedError, RetryableError
from cordwood.web import create_app
from cordwood.web.auth import accounts, sessions, tokens
from cordwood.web.auth.errors import AccountError
from cordwood.web.auth.gate import Gate
from pydantic import SecretStr

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio
PASSWORD = "correct horse"
EMAIL = "ada@example.com"
READS = ["/api/v1/fields", "/api/v1/status", "/api/v1/plugins", "/api/v1/pipelines", "/api/v1/detectors",
         "/api/v1/incidents", "/api/v1/notifications", "/api/v1/tail", "/metrics"]  # fmt: skip
OPEN = ["/healthz", "/readyz", "/schema", "/schema/openapi.json", "/schema/try.js", "/api/v1/session", "/"]


@pytest.fixture
async def admin(node: Node) -> accounts.User:
    """From here on a user exists."""
    return await accounts.add_user(node.store.pool, EMAIL, PASSWORD, is_admin=True)


async def token(node: Node, *scopes: str, **options: Any) -> dict[str, str]:
    """The header of a new token."""
    _, secret = await tokens.create_token(node.store.pool, "test", scopes, **options)
    return {"Authorization": f"Bearer {secret}"}


class TestBeforeAUserExists:
    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080"])
    async def test_this_machine_is_served(self, client: Client, host: str) -> None:
        assert (await client.get("/api/v1/status", headers={"Host": host})).status_code == 200

    @pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "localhost.evil.example", "192.168.1.2", ""])
    async def test_another_host_is_refused(self, client: Client, host: str) -> None:
        for path in ("/api/v1/status", "/", "/metrics", "/schema", "/assets/x.js", "/api/v1/session", "/nothing"):
            answer = await client.get(path, headers={"Host": host})
            assert answer.status_code == 403, path
            assert answer.headers["content-type"] == "application/problem+json"

    @pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", "https://localhost"])
    async def test_another_origin_is_refused(self, client: Client, origin: str) -> None:
        for path in ("/api/v1/query", "/api/v1/logs", "/api/v1/session", "/api/v1/incidents/1/resolve", "/nothing"):
            answer = await client.post(path, content=b'{"query": ""}', headers={"Origin": origin})
            assert answer.status_code == 403, path

    async def test_nothing_of_a_foreign_page_is_stored(self, client: Client) -> None:
        await client.post("/api/v1/logs", content=b"x", headers={"Origin": "http://evil.example"})
        assert await client.rows("| stats count() as n") == [{"n": 0}]

    async def test_the_ui_itself_is_no_foreign_origin(self, client: Client) -> None:
        headers = {"Origin": "http://localhost:8080", "Host": "localhost:8080"}
        assert (await client.post("/api/v1/query", json={"query": ""}, headers=headers)).status_code == 200

    async def test_another_machine_is_refused_whatever_it_says(self, node: Node) -> None:
        transport = httpx.ASGITransport(app=create_app(node), client=("192.0.2.7", 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as stranger:
            assert (await stranger.get("/api/v1/status")).status_code == 403

    async def test_other_listeners_serve_this_machine_alone(self, node: Node, client: Client) -> None:
        for address in ("127.0.0.1", "::1"):
            await node.door.authorise({}, address, "default")
        for address in ("192.0.2.7", "", "localhost.evil.example"):
            with pytest.raises(DeniedError, match="only this machine"):
                await node.door.authorise({}, address, "default")

    async def test_other_listeners_wait_for_the_web_room(self, node: Node) -> None:
        with pytest.raises(RetryableError, match="starts"):
            await node.door.authorise({}, "127.0.0.1", "default")

    async def test_probes_may_use_any_name(self, client: Client) -> None:
        for path in ("/healthz", "/readyz"):
            assert (await client.get(path, headers={"Host": "10.0.0.7:8080"})).status_code == 200, path


class TestOnceAUserExists:
    async def test_reads_need_to_know_who_asks(self, client: Client, admin: object) -> None:
        for path in READS:
            answer = await client.get(path)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.json()["status"] == 401

    async def test_what_tells_nothing_is_open(self, client: Client, admin: object) -> None:
        for path in OPEN:
            assert (await client.get(path)).status_code == 200, path

    async def test_each_scope_opens_its_own(self, node: Node, client: Client, admin: object) -> None:
        wanted = {
            "ingest": ("POST", "/api/v1/logs", b"a line"),
            "query": ("POST", "/api/v1/query", b'{"query": ""}'),
            "admin": ("POST", "/api/v1/incidents/1/resolve", b""),
        }
        for scope in wanted:
            headers = await token(node, scope)
            for needed, (method, path, body) in wanted.items():
                status = (await client.request(method, path, content=body, headers=headers)).status_code
                assert status == ({"admin": 404}.get(scope, 200) if needed == scope else 403), (scope, needed)

    async def test_audit_is_read_by_administrators_alone(self, node: Node, client: Client, admin: object) -> None:
        for scopes, status in ((("query",), 400), (("query", "admin"), 200)):
            headers = await token(node, *scopes)
            for path in ("/api/v1/query", "/api/v1/explain"):
                answer = await client.post(path, json={"query": "from audit"}, headers=headers)
                assert answer.status_code == status, answer.text

    async def test_basic_with_the_token_as_password(self, node: Node, client: Client, admin: object) -> None:
        _, secret = await tokens.create_token(node.store.pool, "fluent-bit", ["ingest"])
        for user in ("", "anybody"):
            answer = await client.post("/api/v1/logs", content=b"x", auth=(user, secret))
            assert answer.status_code == 200

    @pytest.mark.parametrize(
        ("header", "form"),
        [
            ("Authorization", "Splunk {}"),
            ("authorization", "splunk  {}"),
            ("Authorization", "ApiKey {}"),
            ("Authorization", "ApiKey {id_and_token}"),
            ("Authorization", "Basic {id_and_token}"),
            ("DD-API-KEY", "{}"),
            ("X-Amz-Firehose-Access-Key", "{}"),
        ],
    )
    async def test_shippers_own_key_headers(
        self, node: Node, client: Client, admin: object, header: str, form: str
    ) -> None:
        _, secret = await tokens.create_token(node.store.pool, "shipper", ["ingest"])
        for shown, status in ((secret, 200), (secret[:-1], 401), (secret + "x", 401)):
            both = base64.b64encode(f"id:{shown}".encode()).decode()
            headers = {header: form.format(shown, id_and_token=both)}
            answer = await client.post("/api/v1/logs", content=b"x", headers=headers)
            assert answer.status_code == status, (form, shown)

    async def test_a_key_header_does_not_win_over_authorization(
        self, node: Node, client: Client, admin: object
    ) -> None:
        _, secret = await tokens.create_token(node.store.pool, "shipper", ["ingest"])
        headers = {"DD-API-KEY": secret, "Authorization": "Bearer nonsense"}
        assert (await client.post("/api/v1/logs", content=b"x", headers=headers)).status_code == 401

    async def test_a_token_in_the_address_of_a_format_that_has_it_there(
        self, node: Node, client: Client, admin: object
    ) -> None:
        _, secret = await tokens.create_token(node.store.pool, "shipper", ["ingest"])
        for path in (f"/v1/input/{secret}", f"/v1/input?dd-api-key={secret}"):
            assert (await client.post(path, content=b"x")).status_code == 200, path
            assert (await client.post(path + "x", content=b"x")).status_code == 403, path
            headers = {"Authorization": "Bearer nonsense"}
            assert (await client.post(path, content=b"x", headers=headers)).status_code == 403, path
        assert (await client.post(f"/api/v1/logs?dd-api-key={secret}", content=b"x")).status_code == 401

    async def test_peers_of_other_listeners_are_asked_the_same(self, node: Node, client: Client, admin: object) -> None:
        for scope, known in (("ingest", None), ("query", True)):
            headers = {name.lower(): value for name, value in (await token(node, scope)).items()}
            if known is None:
                await node.door.authorise(headers, "192.0.2.7", "default")
                continue
            with pytest.raises(DeniedError, match="ingest") as refused:
                await node.door.authorise(headers, "127.0.0.1", "default")
            assert refused.value.known
        with pytest.raises(DeniedError, match="token") as refused:
            await node.door.authorise({}, "127.0.0.1", "default")
        assert not refused.value.known

    async def test_nonsense_is_401(self, client: Client, admin: object) -> None:
        for header in (b"", b"Bearer", b"Bearer ", b"Bearer nonsense", b"Bearer \xfc", b"Basic !!!", b"Basic",
                       b"Digest x", b"bearer\tx", b"Basic bm8gY29sb24=",
                       b"Basic /zr/", b"Splunk", b"Splunk ", b"ApiKey", b"ApiKey /zr/"):  # fmt: skip
            answer = await client.get("/api/v1/status", headers=[(b"Authorization", header)])
            assert answer.status_code == 401, header

    async def test_expired_and_revoked_tokens_are_refused(self, node: Node, client: Client, admin: object) -> None:
        expired = await token(node, "query", valid_for=timedelta(seconds=-1))
        assert (await client.get("/api/v1/status", headers=expired)).status_code == 401
        made, secret = await tokens.create_token(node.store.pool, "test", ["query"])
        await tokens.revoke_token(node.store.pool, made.id)
        assert (await client.get("/api/v1/status", headers={"Authorization": f"Bearer {secret}"})).status_code == 401

    async def test_a_revoked_token_is_trusted_for_seconds_at_most(self, node: Node, admin: object) -> None:
        now = 0.0
        gate = Gate(lambda: node.store.pool, "127.0.0.1", clock=lambda: now)
        made, secret = await tokens.create_token(node.store.pool, "test", ["query"])
        headers = {"authorization": f"Bearer {secret}"}
        assert await gate.identify(headers) is not None
        await tokens.revoke_token(node.store.pool, made.id)
        now = Gate.TRUST_S + 0.1
        assert await gate.identify(headers) is None

    async def test_other_hosts_are_served_and_foreign_origins_are_not(
        self, node: Node, client: Client, admin: object
    ) -> None:
        headers = {**await token(node, "query"), "Host": "logs.example"}
        assert (await client.get("/api/v1/status", headers=headers)).status_code == 200
        for origin, status in (
            ("https://logs.example", 200),
            ("http://logs.example", 200),
            ("http://evil.example", 403),
        ):
            answer = await client.post("/api/v1/query", json={"query": ""}, headers={**headers, "Origin": origin})
            assert answer.status_code == status, origin

    async def test_it_is_seen_within_a_second_that_another_process_made_a_user(
        self, node: Node, client: Client
    ) -> None:
        assert (await client.get("/api/v1/status")).status_code == 200
        await accounts.add_user(node.store.pool, EMAIL, PASSWORD)
        await anyio.sleep(Gate.RECHECK_S)
        assert (await client.get("/api/v1/status")).status_code == 401


class TestSessions:
    async def test_in_and_out(self, client: Client, admin: object) -> None:
        answer = await client.post("/api/v1/session", json={"email": EMAIL.upper(), "password": PASSWORD})
        assert answer.status_code == 200
        assert answer.json()["user"] == {
            "email": EMAIL,
            "is_admin": True,
            "role": "admin",
            "must_change_password": False,
            "has_password": True,
        }
        cookie = answer.headers["set-cookie"]
        assert "httponly" in cookie.lower()
        assert "samesite=lax" in cookie.lower()
        assert "secure" not in cookie.lower()
        assert (await client.get("/api/v1/status")).status_code == 200
        assert (await client.get("/api/v1/session")).json()["scopes"] == ["ingest", "query", "admin"]
        assert (await client.delete("/api/v1/session")).status_code == 204
        client.cookies.clear()
        assert (await client.get("/api/v1/status")).status_code == 401

    async def test_the_session_itself_is_over_after_signing_out(self, client: Client, admin: object) -> None:
        answer = await client.post("/api/v1/session", json={"email": EMAIL, "password": PASSWORD})
        cookie = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
        client.cookies.clear()
        assert (await client.get("/api/v1/status", headers=cookie)).status_code == 200
        assert (await client.delete("/api/v1/session", headers=cookie)).status_code == 204
        assert (await client.get("/api/v1/status", headers=cookie)).status_code == 401

    async def test_behind_tls_the_cookie_is_secure(self, node: Node, client_of: Any, admin: object) -> None:
        async with client_of(create_app(node), base_url="https://logs.example") as client:
            answer = await client.post("/api/v1/session", json={"email": EMAIL, "password": PASSWORD})
            assert "secure" in answer.headers["set-cookie"].lower()

    async def test_who_is_no_administrator_reads(self, node: Node, client: Client) -> None:
        await accounts.add_user(node.store.pool, EMAIL, PASSWORD)
        await client.post("/api/v1/session", json={"email": EMAIL, "password": PASSWORD})
        assert (await client.get("/api/v1/status")).status_code == 200
        assert (await client.post("/api/v1/logs", content=b"x")).status_code == 403
        assert (await client.post("/api/v1/incidents/1/resolve")).status_code == 403

    async def test_a_closed_account_is_out(self, node: Node, client: Client, admin: object) -> None:
        answer = await client.post("/api/v1/session", json={"email": EMAIL, "password": PASSWORD})
        await accounts.add_user(node.store.pool, "bob@example.com", PASSWORD, is_admin=True)
        await accounts.disable_user(node.store.pool, EMAIL)
        secret = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
        assert await sessions.verify_session(node.store.pool, secret) is None
        answer = await client.post("/api/v1/session", json={"email": EMAIL, "password": PASSWORD})
        assert answer.status_code == 401

    async def test_wrong_is_401_and_says_not_what(self, client: Client, admin: object) -> None:
        for email, password in (
            (EMAIL, "wrong horse"),
            ("eve@example.com", PASSWORD),
            ("\0", "\0"),
            ("' or 1=1 --", "x"),
        ):
            answer = await client.post("/api/v1/session", json={"email": email, "password": password})
            assert answer.status_code == 401
            assert answer.json()["detail"] == "email or password is wrong, or the account is closed"
            assert "set-cookie" not in answer.headers

    async def test_no_such_form_is_400(self, client: Client, admin: object) -> None:
        for body in (b"", b"{}", b'{"email": 1, "password": 2}', b"email=a&password=b"):
            answer = await client.post("/api/v1/session", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code == 400, body

    async def test_guessing_ends_after_ten(self, client: Client, admin: object) -> None:
        guess = {"email": EMAIL, "password": "wrong horse"}
        statuses = [(await client.post("/api/v1/session", json=guess)).status_code for _ in range(11)]
        assert statuses == [401] * 10 + [429]
        right = await client.post("/api/v1/session", json={"email": EMAIL, "password": PASSWORD})
        assert right.status_code == 429
        assert int(right.headers["retry-after"]) > 0


class TestAccounts:
    async def test_nothing_secret_is_kept(self, node: Node, admin: accounts.User) -> None:
        _, secret = await tokens.create_token(node.store.pool, "test", ["query"])
        for table in ("user_account", "api_token", "session"):
            rows = await node.store.pool.fetch(f"select t::text from {table} t")
            assert not any(PASSWORD in row[0] or secret in row[0] for row in rows)

    async def test_an_email_has_one_account_in_whatever_case(self, node: Node, admin: accounts.User) -> None:
        with pytest.raises(AccountError, match="already"):
            await accounts.add_user(node.store.pool, "Ada@Example.com", PASSWORD)
        assert [user.email for user in await accounts.list_users(node.store.pool)] == [EMAIL]

    async def test_what_no_account_or_token_can_have(self, node: Node) -> None:
        for email in ("", "ada", "@x", "a@", "a b@x", "a@x\0", "a@" + "x" * 400):
            with pytest.raises(AccountError, match="email"):
                await accounts.add_user(node.store.pool, email, PASSWORD)
        for password in ("", "short", "x" * 2000):
            with pytest.raises(AccountError, match="characters"):
                await accounts.add_user(node.store.pool, EMAIL, password)
        for scopes in ([], ["root"], ["query", "root"]):
            with pytest.raises(AccountError, match="scope"):
                await tokens.create_token(node.store.pool, "x", scopes)

    async def test_a_token_notes_when_it_was_used(self, node: Node) -> None:
        _, secret = await tokens.create_token(node.store.pool, "test", ["query", "ingest", "query"])
        (before,) = await tokens.list_tokens(node.store.pool)
        assert before.last_used_at is None
        assert before.scopes == ("ingest", "query")
        assert await tokens.verify_token(node.store.pool, secret) is not None
        (after,) = await tokens.list_tokens(node.store.pool)
        assert after.last_used_at is not None

    async def test_what_is_not_there(self, node: Node) -> None:
        with pytest.raises(AccountError):
            await accounts.disable_user(node.store.pool, EMAIL)
        with pytest.raises(AccountError):
            await tokens.revoke_token(node.store.pool, 7)

    async def test_the_first_administrator_is_made_once(self, node: Node) -> None:
        settings = Settings(admin_email=EMAIL, admin_password=SecretStr(PASSWORD))
        made: list[bool] = []

        async def make() -> None:
            made.append(await accounts.ensure_first_admin(node.store.pool, settings))

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(make)
        assert sorted(made) == [False, False, True]
        other = Settings(admin_email="eve@example.com", admin_password=SecretStr(PASSWORD))
        assert await accounts.ensure_first_admin(node.store.pool, other) is False
        (user,) = await accounts.list_users(node.store.pool)
        assert (user.email, user.is_admin) == (EMAIL, True)

    @pytest.mark.parametrize(
        "settings",
        [Settings(admin_email=EMAIL), Settings(admin_password=SecretStr(PASSWORD)),
         Settings(admin_email="ada", admin_password=SecretStr(PASSWORD)),
         Settings(admin_email=EMAIL, admin_password=SecretStr("short"))],
    )  # fmt: skip
    async def test_half_an_administrator_is_a_wrong_setting(self, node: Node, settings: Settings) -> None:
        with pytest.raises(ConfigError, match="CORDWOOD_ADMIN"):
            await accounts.ensure_first_admin(node.store.pool, settings)


async def test_one_request_looks_whether_users_exist_while_others_go_by_what_was_seen() -> None:
    asked, answer = [0], anyio.Event()

    class Slow:
        async def fetchval(self, _text: str) -> bool:
            asked[0] += 1
            await answer.wait()
            return asked[0] > 5

    now = [0.0]
    gate = Gate(lambda: Slow(), "127.0.0.1", clock=lambda: now[0])  # type: ignore[arg-type, return-value]
    seen: list[bool] = []

    async def ask() -> None:
        seen.append(await gate.users_exist())

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        assert (asked[0], seen) == (5, [])  # nobody is let in before the first answer
        answer.set()
    assert seen == [False] * 5
    now[0], answer = Gate.RECHECK_S, anyio.Event()
    seen.clear()
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        assert (asked[0], seen) == (6, [False] * 4)
        answer.set()
    assert seen == [False] * 4 + [True]
