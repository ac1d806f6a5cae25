"""`join`: columns of another query, where keys are equal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from sqlglot import exp

from .. import printer, sql
from ..relation import Order, Relation
from ..scope import lookup
from ..sql import Expr
from ..stage import Stage
from ..tree import Mistake, Name, Place, Query
from ..value import Value, comparable


class Join(Stage, frozen=True, kw_only=True):
    """Adds the columns of a sub-query's rows that have the same values in the key columns."""

    name = "join"
    GRAMMAR = (
        "join: JOIN [join_kind] names subquery\n"
        'join_kind: _JOIN_KIND "=" JOIN_TYPE\n'
        "_JOIN_KIND.9: /kind(?=\\s*=)/i\nJOIN_TYPE.9: /(?:inner|left)(?![\\w.])/i"
    )
    DOC = """Adds the columns of another query to each row, where the key columns are equal: once for each of its rows
    that fits. Rows without one are left out, or, with `kind=left`, keep null. A key that is null equals none; a number
    and a text are equal where they are written alike. Of a name that both have, yours stays, and the other is added as
    `NAME_2`. The sub-query names its columns, by `stats`, `fields` and the like. It reads the same time range, but for
    the ends that its own search sets with `time`. A join makes up to `limits.joined_rows` rows.

        severity>=error | join user (path:* | stats count() as visits by user) | fields timestamp, user, visits
        | stats count() as n by service | join kind=left service (severity>=error | stats count() as bad by service)
    """

    keys: tuple[Name, ...]
    query: Query
    keeps_all: bool = False

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        kind, keys, query = children
        return cls(keys=keys, query=query, keeps_all=kind is not None and kind.children[0].lower() == "left", at=at)

    def gives_events(self) -> bool:
        return True

    def written(self) -> str:
        kind = "kind=left " * self.keeps_all
        return f"join {kind}{printer.names(self.keys)} {printer.subquery(self.query)}"

    def apply(self, relation: Relation) -> Relation:
        other = relation.inner(self.query, 0)
        if other.events is not None:
            raise Mistake("the sub-query of a join has to name its columns", self.at,
                          "end it with `| fields …` or `| stats … by …`")  # fmt: skip
        refusal = sql.refused(
            f"the join makes more than {relation.context.most_joined:,} rows", self.at,
            "join fewer rows, or rows with fewer equal keys; or raise `limits.joined_rows`",
        )  # fmt: skip
        keys = [(key, key) for key in self.keys]
        return joined(relation, other, keys, keeps_all=self.keeps_all, refusal=refusal)


def joined(
    relation: Relation, other: Relation, keys: Sequence[tuple[Name, Name]], *, keeps_all: bool, refusal: Expr | None
) -> Relation:
    """The rows with the columns of those of the other that have equal keys.

    :param other: a relation of which all columns are known.
    :param keys: a name of each side.
    :param keeps_all: also the rows for which there is none.
    :param refusal: what ends it where there are more rows than a join may make; None: no row has two.
    """
    tests = []
    for key, its_key in keys:
        left, right = comparable(lookup(relation, key), lookup(other, its_key))
        relation, mine = relation.computed(left, "key")
        other, its = other.computed(right, "key")
        tests.append(exp.EQ(this=qualified(mine, "l"), expression=qualified(its, "r")))
    added: dict[str, Value] = {}
    for name, value in other.columns.items():
        if name not in {key.name for _, key in keys}:
            added[free_name(name, relation, added)] = value.map(lambda _, tree: qualified(tree, "r"))
    made, columns = relation.named(added)
    order = [Order(relation.names.new("order"), item.descending) for item in other.order]
    columns += [sql.alias(sql.column(old.column, "r"), new.column) for old, new in zip(other.order, order, strict=True)]
    select = exp.Select(expressions=[exp.Column(this=exp.Star(), table=exp.to_identifier("l")), *columns])
    select = select.from_(relation.table("l"), copy=False)
    select = select.join(other.table("r"), on=sql.all_of(tests), join_type="left" if keeps_all else "inner", copy=False)
    if refusal is not None:
        select.set("qualify", exp.Qualify(this=sql.at_most(relation.context.most_joined, refusal)))
    return relation.then(select, columns={**relation.columns, **made}, order=(*relation.order, *order))


def qualified(tree: Expr, table: str) -> Expr:
    """The expression over the columns of a table."""
    tree = tree.copy()
    for column in tree.find_all(exp.Column):
        column.set("table", exp.to_identifier(table, quoted=True))
    return tree


def free_name(name: str, relation: Relation, added: dict[str, Value]) -> str:
    """The name, or the first one like it that no column has."""
    number, free = 1, name
    while free in added or ((there := relation.field(free)) is not None and not there.is_null):
        number += 1
        free = f"{name}_{number}"
    return free
