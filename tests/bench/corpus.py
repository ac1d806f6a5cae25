"""The logs that the benchmarks run on: events of a mixed fleet, the same bytes for the same seed and count.

About 218 bytes an event: 20 services on 60 hosts, some 400 message templates with variable parts, most events INFO, a
third of them requests with path, status, duration and trace id. Columns are drawn with numpy and joined by polars, so
that two million events take seconds; the file is kept and used again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa

from .words import LEVELS, SERVICES, SLOTS, Template, paths, pool, templates

BLOCK_BYTES: Final = 4 * 1024 * 1024
"""Upper bound of a block: whole lines, as a shipper would send them in one request."""

FIRST: Final = np.datetime64("2026-01-31T06:00:00.000000", "us")
"""Time of the first event; the others follow at about `EVENTS_PER_SECOND`."""

EVENTS_PER_SECOND: Final = 120
VERSION: Final = 1
"""Part of the file's name: raise it when the same seed would give other bytes."""

_CHUNK = 200_000  # events drawn at once: changing it changes the bytes
_POOL = 100_000  # different values of a kind of variable part

Generator = np.random.Generator


def corpus(events: int, seed: int = 1, folder: Path | None = None, first: np.datetime64 = FIRST) -> Path:
    """The NDJSON file of `events` events, written now if it is not there yet.

    One with another `first` belongs into a `folder` of its own.
    """
    folder = folder or Path(tempfile.gettempdir()) / "cordwood-bench"
    path = folder / f"corpus-v{VERSION}-seed{seed}-{events}.ndjson"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            for lines in _chunks(events, seed, first):
                file.write(lines)
        partial.rename(path)
    return path


def block_ranges(path: Path, block_bytes: int = BLOCK_BYTES) -> list[tuple[int, int]]:
    """(offset, bytes) of each block of whole lines, in order; together they are the file."""
    ranges = []
    at, end = 0, path.stat().st_size
    with path.open("rb") as file:
        while at < end:
            size = min(block_bytes, end - at)
            if at + size < end:
                tail = min(size, 65_536)
                file.seek(at + size - tail)
                size -= tail - 1 - file.read(tail).rindex(b"\n")
            ranges.append((at, size))
            at += size
    return ranges


def blocks(path: Path, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """The file in blocks of whole lines."""
    with path.open("rb") as file:
        for offset, size in block_ranges(path, block_bytes):
            file.seek(offset)
            yield file.read(size)


def _chunks(events: int, seed: int, clock: np.datetime64) -> Iterator[bytes]:
    """Runs of whole lines, in the order of time."""
    fleet = _Fleet(np.random.default_rng(seed))
    for number, start in enumerate(range(0, events, _CHUNK)):
        rng = np.random.default_rng([seed, number])
        rows = min(_CHUNK, events - start)
        steps = rng.exponential(1e6 / EVENTS_PER_SECOND, rows).astype("timedelta64[us]")
        times = clock + np.cumsum(steps)
        clock = times[-1]
        lines = fleet.lines(rng, times)
        yield ("\n".join(lines) + "\n").encode()


class _Fleet:
    """What stays the same over the whole corpus: templates with their weights, hosts of a service, pools of values."""

    def __init__(self, rng: Generator) -> None:
        all_templates = templates(rng)
        self.weights = _weights(all_templates, rng)
        slots = max(len(t.slots) for t in all_templates)
        self.literals = [
            pl.Series([t.literals[i] if i < len(t.literals) else "" for t in all_templates]) for i in range(slots + 1)
        ]
        kinds = {kind: i for i, kind in enumerate(("", *SLOTS))}
        self.kinds = [
            np.array([kinds[t.slots[i]] if i < len(t.slots) else 0 for t in all_templates]) for i in range(slots)
        ]
        pools = [[""], *(pool(kind, _POOL, rng) for kind in SLOTS)]
        self.pool = pl.Series([value for values in pools for value in values])
        self.pool_size = np.array([len(values) for values in pools])
        self.pool_start = np.cumsum(self.pool_size) - self.pool_size
        self.level = pl.Series([t.level for t in all_templates])
        self.is_request = np.array([t.request for t in all_templates])
        self.failing = np.array([t.level in ("error", "fatal") for t in all_templates])
        self.service = np.array([SERVICES.index(t.service) for t in all_templates])
        self.services = pl.Series(SERVICES)
        self.hosts = pl.Series([f"{service[:4]}-{n}" for service in SERVICES for n in range(1, 4)])
        self.paths = pl.Series(paths())
        self.path_weight = 1 / np.arange(1, len(self.paths) + 1)
        self.path_weight /= self.path_weight.sum()

    def lines(self, rng: Generator, times: np.ndarray) -> pl.Series:
        """One JSON object for each of the times, without line feeds."""
        rows = len(times)
        template = rng.choice(len(self.weights), rows, p=self.weights)
        service = self.service[template]
        parts: list[pl.Series | str] = [
            '{"timestamp":"',
            pl.Series(np.datetime_as_string(times)),
            'Z","service":"',
            self.services.gather(service),
            '","host":"',
            self.hosts.gather(service * 3 + rng.integers(0, 3, rows)),
            '","level":"',
            self.level.gather(template),
            '","message":"',
            *self._message(rng, template),
            '"',
            self._request(rng, template),
            "}",
        ]
        frame = pl.DataFrame({str(i): part for i, part in enumerate(parts) if isinstance(part, pl.Series)})
        expressions = [pl.col(str(i)) if isinstance(part, pl.Series) else pl.lit(part) for i, part in enumerate(parts)]
        return frame.select(pl.concat_str(expressions)).to_series()

    def _message(self, rng: Generator, template: np.ndarray) -> Iterator[pl.Series]:
        """The message's parts: literal, value, literal, … (JSON text already)."""
        yield self.literals[0].gather(template)
        for literal, kinds in zip(self.literals[1:], self.kinds, strict=True):
            kind = kinds[template]
            # Squared: small numbers are frequent, so some users and orders come again and again.
            at = self.pool_start[kind] + (rng.random(len(kind)) ** 2 * self.pool_size[kind]).astype(np.int64)
            yield self.pool.gather(at)
            yield literal.gather(template)

    def _request(self, rng: Generator, template: np.ndarray) -> pl.Series:
        """`,"path":…,"status":…,"duration":…,"trace_id":…` for requests, empty for other events."""
        rows = len(template)
        status = rng.choice([200, 201, 204, 304, 400, 404, 429], rows, p=[0.78, 0.06, 0.05, 0.04, 0.02, 0.04, 0.01])
        status = np.where(self.failing[template], rng.choice([500, 502, 503, 504], rows), status)
        duration = np.round(rng.lognormal(3.0, 1.1, rows) * np.where(self.failing[template], 8, 1), 3)
        trace = _hex32(rng, rows // 3 + 8).gather(np.arange(rows) // 3 + rng.integers(0, 8, rows))
        frame = pl.DataFrame(
            {
                "path": self.paths.gather(rng.choice(len(self.paths), rows, p=self.path_weight)),
                "status": status,
                "duration": duration,
                "trace": trace,
                "is": self.is_request[template],
            }
        )
        text = pl.format(
            ',"path":"{}","status":{},"duration":{},"trace_id":"{}"',
            *(pl.col(c) for c in ("path", "status", "duration", "trace")),
        )
        return frame.select(pl.when("is").then(text).otherwise(pl.lit(""))).to_series()


def _weights(all_templates: list[Template], rng: Generator) -> np.ndarray:
    """How often each template occurs: levels as in `LEVELS`, a third of INFO requests, a Zipf law among those alike."""
    weights = np.zeros(len(all_templates))
    alike: dict[tuple[str, bool], list[int]] = {}
    for i, template in enumerate(all_templates):
        alike.setdefault((template.level, template.request), []).append(i)
    for (level, request), mine in alike.items():
        share = LEVELS[level] * ((0.37 if request else 0.63) if level == "info" else 1)
        zipf = 1 / np.arange(2, len(mine) + 2) ** 0.9
        weights[rng.permutation(mine)] = zipf / zipf.sum() * share
    return np.asarray(weights / weights.sum())


def _hex32(rng: Generator, rows: int) -> pl.Series:
    """Random hexadecimal words of 32 digits."""
    digits = rng.bytes(16 * rows).hex().encode()
    offsets = np.arange(0, 32 * rows + 1, 32, dtype=np.int32)
    words = pa.Array.from_buffers(pa.string(), rows, [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(digits)])
    return pl.Series(pl.from_arrow(words))
