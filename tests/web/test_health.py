"""Alive, ready, and what Prometheus reads."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest
from cordwood.config import Config, Settings
from cordwood.core.alerting.metrics import DECLARED as ALERTING_METRICS
from cordwood.core.forwarding.metrics import DECLARED as FORWARDING_METRICS
from cordwood.core.runtime import Node
from cordwood.core.runtime.conditions import Conditions
from cordwood.core.runtime.metrics import DECLARED as NODE_METRICS
from cordwood.core.storage.embedded import EmbeddedPostgres
from cordwood.core.storage.places import Places
from cordwood.core.storage.places.s3 import S3, S3Settings
from cordwood.plugins import load_plugins
from cordwood.web import create_app
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..objectstore import Bucket
    from .conftest import Client

pytestmark = pytest.mark.anyio
OF_SOURCES = {"cordwood_source_rejected_events", "cordwood_source_dropped_packets"}


async def test_alive_and_ready(client: Client) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "reasons": [], "warnings": []})


async def test_a_full_disk_is_said(node: Node, client: Client) -> None:
    node.store.writer.stats.disk_full = True
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert "disk is full" in answer.json()["reasons"][0]
    node.store.writer.stats.disk_full = False
    assert (await client.get("/readyz")).status_code == 200


async def test_without_a_database_it_lives_and_is_not_ready(data_dir: Path, client_of: Callable[..., Client]) -> None:
    """The server is one that nobody starts again."""
    registry = load_plugins()
    server = EmbeddedPostgres(data_dir / "server")
    up, stop, down = anyio.Event(), anyio.Event(), anyio.Event()

    async def serve() -> None:
        async with server.running():
            up.set()
            await stop.wait()
        down.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve)
        await up.wait()
        arguments = server.connect_args
        url = f"postgresql://{arguments['user']}@/{arguments['database']}?host={arguments['host']}&port=5432"
        node = Node(Settings(data_dir=data_dir, database_url=url), Config.default(registry), registry)
        async with node.running(), client_of(create_app(node)) as client:
            assert (await client.get("/api/v1/incidents")).status_code == 200
            stop.set()
            await down.wait()
            await without_database(client)


async def without_database(client: Client) -> None:
    assert (await client.get("/healthz")).status_code == 200
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert "database" in answer.json()["reasons"][0]
    for path in ("/api/v1/incidents", "/api/v1/fields", "/api/v1/tail"):
        answer = await client.get(path)
        assert answer.status_code == 503, answer.text
        assert answer.headers["retry-after"]
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_node_that_is_not_running_is_not_ready(node: Node, client_of: Callable[..., Client]) -> None:
    node.ready = False
    async with client_of(create_app(node)) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 503
        answer = await client.post("/api/v1/logs", content=b"x")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_a_node_that_has_stopped_refuses_and_denies_nothing(
    database_url: str, data_dir: Path, client_of: Callable[..., Client]
) -> None:
    registry = load_plugins()
    node = Node(Settings(data_dir=data_dir, database_url=database_url), Config.default(registry), registry)
    async with node.running():
        application = create_app(node)
    async with client_of(application) as client:
        answer = await client.post("/api/v1/logs", content=b"x")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1"), "a 404 would say: never send it again"


async def test_metrics_are_what_prometheus_reads(client: Client) -> None:
    await client.logs({"n": 1}, {"n": 2})
    answer = await client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = {
        sample.name: sample.value for family in text_string_to_metric_families(answer.text) for sample in family.samples
    }
    assert found["cordwood_committed_events_total"] == 2


async def test_metrics_are_those_of_the_page(client: Client) -> None:
    """Every metric of a node that works is declared, and what is declared is there."""
    await client.logs({"n": 1})
    text = (await client.get("/metrics")).text
    found = {family.name for family in text_string_to_metric_families(text) if family.name != "process"}
    declared = {one.name for one in (*NODE_METRICS, *ALERTING_METRICS, *FORWARDING_METRICS)}
    assert found - declared - OF_SOURCES == set()
    assert declared - found == set()


def _shifted(seconds: float) -> float:
    return time.time() + seconds


async def test_a_wrong_clock_is_said(node: Node, client: Client) -> None:
    for ahead, status, key in ((-30.0, 200, "warnings"), (3600.0, 503, "reasons")):
        conditions = Conditions(
            node.store.pool, lambda: node.store.files.places, writes=True, clock=partial(_shifted, ahead)
        )
        node.conditions = conditions
        await conditions.look()
        answer = await client.get("/readyz")
        assert answer.status_code == status
        (words,) = answer.json()[key]
        assert "set both by NTP" in words
        found = dict(line.split() for line in (await client.get("/metrics")).text.splitlines() if line[0] != "#")
        assert abs(float(found["cordwood_clock_difference_seconds"]) + ahead) < 5


async def test_a_place_without_permission_is_said(
    node: Node, client: Client, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = bucket.settings(bucket=f"{bucket.name}-elsewhere")
    place = S3(S3Settings.model_validate(wrong))
    node.store.files.places = Places("archive", {"archive": place})
    node.conditions = Conditions(node.store.pool, lambda: node.store.files.places, writes=True)
    await node.conditions.look()
    answer = await client.get("/readyz")
    assert answer.status_code == 200, "it takes events all the same"
    (words,) = answer.json()["warnings"]
    assert "the place archive cannot be used" in words
    assert "let this node put, get and delete" in words
    assert bucket.name not in answer.text, "everybody may read this"
    assert "does not exist" in caplog.text
    assert 'cordwood_place_up{place="archive"} 0.0' in (await client.get("/metrics")).text
    node.store.files.places = Places("archive", {"archive": S3(S3Settings.model_validate(bucket.settings()))})
    node.conditions = Conditions(node.store.pool, lambda: node.store.files.places, writes=True)
    await node.conditions.look()
    assert (await client.get("/readyz")).json()["warnings"] == []


async def test_status_counts(client: Client) -> None:
    await client.logs({"n": 1}, {"n": 2})
    status = (await client.get("/api/v1/status")).json()
    assert status["ingest"]["events_total"] == 2
    assert status["segments"]["rows"] == 2
    assert status["database"]["ok"] is True
    assert status["users_exist"] is False
    assert status["uptime_s"] > 0
