"""The values of all series over a span of time, in queries whose answers are complete."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ...plugins import DetectorRun, Json, QueryError, quoted_field

MAX_ROWS = 5_000  # rows that a run's query answers at most: that many may have been cut
QUERIES = 12  # of one run, which has a minute for them and to learn what they answer: the next goes on
AT, VALUE = "begin_of_bin", "value_of_bin"

Key = str
"""The values of a group's fields as a JSON array."""


def key_of(values: Sequence[Json]) -> Key:
    """The same for the same values.

    >>> key_of(["pay", None, 7])
    '["pay",null,7]'
    """
    return json.dumps(list(values), separators=(",", ":"), ensure_ascii=False, default=str)


def group_of(fields: Sequence[str], key: Key) -> dict[str, Json]:
    """The group that a key stands for."""
    return dict(zip(fields, json.loads(key), strict=True))


class Reader:
    """Reads bins of `bin_ns` nanoseconds, each the `value` (an aggregation) of the events that `query` finds."""

    def __init__(self, query: str, value: str, by: Sequence[str], bin_ns: int) -> None:
        self._by, self._bin_ns = list(by), bin_ns
        keys = "".join(f", {quoted_field(name)}" for name in by)
        self.text = f"{query.strip() or '*'} | stats {value} as {VALUE} by bin(timestamp, {bin_ns}ns) as {AT}{keys}"

    async def read(
        self, run: DetectorRun, from_ns: int, to_ns: int, series: int, queries: int = QUERIES
    ) -> tuple[int, dict[int, dict[Key, float]]]:
        """The bins of [from, to), by where they begin and by group; answers how far it came.

        `series` is how many there are about. After so many queries it stops, at the end of a bin.

        :raises QueryError: the query is wrong, or one bin has more groups than an answer may have rows
        """
        bins: dict[int, dict[Key, float]] = {}
        at, span = from_ns, max(1, MAX_ROWS // (2 * max(1, series))) * self._bin_ns
        for _ in range(queries):
            if at >= to_ns:
                break
            until = min(to_ns, at + span)
            rows = await run.query(self.text, from_ns=at, to_ns=until)
            if len(rows) < MAX_ROWS:
                self._gather(rows, bins)
                at = until
            elif span <= self._bin_ns:
                raise QueryError(
                    f"one bin has {MAX_ROWS:,} groups or more",
                    text=self.text,
                    hint="narrow the search, or name fewer fields in `by:`",
                )
            else:
                span = max(1, span // self._bin_ns // 4) * self._bin_ns
        return at, bins

    def _gather(self, rows: Sequence[Mapping[str, Any]], bins: dict[int, dict[Key, float]]) -> None:
        for row in rows:
            value, at = row.get(VALUE), row.get(AT)
            if isinstance(value, int | float) and at is not None:
                key = key_of([row.get(name) for name in self._by])
                bins.setdefault(begin_ns(at), {})[key] = float(value)


def begin_ns(at: str) -> int:
    """Nanoseconds since the epoch of a bin's begin, which is a whole second.

    >>> begin_ns("2026-01-31T12:00:00.000000000Z")
    1769860800000000000
    """
    return int(datetime.fromisoformat(f"{at[:19]}+00:00").timestamp()) * 1_000_000_000
