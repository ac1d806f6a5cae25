"""What the leader writes, in PostgreSQL: incidents, outbox rows and progress in one transaction, and twice is once."""

from __future__ import annotations

from typing import Any

import pytest
from cordwood.core.alerting.journal import Journal
from cordwood.core.alerting.lifecycle import Step, by_key
from cordwood.core.alerting.records import to_ns
from cordwood.core.alerting.repository import AlertingRepository
from cordwood.core.storage.leader import Session
from cordwood.core.storage.store import Store
from cordwood.plugins import Detector, RetryableError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.anyio
SECOND = 1_000_000_000
T0 = 1_769_860_800 * SECOND
WINDOW = 300 * SECOND


@pytest.fixture
def detector(scripted: Any) -> Any:
    return scripted.Scripted(scripted.ScriptedConfig(query="x", notify=["hook", "mail"]))


@pytest.fixture
async def journal(session: Session, project_id: int, detector: Any) -> Journal:
    journal = Journal(session, project_id, {"hook": "webhook", "mail": "email"})
    await journal.enter({"errors": detector}, T0, 7)
    return journal


async def record(
    journal: Journal, detector: Detector[Any], scripted: Any, seconds: float, *groups: Any, **more: Any
) -> Any:
    step = Step(T0 + round(seconds * SECOND), WINDOW, more.pop("late", False))
    found = by_key("errors", [scripted.finding("errors", group) for group in groups])
    settings = {"resolve_after_ns": WINDOW, "position": None, "now_ns": step.at_ns} | more
    return await journal.record("errors", detector, step, found, {}, **settings)


async def rows(store: Store, what: str) -> list[Any]:
    return [tuple(row) for row in await store.pool.fetch(f"select {what}")]


async def test_an_incident_from_opening_to_its_end(
    journal: Journal, detector: Any, scripted: Any, store: Store, project_id: int
) -> None:
    assert (await record(journal, detector, scripted, 1, "pay"))[1] == 1
    assert (await record(journal, detector, scripted, 2, "pay", "web"))[1] == 2
    assert (await record(journal, detector, scripted, 301, "web"))[1] == 2
    outcome, still_open = await record(journal, detector, scripted, 302, "web")
    assert (len(outcome.resolves), still_open) == (1, 1)
    told = await rows(store, "event, notifier, channel, payload->'group'->>'service' from notification order by id")
    assert told == [
        (event, notifier, channel, service)
        for event, service in [("opened", "pay"), ("opened", "web"), ("resolved", "pay")]
        for notifier, channel in [("hook", "webhook"), ("mail", "email")]
    ]
    repository = AlertingRepository(store.pool)
    web, pay = (await repository.list_incidents(project_id)).items
    assert (web.state, web.last_seen_at, web.resolved_at) == ("open", "2026-01-31T12:05:02.000000000Z", None)
    assert (pay.state, pay.opened_at, pay.resolved_at) == (
        "resolved",
        "2026-01-31T12:00:01.000000000Z",
        "2026-01-31T12:05:02.000000000Z",
    )
    assert (pay.from_, pay.to) == ("2026-01-31T11:55:01.000000000Z", "2026-01-31T12:00:02.000000000Z")
    payload = await store.pool.fetchval("select payload from notification where event = 'resolved' limit 1")
    assert payload["resolved_at"] == pay.resolved_at
    assert payload["opened_at"] == pay.opened_at


async def test_a_window_judged_again_after_a_crash_changes_nothing(
    journal: Journal, detector: Any, scripted: Any, store: Store
) -> None:
    for _ in range(3):
        await record(journal, detector, scripted, 1, "pay")
    assert await rows(store, "count(*) from incident") == [(1,)]
    assert await rows(store, "count(*) from notification") == [(2,)]


async def test_all_or_nothing(journal: Journal, detector: Any, scripted: Any, store: Store) -> None:
    await store.pool.execute("alter table notification add constraint broken check (notifier <> 'mail')")
    with pytest.raises(RetryableError, match="broken"):
        await record(journal, detector, scripted, 1, "pay", position=9)
    assert await rows(store, "count(*) from incident") == [(0,)]
    ((until, position),) = await rows(store, "evaluated_until, position from detector_state")
    assert (to_ns(until), position) == (T0, 7)


async def test_progress_only_goes_forward(journal: Journal, detector: Any, scripted: Any, store: Store) -> None:
    await record(journal, detector, scripted, 60, position=12)
    await record(journal, detector, scripted, 30, late=True, position=9)
    ((until, position),) = await rows(store, "evaluated_until, position from detector_state")
    assert (to_ns(until), position) == (T0 + 60 * SECOND, 12)


async def test_what_a_detector_learned_stays_until_it_is_another(
    journal: Journal, detector: Any, scripted: Any, store: Store
) -> None:
    await record(journal, detector, scripted, 1, learned=b"\x00model")
    await record(journal, detector, scripted, 2)
    assert (await journal.enter({"errors": detector}, T0, 0))["errors"].learned == b"\x00model"
    await store.pool.execute("update detector_state set type = 'another'")
    assert (await journal.enter({"errors": detector}, T0, 0))["errors"].learned is None
    await record(journal, detector, scripted, 3, learned=b"again")
    await journal.enter({}, T0, 0)
    assert (await journal.enter({"errors": detector}, T0, 0))["errors"].learned is None


async def test_what_is_learned_is_written_with_the_incidents(
    journal: Journal, detector: Any, scripted: Any, store: Store
) -> None:
    await store.pool.execute("alter table notification add constraint broken check (notifier <> 'mail')")
    with pytest.raises(RetryableError, match="broken"):
        await record(journal, detector, scripted, 1, "pay", learned=b"model")
    assert await rows(store, "learned from detector_state") == [(None,)]


async def test_what_postgres_cannot_keep_is_kept_otherwise(
    journal: Journal, detector: Any, scripted: Any, store: Store
) -> None:
    await record(journal, detector, scripted, 1, "a\x00b", "long" * 5_000)
    await record(journal, detector, scripted, 2, "a\x00b", "long" * 5_000)
    assert await rows(store, "count(*) from incident") == [(2,)]
    await journal.failed("errors", "bad \x00", T0)


async def test_a_notifier_that_nobody_knows_fails_at_once(scripted: Any, session: Session, store: Store) -> None:
    detector = scripted.Scripted(scripted.ScriptedConfig(notify=["hook", "ghost"]))
    journal = Journal(session, 1, {"hook": "webhook"})
    await journal.enter({"errors": detector}, T0, 0)
    await record(journal, detector, scripted, 1, "pay")
    assert await rows(store, "notifier, status, error from notification order by id") == [
        ("hook", "pending", None),
        ("ghost", "failed", "no notifier of this name is configured"),
    ]


async def test_a_detector_taken_out_resolves_its_incidents_and_begins_anew(
    journal: Journal, detector: Any, scripted: Any, store: Store
) -> None:
    await record(journal, detector, scripted, 1, "pay", position=20)
    again = await journal.enter({"errors": detector}, T0 + 5 * SECOND, 30)
    assert (again["errors"].evaluated_until, again["errors"].position) == (T0 + SECOND, 20)
    await journal.enter({}, T0 + 10 * SECOND, 40)
    assert await rows(store, "state, resolved_by from incident") == [("resolved", None)]
    assert await rows(store, "count(*) from notification where event = 'resolved'") == [(2,)]
    anew = await journal.enter({"errors": detector}, T0 + 99 * SECOND, 50)
    assert (anew["errors"].evaluated_until, anew["errors"].position) == (T0 + 99 * SECOND, 50)


async def test_pending_notifications_of_a_notifier_taken_out_fail(
    journal: Journal, detector: Any, scripted: Any, session: Session, store: Store
) -> None:
    await record(journal, detector, scripted, 1, "pay")
    await Journal(session, 1, {"mail": "email"}).enter({"errors": detector}, T0, 0)
    assert await rows(store, "notifier, status from notification order by id") == [
        ("hook", "failed"),
        ("mail", "pending"),
    ]


async def test_a_lost_connection_is_an_error_to_retry(
    journal: Journal, detector: Any, scripted: Any, session: Session, store: Store
) -> None:
    async with session.transaction() as connection:
        pid = await connection.fetchval("select pg_backend_pid()")
    await store.pool.execute("select pg_terminate_backend($1)", pid)
    with pytest.raises(RetryableError):
        await record(journal, detector, scripted, 1, "pay")


steps = st.lists(
    st.tuples(
        st.integers(1, 400),
        st.frozensets(st.sampled_from(["a", "b"])),
        st.sampled_from(["now", "now", "late", "by hand", "repeat"]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
async def test_histories(store: Store, scripted: Any, history: list[tuple[int, frozenset[str], str]]) -> None:
    """Whatever happens: a key is open at most once, and each incident has exactly the notifications of its state."""
    detector = scripted.Scripted(scripted.ScriptedConfig(notify=["hook", "mail"]))
    await store.pool.execute("truncate incident, notification, detector_state")
    async with store.pool.acquire() as connection:
        journal = Journal(Session(connection), 1, {"hook": "webhook", "mail": "email"})
        await journal.enter({"errors": detector}, T0, 0)
        now = 0
        for passed, groups, kind in history:
            now += passed
            late = kind == "late"
            for _ in range(2 if kind == "repeat" else 1):
                await record(journal, detector, scripted, max(1, now - 400 * late), *sorted(groups), late=late)
            if kind == "by hand":
                await _resolve_one(store, T0 + now * SECOND)
            await _consistent(store)


async def _resolve_one(store: Store, at_ns: int) -> None:
    repository = AlertingRepository(store.pool, lambda: at_ns)
    for incident in (await repository.list_incidents(1, state="open")).items[:1]:
        await repository.resolve(1, incident.id, by="ann")


async def _consistent(store: Store) -> None:
    twice = "dedup_key from incident where state <> 'resolved' group by 1 having count(*) > 1"
    assert await rows(store, twice) == []
    # One that opens after others again and again is told as flapping: that is its opening.
    wrong = await rows(
        store,
        """
        i.id, i.state, array_agg(n.event order by n.id) from incident i
        left join (select id, incident_id, notifier, replace(event, 'flapping', 'opened') as event from notification) n
        on n.incident_id = i.id and n.notifier = 'hook' group by i.id
        having array_agg(n.event order by n.id) <>
               case when i.state = 'resolved' then array['opened', 'resolved'] else array['opened'] end
        """,
    )
    assert wrong == []
