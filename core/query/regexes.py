"""Regular expressions are RE2's: one that is none is refused before anything runs, with its place."""

from __future__ import annotations

from collections.abc import Iterator

from .duck import Duck
from .tree import Call, Compare, Node, Query, Regex, Text


def regexes(query: Query) -> Iterator[tuple[Node, str]]:
    """The nodes of a query that are regular expressions, and what stands in them."""
    tops = [query.search, *(node for stage in query.stages for node in stage.nodes())]
    for node in (node for top in tops for node in top.walk()):
        match node:
            case Regex(pattern=pattern):
                yield node, pattern
            case Compare(op="matches", right=Text(text=text) as found):
                yield found, text
            case Call(name="extract", args=(_, Text(text=text) as found, *_)):
                yield found, text


def check_regexes(query: Query, duck: Duck) -> None:
    """Refuse what RE2 refuses.

    :raises QueryError: with the place of the regular expression and what is wrong with it.
    """
    for node, pattern in regexes(query):
        if "\0" in pattern or (said := duck.regex_error(pattern)) is not None:
            reason = "it holds a NUL character" if "\0" in pattern else said
            hint = "RE2 knows no look-around and no back-references; a backslash before a character takes it literally"
            raise query.error(f"no regular expression: {reason}", node.at, hint)
