"""What a detector is given for one look: queries over the committed events, up to one position of the segment log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...plugins import Finding, Json, RejectedError
from ..query import QueryRequest, QueryResult, newest
from .memory import HeldMemory
from .narrow import group_fields, sample_query
from .samples import MAX_SAMPLES, bounded

QUERY_SECONDS = 30.0
MAX_ROWS = 5_000  # rows of a detector's query: ten times the incidents it may have open
MAX_LEARNED = 16 << 20  # bytes that a detector may keep: they are written again whenever they change


class Engine(newest.Engine, Protocol):
    """What alerting needs of the query engine."""

    async def run(self, request: QueryRequest) -> QueryResult:
        """The result of a query.

        :raises QueryError: the query is wrong, or runs out of its limits
        """

    async def resolver(self, project_id: int) -> Callable[[str], str]:
        """What writes out the saved queries that a query uses."""


@dataclass(frozen=True, slots=True)
class Events:
    """The events of one project up to one position (or between two)."""

    engine: Engine
    project_id: int
    upto_position: int
    after_position: int | None = None

    async def rows(self, text: str, *, from_ns: int, to_ns: int, now_ns: int, limit: int) -> list[dict[str, Any]]:
        """A query's rows as objects, fields without a value left out."""
        request = QueryRequest(
            text=text,
            project_id=self.project_id,
            from_ns=from_ns,
            to_ns=to_ns,
            limit=limit,
            timeout=QUERY_SECONDS,
            now_ns=now_ns,
            after_position=self.after_position,
            upto_position=self.upto_position,
        )
        return list((await self.engine.run(request)).objects())

    async def samples(self, finding: Finding, *, from_ns: int, to_ns: int) -> list[dict[str, Any]]:
        """The newest events that show the trouble, bounded."""
        found = await self.rows(finding.sample_query, from_ns=from_ns, to_ns=to_ns, now_ns=to_ns, limit=MAX_SAMPLES)
        return [bounded(event) for event in found[:MAX_SAMPLES]]


class Asked(Protocol):
    """What answers a detector's queries."""

    async def rows(self, text: str, *, from_ns: int, to_ns: int, now_ns: int, limit: int) -> list[dict[str, Any]]:
        """See `Events.rows`."""


async def _none() -> Sequence[Mapping[str, Json]]:
    return ()


@dataclass(slots=True)
class Run:
    """`plugins.DetectorRun`. `opened` gives the groups whose incident is open."""

    name: str
    at_ns: int
    events: Asked
    resolved: Callable[[str], str]
    """Writes out the saved queries that a query uses, all as they are at one moment."""
    learned: bytes | None = None
    memory: HeldMemory = field(default_factory=HeldMemory)
    opened: Callable[[], Awaitable[Sequence[Mapping[str, Json]]]] = _none
    lasts_until: int = 0
    """See `lasts`."""

    def lasts(self, until_ns: int) -> None:
        """What is found now would be found again up to this moment; see `plugins.DetectorRun`."""
        self.lasts_until = until_ns

    def keep(self, learned: bytes) -> None:
        """Have this written with what the run finds; see `plugins.DetectorRun`."""
        if len(learned) > MAX_LEARNED:
            raise RejectedError(
                f"the detector would keep {len(learned):,} bytes, and {MAX_LEARNED:,} are allowed; give it fewer groups"
            )
        self.learned = learned

    async def open_groups(self) -> Sequence[Mapping[str, Json]]:
        """The groups whose incident is open."""
        return await self.opened()

    async def query(self, text: str, *, from_ns: int, to_ns: int) -> list[dict[str, Any]]:
        """The rows of a query over events with `from_ns <= timestamp < to_ns`."""
        text = self.resolved(text)
        return await self.events.rows(text, from_ns=from_ns, to_ns=to_ns, now_ns=self.at_ns, limit=MAX_ROWS)

    def group_fields(self, text: str) -> tuple[str, ...] | None:
        """The columns that tell the rows of an aggregation apart, times left out; None where nothing is aggregated."""
        return group_fields(self.resolved(text))

    def sample_query(self, text: str, group: Mapping[str, Json]) -> str:
        """A search for the events behind one group."""
        return sample_query(self.resolved(text), group)
