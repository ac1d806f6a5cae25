"""The distinct templates of segments, read once: segments never change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from sqlglot import exp

from ..storage.segment import Segment
from . import sql
from .duck import Duck, Running
from .result import python_values
from .scan import read_parquet
from .templates import MOST_TEMPLATES

MOST_KEPT = 200_000  # templates in memory over all segments, some 20 MB


class TemplateCache:
    """Segment id → its templates in lower case, or None where they are too many; the longest unused leave first."""

    def __init__(self, duck: Duck, least_rows: int) -> None:
        self._duck, self._least_rows = duck, least_rows
        self._known: OrderedDict[int, frozenset[str] | None] = OrderedDict()
        self._kept = 0

    async def of(
        self, segments: Sequence[Segment], files: Mapping[int, str], running: Running
    ) -> dict[int, frozenset[str] | None]:
        """The templates of those segments that are large enough."""
        wanted = [segment for segment in segments if segment.rows >= self._least_rows and has_templates(segment)]
        fresh = [segment for segment in wanted if segment.id not in self._known]
        for id_, templates in (await self._read(fresh, files, running)).items():
            self._known[id_] = templates
            self._kept += len(templates or ())
        found = {}
        for segment in wanted:
            self._known.move_to_end(segment.id)
            found[segment.id] = self._known[segment.id]
        while self._kept > MOST_KEPT:
            self._kept -= len(self._known.popitem(last=False)[1] or ())
        return found

    async def _read(
        self, segments: Sequence[Segment], files: Mapping[int, str], running: Running
    ) -> dict[int, frozenset[str] | None]:
        if not segments:
            return {}
        source = exp.Select(
            expressions=[
                sql.alias(sql.column("file_index"), "f"),
                sql.alias(sql.sql("lower(:t)", t=sql.column("_template")), "t"),
            ]
        )
        source = source.distinct(copy=False).from_(
            read_parquet([files[segment.id] for segment in segments]), copy=False
        )
        table = await self._duck.table(source.sql(dialect=sql.DIALECT), running)
        sets: list[set[str]] = [set() for _ in segments]
        for file, template in zip(python_values(table.column("f")), python_values(table.column("t")), strict=True):
            if template is not None:
                sets[file].add(template)
        return {
            segment.id: frozenset(found) if len(found) <= MOST_TEMPLATES else None
            for segment, found in zip(segments, sets, strict=True)
        }


def has_templates(segment: Segment) -> bool:
    """Whether the file has the column: not where no event has a message."""
    return any(column.column == "_template" for column in segment.columns)
