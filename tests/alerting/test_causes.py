"""What is different of an incident's events: over a real store's answers, against events whose causes are known."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from cordwood.core.alerting.causes import CHANCE, Causes, causes_of
from cordwood.core.query import QueryEngine, QueryRequest
from cordwood.core.query.shaped import ShapedPattern, ShapedPatterns
from cordwood.plugins import Batch, Json

from ..query.segments import Segments
from ..query.test_shaped import Known

pytestmark = pytest.mark.anyio
NOW = 1_769_860_800_000_000_000
MINUTE = 60_000_000_000
FROM, TO = NOW - 5 * MINUTE, NOW


async def causes(
    folder: Path, events: list[dict[str, Json]], text: str = "severity>=error", shaped: ShapedPatterns | None = None
) -> Causes:
    store = Segments(folder)
    store.commit(Batch.from_records(events, observed=NOW))
    engine = QueryEngine(store, store, threads=1, shaped=shaped)
    try:
        asked = QueryRequest(text=text, project_id=1, now_ns=NOW, from_ns=FROM, to_ns=TO)
        return await causes_of(engine, asked)
    finally:
        engine.close()


def event(at: int, chance: random.Random, level: str = "error", **more: Json) -> dict[str, Json]:
    return {
        "timestamp": at,
        "severity": level,
        "service": "shop",
        "host": f"web-{chance.randrange(4)}",
        "http.status": chance.choice((500, 502)),
        "retried": chance.random() < 0.5,
        "request": f"{chance.randrange(10**12):x}",
        "message": f"order {chance.randrange(10**6)} failed",
    } | more


def over(start: int, end: int, number: int) -> list[int]:
    return [start + i * (end - start) // number for i in range(number)]


async def test_the_values_that_came_with_the_trouble_are_named(tmp_path: Path) -> None:
    chance = random.Random(7)
    before = [event(at, chance) for at in over(NOW - 60 * MINUTE, FROM, 300)]
    bad = {"host": "web-9", "http.status": 504, "retried": True, "message": "pool exhausted after 30 s"}
    now = [event(at, chance, **(bad if i % 5 else {})) for i, at in enumerate(over(FROM, TO, 200))]
    found = await causes(tmp_path, before + now)
    assert (found.compared, found.events, found.before_events, found.complete) == ("before", 200, 300, True)
    named = {(cause.field, cause.value): cause for cause in found.causes}
    assert named.keys() == {
        ("host", "web-9"), ("http.status", 504), ("retried", True), ("pattern", "pool exhausted after <*> s"),
    }  # fmt: skip
    host = named["host", "web-9"]
    assert (host.count, host.share, host.before_count, host.before_share) == (160, 0.8, 0, 0.0)
    assert host.chance < 1e-20
    differences = [cause.share - cause.before_share for cause in found.causes]
    assert differences == sorted(differences, reverse=True)


async def test_where_nothing_is_different_nothing_is_named(tmp_path: Path) -> None:
    named = 0
    for seed in range(20):
        chance = random.Random(seed)
        events = [event(at, chance) for at in [*over(NOW - 60 * MINUTE, FROM, 200), *over(FROM, TO, 200)]]
        (tmp_path / str(seed)).mkdir()
        named += len((await causes(tmp_path / str(seed), events)).causes)
    assert named == 0  # by chance one of 1 / CHANCE incidents would name one
    assert 20 * CHANCE < 0.05


async def test_with_few_before_they_are_compared_with_the_others_of_the_time(tmp_path: Path) -> None:
    chance = random.Random(1)
    fine = [event(at, chance, "info", version="v1") for at in over(FROM, TO, 300)]
    bad = [event(at, chance, version="v2") for at in over(FROM, TO, 40)]
    found = await causes(tmp_path, fine + bad)
    assert (found.compared, found.events, found.before_events) == ("others", 40, 300)
    named = [(cause.field, cause.value) for cause in found.causes]
    assert ("version", "v2") in named
    assert "severity" not in dict(named)  # the search itself says so


@pytest.mark.parametrize("text", ["", "severity>=error"])
async def test_nothing_to_look_at(tmp_path: Path, text: str) -> None:
    found = await causes(tmp_path, [event(NOW - 90 * MINUTE, random.Random(1), "info")], text)
    assert found.causes == []


async def test_the_patterns_are_those_that_people_shaped(tmp_path: Path) -> None:
    chance = random.Random(7)
    before = [event(at, chance) for at in over(NOW - 60 * MINUTE, FROM, 300)]
    words = ("VM Started", "VM Stopped")
    now = [event(at, chance, message=words[i % 2]) for i, at in enumerate(over(FROM, TO, 200))]
    found = await causes(tmp_path, before + now, shaped=Known([ShapedPattern(words)]))
    assert [(cause.value, cause.count) for cause in found.causes if cause.field == "pattern"] == [("VM Started", 200)]
