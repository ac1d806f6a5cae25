"""Equal questions that wait for a turn are asked once: two hundred viewers of one dashboard are few questions.

Nobody gets an older answer for it. Questions are put together only while they wait: what is read is chosen when the
turn begins, and "now" is that of who came last.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import anyio
from msgspec import structs

from .duck import Interrupted, Running
from .progress import Progress
from .request import QueryRequest
from .result import QueryResult
from .tree import Query

Ask: TypeAlias = Callable[[Callable[[], QueryRequest]], Awaitable[QueryResult]]
"""Waits for a turn, then calls what it is given, for the request that is to be answered, and answers it."""


@dataclass(eq=False)
class _Question:
    query: Query
    now_ns: int
    over: anyio.Event = field(default_factory=anyio.Event)
    result: QueryResult | None = None


class Together:
    """The questions that wait. Whose rights, project, range or text differ never meet."""

    def __init__(self) -> None:
        self._waiting: dict[QueryRequest, _Question] = {}

    async def answer(self, query: Query, request: QueryRequest, progress: Progress, ask: Ask) -> QueryResult:
        """The answer, of an equal question that waits already or of its own. `query` is what the text means now.

        Where the one that asks fails or goes away, the next that waited for it asks.

        :raises Interrupted: it was stopped while it waited for another's
        """
        key = structs.replace(request, now_ns=0, id=None, timeout=0, principal="")
        while (other := self._waiting.get(key)) is not None and other.query == query:
            other.now_ns = max(other.now_ns, request.now_ns)
            progress.waits = True
            await _until(other.over, progress.running)
            if other.result is not None:
                return replace(other.result, id=progress.id)
        return await self._asked(key, _Question(query, request.now_ns), request, ask)

    async def _asked(self, key: QueryRequest, own: _Question, request: QueryRequest, ask: Ask) -> QueryResult:
        """The answer to one's own question; others may join until its turn begins."""

        def begun() -> QueryRequest:
            self._leave(key, own)
            return structs.replace(request, now_ns=own.now_ns)

        self._waiting[key] = own
        try:
            own.result = await ask(begun)
            return own.result
        finally:
            self._leave(key, own)
            own.over.set()

    def _leave(self, key: QueryRequest, own: _Question) -> None:
        if self._waiting.get(key) is own:
            del self._waiting[key]


async def _until(over: anyio.Event, running: Running) -> None:
    """Wait until another's question is over.

    :raises Interrupted: one's own was stopped
    """
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
