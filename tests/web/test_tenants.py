"""Two projects in one installation: neither reads, changes or learns anything of the other."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from cordwood.core.runtime import Node
from cordwood.plugins import DeniedError
from cordwood.web import create_app
from cordwood.web.auth import accounts, projects, tokens

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio
NAMES = ("default", "shop")


@pytest.fixture
async def two(node: Node, client_of: Callable[..., Client]) -> AsyncIterator[dict[str, Client]]:
    """A client of each project, with a token for everything. They speak to one application."""
    pool = node.store.pool
    await projects.add_project(pool, "shop")
    await accounts.add_user(pool, "ann@example.org", "correct horse", is_admin=True)
    app = create_app(node)
    made = {}
    for name in NAMES:
        _, secret = await tokens.create_token(pool, f"all of {name}", ["ingest", "query", "admin"], project=name)
        made[name] = client_of(app, headers={"Authorization": f"Bearer {secret}"})
    async with made["default"], made["shop"]:
        yield made


async def test_events_are_of_the_token_s_project(two: dict[str, Client]) -> None:
    for name, client in two.items():
        await client.logs({"message": f"of {name}", "service": name, f"field_of_{name}": name})
        bulk = b'{"create": {}}\n' + json.dumps({"message": f"bulk of {name}"}).encode() + b"\n"
        answer = await client.post("/logs/_bulk", content=bulk, headers={"Content-Type": "application/x-ndjson"})
        assert answer.status_code == 200
    for name, client in two.items():
        other = next(one for one in NAMES if one != name)
        found = await client.rows("")
        assert sorted(row["message"] for row in found) == [f"bulk of {name}", f"of {name}"]
        assert await client.rows(f'"{other}"') == []
        assert await client.rows("| stats count() as n") == [{"n": 2}]
        fields = (await client.get("/api/v1/fields")).json()["fields"]
        assert f"field_of_{other}" not in {field["name"] for field in fields}
        values = (await client.get("/api/v1/fields/service/values")).json()["values"]
        assert other not in {value["value"] for value in values}
        items = (await client.post("/api/v1/complete", json={"query": "field_of_"})).json()["items"]
        assert {item["text"] for item in items} == {f"field_of_{name}:"}
        segments = await client.rows("from segments")
        assert sum(row["rows"] for row in segments) == 2


async def test_sub_queries_stay_in_the_project(two: dict[str, Client]) -> None:
    for name, client in two.items():
        await client.logs(*({"message": "m", "service": name, "key": 1} for _ in range(3)))
    for client in two.values():
        assert await client.rows("| union (*) | stats count() as n") == [{"n": 6}]
        assert await client.rows("| distinct service | stats count() as n") == [{"n": 1}]


async def test_small_bodies_that_come_together_are_not_mixed(two: dict[str, Client]) -> None:
    async with anyio.create_task_group() as tasks:
        for number in range(40):
            for name, client in two.items():
                tasks.start_soon(client.logs, {"message": f"{name} {number}", "service": name})
    for name, client in two.items():
        assert await client.rows("| stats count() as n by service") == [{"service": name, "n": 40}]


async def test_keys_and_ids_are_each_project_s_own(two: dict[str, Client]) -> None:
    for client in two.values():
        assert await client.logs({"message": "once"}, **{"Idempotency-Key": "k"}) == 1
        assert await client.logs({"message": "twice"}, **{"Idempotency-Key": "k"}) == 1
        assert [row["message"] for row in await client.rows("")] == ["once"]


async def test_nobody_cancels_another_s_query(two: dict[str, Client], node: Node) -> None:
    running = object()
    project_id = await projects.project_named(node.store.pool, "shop")
    node.engine._running[project_id, "q"] = running  # type: ignore[assignment]
    try:
        assert (await two["default"].delete("/api/v1/query/q")).status_code == 404
        same = await two["default"].post("/api/v1/query", json={"query": "", "id": "q"})
        assert same.status_code == 200
    finally:
        del node.engine._running[project_id, "q"]


async def test_things_of_a_project_are_not_there_for_the_other(two: dict[str, Client]) -> None:
    default, shop = two["default"], two["shop"]
    csv = {"Content-Type": "text/csv"}
    assert (await default.put("/api/v1/lookups/owners", content=b"a,b\n1,2\n", headers=csv)).status_code == 200
    made = await default.post("/api/v1/deletions", json={"query": "x"})
    assert made.status_code == 201
    assert (await shop.get("/api/v1/lookups")).json()["items"] == []
    assert (await shop.get("/api/v1/lookups/owners")).status_code == 404
    assert (await shop.delete("/api/v1/lookups/owners")).status_code == 404
    number = made.json()["id"]
    assert (await shop.get(f"/api/v1/deletions/{number}")).status_code == 404
    assert (await shop.delete(f"/api/v1/deletions/{number}")).status_code == 404
    assert (await shop.get("/api/v1/deletions")).json()["items"] == []
    assert (await shop.post("/api/v1/query", json={"query": "| lookup owners on a"})).status_code == 400


async def test_the_audit_log_is_cut_by_project(two: dict[str, Client], node: Node) -> None:
    shop = (await two["shop"].get("/api/v1/audit")).json()["items"]
    assert {entry["project"] for entry in shop} == {"shop"}
    exported = (await two["shop"].get("/api/v1/audit/export")).text.splitlines()
    assert {json.loads(line)["project"] for line in exported} == {"shop"}
    assert {row["what"] for row in await two["shop"].rows("from audit")} == {"project.create", "token.create"}
    every = (await two["default"].get("/api/v1/audit")).json()["items"]
    assert {entry["project"] for entry in every} == {"default", "shop"}


async def test_accounts_and_tokens_of_another_are_not_there(two: dict[str, Client], node: Node) -> None:
    default, shop = two["default"], two["shop"]
    mine = await default.post("/api/v1/users", json={"email": "bob@example.org", "role": "viewer"})
    number = mine.json()["user"]["id"]
    assert (await shop.get("/api/v1/users")).json()["items"] == []
    for answer in (
        await shop.get(f"/api/v1/users/{number}"),
        await shop.patch(f"/api/v1/users/{number}", json={"role": "admin"}),
        await shop.delete(f"/api/v1/users/{number}"),
        await shop.post(f"/api/v1/users/{number}/password"),
    ):
        assert answer.status_code == 404
    assert [token["project"] for token in (await shop.get("/api/v1/tokens")).json()["items"]] == ["shop"]
    foreign = next(t for t in (await default.get("/api/v1/tokens")).json()["items"] if t["project"] == "default")
    assert (await shop.get(f"/api/v1/tokens/{foreign['id']}")).status_code == 404
    assert (await shop.delete(f"/api/v1/tokens/{foreign['id']}")).status_code == 404
    for path, body in (
        ("/api/v1/users", {"email": "eve@example.org", "role": "admin", "project": "default"}),
        ("/api/v1/tokens", {"name": "x", "scopes": ["admin"], "project": "default"}),
    ):
        assert (await shop.post(path, json=body)).status_code == 403
    assert [project["name"] for project in (await shop.get("/api/v1/projects")).json()["items"]] == ["shop"]
    assert (await shop.get("/api/v1/projects/default")).status_code == 404
    assert (await shop.get("/api/v1/status")).json()["ingest"] is None


async def test_a_tail_follows_one_project(two: dict[str, Client], node: Node, listening: Any) -> None:
    app = create_app(node)
    seen: dict[str, list[str]] = {name: [] for name in NAMES}
    async with listening(app) as url, anyio.create_task_group() as tasks:

        async def follow(name: str, *, task_status: Any) -> None:
            headers = {"Authorization": two[name].headers["authorization"]}
            async with (
                type(two[name])(base_url=url, timeout=30, headers=headers) as client,
                client.stream("GET", "/api/v1/tail") as answer,
            ):
                async for line in answer.aiter_lines():
                    if line.startswith(": following"):
                        task_status.started()
                    if line.startswith("data:"):
                        seen[name].append(json.loads(line[5:])["message"])
                        if seen[name][-1] == f"last of {name}":
                            return

        for name in NAMES:
            await tasks.start(lambda name=name, *, task_status: follow(name, task_status=task_status))
        with anyio.fail_after(30):
            for text in ("first", "last"):
                for name, client in two.items():
                    await client.logs({"message": f"{text} of {name}"})
            while not all(found and found[-1].startswith("last") for found in seen.values()):
                await anyio.sleep(0.05)
    assert seen == {name: [f"first of {name}", f"last of {name}"] for name in NAMES}


async def test_limits_are_each_project_s_own(two: dict[str, Client], node: Node) -> None:
    limits = node.config.limits.of("shop").model_copy(update={"events_per_second": 1})
    await two["shop"].logs({"message": "the first"})
    admission = next(one for one in node.admissions.values() if one.project == "shop")
    admission.limits = limits
    admission.clock = lambda: 1000.0
    await two["shop"].logs(*({"message": "more"} for _ in range(20)))
    refused = await two["shop"].post("/api/v1/logs", content=b"x")
    assert refused.status_code == 429
    assert "project shop" in refused.json()["detail"]
    assert await two["default"].logs({"message": "free"}) == 1


@pytest.mark.parametrize("project", NAMES)
async def test_a_listener_of_its_own_takes_tokens_of_its_project_alone(
    two: dict[str, Client], node: Node, project: str
) -> None:
    shown = {name: {"authorization": client.headers["authorization"]} for name, client in two.items()}
    await node.door.authorise(shown.pop(project), "127.0.0.1", project)
    with pytest.raises(DeniedError, match=f"stores in {project}") as refused:
        await node.door.authorise(shown.popitem()[1], "127.0.0.1", project)
    assert refused.value.known


async def test_a_saved_query_is_its_project_s_own(two: dict[str, Client]) -> None:
    saved = {"name": "mine", "text": "service:secret_name", "parameters": []}
    made = await two["default"].post("/api/v1/saved-queries", json=saved)
    assert made.status_code == 201, made.text
    assert (await two["shop"].get("/api/v1/saved-queries/mine")).status_code == 404
    for answer in (
        await two["shop"].post("/api/v1/query", json={"query": "`mine`()"}),
        await two["shop"].get("/api/v1/tail", params={"query": "`mine`()"}),
        await two["shop"].post("/api/v1/deletions/preview", json={"query": "`mine`()"}),
    ):
        assert answer.status_code == 400, answer.text
        assert "secret_name" not in answer.text
