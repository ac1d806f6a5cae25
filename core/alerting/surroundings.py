"""What all detectors of a project share while this node leads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import anyio

from .arrivals import Arrivals
from .head import Catalog, Head
from .idle import Idle
from .journal import Journal
from .metrics import AlertingMetrics
from .run import Engine
from .together import Together
from .turns import Turns

SHARED_FROM_NS: Final = 5_000_000_000  # detectors that run more often are each judged at a moment of their own
MOMENT_NS: Final = 500_000_000  # for so long a moment is shared: so much later an event is seen at most


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all detectors of a project share while this node leads."""

    project_id: int
    engine: Engine
    catalog: Catalog
    head: Head
    arrivals: Arrivals
    journal: Journal
    idle: Idle
    metrics: AlertingMetrics
    clock: Callable[[], int]
    turns: Turns
    """How many detectors judge at once: the others' queries must not wait for all of them."""
    told: Callable[[], None]
    """Called when there may be new notifications."""
    together: Together = field(default_factory=Together)
    turn: anyio.Lock = field(default_factory=anyio.Lock)
    moments: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By `every`: the last moment of detectors that run so often, and the log's head then."""

    async def moment(self, every_ns: int, least: tuple[int, int]) -> tuple[int, int]:
        """The end of a window that is judged now, and the log's head: for half a second the same for all that run
        so often, unless one of them has seen as much already (`least`). So detectors that ask the same can share it.
        """
        if every_ns < SHARED_FROM_NS:
            return self.now(), await self.head.read()
        async with self.turn:  # many come at once: the first reads the head for all
            known = self.moments.get(every_ns)
            is_fresh = known is not None and 0 <= self.now() - known[0] < MOMENT_NS
            if known is None or not is_fresh or known[0] <= least[0] or known[1] < least[1]:
                known = self.moments[every_ns] = self.now(), await self.head.read()
        return known

    def now(self) -> int:
        """Nanoseconds since the epoch, as exactly as PostgreSQL keeps them."""
        return self.clock() // 1_000 * 1_000
