"""Detectors, incidents and notifications over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cordwood.core.runtime import Node

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio
OPENED = "2026-01-31T12:05:00.000000000Z"


async def opened(node: Node, number: int, *, detector: str = "errors") -> int:
    """An incident and its notification, as alerting writes them; returns the incident's id."""
    incident: int = await node.store.pool.fetchval(
        """
        insert into incident (project_id, detector, dedup_key, state, severity, title, "group", "values", query,
            from_time, to_time, opened_at, last_seen_at, samples, timeline)
        values ($1, $2, $3, 'open', 'ERROR', 'pay has too many errors', $4, $5, 'service:pay', '2026-01-31T12:00:00Z',
            '2026-01-31T12:05:00Z', '2026-01-31T12:05:00Z', '2026-01-31T12:05:00Z', $6, $7)
        returning id
        """,
        node.project_id,
        detector,
        f"{number}",
        {"service": "pay"},
        {"n": 60, "p95": None},
        [{"message": "card declined", "timestamp": "2026-01-31T12:00:00.000000000Z"}],
        [{"at": OPENED, "what": "opened", "by": None}],
    )
    await node.store.pool.execute(
        """
        insert into notification (project_id, incident_id, notifier, channel, event, payload, attempts, created_at,
            next_attempt_at, status, sent_at)
        values ($1, $2, 'hook', 'webhook', 'opened', $3, $4, '2026-01-31T12:05:00Z', now(), 'sent', now())
        """,
        node.project_id,
        incident,
        {},
        [{"at": OPENED, "ok": True, "detail": "200 OK"}],
    )
    return incident


async def test_an_incident_and_who_was_told(node: Node, client: Client) -> None:
    number = await opened(node, 1)
    found = (await client.get(f"/api/v1/incidents/{number}")).json()
    notifications = found.pop("notifications")
    assert found == {
        "id": number,
        "detector": "errors",
        "state": "open",
        "severity": "ERROR",
        "title": "pay has too many errors",
        "group": {"service": "pay"},
        "values": {"n": 60, "p95": None},
        "query": "service:pay",
        "from": "2026-01-31T12:00:00.000000000Z",
        "to": OPENED,
        "opened_at": OPENED,
        "last_seen_at": OPENED,
        "acknowledged_at": None,
        "resolved_at": None,
        "suppressed_by": None,
        "flapping": False,
        "flaps": 0,
        "samples": [{"message": "card declined", "timestamp": "2026-01-31T12:00:00.000000000Z"}],
        "timeline": [{"at": OPENED, "what": "opened", "by": None}],
    }
    (told,) = notifications
    assert (told["incident_id"], told["incident_title"]) == (number, "pay has too many errors")
    assert (told["notifier"], told["channel"], told["status"]) == ("hook", "webhook", "sent")
    assert told["attempts"] == [{"at": OPENED, "ok": True, "detail": "200 OK"}]
    assert (await client.get("/api/v1/notifications")).json() == {"items": notifications, "next_cursor": None}


async def test_acknowledge_then_resolve(node: Node, client: Client) -> None:
    number = await opened(node, 1)
    for _ in range(2):
        answer = await client.post(f"/api/v1/incidents/{number}/acknowledge")
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == "acknowledged"
    for _ in range(2):
        found = (await client.post(f"/api/v1/incidents/{number}/resolve")).json()
        assert found["state"] == "resolved"
        assert found["resolved_at"]
    assert [moment["what"] for moment in found["timeline"]] == ["opened", "acknowledged", "resolved"]
    assert found["timeline"][1]["by"] == "this machine"
    assert (await client.post(f"/api/v1/incidents/{number}/acknowledge")).json()["state"] == "resolved"


async def test_a_comment_stands_in_the_timeline(node: Node, client: Client) -> None:
    number = await opened(node, 1)
    found = (await client.post(f"/api/v1/incidents/{number}/comments", json={"text": " fixed\0 by ☂ \n"})).json()
    said = found["timeline"][-1]
    assert (said["what"], said["by"], said["text"]) == ("commented", "this machine", "fixed\ufffd by ☂")
    for wrong in ("", " \n", "x" * 10_001):
        answer = await client.post(f"/api/v1/incidents/{number}/comments", json={"text": wrong})
        assert answer.status_code == 400, answer.text
    full = [{"at": OPENED, "what": "commented", "by": None, "text": str(i)} for i in range(1000)]
    await node.store.pool.execute("update incident set timeline = $1", full)
    answer = await client.post(f"/api/v1/incidents/{number}/comments", json={"text": "one more"})
    assert answer.status_code == 400
    assert "no room for more" in answer.json()["detail"]


async def test_what_is_different_of_its_events(node: Node, client: Client) -> None:
    number = await opened(node, 1)
    events = [
        {"timestamp": f"2026-01-31T{time}.{i:03}Z", "service": "pay", "version": version, "message": "declined"}
        for time, version in (("11:30:00", "1"), ("12:02:00", "2"))
        for i in range(50)
    ]
    assert (await client.post("/api/v1/logs", json=events)).status_code == 200
    found = (await client.get(f"/api/v1/incidents/{number}/causes")).json()
    (cause,) = found.pop("items")
    assert cause.pop("chance") < 1e-20
    assert cause == {
        "field": "version", "value": "2", "count": 50, "share": 1.0, "before_count": 0, "before_share": 0.0,
    }  # fmt: skip
    assert found == {
        "compared": "before", "events": 50, "before_events": 50, "complete": True,
        "from": "2026-01-31T12:00:00.000000000Z", "to": OPENED, "before_from": "2026-01-31T11:00:00.000000000Z",
    }  # fmt: skip


async def test_pages_newest_first(node: Node, client: Client) -> None:
    numbers = [await opened(node, i, detector=f"d{i % 2}") for i in range(5)]
    seen: list[int] = []
    cursor: str | None = None
    while True:
        page = (
            await client.get("/api/v1/incidents", params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        ).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == numbers[::-1]
    assert all("notifications" not in item for item in page["items"])
    only = (await client.get("/api/v1/incidents?detector=d1&state=open")).json()["items"]
    assert [item["id"] for item in only] == [numbers[3], numbers[1]]
    assert (await client.get("/api/v1/incidents?state=resolved")).json()["items"] == []
    told = (await client.get(f"/api/v1/notifications?incident={numbers[0]}&state=sent")).json()["items"]
    assert [item["incident_id"] for item in told] == [numbers[0]]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/incidents/7", 404),
        ("POST", "/api/v1/incidents/7/resolve", 404),
        ("POST", "/api/v1/incidents/7/acknowledge", 404),
        ("GET", "/api/v1/incidents/7/causes", 404),
        ("GET", "/api/v1/incidents/99999999999999999999999", 404),
        ("GET", "/api/v1/incidents/-1", 404),
        ("GET", "/api/v1/incidents/one", 404),
        ("GET", "/api/v1/incidents/1.5", 404),
        ("GET", "/api/v1/incidents?cursor=x", 400),
        ("GET", "/api/v1/incidents?limit=0", 400),
        ("GET", "/api/v1/incidents?limit=1e9", 400),
        ("GET", "/api/v1/incidents?state=odd", 400),
        ("GET", "/api/v1/incidents?cursor=99999999999999999999999", 400),
        ("GET", "/api/v1/incidents?detector=%00", 400),
        ("GET", "/api/v1/detectors?cursor=%00", 400),
        ("GET", "/api/v1/notifications?incident=99999999999999999999999", 200),
        ("GET", "/api/v1/detectors?cursor=zzz", 200),
    ],
)
async def test_what_is_not_there_is_a_problem(client: Client, method: str, path: str, status: int) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
