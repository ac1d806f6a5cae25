"""What deletion and retention ask of the query language: which rows of which segments a search finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ..storage.cache import SegmentGoneError
from ..storage.erase import Count, Rows, Search
from ..storage.segment import Segment
from .engine import QueryEngine
from .masked import masked
from .parser import parse
from .plan import Given
from .request import QueryRequest
from .scope import MAY_BE_ALIASES
from .tree import And, Everything, Not, Query

ATTEMPTS = 5  # readings of the catalog: compaction may replace a segment while it is counted


@dataclass(frozen=True)
class FoundSegments:
    """See `storage.erase.Found`."""

    engine: QueryEngine
    given: Given

    @property
    def segments(self) -> Sequence[Segment]:
        """Newest first."""
        return self.given.segments

    async def rows(self, segment: Segment) -> Rows:
        """Row numbers in the file, ascending."""
        table = await self.engine.rows(self.given, segment)
        return np.sort(table.column("_row").to_numpy())

    async def count(self, segment: Segment) -> Count:
        """The figures of one segment."""
        table = await self.engine.rows(self.given, segment, counted=True)
        n, low, high = (column.cast(pa.int64())[0].as_py() for column in table.columns)
        return Count(n, 1 if n else 0, round(segment.bytes * n / segment.rows), low, high)


class EngineSearcher:
    """`storage.erase.Searcher` by the query engine: a search erases exactly the events that it finds."""

    def __init__(self, engine: QueryEngine) -> None:
        self._engine = engine

    async def find(self, search: Search) -> FoundSegments:
        """Plan the search over the segments that there are now.

        :raises QueryError: it is wrong, or has stages
        """
        given = await self._engine.given(self._tree(search), _request(search), search.attributes)
        return FoundSegments(self._engine, given)

    async def aliases(self, search: Search) -> frozenset[str]:
        """The names with a standard meaning that are attributes of the events there are now.

        :raises QueryError: the search is wrong, or has stages
        """
        given = await self._engine.given(self._tree(search), _request(search))
        return frozenset(MAY_BE_ALIASES & given.schema.keys())

    async def count(self, search: Search) -> Count:
        """What the search finds now.

        :raises QueryError: it is wrong, or has stages
        """
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._count(search)
            except SegmentGoneError:
                continue
        return await self._count(search)

    async def _count(self, search: Search) -> Count:
        found = await self.find(search)
        total = Count()
        for segment in found.segments:
            total += await found.count(segment)
        return total

    def finds_all(self, text: str) -> bool:
        """Whether the text is the empty search, or `*`.

        :raises QueryError: it is no search, or has stages
        """
        return isinstance(only_search(text).search, Everything)

    def masked(self, text: str) -> str:
        """The search with its values hidden.

        :raises QueryError: it is no search, or has stages
        """
        return masked(only_search(text).search)

    def _tree(self, search: Search) -> Query:
        query = only_search(search.text)
        tree = query.search
        if search.excluded:
            tree = And((tree, *(Not(only_search(text).search) for text in search.excluded)))
        made = Query(tree, (), query.text)
        self._engine.check_regexes(made)
        return made


def only_search(text: str) -> Query:
    """The tree of a text that is a search and nothing more.

    :raises QueryError: it is wrong, or has stages
    """
    query = parse(text)
    if query.stages:
        raise query.error(
            f"`{query.stages[0].name}` is a stage, and what is deleted is chosen by a search alone",
            query.stages[0].at,
            "only the part before the first `|`",
        )
    return query


def _request(search: Search) -> QueryRequest:
    return QueryRequest(
        text=search.text,
        project_id=search.project_id,
        now_ns=search.now_ns,
        from_ns=search.from_ns,
        to_ns=search.to_ns,
        upto_position=search.upto_position,
        timezone=search.timezone,
    )
