"""From a tree and the segments' descriptions to SQL. Pure: no I/O, "now" is given, equal input makes equal SQL.

Statement ─ sql          one SELECT over read_parquet
          ├ outputs      the answer's columns, each with the SQL columns of its kinds
          └ cut          rows to keep; the SELECT asks for one more, to know whether there were more
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from msgspec import structs
from sqlglot import exp

from ...plugins.fields import OVERFLOW
from ..storage.segment import Segment
from ..storage.token_filter import TokenFilter
from . import sql
from .overflow import opened, with_members
from .prune import Bounds, meaning, reason_to_skip, time_span
from .relation import HIDDEN, Events, Names, Order, Relation
from .request import DEFAULT_LIMIT, MAX_ROWS, MOST_ROWS
from .row_groups import Runs
from .scan import Scan, scan
from .scope import INTERNAL_COLUMNS, MAY_BE_ALIASES, STANDARD_KINDS, TEMPLATE, Context, Schema, unknown_in_events
from .sql import Expr
from .stages.fields import Fields
from .stages.limit import Limit
from .stages.stats import Stats
from .stages.where import Where
from .tree import EVENTS, Call, Everything, Mistake, Name, Node, Part, Query
from .value import ORDER


@dataclass(frozen=True)
class Output:
    """A column of the answer: its name, its type for people, and the SQL column of each kind it may have."""

    name: str
    type: str
    kinds: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Statement:
    """SQL, and how to read what it answers; `segments` are the ids that its `_file` counts through.

    `is_open`: its columns are those that the events happen to have.
    """

    sql: str
    outputs: tuple[Output, ...]
    cut: int
    segments: tuple[int, ...] = ()
    is_open: bool = False


@dataclass(frozen=True)
class Planned:
    """The stages of a query as SQL, before anything is said of files: steps, and `select` over the last."""

    relation: Relation
    select: exp.Select
    outputs: tuple[Output, ...]
    cut: int

    def statement(self, given: Given, files: Mapping[int, str]) -> Statement:
        """One statement that reads the files (segment id → path) of the segments given."""
        text = written(self.relation, self.select.copy(), sources_of(given, self.relation, files))
        return Statement(text, self.outputs, self.cut, is_open=self.relation.events is not None)


@dataclass(frozen=True)
class Given:
    """What the planner is given of the data.

    `segments` are those that must be read, newest first, `skipped` says for each other one why not. `parts` are the
    rows that must be read of a segment of which the rest cannot match.
    """

    query: Query
    schema: Schema
    segments: tuple[Segment, ...]
    skipped: Mapping[int, str]
    bounds: Bounds
    context: Context
    limit: int | None = None
    templates: Mapping[int, frozenset[str] | None] | None = field(default=None, hash=False)
    filters: Mapping[int, TokenFilter] = field(default_factory=dict, hash=False)
    parts: Mapping[int, Runs] = field(default_factory=dict, hash=False)
    overflowing: frozenset[str] = frozenset()
    """The names that are also looked for in a segment's overflow."""
    inner: Mapping[Part, Given] = field(default_factory=dict, hash=False)
    """The same for each sub-query, those within others too."""
    shift_ns: int = 0
    """How much later than it was every event seems: `segments` and all the rest are in that time."""

    def every(self) -> Iterator[Given]:
        """This one and those of the sub-queries."""
        yield self
        yield from self.inner.values()


def schema_of(segments: Sequence[Segment]) -> dict[str, tuple[str, ...]]:
    """The attributes and standard fields that the segments have, with all kinds of each."""
    found = {(c.field, c.kind) for segment in segments for c in segment.columns if c.column not in INTERNAL_COLUMNS}
    kinds: dict[str, set[str]] = {}
    for name, kind in found:
        kinds.setdefault(name, set()).add(kind)
    return {name: tuple(kind for kind in ORDER if kind in of_name) for name, of_name in kinds.items()}


def conditions(query: Query) -> list[Node]:
    """What must hold for every event that matters: the search, and the `where` stages right after it."""
    found = [query.search]
    for stage in query.stages:
        if not isinstance(stage, Where):
            break
        found.append(stage.condition)
    return found


def prepare(
    query: Query,
    segments: Sequence[Segment],
    bounds: Bounds,
    context: Context,
    limit: int | None = None,
    attributes: frozenset[str] | None = None,
    inner: Mapping[Part, Sequence[Segment]] = MappingProxyType({}),
) -> Given:
    """Decide which segments must be read, and what times the rows can have.

    :param attributes: which names that may be aliases are attributes, where the data of now is not to decide on it.
    :param inner: the segments of each sub-query; of one that is not there those of the query itself.
    """
    main = Part(query)
    parts = {main: prepare_one(main, query, segments, bounds, context, attributes)}
    for part, own, around in ranges(main, bounds, context):
        if part.shift_ns != around.shift_ns:  # the same figures: what the other range is without bounds, this one is
            same = parts[around].context
            own = replace(own, from_ns=same.start_ns, to_ns=same.end_ns)
        parts[part] = prepare_one(part, query, inner.get(part, segments), own, context, attributes)
    return replace(parts.pop(main), limit=limit, inner=parts)


def ranges(part: Part, bounds: Bounds, context: Context) -> Iterator[tuple[Part, Bounds, Part]]:
    """Every sub-query with its range, and what it is in.

    The range is that of the query around it, but for the ends that its own search sets.
    """
    for stage in part.query.stages:
        for query in stage.queries():
            own, shift_ns = bounds, stage.shift_ns()
            if not shift_ns:
                low, high = time_span(conditions(query), {}, context)
                own = replace(
                    bounds,
                    from_ns=bounds.from_ns if low is None else low,
                    to_ns=bounds.to_ns if high is None else high,
                )
            inner = Part(query, part.shift_ns + shift_ns)
            yield inner, own, part
            yield from ranges(inner, own, context)


def prepare_one(
    part: Part,
    whole: Query,
    segments: Sequence[Segment],
    bounds: Bounds,
    context: Context,
    attributes: frozenset[str] | None,
) -> Given:
    """What is given of a query or sub-query without those within it; stages of the whole may ask for its fields."""
    query = structs.replace(part.query, text=whole.text)
    schema = schema_of(segments)
    if attributes is not None:
        schema = {name: kinds for name, kinds in schema.items() if name not in MAY_BE_ALIASES or name in attributes}
        schema |= dict.fromkeys(attributes - schema.keys(), ())
    overflowing = opened(whole, schema) if "json" in schema.get(OVERFLOW, ()) else frozenset()
    if overflowing:
        schema = with_members(schema, overflowing)
    needed = conditions(query)
    skipped: dict[int, str] = {}
    kept: list[Segment] = []
    for segment in (moved(segment, part.shift_ns) for segment in segments):
        if (reason := reason_to_skip(segment, needed, bounds, schema, context)) is not None:
            skipped[segment.id] = reason
        else:
            kept.append(segment)
    if segments:
        warn_of_unknown(query.search, schema, context)
    low, high = time_span(needed, schema, context)
    starts = [ns for ns in (bounds.from_ns, low) if ns is not None]
    ends = [ns for ns in (bounds.to_ns, high) if ns is not None]
    start = max(starts) if starts else min((segment.min_time for segment in kept), default=None)
    end = min(ends) if ends else max((segment.max_time + 1 for segment in kept), default=None)
    context = replace(context, start_ns=start, end_ns=end)
    return Given(query, schema, tuple(kept), skipped, bounds, context, overflowing=overflowing, shift_ns=part.shift_ns)


def moved(segment: Segment, shift_ns: int) -> Segment:
    """The segment as if its events had been later."""
    if not shift_ns:
        return segment
    return structs.replace(segment, min_time=segment.min_time + shift_ns, max_time=segment.max_time + shift_ns)


def warn_of_unknown(search: Node, schema: Schema, context: Context) -> None:
    """Warn of the fields that no segment has; asked here, since all segments may be skipped for lack of them."""
    known = {*STANDARD_KINDS, *schema}
    for node in search.walk():
        if isinstance(node, Name) and meaning(node.name, schema) not in (*known, TEMPLATE):
            unknown_in_events(context, node, known)


def relation_of(given: Given) -> Relation:
    """The events, newest first; the search is part of the scan."""
    return opened_events(given, None, Names(), [], [])


def opened_events(
    given: Given, part: Part | None, names: Names, steps: list[tuple[str, Expr]], scanned: list[Events]
) -> Relation:
    """The events of a query, or of a sub-query of it, as one more scan of the statement."""
    own = given if part is None else given.inner.get(part, given)
    events = Events(own.schema, f"{EVENTS}_{len(scanned) + 1}" if scanned else EVENTS, part)
    scanned.append(events)
    events.value("timestamp", names)

    def inner(query: Query, shift_ns: int) -> Relation:
        relation = opened_events(given, Part(query, own.shift_ns + shift_ns), names, steps, scanned)
        for stage in query.stages:
            relation = stage.apply(relation)
        return relation

    order = (
        Order(events.needed["timestamp", "time"], descending=True),
        *(Order(name, descending=True) for name in HIDDEN),
    )
    return Relation(own.context, names, steps, events.source, scanned, inner, events=events, order=order, hidden=HIDDEN)


def apply_stages(given: Given, relation: Relation, stages: Sequence[object]) -> Relation:
    """The relation after the stages.

    :raises QueryError: with the place of the mistake.
    """
    try:
        for stage in stages:
            relation = stage.apply(relation)  # type: ignore[attr-defined]
    except Mistake as mistake:
        raise mistake.error(given.query.text) from None
    return relation


def final_cut(given: Given) -> tuple[int, tuple[Any, ...]]:
    """How many rows the answer may have, and the stages with a last `limit` loosened by one, to see whether it cut.

    A limit counts as the last stage also where only stages follow that keep every row.
    """
    stages = list(given.query.stages)
    cut = given.limit
    keeping = {"extend", "parse", "fields", "drop", "rename", "lookup"}
    for i in range(len(stages) - 1, -1, -1):
        if isinstance(stages[i], Limit):
            cut = stages[i].count if cut is None else min(cut, stages[i].count)
            stages[i] = Limit(count=stages[i].count + 1, at=stages[i].at)
            break
        if stages[i].name not in keeping:
            break
    if cut is None:
        cut = DEFAULT_LIMIT if all(stage.gives_events() for stage in stages) else MAX_ROWS
    return min(cut, MOST_ROWS), tuple(stages)


def plan(given: Given, files: Mapping[int, str]) -> Statement:
    """The whole query in one statement.

    :param files: segment id → path.
    :raises QueryError: with the place of the mistake.
    """
    return planned(given).statement(given, files)


def planned(given: Given) -> Planned:
    """The stages as SQL over events.

    :raises QueryError: with the place of the mistake.
    """
    cut, stages = final_cut(given)
    relation = apply_stages(given, relation_of(given), stages)
    outputs, columns = output_columns(relation)
    select = relation.select(*columns)
    if (order := relation.ordering()) is not None:
        select.set("order", order)
    return Planned(relation, select.limit(cut + 1, copy=False), outputs, cut)


def plan_newest(
    given: Given, segments: Sequence[Segment], files: Mapping[int, str], older_than_cut_ns: int | None
) -> Statement:
    """The first rows of an answer of events: only the time, the segment's id and the row's number in its file.

    :param older_than_cut_ns: rows older than this cannot be among them.
    """
    cut, stages = final_cut(given)
    relation = relation_of(given)
    moment = relation.scanned[0].needed["timestamp", "time"]
    relation = apply_stages(
        given, relation, [stage for stage in stages if not isinstance(stage, Fields)] if not depends(stages) else stages
    )
    select = relation.select(sql.column(moment), *(sql.column(name) for name in HIDDEN))
    if (order := relation.ordering()) is not None:
        select.set("order", order)
    select = select.limit(cut + 1, copy=False)
    bounds = given.bounds
    if older_than_cut_ns is not None:
        bounds = replace(bounds, from_ns=max(older_than_cut_ns, bounds.from_ns or older_than_cut_ns))
    given = replace(given, segments=tuple(segments), bounds=bounds)
    source = scanned(given, relation.scanned[0].needed, files)
    return Statement(written(relation, select, {EVENTS: source.select}), (), cut, source.segments)


def depends(stages: Sequence[object]) -> bool:
    """Whether a stage after `fields` may mean a column by what `fields` left."""
    seen = False
    for stage in stages:
        if seen and not isinstance(stage, Limit | Fields):
            return True
        seen = seen or isinstance(stage, Fields)
    return False


def plan_fetch(given: Given, files: Mapping[int, str], chosen: Sequence[tuple[int, int]]) -> Statement:
    """The full columns of chosen rows, (segment id, row), in any order; `_file` and `_row` stand last beside them."""
    rows: dict[int, list[int]] = {}
    for segment, row in chosen:
        rows.setdefault(segment, []).append(row)
    members = [segment for segment in given.segments if segment.id in rows]
    if members:
        given = replace(given, schema=narrowed(given, members))
    cut, stages = final_cut(given)
    relation = relation_of(given)
    relation = apply_stages(
        given, relation, [stage for stage in stages if not isinstance(stage, Limit | Where) or depends(stages)]
    )
    outputs, columns = output_columns(relation)
    needed = relation.scanned[0].needed
    source = scan(members, files, needed, Everything(), Bounds(), given.schema, given.context, rows=rows,
                  overflowing=given.overflowing)  # fmt: skip
    select = relation.select(*columns, *(sql.column(name) for name in HIDDEN))
    made = written(relation, select, {EVENTS: source.select})
    return Statement(made, outputs, cut, source.segments, is_open=relation.events is not None)


def narrowed(given: Given, segments: Sequence[Segment]) -> Schema:
    """The fields that these segments have, or that the query names. The others, thousands maybe, would be null."""
    present = {column.field for segment in segments for column in segment.columns}
    tops = [given.query.search, *(node for stage in given.query.stages for node in stage.nodes())]
    present |= {node.name for top in tops for node in top.walk() if isinstance(node, Name)}
    return {name: kinds for name, kinds in given.schema.items() if name in present}


def plan_rows(given: Given, files: Mapping[int, str]) -> str:
    """SQL for the rows that the search finds, of one segment: their numbers in the file, `_row`.

    :raises QueryError: with the place of the mistake.
    """
    return scanned(given, {}, files).select.sql(dialect=sql.DIALECT)


def output_columns(relation: Relation) -> tuple[tuple[Output, ...], list[Expr]]:
    """The answer's columns, and their SQL; a column that is null throughout has none."""
    outputs, columns = [], []
    for name, value in relation.output().items():
        kinds = tuple((kind, value.kinds[kind].name) for kind in ORDER if kind in value.kinds)
        outputs.append(Output(name, value.type, kinds))
        columns += [sql.column(column) for _, column in kinds]
    columns = list({column.name: column for column in columns}.values())
    return tuple(outputs), columns or [sql.alias(sql.integer(1), "nothing")]


def sources_of(given: Given, relation: Relation, files: Mapping[int, str]) -> dict[str, Expr]:
    """The scans of what the stages asked for, by the name of their rows."""
    return {
        events.source: scanned(
            given if events.part is None else given.inner.get(events.part, given), events.needed, files
        ).select
        for events in relation.scanned
    }


def scanned(given: Given, needed: Mapping[tuple[str, str], str], files: Mapping[int, str]) -> Scan:
    """The scan of the events that the search finds, with these columns: (field, kind) → name."""
    try:
        return scan(
            given.segments,
            files,
            needed,
            given.query.search,
            given.bounds,
            given.schema,
            given.context,
            given.templates,
            given.filters,
            given.parts,
            overflowing=given.overflowing,
            shift_ns=given.shift_ns,
        )
    except Mistake as mistake:
        raise mistake.error(given.query.text) from None


def written(relation: Relation, select: exp.Select, sources: Mapping[str, Expr]) -> str:
    """The text of the statement: the scans and each stage as a WITH, then the answer."""
    return with_steps(select, [*sources.items(), *relation.steps])


def with_steps(select: exp.Select, steps: Iterable[tuple[str, Expr]]) -> str:
    """The text of a SELECT over steps that have names."""
    for name, step in steps:
        select = select.with_(exp.to_identifier(name, quoted=True), as_=step, copy=False)
    return select.sql(dialect=sql.DIALECT, copy=False)


def counts_only(given: Given) -> str | None:
    """The column's name where the answer is the number of all events of whole segments, which the catalog knows."""
    stages = given.query.stages
    if len(stages) != 1 or not isinstance(stages[0], Stats) or not isinstance(given.query.search, Everything):
        return None
    stats = stages[0]
    item = stats.aggregates[0]
    is_count = item.node == Call("count", (), at=item.node.at) or (
        isinstance(item.node, Name) and item.node.name.lower() == "count"
    )
    whole = all(map(given.bounds.covers, given.segments))
    return (item.name or "count") if len(stats.aggregates) == 1 and not stats.keys and is_count and whole else None


def newest_first(given: Given) -> tuple[bool, bool]:
    """Whether the answer is of events that are looked for with few columns first, and whether segment by segment."""
    if not all(stage.keeps_events for stage in given.query.stages) or final_cut(given)[0] > MAX_ROWS:
        return False, False
    return True, stepwise(given.query.stages)


def stepwise(stages: Sequence[Any]) -> bool:
    """Whether each event is found by itself, so that the newest of the answer are in the newest segments."""
    limits = [i for i, stage in enumerate(stages) if isinstance(stage, Limit)]
    streaming = ("where", "extend", "parse", "fields", "drop", "rename", "limit", "sample")
    after = stages[limits[0] + 1 :] if limits else ()
    return all(stage.name in streaming for stage in stages) and all(stage.name in streaming[1:6] for stage in after)
