"""The absence detector over real events."""

from __future__ import annotations

from typing import Any

import pytest
from cordwood.detectors.absence import Absence, AbsenceConfig
from cordwood.plugins.conformance import detector_contract

pytestmark = pytest.mark.anyio
SECOND = 1_000_000_000
T0 = 1_769_860_800 * SECOND

test_contract = detector_contract(
    Absence, {"by": ["service"]}, [{"service": "pay", "last_seen": "2020-01-01T00:00:00.000000000Z"}], None
)


async def test_a_service_that_fell_silent(judge: Any) -> None:
    await judge.commit(
        {"message": "beat", "service": "pay", "timestamp": T0 - 301 * SECOND},
        {"message": "beat", "service": "web", "timestamp": T0 - 299 * SECOND},
        {"message": "beat", "service": "gone", "timestamp": T0 - 25 * 3600 * SECOND},
    )
    detector = Absence(AbsenceConfig(by=["service"]))
    (found,) = await judge.found(detector)
    assert found.title == "errors: no events for 5m from service pay"
    assert (found.group, found.values) == ({"service": "pay"}, {"last_seen": "2026-01-31T11:54:59.000000000Z"})
    assert found.sample_query == 'service="pay"'
    assert len(await judge.found(detector, T0 + 2 * SECOND)) == 2
    await judge.commit({"message": "beat", "service": "pay", "timestamp": T0 - SECOND})
    assert await judge.found(detector) == []


async def test_any_event_will_do(judge: Any) -> None:
    detector = Absence(AbsenceConfig(query="beat", window="10s"))
    assert await judge.found(detector) == []  # never seen, so not missed
    await judge.commit({"message": "beat"}, {"message": "other", "timestamp": T0 + 20 * SECOND})
    assert await judge.found(detector) == []
    (found,) = await judge.found(detector, T0 + 20 * SECOND)
    assert (found.title, found.group) == ("errors: no events for 10s", {})


async def test_the_edge_of_the_window(judge: Any) -> None:
    await judge.commit({"message": "beat"})
    detector = Absence(AbsenceConfig(window="10s"))
    assert await judge.found(detector, T0 + 9 * SECOND) == []
    assert len(await judge.found(detector, T0 + 9 * SECOND + 1)) == 1
