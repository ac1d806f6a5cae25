"""Twenty-five usual queries over merged segments, beside hand-written DuckDB SQL on one sorted Parquet file of the same
events, in the same process; and what a dashboard's refresh, planning and completion take.

`python -m tests.bench.queries25 [--events 2M] [--rounds 5]`
"""

from __future__ import annotations

import argparse
import asyncio
import io
import math
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.json as pj
from cordwood.core.query import QueryEngine, QueryRequest, QueryResult
from cordwood.core.query.parser import parse
from cordwood.core.query.plan import plan, prepare
from cordwood.core.query.prune import Bounds
from cordwood.core.query.scope import Context
from cordwood.core.runtime.memory import keep_what_is_loaded
from cordwood.core.storage.compaction import FULL_ROWS, ROW_GROUP, merge
from cordwood.core.storage.encode import encode
from cordwood.core.storage.segment import FieldColumn, Segment
from cordwood.plugins import Batch
from cordwood.plugins.ndjson import read_ndjson

from ..query.segments import NOW, Segments
from .corpus import blocks, corpus

THREADS: Final = 2
MEAN_RATIO, MOST_RATIO, MORE_MS = 1.1, 1.5, 10.0
COUNT_MS, REFRESH_RATIO, PLAN_MS, COMPLETE_MS = 5.0, 0.2, 5.0, 50.0
FIELDS: Final = 2_000  # that completion has to choose from

ERROR: Final = "level in ('error', 'fatal')"
USER: Final = r"user (?P<u>\d+)"
RETRY: Final = r"retry \d+ follows"
CASES: Final[tuple[tuple[str, str], ...]] = (
    ("| stats count() by severity", "select level, count(*) from e group by 1"),
    ("| stats count() as n by service | sort -n", "select service, count(*) n from e group by 1 order by n desc"),
    ("severity>=error | stats count() by service", f"select service, count(*) from e where {ERROR} group by 1"),
    ('"connection refused" | stats count()', "select count(*) from e where message ilike '%connection refused%'"),
    (
        "timeout | stats count() by service, host",
        "select service, host, count(*) from e where message ilike '%timeout%' group by 1, 2",
    ),
    (
        "status>=500 | stats count() as n by path | sort -n | limit 20",
        "select path, count(*) n from e where status >= 500 group by 1 order by n desc limit 20",
    ),
    (
        "path:* | stats count(), avg(duration), max(duration) by path",
        "select path, count(*), avg(duration), max(duration) from e where path is not null group by 1",
    ),
    (
        "duration:* | stats p95(duration) by service",
        "select service, quantile_cont(duration, 0.95) from e where duration is not null group by 1",
    ),
    (
        "| timechart span=1m count()",
        "select time_bucket(interval 1 minute, timestamp) t, count(*) from e group by 1 order by 1",
    ),
    (
        "| stats count() by bin(5m), severity",
        "select time_bucket(interval 5 minute, timestamp), level, count(*) from e group by 1, 2",
    ),
    (
        "service:checkout severity:error | limit 100",
        "select * from e where service = 'checkout' and level = 'error' order by timestamp desc limit 100",
    ),
    ("severity>=error | limit 1000", f"select * from e where {ERROR} order by timestamp desc limit 1000"),
    ("trace_id:TRACE", "select * from e where trace_id = 'TRACE' order by timestamp desc limit 1000"),
    ("| top 10 path", "select path, count(*) n from e where path is not null group by 1 order by n desc limit 10"),
    (
        rf"| parse /{USER}/ | where u:* | stats count() as n by u | sort -n | limit 10",
        (
            f"select regexp_extract(message, '{USER}', 1) u, count(*) n from e where regexp_matches(message, '{USER}') "
            "group by 1 order by n desc limit 10"
        ),
    ),
    ("| stats distinct_exact(trace_id)", "select count(distinct trace_id) from e"),
    ("| stats distinct(trace_id) by service", "select service, approx_count_distinct(trace_id) from e group by 1"),
    (rf"/{RETRY}/ | stats count()", f"select count(*) from e where regexp_matches(message, '{RETRY}')"),
    (
        "| stats count() as n, countif(status>=500) as bad by service | extend share = bad / n",
        "select *, bad / n from (select service, count(*) n, count(*) filter (status >= 500) bad from e group by 1)",
    ),
    (
        "time>=2026-01-31T07:00:00Z time<2026-01-31T08:00:00Z | stats count() by bin(1m)",
        (
            "select date_trunc('minute', timestamp), count(*) from e "
            "where timestamp >= '2026-01-31 07:00:00' and timestamp < '2026-01-31 08:00:00' group by 1"
        ),
    ),
    (
        "| stats sum(duration) as s by host | sort -s | limit 10",
        "select host, sum(duration) s from e group by 1 order by s desc nulls last limit 10",
    ),
    (
        "| where duration > 100 and status in (500, 502) | stats count() by service, status",
        "select service, status, count(*) from e where duration > 100 and status in (500, 502) group by 1, 2",
    ),
    (
        "| stats last(message), max(timestamp) by host",
        "select host, arg_max(message, timestamp), max(timestamp) from e group by 1",
    ),
    (
        "duration:* | stats p50(duration), p99(duration) by bin(10m)",
        (
            "select time_bucket(interval 10 minute, timestamp), quantile_cont(duration, 0.5), "
            "quantile_cont(duration, 0.99) from e where duration is not null group by 1"
        ),
    ),
    (
        "| dedup service",
        "select * from e qualify row_number() over (partition by service order by timestamp desc) = 1",
    ),
)
PANELS: Final = (
    "severity>=error | stats count() as errors",
    "| stats 100.0 * countif(severity>=error) / count() as share",
    "| timechart count() by severity",
    "| timechart count() by service",
    "severity>=error | timechart count() by service",
    "| top 6 service",
    "severity>=error | top 8 host",
    "duration:* path:* | stats count() as requests, avg(duration), max(duration) by path | sort -requests | limit 10",
)
"""Of a dashboard as `overview` is, without its counts of all events and its percentiles."""
PLANNED: Final = (
    'severity>=warn "timeout" service:(checkout, cart) | where duration > 10 | extend slow = duration / 1000 '
    "| stats count() as n, avg(slow) as mean, p95(duration) by service, bin(5m) as t | sort -n | limit 20"
)


def store_of(events: int, folder: Path) -> tuple[Segments, str]:
    """The events as full merged segments, and a trace id out of their middle."""
    store = Segments(folder)
    group: list[Batch] = []
    trace = ""

    def merged() -> None:
        paths = {s.id: folder / f"{s.id}.parquet" for s in fresh}
        for encoded in merge(fresh, paths, row_group=ROW_GROUP):
            store.put(encoded, 1, (fresh[0].min_position, fresh[-1].max_position))

    fresh: list[Segment] = []
    for body in blocks(corpus(events)):
        group.append(read_ndjson(body, NOW))
        store.position += 1
        fresh.append(store.put(encode(group), 0, (store.position, store.position)))
        store.all.pop()
        group.clear()
        if sum(segment.rows for segment in fresh) >= FULL_ROWS:
            merged()
            fresh.clear()
            trace = trace or body.partition(b'"trace_id":"')[2][:32].decode()
    if fresh:
        merged()
        trace = trace or body.partition(b'"trace_id":"')[2][:32].decode()
    return store, trace


def sorted_parquet(events: int, folder: Path) -> Path:
    """One Parquet file of the events in the order of time, as DuckDB writes it with zstd."""
    schema = pa.schema([("timestamp", pa.timestamp("us"))])
    options = pj.ParseOptions(explicit_schema=schema)
    tables = [pj.read_json(io.BytesIO(block), parse_options=options) for block in blocks(corpus(events))]
    target = folder / "sorted.parquet"
    with duckdb.connect(":memory:") as duck:
        duck.register("rows", pa.concat_tables(tables, promote_options="default"))
        duck.execute(f"copy (select * from rows order by timestamp) to '{target}' (format parquet, compression zstd)")
    return target


@dataclass
class Case:
    """Medians in milliseconds."""

    query: str
    ms: float
    duckdb_ms: float
    cpu_ratio: float
    """Of the processor time: others at work do not change it."""

    @property
    def ratio(self) -> float:
        return self.ms / self.duckdb_ms

    @property
    def is_fine(self) -> bool:
        return self.ms <= MOST_RATIO * self.duckdb_ms + MORE_MS


class Asker:
    """Asks an engine; as another project each time, so that nothing is answered out of what it remembers."""

    def __init__(self, engine: QueryEngine) -> None:
        self.engine, self.project = engine, 1

    async def ask(self, text: str, project: int | None = None) -> tuple[float, QueryResult]:
        """Milliseconds and answer."""
        self.project += 1
        request = QueryRequest(text=text, project_id=project or self.project, now_ns=NOW)
        began = time.perf_counter()
        result = await self.engine.run(request)
        return (time.perf_counter() - began) * 1000, result


def cpu_ms() -> float:
    """Processor time of this process so far."""
    return time.process_time() * 1000


def asked_duck(duck: duckdb.DuckDBPyConnection, sql: str) -> tuple[float, int]:
    """Milliseconds and rows."""
    began = time.perf_counter()
    table = duck.sql(sql).to_arrow_table()
    return (time.perf_counter() - began) * 1000, table.num_rows


async def cases(store: Segments, engine: QueryEngine, parquet: Path, trace: str, rounds: int) -> list[Case]:
    """Both in turn, so that they meet the same machine.

    :raises RuntimeError: the two do not agree on the number of rows
    """
    asker, found = Asker(engine), []
    with duckdb.connect(":memory:", config={"threads": THREADS}) as duck:
        duck.execute(f"create view e as select * from read_parquet('{parquet}')")
        for text, sql in CASES:
            query, statement = text.replace("TRACE", trace), sql.replace("TRACE", trace)
            ours, theirs = [], []
            for number in range(rounds + 1):  # one to warm up
                began = cpu_ms()
                mine, result = await asker.ask(query)
                between = cpu_ms()
                other, rows = asked_duck(duck, statement)
                if len(result) != rows:
                    raise RuntimeError(f"{query}: {len(result)} rows, and {rows} of {statement}")
                if number:
                    ours.append((mine, between - began))
                    theirs.append((other, cpu_ms() - between))
            medians = [statistics.median(times) for pairs in (ours, theirs) for times in zip(*pairs, strict=True)]
            found.append(Case(query, medians[0], medians[2], medians[1] / medians[3]))
    return found


def median_ms(work: Callable[[], object], rounds: int) -> float:
    """Milliseconds."""
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        found.append((time.perf_counter() - began) * 1000)
    return statistics.median(found)


async def refresh(store: Segments, engine: QueryEngine, rounds: int) -> tuple[float, float]:
    """A dashboard's refresh with one new segment, in parts of its first run: of time, and of processor time."""
    asker, ratios = Asker(engine), []

    async def panels(project: int) -> tuple[float, float]:
        began = cpu_ms()
        return sum([(await asker.ask(panel, project))[0] for panel in PANELS]), cpu_ms() - began

    for project in range(10_001, 10_001 + rounds):
        first = await panels(project)
        newest = store.all[-1]
        one = {"service": "cart", "host": "cart-1", "severity": "info", "path": "/", "status": 200, "duration": 1.5}
        events = [{**one, "timestamp": newest.max_time + i * 10**6, "message": f"event {i}"} for i in range(2_000)]
        store.commit(events)
        ratios.append([again / before for again, before in zip(await panels(project), first, strict=True)])
        store.all.pop()
    ms, cpu = zip(*ratios, strict=True)
    return statistics.median(ms), statistics.median(cpu)


async def completions(folder: Path, rounds: int) -> float:
    """The 95th percentile of completions over a segment of many fields, in milliseconds."""
    store, found = Segments(folder), []
    columns = tuple(FieldColumn(f"group{i % 40}.field{i}", "int", f"f{i}", 0) for i in range(FIELDS))
    store.all = [Segment(1, 1, "2026-01-31", NOW, NOW, 1000, 1000, 1, 1, 1, columns, None, None, 0)]
    engine = QueryEngine(store, store, threads=1)
    try:
        for text in (
            "gro",
            "group1.",
            "| stats avg(group2.f",
            "| where fie",
            "severity>=warn | stats count() by group3",
        ):
            for _ in range(rounds):
                began = time.perf_counter()
                answer = await engine.complete(QueryRequest(text=text, project_id=1, now_ns=NOW), len(text))
                found.append((time.perf_counter() - began) * 1000)
                if not answer.items:
                    raise RuntimeError(f"nothing completes {text}")
    finally:
        engine.close()
    return sorted(found)[int(len(found) * 0.95)]


async def measured(events: int, rounds: int, folder: Path) -> dict[str, Any]:
    """All of it."""
    (folder / "segments").mkdir()
    store, trace = store_of(events, folder / "segments")
    parquet = sorted_parquet(events, folder)
    engine = QueryEngine(store, store, threads=THREADS)
    keep_what_is_loaded()  # as the server does
    try:
        compared = await cases(store, engine, parquet, trace, rounds)
        asker = Asker(engine)
        counts = sorted([(await asker.ask("| stats count()"))[0] for _ in range(20)])
        files = {segment.id: f"{segment.id}.parquet" for segment in store.all}
        plan_ms = median_ms(lambda: plan(prepare(parse(PLANNED), store.all, Bounds(), Context(NOW)), files), 50)
        complete_ms = await completions(folder, 20)
        refreshed = await refresh(store, engine, rounds)
    finally:
        engine.close()
    return {
        "events": events,
        "cases": [vars(case) | {"ratio": case.ratio, "fine": case.is_fine} for case in compared],
        "geometric_mean": math.exp(statistics.fmean(math.log(case.ratio) for case in compared)),
        "count_ms": statistics.median(counts),
        "geometric_mean_cpu": math.exp(statistics.fmean(math.log(case.cpu_ratio) for case in compared)),
        "plan_ms": plan_ms,
        "complete_p95_ms": complete_ms,
        "refresh_ratio": refreshed[0],
        "refresh_ratio_cpu": refreshed[1],
    }


def report(found: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [
        f"25 queries over {found['events']:,} events, {THREADS} threads, beside DuckDB's own",
        f"  {'ratio':>6}{'of CPU':>8}{'ms':>9}{'DuckDB':>9}",
    ]
    for case in found["cases"]:
        over = "" if case["fine"] else f"  ← over {MOST_RATIO} x + {MORE_MS:.0f} ms"
        figures = f"{case['ratio']:>8.2f}{case['cpu_ratio']:>8.2f}{case['ms']:>9.1f}{case['duckdb_ms']:>9.1f}"
        lines.append(f"{figures}  {case['query'][:84]}{over}")
    for name, key, aim in (
        ("geometric mean of the ratios", "geometric_mean", MEAN_RATIO),
        ("the same of processor time", "geometric_mean_cpu", MEAN_RATIO),
        ("`| stats count()`, ms", "count_ms", COUNT_MS),
        ("planning five stages, median ms", "plan_ms", PLAN_MS),
        (f"completion with {FIELDS:,} fields, p95 ms", "complete_p95_ms", COMPLETE_MS),
        ("a refresh with one new segment, of the first run", "refresh_ratio", REFRESH_RATIO),
        ("the same of processor time", "refresh_ratio_cpu", REFRESH_RATIO),
    ):
        lines.append(f"  {name:<52}{found[key]:>8.2f}   aim: at most {aim}{'' if found[key] <= aim else '  ← over'}")
    return "\n".join(lines)


def run(events: int, rounds: int = 5) -> dict[str, Any]:
    """The figures."""
    folder = Path(tempfile.mkdtemp(prefix="cordwood-queries-"))
    try:
        return asyncio.run(measured(events, rounds, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.queries25", description=__doc__)
    parser.add_argument("--events", default="2M", help="how many, such as 2M")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(arguments)
    events = int(float(given.events[:-1]) * 1_000_000) if given.events.endswith("M") else int(given.events)
    print(report(run(events, given.rounds)))


if __name__ == "__main__":
    main()
