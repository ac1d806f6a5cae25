"""Equal questions are asked once: two hundred viewers of one dashboard are few questions.

Those that wait for a turn are put together, and nobody gets an older answer for it: what is read is chosen when the
turn begins, and "now" is that of who came last. Who takes an answer of some age (`QueryRequest.max_age`) shares also
what was asked up to so long before, of a range that ended up to so long before. When it is half as old, one asks anew,
and the others take it meanwhile: so few ever wait.
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
    """`began`: the monotonic time when its turn began, in seconds; None: it waits."""

    query: Query
    request: QueryRequest
    began: float | None = None
    over: anyio.Event = field(default_factory=anyio.Event)
    result: QueryResult | None = None

    @property
    def age(self) -> float:
        """Seconds since its turn began."""
        return 0.0 if self.began is None else time.monotonic() - self.began

    def behind(self, query: Query, request: QueryRequest) -> float | None:
        """Seconds between its answer and that of the request, by the clock or by the range; None: it means another."""
        ends = [one.to_ns or 0 for one in (self.request, request)]
        return max(self.age, abs(ends[1] - ends[0]) / 1e9) if self.query == query else None

    @property
    def bytes(self) -> int:
        """A slice counts as what it was cut from."""
        if self.result is None:
            return 0
        return int(self.result.table.get_total_buffer_size()) + sum(map(len, self.result.written))


@dataclass(eq=False)
class _Asked:
    """One question as it is asked again and again: its last answer, and who asks now."""

    last: _Question | None = None
    now: _Question | None = None


class Together:
    """The questions that wait, run, or were answered lately. Whose rights, project, range or text differ never meet."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._asked: dict[QueryRequest, _Asked] = {}  # those that were answered first come first

    async def answer(self, query: Query, request: QueryRequest, progress: Progress, ask: Ask) -> QueryResult:
        """The answer, of an equal question or of its own. `query` is what the text means now.

        Where the one that asks fails or goes away, the next that waited for it asks.

        :raises Interrupted: it was stopped while it waited for another's
        """
        key = _key(request)
        asked = self._asked.setdefault(key, _Asked())
        while (found := _shared(asked, query, request)) is not None:
            if found.began is None and found.request.now_ns < request.now_ns:
                found.request = structs.replace(found.request, now_ns=request.now_ns)
            progress.waits = True
            await _until(found.over, progress.running)
            if found.result is not None:
                return replace(found.result, id=progress.id, age=found.age)
        own = asked.now = _Question(query, request)
        try:
            own.result = await ask(lambda: self._begun(asked, own))
            return own.result
        finally:
            if own.result is not None and request.max_age:
                asked.last = own
                self._asked[key] = self._asked.pop(key, asked)
            if asked.now is own:
                asked.now = None
            own.over.set()
            self._tidy()

    def _begun(self, asked: _Asked, own: _Question) -> QueryRequest:
        """The request to answer; from now on only those may join that take its age."""
        own.began = time.monotonic()
        if not own.request.max_age and asked.now is own:
            asked.now = None
        return own.request

    def _tidy(self) -> None:
        """Forget the answers that are too old for all, and the oldest of too many."""
        used = sum(asked.last.bytes for asked in self._asked.values() if asked.last)
        for key, asked in list(self._asked.items()):
            last = asked.last
            if last and (used > self._most_bytes or len(self._asked) > MOST or last.age >= last.request.max_age):
                used -= last.bytes
                asked.last = None
            if asked.last is asked.now is None:
                del self._asked[key]


def _key(request: QueryRequest) -> QueryRequest:
    """What equal questions have in common: where an answer's age does not matter, only how long the range is."""
    key = structs.replace(request, now_ns=0, id=None, timeout=0, principal="")
    if request.max_age and request.to_ns is not None:
        key = structs.replace(key, to_ns=0, from_ns=None if key.from_ns is None else key.from_ns - request.to_ns)
    return key


def _shared(asked: _Asked, query: Query, request: QueryRequest) -> _Question | None:
    """The question whose answer does for the request, answered or not; None: it has to ask itself."""
    now, last = asked.now, asked.last
    behind = last.behind(query, request) if last else None
    if behind is not None and behind < (request.max_age if now else request.max_age / 2):
        return last
    behind = now.behind(query, request) if now else None
    return now if behind is not None and behind <= request.max_age else None


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
