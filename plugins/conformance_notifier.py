"""Conformance of notifiers: success, failures of both kinds, and a peer that never answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol, TypeAlias

import anyio
import anyio.abc

from .base import Notifier
from .conformance_class import DEADLINE_S, Check, Contract, class_checks, make, require, tests_of
from .errors import RejectedError, RetryableError
from .notification import Notification

Behaviour: TypeAlias = Literal["success", "retryable", "permanent", "hang"]

NOTIFICATION = Notification(
    delivery_id="7d5c9b1e-1",
    event="opened",
    incident_id=1,
    detector="errors",
    title="52 errors of checkout \U0001f525 <b>&\"'\u202e",
    severity="ERROR",
    group={"service": "checkout"},
    values={"n": 52},
    opened_at="2026-01-31T12:00:00Z",
    resolved_at=None,
    link="http://127.0.0.1:8080/incidents/1",
    samples=[{"timestamp": "2026-01-31T12:00:00.000000000Z", "message": "card declined \0 \U0001f4a5", "n": 1}],
)


class Peer(Protocol):
    """The other side, under the test's control."""

    behaviour: Behaviour
    received: int
    """Requests that arrived."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The notifier's settings that lead here."""


class LocalServer:
    """A plain HTTP server on loopback: 200, 503 with Retry-After, 400, or no answer."""

    STATUS: Mapping[str, str] = {
        "success": "200 OK",
        "retryable": "503 Service Unavailable",
        "permanent": "400 Bad Request",
    }

    def __init__(self, settings: Callable[[str], Mapping[str, Any]]) -> None:
        self.behaviour: Behaviour = "success"
        self.received = 0
        self._settings = settings
        self._port = 0

    @property
    def settings(self) -> Mapping[str, Any]:
        """The notifier's settings, made from this server's address."""
        return self._settings(f"http://127.0.0.1:{self._port}")

    def body(self) -> bytes:
        """What it answers with; a server of a protocol with bodies of its own makes them here."""
        return b"ok"

    async def __aenter__(self) -> LocalServer:
        self._listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        self._port = self._listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        self._tasks.start_soon(self._listener.serve, self._answer)
        return self

    async def __aexit__(self, *why: object) -> None:
        self._tasks.cancel_scope.cancel()
        await self._tasks.__aexit__(None, None, None)
        await self._listener.aclose()

    async def _answer(self, client: anyio.abc.SocketStream) -> None:
        async with client:
            try:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += await client.receive()
                begin, _, body = head.partition(b"\r\n\r\n")
                fields = dict(line.lower().split(b": ", 1) for line in begin.split(b"\r\n")[1:] if b": " in line)
                while len(body) < int(fields.get(b"content-length", b"0")):
                    body += await client.receive()
                self.received += 1
                if self.behaviour == "hang":
                    await anyio.sleep_forever()
                status = self.STATUS[self.behaviour]
                said = self.body()
                names = f"content-length: {len(said)}\r\nretry-after: 7\r\nconnection: close"
                await client.send(f"HTTP/1.1 {status}\r\n{names}\r\n\r\n".encode() + said)
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return


def notifier_contract(
    cls: type[Notifier[Any]],
    config: Callable[[str], Mapping[str, Any]] | None = None,
    server: Callable[[], AbstractAsyncContextManager[Peer]] | None = None,
) -> Contract:
    """The tests of a notifier.

    `config` makes its settings from the address of a local HTTP server. One that speaks something else gives `server`
    instead: a function that makes an asynchronous context manager of a `Peer`.
    """
    if (config is None) == (server is None):
        raise TypeError("give either config (for HTTP) or server")
    opened: Callable[[], AbstractAsyncContextManager[Peer]] = server or (lambda: LocalServer(config))  # type: ignore[arg-type]

    async def attempt(peer: Peer, behaviour: Behaviour) -> str:
        peer.behaviour = behaviour
        with anyio.fail_after(DEADLINE_S):
            return await make(cls, peer.settings).notify(NOTIFICATION)  # type: ignore[no-any-return]

    async def success() -> None:
        async with opened() as peer:
            answer = await attempt(peer, "success")
            require(isinstance(answer, str) and answer.strip(), "notify must return the answer in a few words")
            require(peer.received == 1, f"one notification made {peer.received} requests")

    async def retryable() -> None:
        async with opened() as peer:
            try:
                await attempt(peer, "retryable")
            except RetryableError as why:
                after = why.after
                require(after is None or after == 7, f"the server said 7 seconds, the error {after}")
                return
        raise AssertionError("a temporary failure of the other side must be a RetryableError")

    async def permanent() -> None:
        async with opened() as peer:
            try:
                await attempt(peer, "permanent")
            except RejectedError:
                return
        raise AssertionError("a refusal for good must be a RejectedError: it is not tried again")

    async def unreachable() -> None:
        async with opened() as peer:
            settings = peer.settings
        with anyio.fail_after(DEADLINE_S):
            try:
                await make(cls, settings).notify(NOTIFICATION)
            except RetryableError:
                return
        raise AssertionError("a peer that cannot be reached must be a RetryableError")

    async def cancellation() -> None:
        async with opened() as peer:
            peer.behaviour = "hang"
            began = anyio.current_time()
            with anyio.move_on_after(0.3):
                await make(cls, peer.settings).notify(NOTIFICATION)
                raise AssertionError("notify returned although the other side did not answer")
            require(anyio.current_time() - began < DEADLINE_S / 2, "notify did not stop when it was cancelled")

    async def twice() -> None:
        async with opened() as peer:
            await attempt(peer, "success")
            await attempt(peer, "success")
            require(peer.received == 2, "an instance that was made anew must deliver again")

    checks: dict[str, Check] = {
        "success": success,
        "retryable failure": retryable,
        "permanent failure": permanent,
        "unreachable": unreachable,
        "cancellation": cancellation,
        "two instances": twice,
    }
    return tests_of(class_checks(cls, "notifier") | checks)
