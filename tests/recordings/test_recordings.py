"""Recordings over a real node: what is recorded is what the query says, late events, restarts and counters included."""

from __future__ import annotations

import doctest
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
import pytest
from cordwood.config import Config, ConfigErrors, RecordingSettings, Settings, load_text
from cordwood.core.query import QueryRequest
from cordwood.core.recordings import RecordingService, check_recording
from cordwood.core.runtime import Node
from cordwood.core.runtime.configs import load_checked
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.erase import Search
from cordwood.core.storage.leader import Session
from cordwood.plugins import Batch, QueryError, load_plugins, now_ns
from cordwood.web import create_app
from prometheus_client.parser import text_string_to_metric_families

from ..web.conftest import Client

pytestmark = pytest.mark.anyio
MINUTE = 60 * 10**9
T0 = 1769860800 * 10**9  # 2026-01-31T12:00:00Z
BY_SERVICE = "severity>=error | stats count() as n by service"


class Recorder:
    """A node that records nothing by itself, and the service with a clock of its own."""

    def __init__(self, node: Node, connection: Any) -> None:
        self.node, self.session = node, Session(connection)
        self.now = T0
        self.service = self.restarted()

    def restarted(self, **recordings: dict[str, Any]) -> RecordingService:
        """A new service, which knows nothing but what is stored."""
        wanted = {name: RecordingSettings.model_validate(one) for name, one in recordings.items()}
        self.node.config = config = Config(recordings=wanted)
        self.service = RecordingService(
            self.node.store, self.node.engine, self.node.project_id, config, clock=lambda: self.now
        )
        self.node.recordings = self.service
        return self.service

    async def at(self, minutes: float) -> None:
        """Let it be so many minutes after T0, and record what is over."""
        self.now = T0 + int(minutes * MINUTE)
        await self.service.once(self.session)

    async def write(self, *events: tuple[float, str], severity: str = "error") -> None:
        """Commit events at minutes after T0, each of a service."""
        records = [
            {"timestamp": T0 + int(minutes * MINUTE), "service": service, "severity": severity, "message": "m"}
            for minutes, service in events
        ]
        batch = Batch.from_records(records).with_default(source="load")
        await (await self.node.store.writer.submit(Submission(self.node.project_id, "load", batch))).committed()

    async def rows(self, text: str, **more: Any) -> list[dict[str, Any]]:
        request = QueryRequest(text=text, project_id=self.node.project_id, now_ns=self.now, limit=100_000, **more)
        return list((await self.node.engine.run(request)).objects())

    async def figures(self, name: str) -> dict[tuple[str, str], float]:
        """What is recorded: (minute of the hour, service) → figure."""
        rows = await self.rows(f'from metrics | where name = "{name}"')
        return {(row["timestamp"][14:16], row["labels"].get("service", "")): row["value"] for row in rows}

    async def total(self, name: str) -> dict[str, float]:
        return {one.labels.get("service", ""): one.total for one in await self.service.newest(name)}


@pytest.fixture
async def recorder(database_url: str, data_dir: Path) -> AsyncIterator[Recorder]:
    registry = load_plugins()
    settings = Settings(data_dir=data_dir, database_url=database_url, role="query")
    node = Node(settings, Config.default(registry), registry)
    async with node.running(), node.store.pool.acquire() as connection:
        yield Recorder(node, connection)


def test_the_examples_hold() -> None:
    for name in ("rule", "store", "exposition"):
        assert doctest.testmod(import_module(f"cordwood.core.recordings.{name}")).failed == 0


async def test_what_is_recorded_is_what_the_query_says(recorder: Recorder) -> None:
    recorder.restarted(errors={"query": BY_SERVICE, "grace": "5m"}, all={"query": "| stats count() as n"})
    dice = random.Random(7)
    await recorder.at(0)
    for minute in range(1, 21):
        # Some come late, by up to nine minutes: within the grace and beyond it.
        times = [minute - dice.random() * dice.choice((1, 1, 3, 9)) for _ in range(12)]
        await recorder.write(*((time, dice.choice(("web", "api"))) for time in times if time > 0))
        await recorder.write((minute - 0.5, "web"), severity="info")
        await recorder.at(minute)
    assert (await recorder.service.states())["errors"].error is None
    asked = await recorder.rows(f"{BY_SERVICE}, bin(1m) as t", from_ns=T0, to_ns=T0 + 20 * MINUTE)
    said = {(row["t"][14:16], row["service"]): float(row["n"]) for row in asked}
    recorded = await recorder.figures("errors")
    late = {key for key in said if said[key] != recorded.get(key)}
    assert recorded.keys() <= said.keys()
    assert late, "the generator has events beyond the grace"
    assert all(recorded.get(key, 0) < said[key] for key in late)
    everything = await recorder.rows("| stats count() as n by bin(1m) as t", from_ns=T0, to_ns=T0 + 20 * MINUTE)
    assert {key[0]: value for key, value in (await recorder.figures("all")).items()} == {
        row["t"][14:16]: float(row["n"]) for row in everything
    }
    # With a grace that reaches them, a backfill makes all of it agree.
    settings = recorder.node.config.recordings["errors"]
    await recorder.service.backfill("errors", settings, T0, recorder.now, "ada")
    assert await recorder.figures("errors") == said


async def test_a_step_without_events_is_what_the_query_says_of_nothing(recorder: Recorder) -> None:
    recorder.restarted(
        n={"query": "nothing | stats count() as n"},
        mean={"query": "nothing | stats avg(took) as m"},
        few={"query": "nothing | stats count() as n | where n > 0"},
        share={"query": "| stats 100 * countif(severity >= error) / count() as p"},
    )
    await recorder.at(0)
    await recorder.write((1.5, "web"), (1.6, "api"))
    await recorder.at(3)
    assert await recorder.figures("n") == {("00", ""): 0, ("01", ""): 0, ("02", ""): 0}
    assert await recorder.figures("mean") == await recorder.figures("few") == {}
    assert await recorder.figures("share") == {("01", ""): 100}


async def test_a_counter_only_grows(recorder: Recorder) -> None:
    wanted = {"errors": {"query": BY_SERVICE, "kind": "counter", "grace": "10m"}}
    recorder.restarted(**wanted)
    await recorder.at(0)
    await recorder.write((0.5, "web"), (0.6, "web"), (0.7, "api"))
    await recorder.at(1)
    assert await recorder.total("errors") == {"web": 2, "api": 1}
    recorder.restarted(**wanted)
    await recorder.write((0.1, "web"), (1.5, "api"))  # the first is late
    await recorder.at(2)
    assert await recorder.total("errors") == {"web": 3, "api": 2}
    await recorder.at(3)
    assert await recorder.total("errors") == {"web": 3, "api": 2}
    # As after a crash between the figures and the state: the same steps are made again.
    await recorder.node.store.pool.execute(
        "update recording_state set recorded_until = since, position = 0 where name = 'errors'"
    )
    await recorder.at(4)
    assert await recorder.total("errors") == {"web": 3, "api": 2}
    await recorder.service.backfill(
        "errors", recorder.node.config.recordings["errors"], T0 - 60 * MINUTE, recorder.now, "ada"
    )
    assert await recorder.total("errors") == {"web": 3, "api": 2}
    await recorder.write((3.5, "web"))
    await recorder.at(5)
    assert await recorder.total("errors") == {"web": 4, "api": 2}


async def test_what_is_deleted_leaves_the_figures_and_not_the_totals(recorder: Recorder) -> None:
    recorder.restarted(errors={"query": BY_SERVICE, "kind": "counter"})
    await recorder.at(0)
    await recorder.write((0.5, "web"), (0.6, "api"))
    await recorder.at(1)
    pool = recorder.node.store.pool
    search = Search(text="service:web", project_id=recorder.node.project_id, now_ns=recorder.now)
    await recorder.node.deletions.create(search, "ada")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(recorder.node.delete)
        with anyio.fail_after(20):
            while await recorder.rows("service:web"):
                await anyio.sleep(0.05)
        tasks.cancel_scope.cancel()
    await recorder.service.backfill("errors", recorder.node.config.recordings["errors"], T0, recorder.now, "ada")
    assert await recorder.figures("errors") == {("00", "api"): 1}
    assert await recorder.total("errors") == {"web": 1, "api": 1}
    assert await pool.fetchval("select count(*) from audit where what = 'recording.backfill'") == 1


async def test_downtime_is_made_up_for(recorder: Recorder) -> None:
    wanted = {"errors": {"query": BY_SERVICE, "grace": "1m"}}
    recorder.restarted(**wanted)
    await recorder.at(0)
    await recorder.write(*((minute + 0.5, "web") for minute in range(59)))
    recorder.restarted(**wanted)
    await recorder.at(59)
    assert await recorder.figures("errors") == {(f"{minute:02}", "web"): 1 for minute in range(59)}


async def test_series_are_bounded_and_what_is_left_out_is_counted(recorder: Recorder) -> None:
    recorder.restarted(errors={"query": BY_SERVICE, "series": 3})
    await recorder.at(0)
    await recorder.write(*((0.5, f"s{n}") for n in range(10)))
    await recorder.at(1)
    first = {service for _, service in await recorder.figures("errors")}
    assert len(first) == 3
    await recorder.write(*((1.5, f"s{n}") for n in range(20)))
    await recorder.at(2)
    assert {service for _, service in await recorder.figures("errors")} == first
    assert (await recorder.service.states())["errors"].dropped == 7 + 17


async def test_more_figures_than_one_query_may_have_are_asked_in_parts(recorder: Recorder) -> None:
    recorder.restarted(errors={"query": BY_SERVICE, "series": 500})
    await recorder.at(0)
    for half in range(2):
        minutes = range(half * 25, half * 25 + 25)
        await recorder.write(*((minute + 0.5, f"s{n}") for minute in minutes for n in range(500)))
    await recorder.at(50)
    assert sum((await recorder.figures("errors")).values()) == 25_000


async def test_another_step_begins_where_the_old_one_ended(recorder: Recorder) -> None:
    recorder.restarted(errors={"query": BY_SERVICE, "kind": "counter"})
    await recorder.at(0)
    await recorder.write((0.5, "web"), (2.5, "web"))
    await recorder.at(3)
    recorder.restarted(errors={"query": BY_SERVICE, "kind": "counter", "every": "5m"})
    await recorder.write((0.2, "web"), (6.5, "web"))  # the first is late, for a step of the old length
    await recorder.at(10)
    assert await recorder.figures("errors") == {("00", "web"): 1, ("02", "web"): 1, ("05", "web"): 1}
    assert await recorder.total("errors") == {"web": 3}


async def test_old_figures_go_and_a_query_that_fails_stops_no_other(recorder: Recorder) -> None:
    recorder.restarted(
        texts={"query": "| stats max(message) as m"},
        errors={"query": BY_SERVICE, "keep": "5m"},
    )
    await recorder.at(0)
    await recorder.write((0.5, "web"), (7.5, "web"))
    await recorder.at(1)
    await recorder.at(8)
    assert await recorder.figures("errors") == {("07", "web"): 1}
    assert "a metric is a number" in ((await recorder.service.states())["texts"].error or "")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("error", "answers events"),
        ("error | stats count() as a, max(x) as b", "keeps one figure"),
        ("error | stats count() as n | sort -n", "`sort` after `stats`"),
        ("error | stats count() as n by bin(1m)", "has a time already"),
        ("error | where timestamp > now() - 5m | stats count() as n", "more than the step"),
        ("error | stats rate() as n", "more than the step"),
        ("from incidents | stats count() as n", "reads events only"),
    ],
    ids=["events", "two figures", "sort", "time as a key", "now", "rate", "another table"],
)
def test_what_cannot_be_recorded_is_refused(query: str, told: str) -> None:
    with pytest.raises(QueryError, match=told):
        check_recording(query)


def test_mistakes_are_told_at_their_place(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        'version: 1\nrecordings:\n  a b: {query: "x | stats count() as n"}\n  events: {query: "x"}\n'
        '  short: {query: "x | stats count() as n", every: 1s}\n'
        '  n_total: {query: "x | stats count() as n"}\n  n: {query: "x | stats count() as n", kind: counter}\n'
    )
    with pytest.raises(ConfigErrors) as caught:
        load_checked(path, load_plugins())
    found = [(error.line, str(error)) for error in caught.value.errors]
    assert [line for line, _ in sorted(found)] == [3, 4, 5, 7]
    for line, words in ((3, "no name of a metric"), (4, "answers events"), (5, "from 10s to 1d"), (7, "n_total")):
        assert any(at == line and words in text for at, text in found), (line, found)


async def test_prometheus_is_told(recorder: Recorder) -> None:
    recorder.restarted(
        errors={"query": f"{BY_SERVICE}, lower(message) as `a b`", "kind": "counter", "help": 'says "x"\\\nand y'},
        load={"query": "| stats count() as n by service"},
    )
    await recorder.at(0)
    await recorder.write((0.5, 'w"e\\b\n}'), (0.6, 'w"e\\b\n}'), (0.7, "api"))
    await recorder.at(1)
    await recorder.write((1.5, "api"))
    await recorder.at(2)
    async with client_of(recorder.node) as client:
        answer = await client.get("/api/v1/metrics/recorded")
        assert answer.headers["content-type"].startswith("text/plain; version=")
        samples = {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }
        assert samples == {
            ("errors_total", (("a_b", "m"), ("service", 'w"e\\b\n}'))): 2,
            ("errors_total", (("a_b", "m"), ("service", "api"))): 2,
            ("load", (("service", "api"),)): 1,  # the other has nothing in the newest step
        }
        listed = (await client.get("/api/v1/recordings")).json()["items"]
        assert [(item["name"], item["series"], item["recorded_until"]) for item in listed] == [
            ("errors", 2, "2026-01-31T12:02:00.000000000Z"),
            ("load", 2, "2026-01-31T12:02:00.000000000Z"),
        ]
        assert (await client.get("/api/v1/recordings/load")).json() == listed[1]
        assert (await client.get("/api/v1/recordings/none")).status_code == 404
        body = {"from": "2026-01-31T11:00:00Z", "to": "2026-01-31T12:05:00Z"}
        made = await client.post("/api/v1/recordings/load/backfill", json=body)
        assert made.json() == {"steps": 62, "figures": 3, "dropped": 0}
        refused = await client.post("/api/v1/recordings/load/backfill", json=body | {"from": "2026-01-31T12:04:59Z"})
        assert (refused.status_code, "no whole step" in refused.text) == (400, True)
        by_label = await client.rows(
            'from metrics | where name = "load" | stats sum(value) as n by json(labels, "$.service") as s'
        )
        assert {row["s"]: row["n"] for row in by_label} == {"api": 2, 'w"e\\b\n}': 2}


@asynccontextmanager
async def client_of(node: Node) -> AsyncIterator[Client]:
    import httpx

    app = create_app(node)
    async with Client(transport=httpx.ASGITransport(app=app), base_url="http://localhost", timeout=30) as client:
        yield client


async def test_the_node_records_by_itself(database_url: str, data_dir: Path) -> None:
    registry = load_plugins()
    config = load_text('version: 1\nrecordings: {all: {query: "| stats count() as n", every: 10s}}', registry)
    node = Node(Settings(data_dir=data_dir, database_url=database_url), config, registry)
    async with node.running():
        with anyio.fail_after(20):
            while not await node.recordings.states():
                await anyio.sleep(0.05)
        # As if it had been down for an hour.
        await node.store.pool.execute("update recording_state set recorded_until = recorded_until - interval '1 hour'")
        with anyio.fail_after(20):
            while await node.store.pool.fetchval("select count(*) from metric_sample") < 360:
                await anyio.sleep(0.05)
        (state,) = (await node.recordings.states()).values()
        assert state.recorded_until.timestamp() > now_ns() / 1e9 - 60
