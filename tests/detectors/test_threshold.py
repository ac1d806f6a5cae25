"""The threshold detector over real events."""

from __future__ import annotations

from typing import Any

import pytest
from cordwood.core.alerting.run import MAX_ROWS
from cordwood.detectors.threshold import Threshold, ThresholdConfig
from cordwood.plugins import Finding, QueryError
from cordwood.plugins.conformance import detector_contract
from pydantic import ValidationError

pytestmark = pytest.mark.anyio
SECOND = 1_000_000_000
T0 = 1_769_860_800 * SECOND
ERRORS = "severity>=error | stats count() as n by service"

test_contract = detector_contract(
    Threshold, {"query": ERRORS, "condition": "n > 50"}, [{"service": "pay", "n": 62}, {"n": 51}], ("service",)
)


async def found_by(judge: Any, query: str, condition: str, at_ns: int = T0, **config: Any) -> list[Finding]:
    found: list[Finding] = await judge.found(
        Threshold(ThresholdConfig(query=query, condition=condition, **config)), at_ns
    )
    return found


def events(service: str | None, count: int, **more: Any) -> list[dict[str, Any]]:
    named = {} if service is None else {"service": service}
    return [{"message": f"card declined {i}", **named, **more} for i in range(count)]


async def test_groups_over_the_bound(judge: Any) -> None:
    await judge.commit(*events("pay", 62), *events("web", 50), *events("db", 70, severity="info"))
    (found,) = await found_by(judge, ERRORS, "n > 50")
    assert found == Finding(
        group={"service": "pay"},
        title="errors: n = 62 (n > 50) for service pay",
        values={"n": 62},
        sample_query='severity>=error service="pay"',
    )
    samples = await judge.samples(found)
    assert len(samples) == 5
    assert all(sample.startswith("card declined") for sample in samples)


async def test_the_window(judge: Any) -> None:
    await judge.commit(*events("pay", 60))
    assert await found_by(judge, ERRORS, "n > 50", T0 - SECOND) == []
    assert len(await found_by(judge, ERRORS, "n > 50", T0 - SECOND + 1)) == 1
    assert len(await found_by(judge, ERRORS, "n > 50", T0 + 8 * SECOND, window="9s")) == 1
    assert await found_by(judge, ERRORS, "n > 50", T0 + 8 * SECOND + 1, window="9s") == []


async def test_without_groups(judge: Any) -> None:
    await judge.commit(*events("pay", 3))
    (found,) = await found_by(judge, "declined | stats count() as n, distinct_exact(service) as services", "n < 10")
    assert (found.group, found.title) == ({}, "errors: n = 3 (n < 10)")
    assert found.sample_query == "declined"
    assert len(await judge.samples(found)) == 3
    (nothing,) = await found_by(judge, "nobody | stats count() as n", "n < 10")
    assert nothing.values == {"n": 0}


async def test_odd_values_name_their_own_events(judge: Any) -> None:
    odd = ['a "b"', "back\\slash", "two\nlines", "x or y", "*", "ä€😀", "7", "true", "null", "`", "'", "a|b", "(", ""]
    for i, value in enumerate(odd):
        await judge.commit({"message": f"odd {i}", "service": value, "the user": value})
    await judge.commit(
        {"message": "odd 98", "the user": 7}, {"message": "odd 99", "the user": True}, {"message": "odd 100"}
    )
    for query in ("odd | stats count() as n by service", "odd | stats count() as n by `the user`"):
        found = await found_by(judge, query, "n > 0")
        assert len(found) >= len(odd)
        for finding in found:
            count = finding.values["n"]
            assert isinstance(count, int)
            samples = await judge.samples(finding)
            assert len(samples) >= min(5, count), finding  # `=7` finds the text 7 too


async def test_the_group_of_events_without_the_field(judge: Any) -> None:
    await judge.commit(*events(None, 3, host="a"), *events("pay", 1, host="a"))
    found = await found_by(judge, ERRORS, "n > 2")
    assert [(finding.group, finding.title) for finding in found] == [
        ({"service": None}, "errors: n = 3 (n > 2) for service without a value")
    ]
    assert len(await judge.samples(found[0])) == 3


async def test_an_or_keeps_to_its_group(judge: Any) -> None:
    await judge.commit(*events("pay", 3), *events("web", 2))
    found = await found_by(judge, "declined or nothing | stats count() as n by service", "n = 2")
    assert [finding.sample_query for finding in found] == ['(declined or nothing) service="web"']
    assert len(await judge.samples(found[0])) == 2


async def test_fields_that_a_stage_made(judge: Any) -> None:
    await judge.commit(*events("Pay", 3), *events("pay", 2), *events("web", 1))
    query = "* | extend s = lower(service) | stats count() as n, max(severity) as worst by s"
    (found,) = await found_by(judge, query, "n >= 5")
    assert found.group == {"s": "pay"}
    assert len(await judge.samples(found)) == 5


async def test_times_are_no_groups(judge: Any) -> None:
    await judge.commit(*events("pay", 3))
    (found,) = await found_by(judge, "* | stats count() as n by bin(1m), service", "n > 0")
    assert found.group == {"service": "pay"}


async def test_an_open_incident_stays_while_it_is_neither_in_trouble_nor_well(judge: Any) -> None:
    took = "* | stats count() as n, avg(took) as took by service"
    await judge.commit(*events("pay", 9), *events("web", 5), *events("db", 1), *events("new", 5))
    await judge.commit(*events("web", 1, took=50), *events("pay", 1, took=90), *events("new", 1, took=50))
    rules = {"recover": "n < 3", "severities": {"info": "n > 4", "fatal": "n > 9"}}
    detector = Threshold(ThresholdConfig(query=took, condition="took > 80", **rules))
    run = await judge.look("slow", T0)

    async def opened() -> list[dict[str, Any]]:
        return [{"service": "web"}, {"service": "db"}, {"service": "gone"}]

    run.opened = opened
    found = await detector.detect(run)
    assert [(one.group["service"], one.severity) for one in found] == [("pay", "fatal"), ("web", "info")]
    assert [one.values for one in found] == [
        {"n": 10, "took": 90},
        {"n": 6, "took": 50},
    ]


async def test_times_of_one_group_in_trouble_and_steady(judge: Any) -> None:
    minute = 60 * SECOND
    at = [{"timestamp": T0 - minutes * minute - SECOND} for minutes in (0, 1, 2)]
    await judge.commit(*events("pay", 2, **at[0]), *events("pay", 9, **at[1]), *events("pay", 3, **at[2]))
    query = "* | stats count() as n by bin(1m), service"
    rules = {"recover": "n < 2", "severities": {"info": "n > 1", "fatal": "n > 8"}}
    (found,) = await found_by(judge, query, "n > 2", **rules)
    assert (found.group, found.severity) == ({"service": "pay"}, "fatal")
    assert found.values["n"] in (3, 9)


async def test_what_is_in_trouble_is_found_among_more_groups_than_an_answer_has_rows(judge: Any) -> None:
    await judge.commit(*({"message": "x", "service": f"s{n:04d}"} for n in range(MAX_ROWS + 20)))
    await judge.commit(*events("zz", 2), *events("aa", 2))
    found = await found_by(judge, "* | stats count() as n by service", "n > 1", recover="n < 1")
    assert sorted(one.group["service"] for one in found) == ["aa", "zz"]


@pytest.mark.parametrize(
    ("query", "condition", "message"),
    [
        pytest.param("severity>=error", "n > 50", "needs figures", id="events"),
        pytest.param("severity>=error | stats nonsense() as n", "n > 5", "aggregate", id="wrong query"),
        pytest.param(ERRORS, "m > 50", "m", id="unknown column"),
        pytest.param(ERRORS, "n >", ".", id="wrong condition"),
    ],
)
async def test_errors_of_the_query(judge: Any, query: str, condition: str, message: str) -> None:
    await judge.commit(*events("pay", 3))
    with pytest.raises(QueryError, match=message):
        await found_by(judge, query, condition)


@pytest.mark.parametrize(
    "wrong",
    [
        {"query": " "},
        {"condition": ""},
        {"window": "5"},
        {"window": "0s"},
        {"every": "soon"},
        {"severity": "awful"},
        {"resolve_after": "-1m"},
        {"typo": 1},
    ],
    ids=str,
)
def test_settings_that_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ThresholdConfig(**({"query": ERRORS, "condition": "n > 50"} | wrong))
