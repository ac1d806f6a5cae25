"""Roles of one's own: what they may do, and what they see, by every way to data that there is over HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from cordwood.core.runtime import Node
from cordwood.web import create_app
from cordwood.web.app import create_api
from cordwood.web.auth import accounts, sessions, tokens
from cordwood.web.auth.errors import AccountError
from cordwood.web.auth.gate import COOKIE
from cordwood.web.problems import ProblemException

from .test_matrix import MEANT, outcome, routes

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio
PASSWORD = "correct horse"
SUPPORT = {
    "name": "support",
    "permissions": ["query", "edit"],
    "search": "service:checkout",
    "masks": [{"field": "user"}, {"field": "card", "how": "hash"}],
}
EVENTS = [
    {"service": "checkout", "message": "declined a", "user": "ann", "card": "4111", "seen": 1},
    {"service": "checkout", "message": "paid b", "user": "bob", "card": "4222", "seen": 2},
    {"service": "payroll", "message": "salary of eve", "user": "eve", "card": "4333", "secret": "s3", "seen": 3},
]
OF_ONESELF = {
    "GET /api/v1/session/all", "DELETE /api/v1/session/all/{id}", "GET /api/v1/session/passkeys",
    "POST /api/v1/session/passkeys/options", "DELETE /api/v1/session/passkeys/{id}", "GET /api/v1/session/totp",
    "POST /api/v1/session/totp",
}  # fmt: skip
OPEN_TO_A_PART = {
    "POST /api/v1/query", "DELETE /api/v1/query/{id}", "POST /api/v1/explain", "POST /api/v1/complete",
    "GET /api/v1/tail", "GET /api/v1/fields", "GET /api/v1/fields/{name}/values", "GET /api/v1/plugins",
    "GET /api/v1/lookups", "GET /api/v1/lookups/{name}", "GET /api/v1/lookups/{name}/data",
    "PUT /api/v1/lookups/{name}", "DELETE /api/v1/lookups/{name}",
    "GET /api/v1/saved-queries", "GET /api/v1/saved-queries/{name}", "POST /api/v1/saved-queries",
    "PUT /api/v1/saved-queries/{name}", "DELETE /api/v1/saved-queries/{name}",
    "GET /api/v1/dashboards", "GET /api/v1/dashboards/{name}", "POST /api/v1/dashboards",
    "PUT /api/v1/dashboards/{name}", "DELETE /api/v1/dashboards/{name}",
    "GET /api/v1/shares", "POST /api/v1/shares", "DELETE /api/v1/shares/{id}", "POST /mcp",
    *(
        f"{method} /loki/api/v1/{path}"
        for method in ("GET", "POST")
        for path in (
            "query", "query_range", "labels", "label", "label/{name}/values", "series", "format_query",
            "status/buildinfo", "index/stats", "index/volume", "index/volume_range", "patterns", "detected_labels",
            "detected_fields", "detected_field/{name}/values",
        )
    ),
}  # fmt: skip
"""What asks the engine with the rights of who asks, or shows no event. Beside these only what is open to nobody too."""


async def signed_in(node: Node, email: str, role: str) -> dict[str, str]:
    """The headers of somebody with a role."""
    user = await accounts.add_user(node.store.pool, email, PASSWORD, role=role)
    secret = await sessions.start_session(node.store.pool, user.id, "password", confirmed_at=datetime.now(UTC))
    return {"Cookie": f"{COOKIE}={secret}"}


@pytest.fixture
async def admin(node: Node) -> dict[str, str]:
    return await signed_in(node, "ada@example.org", "admin")


@pytest.fixture
async def support(node: Node, client: Client, admin: dict[str, str]) -> Client:
    """A client of somebody who sees the events of checkout, with masks."""
    assert await client.logs(*EVENTS, **admin) == 3
    assert (await client.post("/api/v1/roles", json=SUPPORT, headers=admin)).status_code == 201
    client.headers.update(await signed_in(node, "sue@example.org", "support"))
    return client


async def test_a_part_is_all_there_is(support: Client) -> None:
    rows = await support.rows("| sort seen | fields service, user, card, seen")
    assert [(row["service"], row["user"], row["seen"]) for row in rows] == [
        ("checkout", "***", 1),
        ("checkout", "***", 2),
    ]
    assert len({row["card"] for row in rows}) == 2
    assert not {"4111", "4222"} & {row["card"] for row in rows}
    assert await support.rows("| stats count() as n") == [{"n": 2}]
    for search in ("user:ann", "user>b", "card:4111", "eve", "service:payroll", "secret:*", "salary"):
        assert await support.rows(f"{search} | stats count() as n") == [{"n": 0}], search
    fields = (await support.get("/api/v1/fields")).json()["fields"]
    assert "secret" not in {field["name"] for field in fields}
    values = (await support.get("/api/v1/fields/user/values")).json()["values"]
    assert values == [{"value": "***", "count": 2}]
    completed = (await support.post("/api/v1/complete", json={"query": "se"})).json()["items"]
    assert "secret:" not in {item["text"] for item in completed}
    assert "service:" in {item["text"] for item in completed}


async def test_exports_and_plans_tell_no_more(support: Client) -> None:
    for form in ("application/x-ndjson", "text/csv", "text/event-stream"):
        answer = await support.post("/api/v1/query", json={"query": ""}, headers={"Accept": form})
        assert "declined a" in answer.text
        for word in ("salary", "eve", "ann", "bob", "4111"):
            assert not any(f"{before}{word}" in answer.text for before in '",'), (form, answer.text)
    plan = (await support.post("/api/v1/explain", json={"query": "user:ann"})).json()["plan"]
    assert plan["sql"] == []
    assert plan["rows"] <= 2


async def test_what_is_made_of_all_events_is_refused(node: Node, support: Client) -> None:
    for head in ("incidents", "notifications", "segments", "detectors", "ingest_errors"):
        answer = await support.post("/api/v1/query", json={"query": f"from {head}"})
        assert answer.status_code == 400, head
        assert "sees a part of the events" in answer.json()["detail"]
    said = await support.get("/api/v1/incidents")
    assert "sees a part of the events" in said.json()["detail"]
    headers = {"Cookie": support.headers["Cookie"]}
    found = {f"{method} {path}" for method, path in routes() if await outcome(support, method, path, headers) == "in"}
    nobody = {
        f"{method} {path}" for method, path in routes() if await outcome(support, method, path, {"Cookie": ""}) == "in"
    }
    assert found - nobody == OPEN_TO_A_PART | OF_ONESELF


def test_every_route_that_is_open_to_a_part_is_known() -> None:
    filtered = set()
    for route in create_api(None).routes:
        for handler in getattr(route, "route_handlers", ()):
            if handler.opt.get("filtered"):
                filtered |= {f"{method} {route.path}" for method in handler.http_methods if method != "OPTIONS"}
    assert {name.split(":")[0].split("{")[0] for name in filtered} == {name.split("{")[0] for name in OPEN_TO_A_PART}
    assert set(MEANT) == {"/api/v1/tail"}


async def test_a_tail_shows_a_part_and_ends_when_the_role_changes(
    node: Node, listening: Any, admin: dict[str, str]
) -> None:
    async with listening(create_app(node)) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
        assert (await client.post("/api/v1/roles", json=SUPPORT, headers=admin)).status_code == 201
        headers = await signed_in(node, "sue@example.org", "support")
        async with client.stream("GET", "/api/v1/tail", headers=headers) as tail:
            lines = tail.aiter_lines()
            with anyio.fail_after(20):
                while ": following" not in await anext(lines):
                    pass
                body = b"\n".join(json.dumps(event).encode() for event in reversed(EVENTS))
                sent = await client.post(
                    "/api/v1/logs", content=body, headers={**admin, "Content-Type": "application/x-ndjson"}
                )
                assert sent.status_code == 200
                seen: list[dict[str, Any]] = []
                while len(seen) < 2:
                    if (line := await anext(lines)).startswith("data: "):
                        seen.append(json.loads(line[6:]))
                assert {event["service"] for event in seen} == {"checkout"}
                assert {event["user"] for event in seen} == {"***"}
                changed = {key: value for key, value in SUPPORT.items() if key != "name"} | {"search": "service:none"}
                assert (await client.put("/api/v1/roles/support", json=changed, headers=admin)).status_code == 200
                async for line in lines:
                    assert not line.startswith("data: ")


async def test_two_roles_share_no_answers(node: Node, support: Client, admin: dict[str, str]) -> None:
    other = {**SUPPORT, "name": "payroll", "search": "service:payroll", "masks": []}
    assert (await support.post("/api/v1/roles", json=other, headers=admin)).status_code == 201
    payroll = await signed_in(node, "pia@example.org", "payroll")
    for _ in range(3):  # the second time the answer is kept, the third time it is given from there
        for headers, users in (({}, ["***"]), (payroll, ["eve"]), (admin, ["ann", "bob", "eve"])):
            answer = await support.post(
                "/api/v1/query", json={"query": "| stats count() by user | sort user"}, headers=headers
            )
            assert [row[0] for row in answer.json()["rows"]] == users


class TestRoles:
    async def test_made_read_changed_deleted(self, node: Node, client: Client, admin: dict[str, str]) -> None:
        client.headers.update(admin)
        made = await client.post("/api/v1/roles", json=SUPPORT)
        assert made.status_code == 201
        assert (await client.post("/api/v1/roles", json=SUPPORT)).status_code == 409
        listed = (await client.get("/api/v1/roles")).json()["items"]
        assert [role["name"] for role in listed] == ["viewer", "editor", "operator", "admin", "support"]
        body = {"permissions": ["query"]}
        stale = await client.put("/api/v1/roles/support", json=body, headers={"If-Match": '"other"'})
        assert stale.status_code == 412
        changed = await client.put("/api/v1/roles/support", json=body, headers={"If-Match": made.headers["etag"]})
        assert (changed.status_code, changed.json()["search"], changed.json()["masks"]) == (200, "", [])
        await accounts.add_user(node.store.pool, "sue@example.org", PASSWORD, role="support")
        assert (await client.delete("/api/v1/roles/support")).status_code == 409
        with pytest.raises(AccountError, match="no role"):
            await accounts.add_user(node.store.pool, "bob@example.org", PASSWORD, role="nothing")
        users = (await client.get("/api/v1/users")).json()["items"]
        sue = next(user["id"] for user in users if user["email"] == "sue@example.org")
        assert (await client.patch(f"/api/v1/users/{sue}", json={"role": "nothing"})).status_code == 404
        assert (await client.patch(f"/api/v1/users/{sue}", json={"role": "viewer"})).status_code == 200
        assert (await client.delete("/api/v1/roles/support")).status_code == 204
        assert (await client.get("/api/v1/roles/support")).status_code == 404

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ({"name": "admin"}, "built-in"),
            ({"name": "No Name"}, "no name"),
            ({"permissions": ["query", "admin"]}, "cannot be given admin"),
            ({"search": "a | stats count()"}, "no stages"),
            ({"search": "a ("}, ""),
            ({"search": "timestamp>now()-1h"}, ""),
            ({"search": "message:/(/"}, "regular expression"),
            ({"masks": [{"field": "timestamp"}]}, "cannot be masked"),
            ({"masks": [{"field": "a"}, {"field": "a"}]}, "named twice"),
        ],
    )
    async def test_what_can_be_no_role(
        self, client: Client, admin: dict[str, str], more: dict[str, Any], said: str
    ) -> None:
        answer = await client.post("/api/v1/roles", json=SUPPORT | more, headers=admin)
        assert answer.status_code in (400, 409)
        assert said in answer.json()["detail"]

    async def test_a_search_that_depends_on_now_is_none(self, client: Client, admin: dict[str, str]) -> None:
        for search in ("timestamp>-1h", "timestamp>=yesterday"):
            answer = await client.post("/api/v1/roles", json={**SUPPORT, "search": search}, headers=admin)
            assert answer.status_code == 400, search


class TestSessions:
    async def test_listed_and_ended_one_by_one(self, node: Node, client_of: Any, admin: object) -> None:
        app = create_app(node)
        sign_in = {"email": "ada@example.org", "password": PASSWORD}
        async with client_of(app) as here, client_of(app) as there, client_of(app) as stranger:
            for browser in (here, there):
                headers = {"User-Agent": "Moz\u00efl".encode()}
                answer = await browser.post("/api/v1/session", json=sign_in, headers=headers)
                assert answer.status_code == 200
            await accounts.add_user(node.store.pool, "bob@example.org", PASSWORD)
            await stranger.post("/api/v1/session", json={"email": "bob@example.org", "password": PASSWORD})
            listed = (await here.get("/api/v1/session/all")).json()["items"]
            assert len(listed) == 3
            assert [one["current"] for one in listed].count(True) == 1
            other = next(one["id"] for one in listed if not one["current"] and one["agent"])
            assert (await stranger.delete(f"/api/v1/session/all/{other}")).status_code == 404
            assert (await here.delete(f"/api/v1/session/all/{other}")).status_code == 204
            assert (await there.get("/api/v1/status")).status_code == 401
            assert (await here.get("/api/v1/status")).status_code == 200

    async def test_signing_in_again_ends_the_session_of_before(self, node: Node, client: Client, admin: object) -> None:
        sign_in = {"email": "ada@example.org", "password": PASSWORD}
        await client.post("/api/v1/session", json=sign_in)
        old = {"Cookie": f"{COOKIE}={client.cookies[COOKIE]}"}
        await client.post("/api/v1/session", json=sign_in)
        assert f"{COOKIE}={client.cookies[COOKIE]}" != old["Cookie"]
        client.cookies.clear()
        assert (await client.get("/api/v1/status", headers=old)).status_code == 401


class TestServiceAccounts:
    async def test_their_tokens_do_what_role_and_scopes_allow(
        self, node: Node, support: Client, admin: dict[str, str]
    ) -> None:
        made = await support.post(
            "/api/v1/users", json={"email": "ci-bot", "role": "support", "service": True}, headers=admin
        )
        assert made.status_code == 201
        assert made.json()["password"] is None
        body = {"name": "ci", "scopes": ["query", "ingest"], "account": "ci-bot"}
        token = await support.post("/api/v1/tokens", json=body, headers=admin)
        assert token.status_code == 201, token.text
        assert token.json()["token"]["account"] == "ci-bot"
        headers = {"Authorization": f"Bearer {token.json()['secret']}", "Cookie": ""}
        answer = await support.post("/api/v1/query", json={"query": "| stats count() as n by user"}, headers=headers)
        assert answer.json()["rows"] == [["***", 2]]
        assert (await support.post("/api/v1/logs", content=b"x", headers=headers)).status_code == 403
        number = made.json()["user"]["id"]
        assert (await support.post(f"/api/v1/users/{number}/password", headers=admin)).status_code == 409
        closed = await support.patch(f"/api/v1/users/{number}", json={"disabled": True}, headers=admin)
        assert closed.status_code == 200
        assert (await support.post("/api/v1/query", json={"query": ""}, headers=headers)).status_code == 401

    async def test_nobody_signs_in_as_one(self, node: Node, client: Client, admin: object) -> None:
        await accounts.add_service_account(node.store.pool, "bot")
        for password in ("", "None", PASSWORD):
            answer = await client.post("/api/v1/session", json={"email": "bot", "password": password})
            assert answer.status_code == 401


class TestKeysForBrowsers:
    async def test_they_send_from_their_pages_alone(self, node: Node, admin: object) -> None:
        _, secret = await tokens.create_token(node.store.pool, "shop", ["ingest"], origins=["https://Shop.example"])
        gate = create_app(node).gate
        headers = {"authorization": f"Bearer {secret}"}
        shown = {**headers, "origin": "https://shop.example"}
        assert (await gate.authorise(shown, "ingest")).permissions == {"ingest"}
        for more in ({"origin": "https://evil.example"}, {}):
            with pytest.raises(ProblemException, match=r"a token for pages of https://shop\.example"):
                await gate.authorise({**headers, **more}, "ingest")

    async def test_a_browser_that_asks_first_is_answered_for_their_pages(
        self, node: Node, client: Client, admin: object
    ) -> None:
        page, asks = "https://shop.example", {"Access-Control-Request-Method": "POST"}
        made, _ = await tokens.create_token(node.store.pool, "shop", ["ingest"], origins=[page])
        wanted = asks | {"Origin": page, "Access-Control-Request-Headers": "authorization,content-type"}
        answer = await client.options("/api/v1/logs", headers=wanted)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["access-control-allow-origin"] == page
        assert answer.headers["access-control-allow-methods"] == "POST"
        assert answer.headers["access-control-allow-headers"] == "authorization,content-type"
        assert "access-control-allow-credentials" not in answer.headers
        for path, headers, status in (
            ("/api/v1/query", wanted, 401),
            ("/api/v1/logs", wanted | {"Access-Control-Request-Method": "DELETE"}, 405),
            ("/api/v1/logs", wanted | {"Access-Control-Request-Headers": "a;b"}, 400),
            ("/api/v1/logs", asks | {"Origin": "https://evil.example"}, 403),
            ("/api/v1/logs", asks, 403),
        ):
            refused = await client.options(path, headers=headers)
            assert refused.status_code == status, (path, headers)
            assert ("access-control-allow-origin" in refused.headers) == (status == 400)
        await tokens.revoke_token(node.store.pool, made.id)
        assert not await create_app(node).gate.knows_page(page)

    async def test_no_cookie_counts_from_another_page(self, node: Node, client: Client, admin: object) -> None:
        page, sign_in = {"Origin": "https://shop.example"}, {"email": "ada@example.org", "password": PASSWORD}
        await tokens.create_token(node.store.pool, "shop", ["ingest"], origins=[page["Origin"]])
        assert (await client.post("/api/v1/session", json=sign_in)).status_code == 200
        assert (await client.post("/api/v1/logs", content=b"x")).status_code == 200
        for path in ("/api/v1/logs", "/api/v1/browser", "/api/v1/query"):
            assert (await client.post(path, content=b"{}", headers=page)).status_code == 403, path

    async def test_they_can_do_nothing_else(self, node: Node) -> None:
        for scopes in (["query"], ["ingest", "query"], ["admin"]):
            with pytest.raises(AccountError, match="only have the scope ingest"):
                await tokens.create_token(node.store.pool, "shop", scopes, origins=["https://shop.example"])
        for origin in ("shop.example", "https://shop.example/a", "*", "null", "javascript:alert(1)"):
            with pytest.raises(AccountError, match="no origin"):
                await tokens.create_token(node.store.pool, "shop", ["ingest"], origins=[origin])
