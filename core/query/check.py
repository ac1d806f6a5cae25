"""Checking a query without data: for configurations, before anything runs."""

from __future__ import annotations

from itertools import takewhile

from msgspec import structs

from .duck import Duck
from .parser import parse
from .plan import plan, prepare
from .prune import Bounds
from .regexes import check_regexes, regexes
from .saved import used
from .scope import Context
from .stages.lookup import Lookup
from .tree import Query


def check(text: str, now_ns: int = 0) -> Query:
    """The tree of a query that can run over any events; fields are taken for granted, since the data decides on them.

    :raises QueryError: for mistakes of any sort: syntax, unknown stages, functions and columns, kinds that do not fit.
    """
    query = parse(text, saved=True)
    if used(query):  # nobody knows here what they say
        return query
    # Whatever a table has is not known here: nothing behind it is checked, unless its columns are named.
    known = takewhile(lambda stage: not (isinstance(stage, Lookup) and not stage.columns), query.stages)
    plan(prepare(structs.replace(query, stages=tuple(known)), [], Bounds(), Context(now_ns)), {})
    if next(regexes(query), None) is not None:
        duck = Duck(None, memory_limit="64MB", threads=1)
        try:
            check_regexes(query, duck)
        finally:
            duck.close()
    return query
