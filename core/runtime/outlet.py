"""The way from a source to the writer: through its pipeline, in a worker thread, into the bounded writer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import anyio
import anyio.to_thread
import polars as pl

from ...plugins import Acknowledgement, Batch, Checkpoint, Json, Part, Receipt, RetryableError
from ...plugins.ndjson import nested
from ..storage.commit import Submission
from ..storage.database import DATABASE_ERRORS, trouble
from ..storage.dead_letters import Dead
from ..storage.store import Store
from ..storage.writer import PendingReceipt
from ..tracing import Tracing
from .admission import DEFAULT_PROJECT, Admission
from .door import Door
from .event_size import cut
from .gathering import Gathering, Turn
from .pipeline import RunningPipeline
from .reads import NOTHING_KNOWN, Known, PipelineReads
from .replay import dead_letters
from .spool import Spool
from .steps import Settle

_FEW = 2000  # events that are given their defaults on the spot, in a fraction of a millisecond


@dataclass(slots=True)
class SourceCounters:
    """What a source has handed over since the start."""

    events: int = 0
    batches: int = 0
    cut: int = 0
    """Events that were too large."""
    dead: int = 0
    """Events that became dead letters."""
    left_out: int = 0
    """Events that the pipeline meant not to be stored."""


@dataclass(frozen=True, slots=True)
class _Applied:
    """A batch after its pipeline. Of the rows that `came`, `kept` (None: all) are in `batch`, others are `dead`, and
    `left_out` are not to be stored."""

    came: int
    batch: Batch
    kept: pl.Series | None = None
    dead: Sequence[tuple[int, Dead]] = ()
    left_out: int = 0
    settle: Sequence[Settle] = ()

    def settled(self, committed: bool) -> None:
        """Tell those steps that remember whether the batch was committed."""
        for one in self.settle:
            one(committed)

    def part(self, start: int, rows: int) -> tuple[Batch, list[Dead]]:
        """What became of some of the rows that came."""
        if self.kept is None:
            return Batch(self.batch.frame.slice(start, rows)), []
        first, end = self.kept.search_sorted(start), self.kept.search_sorted(start + rows)
        dead = [letter for row, letter in self.dead if start <= row < start + rows]
        return Batch(self.batch.frame.slice(first, end - first)), dead


@dataclass(slots=True)
class StoreOutlet:
    """`plugins.Outlet` over the store."""

    source: str
    pipeline: RunningPipeline
    store: Store
    admission: Admission
    door: Door
    waits: bool = False
    """Where a limit is reached, the source is made to wait instead of being told."""
    counters: SourceCounters = field(default_factory=SourceCounters)
    tracing: Tracing = field(default_factory=Tracing)
    reads: PipelineReads | None = None
    """Where is read what its pipeline's steps need besides events."""
    gathering: Gathering | None = None
    """What its pipeline holds of events that are not whole, where its first step does so."""
    spool: Spool | None = None
    """What it holds, of a source that runs on this node."""
    begun: anyio.Event = field(default_factory=anyio.Event)
    """Set once the source listens or reads, or has failed to."""
    _others: dict[int, StoreOutlet] = field(default_factory=dict)
    """The same for other projects, by id; each stays one, for sources tell by it what may be joined."""

    @property
    def project_id(self) -> int:
        """The project that the events are stored in."""
        return self.admission.project_id

    @property
    def watched(self) -> bool:
        """Whether taps see what passes: they are the node's own project's."""
        return self.admission.project == DEFAULT_PROJECT

    def of(self, admission: Admission) -> StoreOutlet:
        """The outlet of the same source for the admission's project."""
        if admission is self.admission:
            return self
        known = self._others.get(admission.project_id)
        if known is None or known.admission is not admission:
            gathering = Gathering(self.gathering.node) if self.gathering else None
            known = replace(self, admission=admission, gathering=gathering, _others={})
            self._others[admission.project_id] = known
        return known

    def everybodys(self) -> Sequence[StoreOutlet]:
        """This one, and those of the same source for other projects."""
        return self, *self._others.values()

    def started(self) -> None:
        """See `plugins.Outlet.started`."""
        self.begun.set()

    async def send(
        self,
        batch: Batch,
        *,
        checkpoint: Checkpoint | None = None,
        key: str | None = None,
        parser: Mapping[str, Json] | Sequence[Mapping[str, Json]] | None = None,
        received: int = 0,
    ) -> PendingReceipt:
        """See `plugins.Outlet.send`."""
        if self.gathering is None:
            return await self.deliver(batch, checkpoint=checkpoint, key=key, parser=parser, received=received)
        async with self.gathering.turn(self) as turn:
            return await self.deliver(
                batch, checkpoint=checkpoint, key=key, parser=parser, received=received, turn=turn
            )

    async def deliver(
        self,
        batch: Batch,
        *,
        checkpoint: Checkpoint | None = None,
        key: str | None = None,
        parser: Mapping[str, Json] | Sequence[Mapping[str, Json]] | None = None,
        received: int = 0,
        turn: Turn | None = None,
    ) -> PendingReceipt:
        """As `send`, in the batch's `turn` where the pipeline puts events together."""
        with self.tracing.span("pipeline") as told:
            known = await self._read()
            applied = await anyio.to_thread.run_sync(
                self._applied, batch, parser, known, turn, limiter=self.store.workers
            )
            told({"cordwood.source": self.source, "cordwood.events": len(batch)})
        dead = [letter for _, letter in applied.dead]
        left_out = applied.came - len(applied.batch) - len(dead)
        mark = turn.mark if turn is not None else None
        submission = Submission(
            self.project_id, self.source, applied.batch, checkpoint, key, received, dead, left_out, gathered=mark
        )
        if turn is not None and not applied.came:
            submission.received = 0  # it counted when it came
        ended: list[Callable[[], None]] = []
        try:
            if submission.accepted:
                await self.admission.admit(submission, wait=self.waits)
            ended.append(self.tracing.begun("commit"))
            receipt = await self._submit(submission)
        except BaseException:
            for end in ended:
                end()
            applied.settled(committed=False)
            raise
        if turn is not None:
            turn.submitted()
            applied = replace(applied, settle=[*applied.settle, turn.gathering.settled])

        def settled() -> None:
            ended[0]()
            outcome = receipt.outcome  # what was stored before is not stored now
            applied.settled(committed=isinstance(outcome, Acknowledgement) and not outcome.duplicate)

        _when_settled(receipt, settled)
        self._count(applied)
        return receipt

    async def hold(self, batch: Batch, *, received: int = 0) -> None:
        """See `plugins.Outlet.hold`."""
        assert self.spool is not None, "the source does not run"
        await self.spool.hold(batch, received)

    async def send_parts(self, batch: Batch, parts: Sequence[Part]) -> Sequence[Receipt]:
        """See `plugins.Outlet.send_parts`. Parts without a key that follow each other stay one submission, unless the
        project has limits: then each is let in, or refused, by itself."""
        if self.pipeline.remembers:
            return await self._send_each(batch, parts)
        with self.tracing.span("pipeline") as told:
            if self.pipeline.is_plain and len(batch) <= _FEW:
                applied = self._applied(batch)
            else:
                known = await self._read()
                applied = await anyio.to_thread.run_sync(self._applied, batch, None, known, limiter=self.store.workers)
            told({"cordwood.source": self.source, "cordwood.events": len(batch)})
        receipts: list[Receipt] = []
        ended = self.tracing.begun("commit")
        receipt, at = PendingReceipt(), 0
        try:
            for mine in _runs(parts, apart=self.admission.is_limited):
                rows = sum(part.rows for part in mine)
                of_all, dead = applied.part(at, rows)
                at += rows
                received = sum(part.received for part in mine)
                left_out, key = rows - len(of_all) - len(dead), mine[0].key
                submission = Submission(self.project_id, self.source, of_all, None, key, received, dead, left_out)
                try:
                    await self.admission.admit(submission, wait=self.waits)
                    receipt = await self._submit(submission)
                except RetryableError as why:
                    receipt = PendingReceipt()
                    receipt.settle(why)
                receipts += [receipt] if len(mine) == 1 else [_PartReceipt(receipt, part.rows) for part in mine]
        except BaseException:
            ended()
            raise
        _when_settled(receipt, ended)
        self._count(applied)
        return receipts

    async def _send_each(self, batch: Batch, parts: Sequence[Part]) -> Sequence[Receipt]:
        """What is submitted alone through the pipeline alone: an event that repeats one that is refused must stay."""
        receipts: list[Receipt] = []
        at = 0
        for run in _runs(parts, apart=self.admission.is_limited):
            rows, received = sum(part.rows for part in run), sum(part.received for part in run)
            mine = Batch(batch.frame.slice(at, rows))
            at += rows
            try:
                receipt = await self.send(mine, key=run[0].key, received=received)
            except RetryableError as why:
                receipt = PendingReceipt()
                receipt.settle(why)
            receipts += [receipt] if len(run) == 1 else [_PartReceipt(receipt, part.rows) for part in run]
        return receipts

    def _count(self, applied: _Applied) -> None:
        self.counters.events += applied.came
        self.counters.dead += len(applied.dead)
        self.counters.left_out += applied.left_out
        self.counters.batches += 1

    async def _read(self) -> Known:
        pipeline = self.pipeline
        if self.reads is None:
            return NOTHING_KNOWN
        return await self.reads.of(self.project_id, pipeline.tables, by_patterns=pipeline.by_patterns)

    def _applied(
        self,
        batch: Batch,
        parser: Mapping[str, Json] | Sequence[Mapping[str, Json]] | None = None,
        known: Known = NOTHING_KNOWN,
        turn: Turn | None = None,
    ) -> _Applied:
        """What is stored of a batch. Blocking."""
        limits, came = self.admission.limits, len(batch)
        with nested(limits.depth):
            if turn is not None:
                batch = turn.gather(self.pipeline, batch, parser)
            outcome = self.pipeline.run(
                batch, self.source, parser, watched=self.watched, known=known, gathered=turn is not None
            )
        parsed, count = cut(outcome.batch, limits.event_size)
        self.counters.cut += count
        return _Applied(
            len(outcome.entered) if turn is None else came,
            parsed.with_names(limits.field_name),
            outcome.kept,
            dead_letters(outcome, self.source, self.pipeline, limits),
            outcome.left_out,
            outcome.settle,
        )

    async def _submit(self, submission: Submission) -> PendingReceipt:
        try:
            return await self.store.writer.submit(submission)
        except BaseException:
            self.admission.usage.end(submission)
            raise

    async def authorise(self, headers: Mapping[str, str], client: str) -> None:
        """See `plugins.Outlet.authorise`."""
        await self.door.authorise(headers, client, self.admission.project)

    async def checkpoint(self, key: str) -> Json:
        """See `plugins.Outlet.checkpoint`."""
        value: Json = await self.store.checkpoint(self.source, key)
        return value

    async def checkpoints(self, prefix: str = "") -> Mapping[str, Json]:
        """See `plugins.Outlet.checkpoints`."""
        return await self.store.checkpoints(self.source, prefix)

    async def forget(self, prefix: str, there: Sequence[str], after_s: float) -> Sequence[str]:
        """See `plugins.Outlet.forget`."""
        try:
            return await self.store.forget_checkpoints(self.source, prefix, there, after_s)
        except DATABASE_ERRORS as why:
            raise RetryableError(trouble(why)) from why


def _runs(parts: Sequence[Part], *, apart: bool) -> Iterator[list[Part]]:
    """Parts that are submitted together: those without a key that follow each other, unless all are to be `apart`."""
    for _, run in groupby(enumerate(parts), lambda numbered: numbered[0] if apart or numbered[1].key else -1):
        yield [part for _, part in run]


def _when_settled(receipt: PendingReceipt, then: Callable[[], None]) -> None:
    if receipt.done.is_set():
        then()
    else:
        receipt.settled = then


@dataclass(frozen=True, slots=True)
class _PartReceipt:
    """The receipt of some rows of a submission."""

    whole: Receipt
    rows: int

    async def committed(self) -> Acknowledgement:
        """See `plugins.Receipt`."""
        await self.whole.committed()
        return Acknowledgement(self.rows)
