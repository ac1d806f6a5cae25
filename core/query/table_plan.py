"""From a tree whose head is one of Cordwood's tables to a statement of PostgreSQL. Pure, as plan.py is.

The stages write the same SQL as over events; `postgres.Translator` puts it into PostgreSQL's words step by step, so
that what has no counterpart there is an error at the stage that needs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from sqlglot import exp

from . import sql
from .heads import HEADS, MESSAGE, Head
from .plan import Given, Output, apply_stages, final_cut, output_columns
from .postgres import DIALECT, TYPES, Foreign, Translator
from .relation import Events, Names, Order, Relation
from .scope import POSITION, SEGMENT, Context
from .stages.where import Where
from .tree import EVENTS, Mistake, Query
from .value import SQL_TYPES, Value

KEYS = ("id", "name")  # columns of which every row has another value: they decide between equal times
HINT = "docs/language.md says what is not there for Cordwood's own tables"
NOTHING = (("nothing", "int"),)  # a column for rows that have none


class Table(Events):
    """The columns of a head, and `message`, which is searched in and not shown."""

    is_table: ClassVar[bool] = True

    def value(self, name: str, names: Names) -> Value | None:
        """The column, noted as needed; None: the head has none of that name.

        :raises Foreign: what only events have
        """
        if name in (POSITION, SEGMENT):
            raise Foreign("the order in which events came")
        return super().value(name, names) if name in self.schema else None

    def fields(self) -> list[str]:
        """The columns in their order of display."""
        return [name for name in self.schema if name != MESSAGE]


@dataclass(frozen=True)
class TableStatement:
    """SQL of PostgreSQL: `$1` is the project, `arguments` follow. `columns` are those of the SQL, each with its kind.

    The rest is as in plan.Statement.
    """

    sql: str
    arguments: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    outputs: tuple[Output, ...]
    cut: int


def table_of(head: Head, context: Context, names: Names | None = None) -> Relation:
    """The rows of the head, newest first, or by name where they have no time."""
    names = names or Names()
    table = Table({**{name: (kind,) for name, kind in head.columns.items()}, MESSAGE: ("text",)})
    order = []
    for name, descending in (("timestamp", True), *((key, head.has_time) for key in KEYS)):
        if name in head.columns:
            table.value(name, names)
            order.append(Order(table.needed[name, head.columns[name]], descending))

    def inner(query: Query, _: int) -> Relation:
        raise Mistake(f"what reads more events beside `from {head.name}` works on events only", query.search.at, HINT)

    return Relation(context, names, [], EVENTS, [table], inner, events=table, order=tuple(order))


def plan_table(given: Given, collation: str) -> TableStatement:
    """The whole query in one statement.

    :param collation: of texts: one that orders by code point.
    :raises QueryError: with the place of the mistake, or of what PostgreSQL cannot do.
    """
    query = given.query
    head = HEADS[query.head]
    cut, stages = final_cut(given)
    relation = table_of(head, given.context)
    table = relation.scanned[0]
    translator, steps = Translator(), list[tuple[str, exp.Expression]]()

    for stage in (Where(condition=query.search, at=query.search.at), *stages):
        if any(stage.tables()):
            raise query.error(f"lookup tables beside `from {head.name}` work on events only", stage.at, HINT)
        try:
            relation = apply_stages(given, relation, [stage])
            steps += [(name, translator.translated(step)) for name, step in relation.steps[len(steps) :]]
        except Foreign as why:
            message = f"`{stage.name}` over `from {head.name}`: {why} works on events only"
            raise query.error(message, stage.at, HINT) from None
    outputs, _ = output_columns(relation)
    kinds = {column: kind for output in outputs for kind, column in output.kinds}
    typed = [_typed(column, kind) for column, kind in kinds.items()]
    select = relation.select(*typed or [sql.alias(sql.integer(1), "nothing")])
    if (order := relation.ordering()) is not None:
        select.set("order", order)
    source = _source(head, table.needed, given, collation)
    for name, step in ((EVENTS, source), *steps):
        select = select.with_(exp.to_identifier(name, quoted=True), as_=step, copy=False)
    arguments = translator.bound(select.limit(cut + 1, copy=False))
    return TableStatement(
        select.sql(dialect=DIALECT, copy=False), arguments, tuple(kinds.items()) or NOTHING, outputs, cut
    )


def plan_bounds(head: Head) -> str:
    """The first and the last time that a head's rows have, as nanoseconds."""
    ns = "cast(extract(epoch from {}(timestamp)) * 1000000000 as bigint)"
    # No text of a user's is in it.
    return f"select {ns.format('min')}, {ns.format('max')} from ({head.sql}) as head"  # noqa: S608


def _typed(column: str, kind: str) -> exp.Expression:
    """A column of the answer, in the type that its kind has in the driver."""
    return sql.alias(
        exp.Cast(this=sql.column(column), to=exp.DataType.build(TYPES[SQL_TYPES[kind]], dialect=DIALECT)), column
    )


def _source(head: Head, needed: dict[tuple[str, str], str], given: Given, collation: str) -> exp.Select:
    """SELECT of the needed columns of the rows that lie in the range."""
    columns: list[exp.Expression] = []
    for (name, kind), column in needed.items():
        tree = sql.column(name, "head")
        if kind in ("text", "json"):
            tree = exp.Collate(this=tree, expression=exp.Identifier(this=collation, quoted=True))
        columns.append(sql.alias(tree, column))
    select = exp.Select(expressions=columns or [sql.integer(1)])
    select = select.from_(exp.Subquery(this=_parsed(head.name).copy(), alias=exp.TableAlias(this="head")), copy=False)
    bounds = given.bounds
    for column, op, ns in ((head.end or "timestamp", ">=", bounds.from_ns), ("timestamp", "<", bounds.to_ns)):
        if head.has_time and ns is not None:
            moment = sql.postgres("CAST('1970-01-01' AS TIMESTAMP) + :n / 1000 * CAST('1 microsecond' AS INTERVAL)",
                                  n=ns)  # fmt: skip
            select = select.where(sql.sql(f":x {op} :y", x=sql.column(column, "head"), y=moment), copy=False)
    return select


@lru_cache
def _parsed(name: str) -> exp.Expression:
    return sql.postgres(HEADS[name].sql)
