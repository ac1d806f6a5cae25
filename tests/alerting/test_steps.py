"""Windows that are judged afterwards: nothing falls between them."""

from __future__ import annotations

from cordwood.core.alerting.steps import (
    CATCH_UP_NS,
    MAX_STEPS,
    coarse_step,
    fine_step,
    late_before,
    late_parts,
    late_steps,
    missed_steps,
)
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
    ends = [found.at_ns for found in missed_steps(until, now, window, [(low, high)], step)] + [now]
    assert any(end - window <= low and high < end for end in ends)


def test_empty_stretches_are_judged_once() -> None:
    steps = missed_steps(0, 3600 * SECOND, 5 * MINUTE, [(1800 * SECOND, 1800 * SECOND)], 150 * SECOND)
    assert len(steps) == 4  # one empty, two with the event, one empty after it


def test_catching_up_is_bounded() -> None:
    week = 7 * CATCH_UP_NS
    steps = missed_steps(0, week, 5 * MINUTE, [(0, week)], 150 * SECOND)
    assert steps[0].at_ns > week - CATCH_UP_NS
    assert len(missed_steps(0, week, 2 * SECOND, [(0, week)], SECOND)) == MAX_STEPS


@given(late_by=st.integers(0, 20 * 60), every=st.integers(1, 60), window=st.integers(10, 600))
def test_a_late_event_is_judged_where_it_belongs(late_by: int, every: int, window: int) -> None:
    now, grace = 1_000_000, 15 * 60
    at = now - late_by
    step = coarse_step(every, window)
    steps = late_steps(now, window, late_parts([(at, at)], now + 1 - grace, now + 1 - step), step)
    assert all(one.late and one.at_ns <= now for one in steps)
    judged = any(one.from_ns <= at < one.at_ns for one in steps)
    if step < window and step < late_by <= grace - 1:
        assert judged
    if late_by > grace + window:
        assert not judged


@given(late_by=st.integers(0, 15 * 60), every=st.integers(1, 300), window=st.integers(10, 600))
def test_where_windows_are_asked_at_once_a_late_event_is_judged_in_all_it_lies_in(
    late_by: int, every: int, window: int
) -> None:
    now, grace = 1_000_000 * SECOND, 15 * MINUTE
    every, window, at = every * SECOND, window * SECOND, now - late_by * SECOND
    step = fine_step(every, window, grace)
    last = now - every  # the event came after it, and is judged now
    before = late_before(last, now, every, window, is_fine=True)
    steps = late_steps(last, window, late_parts([(at, at)], now - grace, before), step)
    expected = [end for end in range(at // step * step + step, min(at + window, last) + 1, step) if at < before]
    assert before >= last - 10 * SECOND or before == now - coarse_step(every, window)
    assert [one.at_ns for one in steps] == expected
    assert window <= 60 * step or step == coarse_step(every, window)
    assert step == every or window > 60 * every or step == coarse_step(every, window)
