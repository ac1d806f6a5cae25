"""`/api/v1/shares` and `/api/v1/shared`: others see what its maker may see, while the link is good, and no more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import pytest
from cordwood.core.runtime import Node
from cordwood.web import create_app
from cordwood.web.auth import accounts, custom_roles, projects
from cordwood.web.auth.attempts import Attempts

from .test_accounts import browser_of, whats
from .test_matrix import routes

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio
PASSWORD = "correct horse"
ADA, EDO, VIC = "ada@example.org", "edo@example.org", "vic@example.org"
RANGE = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
EVENTS: list[dict[str, Any]] = [
    {"timestamp": "2026-01-01T10:00:00Z", "service": "checkout", "message": "paid", "user": "ann"},
    {"timestamp": "2026-01-01T11:00:00Z", "service": "gateway", "message": "up", "user": "bob"},
    {"timestamp": "2026-01-03T10:00:00Z", "service": "checkout", "message": "later", "user": "cy"},
]
BOARD = {
    "name": "shop",
    "title": "The shop",
    "from": "all",
    "panels": [
        {"id": "n", "title": "Events", "kind": "number", "query": "| stats count()",
         "position": {"x": 0, "y": 0, "w": 3, "h": 3}},
        {"id": "users", "title": "Users", "kind": "table", "query": "| stats count() as n by user | sort user",
         "position": {"x": 3, "y": 0, "w": 6, "h": 6}},
        {"id": "words", "title": "Words", "kind": "markdown", "text": "*hi*",
         "position": {"x": 9, "y": 0, "w": 3, "h": 3}},
    ],
}  # fmt: skip


@pytest.fixture
async def admin(node: Node, client_of: Callable[..., Client]) -> AsyncIterator[Client]:
    """A browser of the administrator; there are events, an editor and a viewer."""
    async with client_of(create_app(node)) as client:
        await accounts.add_user(node.store.pool, ADA, PASSWORD, is_admin=True)
        await accounts.add_user(node.store.pool, EDO, PASSWORD, role="editor")
        await accounts.add_user(node.store.pool, VIC, PASSWORD, role="viewer")
        assert (await client.post("/api/v1/session", json={"email": ADA, "password": PASSWORD})).status_code == 200
        await client.logs(*EVENTS)
        assert (await client.post("/api/v1/dashboards", json=BOARD)).status_code == 201
        yield client


@pytest.fixture
async def editor(admin: Client) -> AsyncIterator[Client]:
    made = await browser_of(admin, EDO, PASSWORD)
    yield made
    await made.aclose()


@pytest.fixture
async def anybody(admin: Client, client_of: Callable[..., Client]) -> AsyncIterator[Client]:
    """A browser in which nobody is signed in."""
    async with type(admin)(transport=admin._transport, base_url="http://localhost", timeout=30) as made:
        yield made


async def shared(client: Client, **body: Any) -> tuple[int, str]:
    """The number and the secret of a new link."""
    answer = await client.post("/api/v1/shares", json={"title": "A link"} | body)
    assert answer.status_code == 201, answer.text
    found = answer.json()
    address, _, secret = found["link"].partition("#")
    assert address.endswith("/shared")
    return found["share"]["id"], secret


async def rows(client: Client, secret: str, **more: Any) -> Any:
    answer = await client.post("/api/v1/shared/query", json={"token": secret} | more)
    return answer.json()["rows"] if answer.status_code == 200 else answer.status_code


async def test_a_query_is_seen_in_its_range_by_anybody(editor: Client, anybody: Client, node: Node) -> None:
    number, secret = await shared(editor, query="| stats count() as n by service | sort service", **RANGE)
    told = (await anybody.post("/api/v1/shared", json={"token": secret})).json()
    assert (told["title"], told["shared_by"], told["dashboard"]) == ("A link", EDO, None)
    assert told["to"] == "2026-01-02T00:00:00.000000000Z"
    assert await rows(anybody, secret) == [["checkout", 1], ["gateway", 1]]
    kept = await node.store.pool.fetchrow("select * from share")
    assert secret not in str(dict(kept or {}))
    (listed,) = (await editor.get("/api/v1/shares")).json()["items"]
    assert (listed["id"], listed["opened_at"] is not None) == (number, True)


async def test_a_dashboard_shows_its_panels_and_not_their_queries(editor: Client, anybody: Client) -> None:
    _, secret = await shared(editor, dashboard="shop")
    told = await anybody.post("/api/v1/shared", json={"token": secret})
    assert [panel["id"] for panel in told.json()["dashboard"]["panels"]] == ["n", "users", "words"]
    assert "stats" not in told.text
    assert await rows(anybody, secret, panel="n") == [[3]]
    assert await rows(anybody, secret, panel="users") == [["ann", 1], ["bob", 1], ["cy", 1]]
    for panel in ("words", "none", None):
        assert await rows(anybody, secret, panel=panel) == 404
    _, fixed = await shared(editor, dashboard="shop", **RANGE)
    assert await rows(anybody, fixed, panel="n") == [[2]]


async def test_the_rights_of_its_maker_count_at_each_use(
    admin: Client, editor: Client, anybody: Client, node: Node
) -> None:
    _, secret = await shared(editor, query="service:* | stats count() as n by user | sort user", **RANGE)
    _, board = await shared(editor, dashboard="shop")
    assert await rows(anybody, secret) == [["ann", 1], ["bob", 1]]
    masks, seen = [custom_roles.Mask("user", "stars")], "service:checkout"
    roles: dict[str, list[custom_roles.Permission]] = {"part": ["query", "edit"], "reader": ["query"]}
    for name, may in roles.items():
        await custom_roles.put_role(node.store.pool, 1, name, may, seen, masks, is_new=True, by="test")
    (edo,) = [user.id for user in await accounts.list_users(node.store.pool) if user.email == EDO]
    await accounts.change_user(node.store.pool, edo, role="part")
    assert await rows(anybody, secret) == [["***", 1]]
    assert await rows(anybody, board, panel="users") == [["***", 2]]
    await accounts.change_user(node.store.pool, edo, role="reader")
    assert await rows(anybody, secret) == 410
    await accounts.change_user(node.store.pool, edo, role="editor", disabled=True)
    assert await rows(anybody, secret) == 410
    await accounts.change_user(node.store.pool, edo, disabled=False)
    assert await rows(anybody, secret) == [["ann", 1], ["bob", 1]]
    await accounts.delete_user(node.store.pool, edo)
    assert await rows(anybody, secret) == 404


async def test_when_it_is_over(editor: Client, anybody: Client, node: Node) -> None:
    number, secret = await shared(editor, query="", **RANGE)
    await node.store.pool.execute("update share set expires_at = now() - interval '1 second'")
    over = await anybody.post("/api/v1/shared", json={"token": secret})
    assert (over.status_code, "this link is over" in over.json()["detail"]) == (410, True)
    number, secret = await shared(editor, query="", **RANGE)
    assert (await editor.delete(f"/api/v1/shares/{number}")).json()["revoked_at"] is not None
    assert (await editor.delete(f"/api/v1/shares/{number}")).status_code == 200
    assert await rows(anybody, secret) == 410
    for nonsense in ("", "cws_", secret[:-1], "\0"):
        assert await rows(anybody, nonsense) == 404


async def test_its_secret_opens_nothing_else(editor: Client, anybody: Client) -> None:
    _, secret = await shared(editor, query="", **RANGE)
    for headers in ({"Authorization": f"Bearer {secret}"}, {"Cookie": f"cordwood_session={secret}"}):
        for path in ("/api/v1/query", "/api/v1/shares", "/api/v1/dashboards", "/api/v1/fields", "/api/v1/status"):
            method = "POST" if path.endswith("query") else "GET"
            answer = await anybody.request(method, path, headers=headers, json={"query": ""})
            assert answer.status_code == 401, path
    assert {path for _, path in routes() if "shared" in path} == {"/api/v1/shared", "/api/v1/shared/query"}


async def test_what_cannot_be_shared(admin: Client, editor: Client, node: Node) -> None:
    wrong: list[tuple[Client, dict[str, Any], int]] = [
        (editor, {"query": ""}, 400),  # no fixed range
        (editor, {"query": "", "from": RANGE["from"]}, 400),
        (editor, {"query": "", "dashboard": "shop", **RANGE}, 400),
        (editor, {**RANGE}, 400),
        (editor, {"query": "| nope", **RANGE}, 400),
        (editor, {"query": "a\0b", **RANGE}, 400),
        (admin, {"query": "from audit", **RANGE}, 400),  # for administrators alone, whoever has the link is none
        (editor, {"dashboard": "none"}, 404),
        (editor, {"dashboard": "shop", "valid_for": "91d"}, 400),
        (editor, {"dashboard": "shop", "valid_for": "1s"}, 400),
        (editor, {"dashboard": "shop", "valid_for": "soon"}, 400),
        (editor, {"dashboard": "shop", "title": " "}, 400),
        (editor, {"dashboard": "shop", "title": "x\u202ey"}, 400),
    ]
    for client, body, status in wrong:
        answer = await client.post("/api/v1/shares", json={"title": "A link"} | body)
        assert answer.status_code == status, (body, answer.text)
    vic = await browser_of(admin, VIC, PASSWORD)
    assert (await vic.post("/api/v1/shares", json={"title": "x", "dashboard": "shop"})).status_code == 403
    await vic.aclose()
    made = await admin.post("/api/v1/tokens", json={"name": "t", "scopes": ["query", "admin"]})
    bearer = {"Authorization": f"Bearer {made.json()['secret']}"}
    answer = await admin.post("/api/v1/shares", json={"title": "x", "dashboard": "shop"}, headers=bearer)
    assert answer.status_code == 409  # a program is no person, and its token may end


async def test_who_sees_and_ends_which(admin: Client, editor: Client, node: Node) -> None:
    mine, _ = await shared(admin, dashboard="shop")
    number, secret = await shared(editor, dashboard="shop")
    assert [one["id"] for one in (await editor.get("/api/v1/shares")).json()["items"]] == [number]
    assert [one["id"] for one in (await admin.get("/api/v1/shares")).json()["items"]] == [number, mine]
    first = (await admin.get("/api/v1/shares", params={"limit": 1})).json()
    second = (await admin.get("/api/v1/shares", params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert ([one["id"] for one in second["items"]], second["next_cursor"]) == ([mine], None)
    assert (await editor.delete(f"/api/v1/shares/{mine}")).status_code == 404
    await projects.add_project(node.store.pool, "other")
    await accounts.add_user(node.store.pool, "o@example.org", PASSWORD, role="admin", project="other")
    other = await browser_of(admin, "o@example.org", PASSWORD)
    assert (await other.get("/api/v1/shares")).json()["items"] == []
    assert (await other.delete(f"/api/v1/shares/{mine}")).status_code == 404
    assert (await other.post("/api/v1/shares", json={"title": "x", "dashboard": "shop"})).status_code == 404
    await other.aclose()
    assert (await admin.delete(f"/api/v1/shares/{number}")).status_code == 200
    assert await whats(admin, what="share") == ["share.create", "share.create", "share.revoke"]
    assert secret not in (await admin.get("/api/v1/audit/export")).text


async def test_uses_are_bounded(editor: Client, anybody: Client) -> None:
    _, secret = await shared(editor, dashboard="shop")
    app = editor._transport.app.api  # type: ignore[attr-defined]
    app.state.shares_used = Attempts(most=2, window_s=60.0, what="uses of this link")
    assert [await rows(anybody, secret, panel="n") for _ in range(3)] == [[[3]], [[3]], 429]
    assert [await rows(anybody, "cws_x") for _ in range(11)] == [404] * 10 + [429]
