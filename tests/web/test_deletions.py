"""Deletions over the API: asked for, watched, cancelled, and on record; only by administrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest
from cordwood.core.runtime import Node
from cordwood.web import create_app
from cordwood.web.auth.accounts import add_user
from cordwood.web.auth.tokens import create_token

from .conftest import Client

pytestmark = pytest.mark.anyio


async def over(client: Client, number: int) -> dict[str, Any]:
    """The deletion when it is over."""
    with anyio.fail_after(30):
        while True:
            found: dict[str, Any] = (await client.get(f"/api/v1/deletions/{number}")).json()
            if found["state"] != "running":
                return found
            await anyio.sleep(0.05)


async def test_from_preview_to_audit(client: Client) -> None:
    times = [f"2026-01-31T12:00:0{n}Z" for n in range(4)]
    users = ("ada", "bob", "ada", "ada")
    await client.logs(*({"timestamp": t, "user": u, "message": "hi"} for t, u in zip(times, users, strict=True)))
    body = {"query": "user:ada", "to": times[3]}
    preview = (await client.post("/api/v1/deletions/preview", json=body)).json()
    assert (preview["events"], preview["complete"]) == (2, True)
    assert [preview["from"], preview["to"]] == [f"{time[:-1]}.000000000Z" for time in (times[0], times[2])]
    assert [sample["user"] for sample in preview["samples"]] == ["ada", "ada"]
    assert len(await client.rows("*")) == 4
    made = await client.post("/api/v1/deletions", json=body)
    assert made.status_code == 201
    assert made.json()["query"] == "user:ada"
    done = await over(client, made.json()["id"])
    assert (done["state"], done["events_deleted"], done["query"], done["waits_for"]) == ("done", 2, "user:…", [])
    assert done["segments_done"] == done["segments_total"] >= 1
    assert done["requested_by"] == "this machine"
    assert sorted(row["user"] for row in await client.rows("*")) == ["ada", "bob"]
    entries = (await client.get("/api/v1/audit?what=deletion")).json()["items"]
    assert [entry["what"] for entry in entries] == ["deletion.done", "deletion.create"]
    assert entries[0]["details"] == {"deletion": done["id"], "query": "user:…", "events": 2}
    assert entries[0]["project"] == "default"


async def test_pages_of_deletions(client: Client) -> None:
    for _ in range(3):
        await client.post("/api/v1/deletions", json={"query": "user:nobody"})
    first = (await client.get("/api/v1/deletions?limit=2")).json()
    rest = (await client.get(f"/api/v1/deletions?limit=2&cursor={first['next_cursor']}")).json()
    assert [item["id"] for item in (*first["items"], *rest["items"])] == [3, 2, 1]
    assert rest["next_cursor"] is None
    assert (await client.get("/api/v1/deletions?cursor=x")).status_code == 400
    assert (await client.get("/api/v1/deletions?state=failed")).json()["items"] == []


async def test_one_that_is_over_stays_as_it_is(client: Client) -> None:
    number = (await client.post("/api/v1/deletions", json={"query": "user:nobody"})).json()["id"]
    done = await over(client, number)
    assert (await client.delete(f"/api/v1/deletions/{number}")).json() == done
    assert (await client.delete("/api/v1/deletions/99")).status_code == 404
    assert (await client.get(f"/api/v1/deletions/{2**70}")).status_code == 404


async def test_stages_are_refused_with_their_place(client: Client) -> None:
    for path in ("/api/v1/deletions", "/api/v1/deletions/preview"):
        answer = await client.post(path, json={"query": "user:ada | limit 3"})
        assert answer.status_code == 400
        (error,) = answer.json()["errors"]
        assert (error["line"], error["column"]) == (1, 12)
        assert "stage" in error["message"]


async def test_only_administrators_may(node: Node, client_of: Callable[..., Client]) -> None:
    await add_user(node.store.pool, "ann@example.org", "correct horse", is_admin=True)
    _, reader = await create_token(node.store.pool, "reader", ["query", "ingest"])
    _, admin = await create_token(node.store.pool, "admin", ["admin"])
    async with client_of(create_app(node)) as client:
        for method, path in (
            ("POST", "/api/v1/deletions"),
            ("POST", "/api/v1/deletions/preview"),
            ("GET", "/api/v1/deletions"),
            ("GET", "/api/v1/deletions/1"),
            ("DELETE", "/api/v1/deletions/1"),
            ("GET", "/api/v1/audit"),
        ):
            body = {"json": {"query": "x"}} if method == "POST" else {}
            assert (await client.request(method, path, **body)).status_code == 401
            headers = {"Authorization": f"Bearer {reader}"}
            assert (await client.request(method, path, headers=headers, **body)).status_code == 403
            headers = {"Authorization": f"Bearer {admin}"}
            assert (await client.request(method, path, headers=headers, **body)).status_code in (200, 201, 404)
