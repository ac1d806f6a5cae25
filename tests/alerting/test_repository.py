"""What the API reads and changes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from cordwood.core.alerting.journal import Journal
from cordwood.core.alerting.lifecycle import Step, by_key
from cordwood.core.alerting.repository import AlertingRepository
from cordwood.core.storage.leader import Session
from cordwood.core.storage.store import Store
from cordwood.plugins import QueryError

pytestmark = pytest.mark.anyio
SECOND = 1_000_000_000


@pytest.fixture
async def repository(session: Session, store: Store, scripted: Any, clock: Any) -> AlertingRepository:
    """Two detectors; one has five incidents open, the other fails."""
    errors = scripted.Scripted(scripted.ScriptedConfig(query="error", notify=["hook"], every="1s", severity="fatal"))
    slow = scripted.Scripted(scripted.ScriptedConfig())
    journal = Journal(session, 1, {"hook": "webhook"})
    await journal.enter({"errors": errors, "slow": slow}, clock(), 0)
    found = by_key("errors", [scripted.finding("errors", f"s{i}") for i in range(5)])
    samples = {key: [{"message": "boom"}] for key in found}
    await journal.record(
        "errors", errors, Step(clock(), 10 * SECOND), found, samples,
        resolve_after_ns=0, position=1, now_ns=clock(),
    )  # fmt: skip
    await journal.failed("slow", "no such function", clock())
    return AlertingRepository(store.pool, clock)


async def test_detectors(repository: AlertingRepository) -> None:
    errors, slow = (await repository.list_detectors(1)).items
    assert msgspec.to_builtins(errors) == {
        "name": "errors", "type": "scripted", "query": "error", "condition": None, "window": "10s", "every": "1s",
        "notify": ["hook"], "severity": "FATAL", "state": "firing", "last_run_at": "2026-01-31T12:00:00.000000000Z",
        "error": None, "open_incidents": 5,
    }  # fmt: skip
    assert (slow.state, slow.error, slow.open_incidents) == ("error", "no such function", 0)
    assert [item.name for item in (await repository.list_detectors(1, state="error")).items] == ["slow"]
    assert (await repository.list_detectors(2)).items == []


async def test_pages(repository: AlertingRepository) -> None:
    seen, cursor = [], None
    for expected in (2, 2, 1):
        page = await repository.list_incidents(1, cursor=cursor, limit=2)
        assert len(page.items) == expected
        seen += [item.group["service"] for item in page.items]
        cursor = page.next_cursor
    assert (seen, cursor) == (["s4", "s3", "s2", "s1", "s0"], None)
    first = await repository.list_detectors(1, limit=1)
    assert first.next_cursor == "errors"
    assert [item.name for item in (await repository.list_detectors(1, cursor="errors")).items] == ["slow"]


@pytest.mark.parametrize("cursor", ["", "x", "-1", "9" * 40, "1;drop table incident"])
async def test_a_cursor_that_is_none(repository: AlertingRepository, cursor: str) -> None:
    with pytest.raises(QueryError):
        await repository.list_incidents(1, cursor=cursor)


async def test_one_incident(repository: AlertingRepository) -> None:
    newest = (await repository.list_incidents(1, limit=1)).items[0]
    listed = msgspec.to_builtins(newest)
    assert "notifications" not in listed
    assert listed["from"] == "2026-01-31T11:59:50.000000000Z"
    one = await repository.get_incident(1, newest.id)
    assert one is not None
    assert one.samples == [{"message": "boom"}]
    (told,) = msgspec.to_builtins(one)["notifications"]
    assert {key: told[key] for key in ("incident_id", "incident_title", "channel", "event", "status", "attempts")} == {
        "incident_id": one.id, "incident_title": one.title, "channel": "webhook", "event": "opened",
        "status": "pending", "attempts": [],
    }  # fmt: skip
    for missing in (10**9, 10**30, 0, -5):
        assert await repository.get_incident(1, missing) is None
        assert await repository.resolve(1, missing) is None
    assert await repository.get_incident(2, newest.id) is None


async def test_acknowledge_and_resolve(repository: AlertingRepository, clock: Any) -> None:
    id_ = (await repository.list_incidents(1, limit=1)).items[0].id
    clock.forward(60)
    await repository.acknowledge(1, id_, by="ann@example.com")
    clock.forward(60)
    again = await repository.acknowledge(1, id_, by="bob@example.com")
    assert again is not None
    assert (again.state, again.acknowledged_at) == ("acknowledged", "2026-01-31T12:01:00.000000000Z")
    await repository.resolve(1, id_, by="bob@example.com")
    clock.forward(60)
    done = await repository.resolve(1, id_)
    assert done is not None
    assert (done.state, done.resolved_at) == ("resolved", "2026-01-31T12:02:00.000000000Z")
    assert [(entry["what"], entry["by"]) for entry in done.timeline] == [
        ("opened", None),
        ("acknowledged", "ann@example.com"),
        ("resolved", "bob@example.com"),
    ]
    assert await repository.acknowledge(1, id_) == done
    told = (await repository.list_notifications(1, incident=id_)).items
    assert [item.event for item in told] == ["resolved", "opened"]
    assert {item.state for item in (await repository.list_incidents(1, state="open,acknowledged")).items} == {"open"}
    assert len((await repository.list_notifications(1, state="pending")).items) == 6
