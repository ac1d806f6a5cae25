"""The events that searches find in commits, as live tails show them: by commit, as JSON, in an order that stays.

The order is by time, then by the JSON with sorted names: it does not depend on how events are stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final, Protocol, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...plugins import in_worker
from ...plugins.times import now_ns
from .parser import parse
from .plan import Output
from .request import MOST_ROWS, QueryRequest, Rights
from .result import QueryResult
from .scope import POSITION
from .stages.extend import Extend
from .tree import Call, Constant, Name, Named, Or, Place, Query

TIMEOUT_S: Final = 30.0
_AT: Final = "\0at"  # names that no field has
_FOUND: Final = "\0found"
_decode = msgspec.json.decode
_sorted = msgspec.json.Encoder(order="sorted").encode  # the order of columns is an accident of how they are stored
Found: TypeAlias = tuple[int, list[bytes]]
"""A commit's position, and the JSON of the events found in it, in their order."""


class Engine(Protocol):
    """What is needed of the query engine; see `QueryEngine`."""

    async def run(self, request: QueryRequest) -> QueryResult: ...
    async def answer(self, query: Query, request: QueryRequest) -> QueryResult: ...
    async def objects(self, result: QueryResult) -> list[bytes]: ...


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
        events = await self._engine.objects(result)
        return await in_worker(lambda: [events[i] for i in _order(result, events)])

    async def of_all(self, texts: Sequence[str], first: int, last: int) -> list[list[Found]]:
        """What each search finds in the commits of this range, by one statement for all of them."""
        query = _together([parse(text) for text in texts])
        result = await self._engine.answer(query, self._request("", first, last, MOST_ROWS))
        if not len(result):
            return [[] for _ in texts]
        own = {output.name: output for output in result.outputs if output.name.startswith((_AT, _FOUND))}
        events = await self._engine.objects(
            replace(result, outputs=[output for output in result.outputs if output.name not in own])
        )
        return await in_worker(_divided, result, own, events, len(texts))

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


def _divided(result: QueryResult, own: Mapping[str, Output], events: Sequence[bytes], count: int) -> list[list[Found]]:
    """What each of `count` searches found, by commits, of the answer of `_together` and its events in JSON."""
    commits = result.table.column(own[_AT].kinds[0][1]).to_numpy()
    order = np.array(_order(result, events, commits), np.intp)
    each: list[list[Found]] = []
    for name in (f"{_FOUND}{number}" for number in range(count)):
        found: dict[int, list[bytes]] = {}
        if name in own:  # else it found nothing
            is_found = result.table.column(own[name].kinds[0][1]).is_valid().to_numpy()
            chosen = order[is_found[order]]
            for position, i in zip(commits[chosen].tolist(), chosen.tolist(), strict=True):
                found.setdefault(position, []).append(events[i])
        each.append(list(found.items()))
    return each


def _order(result: QueryResult, events: Sequence[bytes], commits: NDArray[Any] | None = None) -> list[int]:
    """The rows by commit and time; those of one moment by their JSON with sorted names."""
    if not events:
        return []
    moment = next(output for output in result.outputs if output.name == "timestamp")
    times = result.table.column(moment.kinds[0][1]).cast(pa.int64()).to_numpy()
    keys = (times,) if commits is None else (times, commits)
    order = np.lexsort(keys)
    starts = np.flatnonzero(np.any([np.diff(key[order]) != 0 for key in keys], axis=0)) + 1
    rows: list[int] = order.tolist()
    for start, end in pairwise((0, *starts.tolist(), len(rows))):
        if end > start + 1:
            rows[start:end] = sorted(rows[start:end], key=lambda i: _sorted(_decode(events[i])))
    return rows
