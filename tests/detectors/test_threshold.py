"""The threshold detector over real events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cordwood.core.alerting.run import Events, Run
from cordwood.core.query import QueryEngine
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.store import Store
from cordwood.detectors.threshold import Threshold, ThresholdConfig
from cordwood.plugins import Batch, Finding, QueryError
from pydantic import ValidationError

pytestmark = pytest.mark.anyio
SECOND = 1_000_000_000
T0 = 1_769_860_800 * SECOND
ERRORS = "severity>=error | stats count() as n by service"


class Judge:
    """Runs a threshold over events that were committed."""

    def __init__(self, store: Store, engine: QueryEngine) -> None:
        self.store, self.engine = store, engine

    async def commit(self, *events: dict[str, Any]) -> None:
        made = [{"severity": "error", "timestamp": T0 - SECOND} | event for event in events]
        receipt = await self.store.writer.submit(Submission(1, "test", Batch.from_records(made)))
        await receipt.committed()

    async def found(self, query: str, condition: str, at_ns: int = T0, **config: Any) -> list[Finding]:
        detector = Threshold(ThresholdConfig(query=query, condition=condition, **config))
        return await detector.detect(Run("errors", at_ns, await self.events()))

    async def events(self) -> Events:
        return Events(self.engine, 1, await self.store.catalog.head(1))

    async def samples(self, finding: Finding) -> list[str]:
        found = await (await self.events()).samples(finding, from_ns=T0 - 300 * SECOND, to_ns=T0)
        return [event["message"] for event in found]


@pytest.fixture
async def judge(database_url: str, data_dir: Path) -> AsyncIterator[Judge]:
    async with Store.opened(data_dir, database_url, compact=False) as store:
        yield Judge(
            store,
            QueryEngine(
                catalog=store.catalog, cache=store.cache, memory_limit="512MiB", threads=1, spill=data_dir / "spill"
            ),
        )


def events(service: str | None, count: int, **more: Any) -> list[dict[str, Any]]:
    named = {} if service is None else {"service": service}
    return [{"message": f"card declined {i}", **named, **more} for i in range(count)]


async def test_groups_over_the_bound(judge: Judge) -> None:
    await judge.commit(*events("pay", 62), *events("web", 50), *events("db", 70, severity="info"))
    (found,) = await judge.found(ERRORS, "n > 50")
    assert found == Finding(
        group={"service": "pay"},
        title="errors: n = 62 (n > 50) for service pay",
        values={"n": 62},
        sample_query='severity>=error service="pay"',
    )
    samples = await judge.samples(found)
    assert len(samples) == 5
    assert all(sample.startswith("card declined") for sample in samples)


async def test_the_window(judge: Judge) -> None:
    await judge.commit(*events("pay", 60))
    assert await judge.found(ERRORS, "n > 50", T0 - SECOND) == []
    assert len(await judge.found(ERRORS, "n > 50", T0 - SECOND + 1)) == 1
    assert len(await judge.found(ERRORS, "n > 50", T0 + 8 * SECOND, window="9s")) == 1
    assert await judge.found(ERRORS, "n > 50", T0 + 8 * SECOND + 1, window="9s") == []


async def test_without_groups(judge: Judge) -> None:
    await judge.commit(*events("pay", 3))
    (found,) = await judge.found("declined | stats count() as n, distinct_exact(service) as services", "n < 10")
    assert (found.group, found.title) == ({}, "errors: n = 3 (n < 10)")
    assert found.sample_query == "declined"
    assert len(await judge.samples(found)) == 3
    (nothing,) = await judge.found("nobody | stats count() as n", "n < 10")
    assert nothing.values == {"n": 0}


async def test_odd_values_name_their_own_events(judge: Judge) -> None:
    odd = ['a "b"', "back\\slash", "two\nlines", "x or y", "*", "ä€😀", "7", "true", "null", "`", "'", "a|b", "(", ""]
    for i, value in enumerate(odd):
        await judge.commit({"message": f"odd {i}", "service": value, "the user": value})
    await judge.commit(
        {"message": "odd 98", "the user": 7}, {"message": "odd 99", "the user": True}, {"message": "odd 100"}
    )
    for query in ("odd | stats count() as n by service", "odd | stats count() as n by `the user`"):
        found = await judge.found(query, "n > 0")
        assert len(found) >= len(odd)
        for finding in found:
            count = finding.values["n"]
            assert isinstance(count, int)
            samples = await judge.samples(finding)
            assert len(samples) >= min(5, count), finding  # `=7` finds the text 7 too


async def test_the_group_of_events_without_the_field(judge: Judge) -> None:
    await judge.commit(*events(None, 3, host="a"), *events("pay", 1, host="a"))
    found = await judge.found(ERRORS, "n > 2")
    assert [(finding.group, finding.title) for finding in found] == [
        ({"service": None}, "errors: n = 3 (n > 2) for service without a value")
    ]
    assert len(await judge.samples(found[0])) == 3


async def test_an_or_keeps_to_its_group(judge: Judge) -> None:
    await judge.commit(*events("pay", 3), *events("web", 2))
    found = await judge.found("declined or nothing | stats count() as n by service", "n = 2")
    assert [finding.sample_query for finding in found] == ['(declined or nothing) service="web"']
    assert len(await judge.samples(found[0])) == 2


async def test_fields_that_a_stage_made(judge: Judge) -> None:
    await judge.commit(*events("Pay", 3), *events("pay", 2), *events("web", 1))
    query = "* | extend s = lower(service) | stats count() as n, max(severity) as worst by s"
    (found,) = await judge.found(query, "n >= 5")
    assert found.group == {"s": "pay"}
    assert len(await judge.samples(found)) == 5


async def test_times_are_no_groups(judge: Judge) -> None:
    await judge.commit(*events("pay", 3))
    (found,) = await judge.found("* | stats count() as n by bin(1m), service", "n > 0")
    assert found.group == {"service": "pay"}


@pytest.mark.parametrize(
    ("query", "condition", "message"),
    [
        pytest.param("severity>=error", "n > 50", "needs figures", id="events"),
        pytest.param("severity>=error | stats nonsense() as n", "n > 5", "aggregate", id="wrong query"),
        pytest.param(ERRORS, "m > 50", "m", id="unknown column"),
        pytest.param(ERRORS, "n >", ".", id="wrong condition"),
    ],
)
async def test_errors_of_the_query(judge: Judge, query: str, condition: str, message: str) -> None:
    await judge.commit(*events("pay", 3))
    with pytest.raises(QueryError, match=message):
        await judge.found(query, condition)


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
