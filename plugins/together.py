"""Things that arrive at the same time, worked on as one.

Reading a body of ten events costs a millisecond however small it is, for a hundred columns are made; reading thirty
bodies as one costs hardly more. What comes while one lot is being worked on is the next lot; where others were waiting
too, it lingers a moment for more. So a single request is as fast as ever, and many are cheap.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio

from .errors import RetryableError

_LINGER_SECONDS = 0.008  # of a lot, where the lots before it were larger than what is there
_KINDS = 1000  # kinds whose lots' sizes are remembered

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
R = TypeVar("R")


@dataclass(eq=False, slots=True)
class _Waiter(Generic[T, R]):
    item: T
    size: int
    woken: anyio.Event = field(default_factory=anyio.Event)
    leads: bool = False
    outcome: list[R] = field(default_factory=list)
    error: Exception | None = None


@dataclass(eq=False, slots=True)
class _Line(Generic[T, R]):
    """Those who wait with items of one kind, behind one who works."""

    queue: deque[_Waiter[T, R]] = field(default_factory=deque)
    busy: bool = False
    recent: deque[int] = field(default_factory=lambda: deque(maxlen=8))  # items of the last lots
    wanted: int = 0
    enough: anyio.Event = field(default_factory=anyio.Event)


class Together(Generic[K, T, R]):
    """Calls `work(kind, items)` for lots of one kind; its answers are those of the items, in order.

    There is no task of its own: of those who wait, the first does the work for all, then wakes the next. Lots of one
    kind follow each other; a lot has at most `most` bytes by the sizes given, but always an item.
    """

    def __init__(self, work: Callable[[K, Sequence[T]], Awaitable[Sequence[R]]], *, most: int = 1024 * 1024) -> None:
        self._work, self._most = work, most
        self._lines: dict[K, _Line[T, R]] = {}

    async def do(self, kind: K, item: T, size: int) -> R:
        """The answer for one item.

        :raises RetryableError: whoever worked for all was cancelled
        """
        mine: _Waiter[T, R] = _Waiter(item, size)
        line = self._lines.get(kind)
        if line is None:
            line = self._line(kind)
        if line.busy:
            line.queue.append(mine)
            if len(line.queue) >= line.wanted:
                line.enough.set()
            try:
                await mine.woken.wait()
            except BaseException:  # cancelled: nobody may wait for one who is gone
                if mine.leads:
                    self._pass_on(line)
                elif mine in line.queue:
                    line.queue.remove(mine)
                raise
        else:
            line.busy = mine.leads = True
        if mine.leads:
            await self._lead(kind, line, mine)
        if mine.error is not None:
            raise mine.error
        return mine.outcome[0]

    async def _lead(self, kind: K, line: _Line[T, R], mine: _Waiter[T, R]) -> None:
        lot, size, queue = [mine], mine.size, line.queue
        try:
            await self._linger(line)
            while queue and size + queue[0].size <= self._most:
                size += queue[0].size
                lot.append(queue.popleft())
            line.recent.append(len(lot))
            answers = await self._work(kind, [waiter.item for waiter in lot])
            for waiter, answer in zip(lot, answers, strict=True):
                waiter.outcome.append(answer)
        except Exception as why:  # whatever it is, it is everybody's
            for waiter in lot:
                waiter.error = why
        finally:
            for waiter in lot:
                if not waiter.outcome and waiter.error is None:
                    waiter.error = RetryableError("the work was cancelled; send it again", after=1)
                waiter.woken.set()
            self._pass_on(line)

    async def _linger(self, line: _Line[T, R]) -> None:
        """Wait a moment until as many are there as there were lately: clients that got their answer come again."""
        line.wanted = int(0.9 * max(line.recent, default=0))
        if len(line.queue) < line.wanted:
            line.enough = anyio.Event()
            with anyio.move_on_after(_LINGER_SECONDS):
                await line.enough.wait()
        line.wanted = 0

    def _line(self, kind: K) -> _Line[T, R]:
        if len(self._lines) >= _KINDS:
            self._lines = {known: line for known, line in self._lines.items() if line.busy}
        line: _Line[T, R] = _Line()
        self._lines[kind] = line
        return line

    def _pass_on(self, line: _Line[T, R]) -> None:
        """Let the next one lead."""
        if line.queue:
            line.queue[0].leads = True
            line.queue.popleft().woken.set()
        else:
            line.busy = False
