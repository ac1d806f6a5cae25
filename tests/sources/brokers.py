"""Brokers of MQTT: a real Mosquitto, and one that follows a script where its timing must be known."""

from __future__ import annotations

import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
from anyio.abc import SocketStream, TaskStatus
from cordwood.sources.mqtt import packets
from cordwood.sources.mqtt.packets import Framing, Packet

from ..conftest import free_port
from ..services import find_mosquitto

PLAIN = "allow_anonymous true\nmax_queued_messages 0\n"


@contextmanager
def mosquitto(folder: Path, settings: str = PLAIN, *, port: int = 0) -> Iterator[int]:
    """Mosquitto at a port of this machine; by default it keeps all messages for those who are away."""
    program, port = find_mosquitto(), port or free_port()
    assert program is not None
    file = folder / f"mosquitto-{port}.conf"
    file.write_text(f"listener {port} 127.0.0.1\nlog_type all\n{settings}")
    with (folder / f"mosquitto-{port}.log").open("wb") as log:
        broker = subprocess.Popen([program, "-c", file], stdout=log, stderr=log)
    try:
        listens(port, broker)
        yield port
    finally:
        broker.kill()
        broker.wait()


def listens(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until somebody listens."""
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        assert process.poll() is None, f"it ended with {process.returncode}"
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.02)
    raise AssertionError(f"nobody listens at {port}")


def publish(port: int, topic: str, lines: list[str], *more: str) -> None:
    """Publish each line by `mosquitto_pub`; it returns when the broker has acknowledged them."""
    command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-t", topic, "-l", *more]
    subprocess.run(command, input="".join(f"{line}\n" for line in lines).encode(), check=True, timeout=60)


def message(topic: str, payload: bytes, *, qos: int = 0, id: int = 0, again: bool = False, v5: bool = True) -> bytes:  # noqa: A002
    """PUBLISH as a broker sends it."""
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + (id.to_bytes(2, "big") if qos else b"") + (b"\0" if v5 else b"")
    return packet(0x30 | 8 * again | qos << 1, body + payload)


def packet(first: int, body: bytes) -> bytes:
    length, digits = len(body), bytearray()
    while True:
        length, digit = length >> 7, length & 0x7F
        digits.append(digit | 0x80 if length else digit)
        if not length:
            return bytes([first, *digits]) + body


class Broker:
    """Sends messages until they are acknowledged, over as many connections as it takes, and keeps what it is told.

    `answers`: how many packets it takes notice of, beyond CONNECT and SUBSCRIBE; then it ends the connection.
    """

    def __init__(self, messages: list[bytes], *, connack: bytes = b"\x20\x03\1\0\0", answers: int = 1_000_000) -> None:
        self.port = free_port()
        self.unacknowledged = dict(enumerate(messages, 1))
        self.connack, self.answers = connack, answers
        self.told: list[Packet] = []
        self.kinds: Counter[int] = Counter()
        self.connections = 0

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        async with await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=self.port) as listener:
            task_status.started()
            await listener.serve(self.serve)

    async def serve(self, stream: SocketStream) -> None:
        self.connections += 1
        framing = Framing(1_000_000)
        try:
            async with stream:
                while True:
                    for got in framing.feed(await stream.receive()):
                        if await self.answered(stream, got):
                            return
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            pass

    async def answered(self, stream: SocketStream, got: Packet) -> bool:
        """Whether that was the end."""
        if got.kind == 1:
            await stream.send(self.connack)
        elif got.kind == 8:
            await stream.send(packet(0x90, got.body[:2] + b"\0\2"))
            for sent in list(self.unacknowledged.values()):
                await stream.send(sent)
        else:
            self.told.append(got)
            self.kinds[got.kind] += 1
            if got.kind == packets.PUBACK:
                self.unacknowledged.pop(packets.identifier(got), None)
            return len(self.told) >= self.answers
        return False
