"""Halves that are kept are those that planning would give at any other time: over all queries of the golden corpus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cordwood.core.query.duck import Duck
from cordwood.core.query.kept_halves import KeptHalves
from cordwood.core.query.parser import parse
from cordwood.core.query.plan import Given, prepare
from cordwood.core.query.prune import Bounds
from cordwood.core.query.scope import Context
from cordwood.plugins.errors import QueryError

from .corpus import FOLDER, all_cases
from .segments import NOW, Segments

SECOND = 10**9
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
TIMES = [
    (NOW, Bounds()),
    (NOW + 1, Bounds()),
    (NOW, Bounds(NOW - HOUR, NOW)),
    (NOW + SECOND, Bounds(NOW - HOUR + SECOND, NOW + SECOND)),
    (NOW + MINUTE, Bounds(NOW - HOUR + MINUTE, NOW + MINUTE)),
    (NOW, Bounds(NOW - 24 * HOUR, NOW)),
    (NOW, Bounds(-HOUR, NOW)),
    (NOW, Bounds(None, NOW)),
    (NOW, Bounds(NOW - HOUR, None)),
    (NOW, Bounds(NOW - HOUR, NOW)),
]
MORE = [
    "| where timestamp > -5m | stats count() as n",
    "| where timestamp > now() - 5m | stats count() as n by service",
    "| stats count() as n by bin(1m)",
    "| stats rate() as r by service",
    "| timechart count()",
    "| timechart count() by service",
    "| timechart span=1d count()",
    "| extend age = now() - timestamp | stats max(age) as a",
    "| where ghost=1 | stats count() as n",
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Segments:
    made = Segments(Path(tmp_path_factory.mktemp("segments")))
    made.commit([json.loads(line) for line in (FOLDER / "events.ndjson").read_text(encoding="utf-8").splitlines()])
    return made


@pytest.fixture(scope="module")
def aggregates() -> Iterator[frozenset[str]]:
    duck = Duck(None, threads=1)
    yield duck.aggregates
    duck.close()


def at_each(text: str, store: Segments) -> Iterator[Given]:
    """What planning is given at each of the times; nothing where the query is a mistake or reads something more."""
    try:
        query = parse(text)
        for now, bounds in TIMES:
            given = prepare(query, store.all, bounds, Context(now))
            if not given.inner and not any(name for stage in query.stages for name in stage.tables()):
                yield given
    except QueryError:
        return


def planned(kept: KeptHalves, given: Given, aggregates: frozenset[str]) -> tuple[object, ...]:
    """What there is to say of the halves, and the warnings."""
    try:
        found = kept.of(given, aggregates)
    except QueryError as error:
        return (str(error),)
    told = None if found is None else (found.first, found.second, found.may_be_many, found.events.needed)
    return told, sorted(given.context.warnings)


def test_kept_halves_are_those_of_the_moment(store: Segments, aggregates: frozenset[str]) -> None:
    asked = 0
    for text in [*MORE, *(case.query for case in all_cases())]:
        kept = KeptHalves()
        for given, same in zip(at_each(text, store), at_each(text, store), strict=True):
            found = planned(kept, given, aggregates)
            assert found == planned(KeptHalves(), same, aggregates), text
            if found[0] is None:
                break
            asked += 1
    assert asked > 1_000


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("| stats count() as n by service", True),
        ("| stats count() as n by bin(1m)", True),
        ("| timechart span=1d count()", True),
        ("| timechart count() by service", False),
        ("| stats rate() as r", False),
        ("| where timestamp > -5m | stats count() as n", False),
    ],
)
def test_what_looks_at_the_times_is_planned_anew(
    store: Segments, aggregates: frozenset[str], text: str, holds: bool
) -> None:
    kept, query = KeptHalves(), parse(text)
    first = kept.of(prepare(query, store.all, Bounds(NOW - HOUR, NOW), Context(NOW)), aggregates)
    later = Bounds(NOW - 2 * HOUR, NOW + MINUTE)
    again = kept.of(prepare(query, store.all, later, Context(NOW + MINUTE)), aggregates)
    assert first is not None
    assert again is not None
    assert (first is again) is holds
