"""Lookup tables over the API: put, used in queries, listed by version, deleted; only administrators change them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cordwood.core.query.lookup_store import KEPT
from cordwood.core.runtime import Node
from cordwood.web import create_app
from cordwood.web.auth.accounts import add_user
from cordwood.web.auth.tokens import create_token

from .conftest import Client

pytestmark = pytest.mark.anyio
OWNERS = "service,team\ncheckout,shop\nweb,edge\n"


async def test_from_put_to_delete(client: Client) -> None:
    await client.logs(*({"service": service, "message": "hi"} for service in ("checkout", "web", "web", "api")))
    made = (await client.put("/api/v1/lookups/owners", content=OWNERS)).json()
    assert (made["version"], made["rows"], made["created_by"]) == (1, 2, "this machine")
    assert made["columns"] == [{"name": "service", "kind": "text"}, {"name": "team", "kind": "text"}]
    counted = "| lookup owners on service | stats count() as n by team"
    assert {row["team"]: row["n"] for row in await client.rows(counted)} == {"shop": 1, None: 1, "edge": 2}
    assert await client.rows("| where service in owners | stats count() as n") == [{"n": 3}]
    again = (await client.put("/api/v1/lookups/owners", content=OWNERS + "api,core\n")).json()
    assert (again["version"], again["rows"]) == (2, 3)
    assert await client.rows("| where service in owners | stats count() as n") == [{"n": 4}]
    listed = (await client.get("/api/v1/lookups")).json()["items"]
    assert [(item["name"], item["version"]) for item in listed] == [("owners", 2)]
    versions = (await client.get("/api/v1/lookups/owners")).json()["versions"]
    assert [item["version"] for item in versions] == [2, 1]
    assert (await client.get("/api/v1/lookups/owners/data?version=1")).text == OWNERS
    assert (await client.get("/api/v1/lookups/owners/data")).text == OWNERS + "api,core\n"
    assert (await client.delete("/api/v1/lookups/owners")).status_code == 204
    answer = await client.post("/api/v1/query", json={"query": "| where service in owners"})
    assert (answer.status_code, answer.json()["errors"][0]["column"]) == (400, 20)
    entries = (await client.get("/api/v1/audit?what=lookup")).json()["items"]
    assert [entry["what"] for entry in entries] == ["lookup.delete", "lookup.put", "lookup.put"]


async def test_the_newest_versions_are_kept(client: Client) -> None:
    for number in range(KEPT + 2):
        await client.put("/api/v1/lookups/t", content=f"a\n{number}\n")
    versions = (await client.get("/api/v1/lookups/t")).json()["versions"]
    assert [item["version"] for item in versions] == list(range(KEPT + 2, 2, -1))
    assert (await client.get("/api/v1/lookups/t/data?version=2")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("PUT", "bad-name", "a\n1\n", 400),
        ("PUT", "%27%3B--", "a\n1\n", 400),
        ("PUT", "t", "", 400),
        ("PUT", "t", "a\n1,2\n", 400),
        ("PUT", "t", "a\n" + "x" * (16 << 20), 413),
        ("GET", "nothing", None, 404),
        ("GET", "nothing/data", None, 404),
        ("GET", "nothing/data?version=0", None, 400),
        ("DELETE", "nothing", None, 404),
    ],
)
async def test_what_is_refused(client: Client, method: str, path: str, content: str | None, status: int) -> None:
    answer = await client.request(method, f"/api/v1/lookups/{path}", content=content)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_only_administrators_change_them(node: Node, client_of: Callable[..., Client]) -> None:
    await add_user(node.store.pool, "ann@example.org", "correct horse", is_admin=True)
    _, secret = await create_token(node.store.pool, "reader", ["query"])
    async with client_of(create_app(node), headers={"Authorization": f"Bearer {secret}"}) as reader:
        assert (await reader.get("/api/v1/lookups")).status_code == 200
        assert (await reader.put("/api/v1/lookups/t", content="a\n1\n")).status_code == 403
        assert (await reader.delete("/api/v1/lookups/t")).status_code == 403
