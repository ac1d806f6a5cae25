"""Queries over merged segments, in PostgreSQL or in a bucket; and what a needle costs among 25 times as many events."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from ..objectstore import Bucket, S3Server
from . import query
from .corpus import corpus
from .ingest import COMPACTED_S, send
from .server import Server, free_port
from .usage import wait_until_quiet

FEW: Final = 2_000_000
GROWTH: Final = 3.0
"""By so much at most a needle's cost may grow."""


def run(folder: Path, events: int, *, bucket: bool, seed: int) -> list[dict[str, Any]]:
    """The figures of `query.run` over merged segments that lie in PostgreSQL, or in a bucket."""
    with _bucket(folder) if bucket else nullcontext() as place:
        config = f"store:\n  place: {place.yaml()}\n" if place else None
        with _filled(folder, events, seed, config) as server:
            if place and not place.keys():
                raise RuntimeError("no segment is in the bucket")
            return query.run(server.port, corpus(events, seed))


def growth(folder: Path, events: int, seed: int) -> list[dict[str, Any]]:
    """Milliseconds of each needle among few events and among many, by a search of the day around it."""
    found: dict[str, list[float]] = {}
    for count in (FEW, events):
        own = folder / str(count)
        own.mkdir(parents=True, mode=0o755)
        path = corpus(count, seed)
        with _filled(own, count, seed, None) as server:
            middle = _middle(path)
            day = {"from": f"{middle - timedelta(hours=12):%FT%TZ}", "to": f"{middle + timedelta(hours=12):%FT%TZ}"}
            for case in query.needles(path):
                asker = query.Asker(server.port)
                times = [asker.ask(case, case.limit + n, **day)[0] for n in range(query.ROUNDS + 2)][2:]
                found.setdefault(case.name, []).append(statistics.median(times))
    return [{"case": case, "events": events, "few_ms": few, "many_ms": many} for case, (few, many) in found.items()]


@contextmanager
def _bucket(folder: Path) -> Iterator[Bucket]:
    server = S3Server(free_port(), folder / "moto.log")
    try:
        bucket = Bucket("bench", server.url)
        bucket.client.create_bucket(Bucket=bucket.name)
        yield bucket
    finally:
        server.stop()


@contextmanager
def _filled(folder: Path, events: int, seed: int, config: str | None) -> Iterator[Server]:
    """A server that has the events, and has merged them."""
    with Server(folder, config=config) as server:
        sent = send(server, corpus(events, seed), {})
        if sent["failures"] or sent["acknowledged"] != events:
            raise RuntimeError(f"{sent['acknowledged']} of {events} acknowledged; {sent['failures'][:3]}")
        wait_until_quiet(server.family, for_s=COMPACTED_S, at_most_s=3600)
        yield server


def _middle(path: Path) -> datetime:
    """The time of the event in the middle of a corpus."""
    with path.open("rb") as file:
        file.seek(path.stat().st_size // 2)
        file.readline()
        return datetime.fromisoformat(json.loads(file.readline())["timestamp"])


def report_growth(figures: list[dict[str, Any]]) -> str:
    """The figures for people."""
    lines = [f"needles of a day, among {FEW:,} and {figures[0]['events']:,} events; aim: less than {GROWTH:.0f} x"]
    for f in figures:
        times = f["many_ms"] / f["few_ms"]
        over = "" if times < GROWTH else "  ← over"
        lines.append(f"  {f['case']:<38}{f['few_ms']:>8.1f} ms{f['many_ms']:>8.1f} ms{times:>7.2f} x{over}")
    return "\n".join(lines)
