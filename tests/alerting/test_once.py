"""Nothing fires twice and nothing is missed: whatever happens to the node, the clock, the events and the rules."""

from __future__ import annotations

from typing import Any

import pytest
from cordwood.core.alerting.scrub import scrub
from cordwood.core.query.searcher import EngineSearcher
from cordwood.core.storage.deleting import DeletionWorker
from cordwood.core.storage.deletion import Deletions
from cordwood.core.storage.erase import Eraser, Search
from cordwood.core.storage.store import Store
from cordwood.detectors.threshold import Threshold, ThresholdConfig
from cordwood.plugins import now_ns

pytestmark = pytest.mark.anyio
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
T0 = 1_769_860_800 * SECOND


def threshold(condition: str = "n > 3", **more: Any) -> Threshold:
    query = "severity>=error | stats count() as n by service"
    return Threshold(ThresholdConfig(query=query, condition=condition, **({"window": "5m", "every": "1m"} | more)))


def errors(service: str, minute: int, count: int = 5) -> list[dict[str, Any]]:
    return [
        {"service": service, "severity": "error", "message": "x", "timestamp": T0 + minute * MINUTE + i}
        for i in range(count)
    ]


async def at(live: Any, detection: Any, *minutes: int) -> None:
    for minute in minutes:
        live.clock.now = T0 + minute * MINUTE
        await detection.judge()


async def services(live: Any) -> list[str]:
    return [group["service"] for group, _, _ in await live.incidents()]


async def test_the_clock_goes_back(live: Any) -> None:
    """Windows that were judged are judged again by a clock that was put back."""
    live.clock.now = T0
    detection = await live.started(threshold())
    await live.commit(errors("pay", 1))
    await at(live, detection, *range(2, 20))
    ((_, _, resolved),) = await live.incidents()
    assert resolved == T0 + 11 * MINUTE
    await live.commit(errors("web", 4))
    await at(live, detection, *range(3, 26))
    assert await services(live) == ["pay", "web"]
    assert all(resolved for _, _, resolved in await live.incidents())


async def test_the_clock_was_ahead(live: Any) -> None:
    """Hours ahead by mistake; put right, it goes on at once."""
    live.clock.now = T0
    detection = await live.started(threshold())
    await at(live, detection, 300)
    await at(live, detection, 1)
    await live.commit(errors("pay", 2))
    await at(live, detection, 3, 4)
    assert await services(live) == ["pay"]
    await at(live, detection, *range(5, 16))
    again = await live.started(threshold())
    await live.commit(errors("web", 15))
    await at(live, again, 16)
    assert await services(live) == ["pay", "web"]


async def test_the_clock_leaps_ahead(live: Any) -> None:
    live.clock.now = T0
    detection = await live.started(threshold())
    await at(live, detection, 1)
    await live.commit([*errors("pay", 30), *errors("web", 100)])
    await at(live, detection, 200)
    assert await services(live) == ["pay", "web"]
    await at(live, detection, 201, 202)
    assert all(resolved for _, _, resolved in await live.incidents())


async def test_another_node_goes_on_in_the_middle(live: Any) -> None:
    """A node that judges after another took over, as one that was frozen, changes nothing."""
    live.clock.now = T0
    first = await live.started(threshold())
    await live.commit(errors("pay", 1))
    await at(live, first, 2)
    second = await live.started(threshold())
    await at(live, second, 3, 4)
    await at(live, first, 4)
    await at(live, second, *range(5, 13))
    await at(live, first, 13)
    assert await services(live) == ["pay"]
    assert (await live.incidents())[0][2] is not None


async def test_what_found_nothing_is_written_now_and_then(live: Any, store: Store) -> None:
    """After a crash those seconds are judged again; what opens an incident is written at once."""
    live.clock.now = T0
    detection = await live.started(threshold())

    async def until() -> int:
        found = await store.pool.fetchval("select evaluated_until from detector_state")
        return round((found.timestamp() * SECOND - T0) / MINUTE)

    await at(live, detection, 1, 2, 3)
    assert await until() == 1, "the first run says that the detector works"
    await live.shared.idle.write()
    assert await until() == 3
    await at(live, detection, 4, 5)
    await live.commit(errors("pay", 4))
    again = await live.started(threshold())
    await at(live, again, 5, 6)
    assert await services(live) == ["pay"]
    assert await until() == 6
    await live.shared.idle.write()
    assert await until() == 6


async def test_events_that_are_deleted(live: Any, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An incident whose events are gone is over, and does not come again."""
    monkeypatch.setattr("cordwood.core.storage.forgetting._AGAIN_SECONDS", 0.05)
    monkeypatch.setattr("cordwood.core.storage.forgetting._PAUSE_SECONDS", 0.01)
    live.clock.now = T0
    detection = await live.started(threshold(resolve_after="0s"))
    await live.commit([*errors("pay", 1), *errors("web", 1)])
    await at(live, detection, 2)
    assert await services(live) == ["pay", "web"]
    await store.pool.execute("insert into detector_memory values (1, 'new', '\\x01', 1, 1, 'call to pay failed')")
    searcher = EngineSearcher(live.engine)
    asked = await Deletions(store.pool, searcher).create(
        Search(project_id=1, text="service:pay", now_ns=now_ns()), "ann"
    )
    eraser = Eraser(store.pool, store.files, store.cache, limiter=store.workers)
    await DeletionWorker(store.pool, store.commits, store.files, eraser, searcher, scrub).run_all()
    assert asked.id
    assert await store.pool.fetchval("select text from detector_memory") == "call to … failed"
    await at(live, detection, 3)
    ended = {group["service"]: resolved for group, _, resolved in await live.incidents()}
    assert ended["web"] is None
    assert len(ended) == 2
    assert sum(resolved is not None for resolved in ended.values()) == 1
    await at(live, detection, *range(4, 9))
    assert len(await live.incidents()) == 2


async def test_a_detector_that_changes(live: Any) -> None:
    """The incidents of the same name and group live on by the new rule; those of a rule that is gone are over."""
    live.clock.now = T0
    detection = await live.started(threshold())
    await live.commit([*errors("pay", 1, 9), *errors("web", 1, 5)])
    await at(live, detection, 2)
    assert await services(live) == ["pay", "web"]
    changed = await live.started(threshold("n > 7", resolve_after="0s"))
    await at(live, changed, 3)
    assert [(g["service"], bool(resolved)) for g, _, resolved in await live.incidents()] == [
        ("pay", False),
        ("web", True),
    ]
    await live.journal.enter({}, live.clock(), 0)
    assert all(resolved for _, _, resolved in await live.incidents())
    back = await live.started(threshold())
    await at(live, back, 4)
    assert await services(live) == ["pay", "web", "pay", "web"]  # it begins anew: there is trouble, and it says so
