"""Who watches events pass a step of a pipeline, and what each step has counted.

A tap costs nothing while nobody watches. It holds a bounded number of events, and counts what it leaves out.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ...config import Step
from ...plugins import Batch

if TYPE_CHECKING:
    from ..query import BatchFilter

STORE: Final = -1
"""The edge into the store, after the last step and the defaults."""
_OF_A_BATCH: Final = 100  # events that are shown of a batch: to make them is Python per event
_HELD: Final = 1000  # events that wait for who watches
MOST_TAPS: Final = 20  # on a node


@dataclass(slots=True)
class StepCounts:
    """What a step has done since the start."""

    events: int = 0
    failed: int = 0
    seconds: float = 0.0
    left_out: int = 0
    """Events that it meant not to be stored."""
    passed_by: int = 0
    """Events that `when` did not find."""
    branches: tuple[BranchCounts, ...] = ()
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, step: Step) -> StepCounts:
        """Nothing yet, for the step and those in its branches."""
        return cls(branches=tuple(BranchCounts(steps=tuple(map(cls.of, branch.parse))) for branch in step.branches))

    def add(self, events: int, failed: int, seconds: float, left_out: int) -> None:
        """Count a batch; steps run in several threads."""
        with self._lock:
            self.events += events
            self.failed += failed
            self.seconds += seconds
            self.left_out += left_out

    def pass_by(self, events: int) -> None:
        """Count events that `when` did not find."""
        with self._lock:
            self.passed_by += events


@dataclass(slots=True)
class BranchCounts:
    """What a branch of a route has done since the start."""

    events: int = 0
    steps: tuple[StepCounts, ...] = ()
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, events: int) -> None:
        """Count a batch."""
        with self._lock:
            self.events += events


class Tap:
    """Watches one edge of a pipeline: after step `step` (0: before the first), or `STORE`."""

    def __init__(self, pipeline: str, step: int, only: BatchFilter | None = None) -> None:
        self.pipeline, self.step, self._only = pipeline, step, only
        self._held: deque[dict[str, Any]] = deque()
        self._dropped = 0
        self._lock = threading.Lock()

    def see(self, batch: Batch) -> None:
        """Note what passes. Blocking, in the pipeline's thread."""
        if self._only is not None:
            batch = Batch(batch.frame.filter(self._only.mask(batch)))
        with self._lock:
            room = max(0, min(_OF_A_BATCH, _HELD - len(self._held)))
        events = Batch(batch.frame.head(room)).events() if room and len(batch) else []
        with self._lock:
            self._held.extend(events)
            self._dropped += len(batch) - len(events)

    def take(self) -> tuple[list[dict[str, Any]], int]:
        """The events since the last call, and how many were left out."""
        with self._lock:
            events, dropped = list(self._held), self._dropped
            self._held.clear()
            self._dropped = 0
        return events, dropped


class Taps:
    """All taps of a node."""

    def __init__(self) -> None:
        self._open: tuple[Tap, ...] = ()

    @contextmanager
    def open(self, tap: Tap) -> Iterator[None]:
        """Let a tap watch meanwhile."""
        self._open = (*self._open, tap)
        try:
            yield
        finally:
            self._open = tuple(one for one in self._open if one is not tap)

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._open)

    def see(self, pipeline: str, step: int, batch: Batch) -> None:
        """Show a batch to those that watch this edge."""
        for tap in self._open:
            if tap.pipeline == pipeline and tap.step == step:
                tap.see(batch)
