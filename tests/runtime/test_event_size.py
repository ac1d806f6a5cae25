"""Events that are too large: what is left of them, what the others keep, and that it costs nothing without them."""

from __future__ import annotations

import doctest

from cordwood.core.runtime import event_size
from cordwood.core.runtime.event_size import cut
from cordwood.plugins import Batch
from hypothesis import given
from hypothesis import strategies as st


def without_times(batch: Batch) -> list[dict[str, object]]:
    return [{k: v for k, v in event.items() if not k.endswith("timestamp")} for event in batch.events()]


def test_doctests() -> None:
    assert doctest.testmod(event_size).failed == 0


def test_the_longest_texts_are_cut_and_the_event_says_so() -> None:
    events = [
        {"message": "short", "n": 1},
        {"message": "m" * 500, "detail": "d" * 300, "trace_id": "0af7651916cd43dd8448eb211c80319c", "n": 2},
        {"message": "short", "truncated": True},
    ]
    batch, count = cut(Batch.from_records(events), 232)
    assert count == 1
    assert without_times(batch)[0] == {"message": "short", "n": 1}
    assert without_times(batch)[1] == {
        "message": "m" * 100,
        "detail": "d" * 100,
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "n": 2,
        "truncated": 832,
    }
    assert without_times(batch)[2] == {"message": "short", "truncated": True}


def test_a_cut_leaves_whole_characters_and_valid_json() -> None:
    events = [{"message": "\u00fc" * 100, "tags": ['"', "\\", "b" * 500]}]
    batch, _ = cut(Batch.from_records(events), 101)
    (event,) = without_times(batch)
    assert event["message"] == "\u00fc" * 25
    assert isinstance(event["tags"], str)
    assert event["tags"].startswith('["')
    assert event["truncated"] == 200 + len('["\\"","\\\\","') + 500 + len('"]')


def test_nothing_is_copied_where_nothing_is_too_large() -> None:
    batch = Batch.from_records([{"message": "m" * n} for n in range(100)])
    assert cut(batch, 99) == (batch, 0)
    assert cut(batch, 99)[0] is batch
    assert cut(batch, 98)[1] == 1
    assert cut(Batch.from_lines([]), 1)[1] == 0


VALUES = st.one_of(st.text(max_size=40), st.integers(-5, 5), st.lists(st.text(max_size=9), max_size=3))
EVENT = st.dictionaries(st.sampled_from(["message", "a", "b", "host"]), VALUES, max_size=4)


@given(st.lists(EVENT, min_size=1, max_size=6), st.integers(20, 60))
def test_whatever_comes_fits_and_what_fits_stays(events: list[dict[str, object]], most: int) -> None:
    before = Batch.from_records(events)
    after, count = cut(before, most)
    sizes = [sum(len(value.encode()) for value in row if isinstance(value, str)) for row in before.frame.rows()]
    assert count == sum(size > most for size in sizes)
    for size, old, new in zip(sizes, without_times(before), without_times(after), strict=True):
        if size <= most:
            assert new == old
        else:
            assert new["truncated"] == size
            assert new.keys() - old.keys() == {"truncated"}
    for row in after.frame.rows():
        assert sum(len(value.encode()) for value in row if isinstance(value, str)) <= most
