"""Everything is killed while merged segments go to an S3 server: nothing is lost, twice, or left behind there."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random

import anyio
import asyncpg
import pytest
from anyio.abc import ByteStream
from cordwood.core.storage.embedded import EmbeddedPostgres

from ..bench.server import Server
from ..objectstore import Bucket
from ..storage.proxy import Proxy
from .conftest import StartServer
from .workload import Clients, wait_until

ALL = 10_000_000  # rows: more than there are


async def ask(server: Server, statement: str) -> list[asyncpg.Record]:
    """The answer of a running server's own database."""
    settings = {"search_path": "cordwood"}
    connection = await asyncpg.connect(**EmbeddedPostgres(server.data).connect_args, server_settings=settings)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


def objects(server: Server, statement: str) -> set[str]:
    with ThreadPoolExecutor(1) as thread:  # this one may have an event loop already, of a browser's tests
        return {row[0] for row in thread.submit(anyio.run, ask, server, statement).result()}


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.soak)], ids=["2 kills", "20 kills"])
def test_nothing_acknowledged_is_lost_with_segments_in_a_bucket(
    kills: int, make_server: StartServer, bucket: Bucket
) -> None:
    random = Random(kills)
    server = make_server(config=f"store:\n  place: {bucket.yaml()}\n")
    server.start()
    with Clients([server], 4) as clients:
        for _ in range(kills):
            seen = len(bucket.keys())
            wait_until(lambda seen=seen: len(bucket.keys()) > seen, "a merged segment is uploaded", at_most=60)
            time.sleep(random.uniform(0.0, 1.0))
            server.kill()
            server.start()
    assert not clients.unexpected
    rows = server.query("service:kill | stats count() as n by event_id", whole=True, limit=ALL)
    times = Counter({row["event_id"]: row["n"] for row in rows})
    assert len(clients.acknowledged) > 500 * kills
    assert times.keys() == clients.acknowledged
    assert set(times.values()) == {1}
    strangers = bucket.keys() - objects(
        server, "select object from segment where object is not null union select object from stray_object"
    )
    assert strangers == set(), "objects that nobody knows"
    assert objects(server, "select object from segment where object is not null and replaced_at is null")
    assert server.stop() == 0


class Holding(Proxy):
    """It keeps the server's answers to itself, while it is told to."""

    holds = False

    async def _back(self, server: ByteStream, client: ByteStream, forwarding: anyio.CancelScope) -> None:
        if self.holds:
            await anyio.sleep_forever()
        await super()._back(server, client, forwarding)


@pytest.mark.anyio
async def test_who_is_killed_between_upload_and_commit_leaves_nothing_for_long(
    make_server: StartServer, bucket: Bucket, data_dir: Path
) -> None:
    port = int(bucket.url.rpartition(":")[2])
    async with Holding(lambda: anyio.connect_tcp("127.0.0.1", port)).running() as line:
        config = f"store:\n  place: {Bucket(bucket.name, f'http://{line.url}').yaml()}\n"
        server = make_server(config=config)
        await anyio.to_thread.run_sync(server.start)
        line.holds = True

        def send() -> None:
            for n in range(16):
                assert server.post([{"message": f"m{n}-{i}", "n": i} for i in range(10)])[0] == 200

        await anyio.to_thread.run_sync(send)
        uploaded = lambda: {key for key in bucket.keys() if "check-" not in key}  # noqa: E731, SIM118
        await anyio.to_thread.run_sync(partial(wait_until, uploaded, "an upload", at_most=60))
        (lost,) = uploaded()
        await anyio.to_thread.run_sync(server.kill)
        line.holds = False
        await anyio.to_thread.run_sync(server.start)
        assert [tuple(row) for row in await ask(server, "select object, dead from stray_object")] == [(lost, False)]
        await ask(server, "update stray_object set began_at = now() - interval '2 hours'")
        gone = lambda: lost not in bucket.keys()  # noqa: E731, SIM118
        await anyio.to_thread.run_sync(partial(wait_until, gone, "what was never committed is deleted", at_most=60))
        kept = await ask(server, "select object from segment where object is not null and replaced_at is null")
        assert uploaded() == {row[0] for row in kept} != set()
        rows = await anyio.to_thread.run_sync(server.query, "* | stats sum(n) as s, count(n) as c")
        assert rows == [{"s": 16 * 45, "c": 160}]
