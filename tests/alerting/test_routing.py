"""Routes in the database: who is told later, who is told because nobody acknowledged, and who is not told at all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cordwood.config import Routing
from cordwood.config.routes import Escalation, Route
from cordwood.core.alerting.delivery import Delivery
from cordwood.core.alerting.journal import Journal
from cordwood.core.alerting.lifecycle import Step, by_key
from cordwood.core.alerting.metrics import AlertingMetrics
from cordwood.core.alerting.repository import AlertingRepository
from cordwood.core.storage.leader import Session
from cordwood.core.storage.store import Store
from cordwood.plugins import Notification, RetryableError, headline
from prometheus_client import CollectorRegistry

pytestmark = pytest.mark.anyio
SECOND = 1_000_000_000
MINUTE = timedelta(minutes=1)
ROUTES = Routing(
    {
        "late": Route(match={"service": ["slow"]}, notify=["mail"], wait=5 * MINUTE),
        "all": Route(
            escalate=[
                Escalation(after=10 * MINUTE, notify=["boss"]),
                Escalation(after=20 * MINUTE, notify=["hook", "boss"]),
            ]
        ),
    }
)


class Desk:
    """Incidents open and end, three notifiers tell of them, a person acknowledges; the clock is the test's."""

    def __init__(self, session: Session, store: Store, scripted: Any, clock: Any) -> None:
        self.session, self.scripted, self.clock = session, scripted, clock
        self.people = AlertingRepository(store.pool, clock)
        self.detector = scripted.Scripted(scripted.ScriptedConfig(notify=["hook"], resolve_after="0s"))
        self.told: list[tuple[str, Notification]] = []
        self.metrics = AlertingMetrics(CollectorRegistry())
        self.down = False
        self.restarted()

    def restarted(self) -> None:
        """As after a crash, or on another node: nothing is left but the database."""
        self.journal = Journal(self.session, 1, {"hook": "webhook", "mail": "email", "boss": "sms"}, ROUTES)
        self.deliveries = [self._delivery(name) for name in ("hook", "mail", "boss")]

    def _delivery(self, name: str) -> Delivery:
        def answer(notification: Notification) -> str:
            if self.down:
                raise RetryableError("503")
            self.told.append((name, notification))
            return "200 OK"

        return Delivery(
            name, self.scripted.Tell(answer), session=self.session, project_id=1, link=lambda id_: f"http://c/{id_}",
            clock=self.clock, metrics=self.metrics, chance=lambda: 0.5,
        )  # fmt: skip

    async def judged(self, *groups: str) -> None:
        found = by_key("errors", [self.scripted.finding("errors", group) for group in groups])
        step = Step(self.clock(), 300 * SECOND)
        await self.journal.record(
            "errors", self.detector, step, found, {}, resolve_after_ns=0, position=None, now_ns=self.clock()
        )

    async def after(self, minutes: float) -> list[tuple[str, str]]:
        """(notifier, event) of what is told until so many minutes later."""
        begin = len(self.told)
        self.clock.forward(minutes * 60)
        for delivery in self.deliveries:
            await delivery.once()
        return sorted((name, one.event) for name, one in self.told[begin:])

    async def acknowledged(self) -> None:
        (incident,) = (await self.people.list_incidents(1, state="open")).items
        await self.people.acknowledge(1, incident.id, by="anna")


@pytest.fixture
async def desk(session: Session, store: Store, scripted: Any, clock: Any) -> Desk:
    made = Desk(session, store, scripted, clock)
    await made.journal.enter({"errors": made.detector}, clock(), 0)
    return made


async def test_escalation_step_by_step_and_the_end_for_all(desk: Desk) -> None:
    await desk.judged("pay")
    assert await desk.after(9.9) == [("hook", "opened")]
    assert await desk.after(0.2) == [("boss", "escalated")]
    assert headline(desk.told[-1][1]).startswith("[ERROR] Not acknowledged: ")
    desk.restarted()
    assert await desk.after(10) == [("hook", "escalated")]
    await desk.judged()
    assert await desk.after(0) == [("boss", "resolved"), ("hook", "resolved")]
    assert len({one.delivery_id for _, one in desk.told}) == len(desk.told) == 5
    assert await desk.after(60) == []


async def test_nobody_else_is_told_once_it_is_acknowledged(desk: Desk) -> None:
    await desk.judged("pay")
    assert await desk.after(10) == [("boss", "escalated"), ("hook", "opened")]
    await desk.acknowledged()
    assert await desk.after(30) == []
    await desk.judged()
    assert await desk.after(0) == [("boss", "resolved"), ("hook", "resolved")]


async def test_who_was_not_told_of_the_trouble_is_not_told_of_its_end(desk: Desk) -> None:
    await desk.judged("pay")
    await desk.after(5)
    await desk.judged()
    assert await desk.after(60) == [("hook", "resolved")]


async def test_a_route_that_waits(desk: Desk) -> None:
    await desk.judged("slow")
    assert await desk.after(4.9) == [("hook", "opened")]
    assert await desk.after(0.2) == [("mail", "opened")]
    await desk.judged()
    assert await desk.after(0) == [("hook", "resolved"), ("mail", "resolved")]
    await desk.judged("slow")
    assert await desk.after(1) == [("hook", "opened")]
    await desk.judged()
    assert await desk.after(60) == [("hook", "resolved")]


async def test_one_that_failed_for_now_is_not_forgotten(desk: Desk) -> None:
    """It was tried, so it may have arrived: an acknowledgement or the end leaves it in the outbox."""
    await desk.judged("pay")
    desk.down = True
    assert await desk.after(10) == []
    await desk.acknowledged()
    await desk.judged()
    desk.down = False
    assert await desk.after(5) == [
        ("boss", "escalated"), ("boss", "resolved"), ("hook", "opened"), ("hook", "resolved")
    ]  # fmt: skip


async def test_a_person_resolves_it(desk: Desk) -> None:
    await desk.judged("pay")
    await desk.after(1)
    (incident,) = (await desk.people.list_incidents(1)).items
    await desk.people.resolve(1, incident.id, by="anna")
    assert await desk.after(60) == [("hook", "resolved")]


async def test_the_same_window_twice_tells_nobody_twice(desk: Desk) -> None:
    await desk.judged("pay")
    await desk.judged("pay")
    assert await desk.after(30) == [("boss", "escalated"), ("hook", "escalated"), ("hook", "opened")]
