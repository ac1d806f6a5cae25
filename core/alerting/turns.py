"""Whose turn it is to judge: few at once, and of those that wait, whoever must be done first."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import anyio


class Turns:
    """`most` at once. Who may take longer waits longer, but not behind everybody: what counts is when it is due.

    So a detector that judges every second does not wait for a hundred that have a minute each, and each of those has
    had its turn when its minute is over.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: list[tuple[float, int, anyio.Event]] = []
        self._numbers = count()

    @asynccontextmanager
    async def turn(self, within: float) -> AsyncIterator[None]:
        """A turn, to be had within so many seconds if that can be."""
        if self._free:
            self._free -= 1
        else:
            await self._called(anyio.current_time() + within)
        try:
            yield
        finally:
            self._pass_on()

    async def _called(self, due: float) -> None:
        entry = (due, next(self._numbers), anyio.Event())
        heapq.heappush(self._waiting, entry)
        try:
            await entry[2].wait()
        except BaseException:
            if entry[2].is_set():  # called and cancelled at the same moment
                self._pass_on()
            else:
                self._waiting.remove(entry)
                heapq.heapify(self._waiting)
            raise

    def _pass_on(self) -> None:
        if self._waiting:
            heapq.heappop(self._waiting)[2].set()
        else:
            self._free += 1
