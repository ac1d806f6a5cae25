"""Many searches over the same new events at once: for each, the newest event that it may have found.

Detectors ask this after every commit: most searches find nothing in it, and then there is nothing to judge. So it may
say too much, never too little. A first look tells which of the phrases and values occur that the searches need (see
`necessary`), and of a search for one value it tells all; then one statement asks for those others that may have found
something. What a statement costs DuckDB grows with its columns: one for all searches would cost ten times as much.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from functools import partial
from typing import Final, Protocol, TypeAlias, TypeVar

from sqlglot import exp

from ...plugins.errors import QueryError
from ..storage.cache import SegmentDamagedError, SegmentGoneError
from . import sql
from .aggregate import compute_aggregate
from .duck import FED, Execute
from .expressions import compute
from .necessary import needles, text_field, values
from .parser import parse
from .plan import Given, apply_stages, relation_of, scanned, written
from .prune import meaning
from .request import QueryRequest
from .scan import searched_fields
from .scope import STANDARD_KINDS, TEMPLATE, Schema
from .shaped import NOTHING
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
    Mistake,
    Name,
    Named,
    Node,
    Not,
    Or,
    Place,
    Query,
    Regex,
)  # fmt: skip
from .value import ORDER

ATTEMPTS: Final = 3  # readings of the catalog: a compaction may take a segment away between it and the file
MOST_PHRASES: Final = 1_000  # in one expression: with more, RE2's automaton outgrows its memory and gets slow
MOST_SAID: Final = 20  # messages with phrases in which each phrase is looked for; with more, all are taken for said
MOST_VALUES: Final = 1_000  # of a field that are looked at; with more, all that are wanted are taken for there
SIFTED_FROM: Final = 8  # searches: of fewer, one statement costs less than two
SIFTED_ROWS: Final = 200_000  # of more events, the messages with phrases may be more than fit into memory
SIFTED_BYTES: Final = 16 << 20  # of segments: events of more are not held in memory, however few they are
_SPOKEN: Final = "cordwood_spoken"
_COLUMNS: Final = "cordwood_columns"
_Pair: TypeAlias = tuple[str, str]
_T = TypeVar("_T")


class Engine(Protocol):
    """What is needed of the query engine; see `QueryEngine`."""

    async def given(self, query: Query, request: QueryRequest) -> Given: ...
    async def fed(
        self, given: Given, source: Callable[[Mapping[int, str]], str], ask: Callable[[Execute], _T], *, held: bool
    ) -> _T: ...
    def check_regexes(self, query: Query) -> None: ...


class NewestFound:
    """Searches, and how to ask for all of them at once. `texts` are queries: what stands before the first `|` counts.

    :raises QueryError: one of them is wrong
    """

    def __init__(self, engine: Engine, texts: Sequence[str]) -> None:
        self._engine = engine
        every = [parse(text).search for text in texts]
        self._searches = list(dict.fromkeys(every))
        places = {search: place for place, search in enumerate(self._searches)}
        self._places = [places[search] for search in every]
        self._query = Query(Everything(), (Stats(aggregates=tuple(map(newest, self._searches))),))
        engine.check_regexes(self._query)
        # With what their names may be aliases of. Templates would have to be made of the messages, and are seldom read.
        self._fields = searched_fields(self._searches, {}) - {TEMPLATE}
        self._kinds: dict[str, tuple[str, ...]] = {}  # of the fields searched, in all events so far
        self._plan: Plan | None = None
        self._shaped = NOTHING

    async def of(self, request: QueryRequest) -> list[int | None]:
        """For each search the newest event's time, in nanoseconds, among the request's events; None: it found none.

        :raises QueryError: the events cannot be searched so, or a segment's bytes cannot be had
        """
        for attempt in range(1, ATTEMPTS + 1):
            given = await self._engine.given(self._query, request)
            if not given.segments:
                break
            given = replace(given, schema={**given.schema, **self._grown(given)})
            if given.context.shaped != self._shaped:
                self._shaped, self._plan = given.context.shaped, None
            if self._plan is None:
                self._plan = Plan(given, self._searches, self._fields)
            few = sum(segment.rows for segment in given.segments) <= SIFTED_ROWS
            few = few and sum(segment.bytes for segment in given.segments) <= SIFTED_BYTES
            source, ask = partial(_source, given, self._plan.needed), partial(self._plan.answer, sifted=few)
            try:
                found = await self._engine.fed(given, source, ask, held=few)
                return [found[place] for place in self._places]
            except (SegmentGoneError, _MoreColumnsError):
                if attempt == ATTEMPTS:
                    raise QueryError("the segments change faster than they can be read") from None
            except SegmentDamagedError as why:
                raise QueryError(f"events cannot be read: {why}") from why
        return [None] * len(self._places)

    def _grown(self, given: Given) -> Schema:
        """The kinds of the fields searched, those of these events added. Others than before: another plan."""
        for name in self._fields & given.schema.keys():
            before = self._kinds.get(name, ())
            both = tuple(kind for kind in ORDER if kind in before or kind in given.schema[name])
            if both != before:
                self._kinds[name], self._plan = both, None
        return self._kinds


class _MoreColumnsError(Exception):
    """A search reads columns that were not fetched; next time they are."""


class Plan:
    """How to ask for searches over events whose fields have the kinds that they have in `given`."""

    def __init__(self, given: Given, searches: Sequence[Node], fields: Set[str]) -> None:
        self._given, self._searches = given, searches
        self._phrases = [needles(search) for search in searches]
        text_of = partial(text_field, schema=given.schema)
        self._values = [values(search, text_of) for search in searches]
        self._every = sorted(frozenset[str]().union(*(found for found in self._phrases if found is not None)))
        if len(self._every) > MOST_PHRASES:
            self._every, self._phrases = [], [None] * len(searches)
        self._wanted = sorted({name for found in self._values for one in found for name, _ in one})
        # Searches for one value: what is known of the values tells all of them.
        self._sure = [
            found[0] if isinstance(search, FieldCompare) and found else None
            for search, found in zip(searches, self._values, strict=True)
        ]
        self._relation = apply_stages(given, relation_of(given), self._told())
        self._asked: dict[int, str | None] = {}  # made when one is first asked for: a millisecond each
        self._tells = len(searches) >= SIFTED_FROM and bool(self._every or self._wanted)
        self._tell_phrases, self._tell_values = self._telling_phrases(), self._telling_values()
        for name in sorted({"timestamp", *fields}):  # whatever the searches read
            self._relation.field(name)
        self.needed = dict(self._relation.scanned[0].needed)
        frame = written(self._relation, self._relation.select(sql.column(_COLUMNS)), {})
        self._before, self._after = frame.split(sql.column(_COLUMNS).sql(dialect=sql.DIALECT))

    def _told(self) -> tuple[Extend, ...]:
        """`extend` whether one of the phrases is in the message."""
        if not self._every:
            return ()
        message = Call("lower", (Name("message"),))
        spoken = Compare("matches", message, Regex("|".join(map(re.escape, self._every))))
        return (Extend(columns=(Named(spoken, _SPOKEN, Place()),)),)

    def _columns(self, chosen: Sequence[int]) -> dict[int, str]:
        """SQL for those of the searches that may find something.

        :raises _MoreColumnsError: they read what was not fetched
        """
        for i in chosen:
            if i not in self._asked:
                self._asked[i] = self._column(self._searches[i], i)
        needed = self._relation.scanned[0].needed
        if len(needed) > len(self.needed):
            self.needed = dict(needed)
            raise _MoreColumnsError
        return {i: column for i in chosen if (column := self._asked[i]) is not None}

    def _column(self, search: Node, number: int) -> str | None:
        """SQL for the newest event of a search, as a number; None: it finds none. A mistake stands for all events."""
        condition = widened(search, self._given.schema)
        if self._phrases[number] is not None:
            condition = And((Name(_SPOKEN), condition))
        try:
            value = compute_aggregate(newest(condition).node, self._relation, {})
        except Mistake:
            value = compute_aggregate(newest(Everything()).node, self._relation, {})
        tree = value.kinds.get("time")
        return None if tree is None else sql.sql("epoch_ns(:t)", t=tree).sql(dialect=sql.DIALECT)

    def _telling_phrases(self) -> str | None:
        """The statement that tells which messages have one of the phrases; None: none can have any."""
        if not self._every:
            return None
        message = compute(Call("lower", (Name("message"),)), self._relation)
        spoken, said = self._relation.columns[_SPOKEN].kinds.get("bool"), message.kinds.get("text")
        if spoken is None or said is None:
            return None
        told = self._relation.select(said).where(spoken).distinct().limit(MOST_SAID + 1)
        return written(self._relation, told, {})

    def _telling_values(self) -> str | None:
        """The statement that tells the newest event of each value of the fields, with the field's number."""
        parts = []
        at = self._relation.field("timestamp")
        assert at is not None
        for i, name in enumerate(self._wanted):
            field = self._relation.field(name)
            if field is not None and (value := field.kinds.get("text")) is not None:
                latest = sql.sql("epoch_ns(max(:t))", t=at.kinds["time"])
                one = exp.select(sql.integer(i), value, latest).from_(exp.to_identifier(FED, quoted=True))
                parts.append(one.group_by(value.copy()).limit(MOST_VALUES + 1))
        return " UNION ALL ".join(f"({part.sql(dialect=sql.DIALECT)})" for part in parts) or None

    def answer(self, execute: Execute, *, sifted: bool) -> list[int | None]:
        """For each search the newest event that it found; not `sifted`: all searches are asked."""
        found: list[int | None] = [None] * len(self._searches)
        chosen: Sequence[int] = range(len(self._searches))
        if sifted and self._tells:
            held = self._held(execute)
            chosen = self._chosen(self._spoken(execute), held)
            for i, pairs in enumerate(self._sure):
                if pairs is not None:
                    found[i] = max((at for pair in pairs if (at := held.get(pair)) is not None), default=None)
        columns = self._columns(chosen)
        if columns:
            (row,) = execute(f"{self._before}{', '.join(columns.values())}{self._after}")
            for place, at in zip(columns, row, strict=True):
                found[place] = at
        return found

    def _held(self, execute: Execute) -> Mapping[_Pair, int | None]:
        """The newest event of each value that is there; None: it is not known, nor whether the value is there."""
        rows = execute(self._tell_values) if self._tell_values else []
        held: dict[_Pair, int | None] = {(self._wanted[i], value): at for i, value, at in rows}
        told = Counter(i for i, _, _ in rows)
        many = {name for i, name in enumerate(self._wanted) if told[i] > MOST_VALUES}
        if many:
            wanted = {pair for found in self._values for one in found for pair in one}
            held |= {pair: None for pair in wanted if pair[0] in many}
        return held

    def _spoken(self, execute: Execute) -> Set[str]:
        """The phrases that may be there."""
        if self._tell_phrases is None:
            return frozenset()
        said = [text for (text,) in execute(self._tell_phrases)]
        return {phrase for phrase in self._every if len(said) > MOST_SAID or any(phrase in text for text in said)}

    def _chosen(self, spoken: Set[str], held: Mapping[_Pair, int | None]) -> Sequence[int]:
        """The searches that may have found something, without those of which all is known."""
        return [
            i
            for i, (phrases, pairs, sure) in enumerate(zip(self._phrases, self._values, self._sure, strict=True))
            if (phrases is None or phrases & spoken)
            and all(one & held.keys() for one in pairs)
            and (sure is None or any(held.get(pair, 0) is None for pair in sure))
        ]


def newest(condition: Node) -> Named:
    """The newest event for which a condition holds."""
    return Named(Call("max", (Call("if", (condition, Name("timestamp"), Constant(None))),)), "newest", Place())


def _source(given: Given, needed: Mapping[tuple[str, str], str], files: Mapping[int, str]) -> str:
    return scanned(given, needed, files).select.sql(dialect=sql.DIALECT)


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
