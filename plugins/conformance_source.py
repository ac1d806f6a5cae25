"""Conformance of sources: acknowledge after the commit, bear a store in trouble, stop when told."""
# ruff: noqa: ASYNC110
# A test looks on from outside: what it waits for tells nobody.

from __future__ import annotations

import math
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio

from .base import Acknowledgement, Checkpoint, HttpRequest, HttpSource, Json, Receipt, Source
from .batch import Batch
from .conformance_class import DEADLINE_S, Check, Contract, class_checks, make, require, tests_of
from .conformance_outlet import MemoryOutlet, MemoryStore
from .errors import FatalError, RejectedError, RetryableError

_HUNDREDS = 200
"""Sends at once beyond which a source is held to have no bound."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """How a test makes a source take events in."""

    settings: Mapping[str, Any]
    feed: Callable[[], Coroutine[Any, Any, None]]
    """Offers `events` new events to a source that runs with these settings; may wait for their acknowledgement."""
    events: int
    acknowledged: Callable[[], int] | None = None
    """How many events the peer was told are stored; None: this source tells nobody."""


@dataclass
class _Gate(MemoryOutlet):
    """An outlet whose room and commits are at the test's command."""

    room: float = math.inf
    commits: anyio.Event | None = None
    refuse: int = 0
    sending: int = 0
    most_sending: int = 0
    holds: bool = False
    """Whether the source hands over what is kept, and so never refused."""

    async def hold(self, batch: Batch, *, received: int = 0) -> None:
        self.holds = True
        await super().hold(batch, received=received)

    async def send(
        self,
        batch: Batch,
        *,
        checkpoint: Checkpoint | None = None,
        key: str | None = None,
        parser: Mapping[str, Json] | Sequence[Mapping[str, Json]] | None = None,
        received: int = 0,
    ) -> Receipt:
        self.sending += 1
        self.most_sending = max(self.most_sending, self.sending)
        try:
            while len(self.queued) >= self.room:
                await anyio.sleep(0.01)
            if self.refuse > 0:
                self.refuse -= 1
                raise RejectedError("refused by the test")
            receipt = await super().send(batch, checkpoint=checkpoint, key=key, parser=parser, received=received)
        finally:
            self.sending -= 1
        return _Held(self, receipt)

    async def drain(self) -> None:
        """Commit what is queued now and then, as a writer does."""
        while True:
            await anyio.sleep(0.02)
            if self.commits is None or self.commits.is_set():
                self.flush()


@dataclass
class _Held:
    outlet: _Gate
    inner: Receipt

    async def committed(self) -> Acknowledgement:
        if self.outlet.commits is not None:
            await self.outlet.commits.wait()
        return await self.inner.committed()


def source_contract(cls: type[Source[Any]], scenario: Callable[[Path], Scenario]) -> Contract:
    """The tests of a source. `scenario` makes one anew for each check, given a folder of its own."""

    async def supervise(plugin: Source[Any], outlet: _Gate) -> None:
        """Run as the engine does: a RetryableError starts it again."""
        while True:
            try:
                await plugin.run(outlet)
                await anyio.sleep_forever()
            except RetryableError:
                await anyio.sleep(0.02)

    async def play(outlet: _Gate, then: Callable[[Scenario], Awaitable[None]]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            scene = scenario(Path(folder))
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(supervise, make(cls, scene.settings), outlet)
                tasks.start_soon(outlet.drain)
                tasks.start_soon(scene.feed)
                await then(scene)
                began = anyio.current_time()
                tasks.cancel_scope.cancel()
            require(anyio.current_time() - began < DEADLINE_S / 2, "the source did not stop when it was cancelled")

    async def stored(outlet: _Gate, count: int) -> None:
        with anyio.move_on_after(DEADLINE_S):
            while len(outlet.store.lines) < count:
                await anyio.sleep(0.01)
        await anyio.sleep(0.1)
        found = len(outlet.store.lines)
        require(found >= count, f"of {count} events {found} were stored")

    async def takes() -> None:
        outlet = _Gate(MemoryStore())

        async def then(scene: Scenario) -> None:
            await stored(outlet, scene.events)
            require(len(outlet.store.lines) == scene.events, "more events were stored than were offered")
            for batch in outlet.store.batches:
                require(Batch.of(batch.frame).frame.equals(batch.frame), "a batch has columns that no batch has")
            if scene.acknowledged:
                with anyio.move_on_after(DEADLINE_S):
                    while scene.acknowledged() < scene.events:
                        await anyio.sleep(0.01)
                require(scene.acknowledged() == scene.events, "what is stored was not acknowledged")

        await play(outlet, then)

    async def after_the_commit() -> None:
        outlet = _Gate(MemoryStore(), commits=anyio.Event())
        assert outlet.commits

        async def then(scene: Scenario) -> None:
            await anyio.sleep(0.5)
            early = scene.acknowledged() if scene.acknowledged else 0
            require(early == 0, f"{early} events were acknowledged before they were committed")
            assert outlet.commits
            outlet.commits.set()
            await stored(outlet, scene.events)

        await play(outlet, then)

    async def cancelled_while_waiting() -> None:
        async def then(_: Scenario) -> None:
            await anyio.sleep(0.3)

        await play(_Gate(MemoryStore(), commits=anyio.Event()), then)

    async def retryable() -> None:
        outlet = _Gate(MemoryStore(), trouble=0.4)

        async def then(scene: Scenario) -> None:
            await stored(outlet, scene.events)

        await play(outlet, then)

    async def permanent() -> None:
        outlet = _Gate(MemoryStore(), refuse=1)

        async def then(_: Scenario) -> None:
            with anyio.move_on_after(DEADLINE_S):
                while outlet.refuse and not outlet.holds:
                    await anyio.sleep(0.01)
            await anyio.sleep(0.2)

        try:
            await play(outlet, then)
        except* FatalError:
            pass
        require(outlet.refuse == 0 or outlet.holds, "nothing was sent")

    async def slow() -> None:
        outlet = _Gate(MemoryStore(), room=0)

        async def then(scene: Scenario) -> None:
            await anyio.sleep(0.3)
            require(
                outlet.most_sending <= _HUNDREDS, f"{outlet.most_sending} sends wait at once: a source needs a bound"
            )
            outlet.room = 2
            await stored(outlet, scene.events)

        await play(outlet, then)

    checks: dict[str, Check] = {
        "takes events in": takes,
        "acknowledges after the commit": after_the_commit,
        "cancellation": cancelled_while_waiting,
        "retryable failures": retryable,
        "permanent failure": permanent,
        "slow store": slow,
    }
    return tests_of(class_checks(cls, "source") | checks)


BODIES = (
    b"",
    b"\0",
    b"\xff\xfe\xfd",
    b"{",
    b"[" * 100_000,
    b'{"a":' * 5_000,
    b"null",
    b"\x1f\x8b\x08",
    b"x" * 1_000_000,
)
"""Bodies that no client should send."""


def http_source_contract(
    cls: type[HttpSource[Any]],
    requests: Sequence[tuple[HttpRequest, int]],
    config: Mapping[str, Any] | None = None,
) -> Contract:
    """The tests of an HTTP source. `requests` are some that it takes, each with the number of events in it."""

    async def takes() -> None:
        for request, count in requests:
            store = MemoryStore()
            answer = await make(cls, config).receive(request, _Gate(store))
            require(200 <= answer.status < 300, f"{request.path}: answered {answer.status} {answer.body[:200]!r}")
            require(len(store.lines) == count, f"{request.path}: {len(store.lines)} events were stored, not {count}")

    async def after_the_commit() -> None:
        outlet = _Gate(MemoryStore(), commits=anyio.Event())
        with anyio.move_on_after(0.5):
            await make(cls, config).receive(requests[0][0], outlet)
            raise AssertionError("the request was answered before the commit")

    async def failures() -> None:
        for error, outlet in (
            (RetryableError, _Gate(MemoryStore(), trouble=1.0)),
            (RejectedError, _Gate(MemoryStore(), refuse=10)),
        ):
            try:
                answer = await make(cls, config).receive(requests[0][0], outlet)
            except error:
                continue
            require(answer.status >= 400, f"a {error.__name__} of the store was answered {answer.status}")

    async def bad_bodies() -> None:
        for body in BODIES:
            for request, _ in requests:
                try:
                    await make(cls, config).receive(replace(request, body=body), _Gate(MemoryStore()))
                except RejectedError:
                    continue
                except Exception as why:
                    shown = body[:20]
                    raise AssertionError(f"a body {shown!r}… raised {type(why).__name__}: {why}") from why

    def routes() -> None:
        require(cls.routes, "it has no routes")
        for method, path in cls.routes:
            require(method.isupper() and path.startswith("/"), f"no route: {method} {path}")

    checks: dict[str, Check] = {
        "routes": routes,
        "takes events in": takes,
        "answers after the commit": after_the_commit,
        "failures of the store": failures,
        "bad bodies": bad_bodies,
    }
    return tests_of(class_checks(cls, "source") | checks)
