"""`BatchFilter`: the search over a batch in memory, with the same SQL as over segments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow as pa
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

_NOTHING = "nothing"
BATCH = exp.Table(this=exp.to_identifier("batch", quoted=True))


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
        columns = BatchColumns.of(batch)
        select = filter_sql(self._query, columns.layout, Context(now_ns() if now is None else now, self._zone))
        if not len(batch):
            return pl.Series("mask", [], dtype=pl.Boolean)
        table = self._duck.filtered(select, columns.table(select))
        return pl.Series("mask", table.column("mask").to_pylist(), dtype=pl.Boolean)

    def close(self) -> None:
        """Give back DuckDB's memory."""
        self._duck.close()


@dataclass(frozen=True)
class BatchColumns:
    """A batch as a table `batch` of DuckDB: whatever its fields are called, its columns have names of ours."""

    frame: pl.DataFrame
    layout: Mapping[tuple[str, str], str]
    """(field, kind) → column"""

    @classmethod
    def of(cls, batch: Batch) -> BatchColumns:
        """The columns of a batch, and the templates of its messages."""
        names = [f"c{i}" for i in range(batch.frame.width)]
        layout: dict[tuple[str, str], str] = {}
        for column, (name, dtype) in zip(names, batch.frame.schema.items(), strict=True):
            field, kind = (name, STANDARD_KINDS[name]) if name in STANDARD else split_column(name, dtype)
            layout[field, kind] = column
        layout[TEMPLATE, "text"] = "template"
        return cls(batch.frame.rename(dict(zip(batch.frame.columns, names, strict=True))), layout)

    def table(self, select: str) -> pa.Table:
        """Those columns that a statement names."""
        frame = self.frame
        if '"template"' in select:
            message = pl.col(self.layout["message", "text"])
            frame = frame.with_columns(template_of(message).alias("template"))
        needed = [column for column in frame.columns if f'"{column}"' in select] or frame.columns[:1]
        return frame.select(needed).to_arrow()

    def mixed(self) -> BatchColumns:
        """The same batch, as if every attribute were text in some events."""
        missing = [(field, "text") for field, _ in self.layout if field not in STANDARD_KINDS and field != TEMPLATE]
        nothing = pl.lit(None, dtype=pl.String).alias(_NOTHING)
        return BatchColumns(self.frame.with_columns(nothing), {**dict.fromkeys(missing, _NOTHING), **self.layout})

    def scope(self, query: Query, context: Context) -> GroupScope:
        """The names that a query may use here."""
        return _scope(query, self.layout, context)


def filter_sql(query: Query, columns: Mapping[tuple[str, str], str], context: Context) -> str:
    """SELECT of one boolean for each row of `batch`, in order.

    :raises QueryError: with the place of the mistake.
    """
    scope = _scope(query, columns, context)
    warn_of_unknown(query.search, scope.schema, context)
    try:
        found = condition(query.search, scope)
    except Mistake as mistake:
        raise mistake.error(query.text) from None
    mask = sql.alias(sql.sql("COALESCE(:c, FALSE)", c=found), "mask")
    return exp.Select(expressions=[mask]).from_(BATCH, copy=False).sql(dialect=sql.DIALECT)


def _scope(query: Query, columns: Mapping[tuple[str, str], str], context: Context) -> GroupScope:
    schema: dict[str, tuple[str, ...]] = {}
    for field, _ in columns:
        schema[field] = tuple(kind for kind in ORDER if (field, kind) in columns)
    overflow = columns.get((OVERFLOW, "json"), "")
    overflowing = opened(query, schema) if overflow else frozenset()
    schema = with_members(schema, overflowing)
    layout = Layout(columns, needs_time=False, needs_positions=False, overflow=overflow, overflowing=overflowing)
    return GroupScope(context, schema, layout)
