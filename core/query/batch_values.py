"""`BatchValues`: expressions over a batch in memory, with the same SQL as in a query's `extend`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl
from sqlglot import exp

from ...plugins import Batch
from ...plugins.enriching import attribute
from ...plugins.errors import QueryError
from ...plugins.times import now_ns
from . import sql
from .batch_filter import BATCH, BatchColumns
from .duck import Duck
from .expressions import compute
from .parser import parse
from .regexes import check_regexes
from .scope import Context
from .stages.extend import Extend
from .tree import Mistake, Query
from .value import Value, as_number, as_text, texts

_BEFORE: Final = "* | extend value =\n"
_KINDS: Final = {"int": "int", "float": "float", "bool": "bool", "text": "text", "json": "json", "duration": "int"}


class BatchValues:
    """What named expressions are worth for each event of a batch: for the step `set`.

    :raises QueryError: at making, if a text is no expression; its place is in that text.
    """

    def __init__(self, texts: Mapping[str, str], *, timezone: str = "UTC", duck: Duck | None = None) -> None:
        self._queries = {name: _expression(text) for name, text in texts.items()}
        self._zone = ZoneInfo(timezone)
        self._duck = duck or Duck(None, memory_limit="512MB", threads=1)
        for name, query in self._queries.items():
            try:
                check_regexes(query, self._duck)
                self._values(name, BatchColumns.of(Batch.of(pl.DataFrame())), now_ns())
            except QueryError as why:
                raise _placed(why, texts[name]) from None

    def of(self, batch: Batch) -> pl.DataFrame:
        """A column for each expression, named and typed as an attribute of a batch; none where all are null.

        Numbers that are whole in some events only are fractions in all. Times, severities, and what is of several kinds
        are texts; durations are nanoseconds. Where a comparison is not true, it depends on the batch's kinds whether it
        is false or null.

        :raises QueryError: it takes more than there is of memory
        """
        try:
            return self._of(BatchColumns.of(batch), now_ns())
        except QueryError:  # of a field that is a number in all these events something is asked that none can be asked
            return self._of(BatchColumns.of(batch).mixed(), now_ns())

    def _of(self, columns: BatchColumns, now: int) -> pl.DataFrame:
        names: list[str] = []
        chosen: list[exp.Expression] = []
        for name in self._queries:
            kind, tree = _single(self._values(name, columns, now))
            if tree is not None:
                chosen.append(sql.alias(tree, f"v{len(names)}"))
                names.append(attribute(name, kind))
        height = columns.frame.height
        if not chosen or not height:
            return pl.DataFrame(height=height)
        select = exp.Select(expressions=chosen).from_(BATCH, copy=False).sql(dialect=sql.DIALECT)
        found = pl.from_arrow(self._duck.filtered(select, columns.table(select)))
        assert isinstance(found, pl.DataFrame)
        return found.rename(dict(zip(found.columns, names, strict=True)))

    def _values(self, name: str, columns: BatchColumns, now: int) -> Value:
        query = self._queries[name]
        (stage,) = query.stages
        assert isinstance(stage, Extend)
        try:
            return compute(stage.columns[0].node, columns.scope(query, Context(now, self._zone)))
        except Mistake as mistake:
            raise mistake.error(query.text) from None


def _expression(text: str) -> Query:
    """A query that computes it."""
    try:
        query = parse(_BEFORE + text)
    except QueryError as why:
        raise _placed(why, text) from None
    stage = query.stages[0]
    if len(query.stages) > 1 or not isinstance(stage, Extend) or len(stage.columns) > 1:
        raise QueryError("this is more than one expression", text=text, hint="give each a name of its own")
    return query


def _placed(why: QueryError, text: str) -> QueryError:
    """The mistake at its place in the expression, before which there is a line of ours."""
    if why.line == 1:
        return QueryError("there is no expression here", text=text, hint="write one, as `took / 1000`")
    return QueryError(why.message, text=text, line=why.line - 1, column=why.column, hint=why.hint)


def _single(value: Value) -> tuple[str, exp.Expression | None]:
    """The one kind that all its values have as an attribute, and the SQL of that."""
    kinds = set(value.kinds)
    if not kinds:
        return "", None
    if kinds == {"int", "float"}:
        return "float", as_number(value).kinds["float"]
    if len(kinds) > 1:
        return "text", as_text(value)
    (kind,) = kinds
    if kind in _KINDS:
        return _KINDS[kind], value.kinds[kind]
    return "text", texts(value)[kind]
