"""Random bytes to everything that listens, and peers that say nothing: no crash, flat memory, and others are served."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest
import yaml
from cordwood.plugins import HttpSource, load_plugins

from ..conftest import Server, free_port

MOST_GROWTH = 300 * 1024 * 1024
"""Bytes by which the server's memory may be more after all of it than after the first second."""
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


def nonsense(chance: random.Random) -> bytes:
    return chance.choice(STARTS) + chance.randbytes(chance.choice((1, 50, 2000, 60_000)))


def memory(server: Server) -> int:
    assert server.process is not None
    return int(psutil.Process(server.process.pid).memory_info().rss)


@pytest.mark.parametrize("seconds", [10, pytest.param(600, marks=pytest.mark.soak)])
def test_random_bytes(seconds: int, make_server: Callable[..., Any]) -> None:
    ports = {name: free_port() for name in ("syslog", "gelf", "fluent_forward", "beats")}
    sources = {name: {"type": name, "tcp": f"127.0.0.1:{port}"} for name, port in ports.items()}
    for name in ("syslog", "gelf"):
        sources[name]["udp"] = f"127.0.0.1:{ports[name]}"
    server: Server = make_server(yaml.safe_dump({"version": 1, "sources": sources}))
    server.start()
    posts = [
        path
        for found in load_plugins().kinds["source"].values()
        if issubclass(found.cls, HttpSource)
        for method, path in found.cls.routes
        if method == "POST" and "{" not in path
    ]
    chance, datagrams = random.Random(0), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent = [socket.create_connection(("127.0.0.1", port)) for port in ports.values() for _ in range(20)]
    end, first, rounds = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end or rounds < 20:
        for port in ports.values():
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
                    peer.sendall(nonsense(chance))
            except OSError:  # it was cut off
                continue
        for name in ("syslog", "gelf"):
            datagrams.sendto(nonsense(chance)[:60_000], ("127.0.0.1", ports[name]))
        status, _ = server.call("POST", chance.choice(posts), nonsense(chance))
        assert status < 600
        rounds += 1
        if rounds == 20:
            first = memory(server)
    assert memory(server) - first < MOST_GROWTH
    with socket.create_connection(("127.0.0.1", ports["syslog"])) as peer:
        peer.sendall(b"<11>1 2026-01-31T12:00:00Z h after - - - all is well\n")
    give_up = time.monotonic() + 20
    while not (rows := server.query("service:after")) and time.monotonic() < give_up:
        time.sleep(0.05)
    assert [row["message"] for row in rows] == ["all is well"]
    for peer in (*silent, datagrams):
        peer.close()
    assert "Traceback" not in server.log.read_text()
    assert server.stop() == 0
