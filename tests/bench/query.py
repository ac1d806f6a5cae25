"""Queries over the events in a server, through its HTTP API, against DuckDB on a sorted Parquet file of the same."""

from __future__ import annotations

import http.client
import io
import json
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.json as pj
import pyarrow.parquet as pq
from cordwood.core.storage.encode import template_of

from .corpus import blocks

ROUNDS: Final = 9
THREADS: Final = 2
Rows: TypeAlias = list[list[Any]]


def scan(duckdb_ms: float) -> float:
    """What a question may take that reads a column of all events, in milliseconds."""
    return 1.15 * duckdb_ms + 8


def phrase(duckdb_ms: float) -> float:
    """What one may take that templates answer."""
    return duckdb_ms / 5


def needle(duckdb_ms: float) -> float:
    """What one may take that token filters answer."""
    return duckdb_ms / 8


def newest(duckdb_ms: float) -> float:
    """What one may take that ends early."""
    return max(20, duckdb_ms / 3)


@dataclass(frozen=True, slots=True)
class Case:
    """One question in both languages; `answer` picks what must be equal from the rows of either."""

    name: str
    query: str
    sql: str
    answer: Callable[[Rows], object]
    aim: Callable[[float], float] = scan
    limit: int = 1000


def _as_set(rows: Rows) -> object:
    return {tuple(round(v, 6) if isinstance(v, float) else str(v).lower() for v in row) for row in rows}


CASES: Final = (
    Case(
        "count by severity",
        "| stats count() as n by severity",
        "select level, count(*) from events group by level",
        _as_set,
    ),
    Case(
        "phrase, ignoring case",
        '"connection refused" | stats count() as n',
        "select count(*) from events where message ilike '%connection refused%'",
        _as_set,
        phrase,
    ),
    Case(
        "phrase, exact case",
        "'connection refused' | stats count() as n",
        "select count(*) from events where contains(message, 'connection refused')",
        _as_set,
        phrase,
    ),
    Case(
        "count, avg, max by path",
        "path:* | stats count() as n, avg(duration) as mean, max(duration) as worst by path",
        "select path, count(*), avg(duration), max(duration) from events where path is not null group by path",
        lambda rows: {row[0]: row[1] for row in rows},
    ),
    Case(
        "newest 100 of a service and severity",
        "service:checkout severity:error | limit 100",
        "select * from events where service = 'checkout' and level = 'error' order by timestamp desc limit 100",
        len,
        newest,
        limit=100,
    ),
    Case(
        "histogram by minute",
        "| stats count() as n by bin(1m) as minute",
        "select date_trunc('minute', timestamp) as minute, count(*) from events group by minute",
        lambda rows: sorted(row[1] for row in rows),
        limit=100_000,
    ),
)


def needles(path: Path) -> tuple[Case, ...]:
    """Searches for what few events have: identifiers out of the middle of the corpus, and a word that no event has."""
    with path.open("rb") as file:
        file.seek(path.stat().st_size // 2)
        text = file.read(1 << 20).decode(errors="replace")
    found = re.search(r'"trace_id":"(\w{32})"', text), re.search(r" request ([0-9a-f-]{36})[^0-9a-f-]", text)
    assert found[0] is not None
    assert found[1] is not None
    trace, request = (match.group(1) for match in found if match is not None)
    return (
        Case(
            "a trace id",
            f"trace_id:{trace}",
            f"select * from events where trace_id = '{trace}'",
            len,
            needle,
        ),
        Case(
            "a request id in the message",
            request,
            f"select * from events where contains(message, '{request}')",
            len,
            needle,
        ),
        Case("a word nobody wrote", "zanzibar | stats count() as n",
             "select count(*) from events where contains(message, 'zanzibar')", _as_set, needle),
    )  # fmt: skip


def write_parquet(path: Path) -> Path:
    """One Parquet file of the corpus, zstd, as pyarrow writes it, in the order of segments; kept beside the corpus."""
    target = path.with_suffix(".sorted.parquet")
    if not target.exists():
        schema = pa.schema([("timestamp", pa.timestamp("us"))])
        options = pj.ParseOptions(explicit_schema=schema)
        tables = [pj.read_json(io.BytesIO(block), parse_options=options) for block in blocks(path)]
        frame = cast("pl.DataFrame", pl.from_arrow(pa.concat_tables(tables, promote_options="default")))
        frame = frame.sort("service", template_of(pl.col("message")), "timestamp")
        pq.write_table(frame.to_arrow(), target, compression="zstd")
    return target


class Asker:
    """Asks one server over one connection."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def ask(self, case: Case, limit: int | None, **more: str) -> tuple[float, float, Rows, dict[str, Any]]:
        """(milliseconds here, milliseconds as the engine saw it, rows, statistics)."""
        body = json.dumps({"query": case.query, "limit": limit, **more})
        began = time.perf_counter()
        self.connection.request("POST", "/api/v1/query", body, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        data = answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != 200:
            raise RuntimeError(f"{case.query}: {answer.status} {data[:300]!r}")
        found = json.loads(data)
        names = [column["name"] for column in found["columns"]]
        key = next((i for i, name in enumerate(names) if name in ("severity", "path", "minute")), 0)
        rows = [[row[key], *row[:key], *row[key + 1 :]] for row in found["rows"]]
        return took, found["stats"]["elapsed_ms"], rows, found["stats"]


def run(port: int, path: Path) -> list[dict[str, Any]]:
    """The figures of each case: medians of `ROUNDS` in milliseconds, taken in turn so that both meet the same machine.

    :raises RuntimeError: the two do not agree
    """
    asker = Asker(port)
    figures = []
    with duckdb.connect(":memory:", config={"threads": THREADS}) as duck:
        duck.execute(f"create view events as select * from read_parquet('{write_parquet(path)}')")
        for case in (*CASES, *needles(path)):
            ours: list[float] = []
            engine: list[float] = []
            theirs: list[float] = []
            stats: dict[str, Any] = {}
            for n in range(ROUNDS + 2):  # two to warm up
                # Each round asks for another limit, lest an aggregation is answered from memory.
                took, inside, rows, stats = asker.ask(case, case.limit + n)
                began = time.perf_counter()
                expected = [list(row) for row in duck.execute(case.sql).fetchall()]
                other = (time.perf_counter() - began) * 1000
                if n >= 2:
                    ours.append(took)
                    engine.append(inside)
                    theirs.append(other)
                if case.answer(rows) != case.answer(expected):
                    raise RuntimeError(f"{case.name}: other rows than DuckDB's: {rows[:3]} {expected[:3]}")
            again = [asker.ask(case, case.limit + n)[0] for n in range(ROUNDS)]
            mine, duckdb_ms = statistics.median(ours), statistics.median(theirs)
            figures.append(
                {
                    "case": case.name,
                    "query": case.query,
                    "ms": mine,
                    "engine_ms": statistics.median(engine),
                    "duckdb_ms": duckdb_ms,
                    "refresh_ratio": statistics.median(again) / mine,
                    "ratio": mine / duckdb_ms,
                    "allowed_ms": case.aim(duckdb_ms),
                    "stats": stats,
                }
            )
    return figures


def report(figures: list[dict[str, Any]]) -> str:
    """The figures for people."""
    lines = [
        f"queries: median of {ROUNDS}, {THREADS} threads; aim: a scan 1.15 x DuckDB + 8 ms, a phrase 1/5, a needle 1/8",
        f"  {'':<38}{'ratio':>7}{'ms':>9}{'engine':>9}{'DuckDB':>9}{'aim':>9}{'again':>9}",
    ]
    for f in figures:
        verdict = "" if f["ms"] <= f["allowed_ms"] else "  ← over"
        lines.append(
            f"  {f['case']:<38}{f['ratio']:>7.2f}{f['ms']:>9.1f}{f['engine_ms']:>9.1f}{f['duckdb_ms']:>9.1f}"
            f"{f['allowed_ms']:>9.1f}{f['refresh_ratio']:>9.2f}{verdict}"
        )
    return "\n".join(lines)
