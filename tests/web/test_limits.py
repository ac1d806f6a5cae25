"""Limits of a project: who is over them is told so and when to come again, or waits; and what is counted is exact."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import asyncpg
import pytest
from cordwood.config import Settings
from cordwood.core.runtime import Node, load_checked
from cordwood.plugins import load_plugins
from cordwood.plugins.fields import STANDARD, clean_name
from cordwood.web import create_app

from .conftest import NDJSON

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio

LINE = b'{"message": "m"}\n'


@asynccontextmanager
async def node_with(yaml: str, data_dir: Path, database_url: str, name: str = "a") -> AsyncIterator[Node]:
    file = data_dir / f"{name}.yaml"
    file.write_text(yaml)
    registry = load_plugins()
    settings = Settings(data_dir=data_dir / name, database_url=database_url, config=file)
    made = Node(settings, load_checked(file, registry), registry)
    async with made.running():
        yield made


def problem(answer: Any) -> tuple[int, str, int]:
    """(status, limit, its value), after a check of what every such answer says."""
    found = answer.json()
    wait = int(answer.headers["retry-after"])
    free = datetime.fromisoformat(found["limit"]["free_at"]) - datetime.now(UTC)
    assert answer.headers["content-type"] == "application/problem+json"
    assert found["type"] == "urn:cordwood:problem:limit-reached"
    assert wait >= 1
    assert abs(free.total_seconds() - wait) <= 2
    assert found["limit"]["name"] in found["detail"]
    return answer.status_code, found["limit"]["name"], found["limit"]["value"]


async def metric(client: Client, name: str) -> float:
    lines = (await client.get("/metrics")).text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


async def test_a_rate_lets_a_burst_in_and_then_as_much_as_it_says(
    database_url: str, data_dir: Path, client_of: Callable[..., Client]
) -> None:
    yaml = "limits: {events_per_second: 20, burst: 2s}"
    async with node_with(yaml, data_dir, database_url) as node, client_of(create_app(node)) as client:
        clock = [1000.0]
        node.admission.clock = lambda: clock[0]
        answer = await client.post("/api/v1/logs", content=LINE * 50, headers=NDJSON)
        assert answer.status_code == 200  # ten more than the burst: a batch comes in whole, and is waited for
        refused = await client.post("/api/v1/logs", content=LINE, headers=NDJSON)
        assert problem(refused) == (429, "events_per_second", 20)
        clock[0] += 0.5
        assert (await client.post("/api/v1/logs", content=LINE, headers=NDJSON)).status_code == 429
        clock[0] += 0.1
        assert (await client.post("/api/v1/logs", content=LINE, headers=NDJSON)).status_code == 200
        assert (await client.post("/api/v1/logs", content=LINE, headers=NDJSON)).status_code == 200
        assert (await client.post("/api/v1/logs", content=LINE, headers=NDJSON)).status_code == 429
        assert await client.rows("* | stats count()") == [{"count": 52}]
        assert await metric(client, 'cordwood_limit_reached_total{limit="events_per_second",outcome="refused"') == 3


async def test_the_rate_of_bytes_counts_the_bodies_uncompressed(
    database_url: str, data_dir: Path, client_of: Callable[..., Client]
) -> None:
    import gzip

    yaml = "limits: {bytes_per_second: 100B, burst: 1s}"
    async with node_with(yaml, data_dir, database_url) as node, client_of(create_app(node)) as client:
        clock = [1000.0]
        node.admission.clock = lambda: clock[0]
        body = LINE * 100
        packed = gzip.compress(body)
        answer = await client.post("/api/v1/logs", content=packed, headers={**NDJSON, "Content-Encoding": "gzip"})
        assert answer.status_code == 200
        answer = await client.post("/api/v1/logs", content=LINE, headers=NDJSON)
        assert problem(answer) == (429, "bytes_per_second", 100)
        assert int(answer.headers["retry-after"]) == (len(body) - 100) // 100 + 1


async def test_daily_bytes_are_exact_over_nodes_restarts_and_what_was_not_stored(
    database_url: str, data_dir: Path, client_of: Callable[..., Client]
) -> None:
    yaml = f"limits: {{daily_bytes: {len(LINE) * 10}}}"

    async def post(client: Client, lines: int, **headers: str) -> int:
        return (await client.post("/api/v1/logs", content=LINE * lines, headers={**NDJSON, **headers})).status_code

    async with node_with(yaml, data_dir, database_url, "a") as one, client_of(create_app(one)) as first:
        assert await post(first, 4, **{"Idempotency-Key": "k"}) == 200
        assert await post(first, 4, **{"Idempotency-Key": "k"}) == 200  # stored once, and counted once
        async with node_with(yaml, data_dir, database_url, "b") as two, client_of(create_app(two)) as second:
            assert await post(second, 5) == 200
    async with node_with(yaml, data_dir, database_url, "a") as one, client_of(create_app(one)) as first:
        assert await post(first, 1) == 200  # 90 % were used; this is the last
        answer = await first.post("/api/v1/logs", content=LINE, headers=NDJSON)
        assert problem(answer) == (429, "daily_bytes", len(LINE) * 10)
        now = datetime.now(UTC)
        midnight = 86400 - (now.hour * 3600 + now.minute * 60 + now.second)
        assert abs(int(answer.headers["retry-after"]) - midnight) <= 2
        assert await first.rows("* | stats count()") == [{"count": 10}]
        connection = await asyncpg.connect(database_url)
        await connection.execute("update cordwood.segment_log set day = day - 1")  # midnight
        await connection.close()
        with anyio.fail_after(10):
            while await post(first, 10) != 200:
                await anyio.sleep(0.05)
        assert await post(first, 1) == 429


async def test_concurrent_posts_exceed_the_day_by_one_commit_at_most(
    database_url: str, data_dir: Path, client_of: Callable[..., Client]
) -> None:
    yaml = f"limits: {{daily_bytes: {len(LINE) * 5000}}}"
    async with node_with(yaml, data_dir, database_url) as node, client_of(create_app(node)) as client:
        statuses: list[int] = []

        async def post(number: int) -> None:
            headers = {**NDJSON, "Idempotency-Key": f"k{number}"} if number % 2 else NDJSON
            answer = await client.post("/api/v1/logs", content=LINE * 2000, headers=headers)
            statuses.append(answer.status_code)

        async with anyio.create_task_group() as tasks:
            for number in range(12):
                tasks.start_soon(post, number)
        stored = (await client.rows("* | stats count()"))[0]["count"]
        assert sorted(statuses) == [200] * 3 + [429] * 9
        assert stored == 3 * 2000
        day = await node.store.pool.fetchval("select day_bytes from segment_log")
        assert day == stored * len(LINE)
        assert (await client.post("/api/v1/logs", content=LINE, headers=NDJSON)).status_code == 429


async def test_a_file_waits_and_loses_nothing(
    database_url: str, data_dir: Path, client_of: Callable[..., Client]
) -> None:
    log = data_dir / "app.log"
    log.write_text("".join(f"line {n}\n" for n in range(100)))
    sources = f"sources: {{app: {{type: file, include: [{log}]}}}}\n"
    yaml = sources + "limits: {events_per_second: 100, burst: 10ms}"
    async with node_with(yaml, data_dir, database_url) as node, client_of(create_app(node)) as client:
        node.admission.clock = lambda: 1000.0  # no time passes: the second batch would wait for ever
        with anyio.fail_after(20):
            while await client.rows("* | stats count()") != [{"count": 100}]:
                await anyio.sleep(0.05)
        with log.open("a") as more:
            more.write("one more\n")
        with anyio.fail_after(20):
            while not await metric(client, 'cordwood_limit_reached_total{limit="events_per_second",outcome="waited"'):
                await anyio.sleep(0.05)
        assert await client.rows("* | stats count()") == [{"count": 100}]
        (data_dir / "a.yaml").write_text(sources)  # a reload frees it
        assert await node.reload() == []
        began = time.monotonic()
        with anyio.fail_after(20):
            while await client.rows("* | stats count()") != [{"count": 101}]:
                await anyio.sleep(0.05)
        assert time.monotonic() - began < 10


async def test_a_project_has_limits_of_its_own(
    database_url: str, data_dir: Path, client_of: Callable[..., Client]
) -> None:
    yaml = "limits: {daily_bytes: 1B, projects: {default: {daily_bytes: null, events_per_second: 7}}}"
    async with node_with(yaml, data_dir, database_url) as node, client_of(create_app(node)) as client:
        node.admission.clock = lambda: 1000.0
        assert (await client.post("/api/v1/logs", content=LINE * 100, headers=NDJSON)).status_code == 200
        answer = await client.post("/api/v1/logs", content=LINE, headers=NDJSON)
        assert problem(answer) == (429, "events_per_second", 7)


async def test_the_rest_of_a_too_large_event_is_cut(
    database_url: str, data_dir: Path, client_of: Callable[..., Client]
) -> None:
    async with node_with("", data_dir, database_url) as node, client_of(create_app(node)) as client:
        large = {"message": "x" * (1 << 20) + "needle", "trace_id": "t1"}
        assert await client.logs({"message": "needle"}, large) == 2
        rows = await client.rows("trace_id=t1 | fields message, truncated")
        assert rows == [{"message": "x" * ((1 << 20) - 2), "truncated": (1 << 20) + 8}]
        assert await client.rows("truncated>0 | stats count()") == [{"count": 1}]
        assert await client.rows("needle | stats count()") == [{"count": 1}]
        assert await metric(client, "cordwood_cut_events_total") == 1
        node.admission.limits = node.config.limits.model_copy(update={"event_size": 10})
        assert await client.logs({"message": "0123456789abc"}) == 1
        assert await client.rows("truncated=13 | fields message") == [{"message": "0123456789"}]


async def test_names_depth_and_columns_of_events(
    database_url: str, data_dir: Path, client_of: Callable[..., Client]
) -> None:
    yaml = """
limits: {field_name: 32, depth: 1, fields: 10}
pipelines: {default: {parse: [{type: json}]}}
"""
    async with node_with(yaml, data_dir, database_url) as node, client_of(create_app(node)) as client:
        event = {"a": {"b": {"c": 1}}, "k" * 40: 2, **{f"f{i}": i for i in range(20)}}
        deep = json.dumps({"x": {"y": {"z": 3}}})
        assert await client.logs(event, {"message": deep, "a": {"b": 1}}) == 2
        assert await client.rows("f19=19 | fields f0, f19") == [{"f0": 0, "f19": 19}]
        (segment,) = await node.store.catalog.segments(node.project_id)
        assert sum(column.field not in STANDARD for column in segment.columns) == 10
        assert {column.field for column in segment.columns} >= {"a.b", "overflow"}
        assert await client.rows("`a.b`:* | fields `a.b` | sort `a.b`") == [{"a.b": 1}, {"a.b": {"c": 1}}]
        assert await client.rows("`x.y`:* | fields `x.y`") == [{"x.y": {"z": 3}}]
        assert len(await client.rows(f"`{clean_name('k' * 40, 32)}`=2")) == 1


async def test_bodies_have_bounds_that_a_reload_changes(
    database_url: str, data_dir: Path, client_of: Callable[..., Client]
) -> None:
    yaml = "limits: {body_size: 1KiB, compressed_body_size: 2KiB}"
    async with node_with(yaml, data_dir, database_url) as node, client_of(create_app(node)) as client:
        for size, limit, value in ((1500, "body_size", 1024), (3000, "compressed_body_size", 2048)):
            answer = await client.post("/api/v1/logs", content=b"x" * size)
            assert (answer.status_code, answer.json()["limit"]) == (413, {"name": limit, "value": value})
        assert await metric(client, "cordwood_limit_reached_total") == 2
        (data_dir / "a.yaml").write_text("limits: {body_size: 2KiB}")
        assert await node.reload() == []
        assert (await client.post("/api/v1/logs", content=b"x" * 1500)).status_code == 200


def test_connections_beyond_the_limit_are_told_so_and_the_others_go_on(make_server: Any) -> None:
    """The longest idle makes room; one that has not asked yet is not idle."""
    server = make_server(config="limits: {connections: 4}")
    server.start()
    held = [http.client.HTTPConnection("127.0.0.1", server.port) for _ in range(4)]

    def asks(connection: http.client.HTTPConnection) -> int:
        connection.request("GET", "/healthz")
        with connection.getresponse() as answer:
            answer.read()
            return answer.status

    try:
        for connection in held:
            connection.connect()
        assert server.call("GET", "/healthz") == (503, b"too many connections; try again\n")
        assert asks(held[1]) == 200
        time.sleep(0.05)  # the event loop's clock has milliseconds
        assert asks(held[0]) == 200
        status, text = server.call("GET", "/metrics")
        assert status == 200
        assert b'cordwood_limit_reached_total{limit="connections",outcome="refused",project="default"} 1.0' in text
        with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
            asks(held[1])
        assert asks(held[0]) == 200
    finally:
        for connection in held:
            connection.close()


async def test_too_many_queries_of_one_user_are_refused(
    database_url: str, data_dir: Path, client_of: Callable[..., Client]
) -> None:
    """While a table is locked one query runs, one waits, and the third is told when to come again."""
    yaml, answers = "limits: {queries: 1, waiting_queries: 1}", []
    async with node_with(yaml, data_dir, database_url) as node, client_of(create_app(node)) as client:

        async def ask(limit: int) -> None:  # equal questions would wait as one
            asked = {"query": "from incidents", "timeout": 60, "limit": limit}
            answers.append(await client.post("/api/v1/query", json=asked))

        async with anyio.create_task_group() as tasks, node.store.pool.acquire() as other, other.transaction():
            await other.execute("lock table incident in access exclusive mode")
            for limit in (1, 2, 3):
                tasks.start_soon(ask, limit)
            with anyio.fail_after(30):
                while not answers:
                    await anyio.sleep(0.01)
        assert problem(answers[0]) == (429, "waiting_queries", 1)
        assert [answer.status_code for answer in answers[1:]] == [200, 200]
        assert (await client.post("/api/v1/query", json={"query": ""})).status_code == 200
