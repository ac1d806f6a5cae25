"""The service in this process, over a real store: when detectors run, and when they do not."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio
import pytest
from cordwood.config import Routing
from cordwood.core.alerting import AlertingRepository, AlertingService
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.store import Store
from cordwood.plugins import Batch, QueryError
from prometheus_client import CollectorRegistry

pytestmark = pytest.mark.anyio


class Running:
    """A service with scripted detectors, in the background."""

    def __init__(self, store: Store, scripted: Any, background: Any) -> None:
        self.store, self.scripted, self._background = store, scripted, background
        self.registry = CollectorRegistry()
        self.events = scripted.Events([{"message": "card declined"}])
        self.service = AlertingService(store, self.events, link=lambda id_: f"/{id_}", metrics=self.registry)
        self.repository = AlertingRepository(store.pool)
        self.told: list[Any] = []
        self.channel = scripted.Tell(lambda notification: self.told.append(notification) or "noted")

    def detector(self, groups: Any = None, **config: Any) -> Any:
        config = {"notify": ["channel"]} | config
        return self.scripted.Scripted(self.scripted.ScriptedConfig(**config), groups)

    def with_detectors(self, **detectors: Any) -> AbstractAsyncContextManager[None]:
        return self._background(self.service.run_plugins, 1, detectors, {"channel": self.channel})

    async def commit(self, *messages: str) -> None:
        batch = Batch.from_records([{"message": message} for message in messages])
        await (await self.store.writer.submit(Submission(1, "test", batch))).committed()

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


@pytest.fixture
def running(store: Store, scripted: Any, background: Any) -> Running:
    return Running(store, scripted, background)


async def test_told_soon_after_the_commit(running: Running, eventually: Any) -> None:
    trouble: list[str] = []
    detector = running.detector(lambda _: trouble, every="1s")
    async with running.with_detectors(errors=detector):
        await eventually(lambda: detector.runs)
        await running.commit("boom")
        trouble.append("pay")
        assert await eventually(lambda: running.told) < 5
    (incident,) = (await running.repository.list_incidents(1)).items
    assert incident.samples == [{"message": "card declined"}]
    assert running.events.requests[0].limit == 5
    assert running.metric("cordwood_incidents_open", detector="errors") == 1
    lag = running.metric("cordwood_detector_lag_seconds", detector="errors")
    assert lag is not None
    assert 0 <= lag < 5


async def test_no_run_without_anything_new(running: Running, eventually: Any) -> None:
    detector = running.detector(window="100ms", every="100ms")
    async with running.with_detectors(errors=detector):
        await eventually(lambda: detector.runs)
        await anyio.sleep(0.8)
        before = len(detector.runs)
        await anyio.sleep(1.5)
        assert len(detector.runs) == before
        await running.commit("boom")
        assert await eventually(lambda: len(detector.runs) > before) < 1


async def test_never_more_often_than_every(running: Running, eventually: Any) -> None:
    detector = running.detector(lambda _: ["pay"], every="500ms")
    async with running.with_detectors(errors=detector):
        for _ in range(20):
            await running.commit("boom")
            await anyio.sleep(0.05)
    gaps = [b - a for a, b in zip(detector.runs, detector.runs[1:], strict=False)]
    assert gaps
    assert min(gaps) > 450_000_000


async def test_the_leaving_of_events_is_seen_without_a_commit(running: Running, eventually: Any) -> None:
    """Too few events: a window that empties changes the answer though nothing new came."""
    began: list[int] = []

    def groups(at_ns: int) -> list[str]:
        began.append(at_ns)
        return ["pay"] if at_ns - began[0] > 1_500_000_000 else []

    async with running.with_detectors(quiet=running.detector(groups, window="2s", every="200ms")):
        assert await eventually(lambda: running.told) < 4


async def test_a_detector_that_fails_leaves_the_others_alone(running: Running, eventually: Any) -> None:
    broken = [True]

    def wrong(_: int) -> list[str]:
        if broken:
            raise QueryError("no such function")
        return []

    def defect(_: int) -> list[str]:
        raise ZeroDivisionError("defect")

    async with running.with_detectors(
        good=running.detector(lambda _: ["pay"]), wrong=running.detector(wrong), defect=running.detector(defect)
    ):
        await eventually(lambda: running.told)

        async def failed() -> bool:
            return len((await running.repository.list_detectors(1, state="error")).items) == 2

        await eventually(failed)  # each of the three begins when it gets its turn
        items = {item.name: item for item in (await running.repository.list_detectors(1)).items}
        assert (items["good"].state, items["good"].open_incidents) == ("firing", 1)
        assert (items["wrong"].state, items["wrong"].error) == ("error", "no such function")
        assert (items["defect"].state, items["defect"].error) == ("error", "ZeroDivisionError: defect")
        assert (running.metric("cordwood_detector_failures_total", detector="wrong") or 0) >= 1
        broken.clear()

        async def mended() -> bool:
            return (await running.repository.list_detectors(1, state="ok")).items != []

        await eventually(mended)


async def test_what_a_detector_keeps_is_there_after_a_restart(running: Running, eventually: Any) -> None:
    first = running.detector(every="100ms", window="200ms")
    first.keeps = True
    async with running.with_detectors(errors=first):
        await running.commit("boom")
        await eventually(lambda: len(first.runs) > 1)
    second = running.detector(every="100ms", window="200ms")
    async with running.with_detectors(errors=second):
        await eventually(lambda: second.runs)
    assert first.learned[:2] == [None, b"1 runs"]
    assert second.learned[0] == f"{len(first.runs)} runs".encode()
    too_much = running.detector()
    too_much.keeps = b"x" * (16 << 20) + b"x"
    async with running.with_detectors(errors=too_much):

        async def refused() -> bool:
            (item,) = (await running.repository.list_detectors(1)).items
            return "would keep 16,777,217 bytes" in (item.error or "")

        await eventually(refused)
    assert running.metric("cordwood_detector_failures_total", detector="errors")


async def test_what_happened_during_downtime_is_told(running: Running, eventually: Any, store: Store) -> None:
    hour_ago = "now() - interval '1 hour'"
    async with running.with_detectors(errors=running.detector()):
        await eventually(
            lambda: running.registry.get_sample_value("cordwood_detector_runs_total", {"detector": "errors"})
        )
        await anyio.sleep(0.3)
    await store.pool.execute(f"update detector_state set evaluated_until = {hour_ago}")
    half_hour_ago = await store.pool.fetchval(
        "select (extract(epoch from now() - interval '30 minutes') * 1e9)::bigint"
    )
    batch = Batch.from_records([{"message": "boom", "timestamp": half_hour_ago}])
    await (await store.writer.submit(Submission(1, "test", batch))).committed()

    def groups(at_ns: int) -> list[str]:
        return ["pay"] if half_hour_ago < at_ns <= half_hour_ago + 10_000_000_000 else []

    detector = running.detector(groups, resolve_after="0s")
    async with running.with_detectors(errors=detector):
        await eventually(lambda: len(running.told) == 2)
    assert [told.event for told in running.told] == ["opened", "resolved"]
    (incident,) = (await running.repository.list_incidents(1)).items
    assert incident.opened_at < incident.resolved_at  # type: ignore[operator]
    assert len(detector.runs) < 20


async def test_a_late_event_is_judged_in_its_own_window(running: Running, eventually: Any, store: Store) -> None:
    detector = running.detector()
    async with running.with_detectors(errors=detector):
        await eventually(lambda: detector.runs)
        late = detector.runs[0] - 120_000_000_000
        detector.groups = lambda at_ns: ["pay"] if late < at_ns <= late + 10_000_000_000 else []
        batch = Batch.from_records([{"message": "boom", "timestamp": late}])
        await (await store.writer.submit(Submission(1, "test", batch))).committed()
        await eventually(lambda: [told.event for told in running.told] == ["opened", "resolved"])
        await running.commit("more")
        await anyio.sleep(0.5)
    assert len(running.told) == 2


async def test_reload_keeps_incidents_and_changes_detectors(running: Running, eventually: Any, background: Any) -> None:
    class Entry:
        def __init__(self, made: Any) -> None:
            self.make = lambda: made

    class Config:
        def __init__(self, **detectors: Any) -> None:
            self.detectors = {name: Entry(made) for name, made in detectors.items()}
            self.notifiers = {"channel": Entry(running.channel)}
            self.routing = Routing()
            self.maintenance: dict[str, Any] = {}

    pay, web = running.detector(lambda _: ["pay"]), running.detector(lambda _: ["web"])
    async with background(running.service.run, 1, Config(errors=pay)):
        await eventually(lambda: running.told)
        await running.service.reload(Config(errors=pay, more=web))  # type: ignore[arg-type]
        await eventually(lambda: len(running.told) == 2)
        await running.service.reload(Config(more=web))  # type: ignore[arg-type]
        await eventually(lambda: len(running.told) == 3)
    assert [(told.detector, told.event) for told in running.told] == [
        ("errors", "opened"),
        ("more", "opened"),
        ("errors", "resolved"),
    ]
