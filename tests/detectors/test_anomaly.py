"""The anomaly detector: streaming, bounded, robust, and over real events. Its score on NAB: test_nab.py."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cordwood.detectors.anomaly import Anomaly, AnomalyConfig
from cordwood.detectors.anomaly.watch import Settings, Watch
from cordwood.detectors.series import Point, Verdict
from cordwood.plugins import QueryError
from cordwood.plugins.conformance import detector_contract
from pydantic import ValidationError

SECOND = 1_000_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
T0 = 1_769_860_800 * SECOND
SETTINGS = Settings.of(AnomalyConfig())

test_contract = detector_contract(Anomaly, {"by": ["service"], "value": "avg(duration)"}, groups=None)


def daily(days: float, seed: int = 1) -> list[float]:
    """A latency in bins of five minutes: a hill by day, and noise."""
    random = np.random.default_rng(seed)
    hours = np.arange(round(days * 288)) / 12 % 24
    return [
        float(value) for value in 100 + 40 * np.sin((hours - 8) / 24 * 2 * math.pi) + random.normal(0, 3, len(hours))
    ]


def points(values: Any) -> list[Point]:
    return [Point(row * 300, value) for row, value in enumerate(values)]


def rows(verdicts: list[Verdict | None]) -> list[int]:
    return [row for row, verdict in enumerate(verdicts) if verdict is not None]


def with_trouble() -> list[float]:
    values = daily(8)
    values[1500:1520] = [100.0 + 30 * (-1) ** (row // 3) for row in range(20)]  # it swings, within its usual range
    values[2000:2012] = [260.0] * 12  # far too high
    return values


def test_a_peak_and_a_shape_are_found_and_explained() -> None:
    verdicts = Watch(SETTINGS).steps(points(with_trouble()))
    found = rows(verdicts)
    assert 1500 <= found[0] < 1510
    assert 2000 in found
    assert all(1500 <= row < 1560 or 2000 <= row < 2060 for row in found)
    peak = verdicts[2000]
    assert peak is not None
    assert (peak.value, peak.direction) == (260.0, "up")
    assert peak.lower < peak.expected < peak.upper < 260
    assert set(peak.details["looks"]) == {"season", "shape of 8", "shape of 19", "shape of 30"}  # type: ignore[arg-type]


@pytest.mark.parametrize("at_once", [1, 27, 64, 100])
def test_the_same_however_many_at_once_and_from_whichever_state(at_once: int) -> None:
    """A value is judged by those before it alone, and by what is stored of them."""
    values = points(with_trouble()[:1540])
    whole = Watch(SETTINGS).steps(values)
    model, pieces = Watch(SETTINGS), []
    begin = 1470 if at_once == 1 else 0
    pieces += model.steps(values[:begin])
    for row in range(begin, len(values), at_once):
        model = Watch(SETTINGS, model.dump())
        pieces += model.steps(values[row : row + at_once])
    assert rows(pieces) == rows(whole)
    for one, other in zip(pieces, whole, strict=True):
        if one is not None and other is not None:
            assert (one.score, one.expected) == pytest.approx((other.score, other.expected), rel=1e-6)


def test_its_copy_learns_on_its_own() -> None:
    model = Watch(SETTINGS)
    model.steps(points(daily(1)))
    before = model.dump()
    model.copy().steps([Point(288 * 300, 1e9)])
    assert model.dump() == before


def test_a_level_that_stays_is_told_once() -> None:
    values = daily(12)
    for row in range(1728, len(values)):
        values[row] += 150
    found = rows(Watch(SETTINGS).steps(points(values)))
    assert found[0] == 1728
    assert max(found) < 1728 + 288  # a day later it is as on the day before, and not when the week's median follows


def test_a_quiet_series_stays_quiet() -> None:
    incidents = 0
    for seed in range(2):
        last = -100
        for row in rows(Watch(SETTINGS).steps(points(daily(9, seed + 10)))):
            incidents += row - last >= 12
            last = row
    assert incidents <= 4  # of two series and nine days
    assert rows(Watch(SETTINGS).steps(points([5.0] * 800))) == []


def test_what_is_kept_is_bounded() -> None:
    model = Watch(SETTINGS)
    model.steps(points(daily(7.6)))
    small = sum(len(part) for part in model.dump() if isinstance(part, bytes))
    model.steps(points(daily(0.5)))
    assert sum(len(part) for part in model.dump() if isinstance(part, bytes)) == small
    assert small * Anomaly.most_series < 10 << 20


@pytest.mark.parametrize(
    "odd", [None, math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324], ids=["none", "nan", "inf", "-inf", "huge",
    "-huge", "tiny"]
)  # fmt: skip
def test_odd_values(odd: float | None) -> None:
    values: list[float | None] = [*daily(2)]
    values[0] = values[300] = values[301] = odd
    model = Watch(SETTINGS)
    verdicts = model.steps(points(values)) + model.steps(points([odd] * 300))
    again = Watch(SETTINGS, model.dump())
    assert len(verdicts) + len(again.steps(points(daily(1)))) == 576 + 300 + 288
    if odd is None or not math.isfinite(odd):
        assert rows(verdicts[576:]) == []


def test_a_state_that_is_none() -> None:
    good = Watch(SETTINGS).dump()
    for state in ([], 7, "no", (*good[:5], b"x", b"", b""), (*good[:7], b"\0" * 4)):
        with pytest.raises(ValueError, match="no such model"):
            Watch(SETTINGS, state)


@pytest.mark.parametrize(
    "wrong", [{"value": " "}, {"sensitivity": 7}, {"rest": "soon"}, {"bin": "7m"}, {"window": "5m"}], ids=str
)
def test_settings_that_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AnomalyConfig(**wrong)


@pytest.mark.anyio
async def test_a_latency_in_real_events(judge: Any) -> None:
    values = daily(3)
    begin = T0 - len(values) * 300 * SECOND
    events = [
        {"message": "call", "service": service, "route": f"r{row % 3}", "duration": factor * value,
         "timestamp": begin + row * 300 * SECOND + SECOND}
        for row, value in enumerate(values)
        for service, factor in (("api", 1.0), ("web", 7.0))
    ]  # fmt: skip
    await judge.commit(*events)
    detector = Anomaly(
        AnomalyConfig(query="call", value="avg(duration)", by=["service"], memory="3d", explain=["route"])
    )
    run = await judge.look("latency", T0)
    assert await detector.detect(run) == []
    slow = {"message": "call", "service": "api", "route": "r9", "duration": 900.0}
    await judge.commit(*(slow | {"timestamp": T0 + row * SECOND} for row in range(5)))
    run = await judge.look("latency", T0 + 5 * MINUTE, run.learned)
    (found,) = await detector.detect(run)
    assert found.group == {"service": "api"}
    assert found.title.startswith("latency: avg(duration) 900 in 5m, ")
    assert found.sample_query == 'call service="api"'
    assert found.values["direction"] == "up"
    assert found.values["looks"]["season"] > 1  # type: ignore[index, call-overload]
    assert found.values["causes"][0]["is"] == "r9"  # type: ignore[index, call-overload]


@pytest.mark.anyio
@pytest.mark.parametrize("value", ["duration", "nonsense(duration)", "avg(duration) | delete"])
async def test_values_that_are_no_aggregation(judge: Any, value: str) -> None:
    with pytest.raises(QueryError):
        await judge.found(Anomaly(AnomalyConfig(value=value)))
