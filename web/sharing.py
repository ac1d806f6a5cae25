"""Equal small reads that come at once are one question to the database.

Nobody gets an older answer for it: who comes while one is under way waits for the next, which all share that came
meanwhile.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import anyio

T = TypeVar("T")


@dataclass(eq=False)
class _Next:
    """What is asked next. Not answered: who asked failed or went away, and the others ask again."""

    over: anyio.Event = field(default_factory=anyio.Event)
    answer: Any = None
    is_answered: bool = False


class Sharing:
    """The reads of an application that are under way, by what they ask for."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, anyio.Event] = {}
        self._next: dict[Hashable, _Next] = {}

    async def answer(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` gives when it is called after this. The key says all that the answer depends on, but the time."""
        while (other := self._next.get(key)) is not None:
            await other.over.wait()
            if other.is_answered:
                answer: T = other.answer
                return answer
        if (under_way := self._under_way.get(key)) is None:
            return await self._asked(key, ask)
        own = self._next[key] = _Next()
        try:
            await under_way.wait()
            del self._next[key]
            own.answer = answer = await self._asked(key, ask)
            own.is_answered = True
            return answer
        finally:
            if self._next.get(key) is own:
                del self._next[key]
            own.over.set()

    async def _asked(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        over = self._under_way[key] = anyio.Event()
        try:
            return await ask()
        finally:
            del self._under_way[key]
            over.set()
