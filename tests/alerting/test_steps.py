"""Windows that are judged afterwards: nothing falls between them."""

from __future__ import annotations

from cordwood.core.alerting.steps import CATCH_UP_NS, MAX_STEPS, coarse_step, late_steps, missed_steps
from hypothesis import given
from hypothesis import strategies as st

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


@given(
    gap=st.integers(0, 5_000),
    every=st.integers(1, 200),
    window=st.integers(2, 400),
    start=st.integers(0, 5_000),
    length=st.integers(0, 400),
)
def test_a_burst_during_downtime_lies_whole_in_a_window(
    gap: int, every: int, window: int, start: int, length: int
) -> None:
    """Any burst of up to half a window that ended before now, if `every` leaves no holes between windows."""
    until, now = 10_000, 10_000 + gap
    step = coarse_step(every, window)
    low = until + start
    high = low + min(length, window - step - 1)
    if high >= now or high < low:
        return
    ends = [found.at_ns for found in missed_steps(until, now, every, window, [(low, high)])] + [now]
    assert any(end - window <= low and high < end for end in ends)


def test_empty_stretches_are_judged_once() -> None:
    steps = missed_steps(0, 3600 * SECOND, SECOND, 5 * MINUTE, [(1800 * SECOND, 1800 * SECOND)])
    assert len(steps) == 4  # one empty, two with the event, one empty after it


def test_catching_up_is_bounded() -> None:
    week = 7 * CATCH_UP_NS
    steps = missed_steps(0, week, SECOND, 5 * MINUTE, [(0, week)])
    assert steps[0].at_ns > week - CATCH_UP_NS
    assert len(missed_steps(0, week, SECOND, 2 * SECOND, [(0, week)])) == MAX_STEPS


@given(late_by=st.integers(0, 20 * 60), every=st.integers(1, 60), window=st.integers(10, 600))
def test_a_late_event_is_judged_where_it_belongs(late_by: int, every: int, window: int) -> None:
    now, grace = 1_000_000, 15 * 60
    at = now - late_by
    steps = late_steps(now, now + 1, every, window, grace, [(at, at)])
    assert all(step.late and step.at_ns <= now for step in steps)
    judged = any(step.from_ns <= at < step.at_ns for step in steps)
    step = coarse_step(every, window)
    if step < window and step < late_by <= grace - 1:
        assert judged
    if late_by > grace + window:
        assert not judged
