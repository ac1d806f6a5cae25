"""A store in memory behind the `Outlet` protocol: commits in order, compare and set of checkpoints, failing at will."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import anyio

from .base import Acknowledgement, Checkpoint, Json, Part, Receipt
from .batch import Batch
from .errors import CheckpointConflictError, RejectedError, RetryableError


@dataclass
class MemoryStore:
    """What is committed. It outlives the sources, as PostgreSQL does."""

    batches: list[Batch] = field(default_factory=list)
    positions: dict[str, Json] = field(default_factory=dict)
    rejected: list[str] = field(default_factory=list)
    """Batches that hold one of these messages are refused for good."""
    moved: dict[str, float] = field(default_factory=dict)
    """When each position was moved, or was there, on the clock `time.monotonic`; with `forget PREFIX` since when one
    forgets."""
    keys: set[str] = field(default_factory=set)
    """The idempotency keys that were committed."""

    @property
    def lines(self) -> list[str]:
        """The committed messages, in order."""
        return [line for batch in self.batches for line in batch.frame["message"].to_list()]

    def commit(self, batch: Batch, checkpoint: Checkpoint | None, key: str | None = None) -> Acknowledgement:
        """Store a batch with its checkpoint and key, all or none of them."""
        if key in self.keys:
            return Acknowledgement(0, duplicate=True)
        if checkpoint:
            if self.positions.get(checkpoint.key) != checkpoint.previous:
                raise CheckpointConflictError(f"{checkpoint.key} was moved")
            if batch.frame["message"].is_in(self.rejected).any():
                raise RejectedError("poison")
            self.positions[checkpoint.key] = checkpoint.value
            self.moved[checkpoint.key] = time.monotonic()
        if key is not None:
            self.keys.add(key)
        if len(batch):
            self.batches.append(batch)
        return Acknowledgement(len(batch))


@dataclass
class MemoryOutlet:
    """An outlet onto a store; what was sent is committed when somebody waits for it.

    `trouble` is the share of sends and commits that fail, before or after the commit.
    """

    store: MemoryStore
    source: str = "files"
    trouble: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311
    queued: list[_Receipt] = field(default_factory=list)
    largest_queue: int = 0

    def started(self) -> None:
        """Nobody waits for it."""

    async def send(
        self,
        batch: Batch,
        *,
        checkpoint: Checkpoint | None = None,
        key: str | None = None,
        parser: Mapping[str, Json] | Sequence[Mapping[str, Json]] | None = None,
        received: int = 0,
    ) -> Receipt:
        await anyio.lowlevel.checkpoint()
        if self.chance.random() < self.trouble:
            raise RetryableError("no room", after=0)
        receipt = _Receipt(self, batch, checkpoint, key)
        self.queued.append(receipt)
        self.largest_queue = max(self.largest_queue, len(self.queued))
        return receipt

    async def hold(self, batch: Batch, *, received: int = 0) -> None:
        await anyio.lowlevel.checkpoint()
        self.store.commit(batch, None)

    async def send_parts(self, batch: Batch, parts: Sequence[Part]) -> Sequence[Receipt]:
        receipts, at = [], 0
        for part in parts:
            receipts.append(await self.send(Batch(batch.frame.slice(at, part.rows)), key=part.key))
            at += part.rows
        return receipts

    async def authorise(self, headers: Mapping[str, str], client: str) -> None:
        await anyio.lowlevel.checkpoint()

    async def checkpoint(self, key: str) -> Json:
        await anyio.lowlevel.checkpoint()
        return self.store.positions.get(key)

    async def checkpoints(self, prefix: str) -> Mapping[str, Json]:
        return {key: value for key, value in self.store.positions.items() if key.startswith(prefix)}

    async def forget(self, prefix: str, there: Sequence[str], after_s: float) -> Sequence[str]:
        await anyio.lowlevel.checkpoint()
        if self.chance.random() < self.trouble:
            raise RetryableError("no answer", after=0)
        moved, now = self.store.moved, time.monotonic()
        moved |= dict.fromkeys(moved.keys() & set(there), now)
        if now - moved.setdefault(f"forget {prefix}", now) < after_s:
            return []
        gone = [key for key in self.store.positions if key.startswith(prefix) and now - moved.get(key, now) > after_s]
        for key in gone:
            del self.store.positions[key], moved[key]
        return gone

    def flush(self) -> None:
        """Commit everything queued, in order; some fail."""
        queued, self.queued = self.queued, []
        for receipt in queued:
            fate = self.chance.random()
            if fate < self.trouble / 2:
                receipt.error = RetryableError("no answer", after=0)
                continue
            try:
                receipt.answer = self.store.commit(receipt.batch, receipt.saved, receipt.key)
            except (RetryableError, RejectedError) as why:
                receipt.error = why
            if fate > 1 - self.trouble / 2:  # committed, but the answer was lost on the way
                receipt.error = RetryableError("connection lost", after=0)


@dataclass
class _Receipt:
    outlet: MemoryOutlet
    batch: Batch
    saved: Checkpoint | None
    key: str | None
    answer: Acknowledgement | None = None
    error: Exception | None = None

    async def committed(self) -> Acknowledgement:
        await anyio.lowlevel.checkpoint()
        if self.answer is None and self.error is None:
            self.outlet.flush()
        if self.error:
            raise self.error
        assert self.answer is not None
        return self.answer
