"""Dashboards over the API: made, read, changed by If-Match, deleted; what is exported can be imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cordwood.core.runtime import Node
from cordwood.web import create_app
from cordwood.web.auth.accounts import add_user
from cordwood.web.auth.tokens import create_token

from .conftest import Client

pytestmark = pytest.mark.anyio
PATH = "/api/v1/dashboards"


def document(name: str = "mine", **more: Any) -> dict[str, Any]:
    panel = {
        "id": "errors",
        "title": "Errors",
        "kind": "timeseries",
        "position": {"x": 0, "y": 0, "w": 6, "h": 5},
        "query": "severity>=error $service | timechart count() by service",
    }
    variable = {"name": "service", "field": "service", "query": "| top 50 service", "multiple": True}
    return {"name": name, "title": "Mine", "panels": [panel], "variables": [variable], **more}


async def test_from_making_to_deleting(client: Client) -> None:
    made = await client.post(PATH, json=document())
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    read = await client.get(f"{PATH}/mine")
    assert read.json() == made.json()
    assert (await client.post(PATH, json=document())).status_code == 409
    changed = {**read.json(), "title": "Ours"}
    done = await client.put(f"{PATH}/mine", json=changed, headers={"If-Match": read.headers["etag"]})
    assert (done.status_code, done.headers["etag"], done.json()["title"]) == (200, '"2"', "Ours")
    late = await client.put(f"{PATH}/mine", json=changed, headers={"If-Match": read.headers["etag"]})
    assert (late.status_code, "version 2" in late.json()["detail"]) == (412, True)
    assert (await client.put(f"{PATH}/mine", json=changed)).status_code == 428
    assert (await client.put(f"{PATH}/mine", json=changed, headers={"If-Match": "*"})).headers["etag"] == '"3"'
    assert (await client.delete(f"{PATH}/mine", headers={"If-Match": '"1"'})).status_code == 412
    assert (await client.delete(f"{PATH}/mine")).status_code == 204
    assert (await client.get(f"{PATH}/mine")).status_code == 404
    entries = (await client.get("/api/v1/audit?what=dashboard")).json()["items"]
    assert [entry["what"].partition(".")[2] for entry in entries] == ["delete", "change", "change", "create"]


async def test_what_is_exported_can_be_imported(client: Client) -> None:
    exported = (await client.get(f"{PATH}/overview")).json()
    made = await client.post(PATH, json={**exported, "name": "copy"})
    assert made.status_code == 201, made.text
    assert made.json() == {**exported, "name": "copy"}


async def test_they_are_listed_in_pages_by_name(client: Client) -> None:
    for name in ("zebra", "alpha", "mine"):
        await client.post(PATH, json=document(name))
    seen: list[tuple[str, bool]] = []
    cursor = ""
    while True:
        found = (await client.get(f"{PATH}?limit=2{cursor}")).json()
        seen += [(item["name"], item["built_in"]) for item in found["items"]]
        if found["next_cursor"] is None:
            break
        cursor = f"&cursor={found['next_cursor']}"
    expected = [("alpha", False), ("cordwood", True), ("mine", False), ("overview", True), ("zebra", False)]
    assert seen == expected


async def test_what_is_built_in_stays(client: Client) -> None:
    read = await client.get(f"{PATH}/overview")
    assert read.headers["etag"] == '"0"'
    assert (await client.post(PATH, json=read.json())).status_code == 409
    put = await client.put(f"{PATH}/overview", json=read.json(), headers={"If-Match": "*"})
    assert (put.status_code, "built in" in put.json()["detail"]) == (409, True)
    assert (await client.delete(f"{PATH}/overview")).status_code == 409


async def test_a_wrong_query_is_told_with_panel_and_place(client: Client) -> None:
    wrong = document()
    wrong["panels"][0]["query"] = "$service\n| timechrt count()"
    answer = await client.post(PATH, json=wrong)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (400, "/panels/0/query")
    assert (error["line"], error["column"]) == (2, 3)
    assert "timechart" in error["hint"]


REFUSED: dict[str, tuple[dict[str, Any], int]] = {
    "nothing": ({}, 400),
    "name": ({**document(), "name": "No Name"}, 400),
    "unknown": ({**document(), "colour": "red"}, 400),
    "time": ({**document(), "from": "yesterday"}, 400),
    "too many": ({**document(), "panels": document()["panels"] * 61}, 400),
    "too long": ({**document(), "title": "x" * 201}, 400),
    "nul": ({**document(), "title": "nul\0"}, 400),
    "too large": ({**document(), "description": "x" * (1 << 20)}, 413),
}


async def test_what_is_refused(client: Client) -> None:
    answers = {name: await client.post(PATH, json=body) for name, (body, _) in REFUSED.items()}
    found = {name: answer.status_code for name, answer in answers.items()}
    assert found == {name: status for name, (_, status) in REFUSED.items()}
    assert {answer.headers["content-type"] for answer in answers.values()} == {"application/problem+json"}


async def test_another_address_than_the_documents_name_is_refused(client: Client) -> None:
    await client.post(PATH, json=document())
    answer = await client.put(f"{PATH}/mine", json=document("other"), headers={"If-Match": "*"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/name")
    missing = await client.put(f"{PATH}/other", json=document("other"), headers={"If-Match": "*"})
    assert missing.status_code == 404


async def test_only_administrators_change_them(node: Node, client_of: Callable[..., Client]) -> None:
    await add_user(node.store.pool, "ann@example.org", "correct horse", role="admin")
    _, secret = await create_token(node.store.pool, "reader", ["query"])
    async with client_of(create_app(node), headers={"Authorization": f"Bearer {secret}"}) as reader:
        assert (await reader.get(PATH)).status_code == 200
        assert (await reader.get(f"{PATH}/overview")).status_code == 200
        assert (await reader.post(PATH, json=document())).status_code == 403
        assert (await reader.put(f"{PATH}/mine", json=document())).status_code == 403
        assert (await reader.delete(f"{PATH}/mine")).status_code == 403
