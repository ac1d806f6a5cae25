"""Clients that send while the server and its PostgreSQL are killed and started again; what must be there afterwards.

A client numbers its events: `NAME event N`. The first half is sent and stored. Then the client goes on, everything is
killed with its events on the way, starts again at the same ports, and the client ends its numbers. What may be lacking
is said for each client by `Loss`; nothing else may be, ever.
"""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias

import psutil
import yaml

from ..conftest import Server, free_port

GIVE_UP_S = 120
_EVENT = re.compile(r"([\w-]+) event (\d+)\b")
_ALL = 10_000_000  # rows: more than there are

Send: TypeAlias = Callable[[int], None]
"""Hands an event's number to the client."""


class Loss(Enum):
    """What a client may lose of what was on its way; of what was stored before, or is sent to a server, nothing."""

    NOTHING = "the protocol acknowledges, and the client sends again what was not acknowledged"
    REFUSED = "the protocol acknowledges; the client says what it could not send, and does not send it again"
    UNACKNOWLEDGED = "no acknowledgement, but the client connects again: what was not yet stored at the kill"
    AWAY = "no acknowledgement, nothing is sent again: what was sent from the kill on, until there was a server again"


@dataclass
class Stage:
    """Where a client works, and what is known of it."""

    name: str
    server: Server
    folder: Path
    port: int
    """Of this machine, free: the client's source listens there, if it has addresses."""
    broker: int
    """Another one: a broker listens there, if the client sends to one."""
    daemons: contextlib.ExitStack
    """Programs that run until everything is judged: they may have events that are still on their way."""
    client: Any = None
    """What its own functions keep there."""
    sent: int = 0
    refused: set[int] = field(default_factory=set)
    """Numbers of which the client itself said that they could not be sent."""
    killed_at: int = 0
    """The first number that was sent when everything was killed already."""
    back_at: int = 0
    """The first number that was sent when the client had a connection again."""

    def text(self, number: int) -> str:
        return f"{self.name} event {number}"


@dataclass(frozen=True)
class Client:
    """A client: how it is opened, which source it needs, what it may lose, how many events may come twice."""

    open: Callable[[Stage], AbstractContextManager[Send]]
    loss: Loss
    source: Callable[[Stage], Mapping[str, Any]] = lambda _: {}
    """Its entry in the YAML; empty: the source runs without one."""
    again: int = 0
    """How many events may be stored twice: those of the requests that were committed and not answered."""
    connected: Callable[[Stage], bool] = lambda _: True
    """Whether the client has a connection, once the server listens again: some wait for a while before they try."""


class Killing:
    """One server, its clients, and a kill."""

    def __init__(
        self, make_server: Callable[..., Server], folder: Path, clients: Mapping[str, Client], count: int
    ) -> None:
        self.clients, self.count = clients, count
        self._daemons = contextlib.ExitStack()
        self.stages: dict[str, Stage] = {}
        self._back = threading.Event()
        server = make_server("")
        assert server.config is not None
        for name in clients:
            own = folder / f"c-{name}"
            own.mkdir()
            own.chmod(0o755)
            self.stages[name] = Stage(name, server, own, free_port(), free_port(), self._daemons)
        sources = {name: dict(found) for name, client in clients.items() if (found := client.source(self.stages[name]))}
        self.sources = sources
        server.config.write_text(yaml.safe_dump({"version": 1, "sources": sources}))
        self.server = server

    def run(self) -> None:
        """All of it."""
        self._start()
        with self._daemons:
            with ThreadPoolExecutor(len(self.clients)) as threads, contextlib.ExitStack() as opened:
                sends = {
                    name: opened.enter_context(client.open(self.stages[name])) for name, client in self.clients.items()
                }
                dropped = self._send(threads, sends)
            self._judge(dropped)

    def _send(self, threads: ThreadPoolExecutor, sends: Mapping[str, Send]) -> dict[str, int]:
        """Everything, over the kill; returns what the kernel dropped before it."""
        half = self.count // 2
        for done in [threads.submit(self._pass, name, send, range(half)) for name, send in sends.items()]:
            done.result()
        dropped = self._until_stored(half)
        sending = [threads.submit(self._over_the_kill, name, send) for name, send in sends.items()]
        self._until_all_send(half + self.count // 20)
        self.server.kill()
        for stage in self.stages.values():
            stage.killed_at = stage.sent
        self._start()
        self._back.set()
        for done in sending:
            done.result()
        return dropped

    def _start(self) -> None:
        """A server is ready before its sources listen."""
        self.server.start()
        ports = {stage.port for name, stage in self.stages.items() if str(stage.port) in str(self.sources.get(name))}
        until = time.monotonic() + GIVE_UP_S
        while missing := ports - {c.laddr.port for c in connections(self.server) if not c.raddr}:
            assert time.monotonic() < until, f"nobody listens at {missing}"
            time.sleep(0.02)

    def _pass(self, name: str, send: Send, numbers: range) -> None:
        """Send these numbers, no faster than 5,000 a second: a kernel's buffer holds some hundred datagrams."""
        stage = self.stages[name]
        for number in numbers:
            stage.sent = number + 1
            send(number)
            if number % 50 == 0:
                time.sleep(0.01)

    def _over_the_kill(self, name: str, send: Send) -> None:
        """The second half: ever slower until there is a server again, so that some is left to be sent then."""
        half, stage = self.count // 2, self.stages[name]
        hurry, last = half + self.count // 10, self.count - self.count // 8
        self._pass(name, send, range(half, hurry))
        number = hurry
        while number < self.count and not (self._back.is_set() and self.clients[name].connected(stage)):
            stage.sent = number + 1
            send(number)
            number += 1
            time.sleep(0.002 if number < last else 0.2)
        stage.back_at = number
        self._pass(name, send, range(number, self.count))

    def _until_all_send(self, number: int) -> None:
        until = time.monotonic() + GIVE_UP_S
        while slow := [name for name, stage in self.stages.items() if stage.sent < number]:
            assert time.monotonic() < until, f"{slow} do not send"
            time.sleep(0.001)

    def _until_stored(self, half: int) -> dict[str, int]:
        """What each client sent is stored, but for what it said it could not send and what the kernel dropped."""
        until = time.monotonic() + GIVE_UP_S
        while True:
            stored, dropped = self.stored(), self._dropped()
            lacking = {
                name: missing
                for name, stage in self.stages.items()
                if (missing := half - len(stored[name]) - len(stage.refused) - dropped.get(name, 0)) > 0
            }
            if not lacking:
                return dropped
            assert time.monotonic() < until, f"not stored before the kill: {lacking}"
            time.sleep(0.1)

    def _dropped(self) -> dict[str, int]:
        """Datagrams that the kernel had no room for, by source: Linux counts them, Cordwood shows it."""
        text = self.server.call("GET", "/metrics")[1].decode()
        found = re.findall(r'cordwood_source_dropped_datagrams_total\{source="([^"]+)".*?\} ([\d.]+)', text)
        return {name: int(float(value)) for name, value in found}

    def stored(self) -> dict[str, dict[int, int]]:
        """How often each number of each client is there."""
        found: dict[str, dict[int, int]] = {name: {} for name in self.stages}
        for row in self.server.query("event | stats count() as n by message", limit=_ALL):
            if (event := _EVENT.search(row["message"])) and event[1] in found:
                numbers = found[event[1]]
                numbers[int(event[2])] = numbers.get(int(event[2]), 0) + row["n"]
        return found

    def _judge(self, dropped: Mapping[str, int]) -> None:
        """Wait until what must be there is there; then say what each client may not have lost, or has twice."""
        until = time.monotonic() + GIVE_UP_S
        while True:
            stored, lately = self.stored(), self._dropped()
            wrong: dict[str, str] = {}
            for name in self.clients:
                lost = set(range(self.count)) - stored[name].keys()
                unexcused = lost - self._excused(name)
                if len(unexcused) > dropped.get(name, 0) + lately.get(name, 0):
                    wrong[name] = f"{len(unexcused)} lost: {sorted(unexcused)[:10]}"
            if not wrong or time.monotonic() > until:
                break
            time.sleep(0.2)
        for name, client in self.clients.items():
            total = sum(stored[name].values())
            twice = total - len(stored[name])
            stage = self.stages[name]
            print(
                f"{name}: {self.count} sent, {len(stored[name])} stored, {twice} twice, {len(stage.refused)} refused, "
                f"killed at {stage.killed_at}, back at {stage.back_at}"
            )
            if twice > client.again:
                wrong[name] = f"{wrong.get(name, '')} {twice} twice, {client.again} may be"
        assert not wrong, wrong

    def _excused(self, name: str) -> set[int]:
        """Numbers that the client may lose."""
        stage, half = self.stages[name], self.count // 2
        by_loss: Mapping[Loss, Iterable[int]] = {
            Loss.NOTHING: (),
            Loss.REFUSED: stage.refused,
            Loss.UNACKNOWLEDGED: range(half, stage.killed_at + 1),
            Loss.AWAY: range(half, stage.back_at),
        }
        return set(by_loss[self.clients[name].loss])


def connections(server: Server) -> list[Any]:
    """The server's sockets, of TCP and UDP: those that listen, and those with a peer (`raddr`)."""
    assert server.process is not None
    me = psutil.Process(server.process.pid)
    found: list[Any] = []
    for process in (me, *me.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            found += [c for c in process.net_connections("inet") if c.laddr]
    return found


@contextmanager
def program(stage: Stage, *command: str | Path, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs in the context; what it says is in its folder. Its input ends, or else it is told to end."""
    with (stage.folder / "said").open("ab") as said:
        process = subprocess.Popen([str(word) for word in command], stdout=said, stderr=said, **more)
    try:
        yield process
        if process.stdin:
            process.stdin.close()
        else:
            process.terminate()
        ended = process.wait(GIVE_UP_S)
        assert ended in (0, -signal.SIGTERM), f"{ended}: {(stage.folder / 'said').read_text()[-2000:]}"
    finally:
        process.kill()
        process.wait()


def lines_to(process: subprocess.Popen[bytes], stage: Stage) -> Send:
    """Each event is a line of its standard input."""
    assert process.stdin is not None
    pipe = process.stdin

    def send(n: int) -> None:
        pipe.write(f"{stage.text(n)}\n".encode())
        pipe.flush()

    return send
