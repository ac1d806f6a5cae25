"""`anomalies` against the same band computed in Python."""

from __future__ import annotations

import math
import random
import statistics
from pathlib import Path

import pytest

from .segments import NOW, Segments, ask

pytestmark = pytest.mark.anyio
MINUTE = 60 * 10**9


async def test_a_surge_and_a_gap_stand_out(tmp_path: Path) -> None:
    store, source = Segments(tmp_path), random.Random(1)
    counts = [source.randint(90, 110) for _ in range(90)]
    counts[40], counts[70] = 170, 31
    store.commit([
        {"timestamp": NOW + minute * MINUTE + i, "message": "x", "took": 0.2}
        for minute, count in enumerate(counts) for i in range(count)
    ])  # fmt: skip
    rows = list((await ask(store, "| timechart span=1m count() as n | anomalies n")).rows())
    assert [row[1] for row in rows] == counts
    for i, (_, n, expected, lower, upper, anomaly) in enumerate(rows):
        before = counts[max(0, i - 60) : i]
        if len(before) < 10:
            assert (expected, lower, upper, anomaly) == (None, None, None, None)
            continue
        middle, (low, _, high) = statistics.median(before), statistics.quantiles(before, n=4, method="inclusive")
        reach = 3 * max((high - low) / 1.349, math.sqrt(middle), 1)
        assert (expected, lower, upper) == pytest.approx((middle, middle - reach, middle + reach))
        assert anomaly == (not lower <= n <= upper)
    assert [i for i, row in enumerate(rows) if row[5]] == [40, 70]


async def test_a_measured_value_that_stays_is_no_anomaly(tmp_path: Path) -> None:
    store = Segments(tmp_path)
    store.commit([{"timestamp": NOW + i * MINUTE, "message": "x", "took": 0.2 if i < 20 else 0.21} for i in range(21)])
    rows = list((await ask(store, "| timechart span=1m avg(took) as t | anomalies t | where anomaly")).rows())
    assert [row[1] for row in rows] == [0.21]
