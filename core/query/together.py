"""Equal questions are asked once: two hundred viewers of one dashboard are few questions.

Those that wait for a turn are put together, and nobody gets an older answer for it: what is read is chosen when the
turn begins, and "now" is that of who came last. Who takes an answer of some age (`QueryRequest.max_age`) shares also
what was asked up to so long before.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

import anyio
from msgspec import structs

from .duck import Interrupted, Running
from .progress import Progress
from .request import QueryRequest
from .result import QueryResult
from .tree import Query

MOST_BYTES: Final = 16 << 20  # of the answers that are kept for others
MOST: Final = 1_000  # such answers

Ask: TypeAlias = Callable[[Callable[[], QueryRequest]], Awaitable[QueryResult]]
"""Waits for a turn, then calls what it is given, for the request that is to be answered, and answers it."""


@dataclass(eq=False)
class _Question:
    """`max_age` is the highest of those that asked it; `began` the monotonic time when its turn began, in seconds."""

    query: Query
    now_ns: int
    max_age: float
    began: float | None = None
    over: anyio.Event = field(default_factory=anyio.Event)
    result: QueryResult | None = None

    @property
    def age(self) -> float:
        """Seconds since its turn began."""
        return 0.0 if self.began is None else time.monotonic() - self.began

    def is_for(self, query: Query, max_age: float) -> bool:
        """Whether its answer does for who asks this now."""
        return self.query == query and (self.began is None or self.age < max_age)

    @property
    def bytes(self) -> int:
        """A slice counts as what it was cut from."""
        return 0 if self.result is None else int(self.result.table.get_total_buffer_size())


class Together:
    """The questions that wait, run, or were answered lately. Whose rights, project, range or text differ never meet."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._asked: dict[QueryRequest, _Question] = {}  # those that began first come first

    async def answer(self, query: Query, request: QueryRequest, progress: Progress, ask: Ask) -> QueryResult:
        """The answer, of an equal question or of its own. `query` is what the text means now.

        Where the one that asks fails or goes away, the next that waited for it asks.

        :raises Interrupted: it was stopped while it waited for another's
        """
        key = structs.replace(request, now_ns=0, id=None, timeout=0, max_age=0, principal="")
        while (other := self._asked.get(key)) is not None and other.is_for(query, request.max_age):
            other.now_ns, other.max_age = max(other.now_ns, request.now_ns), max(other.max_age, request.max_age)
            progress.waits = True
            await _until(other.over, progress.running)
            if other.result is not None:
                return replace(other.result, id=progress.id, age=other.age)
        return await self._own(key, _Question(query, request.now_ns, request.max_age), request, ask)

    async def _own(self, key: QueryRequest, own: _Question, request: QueryRequest, ask: Ask) -> QueryResult:
        """The answer to one's own question; others may join until its turn begins, and who takes its age later."""

        def begun() -> QueryRequest:
            own.began = time.monotonic()
            if self._leave(key, own) and own.max_age:
                self._asked[key] = own
            return structs.replace(request, now_ns=own.now_ns)

        self._asked[key] = own
        try:
            own.result = await ask(begun)
            return own.result
        finally:
            if own.result is None:
                self._leave(key, own)
            own.over.set()
            self._tidy()

    def _leave(self, key: QueryRequest, own: _Question) -> bool:
        """Whether it was there."""
        if found := self._asked.get(key) is own:
            del self._asked[key]
        return found

    def _tidy(self) -> None:
        """Drop the answers that are too old for all, and the oldest of too many."""
        over = [(key, one) for key, one in self._asked.items() if one.result is not None]
        used = sum(one.bytes for _, one in over)
        for number, (key, one) in enumerate(over):
            is_too_many = used > self._most_bytes or number < len(over) - MOST
            if is_too_many or not one.is_for(one.query, one.max_age):
                del self._asked[key]
                used -= one.bytes


async def _until(over: anyio.Event, running: Running) -> None:
    """Wait until another's question is over.

    :raises Interrupted: one's own was stopped
    """
    if over.is_set():
        return
    async with anyio.create_task_group() as tasks:

        async def watch() -> None:
            await over.wait()
            tasks.cancel_scope.cancel()

        stopped = anyio.Event()
        tasks.start_soon(watch)
        with running.interrupts(stopped.set):
            await stopped.wait()
        tasks.cancel_scope.cancel()
    if running.stopped:
        raise Interrupted
