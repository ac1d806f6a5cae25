"""A store for query tests: segment files written by the real encoder into a folder, a catalog in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from cordwood.core.query import QueryEngine, QueryRequest, QueryResult
from cordwood.core.query.lookup_files import frame_of, lookup_of
from cordwood.core.query.lookups import Lookup
from cordwood.core.storage.compaction import merge
from cordwood.core.storage.encode import EncodedSegment, encode
from cordwood.core.storage.segment import Segment
from cordwood.plugins.batch import Batch

NOW = 1_769_860_800_000_000_000  # 2026-01-31T12:00:00Z


class Segments:
    """Catalog and cache of one project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.all: list[Segment] = []
        self.position = 0
        self._id = 0

    async def segments(
        self,
        project_id: int,
        from_ns: int | None = None,
        to_ns: int | None = None,
        after_position: int | None = None,
        upto_position: int | None = None,
    ) -> list[Segment]:
        return sorted(
            (
                s
                for s in self.all
                if (from_ns is None or s.max_time >= from_ns)
                and (to_ns is None or s.min_time < to_ns)
                and (after_position is None or s.max_position > after_position)
                and (upto_position is None or s.min_position <= upto_position)
            ),
            key=lambda s: -s.max_time,
        )

    async def paths(self, segments: Sequence[Segment]) -> dict[int, Path]:
        return {s.id: self.folder / f"{s.id}.parquet" for s in segments}

    def put(self, encoded: EncodedSegment, level: int, positions: tuple[int, int]) -> Segment:
        self._id += 1
        (self.folder / f"{self._id}.parquet").write_bytes(encoded.data)
        segment = Segment(
            id=self._id,
            project_id=1,
            day=encoded.day,
            min_time=encoded.min_time,
            max_time=encoded.max_time,
            rows=encoded.rows,
            bytes=len(encoded.data),
            level=level,
            min_position=positions[0],
            max_position=positions[1],
            columns=encoded.columns,
            services=encoded.services,
            hosts=encoded.hosts,
            severities=encoded.severities,
        )
        self.all.append(segment)
        return segment

    def commit(self, events: Sequence[Mapping[str, Any]] | Batch) -> None:
        """One commit: one level-0 segment for each UTC day, as the writer makes them."""
        batch = events if isinstance(events, Batch) else Batch.from_records(events, observed=NOW)
        self.position += 1
        day = pl.col("timestamp").dt.date()
        for part in batch.frame.with_columns(day.alias("#day")).partition_by("#day"):
            self.put(encode([Batch(part.drop("#day"))]), 0, (self.position, self.position))

    def compact(self, row_group: int = 3) -> None:
        """Merge all segments, as the compactor does, with token filters however few the rows."""
        group, self.all = sorted(self.all, key=lambda s: s.min_position), []
        paths = {s.id: self.folder / f"{s.id}.parquet" for s in group}
        for encoded in merge(group, paths, row_group=row_group, filtered_rows=1):
            position = next(column for column in encoded.columns if column.column == "_position")
            self.put(encoded, 1, (int(position.min or 0), int(position.max or 0)))


class Tables:
    """Lookup tables by name, from CSV."""

    def __init__(self, **csv: str) -> None:
        self._all = {name: lookup_of(name, frame_of(text.encode())) for name, text in csv.items()}

    async def tables(self, project_id: int, names: Collection[str]) -> dict[str, Lookup]:
        return {name: table for name, table in self._all.items() if name in names}


TABLES = Tables(
    owners="service,team,pager,tier\ncheckout,shop,007,1\nweb,edge,008,2\nweb,other,009,3\n",
    staff="login,team,mail,host\nann,shop,ann@example.org,desk\ncyd,edge,,desk\n",
    codes="code,meaning,bad\n402,payment required,true\n200,fine,false\n",
)


async def ask(store: Segments, text: str, engine: QueryEngine | None = None, **more: Any) -> QueryResult:
    """The answer of a query over the store."""
    engine = engine or QueryEngine(store, store)
    return await engine.run(QueryRequest(text=text, project_id=1, now_ns=NOW, **more))


__all__ = ["NOW", "TABLES", "Segments", "ask"]
