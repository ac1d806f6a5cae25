"""What retention takes, over the API: by the rules that hold, and by others before they do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cordwood.config import StoreSettings
from cordwood.core.runtime import Node

from .conftest import Client

pytestmark = pytest.mark.anyio


def ago(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).isoformat()


async def test_what_goes_and_when(node: Node, client: Client) -> None:
    assert (await client.get("/api/v1/retention")).json() == {"items": []}
    await client.logs({"timestamp": ago(days=9), "level": "debug", "message": "a"})
    await client.logs({"timestamp": ago(days=2), "level": "debug", "message": "b"})
    await client.logs({"timestamp": ago(days=2), "level": "info", "message": "c"})
    rules: dict[str, Any] = {"retention": "7d", "max_bytes": "1GB", "streams": {"debug": {"retention": "1d"}}}
    items = (await client.post("/api/v1/retention/preview", json=rules)).json()["items"]
    assert [(item["rule"], item["query"], item["retention"], item["events"]) for item in items] == [
        ("events", None, "7d", 1),
        ("debug", "severity:debug", "1d", 1),
        ("max_bytes", None, None, 0),
    ]
    soon = datetime.now(UTC) + timedelta(days=5)
    assert abs(datetime.fromisoformat(items[0]["next_at"].replace("000Z", "+00:00")) - soon) < timedelta(minutes=5)
    assert len(await client.rows("*")) == 3  # looking takes nothing
    node.retention.settings = StoreSettings.model_validate(rules)
    assert (await client.get("/api/v1/retention")).json()["items"] == items
    await node.retention.apply()
    assert [row["message"] for row in await client.rows("*")] == ["c"]
    assert [item["events"] for item in (await client.get("/api/v1/retention")).json()["items"]] == [0, 0, 0]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"retention": "30"}, "retention: "),
        ({"streams": {"a": {}}}, "streams.a.retention: "),
        ({"streams": {"a": {"retention": "1d", "query": "x | limit 1"}}}, "stage"),
        ({"projects": {"a": {"age": "1d"}}}, "projects.a.age: "),
    ],
)
async def test_rules_that_are_wrong(client: Client, rules: dict[str, Any], said: str) -> None:
    answer = await client.post("/api/v1/retention/preview", json=rules)
    assert answer.status_code == 400
    assert said in answer.json()["detail"]
