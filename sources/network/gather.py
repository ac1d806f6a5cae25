"""What many peers send at once, gathered to batches: a batch costs a millisecond however few events are in it.

What comes while one lot is being read and handed over is the next lot. A lot that was not stored is sent again: the
peers have nobody to ask, or wait for the commit.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

from ...plugins import Batch, Outlet, Receipt, RejectedError, RetryableError, half_the_cores, in_worker

MOST_BYTES = 4 * 1024 * 1024
"""Bytes of a lot; a peer that has more waits. With `WINDOW` it bounds the memory."""
MOST_EVENTS = 50_000
"""Events of a lot, about; what a peer sent at once is not divided."""
WINDOW = 8
"""Lots handed over and not yet committed."""
_LINGER_S = 0.02  # waited for more: so few batches a second are no load
_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0
_LAST_S = 2.0  # for what was read already when the source is stopped; the node gives all sources five
_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class Lot(Generic[T]):
    """What goes into one batch."""

    items: list[T] = field(default_factory=list)
    size: int = 0
    events: int = 0
    error: RejectedError | None = None
    _settled: anyio.Event = field(default_factory=anyio.Event)

    async def stored(self) -> None:
        """Wait for the commit.

        :raises RejectedError: it will never be stored
        """
        await self._settled.wait()
        if self.error is not None:
            raise self.error

    def settle(self, error: RejectedError | None = None) -> None:
        """It is stored, or refused for good."""
        self.error = error
        self._settled.set()


class Gatherer(Generic[T]):
    """Takes items from many tasks and sends the batches that `read` makes of them, in order, by one task (`run`).

    :param read: called in a worker thread; must not fail, whatever the items are
    :param holds: the peers cannot wait: what the store does not take now is kept on the disk (see `Outlet.hold`)
    """

    def __init__(self, outlet: Outlet, read: Callable[[Sequence[T]], Batch], *, holds: bool = False) -> None:
        self._outlet, self._read, self._holds = outlet, read, holds
        self._threads = half_the_cores()
        self._lot: Lot[T] = Lot()
        self._leaving: tuple[Lot[T], Batch | None] | None = None
        self._some, self._full, self._taken = anyio.Event(), anyio.Event(), anyio.Event()
        self._window = anyio.Semaphore(WINDOW)
        self.rejected = 0
        """Events that the store refused for good."""

    def started(self) -> None:
        """Say that all listeners listen."""
        self._outlet.started()

    async def put(self, item: T, size: int, events: int = 1) -> Lot[T]:
        """Add an item; waits while the lot is full, which it is while the writer has no room. The lot it went into."""
        while self._full.is_set():
            await self._taken.wait()
        lot = self._lot
        lot.items.append(item)
        lot.size += size
        lot.events += events
        self._some.set()
        if lot.size >= MOST_BYTES or lot.events >= MOST_EVENTS:
            self._full.set()
        return lot

    async def run(self) -> None:
        """Hand lots over until cancelled; what was gathered by then is handed over still."""
        try:
            async with anyio.create_task_group() as deliveries:
                while True:
                    await self._some.wait()
                    with anyio.move_on_after(_LINGER_S):
                        await self._full.wait()
                    await self._window.acquire()
                    self._leaving = self._take(), None
                    await self._leave(deliveries)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_LAST_S):
                async with anyio.create_task_group() as deliveries:
                    await self._leave(deliveries)
                    if self._lot.items:
                        self._leaving = self._take(), None
                        await self._leave(deliveries)

    def _take(self) -> Lot[T]:
        lot, self._lot = self._lot, Lot()
        taken = self._taken
        self._some, self._full, self._taken = anyio.Event(), anyio.Event(), anyio.Event()
        taken.set()
        return lot

    async def _leave(self, deliveries: TaskGroup) -> None:
        """Read and send the lot that is leaving, then wait for its commit in a task."""
        if self._leaving is None:
            return
        lot, batch = self._leaving
        if batch is None:
            batch = await in_worker(self._read, lot.items, limiter=self._threads)
            self._leaving = lot, batch
        receipt = await self._sent(lot, batch) if len(batch) else None
        self._leaving = None
        deliveries.start_soon(self._deliver, lot, batch, receipt)

    async def _deliver(self, lot: Lot[T], batch: Batch, receipt: Receipt | None) -> None:
        pause = _PAUSE_S
        try:
            while receipt is not None:
                try:
                    await receipt.committed()
                    break
                except RetryableError as why:
                    await anyio.sleep(why.after or pause)
                    pause = min(2 * pause, _LONGEST_PAUSE_S)
                    receipt = await self._sent(lot, batch)
                except RejectedError as why:
                    self._refuse(lot, batch, why)
                    break
            lot.settle(lot.error)
        finally:
            self._window.release()

    async def _sent(self, lot: Lot[T], batch: Batch) -> Receipt | None:
        """The receipt, however long it takes; None: the batch is refused for good, or is held."""
        pause = _PAUSE_S
        if self._holds:
            await self._outlet.hold(batch, received=lot.size)
            return None
        while True:
            try:
                return await self._outlet.send(batch, received=lot.size)
            except RejectedError as why:
                self._refuse(lot, batch, why)
                return None
            except RetryableError as why:
                await anyio.sleep(why.after or pause)
                pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _refuse(self, lot: Lot[T], batch: Batch, why: RejectedError) -> None:
        lot.error = why
        self.rejected += len(batch)
        _log.error(
            "source %s: %d events are lost, for the store refuses them: %s", self._outlet.source, len(batch), why
        )
