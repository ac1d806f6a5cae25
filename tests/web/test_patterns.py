"""Patterns that people shape, over the API: merged, split, named, undone; who may; what goes by them."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Client

pytestmark = pytest.mark.anyio
PATH = "/api/v1/patterns"
STATES = ["VM Started", "VM Stopped"]


async def shown(client: Client, **keys: str) -> dict[str, int]:
    rows = await client.rows("| patterns")
    return {row["pattern"]: row["count"] for row in rows if all(row.get(key) == value for key, value in keys.items())}


async def shape(client: Client, patterns: list[str], **more: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json={"patterns": patterns} | more)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def stored(client: Client, *messages: str) -> None:
    await client.logs(*({"message": message} for message in messages))


async def test_merged_named_and_undone(client: Client) -> None:
    await stored(client, "VM Started", "VM Started", "VM Stopped", "job done")
    made = await shape(client, STATES, name="states")
    assert (made["patterns"], made["name"], made["created_by"], made["merged"]) == (
        STATES,
        "states",
        "this machine",
        [],
    )
    await stored(client, "VM Stopped")
    assert await shown(client) == {"VM Started": 4, "job done": 1}
    assert await shown(client, name="states") == {"VM Started": 4}
    for text in ("VM Started", "VM Stopped", "states"):
        assert await client.rows(f'pattern:"{text}" | stats count() as n') == [{"n": 4}]
    tag = (await client.get(f"{PATH}/{made['id']}")).headers["ETag"]
    body = {"patterns": STATES, "name": "machines"}
    assert (await client.put(f"{PATH}/{made['id']}", json=body)).status_code == 428
    changed = await client.put(f"{PATH}/{made['id']}", json=body, headers={"If-Match": tag})
    assert (changed.status_code, changed.json()["name"]) == (200, "machines")
    assert (await client.put(f"{PATH}/{made['id']}", json=body, headers={"If-Match": tag})).status_code == 412
    assert (await client.delete(f"{PATH}/{made['id']}")).status_code == 204
    assert (await client.delete(f"{PATH}/{made['id']}")).status_code == 404
    assert await shown(client) == {"VM Started": 2, "VM Stopped": 2, "job done": 1}
    entries = (await client.get("/api/v1/audit?what=pattern")).json()["items"]
    assert [entry["what"] for entry in entries] == [f"pattern.{verb}" for verb in ("delete", "change", "create")]
    assert entries[-1]["details"] == {"id": made["id"], "texts": 2, "named": True, "split": None, "merged": []}


async def test_split_by_values_and_one_of_them_named(client: Client) -> None:
    await stored(client, *(f"login by {name} from 10.0.0.{i % 2}" for i, name in enumerate(("ada", "bob", "cyd") * 3)))
    made = await shape(client, ["login by <*> from <*>"], split=2)
    assert await shown(client) == {"login by <*> from 10.0.0.0": 5, "login by <*> from 10.0.0.1": 4}
    assert await client.rows('pattern:"login by <*> from 10.0.0.1" | stats count() as n') == [{"n": 4}]
    await shape(client, ["login by <*> from 10.0.0.1"], name="the other one")
    assert await shown(client, name="the other one") == {"login by <*> from 10.0.0.1": 4}
    assert [item["id"] for item in (await client.get(f"{PATH}?limit=1")).json()["items"]] != [made["id"]]


async def test_merging_what_is_merged_takes_it_up(client: Client) -> None:
    first = await shape(client, STATES, name="states")
    made = await shape(client, ["VM Paused", "VM Started"])
    assert (made["patterns"], made["name"]) == (["VM Paused", "VM Started", "VM Stopped"], "states")
    assert made["merged"] == [{"patterns": STATES, "name": "states", "split": None}]
    assert (await client.get(f"{PATH}/{first['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        pytest.param({"patterns": ["<*> <*>"]}, 400, "more than placeholders", id="only placeholders"),
        pytest.param({"patterns": ["a <*>"], "split": 2}, 400, "none is number 2", id="no such place"),
        pytest.param({"patterns": ["a <*>", "b"], "split": 1}, 400, "several texts", id="split of several"),
        pytest.param({"patterns": ["a", "a"]}, 400, "each once", id="twice"),
        pytest.param({"patterns": ["a\0b"]}, 400, "no NUL", id="NUL"),
        pytest.param({"patterns": ["x" * 1001]}, 400, "1000", id="too long"),
        pytest.param({"patterns": ["VM Started"]}, 409, "shaped already", id="shaped already"),
        pytest.param({"patterns": ["other"], "name": "states"}, 409, "called 'states'", id="name taken"),
        pytest.param({"patterns": ["other"], "name": "VM Stopped"}, 409, "called 'VM Stopped'", id="name is a text"),
    ],
)
async def test_what_cannot_be(client: Client, body: dict[str, Any], status: int, says: str) -> None:
    await shape(client, STATES, name="states")
    answer = await client.post(PATH, json=body)
    assert answer.status_code == status
    assert says in answer.text


async def test_there_are_bounds(client: Client) -> None:
    for i in range(20):
        await shape(client, [f"{chr(97 + i)} took <*>"], split=1)
    answer = await client.post(PATH, json={"patterns": ["z took <*>"], "split": 1})
    assert (answer.status_code, "at most 20 patterns that are split" in answer.text) == (400, True)
