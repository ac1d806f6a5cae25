"""`Progress`: what a query has done so far, for its statistics and for who follows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..storage.segment import Segment
from .duck import Running
from .plan import Given
from .result import QueryResult


@dataclass
class Progress:
    """What a query has done so far, for its statistics."""

    id: str
    running: Running = field(default_factory=Running)
    scanned: dict[int, Segment] = field(default_factory=dict)
    project_id: int = 0
    waits: bool = False
    """Others have to end before it begins."""
    watched: bool = False
    """Somebody follows it: worth more and smaller steps."""
    total: int = 0
    """Segments that the query must read, as far as known."""
    cached: int = 0
    """Segments that were not read, since the answer was known from before."""
    partial: QueryResult | None = None
    """The first rows of an answer of events, which stay as they are whatever is still read; of an aggregation the
    answer as far as segments were read."""
    damaged: dict[int, str] = field(default_factory=dict)
    """Segments whose right bytes cannot be had, with the reason: the answer goes on without them, and says so."""

    def reads(self, given: Given) -> None:
        """Let its statements read the lookup tables that the query names."""
        self.running.tables = {table.view: table.data for table in (given.context.lookups or {}).values()}

    def opened(self, segments: Sequence[Segment]) -> None:
        """Note segments that are read."""
        self.scanned.update((segment.id, segment) for segment in segments)
