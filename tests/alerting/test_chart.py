"""The chart that goes with a message: counted from the events, for who shows it, never in the way of the message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cordwood.core.alerting import AlertingService, Events
from cordwood.core.alerting.chart import BARS, Shown, chart_of
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.store import Store
from cordwood.detectors.match import Match, MatchConfig
from cordwood.plugins import Batch, Notification, iso_ns, now_ns
from prometheus_client import CollectorRegistry

pytestmark = pytest.mark.anyio
SECOND = 1_000_000_000
MINUTE = 60 * SECOND


async def test_each_bar_counts_its_events(live: Any) -> None:
    opened = live.clock.now
    shown = Shown("service:pay", opened - MINUTE, opened, opened)
    begin, step, count = shown.grid()
    assert count <= BARS + 1
    at = [begin, begin + step - 1, begin + step, begin + 7 * step, opened - 1]
    others = [{"timestamp": opened - 1, "service": "web"}, {"timestamp": begin - 1, "service": "pay"}]
    await live.commit([*({"timestamp": ns, "service": "pay"} for ns in at), *others])
    chart = await chart_of(Events(live.engine, 1, 1), shown, opened)
    assert chart is not None
    wanted = [0] * count
    for ns in at:
        wanted[(ns - begin) // step] += 1
    assert list(chart.counts) == wanted
    assert (iso_ns(chart.begin), iso_ns(chart.end)) == (begin, begin + count * step)


@pytest.mark.parametrize("query", ["service:", "x | limit 3 | fields host", "timestamp:soon"])
async def test_what_cannot_be_counted_has_none(live: Any, query: str) -> None:
    await live.commit([{"timestamp": live.clock.now, "message": "x"}])
    shown = Shown(query, live.clock.now - MINUTE, live.clock.now, live.clock.now)
    assert await chart_of(Events(live.engine, 1, 1), shown, live.clock.now) is None


@pytest.mark.parametrize(
    ("window", "lasts", "bars"), [(1, 0, 48), (60, 0, 49), (3600, 0, 49), (60, 86_400, 49), (60, 365 * 86_400, 49)]
)
def test_the_bars_are_few_however_long_it_lasts(window: int, lasts: int, bars: int) -> None:
    opened = 1_769_860_800 * SECOND
    shown = Shown("x", opened - window * SECOND, opened, opened + lasts * SECOND)
    begin, step, count = shown.grid()
    assert count <= bars
    assert begin % step == 0
    assert begin + (count - 1) * step < opened + lasts * SECOND <= begin + count * step


async def test_who_shows_it_gets_it(
    store: Store, engine: Any, scripted: Any, background: Any, eventually: Any, make_tell: Callable[..., Any]
) -> None:
    told: dict[str, Notification] = {}
    channels = {name: make_tell(told, name, shows=name == "mail") for name in ("mail", "hook")}
    service = AlertingService(store, engine, link=lambda _: "", metrics=CollectorRegistry())
    match = Match(MatchConfig(query="broken", every="100ms", notify=["mail", "hook"]))
    async with background(service.run_plugins, 1, {"match": match}, channels):
        batch = Batch.from_records([{"timestamp": now_ns(), "message": "broken"}] * 3)
        await (await store.writer.submit(Submission(1, "test", batch))).committed()
        await eventually(lambda: len(told) == 2, 30)
    assert told["hook"].chart is None
    assert told["mail"].chart is not None
    assert sum(told["mail"].chart.counts) == 3


@pytest.fixture
def make_tell(scripted: Any) -> Callable[..., Any]:
    def made(told: dict[str, Notification], name: str, *, shows: bool) -> Any:
        class Shows(scripted.Tell):  # type: ignore[misc]
            shows_chart = shows

        def noted(notification: Notification) -> str:
            told[name] = notification
            return "noted"

        return Shows(noted)

    return made
