"""Whose query runs next: those that wait go round by who asks, so that nobody's many keep another's few waiting."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import anyio

from ...plugins.errors import LimitError
from .duck import Interrupted, Running

MOST_WAITING: Final = 100  # queries of one who asks
RETRY_S: Final = 2.0  # after which one who is refused may come again: most queries are over by then


@dataclass(eq=False)
class _Ticket:
    who: str
    called: anyio.Event = field(default_factory=anyio.Event)
    runs: bool = False


class Turns:
    """At most `at_once` queries run; of one who asks one fewer, so that the next of somebody else finds room.

    Each one's wait in their order, and whoever had a turn goes behind the others. `waiting` of one may wait; the node's
    own ("": detectors, reports, the tail) are not refused, for they are bounded by those that ask them. They get every
    second turn: a live tail is there for what is new.
    """

    def __init__(self, at_once: int, waiting: int = MOST_WAITING) -> None:
        self.at_once, self._each, self._most_waiting = at_once, max(1, at_once - 1), waiting
        self._running: Counter[str] = Counter()
        self._waiting: dict[str, deque[_Ticket]] = {}
        self._last = ""  # who had the last turn

    @asynccontextmanager
    async def turn(self, who: str, running: Running) -> AsyncIterator[None]:
        """Wait for a turn; it is over at the end of the block.

        :raises LimitError: as many of this one wait as may
        :raises Interrupted: the query was stopped meanwhile
        """
        queue = self._waiting.setdefault(who, deque())
        ticket = _Ticket(who)
        queue.append(ticket)
        try:
            self._call()
            if not ticket.runs and who and len(queue) > self._most_waiting:
                message = f"waiting_queries: {self._most_waiting} of yours wait for others to end; ask again later"
                raise LimitError(message, limit="waiting_queries", value=self._most_waiting, after=RETRY_S)
            with running.interrupts(ticket.called.set):
                await ticket.called.wait()
            if running.stopped:
                raise Interrupted
            yield
        finally:
            self._leave(ticket)

    def _call(self) -> None:
        """Give turns as long as there are any."""
        while self._running.total() < self.at_once:
            first = [""] if "" in self._waiting and self._last else []
            who = next((who for who in (*first, *self._waiting) if self._running[who] < self._each), None)
            if who is None:
                return
            queue = self._waiting.pop(who)
            ticket = queue.popleft()
            if queue:
                self._waiting[who] = queue  # behind the others
            self._running[who] += 1
            self._last = who
            ticket.runs = True
            ticket.called.set()

    def _leave(self, ticket: _Ticket) -> None:
        if ticket.runs:
            self._running[ticket.who] -= 1
            self._running += Counter()  # without those that have none
        else:
            queue = self._waiting[ticket.who]
            queue.remove(ticket)
            if not queue:
                del self._waiting[ticket.who]
        self._call()
