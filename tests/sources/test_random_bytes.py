"""Random bytes to everything that listens, reads or asks, and peers that say nothing.

There is no crash, memory stays flat, and others are served.
"""

from __future__ import annotations

import random
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import grpc
import psutil
import pytest
import yaml
from anyio.abc import SocketAttribute, SocketStream
from cordwood.plugins import HttpSource, RetryableError, load_plugins
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore
from cordwood.sources import aws
from cordwood.sources.docker import engine
from cordwood.sources.mqtt import Mqtt, MqttConfig
from cordwood.sources.otlp.listener import SERVICE

from ..conftest import Server, free_port
from .brokers import message, packet
from .listening import certificates, until
from .test_half_open import FETCHING

MOST_GROWTH = 300 * 1024 * 1024
"""Bytes by which the server's memory may be more after all of it than after the first second."""
MOST_EVER = 1024 * 1024 * 1024
"""Bytes that the server may take at any moment: while it merges what came, it takes more than before and after."""
SETTLED_S = 60
STARTS = (
    b"",
    b"2W\0\0\0\1",
    b"\x92\xa1t",
    b"<34>1 ",
    b"99999 <34>",
    b"\x1e\x0f",
    b"\x1f\x8b\x08\0",
    b"{",
    b"\x93\xa1t\xdd",
)
"""What makes a reader believe at first."""


NEVER_ENDING = {"kafka", "kafka by TLS", "http_poll"}
"""Kafka's client connects again by itself, and an HTTP server may answer anything."""


def nonsense(chance: random.Random) -> bytes:
    return chance.choice(STARTS) + chance.randbytes(chance.choice((1, 50, 2000, 60_000)))


def memory(pid: int | None = None) -> int:
    """Of a process, of this one where none is named."""
    return int(psutil.Process(pid).memory_info().rss)


@pytest.mark.parametrize("seconds", [10, pytest.param(600, marks=pytest.mark.soak)])
def test_random_bytes(seconds: int, make_server: Callable[..., Any], data_dir: Path) -> None:
    """Over TCP, UDP, TLS, a Unix socket, HTTP and gRPC (to its port, and as messages of its calls), in files, and from
    programs."""
    ports = {name: free_port() for name in ("syslog", "gelf", "fluent_forward", "beats")}
    secure, calls, local_log = free_port(), free_port(), f"{data_dir}/log"
    files = certificates(data_dir)
    sources = {name: {"type": name, "tcp": f"127.0.0.1:{port}"} for name, port in ports.items()}
    for name in ("syslog", "gelf"):
        sources[name]["udp"] = f"127.0.0.1:{ports[name]}"
    pem = {"cert_file": str(files["server"]), "key_file": str(files["server_key"])}
    sources["syslog"] |= {
        "unix": local_log,
        "tls": {
            "listen": f"127.0.0.1:{secure}",
            **pem,
        },
    }
    sources["otlp"] = {"type": "otlp", "grpc": f"127.0.0.1:{calls}"}
    logs = [data_dir / name for name in ("app.log", "pod.log", "app.log.gz")]
    journal = data_dir / "journal"
    journal.write_text("#!/bin/sh\nhead -c 20000 /dev/urandom\n")
    journal.chmod(0o755)
    sources |= {
        "files": {"type": "file", "include": [f"{data_dir}/app.log*"]},
        "pods": {"type": "kubernetes", "include": [f"{data_dir}/pod.log"]},
        "program": {"type": "exec", "command": ["head", "-c", "20000", "/dev/urandom"], "every": "500ms"},
        "journal": {"type": "journald", "command": str(journal)},
    }
    server: Server = make_server(yaml.safe_dump({"version": 1, "sources": sources}))
    server.start()
    assert server.process
    pid = server.process.pid
    posts = [
        path
        for found in load_plugins().kinds["source"].values()
        if issubclass(found.cls, HttpSource)
        for method, path in found.cls.routes
        if method == "POST" and "{" not in path
    ]
    chance, datagrams = random.Random(0), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    local = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    local.settimeout(10)
    trusting = ssl.create_default_context(cafile=str(files["ca"]))
    channel = grpc.insecure_channel(f"127.0.0.1:{calls}")
    export = channel.unary_unary(f"/{SERVICE}/Export")
    streams = (*ports.values(), secure, calls)  # the last two speak TLS and HTTP/2
    silent = [socket.create_connection(("127.0.0.1", port)) for port in streams for _ in range(20)]
    end, first, most, rounds = time.monotonic() + seconds, 0, 0, 0
    while time.monotonic() < end or rounds < 20:
        most = max(most, memory(pid))
        for port in streams:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
                    peer.sendall(nonsense(chance))
            except OSError:  # it was cut off
                continue
        for name in ("syslog", "gelf"):
            datagrams.sendto(nonsense(chance)[:60_000], ("127.0.0.1", ports[name]))
        local.sendto(nonsense(chance), local_log)
        with (
            suppress(OSError),
            socket.create_connection(("127.0.0.1", secure), timeout=10) as peer,
            trusting.wrap_socket(peer, server_hostname="localhost") as secured,
        ):
            secured.sendall(nonsense(chance))
        with suppress(grpc.RpcError):  # what is no protobuf is refused
            export(nonsense(chance), timeout=10, wait_for_ready=True)
        for log in logs:
            with log.open("ab" if rounds % 200 else "wb") as file:  # it is cut now and then
                file.write(nonsense(chance))
        status, _ = server.call("POST", chance.choice(posts), nonsense(chance))
        assert status < 600
        rounds += 1
        if rounds == 20:
            first = memory(pid)
    assert most < MOST_EVER
    give_up = time.monotonic() + SETTLED_S
    while memory(pid) - first >= MOST_GROWTH and time.monotonic() < give_up:
        time.sleep(0.5)
    assert memory(pid) - first < MOST_GROWTH
    with socket.create_connection(("127.0.0.1", ports["syslog"])) as peer:
        peer.sendall(b"<11>1 2026-01-31T12:00:00Z h after - - - all is well\n")
    give_up = time.monotonic() + 20
    while not (rows := server.query("service:after")) and time.monotonic() < give_up:
        time.sleep(0.05)
    assert [row["message"] for row in rows] == ["all is well"]
    channel.close()
    for peer in (*silent, datagrams, local):
        peer.close()
    assert "Traceback" not in server.log.read_text()
    assert server.stop() == 0


@pytest.mark.anyio
@pytest.mark.parametrize("seconds", [3, pytest.param(600, marks=pytest.mark.soak)])
async def test_random_bytes_of_a_broker(seconds: int) -> None:
    """Whatever a broker of MQTT says, at whatever moment: the source ends with an error that starts it again."""
    chance, port, store = random.Random(1), free_port(), MemoryStore()
    welcome, subscribed = b"\x20\x03\0\0\0", packet(0x90, b"\0\1\0\2")
    cut: list[Callable[[], bytes]] = [
        lambda: nonsense(chance),
        lambda: chance.randbytes(chance.choice((1, 2, 5))),
        lambda: packet(chance.randrange(256), chance.randbytes(chance.choice((0, 1, 2, 3, 20, 3000)))),
        lambda: message("t", nonsense(chance), qos=chance.randrange(3), id=chance.randrange(70_000) % 65_536),
    ]

    async def serve(stream: SocketStream) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            async with stream:
                for said in (welcome, subscribed)[: chance.randrange(3)]:
                    await stream.receive()
                    await stream.send(said)
                for _ in range(chance.randrange(1, 20)):
                    await stream.send(chance.choice(cut)())

    source = Mqtt(MqttConfig(url=f"mqtt://127.0.0.1:{port}", topics=["t", "u/#"], max_message=100_000))
    end, first, rounds = time.monotonic() + seconds, 0, 0
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        while time.monotonic() < end or rounds < 100:
            with anyio.fail_after(60):
                with pytest.raises(RetryableError, match=f"127.0.0.1:{port}"):
                    await source.run(MemoryOutlet(store))
            rounds += 1
            store.batches.clear()
            if rounds == 100:
                first = memory()
        tasks.cancel_scope.cancel()
    assert memory() - first < MOST_GROWTH


@pytest.mark.anyio
@pytest.mark.parametrize("seconds", [5, pytest.param(600, marks=pytest.mark.soak)])
async def test_random_bytes_of_those_that_are_asked(seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever an HTTP server, PostgreSQL, Docker, AWS or Kafka answers: the source goes on, or is started again."""
    chance, store, ended = random.Random(2), MemoryStore(), Counter[str]()
    monkeypatch.setattr(engine, "_WAIT_S", 0.2)
    monkeypatch.setattr(aws, "_WAIT_S", 0.2)
    kinds = ("application/json", "application/x-ndjson", "text/plain", "text/xml", "application/octet-stream")

    def answered() -> bytes:
        body = nonsense(chance)
        media, coding = chance.choice(kinds), chance.choice(("identity", "identity", "gzip", "deflate"))
        length = chance.choice((b"Content-Length: %d" % len(body), b"Connection: close", b"Transfer-Encoding: chunked"))
        status = chance.choice((200, 200, 200, 204, 301, 400, 404, 500, 503))
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {media}\r\nContent-Encoding: {coding}\r\n".encode()
        return head + length + b"\r\n\r\n" + body

    async def serve(stream: SocketStream) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            async with stream:
                for _ in range(chance.randrange(1, 5)):
                    await stream.receive()
                    await stream.send(chance.choice((answered, answered, lambda: nonsense(chance)))())

    async def ask(name: str, to: str) -> None:
        while True:
            with anyio.move_on_after(chance.choice((0.5, 20))):
                try:
                    await FETCHING[name](to).run(MemoryOutlet(store))
                except RetryableError:
                    ended[name] += 1
            store.batches.clear()

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    address = f"127.0.0.1:{listener.extra(SocketAttribute.local_port)}"
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        for name in FETCHING:
            tasks.start_soon(ask, name, address)
        end = time.monotonic() + seconds
        with anyio.fail_after(seconds + 120):
            await until(lambda: ended.keys() >= FETCHING.keys() - NEVER_ENDING, 60)
            first = memory()
            await until(lambda: time.monotonic() > end, seconds)
        tasks.cancel_scope.cancel()
    assert memory() - first < MOST_GROWTH
    assert ended.keys() >= FETCHING.keys() - NEVER_ENDING, ended
