"""The setting `project`: every source with a way in of its own has it, waits for the project and stores there alone."""

from __future__ import annotations

import json
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import asyncpg
import grpc.aio
import pytest
from cordwood.config import Settings
from cordwood.core.query import QueryRequest
from cordwood.core.runtime import Node, admission, load_checked
from cordwood.core.storage.embedded import EmbeddedPostgres
from cordwood.plugins import HttpSource, ProjectConfig, Registry, load_plugins
from cordwood.sources.otlp.listener import SERVICE
from cordwood.web import create_app
from cordwood.web.auth.projects import add_project

from ..objectstore import KEYS, Bucket, S3Server
from ..services import find_mosquitto
from .brokers import mosquitto, publish
from .docker_engine import FakeEngine
from .http_peer import Answer, answering
from .kafka_cluster import Cluster
from .listening import at, free_port
from .test_beats import batch
from .test_cloudwatch import Group
from .test_fluent_forward import event_time, pack
from .test_kubernetes import line, log_of
from .test_otlp import simple

pytestmark = pytest.mark.anyio
OF_THE_TOKEN = {
    "aws_firehose", "browser", "datadog", "elasticsearch", "http", "loki", "splunk_hec",
}  # fmt: skip
"""Sources that are posted to and no more: the token says the project."""
TRIED = (
    "beats", "cloudwatch", "docker", "exec", "file", "fluent_forward", "gelf", "http_poll", "kafka", "kubernetes",
    "mqtt", "otlp", "s3", "sql_poll", "syslog", "unix",
)  # fmt: skip
SOCKETS = ("beats", "fluent_forward", "gelf", "otlp", "syslog", "unix")


@pytest.mark.parametrize("type_", sorted(load_plugins().kinds["source"]))
def test_every_source_but_those_of_tokens_has_a_project(type_: str, installed: Registry) -> None:
    cls = installed.kinds["source"][type_].cls
    has = issubclass(cls.config_model, ProjectConfig)
    assert has != (type_ in OF_THE_TOKEN)
    if not has:
        assert issubclass(cls, HttpSource)


@dataclass
class Site:
    """A node with a source of each kind, all of the project shop, which was made after its start."""

    node: Node
    shop: int
    waiting: dict[str, tuple[str, str]]
    """How each source fared before there was the project."""

    async def stored(self, source: str, project_id: int) -> list[str]:
        request = QueryRequest(
            text=f"source:{source} | fields message", project_id=project_id, now_ns=time.time_ns(), limit=100
        )
        return [row["message"] for row in (await self.node.engine.run(request)).objects()]


class Peers:
    """What the sources read, and the settings with which they find it."""

    def __init__(self, folder: Path, stack: ExitStack, database_url: str, s3: S3Server) -> None:
        self.folder, self.engine, self.kafka = folder, FakeEngine(), Cluster()
        self.bucket, self.group = Bucket(f"test-{uuid4().hex[:12]}", s3.url), Group(s3.url)
        self.bucket.client.create_bucket(Bucket=self.bucket.name)
        self.ports = {name: free_port() for name in SOCKETS}
        self.broker = stack.enter_context(mosquitto(folder)) if find_mosquitto() else 1
        document = json.dumps({"message": "of http_poll"}).encode()
        peer = stack.enter_context(answering(lambda _: Answer(document, headers={"Content-Type": "application/json"})))
        aws = {"endpoint": s3.url, "region": "us-east-1", **KEYS, "every": "50ms"}
        self.settings: dict[str, dict[str, Any]] = {
            "beats": {"tcp": at(self.ports["beats"])},
            "cloudwatch": self.group.settings(),
            "docker": {"url": f"unix://{folder}/docker.sock"},
            "exec": {"command": ["sh", "-c", "echo of exec; sleep 100"]},
            "file": {"include": [f"{folder}/app.log"], "poll": "20ms", "start": "beginning"},
            "limited": {"type": "file", "include": [f"{folder}/limited.log"], "poll": "20ms", "start": "beginning"},
            "fluent_forward": {"tcp": at(self.ports["fluent_forward"])},
            "gelf": {"udp": at(self.ports["gelf"])},
            "http_poll": {"url": f"{peer.url}/x", "every": "1h"},
            "kafka": {"brokers": self.kafka.brokers, "topics": ["t"], "group": "g"},
            "kubernetes": {"include": [f"{folder}/*/*/*.log*"], "poll": "20ms"},
            "mqtt": {"url": f"mqtt://127.0.0.1:{self.broker}", "topics": ["t"]},
            "otlp": {"grpc": at(self.ports["otlp"])},
            "s3": {"bucket": self.bucket.name, **aws},
            "sql_poll": {"url": database_url, "query": "select 1 as id, 'of sql_poll' as message", "column": "id"},
            "syslog": {"udp": at(self.ports["syslog"])},
            "unix": {"type": "syslog", "unix": f"{folder}/log"},
        }

    def begin(self) -> None:
        """What may lie there before anybody reads."""
        (self.folder / "app.log").write_text("of file\n")
        log_of(self.folder).write_text(line("of kubernetes"))
        self.engine.add("a").say("of docker")
        self.kafka.send("t", "of kafka")
        self.bucket.client.put_object(Bucket=self.bucket.name, Key="a.log", Body=b"of s3\n")
        self.group.write("of cloudwatch")

    async def feed(self, source: str) -> None:
        """Send what nobody keeps for who is not there."""
        text = f"of {source}"
        match source:
            case "beats":
                await self._stream(source, batch([{"message": text}]))
            case "fluent_forward":
                await self._stream(source, pack(["app", event_time(), {"message": text}]))
            case "gelf":
                self._datagram(source, json.dumps({"version": "1.1", "host": "h", "short_message": text}).encode())
            case "syslog":
                self._datagram(source, f"<13>{text}".encode())
            case "unix":
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
                    peer.sendto(f"<13>{text}".encode(), f"{self.folder}/log")
            case "otlp":
                async with grpc.aio.insecure_channel(at(self.ports[source])) as channel:
                    await channel.unary_unary(f"/{SERVICE}/Export")(simple(text), wait_for_ready=True, timeout=20)
            case "mqtt":
                await anyio.to_thread.run_sync(publish, self.broker, "t", [text])

    async def _stream(self, source: str, data: bytes) -> None:
        async with await anyio.connect_tcp("127.0.0.1", self.ports[source]) as stream:
            await stream.send(data)
            await stream.send_eof()
            with anyio.move_on_after(5), suppress(anyio.EndOfStream):  # beats answers, the other closes
                await stream.receive()

    def _datagram(self, source: str, data: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.sendto(data, ("127.0.0.1", self.ports[source]))


@asynccontextmanager
async def database(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[str]:
    """A database for a module."""
    name = f"test_{uuid4().hex[:12]}"
    connection = await asyncpg.connect(**postgres.connect_args)
    await connection.execute(f"create database {name} template {template}")
    yield f"postgresql://{postgres.connect_args['user']}@/{name}?host={postgres.socket_dir}&port=5432"
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()


@pytest.fixture(scope="module")
async def site(
    postgres: EmbeddedPostgres, migrated: str, installed: Registry, s3_server: S3Server
) -> AsyncIterator[tuple[Site, Peers]]:
    with tempfile.TemporaryDirectory(prefix="cordwood-test-") as name, ExitStack() as stack:
        folder = Path(name)
        async with database(postgres, migrated) as url:
            peers = Peers(folder, stack, url, s3_server)
            sources = {name: {"type": name, **given, "project": "shop"} for name, given in peers.settings.items()}
            file = folder / "pipeline.yaml"
            limits = {"projects": {"shop": {"event_size": 1000}}}
            file.write_text(json.dumps({"version": 1, "sources": sources, "limits": limits}))
            node = Node(Settings(data_dir=folder / "data", database_url=url), load_checked(file, installed), installed)
            peers.begin()
            async with peers.engine.serving(folder / "docker.sock"), node.running():
                create_app(node)  # it lets peers in
                made = Site(node, 0, {})
                for source in TRIED:
                    await until(lambda source=source: node.sources[source].error)
                    made.waiting[source] = node.sources[source].state, node.sources[source].error
                made.shop = (await add_project(node.store.pool, "shop")).id
                await until(lambda: all(node.sources[source].outlet.project_id for source in TRIED))
                yield made, peers


async def until(condition: Callable[[], object]) -> None:
    with anyio.fail_after(30):
        while not condition():
            await anyio.sleep(0.02)


@pytest.mark.parametrize("source", TRIED)
async def test_a_source_waits_for_its_project_and_stores_there_alone(site: tuple[Site, Peers], source: str) -> None:
    made, peers = site
    if source == "mqtt" and not find_mosquitto():
        pytest.skip("needs mosquitto and mosquitto_pub")
    state, error = made.waiting[source]
    assert state == "waiting"
    assert "there is no project shop: add it with `cordwood project add shop`" in error
    found: list[str] = []
    with anyio.fail_after(60):
        while not found:  # it has seen the project, and may not listen yet: then nobody hears a datagram
            with suppress(ConnectionError, FileNotFoundError):
                await peers.feed(source)
            with anyio.move_on_after(2):
                while not (found := await made.stored(source, made.shop)):
                    await anyio.sleep(0.05)
    assert set(found) == {f"of {source}"}
    assert await made.stored(source, made.node.project_id) == []


async def test_the_limits_are_those_of_the_project(site: tuple[Site, Peers], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "_LOOK_SECONDS", 0.05)
    made, peers = site
    shop = made.node.admissions[made.shop]
    log = (peers.folder / "limited.log").open("a", buffering=1)
    with log:
        log.write("long " + "x" * 5000 + "\n")
        with anyio.fail_after(20):
            while not (long := [text for text in await made.stored("limited", made.shop) if text.startswith("long")]):
                await anyio.sleep(0.05)
        assert len(long[0]) <= 1000
        shop.limits = shop.limits.model_copy(update={"daily_bytes": 1})
        log.write("beyond the day\n")
        await until(lambda: shop.reached["daily_bytes", "waited"])
    assert not made.node.admission.reached
    shop.limits = shop.limits.model_copy(update={"daily_bytes": None})
    with anyio.fail_after(20):
        while "beyond the day" not in await made.stored("limited", made.shop):
            await anyio.sleep(0.05)
