"""Phrases by template: a message's template often tells for sure whether a phrase is in it; then it stays unread.

A template is the message with each white-space separated token that has an ASCII digit replaced by `<*>` (white space
is ASCII: space, tab, line feed, carriage return, vertical tab, form feed). Of a phrase and a template one holds:

* certainly present: the phrase stands in the template. Outside of markers a template is the message, letter by letter.
* certainly absent: the phrase, cut at its spaces, cannot lie on the template's tokens. A token of the phrase that has a
  digit lies on a marker; one without lies on the same text, or, at the ends of the phrase, in a marker too.
* undecided: the message must be read.

Only phrases without `<`, `*`, `>` and without white space but single spaces are decided, for others messages are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlglot import exp

from ..storage.segment import Segment
from ..storage.token_filter import TokenFilter
from . import sql
from .literals import lower
from .sql import Expr
from .tree import FieldContains, Node, Text, Word

MARKER = "<*>"
NOTHING = r"(?!)"  # matches nowhere
MOST_TEMPLATES = 5_000  # of a segment; with more, a query over them costs more than reading the messages
MOST_UNDECIDED = 100  # templates listed in SQL
LEAST_ROWS = 10_000  # of a segment worth keeping templates of


@dataclass(frozen=True)
class TemplateFacts:
    """The distinct templates, in lower case, of all files of a group."""

    templates: frozenset[str]
    filters: tuple[TokenFilter, ...] | None = None
    """Of all files; None: one has none."""

    @classmethod
    def of(
        cls,
        known: Mapping[int, frozenset[str] | None],
        filters: Mapping[int, TokenFilter],
        members: Sequence[Segment],
    ) -> TemplateFacts | None:
        """Of these segments; None where the templates of one are not known."""
        sets = [known.get(segment.id) for segment in members]
        if any(templates is None for templates in sets):
            return None
        found = tuple(filters[segment.id] for segment in members if segment.id in filters)
        return cls(
            frozenset().union(*(templates for templates in sets if templates is not None)),
            found if len(found) == len(members) else None,
        )

    def never_variable(self, needle: str) -> frozenset[str]:
        """The needle's tokens that lie in no variable token of any message here."""
        if self.filters is None:
            return frozenset()
        return frozenset(
            token
            for token in needle.split(" ")
            if token and not any(one.in_variable_token(token).any() for one in self.filters)
        )


def template_phrase(text: str, whole: Expr, template: Expr, facts: TemplateFacts, *, exact: bool = False) -> Expr:
    """The condition that a message contains the text, by its template where that decides; `exact`: in the same case."""
    needle = lower(text)
    tests = decide(needle, facts.never_variable(needle)) if decide(needle) else None
    if tests is None:
        return whole
    present, undecided = set(), set()
    for candidate in facts.templates:
        if needle in candidate:
            present.add(candidate)
        elif tests.search(candidate):
            undecided.add(candidate)
    if not present and not undecided:
        return sql.FALSE
    by_template = sql.sql("contains(lower(:t), :n)", t=template, n=needle)
    if not undecided:
        return sql.sql("contains(:t, :x)", t=template, x=text) if exact else by_template
    if exact:
        return whole
    if len(undecided) + len(present) > MOST_UNDECIDED or len(undecided) * 3 > len(facts.templates):
        return whole
    folded = sql.sql("lower(:t)", t=template)
    possible = exp.In(this=folded, expressions=[sql.text(item) for item in sorted(present | undecided)])
    return sql.all_of([possible, sql.any_of([by_template, whole])])


@lru_cache(maxsize=1000)
def decide(needle: str, never_variable: frozenset[str] = frozenset()) -> re.Pattern[str] | None:
    """A pattern that every template matches whose messages can hold the needle; None: the template decides nothing.

    :param never_variable: tokens of the needle that are known to lie in no variable token.

    >>> bool(decide("card declined").search("<*> declined")), bool(decide("card declined").search("a card"))
    (True, False)
    >>> bool(decide("took 5").search("it took <*> ms")), bool(decide("took 5").search("it took long"))
    (True, False)
    >>> decide("a  b") is None, bool(decide("wo").search("two")), bool(decide("wo").search("x <*>"))
    (True, True, True)
    >>> bool(decide("refused", frozenset({"refused"})).search("connection from <*> closed"))
    False
    """
    if not needle or re.search(r"[<*>]|[^\S ]|  |[\x00-\x1f\x7f-\x9f]", needle):
        return None
    tokens = needle.split(" ")
    marker = re.escape(MARKER)
    parts = []
    for i, token in enumerate(tokens):
        ways = [] if has_digit(token) else [re.escape(token)]
        if token and token not in never_variable and (has_digit(token) or i in (0, len(tokens) - 1)):
            ways.append(marker)
        parts.append(f"(?:{'|'.join(ways)})" if ways else NOTHING)
    return re.compile(" ".join(parts))


def has_digit(token: str) -> bool:
    """Whether the token would be replaced by the marker."""
    return re.search("[0-9]", token) is not None


def has_phrase(nodes: Iterable[Node]) -> bool:
    """Whether templates can help: a phrase is searched."""
    return any(isinstance(node, Word | FieldContains | Text) for top in nodes for node in top.walk())
