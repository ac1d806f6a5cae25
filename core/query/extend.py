"""What packages that add stages and functions to the query language import: `from cordwood.core.query.extend import …`.

A function takes the call's `Arguments` and gives a `Value`: an expression of SQL for each kind that the value may have.
A stage takes a `Relation`, the rows so far, and gives another. Neither ever sees a row; what they make is DuckDB's SQL,
which is rendered for ClickHouse where ClickHouse answers.
"""

from . import printer, sql
from .expressions import Arguments, compute
from .function import MANY, function
from .relation import Relation
from .scope import lookup
from .stage import Stage
from .tree import Mistake, Name, Named, Node, Number, Place
from .value import Value, group_key, one

__all__ = [
    "MANY",
    "Arguments",
    "Mistake",
    "Name",
    "Named",
    "Node",
    "Number",
    "Place",
    "Relation",
    "Stage",
    "Value",
    "compute",
    "function",
    "group_key",
    "lookup",
    "one",
    "printer",
    "sql",
]
