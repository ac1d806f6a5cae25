"""What deletion and retention ask of the query language: which rows of which segments a search finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..storage.erase import Rows, Search
from ..storage.segment import Segment
from .engine import QueryEngine
from .masked import masked
from .parser import parse
from .plan import Given
from .request import QueryRequest
from .scope import MAY_BE_ALIASES
from .tree import And, Not, Query


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
        """Row numbers in the file, in any order."""
        table = await self.engine.rows(self.given, segment)
        rows: Rows = table.column("_row").to_numpy()
        return rows


class EngineSearcher:
    """`storage.erase.Searcher` by the query engine: a search erases exactly the events that it finds."""

    def __init__(self, engine: QueryEngine) -> None:
        self._engine = engine

    async def find(self, search: Search) -> FoundSegments:
        """Plan the search over the segments that there are now.

        :raises QueryError: it is wrong, or has stages
        """
        query = only_search(search.text)
        if search.excluded:
            query = Query(And((query.search, *(Not(only_search(text).search) for text in search.excluded))), ())
        self._engine.check_regexes(query)
        given = await self._engine.given(query, _request(search), search.attributes)
        return FoundSegments(self._engine, given)

    async def attributes(self, search: Search) -> frozenset[str]:
        """The names with a standard meaning that are attributes of the events there are now.

        :raises QueryError: the search is wrong, or has stages
        """
        given = await self._engine.given(only_search(search.text), _request(search))
        return frozenset(MAY_BE_ALIASES & given.schema.keys())

    def masked(self, text: str) -> str:
        """The search with its values hidden.

        :raises QueryError: it is no search, or has stages
        """
        return masked(only_search(text).search)


def only_search(text: str) -> Query:
    """The tree of a text that is a search and nothing more.

    :raises QueryError: it is wrong, or has stages
    """
    query = parse(text)
    if query.stages:
        raise query.error(
            f"`{query.stages[0].name}` is a stage, and what goes is chosen by a search alone",
            query.stages[0].at,
            "write only the part before the first `|`",
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
