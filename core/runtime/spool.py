"""What sources that cannot wait hand over: in memory while the store takes it, else on the disk, in order.

    hold ──► [line: in memory │ on disk] ──► outlet, a few lots at once ──► committed

Batches are numbered. The number of the last of a lot is committed with it, as a checkpoint of the source whose key is
this folder's: so a lot whose answer did not come, or that a kill left on the disk after its commit, comes once.
What is on the disk is older than what is in memory: once something is there, all goes there, until it is empty.
"""

from __future__ import annotations

import io
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import anyio
import polars as pl

from ...plugins import (
    Batch,
    Checkpoint,
    CheckpointConflictError,
    Receipt,
    RejectedError,
    RetryableError,
    concat,
    in_worker,
    write_durably,
)
from ..storage.database import DATABASE_ERRORS, trouble

MEMORY_BYTES = 16 * 1024 * 1024  # of one source; beyond, it goes to the disk
WAIT_SECONDS = 2.0  # what waits longer for its commit goes to the disk: a kill would lose it
LOT_BYTES, LOT_BATCHES = 4 * 1024 * 1024, 500  # sent together
_WINDOW = 4  # lots sent and not yet committed
_LAST_SECONDS = 1.5  # a stop waits so long for commits; the rest goes to the disk
_NOT_NOW: tuple[type[Exception], ...] = (RetryableError, OSError, *DATABASE_ERRORS)
_log = logging.getLogger(__name__)


class Sends(Protocol):
    """What the spool needs of an outlet."""

    source: str

    async def send(self, batch: Batch, *, checkpoint: Checkpoint | None = None, received: int = 0) -> Receipt:
        """See `plugins.Outlet.send`."""

    async def checkpoint(self, key: str) -> Any:
        """See `plugins.Outlet.checkpoint`."""


@dataclass(slots=True)
class Room:
    """Bytes on disk that all spools of a node may take together."""

    limit: int
    used: int = 0


@dataclass(eq=False, slots=True)
class _Held:
    """A batch. `batch` is None once it is on the disk only; `size` is in memory, `on_disk` that of its file."""

    number: int
    rows: int
    size: int
    received: int
    since: float
    batch: Batch | None = None
    on_disk: int = 0
    sent: bool = False
    tried: bool = False
    """It was sent before, by this process or maybe by a former one: it may be stored."""
    done: bool = False

    @property
    def name(self) -> str:
        """Of its file; the names sort as the batches came."""
        return f"{self.number:020}-{self.rows}-{self.size}-{self.received}.arrow"


class Spool:
    """Of one source on one node."""

    def __init__(self, folder: Path, outlet: Sends, room: Room, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._outlet, self._room, self._clock = folder, outlet, room, clock
        self._key = ""
        self._line: deque[_Held] = deque()
        self._in_memory: dict[int, _Held] = {}
        self._memory = 0  # bytes of them
        self._number = 0
        self._stored: int | None = None
        self._to_disk = False
        self._lock = anyio.Lock()  # of who numbers batches and writes files
        self._needed, self._ready, self._some, self._empty = (anyio.Event() for _ in range(4))
        self.pauses = 0.2, 5.0
        """Seconds between two attempts, the first and the longest."""
        self.dropped = 0
        """Events that are lost: there was no room on the disk, or the store refused them for good."""
        self.events = 0
        """Events on the disk that are not stored yet."""
        self.bytes = 0
        """Bytes of them there."""

    async def hold(self, batch: Batch, received: int) -> None:
        """Take a batch; it is sent in its turn. Waits for the disk at most."""
        if not len(batch):
            return
        self._needed.set()
        await self._ready.wait()
        async with self._lock:
            self._number += 1
            held = _Held(self._number, len(batch), batch.size, received, self._clock(), batch)
            self._line.append(held)
            self._in_memory[held.number] = held
            self._memory += held.size
            if self._to_disk or self._memory > MEMORY_BYTES:
                await self._write()
        self._some.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send while the context lasts; what is not stored at its end is on the disk then."""
        if self._folder.is_dir():
            self._needed.set()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._run)
            tasks.start_soon(self._watch)
            try:
                yield
            finally:
                with anyio.CancelScope(shield=True):
                    with anyio.move_on_after(_LAST_SECONDS):
                        while self._line and not self._to_disk:
                            self._empty = anyio.Event()
                            await self._empty.wait()
                    tasks.cancel_scope.cancel()
                    async with self._lock:
                        await self._write()
                self._room.used -= self.bytes

    async def _run(self) -> None:
        await self._needed.wait()
        (first, longest), known = self.pauses, False
        pause = first
        while True:
            try:
                if not known:
                    await self._look()
                    known = True
                pause = first
                await self._forward()
            except CheckpointConflictError:
                known = False
            except _NOT_NOW as why:
                known = False
                await self._turn_to_disk(str(why) if isinstance(why, RetryableError) else trouble(why))
                await anyio.sleep(pause)
                pause = min(2 * pause, longest)
            except Exception:
                known = False
                _log.exception("source %s: what it held cannot be sent", self._outlet.source)
                await anyio.sleep(longest)

    async def _watch(self) -> None:
        """Write to the disk what waits for long: the store may take for ever to say that it takes nothing."""
        while True:
            await anyio.sleep(WAIT_SECONDS / 4)
            waiting = self._clock() - self._line[0].since if self._line else 0.0
            if waiting > WAIT_SECONDS and self._memory:
                await self._turn_to_disk(f"its events wait for {waiting:.1f} s")

    async def _turn_to_disk(self, why: str) -> None:
        if not self._line:
            return
        if not self._to_disk:
            _log.warning("source %s: %s; what comes is kept on the disk", self._outlet.source, why)
        self._to_disk = True
        async with self._lock:
            await self._write()

    async def _look(self) -> None:
        """Find out what is on the disk, and what is stored already."""
        if not self._key:
            self._key, found = await in_worker(self._begin)
            self._line.extend(found)
            self._to_disk = bool(found)
            for held in found:
                self._on_disk(held, held.on_disk)
            # The position may be unknown for long; microseconds are above all numbers given before.
            self._number = max(time.time_ns() // 1000, *(held.number for held in found[-1:]), 0)
            self._ready.set()
        self._stored = await self._outlet.checkpoint(self._key)
        self._number = max(self._number, self._stored or 0)
        done = [held for held in self._line if held.tried and held.number <= (self._stored or 0)]
        await self._finish(done)

    def _begin(self) -> tuple[str, list[_Held]]:
        """The checkpoint's key, and what a former process left. Blocking."""
        name = self._folder / "id"
        if not name.exists():
            write_durably(name, uuid4().hex.encode())
        found = []
        for path in sorted(self._folder.glob("*.arrow")):
            number, rows, size, received = map(int, path.stem.split("-"))
            found.append(_Held(number, rows, size, received, 0.0, on_disk=path.stat().st_size, tried=True))
        return f"spool {name.read_text()}", found

    async def _forward(self) -> None:
        """Send what is in the line, in order, and whatever comes.

        :raises RetryableError: the store does not take it now
        """
        flying: deque[tuple[list[_Held], Receipt]] = deque()
        previous = self._stored
        try:
            while True:
                while len(flying) < _WINDOW and (lot := self._next(sum(len(held) for held, _ in flying))):
                    batch = await self._batch(lot)
                    mark = Checkpoint(self._key, lot[-1].number, previous)
                    try:
                        receipt = await self._outlet.send(
                            batch, checkpoint=mark, received=sum(held.received for held in lot)
                        )
                    except RejectedError as why:
                        await self._drop(lot, str(why))
                        continue
                    previous = lot[-1].number
                    flying.append((lot, receipt))
                if flying:
                    await flying[0][1].committed()
                    lot, _ = flying.popleft()
                    self._stored = lot[-1].number
                    await self._finish(lot)
                else:
                    self._some = anyio.Event()
                    await self._some.wait()
        finally:
            for held in self._line:
                held.sent = False

    def _next(self, flying: int) -> list[_Held]:
        """What is sent next, after so many that are on the way."""
        lot: list[_Held] = []
        size = 0
        for held in islice(self._line, flying, flying + LOT_BATCHES):
            size += held.size
            if lot and size > LOT_BYTES:
                break
            held.sent = held.tried = True
            lot.append(held)
        return lot

    async def _batch(self, lot: Sequence[_Held]) -> Batch:
        kept = [held.batch for held in lot]
        if len(kept) == 1 and kept[0] is not None:
            return kept[0]
        return await in_worker(self._joined, lot, kept)

    def _joined(self, lot: Sequence[_Held], kept: Sequence[Batch | None]) -> Batch:
        """One batch of several. Blocking."""
        return concat([
            Batch(pl.read_ipc((self._folder / held.name).read_bytes())) if batch is None else batch
            for held, batch in zip(lot, kept, strict=True)
        ])  # fmt: skip

    async def _write(self) -> None:
        """Bring to the disk what is in memory, in order; drop what finds no room there and is not on the way."""
        for held in list(self._in_memory.values()):
            if held.batch is None or held.done:
                continue
            try:
                written = await in_worker(self._written, held, held.batch)
                lost = "there is no room for it: the limit `spool` is reached"
            except OSError as why:
                written, lost = 0, f"the disk takes nothing ({why.strerror or why})"
            if held.done:  # it was committed meanwhile
                await in_worker(self._unlink, [held.name])
            elif written:
                self._on_disk(held, written)
                self._forget_batch(held)
            elif not held.sent:
                await self._drop([held], lost)

    def _unlink(self, names: Sequence[str]) -> None:
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def _on_disk(self, held: _Held, size: int) -> None:
        held.on_disk = size
        self._room.used += size
        self.bytes += size
        self.events += held.rows

    def _forget_batch(self, held: _Held) -> None:
        if self._in_memory.pop(held.number, None) is not None:
            self._memory -= held.size
        held.batch = None

    def _written(self, held: _Held, batch: Batch) -> int:
        """The size of the file that was written; 0: there is no room. Blocking."""
        data = io.BytesIO()
        batch.frame.write_ipc(data, compression="zstd")
        size = data.tell()
        if self._room.used + size > self._room.limit:
            return 0
        write_durably(self._folder / held.name, data.getvalue())
        return size

    async def _drop(self, lot: Sequence[_Held], why: str) -> None:
        if not self.dropped:
            _log.error("source %s: events are lost: %s", self._outlet.source, why)
        self.dropped += sum(held.rows for held in lot)
        await self._finish(lot)

    async def _finish(self, lot: Sequence[_Held]) -> None:
        """Forget what is stored, or lost."""
        for held in lot:
            held.done = True
            self._line.remove(held)
            self._forget_batch(held)
            if held.on_disk:
                self._room.used -= held.on_disk
                self.bytes -= held.on_disk
                self.events -= held.rows
        names = [held.name for held in lot if held.on_disk]
        if names:
            await in_worker(self._unlink, names)
        if self._to_disk and not self.events:
            self._to_disk = False
            _log.info("source %s: nothing is left on the disk", self._outlet.source)
        if not self._line:
            self._empty.set()
