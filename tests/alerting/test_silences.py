"""Silences and maintenance windows: nobody is told of what they fit, and of what lasts beyond their end once."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cordwood.config import Incident, Maintenance, Matchers, Recurring
from cordwood.core.alerting.delivery import Delivery
from cordwood.core.alerting.journal import Journal
from cordwood.core.alerting.lifecycle import Step, by_key
from cordwood.core.alerting.metrics import AlertingMetrics
from cordwood.core.alerting.records import to_datetime
from cordwood.core.alerting.repository import AlertingRepository
from cordwood.core.alerting.silences import ChangedError, Silence, Silences, Wanted
from cordwood.core.storage.leader import Session
from cordwood.core.storage.store import Store
from cordwood.plugins import Notification, RejectedError
from prometheus_client import CollectorRegistry

from .test_routing import MINUTE, ROUTES, SECOND

pytestmark = pytest.mark.anyio


class Desk:
    """Incidents of `errors` open and end, people silence them; the clock is the test's."""

    def __init__(self, session: Session, store: Store, scripted: Any, clock: Any) -> None:
        self.session, self.scripted, self.clock = session, scripted, clock
        self.people = AlertingRepository(store.pool, clock)
        self.silences = Silences(store.pool, clock)
        self.detector = scripted.Scripted(scripted.ScriptedConfig(notify=["hook"], resolve_after="0s"))
        self.told: list[Notification] = []
        self.restarted()

    def restarted(self, **maintenance: Maintenance) -> None:
        """As after a crash, with other maintenance windows: nothing is left but the database."""
        types = {"hook": "webhook", "mail": "email", "boss": "sms"}
        self.journal = Journal(self.session, 1, types, ROUTES, maintenance)
        self.deliveries = [self._delivery(name) for name in types]

    def _delivery(self, name: str) -> Delivery:
        def answer(notification: Notification) -> str:
            self.told.append(notification)
            return "200 OK"

        return Delivery(
            name, self.scripted.Tell(answer), session=self.session, project_id=1, link=str, clock=self.clock,
            metrics=AlertingMetrics(CollectorRegistry()),
        )  # fmt: skip

    async def judged(self, *groups: str) -> None:
        found = by_key("errors", [self.scripted.finding("errors", group) for group in groups])
        step = Step(self.clock(), 300 * SECOND)
        await self.journal.record(
            "errors", self.detector, step, found, {}, resolve_after_ns=0, position=None, now_ns=self.clock()
        )

    async def after(self, minutes: float) -> list[str]:
        """What is told until so many minutes later, as `event group`."""
        begin, steps = len(self.told), min(math.ceil(minutes), 40) or 1
        for _ in range(steps):
            self.clock.forward(minutes * 60 / steps)
            await self.journal.quiet.look(self.clock())
            for delivery in self.deliveries:
                await delivery.once()
        return sorted(f"{one.event} {one.group['service']}" for one in self.told[begin:])

    async def silenced(self, minutes: float, *, begin: float = 0, recurring: Any = None, **matchers: Any) -> Silence:
        now = to_datetime(self.clock()) + begin * MINUTE
        wanted = Wanted.of(matchers, now, now + minutes * MINUTE, recurring, "moving house")
        return await self.silences.create(1, wanted, "ann")

    async def states(self) -> dict[str, str]:
        return {one.group["service"]: one.state for one in (await self.people.list_incidents(1)).items}


@pytest.fixture
async def desk(session: Session, store: Store, scripted: Any, clock: Any) -> Desk:
    made = Desk(session, store, scripted, clock)
    await made.journal.enter({"errors": made.detector}, clock(), 0)
    return made


async def test_what_lasts_beyond_the_end_is_told_once(desk: Desk) -> None:
    await desk.silenced(30, match={"service": ["pay"]})
    await desk.judged("pay", "web")
    assert await desk.states() == {"pay": "silenced", "web": "open"}
    assert await desk.after(5) == ["opened web"]
    desk.restarted()
    assert await desk.after(6) == ["escalated web"]
    assert await desk.after(20) == ["opened pay", "escalated web"][::-1]
    assert await desk.after(0) == []
    assert await desk.states() == {"pay": "open", "web": "open"}
    assert await desk.after(11) == ["escalated pay"]
    incident = (await desk.people.list_incidents(1)).items[1]
    assert [(one["what"], one["by"]) for one in incident.timeline] == [
        ("opened", None), ("silenced", "ann"), ("silence ended", None)
    ]  # fmt: skip
    assert incident.timeline[1]["text"] == "moving house"
    await desk.judged()
    assert set(await desk.after(0)) == {"resolved pay", "resolved web"}


async def test_what_ends_meanwhile_is_told_to_nobody(desk: Desk) -> None:
    await desk.silenced(30)
    await desk.judged("pay")
    assert await desk.after(20) == []
    await desk.judged()
    assert await desk.after(60) == []
    assert await desk.states() == {"pay": "resolved"}


async def test_an_open_incident_is_silenced_and_nobody_is_told_twice(desk: Desk) -> None:
    await desk.judged("pay")
    assert await desk.after(5) == ["opened pay"]
    silence = await desk.silenced(60)
    assert await desk.after(30) == []  # the escalation, too
    assert await desk.states() == {"pay": "silenced"}
    assert (await desk.silences.end(1, silence.id, "bob", None)) is not None
    assert await desk.after(0) == []
    assert await desk.states() == {"pay": "open"}
    assert await desk.after(11) == ["escalated pay"]


async def test_who_was_told_before_is_told_of_the_end_during_a_silence(desk: Desk) -> None:
    await desk.judged("pay")
    assert await desk.after(5) == ["opened pay"]
    await desk.silenced(60)
    await desk.after(1)
    await desk.judged()
    assert await desk.after(1) == ["resolved pay"]


async def test_a_silenced_incident_is_acknowledged_and_nobody_is_told_at_the_end(desk: Desk) -> None:
    await desk.silenced(10)
    await desk.judged("pay")
    (incident,) = (await desk.people.list_incidents(1, state="silenced")).items
    await desk.people.acknowledge(1, incident.id, by="bob")
    assert await desk.after(60) == []
    assert await desk.states() == {"pay": "acknowledged"}


async def test_one_that_gets_worse_than_the_silence_says_is_told(desk: Desk) -> None:
    await desk.silenced(60, severities=["warn", "error"])
    await desk.judged("pay")
    assert await desk.after(1) == []
    async with desk.session.transaction() as connection:
        await connection.execute("update incident set severity = 'FATAL'")
    assert await desk.after(1) == ["opened pay"]


async def test_a_silence_that_is_to_come(desk: Desk) -> None:
    await desk.silenced(5, begin=9)
    await desk.judged("pay")
    assert await desk.after(1) == ["opened pay"]
    assert await desk.after(9.5) == []  # it holds: the escalation waits
    assert await desk.states() == {"pay": "silenced"}


async def test_maintenance_comes_again(desk: Desk) -> None:
    """The test's clock stands at noon."""
    window = Maintenance(schedule="30 12 * * *", duration="1h", match={"service": ["pay"]}, reason="vacuum")
    desk.restarted(nightly=window)
    desk.clock.forward(31 * 60)
    await desk.judged("pay", "web")
    assert await desk.after(1) == ["opened web"]
    (incident,) = (await desk.people.list_incidents(1, state="silenced")).items
    assert incident.timeline[1] | {"at": ""} == {
        "at": "", "what": "silenced", "by": None, "text": "maintenance nightly: vacuum"
    }  # fmt: skip
    assert "opened pay" in await desk.after(60)
    await desk.judged()
    await desk.after(23 * 60)
    await desk.judged("pay")
    assert await desk.after(1) == []


async def test_a_silence_that_recurs_holds_in_its_windows_only(desk: Desk) -> None:
    recurring = {"schedule": "0 13 * * *", "duration": "1h"}
    silence = await desk.silenced(3 * 24 * 60, recurring=recurring)
    assert [silence.holds(to_datetime(desk.clock()) + timedelta(hours=h)) for h in (0, 1, 1.9, 2, 25, 24 * 3 + 1)] == [
        False, True, True, False, True, False
    ]  # fmt: skip
    await desk.judged("pay")
    assert await desk.after(1) == ["opened pay"]


async def test_one_incident_and_not_forty(desk: Desk) -> None:
    """The database is down: its clients' incidents are recorded under its own, and told if they outlast it."""
    parent = desk.scripted.Scripted(desk.scripted.ScriptedConfig(notify=["hook"], resolve_after="0s"))
    settings = {"depends_on": ["database"], "depends_by": ["service"], "depends_for": "5m"}
    desk.detector = desk.scripted.Scripted(
        desk.scripted.ScriptedConfig(notify=["hook"], resolve_after="0s", **settings)
    )
    await desk.journal.enter({"errors": desk.detector, "database": parent}, desk.clock(), 0)

    async def database(*groups: str) -> None:
        found = by_key("database", [desk.scripted.finding("database", group) for group in groups])
        step = Step(desk.clock(), 300 * SECOND)
        await desk.journal.record(
            "database", parent, step, found, {}, resolve_after_ns=0, position=None, now_ns=desk.clock()
        )

    await database("pay")
    await desk.judged("pay", "web")
    assert await desk.after(1) == ["opened pay", "opened web"]  # the database's, and one of another group
    (one,) = (await desk.people.list_incidents(1, state="silenced")).items
    (above,) = (await desk.people.list_incidents(1, detector="database")).items
    assert (one.suppressed_by, one.timeline[1]["text"]) == (above.id, f"incident {above.id}, {above.title}")
    assert (await desk.people.list_incidents(1, suppressed_by=above.id)).items == [one]
    await database()
    assert await desk.after(4) == ["resolved pay"]
    assert await desk.after(1.5) == ["opened pay"]
    (told,) = (await desk.people.list_incidents(1, suppressed_by=above.id)).items
    assert told.state == "open"


REFUSED = [
    ({"minutes": -1}, "ends after it begins"),
    ({"minutes": 60 * 24 * 400}, "within 366 days"),
    ({"minutes": 5, "begin": -10}, "this moment is over"),
    ({"minutes": 5, "severities": ["loud"]}, "severities.0"),
    ({"minutes": 5, "match": {"a": []}}, "match.a"),
    ({"minutes": 5, "recurring": {"schedule": "x", "duration": "1h"}}, "no schedule|five fields"),
    ({"minutes": 5, "recurring": {"schedule": "0 1 * * *", "duration": "8d"}}, "at most 7d"),
]


@pytest.mark.parametrize(("said", "why"), REFUSED, ids=[why for _, why in REFUSED])
async def test_what_is_refused(desk: Desk, said: dict[str, Any], why: str) -> None:
    with pytest.raises(RejectedError, match=why):
        await desk.silenced(**said)


async def test_changed_meanwhile(desk: Desk) -> None:
    silence = await desk.silenced(60)
    longer = Wanted.of({}, silence.wanted.from_, silence.wanted.until + MINUTE, None, "longer")
    changed = await desk.silences.change(1, silence.id, longer, "bob", 1)
    assert changed is not None
    assert (changed.version, changed.wanted.reason) == (2, "longer")
    with pytest.raises(ChangedError):
        await desk.silences.end(1, silence.id, "bob", 1)
    ended = await desk.silences.end(1, silence.id, "bob", 2)
    assert ended is not None
    assert (ended.state(to_datetime(desk.clock())), ended.ended_by) == ("ended", "bob")
    assert await desk.silences.end(1, silence.id, "eve", None) == ended
    with pytest.raises(RejectedError, match="has ended"):
        await desk.silences.change(1, silence.id, longer, "bob", None)
    assert await desk.silences.get(2, silence.id) is None


def incident(severity: str = "ERROR", **group: Any) -> Incident:
    return Incident("errors", severity, group, datetime(2026, 1, 31, tzinfo=UTC))


FITS = [
    (Matchers(), incident(), True),
    (Matchers(detectors=["errors"]), incident(), True),
    (Matchers(detectors=["others"]), incident(), False),
    (Matchers(match={"status": [500]}), incident(status=500), True),
    (Matchers(match={"a": ["1"], "b": ["2"]}), incident(a="1", b="3"), False),
    (Matchers(match={"a": ["1"]}), incident(), False),
    (Matchers(severities=["error"]), incident(), True),
    (Matchers(severities=["warn"]), incident(), False),
]


@pytest.mark.parametrize(("matchers", "about", "fits"), FITS, ids=range(len(FITS)))
def test_what_fits(matchers: Matchers, about: Incident, fits: bool) -> None:
    assert matchers.fits(about) is fits


@pytest.mark.parametrize(
    ("at", "holds"),
    [
        ("2026-03-28T23:59:00Z", False),
        ("2026-03-29T00:59:00Z", True),  # 01:59 in winter
        ("2026-03-29T02:29:00Z", True),  # 04:29 in summer: two hours and a half after its begin
        ("2026-03-29T02:31:00Z", False),
    ],
)
def test_a_window_lasts_as_long_when_the_clocks_change(at: str, holds: bool) -> None:
    window = Recurring(schedule="0 1 * * *", duration="2h30m", timezone="Europe/Berlin")
    assert window.holds(datetime.fromisoformat(at)) is holds
