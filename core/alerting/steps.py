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
USUAL_NS: Final = 10_000_000_000  # events come up to so late all the time; the next window has them

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


def late_after(every_ns: int, window_ns: int, step_ns: int) -> int:
    """How old an event is at least that makes windows be judged again, which are `step_ns` apart.

    >>> late_after(60 * 10**9, 300 * 10**9, 60 * 10**9) // 10**9, late_after(1, 300 * 10**9, 10**9) // 10**9
    (60, 10)
    """
    return min(max(step_ns, USUAL_NS), coarse_step(every_ns, window_ns))


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


def late_steps(
    evaluated_until: int, bounds: tuple[int, int], window_ns: int, events: Sequence[Interval], step_ns: int
) -> list[Step]:
    """Windows judged before, that newly committed events fall into; at multiples of `step_ns`, oldest first.

    `bounds`: events older than the first count no more, and those from the second on are no late ones.

    >>> [step.at_ns for step in late_steps(1000, (410, 910), 200, [(730, 740)], 100)]
    [800, 900]
    >>> late_steps(1000, (410, 910), 200, [(950, 1000)], 100), late_steps(1000, (410, 910), 200, [(5, 300)], 100)
    ([], [])
    """
    oldest, newest = bounds
    ends: set[int] = set()
    for low, high in events:
        if low >= newest or high < oldest:
            continue
        first = max(low, oldest) // step_ns * step_ns + step_ns  # the first window end after the event
        last = min(high + window_ns, evaluated_until)
        ends.update(range(first, last + 1, step_ns))
    return [Step(end, window_ns, late=True) for end in sorted(ends)][-MAX_STEPS:]
