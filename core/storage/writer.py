"""The writer: groups what arrives within a short linger into one segment a project, commits it, then acknowledges.

    submit ──► [pending, bounded by bytes] ──► encode (worker thread) ──► commit ──► receipts

Encoding of one group runs while the one before commits. Groups commit in the order in which they were made, so a
source's checkpoints follow each other.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import anyio
import anyio.to_thread
import asyncpg
from anyio.abc import ObjectReceiveStream, ObjectSendStream, TaskGroup

from ...plugins.base import Acknowledgement
from ...plugins.errors import RetryableError
from ...plugins.fields import MAX_ATTRIBUTES
from .cache import SegmentCache
from .commit import Committed, SettledBefore, Submission, commit, same_group
from .commits import Commits
from .database import DATABASE_ERRORS, renewed_after, trouble
from .dead_letters import Bounds
from .encode import EncodedSegment, encode
from .files import Files
from .outcome import Attempt, was_committed
from .usage import DailyUsage

_COMMIT_SECONDS = 60.0  # a commit that is not done so long after its first events came is given up
_LEAST_SECONDS = 5.0  # but it is tried for so long
_ROOM_SECONDS = 30.0  # who waits longer for room is refused: the database is slower than what comes
_DOUBT_SECONDS = 60.0  # so long it is asked whether a commit whose answer did not come is stored (see `outcome`)
_ASK_SECONDS = 0.5
_LINGER_COMMITS = 4  # measured with small posts: fewer means more, smaller commits, more CPU and fewer posts a second
_GROUP_CELLS = 20_000_000  # rows by columns of a group: a few wide events beside many narrow ones widen all of them
_BUSY_BYTES = 1 << 20  # a group that large tells of clients that send as fast as they can
_BUSY_SECONDS = 3.0  # after such a group: longer than the compactor sleeps between two looks
_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class PendingReceipt:
    """The receipt of a submission; settled once."""

    done: anyio.Event = field(default_factory=anyio.Event)
    outcome: Acknowledgement | Exception | None = None
    settled: Callable[[], None] | None = None
    """Called once it is, and let go: it may hold the receipt, and the events."""

    def settle(self, outcome: Acknowledgement | Exception) -> None:
        """Tell whoever waits."""
        self.outcome = outcome
        self.done.set()
        settled, self.settled = self.settled, None
        if settled is not None:
            settled()

    async def committed(self) -> Acknowledgement:
        """Wait for the commit; see `plugins.Receipt`."""
        await self.done.wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        assert self.outcome is not None
        return self.outcome


@dataclass(slots=True)
class WriterStats:
    """Counters since the start."""

    events: int = 0
    bytes: int = 0
    segments: int = 0
    duplicates: int = 0
    failures: int = 0
    disk_full: bool = False
    last_error: str = ""


@dataclass(eq=False, slots=True)
class _Group:
    submissions: list[Submission]
    encoded: dict[int, EncodedSegment]
    attempt: Attempt | None = None
    committed: list[Committed] = field(default_factory=list)
    """What is stored if the attempt is."""

    def attempted(self, attempt: Attempt, committed: list[Committed]) -> None:
        """Note that COMMIT is sent now."""
        self.attempt, self.committed = attempt, committed


class Writer:
    """Takes submissions in and makes them durable."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        files: Files,
        cache: SegmentCache,
        commits: Commits,
        *,
        linger_ms: int = 50,
        group_bytes: int = 16 * 1024 * 1024,
        pending_bytes: int = 96 * 1024 * 1024,
        limiter: anyio.CapacityLimiter | None = None,
    ) -> None:
        self._pool, self._files, self._cache, self._commits = pool, files, cache, commits
        self._linger = linger_ms / 1000
        self._group_bytes, self.pending_bytes = group_bytes, pending_bytes
        self._limiter = limiter
        self.usage = DailyUsage(pool)
        self.fields = MAX_ATTRIBUTES  # of a segment, which have columns
        self.dead_letters = Bounds()
        self._pending: list[Submission] = []
        self._receipts: dict[Submission, PendingReceipt] = {}
        self._size = 0  # bytes taken in and not yet settled
        self._queued = 0  # bytes in `_pending`
        self._first_at = 0.0
        self._busy_until = 0.0
        self._cost = 0.0  # seconds that the last commit took
        self._recent: deque[int] = deque([group_bytes], maxlen=8)  # bytes of the last groups
        self._arrived, self._room, self._drained = anyio.Event(), anyio.Event(), anyio.Event()
        self._closing = False
        self.stats = WriterStats()

    async def submit(self, submission: Submission) -> PendingReceipt:
        """Queue a submission; waits while there is no room for it.

        :raises RetryableError: the writer is stopping, or there is no room for long
        """
        with anyio.move_on_after(_ROOM_SECONDS) as waiting:
            while self._size and self._size + submission.size > self.pending_bytes:
                await self._room.wait()
        if waiting.cancelled_caught:
            raise RetryableError("too much waits for the database already: it is slow, or does not answer", after=5)
        if self._closing:
            raise RetryableError("Cordwood is stopping", after=2)
        receipt = PendingReceipt()
        if not submission.accepted and not submission.marks:
            receipt.settle(Acknowledgement(0))
            return receipt
        if not self._pending:
            self._first_at = time.monotonic()
        self._size += submission.size
        self._queued += submission.size
        self._pending.append(submission)
        self._receipts[submission] = receipt
        self._arrived.set()
        return receipt

    async def run(self) -> None:
        """Write until `drain`; then write what was taken in, and return."""
        send, receive = anyio.create_memory_object_stream[_Group](0)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._encode_groups, send)
            tasks.start_soon(self._commit_groups, receive)
        self._drained.set()

    @property
    def busy(self) -> bool:
        """Whether much comes in: work that can wait should.

        Not only what waits at this instant counts: between two bodies of a busy client nothing does.
        """
        return self._size > self._group_bytes or time.monotonic() < self._busy_until

    @property
    def queued_bytes(self) -> int:
        """Bytes taken in and not yet settled: at `pending_bytes`, sources wait."""
        return self._size

    @property
    def lag_s(self) -> float:
        """Seconds since the oldest of what waits to be encoded came; 0: nothing does."""
        return time.monotonic() - self._first_at if self._pending else 0.0

    async def drain(self) -> None:
        """Take nothing more in, and return when all that was taken in is settled."""
        self._closing = True
        self._arrived.set()
        await self._drained.wait()

    async def _encode_groups(self, send: ObjectSendStream[_Group]) -> None:
        async with send:
            while True:
                while not self._pending and not self._closing:
                    self._arrived = anyio.Event()
                    await self._arrived.wait()
                if not self._pending:
                    return
                await self._linger_for_more()
                submissions = self._next_group()
                try:
                    encoded = await self._encode(submissions)
                except Exception as why:
                    _log.exception("a group of %d batches could not be encoded", len(submissions))
                    self._fail(submissions, RetryableError(f"encoding failed: {why}"))
                    continue
                await send.send(_Group(submissions, encoded))

    async def _linger_for_more(self) -> None:
        # Clients that wait for an answer send no more, so what the last groups had is all that can be hoped for. Quick
        # commits are waited for less: they are cheap.
        deadline = self._first_at + min(self._linger, _LINGER_COMMITS * self._cost)
        enough = min(self._group_bytes, max(self._recent, default=0) * 0.9)
        while self._queued < enough and not self._closing:
            rest = deadline - time.monotonic()
            if rest <= 0:
                return
            self._arrived = anyio.Event()
            with anyio.move_on_after(rest):
                await self._arrived.wait()

    def _next_group(self) -> list[Submission]:
        """The oldest submissions up to the group's size; at least one."""
        size, count, rows = 0, 0, 0
        names: set[str] = set()
        for submission in self._pending:
            names.update(submission.batch.frame.columns)
            rows += len(submission.batch)
            cells = rows * min(len(names), MAX_ATTRIBUTES)
            if count and (size + submission.size > self._group_bytes or cells > _GROUP_CELLS):
                break
            size += submission.size
            count += 1
        group, self._pending = self._pending[:count], self._pending[count:]
        self._queued -= size
        self._recent.append(size)
        self._first_at = time.monotonic()
        if size >= _BUSY_BYTES:
            self._busy_until = self._first_at + _BUSY_SECONDS
        return group

    async def _encode(self, submissions: Sequence[Submission]) -> dict[int, EncodedSegment]:
        again = same_group(submissions)
        by_project: dict[int, list[Submission]] = {}
        for submission in submissions:
            if submission not in again and len(submission.batch):
                by_project.setdefault(submission.project_id, []).append(submission)
        encoded = {}
        for project_id, group in by_project.items():
            batches = [submission.batch for submission in group]
            encoded[project_id] = await anyio.to_thread.run_sync(encode, batches, self.fields, limiter=self._limiter)
        return encoded

    async def _commit_groups(self, receive: ObjectReceiveStream[_Group]) -> None:
        async with receive, anyio.create_task_group() as doubts:
            async for group in receive:
                await self._commit(group, doubts)

    async def _commit(self, group: _Group, doubts: TaskGroup) -> None:
        """Commit the group, without the submissions that turn out to be settled already."""
        while group.submissions:
            again = same_group(group.submissions)
            unique = [s for s in group.submissions if s not in again]
            began = time.monotonic()
            waited = began - min(s.taken_at for s in group.submissions)
            try:
                with anyio.fail_after(max(_LEAST_SECONDS, _COMMIT_SECONDS - waited)):
                    prepared = await self._files.prepare(list(group.encoded.values()))
                    by_project = dict(zip(group.encoded, prepared, strict=True))
                    async with self._pool.acquire() as connection:
                        await commit(
                            connection, unique, group.encoded, self._files, by_project, group.attempted,
                            self.dead_letters,
                        )  # fmt: skip
            except SettledBefore as settled:
                outcomes = {
                    s: settled.outcomes[again.get(s, s)]
                    for s in group.submissions
                    if again.get(s, s) in settled.outcomes
                }
                self._settle(outcomes)
                rest = [s for s in group.submissions if s not in outcomes]
                group = _Group(rest, await self._encode(rest))
            except DATABASE_ERRORS as why:
                self.stats.disk_full = isinstance(why, asyncpg.DiskFullError) or _says_full(why)
                self.stats.last_error = f"{type(why).__name__}: {why}"
                await renewed_after(self._pool, why)
                if group.attempt is not None and group.attempt.segments:
                    doubts.start_soon(self._find_out, group, group.attempt, why)  # the next group need not wait for it
                    return
                self._refuse(group, _retryable(why))
                return
            else:
                self._cost = time.monotonic() - began
                await self._stored(group)
                return

    async def _find_out(self, group: _Group, attempt: Attempt, why: Exception) -> None:
        """Settle a group whose COMMIT was sent and not answered."""
        _log.warning("a commit was not answered (%s): asking whether it is stored", self.stats.last_error)
        stored: bool | None = None
        with anyio.move_on_after(_DOUBT_SECONDS):
            while stored is None:
                try:
                    stored = await was_committed(self._pool, attempt)
                except DATABASE_ERRORS:
                    await anyio.sleep(_ASK_SECONDS)
        if stored:
            await self._stored(group)
        elif stored is None:
            unknown = "the database did not say whether it has stored this: send it again with the same Idempotency-Key"
            self._refuse(group, RetryableError(unknown, after=10))
        else:
            self._refuse(group, _retryable(why))

    def _refuse(self, group: _Group, why: RetryableError) -> None:
        _log.warning("a commit failed and was refused to its sources: %s", self.stats.last_error)
        self._fail(group.submissions, why)

    async def _stored(self, group: _Group) -> None:
        """Acknowledge the group's submissions, and tell of its segments."""
        again = same_group(group.submissions)
        self.stats.disk_full, self.stats.last_error = False, ""
        for segment in group.committed:
            self.usage.committed(segment.project_id, segment.day_bytes)
        self._settle({s: Acknowledgement(again.get(s, s).accepted, duplicate=s in again) for s in group.submissions})
        for segment in group.committed:
            self.stats.segments += 1
            self.stats.events += segment.encoded.rows
            self.stats.bytes += len(segment.encoded.data)
            await anyio.to_thread.run_sync(self._cache.put, segment.id, segment.encoded.data)
        self._commits.wake()

    def _settle(self, outcomes: Mapping[Submission, Acknowledgement | Exception]) -> None:
        for submission, outcome in outcomes.items():
            if isinstance(outcome, Acknowledgement) and outcome.duplicate:
                self.stats.duplicates += 1
            self._receipts.pop(submission).settle(outcome)
            self._size -= submission.size
            self.usage.end(submission)
        self._room.set()
        self._room = anyio.Event()

    def _fail(self, submissions: Sequence[Submission], why: RetryableError) -> None:
        self.stats.failures += 1
        self._settle(dict.fromkeys(submissions, why))


def _retryable(why: Exception) -> RetryableError:
    if isinstance(why, asyncpg.DiskFullError) or _says_full(why):
        return RetryableError("the database's disk is full: nothing was stored", after=10)
    return RetryableError(f"nothing was stored: {trouble(why)} ({type(why).__name__}: {why})", after=2)


def _says_full(why: Exception) -> bool:
    return "No space left on device" in str(why)
