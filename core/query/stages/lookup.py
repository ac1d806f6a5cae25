"""`lookup`: columns of an uploaded table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Self

from sqlglot import exp

from .. import printer, sql
from ..lookups import LINE, table_of
from ..relation import Relation
from ..scope import lookup, unknown_column
from ..stage import Stage
from ..tree import Mistake, Name, Place
from ..value import Value
from .join import joined


class Lookup(Stage, frozen=True, kw_only=True):
    """Adds the columns of the row of a table that has the field's value."""

    name = "lookup"
    GRAMMAR = (
        "lookup: LOOKUP name _LOOKUP_ON name [COMPARISON name] [_LOOKUP_FIELDS names]\n"
        "_LOOKUP_ON.9: /on(?=[\\s`])/i\n_LOOKUP_FIELDS.9: /fields(?=[\\s`])/i"
    )
    DOC = """Adds the columns of a lookup table, or those after `fields`: of its first row in which the column of the
    field's name, or the one after `=`, has the field's value. A number and a text are equal where they are written
    alike. Without such a row they are null. Of a name that both have, yours stays, and the other is added as
    `NAME_2`. Tables are uploaded with `cordwood lookup put`; see [lookups.md](lookups.md).

        | lookup owners on service
        severity>=error | lookup staff on user = login fields team, mail | stats count() by team
        | where user in staff
    """
    keeps_events = True

    table: Name
    key: Name
    column: Name
    columns: tuple[Name, ...] = ()

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        table, key, op, column, columns = children
        if op is not None and op != "=":
            raise Mistake(f"unexpected `{op}`, expected `=`", Place(op.line, op.column), "as in `on user = login`")
        return cls(table=table, key=key, column=column or key, columns=columns or (), at=at)

    def tables(self) -> Iterator[str]:
        yield self.table.name

    def written(self) -> str:
        column = f" = {printer.name(self.column)}" if self.column.name != self.key.name else ""
        columns = f" fields {printer.names(self.columns)}" if self.columns else ""
        return f"lookup {printer.name(self.table)} on {printer.name(self.key)}{column}{columns}"

    def apply(self, relation: Relation) -> Relation:
        table = table_of(relation.context.lookups, self.table.name, self.table.at)
        lookup(relation, self.key)
        if table is None:
            return relation.with_columns({name.name: Value() for name in self.columns})
        values = table.values()
        for name in (self.column, *self.columns):
            if name.name not in values:
                mistake = unknown_column(name, values)
                hint = f"as in `on {self.key.name} = COLUMN`; {mistake.hint}" if name is self.key else mistake.hint
                raise Mistake(f"the table `{table.name}` has no column `{name.name}`", name.at, hint)
        chosen = {name.name: values[name.name] for name in (self.column, *self.columns)} if self.columns else values
        key = next(iter(values[self.column.name].kinds.values()))
        rows = replace(relation, source=table.view, columns=chosen, dropped=frozenset(), events=None, order=(),
                       hidden=(), keys=())  # fmt: skip
        first = rows.select()
        number = sql.sql("row_number() OVER (PARTITION BY :k ORDER BY :l)", k=key, l=sql.column(LINE))
        first.set("qualify", exp.Qualify(this=sql.sql(":n = 1", n=number)))
        return joined(relation, rows.then(first), [(self.key, self.column)], keeps_all=True, refusal=None)
