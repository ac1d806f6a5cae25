"""The rules end to end, on a clock of the test's: restart, another node, clock jumps, late, deleted, changed."""

from __future__ import annotations

from typing import Any

import pytest
from cordwood.core.alerting import AlertingRepository, Events, Span, backtest
from cordwood.core.alerting.memory import MOST_TEXTS, digest
from cordwood.core.query import QueryEngine
from cordwood.core.query.shaped import ShapedPattern
from cordwood.core.query.shaped_store import ShapedStore
from cordwood.core.storage.store import Store
from cordwood.detectors.correlation import Correlation, CorrelationConfig
from cordwood.detectors.new_pattern import NewPattern, NewPatternConfig
from cordwood.detectors.new_value import NewValue, NewValueConfig
from cordwood.detectors.ratio import Burn, Ratio, RatioConfig
from cordwood.plugins import Detector, Finding, Seen

pytestmark = pytest.mark.anyio
SECOND = 1_000_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
T0 = 1_769_860_800 * SECOND


def strangers(**more: Any) -> NewValue:
    return NewValue(NewValueConfig(**({"query": "login", "by": ["user"], "window": "5m", "learning": "1d"} | more)))


def login(user: str | None, at_ns: int) -> dict[str, Any]:
    return {"message": "login ok", "timestamp": at_ns} | ({} if user is None else {"user": user})


async def history(live: Any, *users: str) -> None:
    """Two days of logins before T0."""
    await live.commit([login(user, T0 - hour * HOUR) for hour in range(1, 49) for user in users])


async def users(live: Any) -> list[str]:
    return [group["user"] for group, _, _ in await live.incidents()]


async def test_a_value_that_was_never_seen(live: Any) -> None:
    await history(live, "ada", "bob")
    detection = await live.started(strangers())
    await live.commit([login("ada", T0), login("eve", T0 + SECOND), login(None, T0 + SECOND)])
    live.clock.forward(60)
    for _ in range(3):
        await detection.judge()
    assert await users(live) == ["eve"]
    live.clock.forward(400)
    await detection.judge()
    live.clock.forward(400)
    await detection.judge()
    ((_, _, resolved),) = await live.incidents()
    assert resolved is not None
    await live.commit([login("eve", live.clock() - SECOND)])
    await detection.judge()
    assert await users(live) == ["eve"]
    (incident,) = (await AlertingRepository(live.store.pool).list_incidents(1)).items
    assert incident.title == "errors: user eve is never seen before"
    assert [sample["user"] for sample in incident.samples] == ["eve"]


async def test_while_it_learns_it_is_silent(live: Any) -> None:
    detection = await live.started(strangers(learning="1h"))
    for minute in range(0, 120, 10):
        await live.commit([login(f"u{minute}", live.clock())])
        live.clock.forward(600)
        await detection.judge()
    assert await users(live) == ["u60", "u70", "u80", "u90", "u100", "u110"]


async def test_back_after_long(live: Any) -> None:
    await history(live, "ada")
    detection = await live.started(strangers(back_after="12h", window="2h"))
    await detection.judge()
    live.clock.forward(11 * 3600)
    await live.commit([login("ada", live.clock() - SECOND)])
    await detection.judge()
    assert await users(live) == []
    live.clock.forward(13 * 3600)
    await live.commit([login("ada", live.clock() - SECOND)])
    await detection.judge()
    assert await users(live) == ["ada"]


async def test_the_memory_outlives_the_node_and_ends_with_the_detector(live: Any) -> None:
    await history(live, "ada")
    detection = await live.started(strangers())
    await live.commit([login("eve", T0)])
    live.clock.forward(60)
    await detection.judge()
    again = await live.started(strangers(notify=["mail"]))  # restarted, or another node; who is told is no other rule
    await again.judge()
    live.clock.forward(1200)
    await again.judge()
    await live.commit([login("eve", live.clock() - SECOND), login("mia", live.clock() - SECOND)])
    await again.judge()
    assert await users(live) == ["eve", "mia"]
    assert await live.store.pool.fetchval("select count(*) from detector_memory") == 4  # and since when it learns
    changed = await live.started(strangers(by=["user", "host"]))
    assert await live.store.pool.fetchval("select count(*) from detector_memory") == 0
    await changed.judge()


async def test_late_values_and_a_clock_that_jumps(live: Any) -> None:
    await history(live, "ada")
    detection = await live.started(strangers())
    await detection.judge()
    live.clock.forward(1200)
    await live.commit([login("eve", T0 + 10 * MINUTE)])  # ten minutes late: its window was judged without it
    await detection.judge()
    assert await users(live) == ["eve"]
    live.clock.forward(-3600)  # the clock goes back, as after a wrong time was corrected
    await detection.judge()
    live.clock.forward(5 * 3600)  # and far ahead
    await live.commit([login("mia", live.clock() - SECOND)])
    await detection.judge()
    assert await users(live) == ["eve", "mia"]


async def test_what_is_deleted_is_not_kept_in_the_memory(live: Any) -> None:
    await history(live, "ada")
    detection = await live.started(strangers())
    await detection.judge()
    rows = await live.store.pool.fetch("select key, text from detector_memory")
    assert {row["text"] for row in rows} == {None}
    assert digest('["ada"]') in {row["key"] for row in rows}
    assert b"ada" not in b"".join(row["key"] for row in rows)


async def test_the_memory_is_bounded(live: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cordwood.core.alerting.memory.MOST_REMEMBERED", 10)
    await live.commit([login(f"u{i}", T0 - HOUR + i * SECOND) for i in range(30)])
    detection = await live.started(strangers())
    await detection.judge()
    rows = await live.store.pool.fetch("select key from detector_memory")
    assert {row["key"] for row in rows} == {digest("\0begin"), *(digest(f'["u{i}"]') for i in range(21, 30))}


async def test_a_backtest_learns_as_the_live_one(live: Any, store: Store, engine: QueryEngine) -> None:
    await history(live, "ada", "bob")
    await live.commit([login("eve", T0 + HOUR), login("ada", T0 + HOUR)])
    events = Events(engine, 1, await store.catalog.head(1))
    found = await backtest("errors", strangers(), events, Span(T0, T0 + 2 * HOUR))
    assert [(dict(firing.group), firing.opened_ns) for firing in found.firings] == [
        ({"user": "eve"}, T0 + HOUR + MINUTE)
    ]
    assert await store.pool.fetchval("select count(*) from detector_memory") == 0


async def test_a_pattern_that_was_never_seen(live: Any) -> None:
    names = ["ada", "bob", "cyd", "dan"]
    await live.commit([
        {"message": f"user {names[hour % 4]} took {hour} ms to come", "timestamp": T0 - hour * HOUR, "severity": "warn"}
        for hour in range(1, 49)
    ])  # fmt: skip
    detector = NewPattern(NewPatternConfig(window="5m", learning="1d"))
    detection = await live.started(detector)
    await live.commit([
        {"message": "user eve took 7 ms to come", "timestamp": T0, "severity": "warn"},  # a fifth name is a value
        {"message": "disk 3 is on fire", "timestamp": T0, "severity": "error"},
        {"message": "nothing to see", "timestamp": T0, "severity": "info"},
    ])  # fmt: skip
    live.clock.forward(60)
    for _ in range(2):
        await detection.judge()
    (incident,) = (await AlertingRepository(live.store.pool).list_incidents(1)).items
    assert incident.title == "errors: a new pattern: disk <*> is on fire"
    assert [sample["message"] for sample in incident.samples] == ["disk 3 is on fire"]
    memory = live.journal.memory("errors")
    assert "disk <*> is on fire" in await memory.texts()
    assert MOST_TEXTS >= 10_000
    memory.remember("a", Seen(1, 2, "a"))
    assert "a" in await memory.texts()


async def judged(live: Any, detector: Detector[Any], at_ns: int) -> list[Finding]:
    from cordwood.core.alerting.run import Run

    events = Events(live.engine, 1, await live.store.catalog.head(1))
    return sorted(
        await detector.detect(Run("errors", at_ns, events, await live.engine.resolver(1))),
        key=lambda finding: str(finding.group),
    )


def requests(bad: int, good: int, at_ns: int, service: str = "web") -> list[dict[str, Any]]:
    statuses = [500] * bad + [200] * good
    return [{"message": "GET", "status": status, "service": service, "timestamp": at_ns} for status in statuses]


async def test_a_share_of_bad_events(live: Any) -> None:
    await live.commit([*requests(6, 94, T0), *requests(5, 95, T0, "pay"), *requests(1, 0, T0, "few")])
    config = {"bad": "status >= 500", "above": 5, "least": 100, "by": ["service"]}
    (found,) = await judged(live, Ratio(RatioConfig(**config)), T0 + MINUTE)
    assert found.title == "errors: 6.00% are bad for service web"
    assert found.values == {"bad": 6, "total": 100, "share": 0.06}
    assert found.sample_query == '* | where status >= 500 | where service = "web"'
    detection = await live.started(Ratio(RatioConfig(**config)))
    live.clock.forward(60)
    await detection.judge()
    ((group, _, _),) = await live.incidents()
    assert group == {"service": "web"}


async def test_the_error_budget_burns(live: Any) -> None:
    slo = Ratio(RatioConfig(bad="status >= 500", objective=99))
    await live.commit([event for minute in range(60) for event in requests(2, 8, T0 + minute * MINUTE)])
    (found,) = await judged(live, slo, T0 + HOUR)
    assert (found.severity, found.values["burn_rate"], found.values["long"]) == ("fatal", pytest.approx(20), "1h")
    # It is over for the short window first: five minutes without errors end what burns in an hour.
    await live.commit([event for minute in range(60, 70) for event in requests(0, 10, T0 + minute * MINUTE)])
    (found,) = await judged(live, slo, T0 + 70 * MINUTE)
    assert (found.severity, found.values["short"]) == ("error", "30m")
    assert await judged(live, slo, T0 + 8 * HOUR) == []
    slow = Ratio(RatioConfig(bad="status >= 500", objective=99, burn=[Burn(long="1h", short="5m", rate=30)]))
    assert await judged(live, slow, T0 + HOUR) == []


async def test_one_after_another_for_the_same_key(live: Any) -> None:
    def event(text: str, second: int, **key: Any) -> dict[str, Any]:
        return {"message": text, "timestamp": T0 + second * SECOND, **key}

    await live.commit([
        event("login failed", 0, user="ada"), event("login accepted", 100, user="ada"),
        event("login failed", 0, user="bob"), event("login accepted", 301, user="bob"),
        event("login accepted", 0, user="eve"), event("login failed", 10, user="eve"),
        event("login failed", 0, user="mia"),
        event("login failed", 0), event("login accepted", 1),
    ])  # fmt: skip
    config = {"first": '"login failed"', "then": '"login accepted"', "by": ["user"], "within": "5m"}
    detector = Correlation(CorrelationConfig(**config))
    (found,) = await judged(live, detector, T0 + 6 * MINUTE)
    assert found.group == {"user": "ada"}
    assert found.values["seconds"] == 100
    assert found.sample_query == '"login failed" user="ada"'
    lost = Correlation(CorrelationConfig(**config, missing=True))
    assert [item.group["user"] for item in await judged(live, lost, T0 + 6 * MINUTE)] == ["bob", "eve", "mia"]
    assert await judged(live, lost, T0 + 5 * MINUTE) == []
    detection = await live.started(detector)
    live.clock.forward(6 * 60)
    await detection.judge()
    assert [group["user"] for group, _, _ in await live.incidents()] == ["ada"]


async def test_a_pattern_that_people_shape_is_no_news(live: Any, store: Store) -> None:
    def said(text: str, at_ns: int) -> dict[str, Any]:
        return {"message": text, "severity": "WARN", "timestamp": at_ns}

    people = ("ada", "bob", "cyd", "dan", "eve", "flo")
    await live.commit([said(f"login of {people[hour % 6]} failed", T0 - hour * HOUR) for hour in range(1, 49)])
    settings: dict[str, Any] = {"query": "login", "window": "5m", "learning": "1d"}
    detection = await live.started(NewPattern(NewPatternConfig(**settings)))
    await detection.judge()
    await ShapedStore(store.pool).create(1, ShapedPattern(("login of <*> failed",), split=1), "ada")
    await live.commit([said("login of ada failed", T0 + SECOND), said("login of bob failed", T0 + SECOND)])
    live.clock.forward(60)
    await detection.judge()
    assert await live.incidents() == []
    await live.commit([said("login of zed failed", T0 + 61 * SECOND)])
    live.clock.forward(60)
    await detection.judge()
    assert [group["pattern"] for group, _, _ in await live.incidents()] == ["login of zed failed"]
