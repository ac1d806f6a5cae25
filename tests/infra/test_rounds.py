"""Rounds of a worker's jobs by Lambda's handler: what a node would do, and never twice where both are there."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import anyio
import pytest
from cordwood.config import Settings
from cordwood.core.runtime import Node, load_checked
from cordwood.core.runtime.rounds import ROUNDS
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.leader import lead
from cordwood.infra.aws.functions.rounds import database_url as url_with_password
from cordwood.infra.aws.functions.rounds import handler
from cordwood.plugins import Batch, ConfigError, load_plugins

from ..conftest import free_port
from .conftest import REGION, Context

pytestmark = pytest.mark.anyio

PIPELINE = """
version: 1
store: {{retention: 365d}}
detectors:
  errors: {{type: match, query: "severity>=error", every: 100ms, notify: [hook]}}
reports:
  hourly: {{schedule: "0 * * * *", dashboard: overview, notify: [hook]}}
recordings:
  errors: {{query: "severity>=error | stats count() as n", every: 10s}}
notifiers:
  hook: {{type: webhook, url: "http://127.0.0.1:{port}/"}}
"""
SCHEDULED = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-01-31T12:00:00Z",
    "region": REGION,
    "resources": [f"arn:aws:events:{REGION}:123456789012:rule/alerting"],
    "detail": {},
}


class Hook(BaseHTTPRequestHandler):
    """Takes notifications; the server's `told` has their (delivery id, event)."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.told.append((body["delivery_id"], body["event"]))  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def hook() -> Iterator[Any]:
    with ThreadingHTTPServer(("127.0.0.1", free_port()), Hook) as server, ThreadPoolExecutor(1) as thread:
        server.told = []  # type: ignore[attr-defined]
        thread.submit(server.serve_forever)
        yield server
        server.shutdown()


@pytest.fixture
def surroundings(database_url: str, data_dir: Path, hook: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of a function, with a pipeline file; the file's path."""
    pipeline = data_dir / "pipeline.yaml"
    pipeline.write_text(PIPELINE.format(port=hook.server_address[1]))
    monkeypatch.setenv("CORDWOOD_DATABASE_URL", database_url)
    monkeypatch.setenv("CORDWOOD_DATA_DIR", str(data_dir / "function"))
    monkeypatch.setenv("CORDWOOD_CONFIG", str(pipeline))
    monkeypatch.delenv("CORDWOOD_DATABASE_SECRET", raising=False)
    return pipeline


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Calls the handler as Lambda does, in a thread without an event loop."""

    async def called(name: str, seconds: float = 60) -> Any:
        monkeypatch.setenv("CORDWOOD_ROUND", name)
        return await anyio.to_thread.run_sync(handler, SCHEDULED, Context(seconds))

    return called


async def commit(node: Node, *messages: str, **more: Any) -> None:
    records = [{"message": message, "severity": "ERROR", **more} for message in messages]
    await (await node.store.writer.submit(Submission(node.project_id, "test", Batch.from_records(records)))).committed()


@asynccontextmanager
async def running(pipeline: Path, database_url: str, folder: Path, role: Any) -> AsyncIterator[Node]:
    """A node of a role beside the function."""
    registry = load_plugins()
    settings = Settings(data_dir=folder, database_url=database_url, role=role, config=pipeline)
    node = Node(settings, load_checked(pipeline, registry), registry)
    async with node.running():
        yield node


async def test_detectors_and_notifications(
    surroundings: Path, database_url: str, data_dir: Path, hook: Any, call: Any
) -> None:
    assert await call("alerting") == {"round": "alerting", "done": True}
    assert hook.told == []
    async with running(surroundings, database_url, data_dir / "ingest", "ingest") as node:
        await commit(node, "card declined")
        for _ in range(2):
            assert await call("alerting") == {"round": "alerting", "done": True}
        assert [event for _, event in hook.told] == ["opened"]
        rows = await node.store.pool.fetch("select status, jsonb_array_length(attempts) as tried from notification")
        assert [tuple(row) for row in rows] == [("sent", 1)]


async def test_beside_a_worker_nothing_happens_twice(
    surroundings: Path, database_url: str, data_dir: Path, hook: Any, call: Any
) -> None:
    async with running(surroundings, database_url, data_dir / "worker", "worker") as node:
        answers: list[bool] = []
        for i in range(4):
            await commit(node, f"boom {i}")
            answers.append((await call("alerting"))["done"])
        with anyio.fail_after(30):
            while await node.store.pool.fetchval("select count(*) from notification where status = 'sent'") < 1:
                await anyio.sleep(0.05)
        pending = await node.store.pool.fetchval("select count(*) from notification where status <> 'sent'")
        sent = await node.store.pool.fetchval("select count(*) from notification where status = 'sent'")
        assert not any(answers[1:]), "the worker holds the lock"
        assert (pending, sent) == (0, len(hook.told))
        assert max(Counter(hook.told).values()) == 1


async def test_two_rounds_at_a_time_are_one(
    surroundings: Path, database_url: str, data_dir: Path, hook: Any, call: Any
) -> None:
    await call("alerting")
    async with running(surroundings, database_url, data_dir / "ingest", "ingest") as node:
        await commit(node, "boom")
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(call, "alerting")
        assert [event for _, event in hook.told] == ["opened"]
        runs = await node.store.pool.fetchval("select count(*) from incident")
        assert runs == 1


async def fell_due(node: Node, table: str, column: str) -> None:
    """The clock's hands are moved: what is followed was last looked at two hours ago."""
    await node.store.pool.execute(f"update {table} set {column} = {column} - interval '2 hours'")


async def test_a_report_is_made_and_sent_once(
    surroundings: Path, database_url: str, data_dir: Path, hook: Any, call: Any
) -> None:
    """By a function, by three at a time, and by functions beside a worker."""
    assert await call("reports") == {"round": "reports", "done": True}
    assert hook.told == []  # it is followed from now on
    async with running(surroundings, database_url, data_dir / "ingest", "ingest") as node:
        await fell_due(node, "report_state", "followed_until")
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(call, "reports")
        assert await call("reports") == {"round": "reports", "done": True}
        assert hook.told == []  # it is in the outbox, which is alerting's
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(call, "alerting")
        assert [event for _, event in hook.told] == ["report"]
        pool = node.store.pool
        assert await pool.fetchval("select count(*) from report_issue") == 1
        await fell_due(node, "report_state", "followed_until")
        await pool.execute("delete from report_issue")  # and its notification
    async with running(surroundings, database_url, data_dir / "worker", "worker") as node:
        with anyio.fail_after(60):
            while len(hook.told) < 2:
                await call("reports")
        await call("reports")
        assert await node.store.pool.fetchval("select count(*) from report_issue") == 1
        assert await node.store.pool.fetchval("select count(*) from notification where status = 'sent'") == 1
    assert [event for _, event in hook.told] == ["report", "report"]


async def test_steps_are_recorded(surroundings: Path, database_url: str, data_dir: Path, call: Any) -> None:
    assert await call("recordings") == {"round": "recordings", "done": True}
    async with running(surroundings, database_url, data_dir / "ingest", "ingest") as node:
        await fell_due(node, "recording_state", "recorded_until")
        hour_ago = time.time_ns() - 3600 * 10**9
        await commit(node, "boom", timestamp=hour_ago)
        assert await call("recordings") == {"round": "recordings", "done": True}
        assert await call("recordings") == {"round": "recordings", "done": True}
        (row,) = await node.store.pool.fetch("select at, value from metric_sample where value > 0")
    assert (row["value"], 0 <= hour_ago / 1e9 - row["at"].timestamp() < 10) == (1, True)


@pytest.mark.parametrize("name", sorted(ROUNDS.keys() - {"alerting"}))
async def test_the_other_jobs(surroundings: Path, database_url: str, data_dir: Path, call: Any, name: str) -> None:
    held = anyio.Event()
    async with running(surroundings, database_url, data_dir / "ingest", "ingest") as node:
        for i in range(20):
            await commit(node, f"event {i}")
        assert await call(name) == {"round": name, "done": True}
        segments = await node.store.pool.fetchval("select count(*) from segment where replaced_at is null")
        assert segments == (1 if name == "compaction" else 20)

        async def hold(_: object) -> None:
            held.set()
            await anyio.sleep_forever()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lead, node.store.pool, name, hold)
            await held.wait()
            assert await call(name) == {"round": name, "done": False}
            tasks.cancel_scope.cancel()


async def test_a_function_without_time_fails(surroundings: Path, call: Any) -> None:
    with pytest.raises(TimeoutError):
        await call("retention", seconds=12)


async def test_a_job_that_is_none(surroundings: Path, call: Any) -> None:
    with pytest.raises(ConfigError, match=r"CORDWOOD_ROUND: must be alerting, .*, not lunch"):
        await call("lunch")


async def test_the_password_comes_from_the_secret(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    held = {"engine": "postgres", "username": "cordwood", "password": "a/b@c:d%e", "port": 5432}
    secret = aws("secretsmanager").create_secret(Name=uuid4().hex, SecretString=json.dumps(held))
    monkeypatch.setenv("CORDWOOD_DATABASE_SECRET", secret["ARN"])
    monkeypatch.setenv(
        "CORDWOOD_DATABASE_URL", "postgresql://cordwood@db.example.com:5432/cordwood?sslmode=verify-full"
    )
    given = urlsplit(str(url_with_password()))
    assert (given.username, given.password, given.hostname) == ("cordwood", "a%2Fb%40c%3Ad%25e", "db.example.com")
    assert given.query == "sslmode=verify-full"
