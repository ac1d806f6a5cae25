"""The loop of a file source: look, read, send, wait for the commits; and what to do when one fails."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass

import anyio

from ...plugins import Batch, Checkpoint, Json, Outlet, Receipt, RejectedError, RetryableError, in_worker
from ..forgetting import Forgetting
from .content import VanishedError
from .follow import Block, Follow, ReplacedError, Style
from .position import Position
from .scan import Scanner
from .track import Tracker

WINDOW = 32
"""Batches sent and not yet committed; with blocks of 1 MiB, this bounds the memory and hides the commit's time."""
ROUND = 8
"""Blocks of one file before the next file has its turn."""
GRACE_S = 5.0
"""How long a file whose name vanished is read on: a writer goes on until it is told of the rotation."""
_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Sent:
    file: Follow
    receipt: Receipt
    position: Position
    value: Json
    rows: int


class Reader:
    """One run of a file source. All state lives here; one task runs it, so nothing in it is shared."""

    def __init__(
        self, outlet: Outlet, scanner: Scanner, tracker: Tracker, style: Style, poll: float, forgetting: Forgetting
    ) -> None:
        self._outlet, self._scanner, self._tracker, self._forgetting = outlet, scanner, tracker, forgetting
        self._style, self._poll = style, poll
        self._outstanding: deque[_Sent] = deque()
        self._pause = _PAUSE_S
        self._trouble: RetryableError | None = None
        self._look_s = 0.0
        """How long the last look took: with very many files, looking must not take more than a tenth of a core."""

    async def run(self) -> None:
        """Follow the files until cancelled."""
        try:
            while True:
                busy = False
                try:
                    busy = await self._turn()
                    if self._forgetting.due:
                        await self._settle_all()
                        self._tracker.forget(await self._forgetting.look(self._tracker.there()))
                except RetryableError as why:
                    self._trouble = why
                if self._trouble:
                    await self._wait_out(self._trouble)
                elif not busy:
                    await anyio.sleep(max(self._poll, 9 * self._look_s))
        finally:
            self._tracker.close()

    async def _turn(self) -> bool:
        """One look at all files; whether there was anything to read."""
        placed = await in_worker(self._look)
        await self._place(placed)
        busy = unpacking = False
        for file in list(self._tracker.files.values()):
            if file.failed:
                await self._recover(file)
            if file.kind != "plain" and unpacking:
                continue  # one after the other: a stream that loses its descriptor must begin anew
            if file.wants_reading() or file.gone_at is not None:
                read = await self._read(file)
                unpacking |= read and file.kind != "plain"
                busy |= read
        if not busy:
            await self._settle_all()
        self._tracker.at_end = False
        return busy

    def _look(self) -> list[Follow]:
        began = time.perf_counter()
        placed = self._tracker.look(self._scanner.scan())
        self._look_s = time.perf_counter() - began
        return placed

    async def _place(self, files: list[Follow]) -> None:
        """Commit where new files are read from, before anything else is: a crash must not read their content again.

        :raises RetryableError: one of them could not be committed; the files are met anew at the next look
        """
        nothing = Batch.from_lines([])
        for file in files:
            try:
                await self._send(file, Block(nothing, file.position))
            except RetryableError as why:
                self._trouble = why
        if files:
            await self._settle_all()
        failed = [file for file in files if file.failed]
        for file in failed:
            self._tracker.drop(file)
        if failed:
            raise self._trouble or RetryableError("a file's position was not committed")

    async def _read(self, file: Follow) -> bool:
        """Some blocks of one file; whether there was something, and it goes on now."""
        for blocks in range(ROUND):
            try:
                block = await in_worker(self._next, file, False)
            except ReplacedError:
                await self._settle_all()
                self._tracker.replaced(file)
                return True
            except VanishedError:
                await self._settle_all()
                self._tracker.drop(file)
                return False
            if complaint := file.complaint():
                _log.error("%s", complaint)
            if block is None:
                if file.gone_at is not None and time.monotonic() - file.gone_at > GRACE_S:
                    await self._finish(file)
                return blocks > 0
            await self._send(file, block)
            if file.failed:
                return True
        return True

    def _next(self, file: Follow, last: bool) -> Block | None:
        block = file.read(self._style, last=last)
        self._tracker.touch(file)
        if block is None and file.kind != "plain" and not file.waiting:
            file.close()
        return block

    async def _finish(self, file: Follow) -> None:
        """Read the unfinished last line of a file that is gone, and follow it no more."""
        try:
            while block := await in_worker(self._next, file, True):
                await self._send(file, block)
                if file.failed:
                    return
        except (ReplacedError, VanishedError):
            pass  # its folder entry was all that was left
        await self._settle_all()
        if not file.failed:
            self._tracker.drop(file)

    async def _send(self, file: Follow, block: Block) -> None:
        """Hand a block over; `file.failed` tells that it, or one before it, did not get through."""
        if block.batch is None:
            file.position = block.position
            return
        while len(self._outstanding) >= WINDOW:
            await self._settle()
        if file.failed:
            return
        value = block.position.json()
        try:
            receipt = await self._outlet.send(
                block.batch,
                checkpoint=Checkpoint(file.key, value, file.sent),
                received=max(0, block.position.offset - file.position.offset),
            )
        except RejectedError as why:
            self._refused(file, block.position, len(block.batch), why)
            return
        except RetryableError:
            file.failed = True
            raise
        file.position, file.sent = block.position, value
        file.outstanding += 1
        self._outstanding.append(_Sent(file, receipt, block.position, value, len(block.batch)))

    async def _settle(self) -> None:
        """Wait for the commit of the oldest batch that was sent."""
        sent = self._outstanding.popleft()
        sent.file.outstanding -= 1
        try:
            await sent.receipt.committed()
        except RejectedError as why:
            self._refused(sent.file, sent.position, sent.rows, why)
        except RetryableError as why:
            sent.file.failed = True
            self._trouble = why
        else:
            self._tracker.remember(sent.file.key, sent.value)
            self._pause = _PAUSE_S

    async def _settle_all(self) -> None:
        while self._outstanding:
            await self._settle()

    def _refused(self, file: Follow, position: Position, rows: int, why: RejectedError) -> None:
        _log.error("%s: %d lines before byte %d will never be stored: %s", file.path, rows, position.offset, why)
        file.failed, file.skip_to = True, position

    async def _recover(self, file: Follow) -> None:
        """Go on from the committed position, or behind what was refused for good.

        :raises RetryableError: the store does not answer
        """
        await self._settle_all()
        value = await self._outlet.checkpoint(file.key)
        self._tracker.remember(file.key, value)
        position, beyond = (
            Position.of(value) if value is not None else Position(packed=file.kind != "plain"),
            file.skip_to,
        )
        if beyond and beyond.offset > position.offset:
            position = beyond
        file.restart(position, value)

    async def _wait_out(self, why: RetryableError) -> None:
        """Leave the store alone for a while, longer from time to time."""
        if self._pause == _PAUSE_S:
            _log.warning("source %s waits for the store: %s", self._outlet.source, why)
        self._trouble = None
        await anyio.sleep(why.after if why.after is not None else self._pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_S)
