"""What a deletion takes beside segments: out of incidents and notifications, and of dead letters those it finds."""

from __future__ import annotations

from collections.abc import Sequence

import anyio.to_thread

from ..alerting.scrub import scrub
from ..query import BatchFilter
from ..storage.database import Connection
from ..storage.dead_letters import remove, some, unpacked
from ..storage.erase import Search

_PAGE = 200  # dead letters looked at by one statement


async def scrub_all(connection: Connection, search: Search) -> None:
    """Do it in the transaction given."""
    await scrub(connection, search)
    finder = await anyio.to_thread.run_sync(_Finder, search)
    try:
        last = 0
        while page := await some(connection, search.project_id, after=last, most=_PAGE):
            last = page[-1][0]
            found = await anyio.to_thread.run_sync(finder.found, [event for _, event in page])
            await remove(connection, search.project_id, [page[row][0] for row in found])
    finally:
        finder.close()


class _Finder:
    """Whether a search finds dead letters, as they are: no parser has read them. Blocking."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._filter = BatchFilter(search.text, timezone=search.timezone)

    def close(self) -> None:
        """Give back memory."""
        self._filter.close()

    def found(self, events: Sequence[bytes]) -> list[int]:
        """The places of those that it finds, within its time."""
        low, high = self._search.from_ns, self._search.to_ns
        found = []
        # One by one: what a record lacks must not count as a field of it because another has it.
        for place, event in enumerate(events):
            (batch,) = unpacked([event])
            (ns,) = batch.frame["timestamp"].to_physical()
            inside = (low is None or ns >= low) and (high is None or ns < high)
            if inside and self._filter.mask(batch, self._search.now_ns)[0]:
                found.append(place)
        return found
