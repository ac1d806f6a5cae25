"""A real server that fetches is killed, with its PostgreSQL, while there is ever more to fetch: each event once."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import yaml
from anyio.from_thread import start_blocking_portal
from cordwood.core.storage.embedded import EmbeddedPostgres

from ..objectstore import KEYS, Bucket, S3Server
from .docker_engine import START_NS, FakeEngine
from .http_peer import Answer, Asked, answering
from .test_cloudwatch import Group
from .test_s3 import notified


class Peer:
    """Somebody from whom events are fetched. `settings` are those of the source; `give` makes the next events."""

    settings: dict[str, Any]

    def give(self, numbers: range) -> None:
        raise NotImplementedError


@pytest.fixture
def docker_peer(data_dir: Path) -> Iterator[Peer]:
    engine = FakeEngine()
    socket = data_dir.with_suffix(".sock")
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(engine.serving(socket)):
        containers = [engine.add(name) for name in ("a", "b")]

        class Docker(Peer):
            settings = {"type": "docker", "url": f"unix://{socket}"}  # noqa: RUF012

            def give(self, numbers: range) -> None:
                for n in numbers:
                    portal.call(lambda n=n: containers[n % 2].say(f"n={n}", at=START_NS + n // 7))

        yield Docker()


@pytest.fixture
def http_poll_peer() -> Iterator[Peer]:
    events: list[int] = []

    def answer(asked: Asked) -> Answer:
        at = int(asked.query.get("after", 0))
        page = events[at : at + 300]
        lines = "".join(f'{{"id": {n + 1}, "message": "n={n}"}}\n' for n in page)
        return Answer(lines.encode(), headers={"Content-Type": "application/x-ndjson"})

    with answering(answer) as peer:

        class Api(Peer):
            settings = {"type": "http_poll", "url": peer.url, "every": "100ms",  # noqa: RUF012
                        "cursor": {"parameter": "after", "field": "id", "within": "event"}}  # fmt: skip

            def give(self, numbers: range) -> None:
                events.extend(numbers)

        yield Api()


@pytest.fixture
def sql_poll_peer(postgres: EmbeddedPostgres) -> Iterator[Peer]:
    args = postgres.connect_args
    with start_blocking_portal() as portal:
        connection = portal.call(lambda: asyncpg.connect(**args))
        portal.call(connection.execute, "create table given (n int)")

        class Table(Peer):
            settings = {"type": "sql_poll", "column": "n", "every": "100ms", "rows": 300,  # noqa: RUF012
                        "url": f"postgresql://{args['user']}@/{args['database']}?host={postgres.socket_dir}&port=5432",
                        "query": "select n, 'n=' || n as message from given"}  # fmt: skip

            def give(self, numbers: range) -> None:
                rows = f"insert into given select generate_series({numbers.start}, {numbers.stop - 1})"
                portal.call(connection.execute, rows)

        yield Table()
        portal.call(connection.execute, "drop table given")
        portal.call(connection.close)


class Objects(Peer):
    """Objects in a bucket, each with the lines of its numbers."""

    def __init__(self, within: Bucket, **found: Any) -> None:
        self.settings = {"type": "s3", "endpoint": within.url, "region": "us-east-1", **KEYS, **found}
        self._bucket = within

    def give(self, numbers: range) -> None:
        body = gzip.compress("".join(f"n={n}\n" for n in numbers).encode())
        key = f"{numbers.start % 7}/{numbers.start}.gz"
        self._bucket.client.put_object(Bucket=self._bucket.name, Key=key, Body=body)


@pytest.fixture
def s3_peer(bucket: Bucket) -> Peer:
    return Objects(bucket, bucket=bucket.name, every="200ms")


@pytest.fixture
def s3_by_sqs_peer(s3_server: S3Server) -> Iterator[Peer]:
    bucket = Bucket(f"test-{uuid4().hex[:12]}", s3_server.url)
    bucket.client.create_bucket(Bucket=bucket.name)
    with notified(bucket) as queue:
        yield Objects(bucket, queue=queue)
    bucket.client.close()


@pytest.fixture
def cloudwatch_peer(s3_server: S3Server) -> Iterator[Peer]:
    group = Group(s3_server.url)

    class Logs(Peer):
        settings = {"type": "cloudwatch", **group.settings(every="200ms", delay="2s")}  # noqa: RUF012

        def give(self, numbers: range) -> None:
            group.write(*(f"n={n}" for n in numbers))

    yield Logs()
    group.client.close()


PEERS = ("docker", "http_poll", "sql_poll", "s3", "cloudwatch")
AFTER_A_MINUTE = ("s3_by_sqs",)
"""What was on its way at the kill is theirs to give again: SQS shows a message again when its minute is over."""


@pytest.mark.parametrize(
    ("count", "names"),
    [
        pytest.param(2_000, PEERS, id="2000"),
        pytest.param(10_000, PEERS + AFTER_A_MINUTE, id="10000", marks=pytest.mark.soak),
    ],
)
def test_each_event_once(
    count: int, names: tuple[str, ...], request: pytest.FixtureRequest, make_server: Callable[..., Any]
) -> None:
    peers: dict[str, Peer] = {name: request.getfixturevalue(f"{name}_peer") for name in names}
    sources = {name: peer.settings for name, peer in peers.items()}
    pipeline = {"from": list(sources), "parse": [{"type": "kv"}]}
    server = make_server(yaml.safe_dump({"version": 1, "sources": sources, "pipelines": {"given": pipeline}}))
    server.start()
    for start in range(0, count, count // 20):
        for peer in peers.values():
            peer.give(range(start, start + count // 20))
        if start == count // 2:
            server.kill()
            server.start()
    query = "* | stats count() as total, distinct_exact(n) as different by source | sort source"
    expected = [{"source": name, "total": count, "different": count} for name in sorted(names)]
    give_up = time.monotonic() + 120
    while (rows := server.query(query)) != expected and time.monotonic() < give_up:
        time.sleep(0.2)
    for row in rows:
        print(f"{row['source']}: {count} given, {row['different']} stored, {row['total']} in all")
    assert rows == expected
    assert server.stop() == 0
