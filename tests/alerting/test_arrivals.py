"""When the events of new commits are from: exactly, also where segments were merged meanwhile."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cordwood.core.alerting.arrivals import Arrivals
from cordwood.core.alerting.run import Run
from cordwood.core.query import QueryEngine
from cordwood.core.storage.store import Store
from cordwood.detectors.threshold import Threshold, ThresholdConfig
from cordwood.plugins import RetryableError

pytestmark = pytest.mark.anyio
T0 = int(datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp()) * 10**9
SECOND = 10**9


def event(at_s: int) -> dict[str, Any]:
    return {"timestamp": (datetime.fromtimestamp(T0 // SECOND, UTC) + timedelta(seconds=at_s)).isoformat(),
            "message": "x", "service": "pay"}  # fmt: skip


async def merged(store: Store) -> None:
    assert await store.compactor.compact(1, now=datetime.now(UTC) + timedelta(hours=1))


async def test_times_of_new_commits(live: Any, store: Store, engine: QueryEngine) -> None:
    for at in (0, 10, 20):
        await live.commit([event(at)])
    arrivals = Arrivals(store.catalog, engine, 1, await store.catalog.head(1))
    begin = arrivals.upto
    for at in (30, 5, 50):
        await live.commit([event(at), event(at + 2)])
    head = await store.catalog.head(1)
    expected = [(T0 + at * SECOND, T0 + (at + 2) * SECOND) for at in (30, 5, 50)]
    assert await arrivals.since(begin, head) == expected
    assert await arrivals.since(begin + 1, head) == expected[1:]
    assert await arrivals.since(head, head) == []
    await live.commit([event(60)])
    await merged(store)  # one segment has all that came so far
    head = await store.catalog.head(1)
    assert await arrivals.since(head - 1, head) == [(T0 + 60 * SECOND, T0 + 60 * SECOND)]
    assert await arrivals.since(begin, head) == [*expected, (T0 + 60 * SECOND, T0 + 60 * SECOND)]
    # What came before it began is read anew, and exactly.
    assert await arrivals.since(begin - 1, head) == [(T0 + 5 * SECOND, T0 + 60 * SECOND)]
    assert await arrivals.since(0, head) == [(T0, T0 + 60 * SECOND)]


async def test_few_are_kept(live: Any, store: Store, engine: QueryEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cordwood.core.alerting.arrivals.KEPT", 3)
    arrivals = Arrivals(store.catalog, engine, 1, begin := await store.catalog.head(1))
    for at in range(8):
        await live.commit([event(at)])
        await arrivals.since(begin, begin + at + 1)
    for after in range(8):
        found = await arrivals.since(begin + after, begin + 8)
        assert sorted(found) == [(T0 + at * SECOND, T0 + at * SECOND) for at in range(after, 8)]


async def test_merging_makes_nothing_late(live: Any, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each window is judged once, also where a merged segment with older events comes with a new commit, and while what
    did come late waits to be judged."""
    judged = Counter[tuple[int, bool]]()
    detect = Threshold.detect

    async def counted(self: Threshold, run: Run) -> Any:
        judged[(run.at_ns - T0) // SECOND, type(run.events).__name__ == "Ahead"] += 1
        return await detect(self, run)

    monkeypatch.setattr(Threshold, "detect", counted)
    settings = {"query": "service:pay | stats count() as n", "condition": "n > 1000", "window": "1m", "every": "10s"}
    live.clock.now = T0
    detection = await live.started(Threshold(ThresholdConfig(**settings)))
    for at in range(10, 100, 10):
        await live.commit([event(at - 9), event(at - 1)])
        if at % 30 == 0:
            await merged(store)
        live.clock.now = T0 + at * SECOND
        await detection.judge()
    assert judged == {(at, False): 1 for at in range(10, 100, 10)}
    for at in range(100, 150, 10):  # one comes 35 seconds late
        await live.commit([event(at - 9), *([event(at - 35)] if at == 110 else [])])
        live.clock.now = T0 + at * SECOND
        await detection.judge()
    again = [at for at, is_again in judged if is_again]
    assert again == [80, 90, 100]
    assert all(count == 1 for count in judged.values())


async def test_what_came_late_is_noted_once_while_the_detector_fails(
    live: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"query": "service:pay | stats count() as n", "condition": "n > 1000", "window": "1m", "every": "10s"}
    live.clock.now = T0
    detection = await live.started(Threshold(ThresholdConfig(**settings)))
    await detection.judge()
    detect = Threshold.detect

    async def failing(self: Threshold, run: Run) -> Any:
        raise RetryableError("away")

    monkeypatch.setattr(Threshold, "detect", failing)
    await live.commit([event(-35)])
    for at in (10, 20, 30):
        live.clock.now = T0 + at * SECOND
        with pytest.raises(RetryableError):
            await detection.judge()
        assert not detection._late
    monkeypatch.setattr(Threshold, "detect", detect)
    live.clock.now = T0 + 40 * SECOND
    await detection.judge()  # within 15 s of the last try: they wait
    assert detection._late == [(T0 - 35 * SECOND, T0 - 35 * SECOND)]
