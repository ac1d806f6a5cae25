"""What goes on in the soak, each in a thread of its own: senders, questions, deletions, kills, and a look at memory."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from random import Random

import psutil

from ..bench.server import Server

AWAY = (OSError, http.client.HTTPException)


class Going:
    """Threads that run until `stop`; what goes wrong in one is kept in `problems`."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.problems: list[str] = []
        self._threads: list[threading.Thread] = []

    def start(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except Exception as why:
                self.problems.append(f"{work}: {type(why).__name__}: {why}")

        self._threads.append(threading.Thread(target=run, name=str(work)))
        self._threads[-1].start()

    def stop(self) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join()


class Sender:
    """Posts bodies one after the other, each until it is answered 200, and rests as long as the answer took.

    A body is told from all others by `client` and `body`, and its events by `n`, from 0 to `events` - 1.
    """

    def __init__(self, going: Going, server: Server, client: int, events: int) -> None:
        self._going, self._server, self.client, self.events = going, server, client, events
        self.bodies = 0
        """Acknowledged: 0 to this, exclusive."""

    def work(self) -> None:
        while not self._going.over.is_set():
            began = time.monotonic()
            until_acknowledged(self._server, self._events(self.bodies), f"{self.client} {self.bodies}")
            self.bodies += 1
            self._going.over.wait(min(1.0, time.monotonic() - began))  # half of what it could

    def _events(self, body: int) -> list[dict[str, object]]:
        return [
            {
                "service": "soak",
                "severity": "ERROR" if body % 50 == 0 else "INFO",
                "message": f"request {body} of client {self.client} took {n * 7 % 1000} ms, trace {body:06x}{n:06x}",
                "client": self.client,
                "body": body,
                "n": n,
            }
            for n in range(self.events)
        ]


def until_acknowledged(server: Server, events: list[dict[str, object]], key: str) -> None:
    """Post until the answer is 200, through everything.

    :raises AssertionError: it took more than two minutes
    """
    end = time.monotonic() + 120
    while True:
        with contextlib.suppress(*AWAY):
            status, answer, _ = server.post(events, Idempotency_Key=key)
            if status == 200:
                return
            assert status in (429, 503), f"{status} {answer[:300]!r}"
        assert time.monotonic() < end, f"{key} was not acknowledged within two minutes"
        time.sleep(0.05)


class Questions:
    """Asks for bodies that were acknowledged, and for all: the answers are never less than that."""

    def __init__(self, going: Going, server: Server, senders: list[Sender], deletions: Deletions) -> None:
        self._going, self._server, self._senders, self._deletions = going, server, senders, deletions
        self._random = Random(1)
        self.asked = 0

    def work(self) -> None:
        while not self._going.over.is_set():
            known = [sender.bodies for sender in self._senders]
            gone = list(self._deletions.done)
            with contextlib.suppress(*AWAY):
                self._ask(known, gone)
            self._going.over.wait(0.3)

    def _ask(self, known: list[int], gone: list[int]) -> None:
        client = self._random.randrange(len(known))
        if known[client]:
            body = self._random.randrange(known[client])
            (found,) = self._rows(f"service:soak client={client} body={body} | stats count() as n, sum(n) as s")
            events = self._senders[client].events
            assert found == [events, sum(range(events))], f"body {body} of client {client}: {found}"
        ((count,),) = self._rows("service:soak | stats count() as n")
        before = sum(bodies * sender.events for bodies, sender in zip(known, self._senders, strict=True))
        assert count >= before, f"{count} events, {before} were acknowledged before"
        if gone:
            user = self._random.choice(gone)
            ((count,),) = self._rows(f"user:user-{user}-x | stats count() as n")
            assert count == 0, f"{count} deleted events of user {user} came back"
        self.asked += 1

    def _rows(self, text: str) -> list[list[int]]:
        body = json.dumps({"query": text, "timeout": 60}).encode()
        status, answer, _ = self._server.call("POST", "/api/v1/query", body, {"Content-Type": "application/json"})
        if status != 200:
            assert status == 503, f"{text}: {status} {answer[:300]!r}"
            raise ConnectionError
        found = json.loads(answer)
        assert found["complete"], f"{text}: {found['warnings']}"
        rows: list[list[int]] = found["rows"]
        return rows


class Deletions:
    """Sends events of a user and deletes them, again and again; those of their neighbours stay."""

    def __init__(self, going: Going, server: Server) -> None:
        self._going, self._server = going, server
        self.done: list[int] = []
        """Users of whom nothing must be found any more."""

    def work(self) -> None:
        user = 0
        while not self._going.over.is_set():
            events = [{"service": "users", "user": f"user-{user}-{kind}", "n": n} for n in range(20) for kind in "xy"]
            until_acknowledged(self._server, events, f"user {user}")
            self._deleted(f"service:users user:user-{user}-x")
            self.done.append(user)
            user += 1
            self._going.over.wait(2.0)

    def _deleted(self, query: str) -> None:
        """Delete, and wait until it is done, whatever is killed meanwhile."""
        body, kind = json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
        number: int | None = None
        end = time.monotonic() + 180
        while time.monotonic() < end:
            with contextlib.suppress(*AWAY):
                path = "/api/v1/deletions" + ("" if number is None else f"/{number}")
                method, sent = ("POST", body) if number is None else ("GET", None)
                status, answer, _ = self._server.call(method, path, sent, kind if sent else {}, timeout=10)
                if status in (200, 201):
                    found = json.loads(answer)
                    number = found["id"]
                    if found["state"] == "done":
                        return
                    assert found["state"] == "running", found
                else:
                    assert status in (429, 503), f"{status} {answer[:300]!r}"
            time.sleep(0.2)
        raise AssertionError(f"{query}: deletion {number} was not done within three minutes")


class Memory:
    """Resident bytes of Cordwood and, beside it, of its PostgreSQL, once a second."""

    def __init__(self, going: Going, server: Server) -> None:
        self._going, self._server = going, server
        self.seen: list[tuple[float, int]] = []
        """(seconds, bytes of Cordwood's process)."""

    def work(self) -> None:
        while not self._going.over.wait(1.0):
            process = self._server.process
            with contextlib.suppress(psutil.Error):
                if process is not None:
                    self.seen.append((time.monotonic(), psutil.Process(process.pid).memory_info().rss))

    def between(self, begin: float, end: float) -> list[int]:
        return [size for at, size in self.seen if begin <= at < end]


def kills(random: Random, server: Server) -> Iterator[str]:
    """Kill something at each step: everything, the database, or Cordwood alone, whose PostgreSQL is then an orphan."""
    while True:
        how = random.choice(["everything", "everything", "database", "Cordwood"])
        if how == "everything":
            server.kill()
            server.start()
        elif how == "database":
            for process in server.family():
                with contextlib.suppress(psutil.NoSuchProcess):
                    if process.name() == "postgres":
                        process.kill()
        else:
            assert server.process is not None
            server.process.kill()
            server.process.wait()
            server.start()
        yield how
