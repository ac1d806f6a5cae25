"""Which windows a detector judges when it runs: pure.

Usually one, that ends now. After downtime also those that were missed, and for events that came late those they fall
into. Where many windows can be asked at once, these are all that `every` makes, as in a backtest; else they lie half a
window apart: no two neighbours have a gap between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .lifecycle import Step

CATCH_UP_NS = 24 * 3_600_000_000_000  # downtime longer than this is not judged afterwards: nobody acts on it any more
MAX_STEPS = 2_000  # windows of one run: of more, the oldest are left out, or a short window would take minutes
MOST_OVERLAP: Final = 60  # windows that one moment lies in, where each of them is judged: so many queries for a block
USUAL_NS: Final = 10_000_000_000  # before the last window's end, events of so late come all the time

Interval = tuple[int, int]
"""First and last event time, both included, in nanoseconds since the epoch."""


def coarse_step(every_ns: int, window_ns: int) -> int:
    """The distance of the windows that are judged afterwards.

    >>> coarse_step(1, 300), coarse_step(600, 300)
    (150, 600)
    """
    return max(every_ns, window_ns // 2, 1)


def fine_step(every_ns: int, window_ns: int, length_ns: int = 0) -> int:
    """The same where many windows are asked at once: `every`, or a multiple of it where these would be too many.

    >>> fine_step(60, 300), fine_step(1, 300), fine_step(60, 300, 10_000_000), fine_step(600, 300)
    (60, 5, 150, 600)
    """
    times = max(1, -(-window_ns // (MOST_OVERLAP * every_ns)), -(-length_ns // (MAX_STEPS * every_ns)))
    return min(times * every_ns, coarse_step(every_ns, window_ns))


def late_before(evaluated_until: int, at_ns: int, every_ns: int, window_ns: int, *, is_fine: bool) -> int:
    """Newly committed events from this time on are no late ones: the windows from now on show what they change.

    >>> second = 10**9
    >>> late_before(940 * second, 1000 * second, 60 * second, 300 * second, is_fine=True) // second
    930
    >>> late_before(940 * second, 1000 * second, 60 * second, 300 * second, is_fine=False) // second
    850
    """
    coarse = at_ns - coarse_step(every_ns, window_ns)
    return max(coarse, evaluated_until - USUAL_NS) if is_fine else coarse


def missed_steps(
    evaluated_until: int, at_ns: int, window_ns: int, events: Sequence[Interval], step_ns: int
) -> list[Step]:
    """Windows that ended while nobody looked, at multiples of `step_ns`, oldest first, without the one that ends now.

    Of neighbours without events only the first is judged: their answers are the same.

    >>> [step.at_ns for step in missed_steps(1000, 2000, 200, [(1520, 1530)], 100)]
    [1100, 1600, 1700, 1800]
    """
    begin = max(evaluated_until, at_ns - CATCH_UP_NS)
    steps: list[Step] = []
    was_empty = False
    for end in range(begin // step_ns * step_ns + step_ns, at_ns, step_ns):
        empty = not any(low < end and high >= end - window_ns for low, high in events)
        if not (empty and was_empty):
            steps.append(Step(end, window_ns))
        was_empty = empty
    return steps[-MAX_STEPS:]


def late_parts(events: Sequence[Interval], oldest: int, before: int) -> list[Interval]:
    """What of these intervals lies from `oldest` on and before `before`.

    >>> late_parts([(0, 10), (5, 40), (50, 60), (38, 90)], 20, 40)
    [(20, 39), (38, 39)]
    """
    return [(max(low, oldest), min(high, before - 1)) for low, high in events if low < before and high >= oldest]


def late_steps(evaluated_until: int, window_ns: int, events: Sequence[Interval], step_ns: int) -> list[Step]:
    """Windows judged before, that events which came late fall into; at multiples of `step_ns`, oldest first.

    >>> [step.at_ns for step in late_steps(1000, 200, [(730, 740)], 100)]
    [800, 900]
    >>> late_steps(990, 200, [(950, 1000)], 100)
    []
    """
    ends: set[int] = set()
    for low, high in events:
        first = low // step_ns * step_ns + step_ns  # the first window end after the event
        last = min(high + window_ns, evaluated_until)
        ends.update(range(first, last + 1, step_ns))
    return [Step(end, window_ns, late=True) for end in sorted(ends)][-MAX_STEPS:]
