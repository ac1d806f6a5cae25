"""The figures of a report: the rows of each panel, over the report's range and over as long a time before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import msgspec

from ...plugins import now_ns
from ...plugins.errors import QueryError
from ..alerting.records import to_ns
from ..dashboards.model import Dashboard, Panel
from ..dashboards.variables import fill
from ..query.request import QueryRequest
from ..query.result import QueryResult

LIMITS = {"timeseries": 20_000, "bar": 20_000, "heatmap": 20_000, "number": 1, "top": 100, "pie": 500}
MOST_ROWS = 10_000  # of a table, in the data that is attached
PATTERNS = "severity>=warn | patterns limit=1000 | fields pattern, count"
TIMEOUT = 60.0  # seconds a query may take: nobody waits for it at a screen


class Engine(Protocol):
    """The query engine, as far as it is needed here."""

    async def run(self, request: QueryRequest) -> QueryResult:
        """The answer to a query."""


@dataclass(frozen=True, slots=True)
class Rows:
    """An answer: the names of its columns, and the rows as JSON values."""

    columns: tuple[str, ...] = ()
    rows: Sequence[list[Any]] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Shown:
    """A panel with its rows now and before; `error` says why it has none."""

    panel: Panel
    query: str = ""
    now: Rows = field(default_factory=Rows)
    before: Rows = field(default_factory=Rows)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that a report is made of. `patterns` are those of warnings and errors, now and before."""

    dashboard: Dashboard
    from_: datetime
    to: datetime
    panels: tuple[Shown, ...]
    patterns: tuple[Rows, Rows]


async def gather(
    engine: Engine, project_id: int, dashboard: Dashboard, from_: datetime, to: datetime, zone: str
) -> Gathered:
    """Ask the queries of a dashboard, one after the other, so that people's own find the engine free.

    A query that is wrong costs its panel only.

    :raises RetryableError: the store does not answer
    """
    asked = _Asked(engine, project_id, from_, to, zone)
    panels = []
    for panel in sorted(dashboard.panels, key=lambda one: (one.position.y, one.position.x)):
        if panel.kind == "markdown":
            panels.append(Shown(panel))
            continue
        text = fill(panel.query, dashboard.variables, {}).text
        limit = LIMITS.get(panel.kind, MOST_ROWS)
        try:
            now = await asked.rows(text, limit)
            before = Rows() if panel.kind in ("table", "heatmap") else await asked.rows(text, limit, before=True)
        except QueryError as why:
            panels.append(Shown(panel, text, error=f"{why.line}:{why.column} {why.message}"))
        else:
            panels.append(Shown(panel, text, now, before))
    patterns = (await asked.rows(PATTERNS, 1000), await asked.rows(PATTERNS, 1000, before=True))
    return Gathered(dashboard, from_, to, tuple(panels), patterns)


class _Asked:
    def __init__(self, engine: Engine, project_id: int, from_: datetime, to: datetime, zone: str) -> None:
        self._engine = engine
        self._length = to_ns(to) - to_ns(from_)
        self._request = QueryRequest(
            text="",
            project_id=project_id,
            now_ns=now_ns(),
            from_ns=to_ns(from_),
            to_ns=to_ns(to),
            timezone=zone,
            timeout=TIMEOUT,
        )

    async def rows(self, text: str, limit: int, *, before: bool = False) -> Rows:
        """The rows of a query; `before`: in the time of the same length that ends where the range begins."""
        start, end = self._request.from_ns or 0, self._request.to_ns or 0
        moved = self._length if before else 0
        found = await self._engine.run(
            msgspec.structs.replace(self._request, text=text, limit=limit, from_ns=start - moved, to_ns=end - moved)
        )
        return Rows(tuple(column.name for column in found.columns), list(found.rows()), found.complete)
