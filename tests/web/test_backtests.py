"""Backtests over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cordwood.config import load_text
from cordwood.core.runtime import Node

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio
DEFINITION = {
    "type": "threshold",
    "query": "severity>=error | stats count() as n by service",
    "condition": "n > 2",
    "window": "5m",
    "every": "1m",
}
RANGE = {"from": "2026-01-31T12:00:00Z", "to": "2026-01-31T13:00:00Z"}


async def logs(client: Client) -> None:
    for minute, count in ((10, 3), (11, 4), (40, 5)):
        await client.logs(*(
            {"timestamp": f"2026-01-31T12:{minute}:30Z", "severity": "error", "service": "pay", "message": "x"}
            for _ in range(count)
        ))  # fmt: skip


async def test_a_detector_of_the_configuration(node: Node, client: Client) -> None:
    text = f"version: 1\ndetectors: {{errors: {DEFINITION}}}\n".replace("'", '"')
    node.config = replace(node.config, detectors=load_text(text, node.registry).detectors)
    await logs(client)
    answer = await client.post("/api/v1/detectors/errors/backtest", json={**RANGE, "alerts_per_week": 200})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    first, second = found.pop("items")
    assert first == {
        "group": {"service": "pay"},
        "title": "errors: n = 3 (n > 2) for service pay",
        "severity": "ERROR",
        "values": {"n": 3},
        "last_values": {"n": 4},
        "from": "2026-01-31T12:06:00.000000000Z",
        "opened_at": "2026-01-31T12:11:00.000000000Z",
        "last_seen_at": "2026-01-31T12:16:00.000000000Z",
        "resolved_at": "2026-01-31T12:21:00.000000000Z",
    }
    assert (second["opened_at"], second["values"]) == ("2026-01-31T12:41:00.000000000Z", {"n": 5})
    assert (found["complete"], found["steps"], found["queries"], found["per_week"]) == (True, 60, 5, 336)
    assert found["suggestion"] == {"condition": "n > 5", "per_week": 168}
    assert await node.store.pool.fetchval("select count(*) from incident") == 0
    missing = await client.post("/api/v1/detectors/nobody/backtest", json=RANGE)
    assert (missing.status_code, missing.json()["detail"]) == (404, "there is no detector nobody")


async def test_one_that_is_not_saved_and_how_far_it_is(client: Client) -> None:
    await logs(client)
    body = {"definition": DEFINITION, **RANGE}
    headers = {"Accept": "text/event-stream"}
    told = (await client.post("/api/v1/detectors/backtest", json=body, headers=headers)).text
    events = [part.split("\n")[0] for part in told.strip().split("\n\n")]
    assert events[0] == "event: progress"
    assert events[-2:] == ["event: result", "event: end"]
    wrong = {"definition": {**DEFINITION, "query": "* | nonsense"}, **RANGE}
    told = (await client.post("/api/v1/detectors/backtest", json=wrong, headers=headers)).text
    assert "event: problem" in told


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "thresold"}, "did you mean threshold?"),
        ({"window": "soon"}, "window"),
        ({"query": "* | nonsense"}, "nonsense"),
        ({"every": "100ms", "window": "1s"}, None),
        ({"typo": 1}, "typo"),
    ],
    ids=str,
)
async def test_definitions_that_are_wrong(client: Client, change: dict[str, Any], message: str | None) -> None:
    two_minutes = RANGE | {"to": "2026-01-31T12:02:00Z"}  # 1,200 steps of 100 ms, each a run of the detector
    answer = await client.post("/api/v1/detectors/backtest", json={"definition": DEFINITION | change, **two_minutes})
    assert answer.status_code == (200 if message is None else 400), answer.text
    assert message is None or message in answer.text
