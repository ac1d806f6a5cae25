"""A small server on a Unix socket that speaks the part of the Docker Engine API that its documentation describes.

No daemon can be had in the tests: it needs rights that they do not have. The server keeps records with their times,
answers `since` as the Engine does (from the first record on that is no older), and sends in chunks that part frames
anywhere.
"""

from __future__ import annotations

import json
import random
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
from anyio.abc import SocketStream

START_NS = 1_769_860_800_000_000_000
PIECE = 16 * 1024


def stamp(ns: int) -> str:
    at = datetime.fromtimestamp(ns // 10**9, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{ns % 10**9:09d}Z"


@dataclass
class Fake:
    """A container and its log: (time, stream, text), a line of more than 16 KiB in pieces as the Engine keeps them."""

    id: str
    name: str
    tty: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    state: str = "running"
    driver: str = "json-file"
    records: list[tuple[int, int, bytes]] = field(default_factory=list)
    changed: anyio.Event = field(default_factory=anyio.Event)

    def say(self, *lines: str | bytes, stream: int = 1, at: int | None = None) -> None:
        for line in lines:
            data = line if isinstance(line, bytes) else f"{line}\n".encode()
            when = at if at is not None else START_NS + 1000 * len(self.records)
            self.records += [(when, stream, data[i : i + PIECE]) for i in range(0, max(1, len(data)), PIECE)]
        self.poke()

    def end(self, state: str = "exited") -> None:
        self.state = state
        self.poke()

    def poke(self) -> None:
        self.changed.set()
        self.changed = anyio.Event()


class FakeEngine:
    def __init__(self) -> None:
        self.containers: dict[str, Fake] = {}
        self.started: list[str] = []
        self.asked: list[str] = []
        self.breaking = 0
        """Logs that break off after some bytes."""
        self.chance = random.Random(4)
        self._told = anyio.Event()

    def add(self, name: str, **given: Any) -> Fake:
        made = Fake(f"{len(self.containers) + 1:064x}", name, **given)
        self.containers[made.id] = made
        self.start(made)
        return made

    def start(self, container: Fake) -> None:
        container.state = "running"
        self.started.append(container.id)
        self._told.set()
        self._told = anyio.Event()

    @asynccontextmanager
    async def serving(self, path: Path) -> AsyncIterator[None]:
        listener = await anyio.create_unix_listener(path)
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, self._handle)
            yield
            tasks.cancel_scope.cancel()
        path.unlink()

    async def _handle(self, stream: SocketStream) -> None:
        async with stream:
            try:
                while True:
                    head = b""
                    while b"\r\n\r\n" not in head:
                        head += await stream.receive()
                    await self._answer(stream, head.split()[1].decode())
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                return

    async def _answer(self, stream: SocketStream, target: str) -> None:
        self.asked.append(target)
        url = urlsplit(target)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        match url.path.strip("/").split("/"):
            case ["containers", "json"]:
                assert asked == {"all": "1"}
                found = [
                    {"Id": c.id, "Names": [f"/{c.name}"], "State": c.state, "Labels": c.labels}
                    for c in self.containers.values()
                ]
                await self._json(stream, 200, found)
            case ["containers", number, "json"] if number in self.containers:
                c = self.containers[number]
                config = {"Tty": c.tty, "Image": "shop:1.4", "Labels": c.labels}
                await self._json(stream, 200, {"Id": c.id, "Name": f"/{c.name}", "Config": config})
            case ["containers", number, "logs"] if number in self.containers:
                c = self.containers[number]
                if c.driver == "none":
                    words = "configured logging driver does not support reading"
                    await self._json(stream, 501, {"message": words})
                else:
                    await self._log(stream, c, asked)
            case ["events"]:
                await self._events(stream)
            case _:
                await self._json(stream, 404, {"message": f"no such thing: {url.path}"})

    async def _json(self, stream: SocketStream, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        await stream.send(head.encode() + body)

    async def _begin(self, stream: SocketStream, media: str) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nTransfer-Encoding: chunked\r\n\r\n"
        await stream.send(head.encode())

    async def _chunk(self, stream: SocketStream, data: bytes) -> None:
        await stream.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def _events(self, stream: SocketStream) -> None:
        await self._begin(stream, "application/json")
        done = len(self.started)
        while True:
            for number in self.started[done:]:
                await self._chunk(stream, json.dumps({"Type": "container", "id": number}).encode() + b"\n")
            done = len(self.started)
            await self._told.wait()

    async def _log(self, stream: SocketStream, container: Fake, asked: dict[str, str]) -> None:
        assert {asked[name] for name in ("follow", "stdout", "stderr", "timestamps")} == {"1"}
        whole, _, fraction = asked.get("since", "0").partition(".")
        since = int(whole) * 10**9 + int(fraction.ljust(9, "0") or 0)
        await self._begin(stream, "application/vnd.docker.multiplexed-stream")
        at, found = 0, False
        breaking, self.breaking = self.breaking > 0, max(0, self.breaking - 1)
        while True:
            changed, ready = container.changed, bytearray()
            for when, kind, text in container.records[at:]:
                found = found or when >= since
                if found:
                    payload = f"{stamp(when)} ".encode() + text.replace(b"\n", b"\r\n" if container.tty else b"\n")
                    ready += payload if container.tty else struct.pack(">BxxxI", kind, len(payload)) + payload
            at = len(container.records)
            if breaking and len(ready) > 1:
                await self._chunk(stream, bytes(ready[: self.chance.randrange(1, len(ready))]))
                await stream.aclose()
                return
            while ready:
                size = self.chance.choice((1, 7, 100, 5000, 100_000))
                await self._chunk(stream, bytes(ready[:size]))
                del ready[:size]
            if container.state != "running":
                await stream.send(b"0\r\n\r\n")
                return
            await changed.wait()
