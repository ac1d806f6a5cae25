"""`BatchFilter`: the search over a batch in memory, with the same SQL as over segments."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import polars as pl
from sqlglot import exp

from ...plugins.batch import Batch
from ...plugins.fields import OVERFLOW, STANDARD, split_column
from ...plugins.times import now_ns
from ..storage.encode import template_of
from . import sql
from .duck import Duck
from .expressions import condition
from .overflow import opened, with_members
from .parser import parse
from .plan import warn_of_unknown
from .regexes import check_regexes
from .scan import GroupScope, Layout
from .scope import STANDARD_KINDS, TEMPLATE, Context
from .tree import Mistake, Query
from .value import ORDER


class BatchFilter:
    """Which events of a batch a search finds: for `when:`, `match` detectors and the live tail.

    :raises QueryError: at making, if the text is no search or has stages.
    """

    def __init__(self, text: str, *, timezone: str = "UTC", duck: Duck | None = None) -> None:
        query = parse(text)
        if query.stages:
            raise query.error("a filter has no stages", query.stages[0].at, "only the search, before the first `|`")
        self._query = query
        self._zone = ZoneInfo(timezone)
        self._duck = duck or Duck(None, memory_limit="512MB", threads=1)
        check_regexes(query, self._duck)
        self.mask(Batch.of(pl.DataFrame()))

    def mask(self, batch: Batch, now: int | None = None) -> pl.Series:
        """True for each event that the search finds, in the batch's order; `now` is in nanoseconds."""
        frame = batch.frame
        columns = [f"c{i}" for i in range(frame.width)]
        layout: dict[tuple[str, str], str] = {}
        for column, (name, dtype) in zip(columns, frame.schema.items(), strict=True):
            field, kind = (name, STANDARD_KINDS[name]) if name in STANDARD else split_column(name, dtype)
            layout[field, kind] = column
        layout[TEMPLATE, "text"] = "template"
        select = filter_sql(self._query, layout, Context(now_ns() if now is None else now, self._zone))
        if not frame.height:
            return pl.Series("mask", [], dtype=pl.Boolean)
        plain = frame.rename(dict(zip(frame.columns, columns, strict=True)))
        if '"template"' in select:
            plain = plain.with_columns(template_of(pl.col(layout["message", "text"])).alias("template"))
        needed = [column for column in plain.columns if f'"{column}"' in select] or columns[:1]
        table = self._duck.filtered(select, plain.select(needed).to_arrow())
        return pl.Series("mask", table.column("mask").to_pylist(), dtype=pl.Boolean)

    def close(self) -> None:
        """Give back DuckDB's memory."""
        self._duck.close()


def filter_sql(query: Query, columns: Mapping[tuple[str, str], str], context: Context) -> str:
    """SELECT of one boolean for each row of `batch`, in order.

    :raises QueryError: with the place of the mistake.
    """
    schema: dict[str, tuple[str, ...]] = {}
    for field, _ in columns:
        schema[field] = tuple(kind for kind in ORDER if (field, kind) in columns)
    overflow = columns.get((OVERFLOW, "json"), "")
    overflowing = opened(query, schema) if overflow else frozenset()
    schema = with_members(schema, overflowing)
    warn_of_unknown(query.search, schema, context)
    layout = Layout(columns, needs_time=False, needs_positions=False, overflow=overflow, overflowing=overflowing)
    try:
        found = condition(query.search, GroupScope(context, schema, layout))
    except Mistake as mistake:
        raise mistake.error(query.text) from None
    mask = sql.alias(sql.sql("COALESCE(:c, FALSE)", c=found), "mask")
    select = exp.Select(expressions=[mask]).from_(exp.Table(this=exp.to_identifier("batch", quoted=True)), copy=False)
    return select.sql(dialect=sql.DIALECT)
