"""Which windows a detector judges when it runs: pure.

Usually one, that ends now. After downtime also those that were missed, and for events that came late those they fall
into, both in coarse steps of half a window: no two neighbours have a gap between them.
"""

from __future__ import annotations

from collections.abc import Sequence

from .lifecycle import Step

CATCH_UP_NS = 24 * 3_600_000_000_000  # downtime longer than this is not judged afterwards: nobody acts on it any more
MAX_STEPS = 2_000  # windows of one run: of more, the oldest are left out, or a short window would take minutes

Interval = tuple[int, int]
"""First and last event time, both included, in nanoseconds since the epoch."""


def coarse_step(every_ns: int, window_ns: int) -> int:
    """The distance of the windows that are judged afterwards.

    >>> coarse_step(1, 300), coarse_step(600, 300)
    (150, 600)
    """
    return max(every_ns, window_ns // 2, 1)


def missed_steps(
    evaluated_until: int, at_ns: int, every_ns: int, window_ns: int, events: Sequence[Interval]
) -> list[Step]:
    """Windows that ended while nobody looked, oldest first, without the one that ends now.

    Of neighbours without events only the first is judged: their answers are the same.

    >>> [step.at_ns for step in missed_steps(1000, 2000, 1, 200, [(1520, 1530)])]
    [1100, 1600, 1700, 1800]
    """
    step = coarse_step(every_ns, window_ns)
    begin = max(evaluated_until, at_ns - CATCH_UP_NS)
    steps: list[Step] = []
    was_empty = False
    for end in range(begin + step, at_ns, step):
        empty = not any(low < end and high >= end - window_ns for low, high in events)
        if not (empty and was_empty):
            steps.append(Step(end, window_ns))
        was_empty = empty
    return steps[-MAX_STEPS:]


def late_steps(
    evaluated_until: int, at_ns: int, every_ns: int, window_ns: int, grace_ns: int, events: Sequence[Interval]
) -> list[Step]:
    """Windows judged before, that newly committed events fall into; on a fixed grid, oldest first.

    Events of the last half window are no late ones: the window that ends now has them with their neighbours. Those
    older than `grace_ns` count no more.

    >>> [step.at_ns for step in late_steps(1000, 1010, 1, 200, 600, [(730, 740)])]
    [800, 900]
    >>> late_steps(1000, 1010, 1, 200, 600, [(950, 1000)]), late_steps(1000, 1010, 1, 200, 600, [(5, 300)])
    ([], [])
    """
    step = coarse_step(every_ns, window_ns)
    oldest = at_ns - grace_ns
    ends: set[int] = set()
    for low, high in events:
        if low >= at_ns - step or high < oldest:
            continue
        first = max(low, oldest) // step * step + step  # the first window end after the event
        last = min(high + window_ns, evaluated_until)
        ends.update(range(first, last + 1, step))
    return [Step(end, window_ns, late=True) for end in sorted(ends)][-MAX_STEPS:]
