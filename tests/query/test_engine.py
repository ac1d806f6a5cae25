"""The engine: limits, cancelling, positions, pruning, what it costs, and the walls around DuckDB."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import polars as pl
import pyarrow as pa
import pytest
from cordwood.core.query import FieldValues, QueryEngine, QueryRequest
from cordwood.core.query.answers import Answer, Answers
from cordwood.core.query.duck import Duck, Interrupted, Running
from cordwood.core.storage.cache import SegmentGoneError
from cordwood.core.storage.segment import Segment
from cordwood.plugins.batch import Batch
from cordwood.plugins.errors import QueryError

from .segments import NOW, Segments, ask

pytestmark = pytest.mark.anyio
MINUTE = 60 * 10**9


def event(minutes_ago: int, **more: Any) -> dict[str, Any]:
    return {"timestamp": NOW - minutes_ago * MINUTE, "message": f"event {minutes_ago}", "n": minutes_ago, **more}


@pytest.fixture
def store(tmp_path: Path) -> Segments:
    made = Segments(tmp_path)
    for commit in range(6):
        made.commit([
            event(commit * 10 + i, severity="error" if commit == 2 else "info", service=f"s{commit}", size=commit)
            for i in range(10)
        ])  # fmt: skip
    return made


@pytest.fixture
async def engine(store: Segments) -> AsyncIterator[QueryEngine]:
    made = QueryEngine(store, store, threads=1)
    yield made
    made.close()


async def test_events_come_newest_first_and_stop_early(store: Segments, engine: QueryEngine, tmp_path: Path) -> None:
    for commit in range(6, 30):
        store.commit([event(commit * 10 + i) for i in range(10)])
    result = await ask(store, "| limit 5 | fields n", engine)
    assert [row[0] for row in result.rows()] == [0, 1, 2, 3, 4]
    assert not result.complete
    assert result.stats.segments_scanned == 8
    assert result.stats.segments_pruned == 22


async def test_the_default_limit_and_the_requests(store: Segments, engine: QueryEngine) -> None:
    assert len(await ask(store, "", engine)) == 60
    limited = await ask(store, "", engine, limit=7)
    assert len(limited) == 7
    assert not limited.complete
    assert (await ask(store, "", engine, limit=60)).complete
    groups = await ask(store, "| stats count() by n", engine, limit=7)
    assert (len(groups), groups.complete) == (7, False)


async def test_more_than_a_million_rows_are_given_to_who_asks(tmp_path: Path) -> None:
    made = Segments(tmp_path)
    one = Batch.from_records([{"timestamp": NOW, "message": "x"}], observed=NOW).frame
    numbers = pl.int_range(1_000_001, eager=True)
    made.commit(Batch(one[[0] * len(numbers)].with_columns(n=numbers)))
    for text in ("| stats count() by n", "| fields n"):
        result = await ask(made, text, limit=2_000_000)
        assert (len(result), result.complete) == (1_000_001, True), text


async def test_an_answer_too_large_for_memory_is_refused(
    store: Segments, engine: QueryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cordwood.core.query.duck.ANSWER_BYTES", 100)
    with pytest.raises(QueryError, match="the answer is larger than") as caught:
        await ask(store, "| fields message", engine)
    assert caught.value.hint == "ask for fewer rows or fields"
    assert len(await ask(store, "| stats count()", engine)) == 1


async def test_a_space_alone_is_found_as_any_text(tmp_path: Path) -> None:
    made = Segments(tmp_path)
    made.commit([{"timestamp": NOW - i, "message": f"x{i}"} for i in range(50)])
    made.compact()
    engine = QueryEngine(made, made, threads=1, template_rows=1)
    for text, n in (('" "', 0), ('" " or x7', 1), ('x7 not " "', 1)):
        assert list((await ask(made, f"{text} | stats count()", engine)).rows()) == [[n]], text
    engine.close()


async def test_scattered_rows_are_read_by_one_statement(
    store: Segments, engine: QueryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "-/[13579]$/ | limit 12"
    fetched = await ask(store, text, engine)
    monkeypatch.setattr("cordwood.core.query.events.MOST_RUNS", 3)
    at_once = await ask(store, text, engine)
    assert list(at_once.objects()) == list(fetched.objects())
    assert [row["n"] for row in at_once.objects()] == list(range(0, 24, 2))
    assert (at_once.columns, at_once.complete) == (fetched.columns, fetched.complete)


async def test_the_time_range_is_half_open(store: Segments, engine: QueryEngine) -> None:
    result = await ask(store, "| fields n", engine, from_ns=NOW - 25 * MINUTE, to_ns=NOW - 15 * MINUTE)
    assert [row[0] for row in result.rows()] == list(range(16, 26))
    counted = await ask(store, "| stats count()", engine, from_ns=NOW - 25 * MINUTE, to_ns=NOW - 15 * MINUTE)
    assert list(counted.rows()) == [[10]]


@pytest.mark.parametrize("compacted", [False, True], ids=["commits", "compacted"])
async def test_positions_bound_what_is_read(store: Segments, engine: QueryEngine, *, compacted: bool) -> None:
    if compacted:
        store.compact()
    for after, upto, commits in ((None, 2, [0, 1]), (2, 4, [2, 3]), (5, None, [5]), (6, None, [])):
        result = await ask(store, "| stats count() by size", engine, after_position=after, upto_position=upto)
        assert sorted(result.rows()) == [[commit, 10] for commit in commits]
        total = await ask(store, "| stats count()", engine, after_position=after, upto_position=upto)
        assert list(total.rows()) == [[10 * len(commits)]]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("severity>=error", 1), ("service:s3", 1), ("size:4", 1), ("size>3", 2), ("size>100", 0), ("nothing:1", 0),
        ("time>=-9m", 1), ("service:s1 or size:5", 2), ("service:s1 size:5", 0), ("-service:s1", 6), ("event", 6),
        ("| where severity >= error", 1), ("| where size = 2 and severity = info", 0), ("service:s*", 6), ("host:*", 0),
    ],
)  # fmt: skip
async def test_segments_that_cannot_match_are_not_opened(
    store: Segments, engine: QueryEngine, text: str, read: int
) -> None:
    result = await ask(store, f"{text} | stats count()", engine)
    assert result.stats.segments_scanned == read
    assert result.stats.segments_pruned == 6 - read
    plan = await engine.explain(QueryRequest(text=text, project_id=1, now_ns=NOW))
    assert plan["segments"]["read"] == read


async def test_each_part_of_a_query_reads_segments_of_its_own(store: Segments, engine: QueryEngine) -> None:
    text = "service:s1 | union (service:s2 | union (service:s2)) | join service (service:s4 | fields service)"
    result = await ask(store, text, engine)
    assert (len(result), result.stats.segments_scanned, result.stats.segments_pruned) == (0, 3, 3)
    plan = await engine.explain(QueryRequest(text=text, project_id=1, now_ns=NOW))
    assert [part["segments"]["read"] for part in (plan, *plan["subqueries"])] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("service:s0 | union (service:s4)", 10),
        ("service:s0 | union (service:s4 time>=-1h)", 20),
        ("service:s0 | union (service:s4 time>=-45m)", 16),
        ("service:s0 | union (time>=-1h service:s3 | union (service:s4))", 30),
        ("service:s0 | union (time<-5m)", 14),
        ("service:s0 | union (service:s4 time>=-1h | union ()) | union ()", 90),
        ("service:s0 | context | union (service:s4 time>=-1h | context after=0)", 20),
    ],
)
async def test_a_sub_query_reads_the_same_range_or_its_own(
    store: Segments, engine: QueryEngine, text: str, count: int
) -> None:
    result = await ask(store, f"{text} | stats count()", engine, from_ns=NOW - 10 * MINUTE + 1)
    assert list(result.rows()) == [[count]]


async def test_a_comparison_reads_the_segments_of_the_earlier_range(store: Segments, engine: QueryEngine) -> None:
    text = "| stats count() as n, min(n) as least | compare -20m"
    result = await ask(store, text, engine, from_ns=NOW - 9 * MINUTE, to_ns=NOW + 1)
    assert list(result.rows()) == [[10, 10, 0, 0, 20, -20]]
    assert result.stats.segments_scanned == 2
    request = QueryRequest(text=text, project_id=1, now_ns=NOW, from_ns=NOW - 9 * MINUTE, to_ns=NOW + 1)
    assert (await engine.explain(request))["subqueries"][0]["segments"]["read"] == 1


async def test_the_context_of_too_many_events_is_refused(store: Segments, engine: QueryEngine) -> None:
    store.commit([event(i % 60) for i in range(941)])
    with pytest.raises(QueryError, match="more than 1,000 events to show the context of") as caught:
        await ask(store, "event | context", engine)
    assert (caught.value.column, "`| limit 1000`" in caught.value.hint) == (9, True)
    result = await ask(store, "event | limit 1000 | context | stats count() as n, countif(_hit) as h", engine)
    assert list(result.rows()) == [[1001, 1000]]


async def test_a_sample_is_as_large_as_it_says_and_the_same_again(tmp_path: Path) -> None:
    store = Segments(tmp_path)
    for commit in range(4):
        store.commit([{"timestamp": NOW - i * 1_000_003 - commit, "n": i * 4 + commit, "size": 2} for i in range(2500)])
    engine = QueryEngine(store, store, threads=1)
    try:
        text = "| sample 10% | stats list(n), count(), sum(size)"
        chosen, count, total = next((await ask(store, text, engine)).rows())
        assert (count, total) == (10 * len(chosen), 20 * len(chosen))
        assert 900 < len(chosen) < 1100
        store.compact()
        again, *_ = next((await ask(store, text, engine)).rows())
        assert sorted(again) == sorted(chosen)
    finally:
        engine.close()


async def test_a_join_that_makes_too_many_rows_is_refused(store: Segments) -> None:
    engine = QueryEngine(store, store, threads=1, joined_rows=600)
    try:
        joined = "| join service (| fields service)"
        assert list((await ask(store, f"{joined} | stats count()", engine)).rows()) == [[600]]
        with pytest.raises(QueryError, match="the join makes more than 600 rows") as caught:
            await ask(store, f"{joined} {joined} | stats count()", engine)
        assert (caught.value.column, "`limits.joined_rows`" in caught.value.hint) == (37, True)
    finally:
        engine.close()


async def test_counting_all_asks_the_catalog_only(store: Segments, engine: QueryEngine) -> None:
    result = await ask(store, "| stats count() as n", engine)
    assert (list(result.rows()), result.stats.segments_scanned) == ([[60]], 0)


async def test_a_segment_that_went_away_is_looked_up_again(store: Segments) -> None:
    class Moving(Segments):
        failures = 2

        async def paths(self, segments: Sequence[Segment]) -> dict[int, Path]:
            if self.failures:
                self.failures -= 1
                raise SegmentGoneError("compacted")
            return await super().paths(segments)

    moving = Moving(store.folder)
    moving.all = store.all
    engine = QueryEngine(moving, moving, threads=1)
    assert len(await ask(moving, "", engine)) == 60
    moving.failures = 3
    with pytest.raises(SegmentGoneError):
        await ask(moving, "", engine)
    engine.close()


async def test_an_evicted_file_is_fetched_again(store: Segments) -> None:
    class Evicting(Segments):
        async def paths(self, segments: Sequence[Segment]) -> dict[int, Path]:
            found = await super().paths(segments)
            if self.position == 0:
                self.position = 1
                return {segment: path.with_suffix(".gone") for segment, path in found.items()}
            return found

    evicting = Evicting(store.folder)
    evicting.all = store.all
    engine = QueryEngine(evicting, evicting, threads=1)
    assert len(await ask(evicting, "", engine)) == 60
    engine.close()


async def test_a_query_can_be_cancelled_and_times_out(store: Segments, engine: QueryEngine) -> None:
    slow = "SELECT count(*) FROM range(100000) a, range(100000) b WHERE a.range * b.range % 7 = 3"
    running = Running()
    started = time.perf_counter()
    with anyio.move_on_after(0.3):
        await engine._duck.table(slow, running)
    assert time.perf_counter() - started < 3
    assert running.stopped

    running = Running()
    async with anyio.create_task_group() as group:
        engine._running[1, "q1"] = running

        async def run() -> None:
            with pytest.raises(Interrupted):
                await engine._duck.table(slow, running)

        group.start_soon(run)
        await anyio.sleep(0.2)
        assert await engine.cancel("q1", 1)
    assert not await engine.cancel("nobody", 1)
    del engine._running[1, "q1"]
    # The engine is as good as before.
    assert len(await ask(store, "", engine)) == 60


async def test_a_timeout_is_a_query_error(store: Segments, engine: QueryEngine) -> None:
    class Sleeping(Segments):
        async def segments(self, *args: Any, **more: Any) -> list[Segment]:
            await anyio.sleep(5)
            return []

    sleeping = QueryEngine(Sleeping(store.folder), store, threads=1)
    with pytest.raises(QueryError, match=r"longer than 0\.1 s"):
        await ask(store, "", sleeping, timeout=0.1)
    sleeping.close()


async def test_an_id_runs_once(store: Segments, engine: QueryEngine) -> None:
    engine._running[1, "twice"] = Running()
    with pytest.raises(QueryError, match="running already"):
        await ask(store, "", engine, id="twice")
    assert (await ask(store, "", engine, id="mine")).id == "mine"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/hosts')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_parquet('https://example.com/x.parquet')",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        "ATTACH '/tmp/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '99GB'",
    ],
)
async def test_duckdb_is_shut_in(tmp_path: Path, sql: str) -> None:
    duck = Duck(tmp_path, threads=1)
    with pytest.raises((QueryError, SegmentGoneError)):
        duck.table_now(sql, Running())
    duck.close()


async def test_a_large_sort_spills_instead_of_failing(tmp_path: Path) -> None:
    spill = tmp_path / "spill"
    duck = Duck(tmp_path, memory_limit="100MB", threads=1, spill=spill)
    sql = "SELECT sum(length(x)) AS n FROM (SELECT repeat(md5(range::VARCHAR), 4) AS x FROM range(1500000) ORDER BY x)"
    assert duck.table_now(sql, Running()).column("n")[0].as_py() == 1_500_000 * 128
    duck.close()


async def test_time_zones_move_the_days(store: Segments, engine: QueryEngine) -> None:
    result = await ask(store, "| timechart span=1d count()", engine, timezone="Asia/Tokyo")
    assert list(result.rows()) == [["2026-01-30T15:00:00.000000000Z", 60]]
    hours = await ask(
        store,
        "| limit 1 | extend h = hour(timestamp), d = date(timestamp) | fields h, d",
        engine,
        timezone="Asia/Tokyo",
    )
    assert list(hours.rows()) == [[21, "2026-01-31"]]
    with pytest.raises(QueryError, match="no time zone"):
        await ask(store, "", engine, timezone="Mars/Olympus")


async def test_fields_and_their_values(store: Segments, engine: QueryEngine) -> None:
    def request(text: str) -> QueryRequest:
        return QueryRequest(text=text, project_id=1, now_ns=NOW)

    fields = {field.name: (field.type, field.count) for field in (await engine.fields(request(""))).fields}
    assert fields["size"] == ("int", 60)
    assert fields["severity"] == ("severity", 60)
    assert fields["timestamp"] == ("time", 60)
    found = {field.name: field.count for field in (await engine.fields(request("severity>=error"))).fields}
    assert found["size"] == 10
    found_values = await engine.field_values(request("size<2"), "service", 5)
    assert found_values == FieldValues((("s0", 10), ("s1", 10)))
    assert await engine.field_values(request(""), "severity", 1) == FieldValues((("INFO", 50),))


async def test_queries_run_side_by_side(store: Segments, engine: QueryEngine) -> None:
    results: list[int] = []

    async def run(i: int) -> None:
        results.append(len(await ask(store, f"size:{i % 6} | fields n", engine)))

    async with anyio.create_task_group() as group:
        for i in range(24):
            group.start_soon(run, i)
    assert results == [10] * 24


AGAIN = "| stats count() as n, sum(size), p95(n), distinct(service) by severity | sort severity"


async def test_the_same_aggregation_is_answered_without_reading(store: Segments, engine: QueryEngine) -> None:
    """From the third time on: what is asked once is not kept."""
    first, second, again = [await ask(store, AGAIN, engine) for _ in range(3)]
    assert (first.stats.segments_scanned, first.stats.segments_cached) == (6, 0)
    assert (second.stats.segments_scanned, second.stats.segments_cached) == (6, 0)
    assert (again.stats.segments_scanned, again.stats.bytes_scanned, again.stats.segments_cached) == (0, 0, 6)
    assert again.stats.segments_pruned == 0
    assert list(again.rows()) == list(first.rows())
    assert (again.columns, again.complete) == (first.columns, first.complete)


async def test_what_could_change_the_answer_is_asked_anew(store: Segments, engine: QueryEngine) -> None:
    first, *_ = [await ask(store, AGAIN, engine) for _ in range(3)]
    others: list[dict[str, Any]] = [{"limit": 1}, {"to_ns": NOW - 5 * MINUTE}]
    for more in others:
        for _ in range(2):
            assert (await ask(store, AGAIN, engine, **more)).stats.segments_cached == 0, more
    assert (await ask(store, AGAIN.replace("p95", "p90"), engine)).stats.segments_cached == 0
    for _ in range(2):
        other = await engine.run(QueryRequest(text=AGAIN, project_id=2, now_ns=NOW))
        assert other.stats.segments_cached == 0
    recent = "time>=-15m | stats count()"
    for _ in range(3):
        await ask(store, recent, engine)
    later = await engine.run(QueryRequest(text=recent, project_id=1, now_ns=NOW + MINUTE))
    assert (later.stats.segments_cached, list(later.rows())) == (0, [[15]])
    store.commit([event(1, severity="error", size=1)])
    more_events, *_ = [await ask(store, AGAIN, engine) for _ in range(3)]
    assert more_events.stats.segments_scanned == 7
    assert list(more_events.rows()) != list(first.rows())
    store.compact()
    assert list((await ask(store, AGAIN, engine)).rows()) == list(more_events.rows())


async def test_answers_are_forgotten(store: Segments, engine: QueryEngine) -> None:
    cached = [(await ask(store, AGAIN, engine)).stats.segments_cached for _ in range(3)]
    await engine.forget()
    cached += [(await ask(store, AGAIN, engine)).stats.segments_cached for _ in range(3)]
    assert cached == [0, 0, 6] * 2


async def test_columns_without_values_are_another_questions(store: Segments, engine: QueryEngine) -> None:
    """They are not in the SQL, so both are the same statement."""
    for name in ("a", "a", "a", "b"):
        found = await ask(store, f"| stats sum(ghost) as {name}", engine)
        assert [column.name for column in found.columns] == [name]


def test_answers_are_bounded_by_bytes() -> None:
    answers = Answers(most_bytes=100_000)
    small = Answer((), pa.table({"n": pa.array(range(1000), pa.int64())}), True)
    for i in range(50):
        answers.put((1, f"select {i}", ()), small)
        assert answers.bytes <= 100_000
    assert answers.get((1, "select 49", ())) is small
    assert answers.get((1, "select 0", ())) is None
    answers.put((1, "large", ()), Answer((), pa.table({"n": pa.array(range(10_000), pa.int64())}), True))
    assert answers.get((1, "large", ())) is None
    assert answers.get((1, "select 49", ())) is small
