"""Wake-ups: whoever waits for new events is told of every commit, of this node and of all others.

One connection listens (LISTEN segment_commit) and is opened again when it is lost. A wake-up is a hint, not a message:
readers look at their own position, so one that is lost costs time and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import anyio
import asyncpg

from .database import DATABASE_ERRORS

CHANNEL = "segment_commit"
_log = logging.getLogger(__name__)


class Subscription:
    """One waiter's flag."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def wake(self) -> None:
        """Let the waiter go on; several wake-ups before it looks are one."""
        self._event.set()

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait for a commit since the last call, at most so many seconds; whether there was one."""
        with anyio.move_on_after(seconds):
            await self._event.wait()
        happened = self._event.is_set()
        self._event = anyio.Event()
        return happened


class Commits:
    """Listens on one connection for everybody on this node."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._subscribers: set[Subscription] = set()

    @contextmanager
    def subscribe(self) -> Iterator[Subscription]:
        """A subscription while the context lasts."""
        subscription = Subscription()
        self._subscribers.add(subscription)
        try:
            yield subscription
        finally:
            self._subscribers.discard(subscription)

    def wake(self) -> None:
        """Wake all waiters of this node."""
        for subscription in self._subscribers:
            subscription.wake()

    async def run(self) -> None:
        """Listen until cancelled; after a lost connection wake everybody once, for what was missed."""
        while True:
            try:
                await self._listen()
            except DATABASE_ERRORS as why:
                _log.warning("lost the connection that listens for commits (%s); connecting again", why)
            self.wake()
            await anyio.sleep(0.5)

    async def _listen(self) -> None:
        async with self._pool.acquire() as connection:
            lost = anyio.Event()
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, lambda *_: self.wake())
            self.wake()
            try:
                await lost.wait()
            finally:
                with anyio.CancelScope(shield=True), suppress(*DATABASE_ERRORS):
                    await connection.reset()
