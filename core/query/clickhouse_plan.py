"""From a tree over events to a statement of ClickHouse that reads the same segment files. Pure, as plan.py is.

For scale-out: whoever keeps segments in a bucket can let ClickHouse answer the same queries over them.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from ...plugins.errors import QueryError
from . import sql
from .clickhouse import DIALECT, SETTINGS, TYPES, Foreign, Reader, local_files, statement, translated
from .plan import Given, Statement, apply_stages, final_cut, output_columns, relation_of, sources_of
from .sql import Expr
from .tree import EVENTS, Place
from .value import SQL_TYPES

HINT = "docs/language.md says what is not there in ClickHouse"


def plan_clickhouse(given: Given, files: Mapping[int, str], reader: Reader = local_files) -> Statement:
    """The whole query in one statement; each column of the answer in the type of its kind.

    :param files: segment id → path, as the reader knows it.
    :raises QueryError: with the place of the mistake, or of what ClickHouse cannot do.
    """
    query = given.query
    if query.head != EVENTS:
        raise query.error(f"{query.head} are in PostgreSQL, not in ClickHouse", Place(), HINT)
    cut, stages = final_cut(given)
    relation, steps = relation_of(given), dict[str, Expr]()
    for stage in stages:
        if any(stage.tables()):
            raise query.error("lookup tables are not in ClickHouse", stage.at, HINT)
        done = len(relation.steps)
        relation = apply_stages(given, relation, [stage])
        try:
            steps |= {name: translated(step) for name, step in relation.steps[done:]}
        except Foreign as why:
            raise query.error(f"`{stage.name}` needs {why}, which ClickHouse has not", stage.at, HINT) from None
    outputs, _ = output_columns(relation)
    kinds = {column: kind for output in outputs for kind, column in output.kinds}
    typed = [_typed(column, kind) for column, kind in kinds.items()]
    select = relation.select(*typed or [sql.alias(sql.integer(1), "nothing")])
    if (order := relation.ordering()) is not None:
        select.set("order", order)
    try:
        sources = {name: translated(source, reader) for name, source in sources_of(given, relation, files).items()}
    except Foreign as why:
        raise query.error(f"the search needs {why}, which ClickHouse has not", query.search.at, HINT) from None
    text = statement(select.limit(cut + 1, copy=False), {**sources, **steps})
    return Statement(text, outputs, cut, is_open=relation.events is not None)


def clickhouse_sql(given: Given, files: Mapping[int, str]) -> str:
    """The statement with the settings that it needs, for people; or why there is none."""
    try:
        text = plan_clickhouse(given, files).sql
    except QueryError as why:
        return f"none: {why.message}"
    return f"{text} SETTINGS {', '.join(f'{name} = {value!r}' for name, value in SETTINGS.items())}"


def _typed(column: str, kind: str) -> Expr:
    kept = exp.DataType.build(TYPES[SQL_TYPES[kind]], dialect=DIALECT)
    return sql.alias(exp.Cast(this=sql.column(column), to=kept), column)
