"""Backtests: what they find is what the live detector found, and asking for many windows at once changes nothing."""

from __future__ import annotations

import random
from typing import Any

import pytest
from cordwood.core.alerting import AlertingRepository, Events, Span, backtest, suggest
from cordwood.core.alerting.ahead import Ahead
from cordwood.core.query import QueryEngine
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.store import Store
from cordwood.detectors.threshold import Threshold, ThresholdConfig
from cordwood.plugins import Batch, RejectedError, iso_ns

pytestmark = pytest.mark.anyio
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
T0 = 1_769_860_800 * SECOND
ERRORS = "severity>=error | stats count() as n by service"


def threshold(query: str = ERRORS, condition: str = "n > 3", **more: Any) -> Threshold:
    return Threshold(ThresholdConfig(query=query, condition=condition, **({"window": "5m", "every": "1m"} | more)))


def errors(service: str, at_ns: int, count: int) -> list[dict[str, Any]]:
    return [{"service": service, "severity": "error", "message": "x", "timestamp": at_ns + i} for i in range(count)]


def quiet(minute: int) -> dict[str, Any]:
    return {"message": "all is well", "timestamp": T0 + minute * MINUTE}


async def commit(store: Store, events: list[dict[str, Any]]) -> None:
    await (await store.writer.submit(Submission(1, "test", Batch.from_records(events)))).committed()


async def asked(store: Store, engine: QueryEngine) -> Events:
    return Events(engine, 1, await store.catalog.head(1))


def noise(minutes: int, seed: int = 1) -> list[dict[str, Any]]:
    source = random.Random(seed)
    return [
        event | {"took": source.randint(1, 99)}
        for minute in range(minutes)
        for service in ("pay", "web", None)
        for event in errors(service, T0 + minute * MINUTE + source.randint(0, 59) * SECOND, source.randint(0, 3))
    ]


@pytest.mark.parametrize(
    "query",
    [
        ERRORS,
        "* | stats count() as n",
        "* | stats p90(took) as n, distinct_exact(host) as s by lower(service) as l | where n > 20 | extend m = n * 2",
        "x | where took > 10 | stats countif(took > 50) / count() as n by service, bin(1m)",
        "* | stats count() as n by service | sort -n | limit 1",
        "* | stats rate() as n by service",
        "* | where timestamp > now() - 2m | stats count() as n",
        "* | timechart span=1m count() as n by service",
    ],
)
async def test_many_windows_at_once_are_the_windows_one_by_one(store: Store, engine: QueryEngine, query: str) -> None:
    await commit(store, noise(9))
    events = await asked(store, engine)
    for window, every in ((5 * MINUTE, MINUTE), (MINUTE, 2 * MINUTE), (90 * SECOND, MINUTE)):
        ends = range(T0 - 2 * MINUTE, T0 + 16 * MINUTE, every)
        ahead = Ahead(events, every, ends[0], ends[-1])
        for at in ends:
            span = {"from_ns": at - window, "to_ns": at, "now_ns": at, "limit": 100}
            ours, plain = await ahead.rows(query, **span), await events.rows(query, **span)
            assert sorted(map(str, ours)) == sorted(map(str, plain)), (window, at)


async def test_few_queries(store: Store, engine: QueryEngine) -> None:
    await commit(store, noise(30))
    found = await backtest("errors", threshold(), await asked(store, engine), Span(T0, T0 + 7 * 24 * 60 * MINUTE))
    assert (found.steps, found.queries, found.is_complete) == (7 * 24 * 60, 5, True)


@pytest.mark.parametrize("how", [{}, {"hold": "2m"}, {"recover": "n < 2"}, {"resolve_after": "0s"}], ids=str)
async def test_it_finds_what_the_live_detector_found(
    live: Any, store: Store, engine: QueryEngine, how: dict[str, str]
) -> None:
    live.clock.now = T0
    detector = threshold(**how)
    detection = await live.started(detector)
    source = random.Random(7)
    for minute in range(30):
        count = 4 if minute in (5, 6, 20, 21, 22) else source.randint(0, 1)
        if events := errors("pay", T0 + minute * MINUTE + 5 * SECOND, count) + errors("web", T0 + minute * MINUTE, 1):
            await commit(store, events)
        live.clock.now = T0 + (minute + 1) * MINUTE
        await detection.judge()
    found = await backtest("errors", detector, await asked(store, engine), Span(T0, live.clock.now))
    expected = await live.incidents()
    assert len(expected) >= 2
    assert [(dict(f.group), f.opened_ns, f.resolved_ns) for f in found.firings] == expected


@pytest.mark.parametrize("seed", range(3))
async def test_it_finds_what_came_late_as_the_live_detector_did(
    live: Any, store: Store, engine: QueryEngine, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Trouble of many groups, up to 14 minutes late, within the grace, or in time: the same incidents from and to."""
    monkeypatch.setattr("cordwood.core.alerting.detection.LATE_EVERY_SECONDS", 0)
    live.clock.now = T0
    detector = threshold()
    detection = await live.started(detector)
    source = random.Random(seed)
    comes: dict[int, list[dict[str, Any]]] = {}
    for number in range(12):
        begin, late = source.randint(1, 20), source.choice((0, 0, 2, 3, 5, 8))
        for i in range(source.randint(2, 8)):  # over up to five minutes, so that few windows have all of them
            at = T0 + begin * MINUTE + source.randint(0, 299) * SECOND + i
            arrives = max(begin + 5 + late if late else 0, (at - T0) // MINUTE)
            comes.setdefault(arrives, []).append(errors(f"s{number}", at, 1)[0])
    for minute in range(45):
        await commit(store, [quiet(minute), *comes.get(minute, ())])
        live.clock.now = T0 + (minute + 1) * MINUTE
        await detection.judge()
    found = await backtest("errors", detector, await asked(store, engine), Span(T0, live.clock.now))
    items = (await AlertingRepository(store.pool).list_incidents(1, limit=500)).items
    told = [(str(one.group), iso_ns(one.from_), iso_ns(one.opened_at), iso_ns(one.to)) for one in items]
    assert len(told) >= 4
    assert sorted(told) == sorted((str(dict(f.group)), f.from_ns, f.opened_ns, f.last_ns) for f in found.firings)
    assert all(one.resolved_at for one in items)


async def test_late_events_that_only_one_window_has_together(live: Any, store: Store, engine: QueryEngine) -> None:
    """They lie as far apart as the window is long, so that no other window has enough of them."""
    live.clock.now = T0
    detection = await live.started(detector := threshold())
    spread = [errors("pay", T0 + at * SECOND, 1)[0] for at in (12 * 60, 13 * 60, 15 * 60, 12 * 60 + 299)]
    for minute in range(30):
        late = spread if minute == 24 else []
        await commit(store, [quiet(minute), *late])
        live.clock.now = T0 + (minute + 1) * MINUTE
        await detection.judge()
    found = await backtest("errors", detector, await asked(store, engine), Span(T0, live.clock.now))
    (firing,) = found.firings
    ((group, opened, resolved),) = await live.incidents()
    assert (dict(firing.group), firing.opened_ns) == (group, opened) == ({"service": "pay"}, T0 + 17 * MINUTE)
    assert resolved == T0 + 25 * MINUTE, "as soon as it was known, since it was over"


async def test_what_was_missed_while_nobody_judged(live: Any, store: Store, engine: QueryEngine) -> None:
    """Downtime of an hour: every window of it is judged afterwards, so the incidents are those of a backtest."""
    live.clock.now = T0
    detection = await live.started(detector := threshold(condition="n > 8"))
    await commit(store, noise(60, seed=4))
    live.clock.now = T0 + 61 * MINUTE
    await detection.judge()
    found = await backtest("errors", detector, await asked(store, engine), Span(T0, live.clock.now))
    assert len(found.firings) > 3
    assert [(dict(f.group), f.opened_ns, f.resolved_ns) for f in found.firings] == await live.incidents()


async def test_severity_gets_worse_and_not_better(live: Any, store: Store, engine: QueryEngine) -> None:
    live.clock.now = T0
    detector = threshold(severities={"warn": "n > 3", "fatal": "n > 8"})
    detection = await live.started(detector)
    for minute, count in enumerate((4, 6, 0, 0, 0, 0, 0)):
        await commit(store, errors("pay", T0 + minute * MINUTE, count) or [{"message": "quiet", "timestamp": T0}])
        live.clock.now = T0 + (minute + 1) * MINUTE
        await detection.judge()
        (incident,) = (await AlertingRepository(store.pool).list_incidents(1)).items
        assert incident.severity == ("WARN" if minute == 0 else "FATAL")
    assert [moment["what"] for moment in incident.timeline] == ["opened", "severity fatal"]
    (firing,) = (await backtest("errors", detector, await asked(store, engine), Span(T0, live.clock.now))).firings
    assert (firing.severity, firing.values, firing.last_values) == ("FATAL", {"n": 4}, {"n": 6})


async def test_a_bound_for_a_wished_number_of_alerts(store: Store, engine: QueryEngine) -> None:
    await commit(store, [
        event for day in range(14) for event in errors("pay", T0 + day * 1440 * MINUTE, day + 1)
    ])  # fmt: skip
    span, events = Span(T0, T0 + 14 * 1440 * MINUTE), await asked(store, engine)
    for wish, condition in ((1, "n > 12"), (3.5, "n > 7"), (0.1, "n > 14")):
        suggestion = await suggest(threshold(), events, span, wish)
        assert suggestion.condition == condition
        again = await backtest("errors", threshold(condition=suggestion.condition), events, span)
        assert again.per_week == pytest.approx(suggestion.per_week)
        assert again.per_week <= wish
    with pytest.raises(RejectedError, match="such as"):
        await suggest(threshold(condition="n > 1 and n < 9"), events, span, 1)
    with pytest.raises(RejectedError, match="no figure"):
        await suggest(threshold(condition="m > 1"), events, span, 1)


async def test_it_is_bounded(store: Store, engine: QueryEngine) -> None:
    await commit(store, noise(5))
    events = await asked(store, engine)
    with pytest.raises(RejectedError, match="too long for windows of 5m: 200,000 are the most"):
        await backtest("errors", threshold(), events, Span(0, T0))
    with pytest.raises(RejectedError, match="shorter than"):
        await backtest("errors", threshold(), events, Span(T0 + 1, T0 + 2))
    often = await backtest("errors", threshold(window="1h", every="1s"), events, Span(T0, T0 + 1440 * MINUTE))
    assert (often.step_ns, often.steps, often.queries) == (MINUTE, 1440, 60)
    cut = await backtest("errors", threshold(), events, Span(T0, T0 + 3000 * MINUTE, seconds=0))
    assert (cut.is_complete, cut.until_ns < cut.to_ns) == (False, True)
    assert cut.reason == "it took longer than 0 s"
    assert await store.pool.fetchval("select count(*) from incident") == 0
