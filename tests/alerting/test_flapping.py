"""What opens and ends again and again is told once, stays open until it is calm, and is told then."""

from __future__ import annotations

from typing import Any

import pytest
from cordwood.core.alerting.backtest import Ledger
from cordwood.core.alerting.journal import Journal
from cordwood.core.alerting.lifecycle import Damping, Known, Step, by_key, changes
from cordwood.core.alerting.records import to_datetime
from cordwood.core.storage.leader import Session
from cordwood.core.storage.store import Store
from cordwood.plugins import Finding, rfc3339
from hypothesis import given
from hypothesis import strategies as st

from .test_routing import ROUTES
from .test_silences import Desk

pytestmark = pytest.mark.anyio
FOUND = {"a": Finding({"g": "a"}, "a", {}, "*")}
TWICE = Damping(flaps=2, within_ns=1000)


class Flapping(Desk):
    """As `Desk`, with an incident that flaps after two in an hour; a minute passes after each look."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.set(flaps=2)

    def restarted(self, **_: Any) -> None:
        """As `Desk.restarted`, without routes."""
        super().restarted()
        self.journal = Journal(self.session, 1, {"hook": "webhook"})

    def set(self, **settings: Any) -> None:
        config = self.scripted.ScriptedConfig(notify=["hook"], resolve_after="0s", **settings)
        self.detector = self.scripted.Scripted(config)

    async def looks(self, pattern: str) -> list[str]:
        """What is told while `pay` is in trouble (`x`) or well (`.`), each for a minute."""
        told: list[str] = []
        for letter in pattern:
            await self.judged(*(["pay"] if letter == "x" else []))
            told += await self.after(1)
        return [one.removesuffix(" pay") for one in told]

    async def newest(self) -> Any:
        return (await self.people.list_incidents(1)).items[0]


@pytest.fixture
async def desk(session: Session, store: Store, scripted: Any, clock: Any) -> Flapping:
    made = Flapping(session, store, scripted, clock)
    await made.journal.enter({"errors": made.detector}, clock(), 0)
    return made


async def test_it_is_told_once_and_when_it_is_calm(desk: Flapping) -> None:
    assert await desk.looks("x.x.") == ["opened", "resolved"] * 2
    assert await desk.looks("x") == ["flapping"]
    assert desk.told[-1].text == "It opened 3 times in a short time. It stays open until it is calm."
    desk.restarted()
    assert await desk.looks("..x.x..x.") == []
    incident = await desk.newest()
    assert (incident.state, incident.flapping, incident.flaps) == ("open", True, 6)
    assert len((await desk.people.list_incidents(1)).items) == 3
    assert await desk.looks("." * 58) == []
    assert await desk.looks("..") == ["resolved"]
    assert desk.told[-1].text == ""
    incident = await desk.newest()
    assert (incident.state, incident.flapping) == ("resolved", False)
    assert [one["what"] for one in incident.timeline] == ["opened", "flapping", "resolved"]
    assert await desk.looks("x") == ["opened"]


async def test_it_is_told_when_nobody_acknowledges_it(desk: Flapping) -> None:
    desk.journal = Journal(desk.session, 1, {"hook": "webhook", "boss": "sms"}, ROUTES)
    assert await desk.looks("x.x.x.x.x") == ["opened", "resolved"] * 2 + ["flapping"]
    assert await desk.after(8) == ["escalated pay"]
    assert desk.told[-1].text.startswith("It opened 3 times")
    assert await desk.after(30) == ["escalated pay"]


async def test_trouble_without_an_end_is_told_as_any_other(desk: Flapping) -> None:
    await desk.looks("x.x.x")
    assert await desk.looks("x" * 58) == []
    assert await desk.looks("xx") == ["opened"]
    incident = await desk.newest()
    assert (incident.flapping, incident.flaps) == (False, 0)
    assert await desk.looks(".") == ["resolved"]


async def test_one_that_is_acknowledged_is_told_only_when_it_is_over(desk: Flapping) -> None:
    await desk.looks("x.x.x")
    await desk.people.acknowledge(1, (await desk.newest()).id, by="ann")
    assert await desk.looks("x" * 62) == []
    assert await desk.looks(".") == ["resolved"]


async def test_who_was_silenced_is_told_that_it_flaps(desk: Flapping) -> None:
    await desk.looks("x.x.")
    await desk.silenced(10)
    assert await desk.looks("x.x") == []
    assert await desk.after(9) == ["flapping pay"]


async def test_a_person_who_resolves_it_makes_the_count_begin_anew(desk: Flapping) -> None:
    await desk.looks("x.x.x")
    await desk.people.resolve(1, (await desk.newest()).id, by="ann")
    assert await desk.after(6) == ["resolved pay"]
    assert await desk.looks("x.x.x") == ["opened", "resolved", "opened", "resolved", "flapping"]


async def test_it_can_be_switched_off(desk: Flapping) -> None:
    desk.set(flaps=0)
    assert await desk.looks("x." * 5) == ["opened", "resolved"] * 5
    desk.set(flaps=2)
    assert await desk.looks("x") == ["flapping"]
    desk.set(flaps=0)
    assert await desk.looks(".") == ["resolved"]


async def test_a_longer_time_between_is_no_flapping(desk: Flapping) -> None:
    desk.set(flaps=2, flaps_within="5m")
    assert await desk.looks("x..x..x..") == ["opened", "resolved"] * 3


async def test_others_that_depend_on_it_are_suppressed_while_it_is_in_trouble(
    session: Session, store: Store, scripted: Any, clock: Any
) -> None:
    desk = Flapping(session, store, scripted, clock)
    config = scripted.ScriptedConfig(notify=["hook"], depends_on=["errors"], depends_for="2m")
    detectors = {"errors": desk.detector, "clients": scripted.Scripted(config)}
    await desk.journal.enter(detectors, clock(), 0)
    await desk.looks("x.x.x")
    step = Step(clock(), 300_000_000_000)
    found = by_key("clients", [scripted.finding("clients", "web")])
    await desk.journal.record(
        "clients", detectors["clients"], step, found, {}, resolve_after_ns=0, position=None, now_ns=clock()
    )
    assert (await desk.states())["web"] == "silenced"
    assert await desk.after(5) == []
    await desk.judged()
    assert await desk.after(3) == ["opened web"]


@given(st.lists(st.tuples(st.integers(1, 400), st.booleans()), max_size=60), st.integers(0, 200))
def test_a_model_of_what_people_are_told(looks: list[tuple[int, bool]], resolve_after: int) -> None:
    """However trouble comes and goes, nobody is told more than twice as often as `flaps` within the time, and twice."""
    known: list[Known] = []
    told: list[int] = []
    now = 0
    for passed, is_trouble in looks:
        now += passed
        outcome = changes(Step(now, 100), FOUND if is_trouble else {}, known, resolve_after, TWICE)
        told += [now] * (len(outcome.opens) + len(outcome.resolves) + len(outcome.steady))
        turns = dict(outcome.turns)
        for at, item in enumerate(known):
            changed = item
            if item.id in {number for number, _ in outcome.seen}:
                changed = Known(item.id, "a", True, 0, now, False, "", item.opened_ns, item.turned_ns, item.is_well)
            if item.id in turns:
                changed = Known(item.id, "a", True, 0, changed.to_ns, False, "", item.opened_ns, now, turns[item.id])
            if item.id in outcome.steady:
                changed = Known(item.id, "a", True, 0, changed.to_ns, False, "", item.opened_ns)
            if item.id in outcome.resolves:
                changed = Known(item.id, "a", False, 0, item.to_ns, False, "", item.opened_ns)
            known[at] = changed
        for key, _ in outcome.opens:
            turned = now if key in outcome.flapping else None
            known.append(Known(len(known), "a", True, 0, now, False, "", now, turned))
    for begin in told:
        assert sum(begin <= at < begin + 1000 for at in told) <= 2 * TWICE.flaps + 2


async def test_a_backtest_says_what_happened_live(desk: Flapping, clock: Any) -> None:
    ledger = Ledger(desk.detector)
    ledger._resolve_after = 0
    for letter in "x.x.x..x.x.x" + "." * 65 + "x.x" + "x" * 70 + ".x":
        groups = ["pay"] if letter == "x" else []
        found = by_key("errors", [desk.scripted.finding("errors", group) for group in groups])
        ledger.enter(Step(clock(), 300_000_000_000), found)
        await desk.looks(letter)
    live = (await desk.people.list_incidents(1)).items[::-1]
    assert [(one.opened_at, one.resolved_at is None) for one in live] == [
        (_moment(firing.opened_ns), firing.resolved_ns is None) for firing in ledger.firings()
    ]
    assert [one.resolved_at for one in live] == [
        firing.resolved_ns and _moment(firing.resolved_ns) for firing in ledger.firings()
    ]


def _moment(ns: int) -> str:
    return rfc3339(to_datetime(ns))
