"""One detector's loop: it waits until there is something to judge, judges it, writes what follows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any
from zlib import crc32

import anyio

from ...plugins import CordwoodError, Detector, Finding, QueryError, RetryableError, duration_ns, iso_ns
from ..storage.database import DATABASE_ERRORS
from .ahead import Ahead
from .journal import Progress
from .lifecycle import Step, by_key, changes
from .narrow import sample_query
from .run import Asked, Events, Run
from .steps import (
    CATCH_UP_NS,
    MAX_STEPS,
    Interval,
    coarse_step,
    fine_step,
    late_before,
    late_parts,
    late_steps,
    missed_steps,
)
from .surroundings import SHARED_FROM_NS, Surroundings
from .together import Sharing
from .windowed import windowed

SECOND = 1_000_000_000
LATE_EVERY_SECONDS = (
    15.0  # past windows are judged again for late events at most so often: stragglers come all the time
)
FEW = 4  # past windows that are judged without asking first whether there is a late event in them
DETECT_SECONDS = 60.0  # one look of a detector: twice a query's own limit; one that takes longer hangs
RETRY_SECONDS = 60.0  # a detector that fails runs again after `every`, then less and less often, up to this
AHEAD_NS = 60 * SECOND  # how far a peer's clock may be ahead: its events are waited for
SAMPLED = 50  # incidents opened at once that get samples: a query each
_log = logging.getLogger(__name__)


class Detection:
    """Runs one detector until cancelled. `judge` is one run; `run` decides when."""

    def __init__(self, name: str, detector: Detector[Any], progress: Progress, shared: Surroundings) -> None:
        self.name, self._detector, self._shared = name, detector, shared
        config = detector.config
        self._every_ns, self._window_ns = duration_ns(config.every), duration_ns(config.window)
        self._grace_ns = duration_ns(config.grace)
        self._resolve_after_ns = self._window_ns if config.resolve_after is None else duration_ns(config.resolve_after)
        self._evaluated_until, self._position = progress.evaluated_until, progress.position
        self._learned = progress.learned
        self._failures = 1 if progress.state == "error" else 0
        self._open = 0
        self._lasts_until = 0  # what is open was found, and would be found again up to then: see `DetectorRun.lasts`
        self._is_written = False  # its state in the database is that of this process
        self._seen_head = -1  # the head of the last run: none yet
        self._newest = shared.clock()  # the newest event known of; at the start assume one of just now
        self._late_waits = False
        self._late_at = float("-inf")  # when past windows were last judged again
        self._late: list[Interval] = []  # where the events lie that came late and wait for that
        self._is_judging = False
        self._settles: tuple[int, int] | None = None  # what `settle` was told while it judged
        self._may_use_saved = "`" in config.model_dump_json()  # else no library is read: a statement for each run
        asked = f"{detector.type} {getattr(config, 'query', name)}"
        self._phase = crc32(asked.encode()) / 2**32  # of detectors that ask the same the same, others take turns
        self._is_fine: bool | None = None  # many windows can be asked at once; None: not looked yet
        self._concerned = -1  # up to which position of the log there may be an event that matters
        self._call = anyio.Event()

    @property
    def searches(self) -> Sequence[str]:
        """See `watch.Watched`; none: every commit is looked at."""
        return self._detector.searches or ()

    @property
    def span_ns(self) -> int:
        """See `watch.Watched`."""
        return self._window_ns + self._every_ns

    def concerned(self, head: int, newest_ns: int | None) -> None:
        """See `watch.Watched`."""
        self._newest = max(self._newest, self._shared.clock() if newest_ns is None else newest_ns)
        self._concerned = head
        self._call.set()
        self._call = anyio.Event()

    def seen(self, newest_ns: int | None) -> None:
        """See `watch.Watched`."""
        self._newest = newest_ns or 0

    def settle(self, head: int, at_ns: int) -> bool:
        """See `watch.Watched`."""
        self._settles = (head, at_ns) if self._is_judging else None
        is_quiet = not (self._is_judging or self._failures or self._late_waits or self._seen_head < 0)
        is_known = at_ns < self._lasts_until if self._open else self._newest < at_ns - self.span_ns
        if not (is_quiet and is_known) or self._concerned > self._seen_head or at_ns < self._evaluated_until:
            return False
        self._evaluated_until, self._position, self._seen_head = at_ns, head, head
        return True

    async def run(self) -> None:
        """Judge whenever it is due. A failure is written down and tried again; it never ends the loop."""
        due = anyio.current_time()
        while True:
            await self._attempt(due)
            due = await self._until_due(anyio.current_time())

    async def once(self) -> None:
        """Judge now, if `every` has passed since the last time. A failure is written down, and the next round tries."""
        if self._failures or self._shared.clock() - self._evaluated_until >= self._every_ns:
            await self._attempt(anyio.current_time())

    async def _attempt(self, due: float) -> None:
        metrics, began = self._shared.metrics, anyio.current_time()
        metrics.runs.labels(self.name).inc()
        self._is_judging = True
        try:
            least = self._evaluated_until, max(self._concerned, self._seen_head)
            await self.judge(await self._shared.moment(self._every_ns, least))
        except CordwoodError as why:
            await self._failed(str(why))
        except DATABASE_ERRORS as why:  # if it is gone for good, the leader's heartbeat ends all this
            await self._failed(f"{type(why).__name__}: {why}")
        except Exception as why:  # a detector may be a stranger's code: whatever it raises must not stop the others
            if self._failures == 0:
                _log.exception("detector %s has a defect", self.name)
            await self._failed(f"{type(why).__name__}: {why}")
        else:
            if self._failures:
                _log.info("detector %s works again", self.name)
            self._failures = 0
        finally:
            self._is_judging = False
        if self._settles is not None and self.settle(*self._settles):
            self._shared.idle.note(self.name, self._evaluated_until, self._position)
        metrics.lag.labels(self.name).set(anyio.current_time() - min(due, began))

    async def _failed(self, error: str) -> None:
        self._failures, self._is_written = self._failures + 1, False
        self._shared.metrics.failures.labels(self.name).inc()
        if self._failures == 1:
            _log.error("detector %s cannot judge: %s", self.name, error)
        try:
            await self._shared.journal.failed(self.name, error, self._shared.clock())
        except RetryableError as why:
            _log.warning("detector %s: %s", self.name, why)

    async def _until_due(self, last: float) -> float:
        """Wait for the next run; answers when it was due.

        After a failure, with an incident open or with events of the near future: `every` after the last run. Else at
        the next commit that concerns it, though not before that. While the window holds events their leaving it can
        change the answer too, which a twentieth of the window shows soon enough. Once it is empty and nothing is open,
        no query runs. Where it is known how long what is open will be found, it is looked for again shortly before.
        """
        every, window = self._every_ns / SECOND, self._window_ns / SECOND
        soonest = last + every
        now_ns = self._shared.clock()
        if self._failures:
            await anyio.sleep(max(every, min(RETRY_SECONDS, 2.0 ** min(self._failures - 1, 10))))
            return anyio.current_time()
        if self._every_ns >= SHARED_FROM_NS:  # on a grid, so that detectors that ask the same ask at the same moment
            soonest = (soonest - self._phase * every) // every * every + self._phase * every
        await anyio.sleep_until(soonest)
        lasts = max(0, self._lasts_until - now_ns) / SECOND - every
        if self._late_waits or (self._open and lasts <= 0) or now_ns <= self._newest < now_ns + AHEAD_NS:
            return soonest
        if self._open:
            latest: float | None = max(soonest, last + lasts)
        elif self._newest >= now_ns - self._window_ns - self._every_ns:
            latest = max(soonest, last + window / 20)
        else:
            latest = None
        if self.searches:
            await self._called(latest)
        else:
            await self._shared.head.passed(self._seen_head, latest)
        return anyio.current_time()

    async def _called(self, latest: float | None) -> None:
        """Wait until there may be a new event that matters, at most until `latest`."""
        with anyio.CancelScope(deadline=float("inf") if latest is None else latest):
            while self._concerned <= self._seen_head:
                await self._call.wait()

    async def judge(self, moment: tuple[int, int] | None = None) -> None:
        """One run: all windows that are to be judged up to now, or a `moment` of just now, oldest first.

        Each has its own transaction.

        :raises QueryError: the detector's query is wrong
        :raises RetryableError: the database does not answer
        """
        shared = self._shared
        at_ns, head = moment or await shared.moment(0, (0, 0))
        # After a start, what came since that of which something is written down.
        new = await shared.arrivals.since(max(self._position, self._seen_head), head)
        if not self.searches:
            self._newest = max([self._newest, *(high for _, high in new)])
        if self._is_fine is None:
            self._is_fine = await self._can_be_asked_at_once()
        came_late = self._came_late(new, at_ns)
        late, position = await self._late_ones(came_late, at_ns, head)
        missed = await self._missed(at_ns, head)
        for steps in (late, missed):
            asked = self._ahead(steps, head)
            for step in steps:
                await self._judge_step(step, head, None, asked)
        went_back = at_ns < self._evaluated_until
        await self._judge_step(Step(at_ns, self._window_ns, again=went_back), head, position)
        self._seen_head = head
        self._late = came_late if position is None else []  # not before: what fails is looked at again

    def _came_late(self, new: list[Interval], at_ns: int) -> list[Interval]:
        """Where events came late, with those that wait: a segment may have both late ones and others."""
        before = late_before(self._evaluated_until, at_ns, self._every_ns, self._window_ns, is_fine=bool(self._is_fine))
        oldest = at_ns - self._grace_ns
        waits = [(low, high) for low, high in self._late if high >= oldest]
        return waits + late_parts(new, oldest, before)

    async def _late_ones(self, came_late: list[Interval], at_ns: int, head: int) -> tuple[list[Step], int | None]:
        """Past windows to judge again, and the position that is judged with them; None: the late events must wait."""
        steps = self._late_steps(came_late)
        now = anyio.current_time()
        if not steps:
            return [], head
        if now - self._late_at < LATE_EVERY_SECONDS:
            self._late_waits = True
            return [], None
        self._late_at, self._late_waits = now, False
        if len(steps) > FEW:
            # A segment from old to new says little: one query tells where its late events are.
            steps = self._late_steps(await self._late_events(came_late, at_ns, head))
        return steps, head

    def _past_step(self, length_ns: int = 0) -> int:
        """The distance of past windows that are judged."""
        if self._is_fine:
            return fine_step(self._every_ns, self._window_ns, length_ns)
        return coarse_step(self._every_ns, self._window_ns)

    async def _can_be_asked_at_once(self) -> bool:
        query = getattr(self._detector.config, "query", None)
        if not isinstance(query, str):
            return False
        try:
            return windowed((await self._resolved())(query), self._window_ns, 0) is not None
        except QueryError:  # the detector says so
            return False

    async def _resolved(self) -> Callable[[str], str]:
        """What writes out the saved queries that a query uses."""
        return await self._shared.engine.resolver(self._shared.project_id) if self._may_use_saved else str

    def _ahead(self, steps: list[Step], head: int) -> Asked | None:
        """What answers for many past windows at once; None: they are asked one by one."""
        if not self._is_fine or len(steps) < 2:
            return None
        shared = self._shared
        step = min(after.at_ns - one.at_ns for one, after in pairwise(steps))
        return Ahead(Events(shared.engine, shared.project_id, head), step, steps[0].at_ns, steps[-1].at_ns)

    def _late_steps(self, events: list[Interval]) -> list[Step]:
        return late_steps(self._evaluated_until, self._window_ns, events, self._past_step(self._grace_ns))

    async def _late_events(self, came_late: list[Interval], at_ns: int, head: int) -> list[Interval]:
        """Where the late events lie that the detector may look at."""
        shared, step = self._shared, self._past_step(self._grace_ns)
        oldest, newest = min(low for low, _ in came_late), max(high for _, high in came_late)
        search = "*"
        if self._is_fine and len(self.searches) == 1:
            search = sample_query((await self._resolved())(self.searches[0]), {})
        rows = await Events(shared.engine, shared.project_id, head, self._position).rows(
            f"{search} | stats count() as events by bin(timestamp, {step}ns) as since",
            from_ns=oldest,
            to_ns=newest + 1,
            now_ns=at_ns,
            limit=MAX_STEPS,
        )
        begins = [iso_ns(row["since"]) for row in rows]
        return [(max(begin, oldest), min(begin + step - 1, newest)) for begin in begins]

    async def _missed(self, at_ns: int, head: int) -> list[Step]:
        """Windows that ended while no node ran this detector."""
        known = max(self._evaluated_until, min(at_ns, self._lasts_until) if self._open else 0)
        length = at_ns - known
        step = self._past_step(min(length, CATCH_UP_NS))
        if length <= step * 3 // 2:
            return []
        segments = await self._shared.catalog.segments(
            self._shared.project_id,
            from_ns=known - self._window_ns,
            to_ns=at_ns,
            upto_position=head,
        )
        events = [(segment.min_time, segment.max_time) for segment in segments]
        return missed_steps(known, at_ns, self._window_ns, events, step)

    async def _judge_step(self, step: Step, head: int, position: int | None, asked: Asked | None = None) -> None:
        shared = self._shared
        events = Events(shared.engine, shared.project_id, head)
        run = Run(
            self.name,
            step.at_ns,
            asked or Sharing(shared.together, events),
            await self._resolved(),
            learned=self._learned,
            memory=shared.journal.memory(self.name),
        )
        if not step.late:
            run.opened = partial(shared.journal.open_groups, self.name)
        found = by_key(self.name, await self._detected(run))
        is_told = bool(found or self._open or run.learned is not self._learned or run.memory.changes)
        is_told = is_told or not self._is_written
        if is_told:
            await self._record(step, run, found, events, position)
        self._evaluated_until = max(self._evaluated_until, step.at_ns)
        self._position = max(self._position, position or 0)
        if not step.late:  # what is open and was not found is not to wait for what was
            self._lasts_until = run.lasts_until if self.searches and len(found) >= self._open else 0
        if not is_told:
            shared.idle.note(self.name, self._evaluated_until, self._position)

    async def _record(
        self, step: Step, run: Run, found: Mapping[str, Finding], events: Events, position: int | None
    ) -> None:
        """Write what follows from a step, with what the detector keeps."""
        shared = self._shared
        samples = await self._samples(step, found, events) if found else {}
        outcome, self._open = await shared.journal.record(
            self.name,
            self._detector,
            step,
            found,
            samples,
            resolve_after_ns=self._resolve_after_ns,
            position=position,
            now_ns=shared.clock(),
            learned=None if run.learned is self._learned else run.learned,
            remembered=run.memory.changes,
        )
        self._learned, self._is_written = run.learned, True
        shared.metrics.open_incidents.labels(self.name).set(self._open)
        if outcome.opens or outcome.resolves or outcome.steady:
            _log.info("detector %s: %d opened, %d resolved", self.name, len(outcome.opens), len(outcome.resolves))
            shared.told()

    async def _detected(self, run: Run) -> list[Finding]:
        async with self._shared.turns.turn(self._every_ns / SECOND):
            try:
                with anyio.fail_after(DETECT_SECONDS):
                    return await self._detector.detect(run)
            except TimeoutError as why:
                raise CordwoodError(f"the detector took longer than {DETECT_SECONDS:.0f} s") from why

    async def _samples(self, step: Step, found: Mapping[str, Finding], events: Events) -> dict[str, Any]:
        """Sample events for what would open; read before the transaction, which must be short."""
        known, judged = await self._shared.journal.known_now(self.name, step, list(found))
        opens = changes(judged, found, known, self._resolve_after_ns).opens
        samples: dict[str, Any] = {}
        for key, finding in opens[:SAMPLED]:
            try:
                samples[key] = await events.samples(finding, from_ns=step.from_ns, to_ns=step.at_ns)
            except CordwoodError as why:  # the incident matters more than its samples
                _log.warning("detector %s: no samples: %s", self.name, why)
        return samples
