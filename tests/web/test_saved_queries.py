"""Saved queries over the API: kept, used by others, by tails and deletions, completed; who may change them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cordwood.core.runtime import Node
from cordwood.web import create_app
from cordwood.web.auth.accounts import add_user
from cordwood.web.auth.gate import COOKIE
from cordwood.web.auth.sessions import sign_in
from cordwood.web.auth.tokens import create_token

from .conftest import Client

pytestmark = pytest.mark.anyio
FAILED = {
    "name": "failed requests",
    "text": "status>=$min service:$service",
    "description": "Requests that failed",
    "parameters": [{"name": "service"}, {"name": "min", "default": "500"}],
}


async def save(client: Client, name: str, text: str, **more: Any) -> None:
    answer = await client.post("/api/v1/saved-queries", json={"name": name, "text": text} | more)
    assert answer.status_code == 201, answer.text


async def test_from_create_to_delete(client: Client) -> None:
    await client.logs(*({"service": "web", "status": status, "message": "hi"} for status in (200, 404, 500)))
    made = (await client.post("/api/v1/saved-queries", json=FAILED)).json()
    assert (made["usage"], made["created_by"]) == ("`failed requests`(service, min = 500)", "this machine")
    assert (await client.get("/api/v1/saved-queries/failed%20requests")).json() == made
    assert (await client.post("/api/v1/saved-queries", json=FAILED)).status_code == 409
    assert await client.rows("`failed requests`(web) | stats count() as n") == [{"n": 1}]
    assert await client.rows("`failed requests`(web, 400) | stats count() as n") == [{"n": 2}]
    changed = {"text": "status>=$min", "parameters": [{"name": "min"}]}
    made = (await client.put("/api/v1/saved-queries/failed%20requests", json=changed)).json()
    assert (made["description"], made["usage"]) == ("", "`failed requests`(min)")
    assert await client.rows("`failed requests`(100) | stats count() as n") == [{"n": 3}]
    assert (await client.delete("/api/v1/saved-queries/failed%20requests")).status_code == 204
    answer = await client.post("/api/v1/query", json={"query": "x `failed requests`(1)"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"] == "no saved query `failed requests`"
    assert answer.json()["errors"][0]["column"] == 3
    entries = (await client.get("/api/v1/audit?what=saved_query")).json()["items"]
    assert [entry["what"] for entry in entries] == [f"saved_query.{verb}" for verb in ("delete", "change", "create")]
    assert entries[-1]["details"] == {"name": "failed requests", "text": FAILED["text"]}


async def test_pages_are_by_name(client: Client) -> None:
    for name in ("c", "a", "b"):
        await save(client, name, "x")
    first = (await client.get("/api/v1/saved-queries?limit=2")).json()
    assert [item["name"] for item in first["items"]] == ["a", "b"]
    rest = (await client.get(f"/api/v1/saved-queries?limit=2&cursor={first['next_cursor']}")).json()
    assert ([item["name"] for item in rest["items"]], rest["next_cursor"]) == (["c"], None)


REFUSED = [
    ({"text": "| stats ("}, "1:10 the query ends too early"),
    ({"text": "| stats cout()"}, "1:9 no aggregate `cout`"),
    ({"text": "a `it`()"}, "1:3 the saved query `it` uses itself"),
    ({"text": "`other`()"}, "1:1 no saved query `other`"),
    ({"text": "| where x = $y"}, "1:13 no parameter $y"),
    ({"text": "x", "name": "a/b"}, "`a/b` is no name"),
    ({"text": "x", "parameters": [{"name": "a b"}]}, "`a b` is no name of a parameter"),
    ({"text": "x", "parameters": [{"name": "a"}, {"name": "a"}]}, "each once"),
    ({"text": "x", "parameters": [{"name": "a", "default": "1"}, {"name": "b"}]}, "comes before those with one"),
    ({"text": "x", "parameters": [{"name": "a", "default": "1, 2"}]}, "`1, 2` is no single value"),
]


async def test_what_is_refused(client: Client) -> None:
    for body, said in REFUSED:
        answer = await client.post("/api/v1/saved-queries", json={"name": "it"} | body)
        assert answer.status_code == 400, body
        assert said in answer.json()["detail"]
    assert (await client.get("/api/v1/saved-queries/it")).status_code == 404
    assert (await client.put("/api/v1/saved-queries/it", json={"text": "x"})).status_code == 404


async def test_a_mistake_in_one_names_it_and_points_at_its_use(client: Client) -> None:
    await save(client, "odd", "| where took > 5")
    answer = await client.post("/api/v1/query", json={"query": "x\n| stats count() as n | `odd`()"})
    (error,) = answer.json()["errors"]
    assert (error["line"], error["column"]) == (2, 24)
    assert error["message"] == "in `odd` at 1:9: no column `took` here"


async def test_deletions_keep_what_they_said(client: Client) -> None:
    await client.logs({"user": "ann", "message": "a"}, {"user": "bob", "message": "b"})
    await save(client, "of", "user=$who", parameters=[{"name": "who"}])
    preview = (await client.post("/api/v1/deletions/preview", json={"query": "`of`(ann)"})).json()
    assert preview["events"] == 1
    made = (await client.post("/api/v1/deletions", json={"query": "`of`(ann)"})).json()
    assert made["query"] in ("user=ann", "user=…")
    await save(client, "counted", "| stats count()")
    answer = await client.get("/api/v1/tail?query=%60counted%60()")
    assert (answer.status_code, "a tail follows a search" in answer.text) == (400, True)


async def test_they_are_completed(client: Client) -> None:
    await save(client, "errors by host", "severity>=error | stats count() by host", description="Which hosts fail")
    await client.post("/api/v1/saved-queries", json=FAILED)

    async def items(text: str) -> list[dict[str, str]]:
        found = (await client.post("/api/v1/complete", json={"query": text})).json()["items"]
        return [item for item in found if item["kind"] == "saved"]

    (whole,) = await items("x `err")
    assert (whole["text"], whole["about"]) == ("`errors by host`()", "Which hosts fail")
    assert [item["text"] for item in await items("fai")] == ["`failed requests`("]
    assert [item["detail"] for item in await items("x | failed")] == ["`failed requests`(service, min = 500)"]
    assert [item["text"] for item in await items("x | where `errors by")] == ["`errors by host`()"]
    assert await items("x | fields `err") == []


async def test_who_made_one_changes_it(node: Node, client_of: Callable[..., Client]) -> None:
    pool, headers = node.store.pool, []
    for name, role in (("ann", "editor"), ("bob", "editor"), ("boss", "admin"), ("reader", "viewer")):
        await add_user(pool, f"{name}@example.org", "correct horse", role=role)
        signed_in = await sign_in(pool, f"{name}@example.org", "correct horse")
        assert signed_in is not None
        headers.append({"Cookie": f"{COOKIE}={signed_in[1]}"})
    _, secret = await create_token(pool, "shipper", ["ingest"])
    headers.append({"Authorization": f"Bearer {secret}"})
    ann, bob, boss, reader, shipper = (client_of(create_app(node), headers=shown) for shown in headers)
    async with ann, bob, boss, reader, shipper:
        assert (await shipper.get("/api/v1/saved-queries")).status_code == 403
        await save(ann, "anns", "a")
        assert (await reader.get("/api/v1/saved-queries/anns")).status_code == 200
        assert (await reader.post("/api/v1/saved-queries", json={"name": "x", "text": "x"})).status_code == 403
        path = "/api/v1/saved-queries/anns"
        assert (await bob.get(path)).json()["created_by"] == "ann@example.org"
        assert (await bob.put(path, json={"text": "b"})).status_code == 403
        assert (await bob.delete(path)).status_code == 403
        assert (await ann.put(path, json={"text": "b"})).status_code == 200
        assert (await boss.put(path, json={"text": "c"})).json()["changed_by"] == "boss@example.org"
        assert (await boss.delete(path)).status_code == 204
