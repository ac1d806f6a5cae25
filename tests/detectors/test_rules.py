"""The contracts of new_value, new_pattern, ratio and correlation, and what they refuse; end to end: tests/alerting."""

from __future__ import annotations

from typing import Any

import pytest
from cordwood.detectors.absence import Absence, AbsenceConfig
from cordwood.detectors.correlation import Correlation, CorrelationConfig
from cordwood.detectors.match import Match, MatchConfig
from cordwood.detectors.new_pattern import NewPattern, NewPatternConfig
from cordwood.detectors.new_value import NewValue, NewValueConfig
from cordwood.detectors.ratio import Ratio, RatioConfig
from cordwood.detectors.threshold import ThresholdConfig
from cordwood.plugins import Detector, QueryError
from cordwood.plugins.conformance import detector_contract
from pydantic import ValidationError

pytestmark = pytest.mark.anyio
MOMENT = "2026-01-15T09:59:00.000000000Z"
PAIR = {"first": "a", "then": "b", "by": ["user"]}

test_new_value_contract = detector_contract(NewValue, {"by": ["user"]}, groups=None)
test_new_pattern_contract = detector_contract(NewPattern, groups=None)
test_ratio_contract = detector_contract(
    Ratio, {"bad": "status >= 500", "above": 5, "by": ["service"]}, [{"service": "web", "total": 9, "bad": 8}], None
)
test_slo_contract = detector_contract(
    Ratio, {"bad": "status >= 500", "objective": 99.9}, [{"total": 9, "bad": 8}], None
)
test_correlation_contract = detector_contract(Correlation, PAIR, [{"timestamp": MOMENT, "user": "ada"}], None)


@pytest.mark.parametrize(
    "detector",
    [
        Absence(AbsenceConfig(query="* | stats count()")),
        Match(MatchConfig(query="* | stats count()")),
        NewValue(NewValueConfig(query="* | stats count()", by=["user"])),
        NewPattern(NewPatternConfig(query="* | stats count()")),
        Ratio(RatioConfig(query="* | stats count()", bad="x > 1", above=1)),
        Correlation(CorrelationConfig(first="* | stats count()", then="b", by=["user"])),
    ],
    ids=lambda detector: detector.type,
)
async def test_an_aggregation_is_refused(judge: Any, detector: Detector[Any]) -> None:
    with pytest.raises(QueryError) as caught:
        await judge.found(detector)
    assert str(caught.value).startswith(f"{detector.type} looks for events, and this query aggregates them")
    assert caught.value.hint == "leave the aggregation out: the detector does it by itself"


async def test_too_many_to_follow(judge: Any) -> None:
    await judge.commit(*({"message": f"{chr(103 + i % 20) * (1 + i // 20)} a", "user": f"u{i}"} for i in range(5_000)))
    with pytest.raises(QueryError, match="5,000 values"):
        await judge.found(NewValue(NewValueConfig(by=["user"])))
    with pytest.raises(QueryError, match="5,000 patterns"):
        await judge.found(NewPattern(NewPatternConfig(query="*")))
    with pytest.raises(QueryError, match="5,000 events"):
        await judge.found(Correlation(CorrelationConfig(first="a", then="b", by=["user"])))


@pytest.mark.parametrize(
    ("config", "wrong", "message"),
    [
        (NewValueConfig, {"by": []}, "at least 1"),
        (NewValueConfig, {"by": ["user"], "learning": "long"}, "no duration"),
        (RatioConfig, {"bad": "x"}, "either"),
        (RatioConfig, {"bad": "x", "above": 1, "objective": 99}, "either"),
        (RatioConfig, {"bad": " ", "above": 1}, "empty"),
        (RatioConfig, {"bad": "x", "objective": 100}, "less than 100"),
        (RatioConfig, {"bad": "x", "objective": 99, "burn": [{"long": "1h"}]}, "short"),
        (CorrelationConfig, PAIR | {"within": "10m"}, "window is shorter"),
        (CorrelationConfig, PAIR | {"by": []}, "at least 1"),
        (ThresholdConfig, {"query": "x", "condition": "n > 1", "hold": "2h"}, "hold is more than 60 times"),
        (ThresholdConfig, {"query": "x", "condition": "n > 1", "severities": {"awful": "n > 2"}}, "no severity"),
        (ThresholdConfig, {"query": "x", "condition": "n > 1", "recover": ""}, "empty"),
    ],
    ids=str,
)
def test_settings_that_are_refused(config: Any, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        config(**wrong)
