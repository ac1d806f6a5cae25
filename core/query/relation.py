"""`Relation`: the rows between two stages, and the SQL that makes them. Each stage adds one or more named subqueries.

Rows of a relation over events are "open": a name that no stage has made resolves to the events' field, and the scan
notes that it is needed; in the end the scan reads just the noted columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from sqlglot import exp

from . import sql
from .scope import (
    POSITION,
    SEGMENT,
    STANDARD_KINDS,
    TEMPLATE,
    Context,
    Schema,
    message_phrase,
    unknown_column,
    unknown_in_events,
)
from .sql import Expr
from .tree import Call, Name, Part, Query
from .value import ORDER, Value, sort_keys

HIDDEN = ("_file", "_row")  # of an event's row: which file of the plan, and which row in it


@dataclass(frozen=True)
class Order:
    """A column to order by; nulls are last in either direction."""

    column: str
    descending: bool = False


@dataclass
class Events:
    """A scan at the bottom: which fields there are, and which columns the stages asked for so far.

    `source` is the name of its rows; `part` the sub-query that reads them, None for the query itself.
    """

    is_table: ClassVar[bool] = False
    """Whether it has these columns and no others."""

    schema: Schema
    source: str = "events"
    part: Part | None = None
    needed: dict[tuple[str, str], str] = field(default_factory=dict)

    def value(self, name: str, names: Names) -> Value | None:
        """The field's columns, noted as needed; None: no segment and no standard has it."""
        if name == TEMPLATE:
            kinds: tuple[str, ...] = ("text",)
        elif name in (POSITION, SEGMENT):
            kinds = ("int",)
        elif name in STANDARD_KINDS:
            kinds = (STANDARD_KINDS[name],)
        elif name in self.schema:
            kinds = self.schema[name]
        else:
            return None
        for kind in kinds:
            if (name, kind) not in self.needed:
                self.needed[name, kind] = names.of(name, kind, name if len(kinds) == 1 else f"{name}_{kind}")
        return Value({kind: sql.column(self.needed[name, kind]) for kind in kinds})

    def fields(self) -> list[str]:
        """Standard fields in their order of display, then attributes by name."""
        first = ["timestamp", "severity", "service", "host", "message", "trace_id", "span_id", "source", "parse_error",
                 "severity_text"]  # fmt: skip
        return first + sorted(name for name in self.schema if name not in STANDARD_KINDS)


@dataclass(frozen=True)
class United:
    """The events of several scans below one another: a field has the kinds that it has in any of them."""

    is_table: ClassVar[bool] = False

    parts: tuple[Events | United, ...]

    @property
    def schema(self) -> Schema:
        """What any of them has."""
        return {name: kinds for part in self.parts for name, kinds in part.schema.items()}

    def value(self, name: str, names: Names) -> Value | None:
        """See `Events.value`; a kind's column is called the same in every scan."""
        found = [value for part in self.parts if (value := part.value(name, names)) is not None]
        kinds = {kind: tree for value in found for kind, tree in value.kinds.items()}
        return Value({kind: kinds[kind] for kind in ORDER if kind in kinds}) if found else None

    def fields(self) -> list[str]:
        """See `Events.fields`."""
        return list(dict.fromkeys(name for part in self.parts for name in part.fields()))


class Names:
    """Gives out column names that are new in the query, readable, and plain whatever the field is called."""

    def __init__(self) -> None:
        self._taken: set[str] = {*HIDDEN, "_seq", "_position"}
        self._fields: dict[tuple[str, str], str] = {}

    def of(self, name: str, kind: str, wish: str) -> str:
        """The name for a field's column of a kind, the same in every scan: so scans can be put below one another."""
        if (name, kind) not in self._fields:
            self._fields[name, kind] = self.new(wish)
        return self._fields[name, kind]

    def new(self, wish: str) -> str:
        """A name like the wish that was not given out before.

        >>> names = Names()
        >>> names.new("http.status"), names.new("Http.Status"), names.new("ß\\"; --")
        ('http_status', 'http_status_2', 'c')
        """
        base = re.sub(r"[^a-z0-9_]+", "_", wish.lower(), flags=re.ASCII).strip("_")[:40] or "c"
        name, number = base, 1
        while name in self._taken:
            number += 1
            name = f"{base}_{number}"
        self._taken.add(name)
        return name


@dataclass(frozen=True)
class Relation:
    """Rows. `columns` are those that stages made, by name, in order; `events` gives the others while it is open.

    `order` says how the rows are ordered when somebody asks (a limit, the answer); `hidden` are columns carried along
    for that, `keys` the names of the columns by which the rows were grouped. `inner` plans a sub-query into the same
    statement, over events that seem later by a number of nanoseconds. `names`, `steps`, `scanned` and the warnings are
    shared by all relations of a plan and only ever grow.
    """

    context: Context
    names: Names
    steps: list[tuple[str, Expr]]
    source: str
    scanned: list[Events]
    inner: Callable[[Query, int], Relation]
    columns: Mapping[str, Value] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    events: Events | United | None = None
    order: tuple[Order, ...] = ()
    hidden: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    # ---- Scope ------------------------------------------------------------------------------------------------------

    def field(self, name: str) -> Value | None:
        """The value under this name, made by a stage or a field of the events."""
        if name in self.columns:
            return self.columns[name]
        if self.events is None or name in self.dropped:
            return None
        return self.events.value(name, self.names)

    def known(self) -> Iterable[str]:
        """Names for hints."""
        rest = set(self.events.fields()) - self.dropped if self.events else set()
        return set(self.columns) | rest

    def missing(self, name: Name) -> Value:
        """Null and a warning over events, a mistake elsewhere."""
        if self.events is None or self.events.is_table:
            raise unknown_column(name, self.known())
        return unknown_in_events(self.context, name, self.known() if self.events.schema else ())

    def phrase(self, text: str, *, exact: bool = False) -> Expr:
        """Whether the message contains the text."""
        return message_phrase(self.field("message"), text, exact=exact)

    def aggregate(self, call: Call) -> Value | None:
        """Rows are no groups."""
        return None

    # ---- making new ones --------------------------------------------------------------------------------------------

    def output(self) -> dict[str, Value]:
        """The columns a person sees, in order."""
        found = {name: value for name in self.events.fields() if name not in self.dropped and name not in self.columns
                 and (value := self.field(name)) is not None} if self.events else {}  # fmt: skip
        return {**found, **self.columns}

    def select(self, *columns: Expr) -> exp.Select:
        """SELECT columns FROM this relation."""
        return exp.Select(expressions=list(columns) or [exp.Star()]).from_(self.table(), copy=False)

    def then(self, select: Expr, **changes: object) -> Relation:
        """The relation that a query over this one makes."""
        name = f"t{len(self.steps) + 1}"
        self.steps.append((name, select))
        return replace(self, source=name, **changes)  # type: ignore[arg-type]

    def table(self, alias: str | None = None) -> exp.Table:
        """This relation behind FROM or JOIN."""
        named = exp.TableAlias(this=exp.to_identifier(alias, quoted=True)) if alias else None
        return exp.Table(this=exp.to_identifier(self.source, quoted=True), alias=named)

    def where(self, condition: Expr) -> Relation:
        """The rows for which the condition is true."""
        return self if condition == sql.TRUE else self.then(self.select().where(condition, copy=False))

    def with_columns(self, values: Mapping[str, Value]) -> Relation:
        """These columns added, or put in the place of others of the same name."""
        made, columns = self.named(values)
        return self.then(self.select(exp.Star(), *columns), columns={**self.columns, **made})

    def computed(self, tree: Expr, wish: str) -> tuple[Relation, Expr]:
        """The same rows with a column that has no name in the language, and that column."""
        name = self.names.new(wish)
        return self.then(self.select(exp.Star(), sql.alias(tree, name))), sql.column(name)

    def only(self, values: Mapping[str, Value]) -> Relation:
        """Nothing but these columns, and what the order needs."""
        made, columns = self.named(values)
        columns += [sql.column(name) for name in self.carried()]
        return self.then(
            self.select(*columns or [sql.alias(sql.integer(1), self.names.new("nothing"))]), columns=made, events=None
        )

    def without(self, names: Iterable[str]) -> Relation:
        """The same rows without these columns; no SQL is needed, they are just not named any more."""
        gone = frozenset(names)
        kept = {name: value for name, value in self.columns.items() if name not in gone}
        return replace(self, columns=kept, dropped=self.dropped | gone)

    def renamed(self, old: str, new: str, value: Value) -> Relation:
        """The same rows with a column under another name, at its place where there are no others than made ones."""
        columns = {
            (new if name == old else name): kept for name, kept in self.columns.items() if name != new or name == old
        }
        keys = tuple(new if name == old else name for name in self.keys if name != new or name == old)
        return replace(self, columns={**columns, new: value}, dropped=self.dropped | {old}, keys=keys)

    def carried(self) -> list[str]:
        """The hidden columns and those of the order."""
        return list(dict.fromkeys((*self.hidden, *(order.column for order in self.order))))

    def named(self, values: Mapping[str, Value]) -> tuple[dict[str, Value], list[Expr]]:
        """Values as new columns of a SELECT, and as they are seen from outside it."""
        made: dict[str, Value] = {}
        columns: list[Expr] = []
        for name, value in values.items():
            kinds = {}
            for kind in (kind for kind in ORDER if kind in value.kinds):
                column = self.names.new(name if len(value.kinds) == 1 else f"{name}_{kind}")
                columns.append(sql.alias(value.kinds[kind].copy(), column))
                kinds[kind] = sql.column(column)
            made[name] = Value(kinds)
        return made, columns

    def grouped(self, keys: Mapping[str, Value], aggregates: Mapping[str, Value]) -> Relation:
        """A row for each distinct value of the keys (one row in all where there are none)."""
        made, key_columns = self.named(keys)
        results, columns = self.named(aggregates)
        select = self.select(*(key_columns + columns or [sql.alias(sql.integer(1), self.names.new("nothing"))]))
        if key_columns:
            select.set("group", exp.Group(expressions=[exp.Literal.number(i + 1) for i in range(len(key_columns))]))
        elif keys:  # keys that are null throughout: no row where there are no events
            select.set("having", exp.Having(this=sql.sql("count(*) > 0")))
        elif not any(column.find(exp.Column, exp.AggFunc) for column in columns):
            # Nothing but constants, such as the sum of a field that nothing has: still one row, not one for each event.
            select.select(sql.alias(sql.sql("count(*)"), self.names.new("rows")), copy=False)
        return self.then(
            select,
            context=replace(self.context, scale=1.0),
            columns={**made, **results},
            events=None,
            order=(),
            hidden=(),
            dropped=frozenset(),
            keys=tuple(made),
        )

    def sorted_by(self, keys: Sequence[tuple[Value, bool]]) -> Relation:
        """Ordered by values, each ascending or descending; what order there was decides between equals."""
        orders: list[Order] = []
        columns: list[Expr] = []
        for value, descending in keys:
            for tree in sort_keys(value):
                if isinstance(tree, exp.Column) and not tree.table:
                    orders.append(Order(tree.name, descending))
                else:
                    name = self.names.new("order")
                    columns.append(sql.alias(tree, name))
                    orders.append(Order(name, descending))
        order = (*orders, *self.order)
        return self.then(self.select(exp.Star(), *columns), order=order) if columns else replace(self, order=order)

    def ordering(self, *, backwards: bool = False) -> exp.Order | None:
        """ORDER BY of this relation."""
        if not self.order:
            return None
        return exp.Order(expressions=[
            exp.Ordered(this=sql.column(order.column), desc=order.descending != backwards,
                        nulls_first=backwards and order.column not in HIDDEN)
            for order in self.order
        ])  # fmt: skip

    def ordering_in_groups(self, *, backwards: bool = False) -> exp.Order | None:
        """ORDER BY of a window over this relation: the events' own order, which has no nulls, as one value.

        For the first row in such an order DuckDB keeps one row a group; for that of several columns it sorts them all.
        """
        moments = {events.needed.get(("timestamp", "time")) for events in self.scanned}
        first, *rest = self.order or (Order(""),)
        same = all(order.descending == first.descending for order in rest)
        if first.column not in moments or tuple(order.column for order in rest) != HIDDEN or not same:
            return self.ordering(backwards=backwards)
        whole = exp.Tuple(expressions=[sql.column(order.column) for order in self.order])
        return exp.Order(expressions=[exp.Ordered(this=whole, desc=first.descending != backwards, nulls_first=False)])

    def limited(self, count: int, *, backwards: bool = False) -> Relation:
        """The first rows in the order, or the last ones."""
        select = self.select()
        if (order := self.ordering(backwards=backwards)) is not None:
            select.set("order", order)
        return self.then(select.limit(count, copy=False), context=replace(self.context, scale=1.0))
