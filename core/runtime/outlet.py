"""The way from a source to the writer: through its pipeline, in a worker thread, into the bounded writer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import anyio.to_thread

from ...plugins import Batch, Checkpoint, Json
from ..storage.commit import Submission
from ..storage.store import Store
from ..storage.writer import PendingReceipt
from .pipeline import RunningPipeline


@dataclass(slots=True)
class SourceCounters:
    """What a source has handed over since the start."""

    events: int = 0
    batches: int = 0


@dataclass(slots=True)
class StoreOutlet:
    """`plugins.Outlet` over the store."""

    source: str
    project_id: int
    pipeline: RunningPipeline
    store: Store
    counters: SourceCounters = field(default_factory=SourceCounters)

    async def send(
        self,
        batch: Batch,
        *,
        checkpoint: Checkpoint | None = None,
        key: str | None = None,
        parser: Mapping[str, Json] | Sequence[Mapping[str, Json]] | None = None,
    ) -> PendingReceipt:
        """See `plugins.Outlet.send`."""
        parsed = await anyio.to_thread.run_sync(
            self.pipeline.apply, batch, self.source, parser, limiter=self.store.workers
        )
        receipt = await self.store.writer.submit(Submission(self.project_id, self.source, parsed, checkpoint, key))
        self.counters.events += len(parsed)
        self.counters.batches += 1
        return receipt

    async def checkpoint(self, key: str) -> Json:
        """See `plugins.Outlet.checkpoint`."""
        value: Json = await self.store.checkpoint(self.source, key)
        return value

    async def checkpoints(self, prefix: str = "") -> Mapping[str, Json]:
        """See `plugins.Outlet.checkpoints`."""
        return await self.store.checkpoints(self.source, prefix)
