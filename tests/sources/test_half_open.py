"""Peers that stay and say nothing more: who sends is let go, who is asked is given up, others are served meanwhile."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
import grpc
import grpc.aio
import msgpack
import pytest
from anyio.abc import ByteStream, SocketAttribute, SocketStream
from anyio.streams.tls import TLSStream
from cordwood.plugins import RetryableError, Source
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore
from cordwood.sources import aws
from cordwood.sources.beats import Beats, BeatsConfig
from cordwood.sources.cloudwatch import Cloudwatch, CloudwatchConfig
from cordwood.sources.docker import Docker, DockerConfig, engine
from cordwood.sources.fluent_forward import FluentForward, FluentForwardConfig
from cordwood.sources.gelf import Gelf, GelfConfig
from cordwood.sources.http_poll import HttpPoll, HttpPollConfig
from cordwood.sources.kafka import Kafka, KafkaConfig
from cordwood.sources.mqtt import Mqtt, MqttConfig, connection
from cordwood.sources.otlp import Otlp, OtlpConfig, listener
from cordwood.sources.s3 import S3, S3Config
from cordwood.sources.sql_poll import SqlPoll, SqlPollConfig
from cordwood.sources.syslog import Syslog, SyslogConfig

from ..objectstore import KEYS
from .listening import at, certificates, connected, free_port, listening, send, until
from .test_beats import batch
from .wire import field

pytestmark = pytest.mark.anyio

LISTENING: dict[str, tuple[Callable[..., Source[Any]], bytes, bytes]] = {
    "syslog": (lambda **given: Syslog(SyslogConfig(**given)), b"99 <13>ha", b"<13>whole\n"),
    "gelf": (lambda **given: Gelf(GelfConfig(**given)), b'{"short_me', b'{"short_message": "whole"}\0'),
    "fluent_forward": (
        lambda **given: FluentForward(FluentForwardConfig(**given)),
        b"\x93\xa1t",
        msgpack.packb(["t", 1769860800, {"log": "whole"}]),
    ),
    "beats": (lambda **given: Beats(BeatsConfig(**given)), b"2W\0\0\0\1" + b"2J\0\0", batch([{"message": "whole"}])),
}
"""A source, the beginning of what it takes in, and a whole one."""


async def let_go(peer: ByteStream) -> None:
    """The server has ended the connection."""
    with anyio.fail_after(20), suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        while True:
            await peer.receive()


@pytest.mark.parametrize("name", LISTENING)
async def test_who_sends_half_a_message_or_nothing_is_let_go(name: str) -> None:
    make, begun, whole = LISTENING[name]
    port = free_port()
    async with (
        listening(make(tcp=at(port), unfinished="300ms", idle="600ms")) as store,
        await connected(port) as half,
        await connected(port) as silent,
    ):
        await half.send(begun)
        await send(port, whole)
        await until(lambda: "whole" in store.lines)
        assert "whole" in store.lines
        await let_go(half)
        await let_go(silent)
        await send(port, whole)
        await until(lambda: store.lines.count("whole") == 2)
    assert store.lines.count("whole") == 2


@pytest.mark.parametrize("name", LISTENING)
async def test_by_tls_likewise(name: str, data_dir: Path) -> None:
    make, begun, whole = LISTENING[name]
    port, pem = free_port(), certificates(data_dir)
    tls = {"listen": at(port), "cert_file": str(pem["server"]), "key_file": str(pem["server_key"])}
    trusting = ssl.create_default_context(cafile=str(pem["ca"]))

    async def secured() -> TLSStream:
        return await TLSStream.wrap(
            await connected(port), hostname="127.0.0.1", ssl_context=trusting, standard_compatible=False
        )

    async with (
        listening(make(tls=tls, unfinished="300ms", idle="600ms")) as store,
        await secured() as half,
        await secured() as silent,
        await secured() as good,
    ):
        await half.send(begun)
        await good.send(whole)
        await until(lambda: "whole" in store.lines)
        assert "whole" in store.lines
        await let_go(half)
        await let_go(silent)


HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
"""What a client of gRPC begins with, and its settings: none."""


@asynccontextmanager
async def grpc_peers() -> AsyncIterator[tuple[int, MemoryStore, Callable[[bytes], Any]]]:
    """A listener, what it takes in, and a call of a good client."""
    port, store = free_port(), MemoryStore()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Otlp(OtlpConfig(grpc=at(port))).run, MemoryOutlet(store))
        async with grpc.aio.insecure_channel(at(port)) as channel:
            call = channel.unary_unary(f"/{listener.SERVICE}/Export")
            yield port, store, lambda body: call(body, wait_for_ready=True, timeout=20)
        tasks.cancel_scope.cancel()


async def test_grpc_lets_go_who_says_half_or_nothing_and_who_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("_HANDSHAKE_S", 1.0), ("_SILENT_S", 1.0), ("_PONG_S", 1.0)):
        monkeypatch.setattr(listener, name, seconds)
    async with grpc_peers() as (port, store, call):
        await call(record("one"))
        peers = [await connected(port) for _ in range(3)]
        for peer, said in zip(peers, (b"", HTTP2[:10], HTTP2), strict=True):
            if said:
                await peer.send(said)
        await call(record("two"))
        for peer in peers:  # the last answers no ping
            await let_go(peer)
            await peer.aclose()
        await call(record("three"))
    assert store.lines == ["one", "two", "three"]


async def test_grpc_gives_up_a_call_whose_message_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "_READ_S", 0.3)
    async with grpc_peers() as (port, store, call), grpc.aio.insecure_channel(at(port)) as channel:

        async def never() -> AsyncIterator[bytes]:
            await anyio.sleep_forever()
            yield b""

        half = channel.stream_unary(f"/{listener.SERVICE}/Export")(never(), timeout=20)
        await call(record("meanwhile"))
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await half
    assert ended.value.code() == grpc.StatusCode.UNAVAILABLE
    assert store.lines == ["meanwhile"]


def record(text: str) -> bytes:
    """A request with one record."""
    return field(1, field(2, field(2, field(5, field(1, text.encode())))))


@pytest.mark.parametrize("name", LISTENING)
async def test_a_stop_waits_for_no_peer(name: str) -> None:
    make, begun, _ = LISTENING[name]
    port = free_port()
    async with listening(make(tcp=at(port))):
        peers = [await connected(port) for _ in range(20)]
        for peer in peers[::2]:
            await peer.send(begun)
        await anyio.sleep(0.1)
        stopped = anyio.current_time()
    assert anyio.current_time() - stopped < 3
    for peer in peers:
        await let_go(peer)
        await peer.aclose()


@pytest.mark.parametrize("name", LISTENING)
async def test_who_never_ends_the_handshake_is_let_go(
    name: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By its name, for the package has a function of the name.
    monkeypatch.setattr(import_module("cordwood.sources.network.streams"), "_HANDSHAKE_S", 0.3)
    make, _, _ = LISTENING[name]
    port, pem = free_port(), certificates(data_dir)
    files = {"cert_file": str(pem["server"]), "key_file": str(pem["server_key"])}
    async with listening(make(tls={"listen": at(port), **files})), await connected(port) as peer:
        await peer.send(b"\x16\x03\x01")
        await let_go(peer)


@asynccontextmanager
async def mute() -> AsyncIterator[str]:
    """The address of a peer that takes every connection and never says a word."""

    async def hold(stream: SocketStream) -> None:
        async with stream:
            await anyio.sleep_forever()

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, hold)
        yield at(listener.extra(SocketAttribute.local_port))
        tasks.cancel_scope.cancel()


def shared(address: str) -> dict[str, Any]:
    return {"endpoint": f"http://{address}", "region": "us-east-1", **KEYS}


FETCHING: dict[str, Callable[[str], Source[Any]]] = {
    "http_poll": lambda to: HttpPoll(HttpPollConfig(url=f"http://{to}/", timeout="300ms")),
    "sql_poll": lambda to: SqlPoll(
        SqlPollConfig(url=f"postgresql://u@{to}/d", query="select 1 as n", column="n", timeout="1s")
    ),
    "docker": lambda to: Docker(DockerConfig(url=f"http://{to}")),
    "s3": lambda to: S3(S3Config(bucket="exports", **shared(to))),
    "s3 by sqs": lambda to: S3(S3Config(queue=f"http://{to}/1/q", **shared(to))),
    "cloudwatch": lambda to: Cloudwatch(CloudwatchConfig(groups=["/shop"], **shared(to))),
    "mqtt": lambda to: Mqtt(MqttConfig(url=f"mqtt://{to}", topics=["#"])),
    "mqtt by TLS": lambda to: Mqtt(MqttConfig(url=f"mqtts://{to}", topics=["#"])),
    "kafka": lambda to: Kafka(KafkaConfig(brokers=(to,), topics=("t",))),
    "kafka by TLS": lambda to: Kafka(KafkaConfig(brokers=(to,), topics=("t",), tls=True)),
}


# librdkafka waits ten seconds.
GIVEN_UP = [pytest.param(name, marks=pytest.mark.soak) if "kafka" in name else name for name in FETCHING]


@pytest.mark.parametrize("name", GIVEN_UP)
async def test_who_is_asked_and_says_nothing_is_given_up(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source says so, and is started again later, as with one that is away."""
    monkeypatch.setattr(engine, "_WAIT_S", 0.3)
    monkeypatch.setattr(aws, "_WAIT_S", 0.3)
    monkeypatch.setattr(connection, "_CONNECT_S", 0.3)
    async with mute() as address:
        with anyio.fail_after(30), pytest.raises(RetryableError):
            await FETCHING[name](address).run(MemoryOutlet(MemoryStore()))


@pytest.mark.parametrize("name", FETCHING)
async def test_a_stop_waits_for_no_answer(name: str) -> None:
    async with mute() as address:
        began = anyio.current_time()
        with anyio.move_on_after(0.2):
            await FETCHING[name](address).run(MemoryOutlet(MemoryStore()))
        assert anyio.current_time() - began < 5
