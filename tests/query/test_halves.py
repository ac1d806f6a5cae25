"""Aggregations that are put together of what is remembered of segments give what one statement over all of them gives:
while events come in, segments are merged, events are deleted, the range moves, and whoever asks.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cordwood.core.query import QueryEngine, QueryRequest, QueryResult, aggregations, halves
from cordwood.core.query.duck import Duck
from cordwood.core.query.halves import Halves
from cordwood.core.query.parser import parse
from cordwood.core.query.partials import MOST_BLOCKS, Block, Partials
from cordwood.core.query.plan import planned, prepare
from cordwood.core.query.prune import Bounds
from cordwood.core.query.request import Mask, Rights
from cordwood.core.query.scope import Context
from cordwood.core.storage.compaction import merge
from cordwood.core.storage.erase import without
from cordwood.core.storage.segment import FieldColumn, Segment
from cordwood.plugins.errors import QueryError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .reference import shown
from .segments import NOW, Segments, ask
from .test_differential import HOUR, pick, raw_events, searches
from .test_rights import SALT, numbered

pytestmark = pytest.mark.anyio

SPLIT = [
    "| stats count() as n",
    "| stats count() as n, count(user) as u, countif(status>=400) as c by service",
    "| stats sum(status) as s, sum(took) as t, avg(took) as a, avg(status) as b by host",
    "| stats min(status), max(user), min(message), max(timestamp) as last, min(severity) by service, user",
    "| stats first(user) as f, last(message) as l, first(status) as s by host",
    "| stats rate() as r, share() as s by service",
    "| timechart span=1h count() as n by host",
    "| timechart span=6h avg(took) as t, max(status) as m",
    "| stats count() as n by bin(1h), level | sort -n, time, level | limit 7",
    "| top 5 user",
    "| rare 3 status",
    "| where took>0 | extend x = lower(user), y = took * 2 | stats sum(y) as s, count() as n by x | where n>1",
    "| parse /(?P<who>user\\S*)/ | stats count() as n by who",
    "| sample 50% | stats count() as n, sum(n) as s by service",
    "| stats sum(ghost) as g, count(ghost) as c",
    "| stats avg(n) as a, sum(n) / count() as b, max(n) - min(n) as c",
]  # fmt: skip
WHOLE = [
    "| stats distinct_exact(user) as d, p95(took) as p by service",
    "| stats values(user) as v by host",
    "| stats median(took) as m, stdev(took) as s",
    "| limit 9 | stats count() as n by user",
    "| dedup user | stats count() as n by service",
    "| fields user, n",
]  # fmt: skip
ROLES = [
    None,
    None,
    Rights("support", "service:web", (), SALT),
    Rights("desk", "severity>=warn", (Mask("user", "hash"), Mask("message", "stars")), SALT),
]
CHANGES = [*["commit"] * 4, "merge", "merge", "merge all", "delete rows", "delete segment"]
changes = st.tuples(pick(CHANGES), st.lists(raw_events(), min_size=1, max_size=6), st.integers(0, 99))
asked = st.tuples(
    st.one_of(st.none(), searches), pick([*SPLIT, *SPLIT, *WHOLE]), pick(ROLES), pick([None, None, 2, 5, 9])
)


@pytest.fixture
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the few events of a test are read in blocks, and put together."""
    monkeypatch.setattr(aggregations, "LEAST_ROWS", 1)
    monkeypatch.setattr(aggregations, "FEW_ROWS", 5)
    monkeypatch.setattr(halves, "LEAST_ROWS", 20)
    monkeypatch.setattr(halves, "SETTLED_ROWS", 12)


class Changing(Segments):
    """A store whose segments are merged and rewritten one by one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.numbered = 0

    def change(self, what: str, events: list[dict[str, Any]], number: int) -> None:
        if what == "commit" or not self.all:
            self.numbered += 100
            self.commit([numbered(event, self.numbered + i) for i, event in enumerate(events)])
            return
        chosen = self.all[number % len(self.all)]
        paths = {s.id: self.folder / f"{s.id}.parquet" for s in self.all}
        if what == "merge all":
            self.compact()
        elif what == "merge":
            group = [s for s in self.all if s.day == chosen.day][-3:]
            self.all = [s for s in self.all if s not in group]
            for encoded in merge(group, paths, row_group=3, filtered_rows=1):
                self.put(encoded, 1, (group[0].min_position, group[-1].max_position))
        else:
            self.all.remove(chosen)
            if what == "delete rows" and chosen.rows > 1:
                encoded = without(chosen, paths[chosen.id], [number % chosen.rows])
                self.put(encoded, chosen.level, (chosen.min_position, chosen.max_position))


def alike(left: Any, right: Any) -> bool:
    """Sums of fractions differ in their last digits by the order of adding."""
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-12, abs_tol=1e-9) or (math.isnan(left) and math.isnan(right))
    return bool(left == right)


def ordered(result: QueryResult) -> list[list[Any]]:
    return sorted((list(row) for row in result.rows()), key=lambda row: [str(value)[:8] for value in row])


async def answered(engine: QueryEngine, request: QueryRequest) -> Any:
    try:
        return await engine.run(request)
    except QueryError as why:
        return why.message


async def hold(changed: list[Any], asks: list[Any]) -> None:
    """The questions after each change, to an engine that remembers and to one that does not."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        store = Changing(Path(folder))
        remembering, other = (QueryEngine(store, store, threads=1) for _ in range(2))
        try:
            for change in changed:
                store.change(*change)
                for search, stages, rights, hours in asks:
                    text = f"{'' if search is None else shown(search)} {stages}"
                    from_ns = None if hours is None else NOW - hours * HOUR - store.position * HOUR // 3
                    request = QueryRequest(text=text, project_id=1, now_ns=NOW, rights=rights, from_ns=from_ns)
                    patch.setattr(aggregations, "LEAST_ROWS", 1)
                    found = await answered(remembering, request)
                    patch.setattr(aggregations, "LEAST_ROWS", 1 << 40)
                    await other.forget()
                    expected = await answered(other, request)
                    if isinstance(expected, str) or isinstance(found, str):
                        assert found == expected, text
                        continue
                    assert [(c.name, c.type) for c in found.columns] == [(c.name, c.type) for c in expected.columns]
                    assert (found.complete, found.warnings) == (expected.complete, expected.warnings), text
                    for row, same in zip(ordered(found), ordered(expected), strict=True):
                        assert all(map(alike, row, same)), (text, row, same)
        finally:
            remembering.close()
            other.close()


MODERATE = settings(
    max_examples=5,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)
WHAT = {
    "changed": st.lists(changes, min_size=4, max_size=8),
    "asks": st.lists(asked, min_size=3, max_size=4),
}


@MODERATE
@given(**WHAT)
async def test_what_is_remembered_is_what_is_read(few_rows: None, changed: list[Any], asks: list[Any]) -> None:
    await hold(changed, asks)


@pytest.mark.soak
@settings(MODERATE, max_examples=400)
@given(**WHAT)
async def test_much_that_is_remembered_is_what_is_read(few_rows: None, changed: list[Any], asks: list[Any]) -> None:
    await hold(changed, asks)


@pytest.fixture
def store(tmp_path: Path) -> Segments:
    made = Segments(tmp_path)
    for commit in range(6):
        made.commit([event(commit * 10 + i) for i in range(10)])
    return made


def event(n: int) -> dict[str, Any]:
    return {"timestamp": NOW - n * HOUR // 60, "severity": "info" if n % 3 else "error", "user": f"u{n % 4}", "n": n}


@pytest.fixture
async def engine(store: Segments) -> AsyncIterator[QueryEngine]:
    made = QueryEngine(store, store, threads=1)
    yield made
    made.close()


@pytest.fixture(scope="module")
def aggregates(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    duck = Duck(tmp_path_factory.mktemp("duck"))
    names = duck.aggregates
    duck.close()
    return names


def split(text: str, aggregates: frozenset[str]) -> Halves | None:
    kinds = {"timestamp": "time", "service": "text", "user": "text", "status": "int", "took": "float", "n": "int"}
    columns = tuple(FieldColumn(name, kind, name, 0) for name, kind in kinds.items())
    segment = Segment(1, 1, "2026-01-31", NOW, NOW, 1, 1, 0, 1, 1, columns, None, None, 0)
    return halves.halves(planned(prepare(parse(text), [segment], Bounds(), Context(NOW))), aggregates)


@pytest.mark.parametrize("stages", SPLIT)
def test_these_have_two_halves(stages: str, aggregates: frozenset[str]) -> None:
    assert split(stages, aggregates) is not None


@pytest.mark.parametrize("stages", WHOLE)
def test_these_are_read_whole(stages: str, aggregates: frozenset[str]) -> None:
    assert split(stages, aggregates) is None


async def test_a_refresh_reads_new_segments_only(store: Segments, engine: QueryEngine, few_rows: None) -> None:
    text = "| stats count() as n, avg(n) as mean by severity | sort severity"
    first = await ask(store, text, engine)
    assert (first.stats.segments_scanned, first.stats.segments_cached) == (6, 0)
    store.commit([event(60)])
    for end in ("", " | limit 9"):  # too few to be remembered
        again = await ask(store, text + end, engine)
        assert (again.stats.segments_scanned, again.stats.rows_scanned, again.stats.segments_cached) == (1, 1, 6)
        assert list(again.rows()) == [["INFO", 40, 30.0], ["ERROR", 21, 30.0]]
    store.commit([event(n) for n in range(61, 71)])
    for figures in ((2, 11, 6), (0, 0, 8)):
        # Another end of the same aggregation is made of the same halves.
        end = "sort severity" if figures[0] else "sort -n | limit 1"
        again = await ask(store, text.replace("sort severity", end), engine)
        stats = again.stats
        assert (stats.segments_scanned, stats.rows_scanned, stats.segments_cached) == figures
        assert next(again.rows())[:2] == ["INFO", 47]


async def test_nothing_is_read_or_put_together_again_where_nothing_new_fits(
    store: Segments, engine: QueryEngine, few_rows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "severity>=error | stats count() as n by user | sort user"
    first = await ask(store, text, engine)
    store.commit([{**event(60), "severity": "info"}])
    monkeypatch.setattr(Duck, "table_now", None)  # no statement is run
    again = await ask(store, text, engine)
    assert list(again.rows()) == list(first.rows())
    assert len(again)
    assert (again.stats.segments_scanned, again.stats.segments_cached) == (0, first.stats.segments_scanned)
    assert again.warnings == first.warnings


async def test_statements_over_few_rows_are_planned_with_little_effort_and_give_the_same(
    store: Segments, engine: QueryEngine, few_rows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief = []
    run = Duck.table_now

    def noted(self: Duck, *arguments: Any, **more: Any) -> Any:
        brief.append(self is engine._brief)
        return run(self, *arguments, **more)

    monkeypatch.setattr(Duck, "table_now", noted)
    texts = ("| timechart span=10m limit=2 count(), sum(n) by user", "| stats p95(n), count() by user | sort user")
    found = [list((await ask(store, text, engine)).rows()) for text in texts]
    assert True in brief
    assert False in brief
    monkeypatch.setattr(aggregations, "BRIEF_ROWS", -1)  # none are few
    await engine.forget()
    brief.clear()
    assert [list((await ask(store, text, engine)).rows()) for text in texts] == found
    assert brief
    assert True not in brief


async def test_a_moving_range_reads_what_it_has_in_part(store: Segments, engine: QueryEngine, few_rows: None) -> None:
    scanned = []
    for minute in range(4):
        more = {"from_ns": NOW - (44 - minute) * HOUR // 60, "to_ns": NOW + (minute + 1) * HOUR // 60}
        found = await ask(store, "| stats count() as n", engine, **more)
        assert list(found.rows()) == [[45 - minute]]
        scanned.append((found.stats.segments_scanned, found.stats.segments_cached))
    assert scanned == [(5, 0), (1, 4), (1, 4), (1, 4)]
    for minute, figures in ((35, (4, 0)), (25, (2, 1)), (22, (1, 2))):
        more = {"from_ns": NOW - minute * HOUR // 60, "to_ns": NOW + HOUR}
        found = await ask(store, "| stats count() as n", engine, **more)
        assert (list(found.rows()), found.stats.segments_scanned, found.stats.segments_cached) == (
            [[minute + 1]],
            *figures,
        )


async def test_a_merge_leaves_what_it_did_not_touch(store: Segments, engine: QueryEngine, few_rows: None) -> None:
    text = "| stats count() as n by user"
    store.commit([event(n) for n in range(60, 80)])  # twelve rows are settled
    await ask(store, text, engine)
    group = store.all[:3]
    store.all = store.all[3:]
    paths = {s.id: store.folder / f"{s.id}.parquet" for s in group}
    for encoded in merge(group, paths, row_group=3, filtered_rows=1):
        store.put(encoded, 1, (1, 3))
    again = await ask(store, text, engine)
    assert again.stats.segments_cached >= 1
    assert again.stats.segments_scanned + again.stats.segments_cached == 5
    assert sum(row[-1] for row in again.rows()) == 80


async def test_many_groups_are_not_kept(store: Segments, engine: QueryEngine, few_rows: None,
                                        monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(aggregations, "MOST_ROWS", 50)
    for end in ("", " | limit 99"):
        found = await ask(store, f"| stats count() by n{end}", engine)
        assert (found.stats.segments_scanned, found.stats.segments_cached, len(found)) == (6, 0, 60)
        few = await ask(store, "| stats count() by user", engine)
    assert few.stats.segments_cached == 6
    monkeypatch.setattr(aggregations, "MOST_ROWS", 1000)
    monkeypatch.setattr(aggregations, "TRIED_ROWS", 5)
    monkeypatch.setattr(aggregations, "MOST_GROUPS", 4)
    found = await ask(store, "| stats max(user) by n", engine)
    assert (found.stats.segments_cached, len(found)) == (0, 60)
    assert (await ask(store, "| stats max(user) by n | limit 99", engine)).stats.segments_cached == 0


async def test_what_is_remembered_is_nobody_elses(store: Segments, engine: QueryEngine, few_rows: None) -> None:
    text = "| stats count() as n"
    everything = "user:* | stats count() as n"
    for role, n in ((None, 60), (Rights("a", "severity:error", (), SALT), 20), (Rights("b", "user:u1", (), SALT), 15)):
        for asked in (text, everything, everything):
            request = QueryRequest(text=asked, project_id=1, now_ns=NOW, rights=role)
            assert list((await engine.run(request)).rows()) == [[n]]
    other = await engine.run(QueryRequest(text=everything, project_id=2, now_ns=NOW))
    assert other.stats.segments_cached == 0


def test_partials_are_bounded() -> None:
    kept = Partials(most_bytes=100_000)
    rows = pa.table({"n": pa.array(range(100), pa.int64())})
    for i in range(400):
        kept.put((1, f"a{i % 50}"), [Block({i: ""}, rows)])
        assert kept.bytes <= 100_000
    assert [list(block.segments) for block in kept.of((1, "a49"), {399: ""})] == [[399]]
    assert kept.of((1, "a49"), {399: "other"}) == []
    assert kept.of((1, "a0"), dict.fromkeys(range(400), "")) == []
    kept.put((1, "large"), [Block({1: ""}, pa.table({"n": pa.array(range(10_000), pa.int64())}))])
    assert kept.of((1, "large"), {1: ""}) == []
    small = pa.table({"n": pa.array([1], pa.int64())})
    many = Partials()
    for i in range(2 * MOST_BLOCKS):
        many.put((1, "many"), [Block({i: ""}, small)])
    assert len(many.of((1, "many"), dict.fromkeys(range(1000), ""))) == MOST_BLOCKS
