"""The events that searches find in commits, as live tails show them: by commit, as JSON, in an order that stays.

The order is by time, then by the JSON with sorted names: it does not depend on how events are stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from ...plugins import in_worker
from ...plugins.times import now_ns
from .parser import parse
from .request import MOST_ROWS, QueryRequest, Rights
from .result import QueryResult, python_values
from .scope import POSITION
from .stages.extend import Extend
from .tree import Call, Constant, Name, Named, Or, Place, Query

TIMEOUT_S: Final = 30.0
_AT: Final = "\0at"  # names that no field has
_FOUND: Final = "\0found"
_encode = msgspec.json.Encoder().encode
_sorted = msgspec.json.Encoder(order="sorted").encode  # the order of columns is an accident of how they are stored
Found: TypeAlias = tuple[int, list[bytes]]
"""A commit's position, and the JSON of the events found in it, in their order."""


class Engine(Protocol):
    """What is needed of the query engine; see `QueryEngine`."""

    async def run(self, request: QueryRequest) -> QueryResult: ...
    async def answer(self, query: Query, request: QueryRequest) -> QueryResult: ...


class CommitEvents:
    """Asks for the events of one project's commits, as somebody with these rights sees them.

    :raises QueryError: each method: a search is wrong, or takes too long
    """

    def __init__(self, engine: Engine, project_id: int, rights: Rights | None) -> None:
        self._engine, self._project_id, self._rights = engine, project_id, rights

    async def anything(self, text: str, first: int, last: int) -> bool:
        """Whether the search finds an event in any commit of this range."""
        return bool(len(await self._engine.run(self._request(text, first, last, 1))))

    async def of(self, text: str, position: int) -> list[bytes]:
        """The JSON of all events of a commit that the search finds, in their order."""
        result = await self._engine.run(self._request(text, position, position, MOST_ROWS))
        return await in_worker(lambda: [event for _, event in sorted(map(_keyed, result.objects()))])

    async def of_all(self, texts: Sequence[str], first: int, last: int) -> list[list[Found]]:
        """What each search finds in the commits of this range, by one statement for all of them."""
        query = _together([parse(text) for text in texts])
        result = await self._engine.answer(query, self._request("", first, last, MOST_ROWS))
        return await in_worker(_divided, result, len(texts))

    def _request(self, text: str, first: int, last: int, limit: int) -> QueryRequest:
        return QueryRequest(
            text=text,
            project_id=self._project_id,
            now_ns=now_ns(),
            limit=limit,
            timeout=TIMEOUT_S,
            after_position=first - 1,
            upto_position=last,
            rights=self._rights,
        )


def _together(queries: Sequence[Query]) -> Query:
    """One query for what any of the searches finds, with a column for each, and one for the commit."""
    flags = [
        Named(Call("if", (query.search, Constant(True), Constant(None))), f"{_FOUND}{i}", Place())
        for i, query in enumerate(queries)
    ]
    any_of = Or(tuple(query.search for query in queries)) if len(queries) > 1 else queries[0].search
    return Query(any_of, (Extend(columns=(Named(Name(POSITION), _AT, Place()), *flags)),))


def _divided(result: QueryResult, count: int) -> list[list[Found]]:
    """What each of `count` searches found, by commits, of the answer of `_together`."""
    own = {output.name: output for output in result.outputs if output.name.startswith((_AT, _FOUND))}
    if not len(result):
        return [[] for _ in range(count)]
    columns = {name: python_values(result.table.column(output.kinds[0][1])) for name, output in own.items()}
    events = replace(result, outputs=[output for output in result.outputs if output.name not in own])
    keyed = list(map(_keyed, events.objects()))
    order = sorted(range(len(keyed)), key=lambda i: (columns[_AT][i], *keyed[i]))
    each: list[list[Found]] = []
    for number in range(count):
        found: dict[int, list[bytes]] = {}
        if (flags := columns.get(f"{_FOUND}{number}")) is not None:
            for i in order:
                if flags[i]:
                    found.setdefault(columns[_AT][i], []).append(keyed[i][1])
        each.append(list(found.items()))
    return each


def _keyed(event: Mapping[str, Any]) -> tuple[tuple[str, bytes], bytes]:
    """An event's place in its commit, and its JSON."""
    return (event.get("timestamp", ""), _sorted(event)), _encode(event)
