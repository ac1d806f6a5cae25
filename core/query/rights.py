"""What a role may see of the events: those that a search finds, with some fields masked.

A restricted request never meets a whole segment. Each segment is put in the place of what the role sees of it: fewer
rows, fewer columns, and a source that filters and masks before anything else is done (`Through`). What the planner
knows of the data (names, kinds, counts, the first and the last time) is of the permitted rows alone, so that an answer
is the one over a store that holds nothing else.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import msgspec
from msgspec import structs
from sqlglot import exp

from ...plugins.errors import QueryError
from ...plugins.fields import OVERFLOW
from ..storage.segment import FieldColumn, Segment
from . import sql
from .duck import Duck, Running
from .expressions import condition
from .overflow import KINDS, member, opened, with_members
from .parser import parse
from .prune import Bounds
from .regexes import check_regexes
from .request import Cache, Mask, Rights
from .scan import GroupScope, Seen, layout_of, read_parquet, searched_fields
from .scope import ALIASES, STANDARD_KINDS, Context
from .sql import Expr
from .tree import Mistake, Name, Query

STARS: Final = "***"
HASH_DIGITS: Final = 16
UNMASKABLE: Final = frozenset({"timestamp", "observed_timestamp", "severity"})
"""Fields that every answer is ordered or coloured by."""
MOST_VIEWS: Final = 50_000  # segments times roles whose view is remembered
MOST_RIGHTS: Final = 200
MOST_FILES: Final = 64  # of one statement that looks at new segments
MOST_MASKS: Final = 100
_NOW: Final = (0, 10**18)  # two moments: a search that means something else at each is none for a role


def checked_rights(rights: Rights, duck: Duck) -> Rights:
    """The rights, if they can be followed.

    :raises QueryError: the search is none, has stages, or depends on the time; a field cannot be masked
    """
    if len(rights.masks) > MOST_MASKS:
        raise QueryError(f"{len(rights.masks)} masked fields are too many; use at most {MOST_MASKS}", text="")
    names = [mask.field for mask in rights.masks]
    for name in names:
        if name in UNMASKABLE or not name or names.count(name) > 1:
            why = "named twice" if names.count(name) > 1 else "what events are ordered by" if name else "no name"
            raise QueryError(f"the field {name[:60]!r} cannot be masked: it is {why}", text="")
    query = _search_of(rights)
    check_regexes(query, duck)
    named = {node.name for node in query.search.walk() if isinstance(node, Name)} - ALIASES.keys()
    schema = {name: (STANDARD_KINDS.get(name, "text"),) for name in sorted(named | {"timestamp"})}
    columns = tuple(FieldColumn(name, kinds[0], name, 0) for name, kinds in schema.items())
    some = structs.replace(_NOTHING, columns=columns)
    layout = layout_of(some, searched_fields([query.search], schema), Bounds())
    try:
        tests = {condition(query.search, GroupScope(Context(now), schema, layout)).sql(sql.DIALECT) for now in _NOW}
    except Mistake as mistake:
        raise mistake.error(rights.search) from None
    if len(tests) > 1:
        raise QueryError("a role's search must mean the same tomorrow, and this one depends on the time of now",
                         text=rights.search, hint="name a time in full, as 2026-01-31T12:00:00Z")  # fmt: skip
    return rights


def _search_of(rights: Rights) -> Query:
    query = parse(rights.search)
    if query.stages:
        raise query.error("a role sees what a search finds: it has no stages", query.stages[0].at,
                          "only the search, before the first `|`")  # fmt: skip
    return query


_NOTHING: Final = Segment(0, 0, "", 0, 0, 0, 0, 0, 0, 0, (FieldColumn("timestamp", "time", "timestamp", 0),), None,
                          None, 0)  # fmt: skip
_Key: TypeAlias = tuple[Rights, int]


@dataclass(frozen=True)
class Through:
    """The way to a segment's rows: equal where `key` is."""

    key: str
    test: Expr = field(compare=False)
    masked: Mapping[str, Expr] = field(compare=False)
    """Column → what stands in the place of it."""

    def rows(self, files: Sequence[str], columns: Sequence[str]) -> exp.Subquery:
        """The permitted rows of the files with these columns, and with the number of file and row."""
        shown = [
            sql.alias(self.masked[name].copy(), name) if name in self.masked else sql.column(name) for name in columns
        ]
        places = [sql.column("file_index"), sql.column("file_row_number")]
        select = exp.Select(expressions=[*shown, *places]).from_(read_parquet(files), copy=False)
        if self.test != sql.TRUE:
            select = select.where(self.test.copy(), copy=False)
        return exp.Subquery(this=select)


class Views:
    """What roles see of segments: made once for each, by one look at the segment's columns, and remembered."""

    def __init__(self, cache: Cache, duck: Duck) -> None:
        self._cache, self._duck = cache, duck
        self._known: OrderedDict[_Key, Segment | None] = OrderedDict()
        self._searches: OrderedDict[Rights, Query] = OrderedDict()

    async def of(self, rights: Rights, segments: Sequence[Segment], bounds: Bounds, running: Running) -> list[Segment]:
        """What is seen of each segment, in their order; those without a permitted row in this range are left out.

        :raises SegmentGoneError: a segment was replaced meanwhile
        :raises SegmentDamagedError: its bytes cannot be had
        """
        new = [segment for segment in segments if (rights, segment.id) not in self._known]
        groups: dict[tuple[str, tuple[tuple[str, str, str], ...]], list[Segment]] = {}
        made = {segment.id: self._seen(rights, segment) for segment in new}
        for segment in new:
            view = made[segment.id]
            columns = tuple((column.field, column.column, column.kind) for column in view.columns)
            groups.setdefault((view.through.key, columns), []).append(segment)
        for group in groups.values():
            for start in range(0, len(group), MOST_FILES):
                part = group[start : start + MOST_FILES]
                await self._look(rights, [made[segment.id] for segment in part], running)
        found = [self._known[rights, segment.id] for segment in segments]
        while len(self._known) > MOST_VIEWS:
            self._known.popitem(last=False)
        return [view for view in found if view is not None and bounds.meets_time(view)]

    async def _look(self, rights: Rights, views: Sequence[Seen], running: Running) -> None:
        """Count the rows and values of views of one form."""
        paths = await self._cache.paths(views)
        through, columns = views[0].through, [column.column for column in views[0].columns]
        figures = [
            sql.column("file_index"),
            sql.sql("count(*)"),
            sql.sql("epoch_ns(min(:t))", t=sql.column("timestamp")),
            sql.sql("epoch_ns(max(:t))", t=sql.column("timestamp")),
            *(sql.sql("count(:x)", x=sql.column(name)) for name in columns),
        ]
        source = through.rows([str(paths[view.id]) for view in views], list(dict.fromkeys(("timestamp", *columns))))
        select = exp.Select(expressions=[sql.alias(tree, f"n{i}") for i, tree in enumerate(figures)])
        select = select.from_(source, copy=False)
        select.set("group", exp.Group(expressions=[exp.Literal.number(1)]))
        table = await self._duck.table(select.sql(dialect=sql.DIALECT), running)
        rows = {row[0]: row[1:] for row in zip(*(column.to_pylist() for column in table.columns), strict=True)}
        for i, view in enumerate(views):
            self._known[rights, view.id] = None if i not in rows else _counted(view, *rows[i])

    def _seen(self, rights: Rights, segment: Segment) -> Seen:
        """The view of a segment, as if all its rows were permitted."""
        masked: dict[str, Expr] = {}
        gone: set[str] = set()
        columns: list[FieldColumn] = []
        for i, mask in enumerate(rights.masks):
            own = segment.kinds(mask.field)
            texts = [sql.cast(sql.column(column.column), "VARCHAR") for column in own]
            if segment.overflow is not None and mask.field != OVERFLOW:
                whole = sql.column(segment.overflow.column)
                texts += [sql.cast(member(whole, mask.field, kind), "VARCHAR") for kind in KINDS]
            if not texts:
                continue
            gone |= {column.column for column in own}
            name = "message" if mask.field == "message" else f"_masked_{i}"
            masked[name] = _masked(texts, mask, rights.salt)
            columns.append(FieldColumn(mask.field, "text", name, 0))
            if mask.field == "message":
                gone.add("_template")  # it is made of the message; so it is of the masked one
        overflow = segment.overflow
        if overflow is not None and rights.masks and overflow.column not in gone:
            masked[overflow.column] = _without(sql.column(overflow.column), [mask.field for mask in rights.masks])
        kept = [column for column in segment.columns if column.column not in gone]
        test = self._test(rights, segment)
        read = {column.name for tree in (test, *masked.values()) for column in tree.find_all(exp.Column)}
        key = "\n".join([
            test.sql(sql.DIALECT),
            *(f"{name}={tree.sql(sql.DIALECT)}" for name, tree in masked.items()),
            # Files are read together, and a column of theirs as one type.
            *(f"{column.column} {column.kind}" for column in segment.columns if column.column in read),
        ])  # fmt: skip
        names = {mask.field for mask in rights.masks}
        made = structs.asdict(segment) | {
            "columns": (*kept, *columns),
            "bytes": 0,
            "services": None if "service" in names else segment.services,
            "hosts": None if "host" in names else segment.hosts,
        }
        return Seen(**made, through=Through(key, test, masked))

    def _test(self, rights: Rights, segment: Segment) -> Expr:
        """What permits a row, in the columns of the segment's file. Names mean what they mean in this segment."""
        query = self._searches.get(rights)
        if query is None:
            query = self._searches[rights] = _search_of(rights)
            if len(self._searches) > MOST_RIGHTS:
                self._searches.popitem(last=False)
        kinds: dict[str, tuple[str, ...]] = {}
        for column in segment.columns:
            kinds[column.field] = (*kinds.get(column.field, ()), column.kind)
        overflowing = opened(query, kinds) if segment.overflow is not None else frozenset()
        schema = with_members(kinds, overflowing) if overflowing else kinds
        layout = layout_of(segment, searched_fields([query.search], schema), Bounds(), overflowing)
        try:
            return condition(query.search, GroupScope(Context(0), schema, layout))
        except Mistake as mistake:
            raise mistake.error(query.text) from None


def _masked(texts: Sequence[Expr], mask: Mask, salt: str) -> Expr:
    """What is shown in the place of a value, of whatever kind it is: nothing where there is none."""
    value = exp.Coalesce(this=texts[0], expressions=list(texts[1:])) if len(texts) > 1 else texts[0]
    if mask.how == "hash":
        return sql.sql(
            "CASE WHEN :x IS NOT NULL THEN left(sha256(concat(:s, :x)), :n) END", s=salt, x=value, n=HASH_DIGITS
        )
    return sql.sql("CASE WHEN :x IS NOT NULL THEN :s END", x=value, s=STARS)


def _without(overflow: Expr, names: Sequence[str]) -> Expr:
    """The overflow without these members."""
    patch = msgspec.json.encode(dict.fromkeys(names)).decode()
    return sql.sql(
        "CASE WHEN starts_with(:o, '{') THEN NULLIF(CAST(json_merge_patch(:o, :p) AS VARCHAR), '{}') ELSE :o END",
        o=overflow, p=patch,
    )  # fmt: skip


def _counted(view: Seen, rows: int, first: int, last: int, *counts: int) -> Seen:
    columns = tuple(
        structs.replace(column, nulls=rows - count) for column, count in zip(view.columns, counts, strict=True) if count
    )
    return structs.replace(view, rows=rows, min_time=first, max_time=last, columns=columns)
