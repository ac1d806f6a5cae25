"""Many searches over the same new events by one statement: for each, the newest event that it may have found.

Detectors ask this after every commit: most searches find nothing in it, and then there is nothing to judge. So it may
say too much, never too little. The statement's plan is kept while the fields that the searches name have the same
kinds; messages are read by the searches' phrases only where one of all phrases is in them, which one expression tells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, Protocol

from ...plugins.errors import QueryError
from ..storage.cache import SegmentDamagedError, SegmentGoneError
from . import sql
from .duck import Fed
from .literals import lower
from .parser import parse
from .plan import Given, Output, apply_stages, output_columns, relation_of, scanned, written
from .prune import meaning
from .request import QueryRequest
from .scan import searched_fields
from .scope import STANDARD_KINDS, Schema
from .stages.extend import Extend
from .stages.stats import Stats
from .tree import (
    And,
    Call,
    Compare,
    Constant,
    Everything,
    FieldCompare,
    FieldRange,
    Name,
    Named,
    Node,
    Not,
    Or,
    Place,
    Query,
    Regex,
    Text,
    Word,
)  # fmt: skip
from .value import ORDER

ATTEMPTS: Final = 3  # readings of the catalog: a compaction may take a segment away between it and the file
MOST_PHRASES: Final = 1_000  # in one expression: with more, RE2's automaton outgrows its memory and gets slow
_SPOKEN: Final = "cordwood_spoken"


class Engine(Protocol):
    """What is needed of the query engine; see `QueryEngine`."""

    async def given(self, query: Query, request: QueryRequest) -> Given: ...
    async def fed(
        self, given: Given, statement: Fed, source: Callable[[Mapping[int, str]], str]
    ) -> list[tuple[Any, ...]]: ...
    def check_regexes(self, query: Query) -> None: ...


class NewestFound:
    """Searches, and how to ask for all of them at once. `texts` are queries: what stands before the first `|` counts.

    :raises QueryError: one of them is wrong
    """

    def __init__(self, engine: Engine, texts: Sequence[str]) -> None:
        self._engine = engine
        self._searches = [parse(text).search for text in texts]
        self._query = Query(Everything(), stages_of(self._searches, {}))
        engine.check_regexes(self._query)
        self._kinds: dict[str, tuple[str, ...]] = {}  # of the fields searched, in all events so far
        self._needed: dict[tuple[str, str], str] = {}
        self._statement: Fed | None = None

    async def of(self, request: QueryRequest) -> list[int | None]:
        """For each search the newest event's time, in nanoseconds, among the request's events; None: it found none.

        :raises QueryError: the events cannot be searched so, or a segment's bytes cannot be had
        """
        for attempt in range(1, ATTEMPTS + 1):
            given = await self._engine.given(self._query, request)
            if not given.segments:
                break
            given = replace(given, schema={**given.schema, **self._grown(given)})
            if self._statement is None:
                self._plan(given)
            assert self._statement is not None
            try:
                (row,) = await self._engine.fed(given, self._statement, partial(_source, given, self._needed))
            except SegmentGoneError:
                if attempt == ATTEMPTS:
                    raise QueryError("the segments change faster than they can be read") from None
            except SegmentDamagedError as why:
                raise QueryError(f"events cannot be read: {why}") from why
            else:
                return list(row)
        return [None] * len(self._searches)

    def _grown(self, given: Given) -> Schema:
        """The kinds of the fields searched, those of these events added. Others than before: another plan."""
        fields = searched_fields(self._searches, given.schema)
        for name in fields & given.schema.keys():
            before = self._kinds.get(name, ())
            both = tuple(kind for kind in ORDER if kind in before or kind in given.schema[name])
            if both != before:
                self._kinds[name], self._statement = both, None
        return self._kinds

    def _plan(self, given: Given) -> None:
        """Make the statement. A search that is a mistake over these events stands for all of them."""
        searches = list(self._searches)
        try:
            relation = apply_stages(given, relation_of(given), stages_of(searches, given.schema))
        except QueryError:
            searches = [search if _fits(given, search) else Everything() for search in searches]
            relation = apply_stages(given, relation_of(given), stages_of(searches, given.schema))
        outputs, _ = output_columns(relation)
        self._needed = dict(relation.scanned[0].needed)
        self._statement = Fed(written(relation, relation.select(*(_nanoseconds(output) for output in outputs)), {}))


def _fits(given: Given, search: Node) -> bool:
    try:
        apply_stages(given, relation_of(given), stages_of([search], given.schema))
    except QueryError:
        return False
    return True


def _nanoseconds(output: Output) -> sql.Expr:
    """The newest time as a number; null where nothing can be found."""
    column = sql.column(output.kinds[0][1]) if output.kinds else None
    return sql.alias(sql.NULL.copy() if column is None else sql.sql("epoch_ns(:t)", t=column), output.name)


def _source(given: Given, needed: Mapping[tuple[str, str], str], files: Mapping[int, str]) -> str:
    return scanned(given, needed, files).select.sql(dialect=sql.DIALECT)


def stages_of(searches: Sequence[Node], schema: Schema) -> tuple[Extend | Stats, ...]:
    """`extend` whether any phrase is in the message, `stats` the newest event of each search."""
    at = Place()
    phrases = [needles(search) for search in searches]
    every = sorted(frozenset[str]().union(*(found for found in phrases if found is not None)))
    usable = 0 < len(every) <= MOST_PHRASES
    made = []
    for i, search in enumerate(searches):
        condition = widened(search, schema)
        if usable and phrases[i] is not None:
            condition = And((Name(_SPOKEN), condition))
        newest = Call("max", (Call("if", (condition, Name("timestamp"), Constant(None))),))
        made.append(Named(newest, f"d{i}", at))
    stats = Stats(aggregates=tuple(made))
    if not usable:
        return (stats,)
    spoken = Compare("matches", Call("lower", (Name("message"),)), Regex("|".join(map(re.escape, every))))
    return Extend(columns=(Named(spoken, _SPOKEN, at),)), stats


def needles(node: Node) -> frozenset[str] | None:
    """Phrases, in small letters, one of which is in every message that the search finds; None: none are known.

    >>> sorted(needles(parse('service:web (refused or "timed out")').search)), needles(parse("status:500 or x").search)
    (['refused', 'timed out'], None)
    """
    match node:
        case Word(text=text) | Text(text=text) if text and text.isprintable():
            return frozenset({lower(text)})
        case And(items=items):
            known = [found for item in items if (found := needles(item)) is not None]
            return min(known, key=len) if known else None
        case Or(items=items):
            each = [needles(item) for item in items]
            return None if any(found is None for found in each) else frozenset().union(*filter(None, each))
    return None


def widened(node: Node, schema: Schema) -> Node:
    """The search without what depends on the moment it is asked: it finds no less.

    >>> widened(parse("time>=-5m error").search, {}).items[0]
    Everything(at=Place(line=1, column=1, within=''))
    >>> widened(parse("time>=-5m error").search, {}).items[1].text
    'error'
    """
    match node:
        case FieldCompare(field=field) | FieldRange(field=field) if _is_time(field.name, schema):
            return Everything(at=node.at)
        case Not() if any(
            isinstance(inner, FieldCompare | FieldRange) and _is_time(inner.field.name, schema) for inner in node.walk()
        ):
            return Everything(at=node.at)
        case And(items=items):
            return And(tuple(widened(item, schema) for item in items), at=node.at)
        case Or(items=items):
            return Or(tuple(widened(item, schema) for item in items), at=node.at)
    return node


def _is_time(name: str, schema: Schema) -> bool:
    known = meaning(name, schema)
    return STANDARD_KINDS.get(known) == "time" or "time" in schema.get(known, ())


def is_searched(text: str) -> bool:
    """Whether all events that matter to a query are found by its search: it reads no other table, and nothing else.

    >>> is_searched("a | stats count() by x"), is_searched("a | union (b)"), is_searched("a |")
    (True, False, False)
    """
    try:
        query = parse(text)
    except QueryError:
        return False
    return not any(True for stage in query.stages for _ in (*stage.queries(), *stage.tables()))
