"""Silences over HTTP: made, listed with what they hit, changed, ended, audited."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cordwood.core.runtime import Node

from .conftest import Client
from .test_alerts import opened

pytestmark = pytest.mark.anyio
PATH = "/api/v1/silences"


def later(**span: float) -> str:
    return f"{datetime.now(UTC) + timedelta(**span):%Y-%m-%dT%H:%M:%SZ}"


async def made(client: Client, **said: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json={"until": later(hours=1)} | said)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_from_making_to_ending(node: Node, client: Client) -> None:
    await opened(node, 1)
    silence = await made(client, match={"service": ["pay", "a\0b"]}, reason="moving house")
    assert silence | {"id": 1, "from": "", "until": "", "created_at": ""} == {
        "id": 1, "state": "active", "holds": True, "from": "", "until": "", "detectors": [],
        "match": {"service": ["pay", "a\ufffdb"]}, "severities": [], "recurring": None, "next_begin": None,
        "reason": "moving house", "version": 1, "created_at": "", "created_by": "this machine", "ended_by": None,
        "fits_now": 1, "fits_week": 0,
    }  # fmt: skip
    other = await made(client, detectors=["others"], **{"from": later(minutes=5)})
    assert (other["state"], other["fits_now"]) == ("coming", 0)
    page = (await client.get(PATH, params={"limit": 1})).json()
    assert [one["id"] for one in page["items"]] == [other["id"]]
    page = (await client.get(PATH, params={"limit": 1, "cursor": page["next_cursor"]})).json()
    assert (page["items"], page["next_cursor"]) == ([silence], None)
    assert [one["id"] for one in (await client.get(PATH, params={"state": "coming"})).json()["items"]] == [other["id"]]
    ended = (await client.delete(f"{PATH}/{silence['id']}")).json()
    assert (ended["state"], ended["ended_by"], ended["holds"]) == ("ended", "this machine", False)
    assert (await client.get(f"{PATH}/{silence['id']}")).json() == ended
    entries = (await client.get("/api/v1/audit?what=silence")).json()["items"]
    assert [entry["what"] for entry in entries] == ["silence.end", "silence.create", "silence.create"]
    assert entries[-1]["details"]["reason"] == "moving house"


async def test_etags(client: Client) -> None:
    silence = await made(client)
    path, body = f"{PATH}/{silence['id']}", {"until": later(hours=2), "reason": "longer"}
    tag = (await client.get(path)).headers["etag"]
    assert (await client.put(path, json=body)).status_code == 428
    changed = await client.put(path, json=body, headers={"If-Match": tag})
    assert (changed.status_code, changed.json()["reason"], changed.headers["etag"]) == (200, "longer", '"2"')
    assert (await client.put(path, json=body, headers={"If-Match": tag})).status_code == 412
    assert (await client.delete(path, headers={"If-Match": tag})).status_code == 412
    assert (await client.delete(path, headers={"If-Match": "*"})).json()["state"] == "ended"
    for answer in (await client.get(f"{PATH}/99"), await client.delete(f"{PATH}/99")):
        assert answer.status_code == 404


async def test_one_that_recurs(client: Client) -> None:
    windows = {"schedule": "0 2 * * *", "duration": "90m", "timezone": "Europe/Berlin"}
    silence = await made(client, until=later(days=30), recurring=windows)
    assert silence["recurring"] == windows | {"duration": "1h30m"}
    assert silence["next_begin"] > later()
    refused = await client.post(PATH, json={"until": later(days=1), "recurring": windows | {"timezone": "Mars"}})
    assert refused.status_code == 400
    assert "timezone" in refused.json()["detail"]


@pytest.mark.parametrize(
    "said",
    [
        {"until": "tomorrow"},
        {"until": "2026-01-31T12:00:00Z"},
        {"match": {"service": []}},
        {"severities": ["loud"]},
        {"reason": "x" * 1001},
        {"from": later(days=2)},
    ],
    ids=lambda said: next(iter(said)),
)
async def test_what_is_refused(client: Client, said: dict[str, Any]) -> None:
    answer = await client.post(PATH, json={"until": later(hours=1)} | said)
    assert answer.status_code == 400, answer.text


async def test_a_configuration_without_windows(client: Client) -> None:
    assert (await client.get("/api/v1/maintenance")).json() == {"items": []}
