"""The query language: text → Lark → tree → checked plan → DuckDB SQL built with sqlglot → answer.

parser.py → tree.py            text to frozen values with places; grammar.lark, build.py, mistakes.py; printer.py: back
stages/*.py                    one stage a file
relation.py, scope.py, value.py  what stages work on; every expression has kinds before anything runs
terms.py, compare.py, expressions.py, function*.py, aggregate.py   nodes to SQL
saved.py, saved_store.py       `` `name`(args) `` in a query: put in before it is planned; kept
lookups.py, lookup_files.py, lookup_store.py   uploaded tables: as queries see them, read, kept
prune.py, scan.py, plan.py     which segments, which columns, the statement; all pure
duck.py, engine.py, result.py  running it
turns.py                       whose query runs next
aggregations.py, halves.py, answers.py, partials.py   what is remembered of segments
clickhouse*.py                 the same plan as a statement of ClickHouse over the same segments, for scale-out
heads.py, table_plan.py, tables.py, postgres*.py   the same over Cordwood's own tables, in PostgreSQL
batch_filter.py, batch_values.py   the search, and expressions, over a batch in memory
following.py                   live tails: new commits are searched once for all of them
"""

from __future__ import annotations

from .batch_filter import BatchFilter
from .batch_values import BatchValues
from .check import check
from .engine import QueryEngine
from .inventory import FieldInventory, FieldSummary, FieldValues
from .parser import format_query, parse
from .progress import Progress
from .request import Cache, Catalog, QueryRequest
from .result import QueryResult, QueryStats, ResultColumn
from .tables import Tables

__all__ = [
    "BatchFilter",
    "BatchValues",
    "Cache",
    "Catalog",
    "FieldInventory",
    "FieldSummary",
    "FieldValues",
    "Progress",
    "QueryEngine",
    "QueryRequest",
    "QueryResult",
    "QueryStats",
    "ResultColumn",
    "Tables",
    "check",
    "format_query",
    "parse",
]
