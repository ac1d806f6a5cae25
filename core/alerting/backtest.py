"""A detector over the past: when it would have fired, by the code that judges the present, with nothing written.

The events are those committed now; late ones count as if they had been there, as they do live within the `grace`. A
deletion since then is felt, a configuration of then is not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import anyio

from ...plugins import CordwoodError, Detector, Finding, Json, RejectedError, duration_ns
from .ahead import MOST_PHASES, Ahead
from .lifecycle import Damping, Known, Step, by_key, changes, is_worse
from .memory import HeldMemory
from .run import Events, Run

MOST_STEPS = 200_000  # windows of one backtest: 20 weeks of minutes
MOST_FIRINGS = 10_000
DEFAULT_SECONDS = 60.0
DETECT_SECONDS = 60.0
_TELL = 200  # steps between two words of progress
WEEK_NS = 7 * 86_400 * 1_000_000_000

Told = Callable[[int, int, int], None]
"""Called with the steps judged, those there are, and the incidents so far."""


@dataclass(frozen=True, slots=True)
class Firing:
    """An incident that would have been. Times are nanoseconds since the epoch; `resolved_ns` None: still open."""

    group: Mapping[str, Json]
    title: str
    severity: str
    values: Mapping[str, Json]
    """When it opened."""
    last_values: Mapping[str, Json]
    """In the last window in trouble."""
    from_ns: int
    """Where the first window in trouble began."""
    opened_ns: int
    last_ns: int
    """Where the last window in trouble ended."""
    resolved_ns: int | None = None
    turned_ns: int | None = None
    """When it last got well (`is_well`) or into trouble, of one that is flapping."""
    is_well: bool = False


@dataclass(frozen=True, slots=True)
class Backtested:
    """What came of it: firings by the time of their opening. Not complete: it ended at `until_ns`, for the `reason`."""

    firings: tuple[Firing, ...]
    from_ns: int
    to_ns: int
    until_ns: int
    steps: int
    step_ns: int
    queries: int
    elapsed: float
    is_complete: bool
    reason: str | None

    @property
    def per_week(self) -> float:
        """Incidents a week."""
        return len(self.firings) * WEEK_NS / max(1, self.until_ns - self.from_ns)


@dataclass(frozen=True, slots=True)
class Span:
    """The range of a backtest, and how long it may take."""

    from_ns: int
    to_ns: int
    seconds: float = DEFAULT_SECONDS


def step_ends(detector: Detector[Any], span: Span, most: int = MOST_STEPS, most_phases: int = MOST_PHASES) -> range:
    """The ends of the windows that are judged: the multiples of `every` in the range, or of a multiple of it where
    these would be too many, or would overlap too much to be asked at once.

    :raises RejectedError: there are none, or so many that there would be gaps between them
    """
    every, window = duration_ns(detector.config.every), duration_ns(detector.config.window)
    length = max(0, span.to_ns - span.from_ns)
    least = max(1, -(-window // (most_phases * every)), -(-length // (most * every)))
    step = every * next((k for k in range(least, 2 * least) if window % (k * every) == 0), least)
    if step > max(every, window):
        raise RejectedError(
            f"the range is too long for windows of {detector.config.window}: {most:,} are the most; take a shorter one"
        )
    first = -(-max(span.from_ns + 1, 1) // step) * step
    ends = range(first, span.to_ns + 1, step)
    if not ends:
        raise RejectedError(f"the range is shorter than a step of {step / 1e9:g} s; take a longer one")
    return ends


async def backtest(
    name: str, detector: Detector[Any], events: Events, span: Span, told: Told = lambda *_: None
) -> Backtested:
    """Judge every window of the range, oldest first.

    :raises QueryError: the detector's query is wrong
    :raises RejectedError: the range has no window, or is too long
    """
    ends = step_ends(detector, span)
    step = ends.step
    began = anyio.current_time()
    ledger = Ledger(detector)
    ahead = Ahead(events, step, ends[0], ends[-1])
    resolved = await events.engine.resolver(events.project_id)
    memory, learned = HeldMemory(), None
    until, reason = span.from_ns, None
    for number, at_ns in enumerate(ends):
        if anyio.current_time() - began > span.seconds:
            reason = f"it took longer than {span.seconds:g} s"
            break
        if len(ledger.closed) + len(ledger.open) >= MOST_FIRINGS:
            reason = f"it would have fired more than {MOST_FIRINGS:,} times"
            break
        run = Run(name, at_ns, ahead, resolved, learned, memory, ledger.open_groups)
        ledger.enter(Step(at_ns, ledger.window_ns), by_key(name, await _detected(detector, run)))
        learned = run.learned
        until = at_ns
        if number % _TELL == 0:
            told(number, len(ends), len(ledger.closed) + len(ledger.open))
            await anyio.lowlevel.checkpoint()
    told(len(ends), len(ends), len(ledger.closed) + len(ledger.open))
    steps = (until - ends[0]) // step + 1 if until >= ends[0] else 0
    elapsed = anyio.current_time() - began
    return Backtested(
        ledger.firings(), span.from_ns, span.to_ns, until, steps, step, ahead.queries, elapsed, reason is None, reason
    )


async def _detected(detector: Detector[Any], run: Run) -> list[Finding]:
    try:
        with anyio.fail_after(DETECT_SECONDS):
            return await detector.detect(run)
    except TimeoutError as why:
        raise CordwoodError(f"the detector took longer than {DETECT_SECONDS:.0f} s") from why


class Ledger:
    """The incidents of a backtest: what the journal is to the present, in memory."""

    def __init__(self, detector: Detector[Any]) -> None:
        config = detector.config
        self.window_ns = duration_ns(config.window)
        self._resolve_after = self.window_ns if config.resolve_after is None else duration_ns(config.resolve_after)
        self._severity, self._damping = config.severity, Damping.of(config)
        self.open: dict[int, tuple[str, Firing]] = {}
        self.closed: list[tuple[int, Firing]] = []
        self._lately: dict[str, deque[Known]] = {}  # those that opened and ended within the time of flapping, by key
        self._next = 0

    async def open_groups(self) -> list[Mapping[str, Json]]:
        """The groups of the incidents that are open."""
        return [firing.group for _, firing in self.open.values()]

    def enter(self, step: Step, found: Mapping[str, Finding]) -> None:
        """Take in what was found in a window."""
        if not found and not self.open:
            return
        known = [_known(number, key, firing) for number, (key, firing) in self.open.items()]
        known += [item for key in found for item in self._lately.get(key, ())]
        outcome = changes(step, found, known, self._resolve_after, self._damping)
        for key, finding in outcome.opens:
            turned = step.at_ns if key in outcome.flapping else None
            self.open[self._next] = (key, replace(self._opened(step, finding), turned_ns=turned))
            self._next += 1
        for number, finding in outcome.seen:
            key, firing = self.open[number]
            severity = (
                finding.severity.upper() if finding.severity and is_worse(finding, firing.severity) else firing.severity
            )
            self.open[number] = (
                key,
                replace(firing, last_ns=step.at_ns, last_values=finding.values, severity=severity),
            )
        for number, is_well in outcome.turns:
            key, firing = self.open[number]
            self.open[number] = (key, replace(firing, turned_ns=step.at_ns, is_well=is_well))
        for number in outcome.steady:
            key, firing = self.open[number]
            self.open[number] = (key, replace(firing, turned_ns=None))
        for number in outcome.resolves:
            key, firing = self.open.pop(number)
            if self._damping.flaps:
                lately = self._lately.setdefault(key, deque(maxlen=self._damping.flaps))
                lately.append(replace(_known(number, key, firing), is_open=False))
            self.closed.append((number, replace(firing, resolved_ns=step.at_ns)))

    def firings(self) -> tuple[Firing, ...]:
        """All of them, in the order in which they opened."""
        found = [*self.closed, *((number, firing) for number, (_, firing) in self.open.items())]
        return tuple(firing for _, firing in sorted(found, key=lambda item: item[0]))

    def _opened(self, step: Step, finding: Finding) -> Firing:
        return Firing(
            group=finding.group,
            title=finding.title,
            severity=(finding.severity or self._severity).upper(),
            values=finding.values,
            last_values=finding.values,
            from_ns=step.from_ns,
            opened_ns=step.at_ns,
            last_ns=step.at_ns,
        )


def _known(number: int, key: str, firing: Firing) -> Known:
    return Known(
        number,
        key,
        is_open=True,
        from_ns=firing.from_ns,
        to_ns=firing.last_ns,
        opened_ns=firing.opened_ns,
        turned_ns=firing.turned_ns,
        is_well=firing.is_well,
    )
