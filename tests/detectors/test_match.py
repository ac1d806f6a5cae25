"""The match detector over real events."""

from __future__ import annotations

from typing import Any

import pytest
from cordwood.core.query.saved import SavedParameter, SavedQuery
from cordwood.core.query.saved_store import SavedQueries
from cordwood.detectors.match import Match, MatchConfig
from cordwood.plugins.conformance import detector_contract

pytestmark = pytest.mark.anyio
SECOND = 1_000_000_000
T0 = 1_769_860_800 * SECOND

test_contract = detector_contract(
    Match,
    {"query": "panic", "by": ["service"]},
    [
        {"service": "pay", "events": 2, "newest": "2026-01-15T09:59:58.000000000Z"},
        {"events": 1, "newest": "2026-01-15T09:59:59.000000000Z"},
    ],
    None,
)


async def test_one_event_is_enough(judge: Any) -> None:
    await judge.commit({"message": "kernel panic", "service": "pay"}, {"message": "fine", "service": "pay"})
    (found,) = await judge.found(Match(MatchConfig(query="panic")))
    assert (found.title, found.group, found.values) == ("errors: 1 event", {}, {"events": 1})
    assert await judge.samples(found) == ["kernel panic"]
    assert await judge.found(Match(MatchConfig(query="nothing"))) == []
    assert await judge.found(Match(MatchConfig(query="panic")), T0 + 60 * SECOND) == []


async def test_groups(judge: Any) -> None:
    await judge.commit(
        *({"message": f"panic {i}", "service": "pay", "the user": i % 2} for i in range(4)), {"message": "panic"}
    )
    found = await judge.found(Match(MatchConfig(query="panic or crash", by=["service", "the user"])))
    titles = {finding.title: len(await judge.samples(finding)) for finding in found}
    assert titles == {
        "errors: 2 events for service pay, the user 0": 2,
        "errors: 2 events for service pay, the user 1": 2,
        "errors: 1 event for service without a value, the user without a value": 1,
    }


async def test_stages_that_keep_events(judge: Any) -> None:
    await judge.commit(*({"message": "took long", "took": took} for took in (1, 5, 9)))
    (found,) = await judge.found(Match(MatchConfig(query="long | where took > 4")))
    assert found.values == {"events": 2}
    assert len(await judge.samples(found)) == 2


async def test_a_saved_query_says_what_is_looked_for(judge: Any) -> None:
    saved = SavedQueries(judge.store.pool)
    await saved.create(1, SavedQuery("bad", "declined host:$host", (SavedParameter("host"),)), "", "ann")
    await judge.commit({"message": "card declined", "host": "a"}, {"message": "declined", "host": "b"})
    detector = Match(MatchConfig(query="severity>=error `bad`(a)", by=["host"]))
    (finding,) = await judge.found(detector)
    assert (finding.group, await judge.samples(finding)) == ({"host": "a"}, ["card declined"])
    await saved.change(1, SavedQuery("bad", "refused", (SavedParameter("host"),)), "", "ann")
    assert await judge.found(detector) == []
