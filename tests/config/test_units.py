"""Durations and sizes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cordwood.config import format_duration, parse_duration, parse_size
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30d", 2_592_000), ("5m", 300), ("1h30m", 5400), ("250ms", 0.25), ("1.5s", 1.5), ("1w", 604_800), (" 2h ", 7200)],
)
def test_durations(text, seconds):
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "5", "5x", "m5", "5m!", "-5m", "3 minutes", "99999999999999999d"])
def test_no_durations(text):
    with pytest.raises(ValueError, match=r"is no duration|is longer"):
        parse_duration(text)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=10_000)))
def test_a_duration_reads_back_as_it_was_written(span):
    assert parse_duration(format_duration(span)) == span


@pytest.mark.parametrize(
    ("text", "size"), [("10MiB", 10 * 2**20), ("1.5KB", 1500), ("2GB", 2 * 10**9), ("0B", 0), ("7 kib", 7168)]
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "5", "5Q", "MiB", "-1MB"])
def test_no_sizes(text):
    with pytest.raises(ValueError, match="is no size"):
        parse_size(text)
