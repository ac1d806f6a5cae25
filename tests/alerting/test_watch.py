"""A hundred detectors ask the log together: one statement for all, and runs only for those that an event concerns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from cordwood.core.alerting import AlertingRepository, AlertingService, Events
from cordwood.core.alerting.together import Together
from cordwood.core.query import QueryEngine, QueryRequest
from cordwood.core.query.newest import NewestFound, Plan, is_searched
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.store import Store
from cordwood.detectors.absence import Absence, AbsenceConfig
from cordwood.detectors.match import Match, MatchConfig
from cordwood.detectors.threshold import Threshold, ThresholdConfig
from cordwood.plugins import Batch, Detector, QueryError, iso_ns, now_ns
from prometheus_client import CollectorRegistry

pytestmark = pytest.mark.anyio
SECOND = 1_000_000_000


class Counting(QueryEngine):
    """Counts what it is asked: queries one by one, and statements for all searches together."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.asked: list[str] = []
        self.together = 0

    async def run(self, request: QueryRequest, progress: Any = None) -> Any:
        self.asked.append(request.text)
        return await super().run(request, progress)

    async def fed(self, *arguments: Any, **named: Any) -> Any:
        self.together += 1
        return await super().fed(*arguments, **named)


@pytest.fixture
async def counting(store: Store, data_dir: Path) -> AsyncIterator[Counting]:
    made = Counting(
        catalog=store.catalog, cache=store.cache, memory_limit="512MiB", threads=1, spill=data_dir / "spill"
    )
    yield made
    made.close()


async def commit(store: Store, *events: dict[str, Any]) -> None:
    batch = Batch.from_records([{"timestamp": now_ns(), **event} for event in events])
    await (await store.writer.submit(Submission(1, "test", batch))).committed()


def hundred() -> dict[str, Detector[Any]]:
    matches = {
        f"match{i}": Match(MatchConfig(query=f'service:s{i} "broken {i}"', window="1m", every="1s", notify=["channel"]))
        for i in range(50)
    }
    query = "severity>=error code={} | stats count() as n by service"
    thresholds = {
        f"threshold{i}": Threshold(ThresholdConfig(query=query.format(i), condition="n > 1", window="1m"))
        for i in range(50)
    }
    return {**matches, **thresholds}


async def test_a_hundred_share_one_statement(
    store: Store, counting: Counting, scripted: Any, background: Any, eventually: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cordwood.core.alerting.idle.EVERY_SECONDS", 0.1)
    told: list[str] = []
    channel = scripted.Tell(lambda notification: told.append(notification.detector) or "noted")
    service = AlertingService(store, counting, link=lambda _: "", metrics=CollectorRegistry())
    positions = "select min(position) from detector_state where name <> 'match7'"
    async with background(service.run_plugins, 1, hundred(), {"channel": channel}):
        await eventually(lambda: len(set(counting.asked)) == 100, 60)
        counting.asked.clear()
        for number in range(5):
            await commit(store, {"service": "web", "message": f"all is well {number}"})
        head = await store.catalog.head(1)

        async def settled() -> bool:
            return bool(await store.pool.fetchval(positions) == head)

        await eventually(settled, 30)
        assert counting.asked == []
        assert 1 <= counting.together <= 6
        await commit(store, {"service": "s7", "message": "Broken 7 times"})
        await eventually(lambda: told == ["match7"], 30)
        assert {text.split(" |")[0] for text in counting.asked} == {'service:s7 "broken 7"'}
    items = (await AlertingRepository(store.pool).list_incidents(1)).items
    assert [item.detector for item in items] == ["match7"]


async def test_an_open_match_is_asked_again_when_its_events_leave_the_window(
    store: Store, counting: Counting, scripted: Any, background: Any, eventually: Any
) -> None:
    """Not each tenth of a second; but what is new in it is told at once, whatever else comes meanwhile."""
    told: list[tuple[str, str, int]] = []
    channel = scripted.Tell(lambda one: told.append((one.event, one.group["host"], now_ns())) or "noted")
    service = AlertingService(store, counting, link=lambda _: "", metrics=CollectorRegistry())
    often = {"window": "4s", "every": "100ms", "resolve_after": "0s", "notify": ["channel"]}
    detectors: dict[str, Detector[Any]] = {"broken": Match(MatchConfig(query="broken", by=["host"], **often))}
    async with background(service.run_plugins, 1, detectors, {"channel": channel}):
        await eventually(lambda: bool(counting.asked), 30)
        await anyio.sleep(4.5)  # what it does not know at its start has left the window
        counting.asked.clear()
        begin = now_ns()
        await commit(store, {"message": "broken", "host": "a"})
        await eventually(lambda: [event for event, *_ in told] == ["opened"], 10)
        await anyio.sleep(1)
        await commit(store, {"message": "all is well"})
        await commit(store, {"message": "broken", "host": "b"})
        await eventually(lambda: len(told) == 4, 20)
        looks = [text for text in counting.asked if "events" in text]
    assert [(event, host) for event, host, _ in told] == [
        ("opened", "a"), ("opened", "b"), ("resolved", "a"), ("resolved", "b")
    ]  # fmt: skip
    assert 0 <= told[2][2] - begin - 4 * SECOND < 1.5 * SECOND
    assert len(looks) < 20, "forty tenths of a second, and ten more"


async def test_thresholds_that_differ_in_the_condition_share_an_aggregation(
    store: Store, counting: Counting, scripted: Any, background: Any, eventually: Any
) -> None:
    """Twenty over one aggregation are asked by one query."""
    told: list[str] = []
    channel = scripted.Tell(lambda one: told.append(f"{one.event} {one.detector} {one.values['n']}") or "noted")
    service = AlertingService(store, counting, link=lambda _: "", metrics=CollectorRegistry())
    base = "service:web | stats count() as n by host"
    detectors: dict[str, Detector[Any]] = {
        f"over{bound}": Threshold(
            ThresholdConfig(query=base, condition=f"n > {bound}", window="5m", every="5s", notify=["channel"])
        )
        for bound in range(20)
    }
    async with background(service.run_plugins, 1, detectors, {"channel": channel}):

        async def all_looked() -> bool:
            return bool(await store.pool.fetchval("select count(last_run_at) = 20 from detector_state"))

        await eventually(all_looked, 60)
        counting.asked.clear()
        await commit(store, *({"service": "web", "host": "a", "message": "x"} for _ in range(12)))
        await eventually(lambda: len(told) == 12, 60)
        aggregations = [text for text in counting.asked if text.startswith(base)]
        assert len(aggregations) <= 3, aggregations  # the moment may have ended between the first and the last
    assert sorted(told) == sorted(f"opened over{bound} 12" for bound in range(12))


async def test_conditions_asked_together_as_alone(live: Any) -> None:
    await live.commit(
        [{"service": f"s{i % 7}", "status": i, "timestamp": live.clock.now + i, "message": "x"} for i in range(100)]
    )
    events = Events(live.engine, 1, 10)
    bounds: dict[str, Any] = {"from_ns": 0, "to_ns": live.clock.now + 1000, "now_ns": live.clock.now, "limit": 100}
    base = "x | stats count() as n, max(status) as worst by service"
    conditions = ["n > 14", "worst >= 97 or n = 15", 'service in ("s1", "s2")', "n > 99", "absent > 1", "n >", "worst"]
    together = Together()
    for _ in range(2):
        for condition in conditions:
            text = f"{base} | where {condition}"
            try:
                alone = await events.rows(text, **bounds)
            except QueryError:
                with pytest.raises(QueryError):
                    await together.rows(events, text, **bounds)
            else:
                found = await together.rows(events, text, **bounds)
                assert sorted(map(str, found)) == sorted(map(str, alone)), condition


async def test_what_comes_goes_on_being_judged(
    store: Store, counting: Counting, scripted: Any, background: Any, eventually: Any
) -> None:
    """Silence is no event: nothing concerns the detector, and it fires when the window is over."""
    told: list[tuple[str, str]] = []
    channel = scripted.Tell(lambda one: told.append((one.event, str(one.group.get("host")))) or "noted")
    service = AlertingService(store, counting, link=lambda _: "", metrics=CollectorRegistry())
    silent = Absence(AbsenceConfig(query="beat", by=["host"], window="1s", every="100ms", notify=["channel"]))
    async with background(service.run_plugins, 1, {"silent": silent}, {"channel": channel}):
        await commit(store, {"host": "a", "message": "beat"})
        await eventually(lambda: told == [("opened", "a")], 30)
        await commit(store, {"host": "a", "message": "beat"})
        await eventually(lambda: ("resolved", "a") in told, 30)


async def test_a_search_that_cannot_be_asked_together(
    store: Store, counting: Counting, scripted: Any, background: Any, eventually: Any
) -> None:
    """A query that is wrong, or reads more than its search, is judged after every commit; it disturbs no other."""
    told: list[str] = []
    channel = scripted.Tell(lambda notification: told.append(notification.detector) or "noted")
    service = AlertingService(store, counting, link=lambda _: "", metrics=CollectorRegistry())
    both = "service:nobody | union (service:web) | stats count() as n by service"
    detectors = {
        "wrong": Match(MatchConfig(query="timestamp:soon", every="100ms")),
        "both": Threshold(ThresholdConfig(query=both, condition="n > 0", every="100ms", notify=["channel"])),
        "fine": Match(MatchConfig(query="broken", every="100ms", notify=["channel"])),
    }
    async with background(service.run_plugins, 1, detectors, {"channel": channel}):
        await eventually(lambda: len(set(counting.asked)) == 3, 30)
        await commit(store, {"service": "web", "message": "broken"})
        await eventually(lambda: sorted(told) == ["both", "fine"], 30)

        async def refused() -> bool:
            rows = (await AlertingRepository(store.pool).list_detectors(1)).items
            return {row.name for row in rows if row.state == "error"} == {"wrong"}

        await eventually(refused, 30)


async def test_what_comes_while_nobody_leads_is_told_once(
    store: Store, counting: Counting, scripted: Any, background: Any, eventually: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quiet detectors' progress is written; another node goes on from there, and judges what came in between."""
    monkeypatch.setattr("cordwood.core.alerting.idle.EVERY_SECONDS", 0.1)
    told: list[str] = []
    channel = scripted.Tell(lambda one: told.append(f"{one.event} {one.group['service']}") or "noted")
    match = Match(MatchConfig(query="broken", by=["service"], window="1h", every="100ms", notify=["channel"]))

    async def written() -> bool:
        return bool(await store.pool.fetchval("select position from detector_state") == await store.catalog.head(1))

    for service_name in ("a", "b"):
        node = AlertingService(store, counting, link=lambda _: "", metrics=CollectorRegistry())
        async with background(node.run_plugins, 1, {"match": match}, {"channel": channel}):
            await commit(store, {"message": "all is well"})
            await eventually(written, 30)
            wanted = [f"opened {name}" for name in ("a", "b") if name < service_name]
            await eventually(lambda wanted=wanted: told == wanted, 30)
        await commit(store, {"service": service_name, "message": "broken"})
    node = AlertingService(store, counting, link=lambda _: "", metrics=CollectorRegistry())
    async with background(node.run_plugins, 1, {"match": match}, {"channel": channel}):
        await eventually(lambda: told == ["opened a", "opened b"], 30)


async def test_an_event_that_comes_late_concerns_a_quiet_detector(
    store: Store, counting: Counting, scripted: Any, background: Any, eventually: Any
) -> None:
    """Older than the window, younger than the grace: its window is judged, although it has passed."""
    told: list[str] = []
    channel = scripted.Tell(lambda one: told.append(one.event) or "noted")
    service = AlertingService(store, counting, link=lambda _: "", metrics=CollectorRegistry())
    match = Match(MatchConfig(query="broken", window="2s", every="100ms", grace="10m", notify=["channel"]))
    async with background(service.run_plugins, 1, {"match": match}, {"channel": channel}):
        await commit(store, {"message": "all is well"})
        await eventually(lambda: counting.together, 30)
        await commit(store, {"message": "broken", "timestamp": now_ns() - 120 * SECOND})
        await eventually(lambda: told == ["opened", "resolved"], 40)


SEARCHES = [
    "*", "refused", "REFUSED or timed", '"timed out" -service:web', "not refused", "service:web", "status>=500",
    "status:500", 'status:"500"', "severity>=warn", "client:10.0.0.0/8", "path:/api/*", "path~CART", "/ref.sed/",
    "user:* refused", "nothing at all", "ünder", "'Refused'", "code:a.b*c+", '"a.b*c+ (d"', "time>=-1m refused",
    "pattern:\"took <*> ms\"", "level:error", "absent=1", "-absent=1 refused", "(refused or status:500) service:db",
    'service:nobody or code:"a.b*c+"', "service:nobody refused", 'service:db service:"web"', "status:500 service=web",
    "-service:web code=a.b*c+", "service:10.0.0.0/8", "path:/cart", "absent:x or service:y", 'message:"it timed out"',
]  # fmt: skip
EVENTS: list[dict[str, Any]] = [
    {"message": "connection refused", "service": "web", "severity": "error", "status": 500, "user": "ann"},
    {"message": "Connection Refused", "service": "db", "status": "500"},
    {"message": "it timed out", "service": "db", "severity": "warn", "client": "10.1.2.3", "path": "/api/x"},
    {"message": "took 5 ms", "service": "web", "status": 200, "path": "/cart"},
    {"message": "ÜNDER a.b*c+ (d", "service": "x", "code": "a.b*c+"},
    {"message": "", "service": "y"},
]


@pytest.mark.parametrize(
    "bounds",
    [
        {},
        {"MOST_SAID": 0},
        {"MOST_PHRASES": 0},
        {"SIFTED_ROWS": 0},
        {"SIFTED_BYTES": 0},
        {"SIFTED_FROM": 1_000},
        {"MOST_VALUES": 1},
    ],
    ids=str,
)
async def test_together_as_alone(
    live: Any, store: Store, bounds: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For every search the same event as its own query finds; what depends on the clock may find more."""
    for name, value in bounds.items():
        monkeypatch.setattr(f"cordwood.core.query.newest.{name}", value)
    begin = live.clock.now
    for first in (0, 2, 4):  # segments that differ in their fields, and in the kinds of these
        await live.commit([{**event, "timestamp": begin + first + i} for i, event in enumerate(EVENTS[first:][:2])])
    head = await store.catalog.head(1)
    together = NewestFound(live.engine, SEARCHES)
    for after in range(head):
        request = QueryRequest(
            text="", project_id=1, now_ns=begin + SECOND, after_position=after, upto_position=head, limit=1
        )
        found = await together.of(request)
        for search, newest in zip(SEARCHES, found, strict=True):
            alone = QueryRequest(
                text=f"{search} | stats max(timestamp) as at", project_id=1, now_ns=begin + SECOND, limit=1,
                after_position=after, upto_position=head,
            )  # fmt: skip
            (row,) = list((await live.engine.run(alone)).objects()) or [{}]
            assert newest == (iso_ns(row["at"]) if row else None), (search, after)


async def test_a_column_that_was_not_fetched_is_fetched_then(
    live: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cordwood.core.query.newest.searched_fields", lambda *_: set())
    await live.commit([{"timestamp": live.clock.now, **EVENTS[0]}])
    together = NewestFound(live.engine, ["status>=500", "user=ann refused", "user=bob"])
    request = QueryRequest(text="", project_id=1, now_ns=live.clock.now, after_position=0, upto_position=1)
    assert await together.of(request) == [live.clock.now, live.clock.now, None]


async def test_only_what_may_have_found_something_is_asked(
    live: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a hundred searches two: a column for each would cost more than all the rest."""
    columns: list[int] = []
    answered = Plan.answer

    def counted(plan: Plan, execute: Any, *, sifted: bool) -> Any:
        def counting(statement: str) -> Any:
            rows = execute(statement)
            columns.append(len(rows[0]))
            return rows

        return answered(plan, counting, sifted=sifted)

    monkeypatch.setattr(Plan, "answer", counted)
    together = NewestFound(
        live.engine, [f'service:s{i} "broken {i}x"' if i % 2 else f"code=c{i} status>{i}" for i in range(100)]
    )
    events: list[dict[str, Any]] = [
        {"message": "broken 7x", "service": "s7"}, {"message": "broken 9x", "service": "s11"},
        {"code": "c8", "status": 9}, {"code": "c10", "status": 10}, {"message": "all is well", "service": "s13"},
    ]  # fmt: skip
    await live.commit([{"timestamp": live.clock.now, **event} for event in events])
    request = QueryRequest(text="", project_id=1, now_ns=live.clock.now, after_position=0, upto_position=1)
    found = await together.of(request)
    assert [i for i, at in enumerate(found) if at is not None] == [7, 8]
    assert columns == [3, 1, 3], "the fields' values, messages; then s7, c8 and c10"


async def test_events_deleted_are_kept_nowhere(live: Any, store: Store) -> None:
    """After a deletion the engine forgets: the statement that was kept prepared goes with what it read."""
    await live.commit([{"message": "secret", "timestamp": live.clock.now}])
    together = NewestFound(live.engine, ["secret"])
    request = QueryRequest(text="", project_id=1, now_ns=live.clock.now, after_position=0, upto_position=1)
    assert await together.of(request) == [live.clock.now]
    await live.engine.forget()
    assert await together.of(request) == [live.clock.now]
    assert datetime.fromtimestamp(live.clock.now // SECOND, UTC).year == 2026


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a | stats count()", True),
        ("| stats count() as n by bin(1m)", True),
        ("a | join x (b)", False),
        ("a | lookup t on x", False),
        ("a | where x in t", False),
        ("a | stats count() | compare -1d", False),
        ("from incidents a", False),
        ("a |", False),
    ],
)
def test_what_a_search_says_all_of(text: str, wanted: bool) -> None:
    assert is_searched(text) is wanted
