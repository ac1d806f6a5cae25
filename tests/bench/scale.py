"""`make scale`: what a terabyte costs, measured here, and what that makes of a petabyte and of ten thousand nodes.

Unit costs come from the product's own code on the benchmark's events; the catalog is a real PostgreSQL, filled with
rows that have a real segment's description; commits are the product's transaction, with fsync. The tables of
`docs/scale.md` are written between its markers; the JSON goes to `bench-results/`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from cordwood.core.query.parser import parse
from cordwood.core.query.plan import prepare
from cordwood.core.query.prune import Bounds
from cordwood.core.query.scope import Context
from cordwood.core.storage.catalog import Catalog
from cordwood.core.storage.commit import Submission, commit
from cordwood.core.storage.compaction import FULL_ROWS
from cordwood.core.storage.database import migrate, open_pool
from cordwood.core.storage.embedded import EmbeddedPostgres
from cordwood.core.storage.encode import EncodedSegment, encode
from cordwood.core.storage.files import Files
from cordwood.plugins import Batch
from cordwood.plugins.ndjson import read_ndjson

from ..query.segments import NOW, Segments
from .corpus import blocks, corpus
from .server import ROOT

PAGE = ROOT / "docs" / "scale.md"
BEGIN, END = "<!-- Made by `make scale`: do not edit. -->\n", "<!-- End of what `make scale` has made. -->\n"
DAY_NS = 86_400 * 10**9
DAYS = 30  # that the catalog's synthetic segments are spread over
WINDOW = 60  # minutes of a query
TB = 10**12
T = TypeVar("T")

_FILL = """
insert into segment (id, project_id, day, min_time, max_time, rows, bytes, level, min_position, max_position, columns,
                     services, hosts, severities, place, checksum, object)
select nextval('segment_id'), $1, to_timestamp((at + 1) / 1e9)::date, at, at + $3 - 1, $4, $5, 3, n, n, $6, $7, $8, $9,
       's3', '\\x00', 'own/' || n || '-0000000000000000.parquet'
from (select n, ($2::bigint + n * $3::bigint) as at from generate_series($10::bigint, $11::bigint) n) made
"""


@dataclass(frozen=True)
class Costs:
    """What was measured. CPU is of one core; bytes of events are those of their NDJSON."""

    event_bytes: float
    segment_rows: int
    segment_share: float
    """Bytes of merged segments over those of the events."""
    read_s_per_tb: float
    """CPU to read events and to encode commits."""
    merge_s_per_tb: float
    catalog_row_bytes: float
    """Of PostgreSQL, indexes included, a segment."""
    found_ms: dict[int, float]
    """Rows in the catalog → milliseconds to find the segments of an hour, their descriptions included."""
    found_segments: dict[int, int]
    prune_us: float
    """CPU to decide on one segment."""
    commits_per_s: dict[str, float]
    """Connections at once → commits a second of one project; `16 projects`: of 16 connections, a project each."""


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What it gives, and the CPU seconds of this process that it took."""
    began = time.process_time()
    found = work()
    return found, time.process_time() - began


def unit_costs(events: int, folder: Path) -> tuple[dict[str, float], EncodedSegment, Segments]:
    """Costs of reading, encoding and merging, and a merged segment."""
    path = corpus(events)
    bodies = list(blocks(path))
    batches, read_s = timed(lambda: [read_ndjson(body, NOW) for body in bodies])
    encoded, encode_s = timed(lambda: [encode([batch]) for batch in batches])
    store = Segments(folder)
    for position, segment in enumerate(encoded, 1):
        store.put(segment, 0, (position, position))
    store.position = len(encoded)
    _, merge_s = timed(lambda: store.compact(row_group=122_880))
    merged = [segment for segment in store.all if segment.level]
    size = path.stat().st_size
    found = {
        "event_bytes": size / events,
        "segment_share": sum(segment.bytes for segment in merged) / size,
        "read_s_per_tb": (read_s + encode_s) / size * TB,
        "merge_s_per_tb": merge_s / size * TB,
    }
    return found, encoded[0], store


async def catalog_costs(pool: asyncpg.Pool, store: Segments, sizes: list[int]) -> dict[str, Any]:
    """The catalog with as many rows as each size says, of one project."""
    like = next(segment for segment in store.all if segment.level)
    columns = [list(_plain(column)) for column in like.columns]
    before = await _catalog_bytes(pool)
    found_ms, found_segments, done = {}, {}, 0
    step = DAYS * DAY_NS // max(sizes)
    for size in sizes:
        await pool.execute(
            _FILL, 1, NOW - DAYS * DAY_NS, step, FULL_ROWS, like.bytes, columns, list(like.services or ()),
            list(like.hosts or ()), like.severities, done + 1, size, timeout=600,
        )  # fmt: skip
        done = size
        await pool.execute("analyze segment")
        end = NOW - DAYS * DAY_NS + size * step
        tries = []
        for _ in range(5):
            began = time.perf_counter()
            segments = await Catalog(pool).segments(1, end - WINDOW * 60 * 10**9, end)
            tries.append((time.perf_counter() - began) * 1000)
        found_ms[size], found_segments[size] = sorted(tries)[2], len(segments)
    query = parse("service:checkout severity>=error duration>100 | stats count() by host")
    many = segments * math.ceil(2000 / len(segments))
    prepare(query, many, Bounds(), Context(NOW))  # what is made once is made
    _, prune_s = timed(lambda: prepare(query, many, Bounds(), Context(NOW)))
    return {
        "catalog_row_bytes": (await _catalog_bytes(pool) - before) / done,
        "found_ms": found_ms,
        "found_segments": found_segments,
        "prune_us": prune_s / len(many) * 1e6,
    }


def _plain(column: Any) -> tuple[Any, ...]:
    return (column.field, column.kind, column.column, column.nulls, column.min, column.max)


async def _catalog_bytes(pool: asyncpg.Pool) -> int:
    return int(await pool.fetchval("select pg_total_relation_size('segment')"))


async def commit_rates(pool: asyncpg.Pool, seconds: float) -> dict[str, float]:
    """Commits a second, each of a segment of a hundred events: of one project, and of sixteen."""
    files = Files(pool)
    batch = Batch.from_records([{"message": f"event {i}", "n": i} for i in range(100)], observed=NOW)
    encoded = encode([batch])
    (prepared,) = await files.prepare([encoded])
    for project in range(2, 17):
        await pool.execute(
            "insert into project (id, name) overriding system value values ($1, $2)", project, f"p{project}"
        )
        await pool.execute("insert into segment_log (project_id) values ($1) on conflict do nothing", project)

    async def rate(projects: list[int]) -> float:
        end, done = time.perf_counter() + seconds, 0

        async def one(project: int) -> None:
            nonlocal done
            async with pool.acquire() as connection:
                while time.perf_counter() < end:
                    group = [Submission(project, "scale", batch)]
                    await commit(connection, group, {project: encoded}, files, {project: prepared})
                    done += 1

        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for project in projects:
                tasks.create_task(one(project))
        return done / (time.perf_counter() - began)

    found = {str(many): await rate([1] * many) for many in (1, 4, 16)}
    return found | {"16 projects": await rate(list(range(1, 17)))}


async def measured(pool: asyncpg.Pool, folder: Path, *, events: int, sizes: list[int], seconds: float) -> Costs:
    """All of it on a database with the schema and nothing in it."""
    units, _, store = unit_costs(events, folder)
    commits = await commit_rates(pool, seconds)
    catalog = await catalog_costs(pool, store, sizes)
    return Costs(segment_rows=FULL_ROWS, commits_per_s=commits, **units, **catalog)


def report(costs: Costs) -> str:
    """The figures and what follows from them, as Markdown."""
    event = costs.event_bytes
    per_tb = TB / event / costs.segment_rows
    one, together = costs.commits_per_s["16"], costs.commits_per_s["16 projects"]
    units = [
        ("events", f"{TB / event / 1e9:.2f} billion of {event:.0f} bytes"),
        ("CPU to read them and to encode commits", f"{costs.read_s_per_tb / 3600:.1f} core hours"),
        ("CPU to merge them once", f"{costs.merge_s_per_tb / 3600:.1f} core hours"),
        ("bytes of merged segments", f"{costs.segment_share * 1000:.0f} GB"),
        ("full segments: catalog rows; a PUT each, and one for each level before", f"{per_tb:,.0f}"),
        (
            "PostgreSQL's bytes for them",
            f"{per_tb * costs.catalog_row_bytes / 1e6:.1f} MB ({costs.catalog_row_bytes:.0f} each)",
        ),
    ]
    lines = ["| a terabyte of events costs | |", "|---|---|", *(f"| {name} | {value} |" for name, value in units), ""]
    lines += ["| events kept | segments | PostgreSQL's catalog | bucket |", "|---|---|---|---|"]
    for name, size in (("1 TB", 1), ("10 TB", 10), ("100 TB", 100), ("1 PB", 1000)):
        lines.append(
            f"| {name} | {per_tb * size:,.0f} | {_bytes(per_tb * size * costs.catalog_row_bytes)} | "
            f"{_bytes(costs.segment_share * size * TB)} |"
        )
    lines += ["", f"| segments in the catalog | of the last {WINDOW} minutes | found in |", "|---|---|---|"]
    lines += [f"| {size:,} | {costs.found_segments[size]:,} | {ms:.1f} ms |" for size, ms in costs.found_ms.items()]
    lines += ["", f"Deciding on a segment found takes {costs.prune_us:.0f} µs of CPU.", ""]
    lines += ["| commits at once | commits a second |", "|---|---|"]
    lines += [f"| {many}{' of one project' if many.isdigit() else ', one commit each'} | {rate:,.0f} |"
              for many, rate in costs.commits_per_s.items()]  # fmt: skip
    lines += ["", "| ingest nodes, a commit a second each | databases, all in one project | spread over projects |",
              "|---|---|---|"]  # fmt: skip
    for nodes in (10, 100, 1000, 10_000):
        lines.append(f"| {nodes:,} | {_databases(nodes, one)} | {math.ceil(nodes / together)} |")
    return "\n".join([*lines, ""])


def _databases(nodes: int, rate: float) -> str:
    """One project has one log, in one database."""
    return "1" if nodes <= rate else f"not possible: {rate:,.0f} commits a second are a project's most"


def _bytes(size: float) -> str:
    for unit, factor in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size / 1e6:.1f} MB"


def written(page: str, made: str) -> str:
    """The page with this between its markers.

    :raises ValueError: it has no markers
    """
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"docs/scale.md lacks the line {BEGIN.strip()} or {END.strip()}")
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


async def _main(events: int, sizes: list[int], seconds: float) -> None:
    folder = Path(tempfile.mkdtemp(prefix="cordwood-scale-"))
    folder.chmod(0o755)  # PostgreSQL runs as a user of its own where root runs this
    (folder / "segments").mkdir()
    try:
        server = EmbeddedPostgres(folder / "data")
        async with server.running():
            pool = await open_pool(server.connect_args)
            await migrate(pool, server.connect_args)
            costs = await measured(pool, folder / "segments", events=events, sizes=sizes, seconds=seconds)
            await pool.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    target = ROOT / "bench-results" / "scale.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(asdict(costs), indent=2) + "\n")
    made = report(costs)
    PAGE.write_text(written(PAGE.read_text(), made))
    print(made)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale", description=__doc__)
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 50_000, 200_000], help="of the catalog")
    parser.add_argument("--seconds", type=float, default=4, help="of each rate of commits")
    given = parser.parse_args()
    asyncio.run(_main(given.events, sorted(given.rows), given.seconds))
