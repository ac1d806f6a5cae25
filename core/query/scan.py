"""The scan at the bottom of every query: segments of equal layout of what is needed are read by one SELECT."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlglot import exp

from ...plugins.fields import OVERFLOW
from ..storage.encode import VARIABLE, VARIABLE_TOKEN
from ..storage.segment import Segment
from ..storage.token_filter import TokenFilter
from . import sql
from .expressions import condition
from .overflow import KINDS, member
from .prune import Bounds, meaning
from .row_groups import Runs, runs
from .scope import (
    POSITION,
    SEGMENT,
    STANDARD_KINDS,
    TEMPLATE,
    Context,
    Schema,
    field_of,
    message_phrase,
    unknown_in_events,
)
from .sql import Expr
from .templates import TemplateFacts, template_phrase
from .tree import Call, FieldCompare, FieldContains, Name, Node, Regex, Text, Word
from .value import SQL_TYPES, Value, coalesce

# What a file need not say of its rows, since it is the same for all: where it has no column.
OF_SEGMENT: Mapping[tuple[str, str], Callable[[Segment], int]] = {
    (POSITION, "int"): lambda segment: segment.min_position,
    (SEGMENT, "int"): lambda segment: segment.id,
}
LISTED_RUN = 16  # rows of a run up to which naming each is cheaper for DuckDB than their bounds
MOST_ALONE = 64  # segments of which chosen rows are fetched each by a SELECT of its own


@dataclass(frozen=True)
class Layout:
    """Where the fields are in the files of a group: (field, kind) → physical column. What is absent is null."""

    columns: Mapping[tuple[str, str], str]
    needs_time: bool
    needs_positions: bool
    overflow: str = ""
    """The column that has the fields without one, if there is any."""
    overflowing: frozenset[str] = frozenset()
    """The fields that are looked for in it."""
    shift_ns: int = 0
    """How much later than it was every event seems."""

    def kinds(self, field: str) -> dict[str, Expr]:
        """The field's columns by kind."""
        kinds = [kind for name, kind in self.columns if name == field]
        if self._overflows(field):
            kinds += (kind for kind in KINDS if kind not in kinds)
        return {kind: self.value(field, kind) for kind in kinds}

    def has(self, field: str, kind: str) -> bool:
        """Whether values of this kind can be here."""
        return (field, kind) in self.columns or (self._overflows(field) and kind in KINDS)

    def _overflows(self, field: str) -> bool:
        return bool(self.overflow) and field in self.overflowing

    def value(self, field: str, kind: str) -> Expr:
        """The field's column of a kind that it has here. Commits as they came have no templates: those are made."""
        if self._overflows(field) and (field, kind) != (OVERFLOW, "json"):
            found = member(sql.column(self.overflow), field, kind)
            own = self.columns.get((field, kind))
            return found if own is None else coalesce([sql.column(own), found], SQL_TYPES[kind])
        column = self.columns[field, kind]
        if field == "timestamp" and self.shift_ns:
            return sql.sql("make_timestamp_ns(epoch_ns(:t) + :n)", t=sql.column(column), n=self.shift_ns)
        if field == TEMPLATE and column == "message":
            return sql.sql(
                "regexp_replace(:m, :token, :mark, 'g')", m=sql.column(column), token=VARIABLE_TOKEN, mark=VARIABLE
            )
        return sql.column(column)


@dataclass(frozen=True)
class Scan:
    """The SELECT of the events; `_file` in it counts through `segments`, the ids in the order of the groups."""

    select: Expr
    segments: tuple[int, ...]


class Source(Protocol):
    """What reads a segment's files, and shows of them what may be seen."""

    @property
    def key(self) -> str:
        """Equal sources have equal keys."""

    def rows(self, files: Sequence[str], columns: Sequence[str]) -> exp.Subquery:
        """The rows with these columns, `file_index` and `file_row_number`."""


class Seen(Segment, frozen=True, kw_only=True):
    """A segment as a role sees it: rows, times and columns are of what `through` lets through."""

    through: Source


@dataclass(frozen=True)
class GroupScope:
    """Names in the search, resolved to the physical columns of one group."""

    context: Context
    schema: Schema
    layout: Layout
    templates: TemplateFacts | None = None

    def field(self, name: str) -> Value | None:
        """The field's columns in this group; null where it has none; None where no segment knows it."""
        if name != TEMPLATE and name not in STANDARD_KINDS and name not in self.schema:
            return None
        return Value(self.layout.kinds(name))

    def known(self) -> Iterable[str]:
        """For hints."""
        return {*STANDARD_KINDS, *self.schema}

    def missing(self, name: Name) -> Value:
        """Null, with a warning."""
        return unknown_in_events(self.context, name, self.known() if self.schema else ())

    def phrase(self, text: str, *, exact: bool = False) -> Expr:
        """Whether the message contains the text; by its template alone where that is certain."""
        message = self.field("message")
        whole = message_phrase(message, text, exact=exact)
        template = self.layout.kinds(TEMPLATE).get("text")
        if self.templates is None or template is None or whole == sql.FALSE:
            return whole
        return template_phrase(text, whole, template, self.templates, exact=exact)

    def aggregate(self, call: Call) -> Value | None:
        """Events are no groups."""
        return None


def searched_fields(nodes: Iterable[Node], schema: Schema) -> set[str]:
    """The fields that conditions read, aliases resolved."""
    found: set[str] = set()
    for top in nodes:
        for node in top.walk():
            match node:
                case Name(name=name):
                    found |= {meaning(name, schema), name}
                case Word() | Text() | Regex() | FieldContains():
                    found |= {"message", TEMPLATE}
                case FieldCompare(field=Name(name="pattern")):
                    found |= {"message", TEMPLATE}
    return found


def layout_of(
    segment: Segment,
    fields: set[str],
    bounds: Bounds,
    overflowing: frozenset[str] = frozenset(),
    shift_ns: int = 0,
) -> Layout:
    """Where a segment has the fields."""
    columns = {
        (field, column.kind): column.column for column in segment.columns if (field := field_of(column)) in fields
    }
    if TEMPLATE in fields and (TEMPLATE, "text") not in columns and segment.kinds("message"):
        columns[TEMPLATE, "text"] = "message"
    needs_positions = not bounds.covers_positions(segment)
    if needs_positions and segment.min_position != segment.max_position:
        columns[POSITION, "int"] = "_position"
    needs_time = not bounds.covers_time(segment)
    if needs_time:
        columns["timestamp", "time"] = "timestamp"
    overflow = segment.overflow if overflowing & fields else None
    where = overflow.column if overflow else ""
    return Layout(columns, needs_time, needs_positions, where, overflowing & fields, shift_ns)


def grouped(
    segments: Sequence[Segment],
    fields: set[str],
    bounds: Bounds,
    templates: Mapping[int, frozenset[str] | None] | None = None,
    overflowing: frozenset[str] = frozenset(),
    shift_ns: int = 0,
) -> list[tuple[Layout, list[Segment]]]:
    """The segments by equal layout of these fields, and by whether their templates are known."""
    groups: dict[tuple[object, ...], tuple[Layout, list[Segment]]] = {}
    for segment in segments:
        layout = layout_of(segment, fields, bounds, overflowing, shift_ns)
        key = (*sorted(layout.columns.items()), layout.needs_time, layout.needs_positions, layout.overflow,
               templates is not None and templates.get(segment.id) is not None,
               segment.through.key if isinstance(segment, Seen) else None)  # fmt: skip
        groups.setdefault(key, (layout, []))[1].append(segment)
    return list(groups.values())


def read_parquet(files: Sequence[str]) -> exp.Table:
    """The files as a table, with `file_index` and `file_row_number` beside their columns."""
    listed = exp.Array(expressions=[exp.Literal.string(file) for file in files])
    return exp.Table(this=exp.Anonymous(this="read_parquet", expressions=[listed]))


def rows_of(segments: Sequence[Segment], files: Mapping[int, str], layout: Layout) -> Expr:
    """The rows of segments of one layout: of those that somebody may see in part, that part."""
    paths = [files[segment.id] for segment in segments]
    first = segments[0]
    if not isinstance(first, Seen):
        return read_parquet(paths)
    columns = [*layout.columns.values(), *([layout.overflow] if layout.overflow else [])]
    return first.through.rows(paths, list(dict.fromkeys(columns)))


def scan(
    segments: Sequence[Segment],
    files: Mapping[int, str],
    needed: Mapping[tuple[str, str], str],
    search: Node,
    bounds: Bounds,
    schema: Schema,
    context: Context,
    templates: Mapping[int, frozenset[str] | None] | None = None,
    filters: Mapping[int, TokenFilter] | None = None,
    parts: Mapping[int, Runs] | None = None,
    rows: Mapping[int, Sequence[int]] | None = None,
    overflowing: frozenset[str] = frozenset(),
    shift_ns: int = 0,
) -> Scan:
    """SELECT of the events: the needed columns under their plan names, `_file` and `_row`.

    :param needed: (field, kind) → the name that the plan gave the column.
    :param parts: the rows of a segment outside of which nothing can match; of others all are read.
    :param rows: only these rows of each segment; they are known to match, the search is left out.
    :param overflowing: fields that are also looked for in a segment's overflow.
    :param shift_ns: how much later than it was every event seems; the segments and bounds are in that time.
    """
    fields = {field for field, _ in needed} | (searched_fields([search], schema) if rows is None else set())
    selects = []
    ids: list[int] = []
    alone = {} if rows is None or len(rows) > MOST_ALONE else {id_: runs(numbers) for id_, numbers in rows.items()}
    read = [segment for segment in segments if parts is None or parts.get(segment.id) != ()]
    within = bounds if rows is None else Bounds()
    for layout, group in grouped(read, fields, within, templates, overflowing, shift_ns):
        columns = {
            name: layout.value(*key) if layout.has(*key) else sql.cast(sql.NULL.copy(), SQL_TYPES[key[1]])
            for key, name in needed.items()
        }
        where = sql.TRUE
        if rows is None:
            facts = TemplateFacts.of(templates, filters or {}, group) if templates is not None else None
            scope = GroupScope(context, schema, layout, facts)
            where = sql.all_of([*range_tests(layout, bounds), condition(search, scope)])
        for members, spans in divided(group, alone or parts or {}):
            place = [
                sql.alias(sql.sql("CAST(:i AS BIGINT) + :n", i=sql.column("file_index"), n=len(ids)), "_file"),
                sql.alias(sql.column("file_row_number"), "_row"),
            ]
            ids += (segment.id for segment in members)
            if rows is not None and not spans:
                test = sql.any_of(
                    row_test(i, rows[segment.id], alone=len(members) == 1) for i, segment in enumerate(members)
                )
            else:
                test = sql.all_of([*([in_runs(spans)] if spans else []), where.copy()])
            own = (
                sql.alias(columns[name].copy() if layout.has(*key) or key not in OF_SEGMENT
                          else of_segment(members, OF_SEGMENT[key]), name)
                for key, name in needed.items()
            )  # fmt: skip
            select = exp.Select(expressions=[*own, *place]).from_(rows_of(members, files, layout), copy=False)
            selects.append(select if test == sql.TRUE else select.where(test, copy=False))
    if not selects:
        nulls = [sql.alias(sql.cast(sql.NULL.copy(), SQL_TYPES[kind]), name) for (_, kind), name in needed.items()]
        nulls += [sql.alias(sql.cast(sql.NULL.copy(), "BIGINT"), name) for name in ("_file", "_row")]
        return Scan(exp.Select(expressions=nulls).where(sql.FALSE.copy(), copy=False), ())
    union: Expr = selects[0]
    for select in selects[1:]:
        union = exp.Union(this=union, expression=select, distinct=False)
    return Scan(union, tuple(ids))


def of_segment(segments: Sequence[Segment], get: Callable[[Segment], int]) -> Expr:
    """A number that each of the segments has, in the SELECT that reads their files."""
    numbers = [sql.cast(sql.integer(get(segment)), "BIGINT") for segment in segments]
    if all(number == numbers[0] for number in numbers):
        return numbers[0]
    return sql.sql(
        "list_extract(:l, CAST(:i AS BIGINT) + 1)", l=exp.Array(expressions=numbers), i=sql.column("file_index")
    )


def divided(segments: Sequence[Segment], parts: Mapping[int, Runs]) -> Iterable[tuple[Sequence[Segment], Runs | None]]:
    """The segments that are read whole, together; each other alone: DuckDB skips row groups of a single file only."""
    whole = [segment for segment in segments if segment.id not in parts]
    if whole:
        yield whole, None
    for segment in segments:
        if segment.id in parts:
            yield [segment], parts[segment.id]


def in_runs(runs: Runs) -> Expr:
    """Whether a row is in one of the runs of its file. Short runs as one list: of a thousand, a tenth of the time.

    >>> in_runs(((3, 3), (7, 8))).sql("duckdb"), in_runs(((0, 32767),)).sql("duckdb")
    ('"file_row_number" IN (3, 7, 8)', '("file_row_number" BETWEEN 0 AND 32767)')
    """
    number = sql.column("file_row_number")
    count = sum(last - first + 1 for first, last in runs)
    if count <= LISTED_RUN * len(runs):
        rows = [sql.integer(row) for first, last in runs for row in range(first, last + 1)]
        return exp.In(this=number, expressions=rows)
    return sql.any_of(sql.sql(":n BETWEEN :a AND :b", n=number, a=first, b=last) for first, last in runs)


def row_test(file: int, rows: Sequence[int], *, alone: bool) -> Expr:
    """Whether a row is one of these of the file."""
    test = in_runs(runs(rows))
    return test if alone else sql.all_of([sql.sql(":f = :i", f=sql.column("file_index"), i=file), test])


def range_tests(layout: Layout, bounds: Bounds) -> list[Expr]:
    """The request's time range and positions, where a segment lies not wholly inside."""
    tests = []
    if layout.needs_time:
        moment = sql.column("timestamp")
        if bounds.from_ns is not None:
            tests.append(sql.sql(":t >= :a", t=moment, a=sql.time(bounds.from_ns - layout.shift_ns)))
        if bounds.to_ns is not None:
            tests.append(sql.sql(":t < :a", t=moment, a=sql.time(bounds.to_ns - layout.shift_ns)))
    if layout.needs_positions:
        position = sql.column("_position")
        if bounds.after_position is not None:
            tests.append(sql.sql(":p > :a", p=position, a=bounds.after_position))
        if bounds.upto_position is not None:
            tests.append(sql.sql(":p <= :a", p=position, a=bounds.upto_position))
    return tests
