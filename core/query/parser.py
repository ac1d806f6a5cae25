"""Text to tree: Lark's LALR over grammar.lark and the stages' rules. Whatever the text, only QueryError leaves."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from lark import Lark
from lark.exceptions import UnexpectedInput, VisitError

from ...plugins.errors import QueryError
from .build import TreeBuilder
from .grammar import parser_of
from .mistakes import did_you_mean, syntax_error
from .printer import query as written
from .stages import load_stages
from .tree import EVENTS, MAX_DEPTH, MAX_NESTED, MAX_NODES, MAX_QUERIES, Mistake, Node, Parameter, Place, Query, Saved

MAX_LENGTH = 100_000  # characters; a longer query is a mistake, and every pass over it costs
KEPT = 500  # trees of queries that were asked lately: dashboards and detectors ask the same for ever
KEPT_LENGTH = 4_000  # characters of such a query
NESTING = re.compile(r"""[()]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", re.DOTALL)


@lru_cache(maxsize=1)
def query_parser() -> Lark:
    """The parser, made once."""
    stages = load_stages()
    return parser_of(stages, TreeBuilder(stages))


def parse(text: str, *, any_head: bool = False, saved: bool = False, parameters: Collection[str] = ()) -> Query:
    """The tree of a query.

    :param any_head: take one that reads something else than events as well; most who ask can read nothing else.
    :param saved: take one that names saved queries, which have to be put in before it is planned (saved.py).
    :param parameters: those that the text of a saved query may name.
    :raises QueryError: with line, column and a hint, whatever the text is.
    """
    query = _kept_tree(text) if len(text) <= KEPT_LENGTH else _tree(text)
    if query.head != EVENTS and not any_head:
        hint = f"`from {query.head}` goes in the query box, the API and `cordwood query`"
        raise query.error("here a query reads events only", Place(), hint)
    check_saved(query, saved, parameters)
    return query


def _tree(text: str) -> Query:
    if len(text) > MAX_LENGTH:
        raise QueryError(f"a query of {len(text)} characters is too long; use at most {MAX_LENGTH}", text=text[:200])
    check_nesting(text)
    if (bad := next((i for i, letter in enumerate(text) if "\ud800" <= letter <= "\udfff"), -1)) >= 0:
        raise QueryError("the query is no valid Unicode text", text="", column=bad + 1)
    try:
        parsed: object = query_parser().parse(text)
    except UnexpectedInput as error:
        raise syntax_error(text, error, load_stages(), query_parser()) from None
    except Mistake as mistake:
        raise mistake.error(text) from None
    except VisitError as error:
        if isinstance(error.orig_exc, Mistake):
            raise error.orig_exc.error(text) from None
        raise
    assert isinstance(parsed, Query)
    query = Query(parsed.search, parsed.stages, text, parsed.head)
    check_size(query)
    return query


_kept_tree = lru_cache(maxsize=KEPT)(_tree)


def format_query(text: str) -> str:
    """The query in its canonical form, which means the same.

    :raises QueryError: as `parse`.

    >>> format_query("ERROR   and status=500|stats count()BY host")
    'ERROR status=500 | stats count() by host'
    """
    return written(parse(text, any_head=True, saved=True))


def check_nesting(text: str) -> None:
    """Refuse parentheses nested deeper than anything after the parser could walk.

    >>> check_nesting("(" * 30 + "'" + "(" * 90 + "'" + ")" * 30)
    """
    depth = 0
    for match in NESTING.finditer(text):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth > MAX_DEPTH:
            line, column = text.count("\n", 0, match.start()) + 1, match.start() - text.rfind("\n", 0, match.start())
            message = f"parentheses nested deeper than {MAX_DEPTH}"
            raise QueryError(message, text=text, line=line, column=column, hint="write the query flatter")


def check_size(query: Query) -> None:
    """Refuse a tree that is too deep or too large for what comes after; walks without recursion."""
    count = 0
    heap = [(node, 1) for node in nodes_of(query)]
    while heap:
        node, depth = heap.pop()
        count += 1
        if depth > MAX_DEPTH:
            raise query.error(f"conditions nested deeper than {MAX_DEPTH}", node.at, "write the query flatter")
        if count > MAX_NODES:
            raise query.error(f"a query of more than {MAX_NODES} terms", node.at, "ask for less at once")
        heap += [(child, depth + 1) for child in node.children()]
    check_subqueries(query)


def check_saved(query: Query, saved: bool, parameters: Collection[str]) -> None:
    """Refuse saved queries where nobody could put them in, and parameters that there are not."""
    for node in (node for top in nodes_of(query) for node in top.walk()):
        if isinstance(node, Saved) and not saved:
            hint = "write out what it says; queries, detectors, tails and deletions take saved ones"
            raise query.error(f"the saved query `{node.name[:80]}` cannot be used here", node.at, hint)
        if isinstance(node, Parameter) and node.name not in parameters:
            hint = did_you_mean(node.name, parameters, "only a saved query has parameters; a field is quoted: `$x`")
            raise query.error(f"no parameter ${node.name[:80]}", node.at, hint)


def nodes_of(query: Query) -> Iterator[Node]:
    """The search and the expressions of all stages, those of sub-queries among them."""
    yield query.search
    for stage in query.stages:
        yield from stage.nodes()


def check_subqueries(query: Query) -> None:
    """Refuse more sub-queries, or deeper ones, than a statement should have: each reads segments of its own."""
    count = 0
    heap = [(query, 0)]
    while heap:
        around, depth = heap.pop()
        for stage in around.stages:
            for inner in stage.queries():
                count += 1
                if depth == MAX_NESTED:
                    raise query.error(
                        f"sub-queries nested deeper than {MAX_NESTED}", stage.at, "write the query flatter"
                    )
                if count > MAX_QUERIES:
                    raise query.error(f"more than {MAX_QUERIES} sub-queries", stage.at, "ask for less at once")
                heap.append((inner, depth + 1))
