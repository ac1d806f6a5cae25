"""Patterns as people shaped them: merged, split or named. They hold before those that are found (stages/patterns.py).

A shaped pattern has one or more texts, as `patterns` shows them; the first one stands for it for ever. A message
belongs to the first text that it fits, the more special ones first: fewer placeholders, then more letters. A text
without digits is compared with the message's mask, so that it is decided once for each distinct mask; one with digits,
such as `login from 10.0.0.1`, which came out of a split, with the message. So counts stay exact over any range and for
events of any age: nothing is stored with the events.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from typing import Final, Protocol

import msgspec
from sqlglot import exp

from ...plugins.patterns import MASK, PLACEHOLDER, pattern_regex
from . import sql
from .sql import Expr
from .tree import Name, Query

LONGEST: Final = 1000  # characters of a text
MOST_TEXTS: Final = 50  # of a pattern
_MARKS: Final = re.compile(r"[<*>]")
_DIGIT: Final = re.compile(r"[0-9]")


class ShapedPattern(msgspec.Struct, frozen=True):
    """One of them. With `split` each value of its one text's placeholder of this number, from 1, is a pattern."""

    patterns: tuple[str, ...]
    name: str | None = None
    split: int | None = None

    @property
    def text(self) -> str:
        """What it is known by."""
        return self.patterns[0]

    @property
    def sides(self) -> tuple[str, str]:
        """Of one that is split: what stands before the value, and behind it."""
        assert self.split is not None
        pieces = self.text.split(PLACEHOLDER)
        return PLACEHOLDER.join(pieces[: self.split]), PLACEHOLDER.join(pieces[self.split :])

    @property
    def capture(self) -> str:
        """Of one that is split: a regular expression of whole messages, whose group is the value."""
        assert self.split is not None
        before, after = self.sides
        # Between quotes a value may have spaces, which only both sides together tell.
        value = '[^"]*' if before.endswith('"') and after.startswith('"') else r"[^ \t\n\r\x0b\x0c]*"
        return rf"\A{pattern_regex(before)}({value}){pattern_regex(after)}\z"

    def value_in(self, pattern: str) -> str | None:
        """The value that makes this text of the split pattern; None: it is none of its patterns.

        >>> ShapedPattern(("<*> by <*> now",), split=2).value_in("<*> by ada now")
        'ada'
        """
        if self.split is None:
            return None
        before, after = self.sides
        value = pattern[len(before) : len(pattern) - len(after)]
        if before + value + after != pattern or PLACEHOLDER in value:
            return None
        quoted = before.endswith('"') and after.startswith('"')
        return value if not re.search('"' if quoted else r"[ \t\n\r\x0b\x0c]", value) else None


class _Text(msgspec.Struct, frozen=True):
    """A text at its place in the order; `shape` is the number of the pattern that it is of."""

    place: int
    text: str
    shape: int

    @property
    def of_message(self) -> bool:
        """Whether it is compared with the message itself."""
        return _DIGIT.search(self.text) is not None

    def test(self, tree: Expr) -> Expr:
        return _fits(tree, self.text)


class Shaped:
    """All of a project; equal where they say the same."""

    def __init__(self, patterns: Iterable[ShapedPattern] = ()) -> None:
        self.patterns = tuple(patterns)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shaped) and self.patterns == other.patterns

    def __hash__(self) -> int:
        return hash(self.patterns)

    def __bool__(self) -> bool:
        return bool(self.patterns)

    @cached_property
    def texts(self) -> tuple[_Text, ...]:
        """In the order in which a message is compared with them."""
        pairs = [(text, i) for i, shape in enumerate(self.patterns) for text in shape.patterns]
        pairs.sort(key=lambda pair: (pair[0].count(PLACEHOLDER), -len(pair[0]), pair[0]))
        return tuple(_Text(place, text, shape) for place, (text, shape) in enumerate(pairs, 1))

    @property
    def splits(self) -> list[int]:
        """The numbers of those that are split."""
        return [i for i, shape in enumerate(self.patterns) if shape.split is not None]

    def known_as(self, text: str) -> tuple[int, str | None] | None:
        """Which pattern is meant by a text or name, and which value of it where it is split; None: none of them."""
        for i, shape in enumerate(self.patterns):
            if text in shape.patterns or text == shape.name:
                return i, None
        for i in self.splits:
            if (value := self.patterns[i].value_in(text)) is not None:
                return i, value
        return None

    def place_in_message(self, message: Expr) -> Expr | None:
        """The place of the first text with digits that the message fits, else null; None: no text has any."""
        return _first([one for one in self.texts if one.of_message], message)

    def place_in_mask(self, mask: Expr) -> Expr:
        """The place of the first other text that the mask fits, else null."""
        found = _first([one for one in self.texts if not one.of_message], mask)
        return sql.cast(sql.NULL, "INTEGER") if found is None else found

    def of_mask(self, mask: str) -> str | None:
        """What the pattern is known by that a mask tells, without values of a split; None: none."""
        shape = self._shape(mask)
        return None if shape is None else shape.text

    def merged(self, mask: str) -> str | None:
        """As `of_mask`, but None of one that is split: each of its values is a pattern."""
        shape = self._shape(mask)
        return None if shape is None or shape.split is not None else shape.text

    def _shape(self, mask: str) -> ShapedPattern | None:
        return next((self.patterns[one.shape] for one, fits in self._fitting if fits.fullmatch(mask)), None)

    @cached_property
    def _fitting(self) -> list[tuple[_Text, re.Pattern[str]]]:
        texts = [one for one in self.texts if not one.of_message]
        return [(one, re.compile(pattern_regex(one.text), re.DOTALL)) for one in texts]

    def value(self, shape: int, message: Expr) -> Expr:
        """The value by which one that is split is split; null in a message of another form."""
        regex = self.patterns[shape].capture
        test = sql.call("regexp_matches", message, regex, "s")
        return sql.sql("CASE WHEN :t THEN :v END", t=test, v=sql.call("regexp_extract", message, regex, 1, "s"))

    def texts_by_place(self) -> Expr:
        """A list: at each place the text of the pattern there."""
        return sql.call("list_value", *(self.patterns[one.shape].text for one in self.texts))

    def names_by_place(self) -> Expr:
        """A list: at each place the name of the pattern there."""
        return sql.call("list_value", *(self.patterns[one.shape].name for one in self.texts))

    def places(self, shape: int) -> Expr:
        """A list of the places of a pattern's texts."""
        return sql.call("list_value", *(one.place for one in self.texts if one.shape == shape))

    def has(self, pattern: str, message: Expr) -> Expr:
        """Whether the message has the pattern: one that is shaped, or one that is found, without what is shaped."""
        known = self.known_as(pattern)
        if known is None:
            others = [one for one in self.texts if _may_meet(one.text, pattern)]
            test = _fits(message, pattern)
            return _guarded(test, sql.sql(":p IS NULL", p=_place(others, message))) if others else test
        shape, value = known
        own = [one for one in self.texts if one.shape == shape]
        before = [
            one
            for one in self.texts
            if one.shape != shape and one.place < own[-1].place and any(_may_meet(one.text, its.text) for its in own)
        ]
        place = _place(sorted([*own, *before], key=lambda one: one.place), message)
        found = sql.sql("COALESCE(list_contains(:l, :p), FALSE)", l=self.places(shape), p=place)
        if value is not None:
            own_value = self.value(shape, message)
            found = sql.all_of([sql.sql("COALESCE(:v, '') = :x", v=own_value, x=value), found])
        if any(_MARKS.search(one.text.replace(PLACEHOLDER, "")) for one in own):
            return found
        # What fits a text by its mask fits it by itself: then a placeholder of the mask lies within one of the text.
        return _guarded(sql.any_of(one.test(message) for one in own), found)


NOTHING: Final = Shaped()


class ShapedPatterns(Protocol):
    """Where they are kept."""

    async def shaped(self, project_id: int) -> Shaped:
        """All of a project."""


async def shaped_of(where: ShapedPatterns | None, project_id: int, query: Query | None = None) -> Shaped:
    """All of a project, where the query (None: any) has to do with patterns; else nothing is asked for."""
    if where is None or (query is not None and not _mentions_patterns(query)):
        return NOTHING
    return await where.shaped(project_id)


@lru_cache(maxsize=1_000)
def _mentions_patterns(query: Query) -> bool:
    nodes = (query.search, *(node for stage in query.stages for node in stage.nodes()))
    return (
        any(stage.name == "patterns" for stage in query.stages)
        or any(_is_pattern(node) for top in nodes for node in top.walk())
        or any(_mentions_patterns(inner) for stage in query.stages for inner in stage.queries())
    )


def _is_pattern(node: object) -> bool:
    return isinstance(node, Name) and node.name == "pattern"


def _fits(tree: Expr, text: str) -> Expr:
    return sql.sql("regexp_full_match(:x, :r, 's')", x=tree, r=pattern_regex(text))


def masked(message: Expr) -> Expr:
    """The message's mask: see plugins/patterns.py."""
    return sql.sql("regexp_replace(:m, :r, :p, 'g')", m=message, r=MASK, p=PLACEHOLDER)


def _guarded(test: Expr, then: Expr) -> Expr:
    return sql.sql("CASE WHEN :a THEN :b ELSE FALSE END", a=test, b=then)


def _first(texts: Sequence[_Text], tree: Expr) -> Expr | None:
    """The place of the first of the texts that fits; null: none does. None: there are no texts."""
    if not texts:
        return None
    found = exp.Case(ifs=[exp.If(this=one.test(tree), true=sql.integer(one.place)) for one in texts])
    return sql.cast(found, "INTEGER")


def _place(texts: Sequence[_Text], message: Expr) -> Expr:
    by_message = _first([one for one in texts if one.of_message], message)
    by_mask = _first([one for one in texts if not one.of_message], masked(message))
    found = [place for place in (by_message, by_mask) if place is not None]
    return sql.call("least", *found) if len(found) > 1 else found[0]


def _may_meet(one: str, other: str) -> bool:
    """Whether a message could fit both texts; where it is not sure that none can, yes.

    >>> _may_meet("a <*> c", "a b <*>"), _may_meet("a b", "a <*> c"), _may_meet("a b", "a c")
    (True, False, False)
    """
    if '"' in one + other:  # between quotes a placeholder stands for several words
        return True
    words = [re.split(r"[ \t\n\r\x0b\x0c]+", text) for text in (one, other)]
    return len(words[0]) == len(words[1]) and all(
        a == b or PLACEHOLDER in a or PLACEHOLDER in b for a, b in zip(*words, strict=True)
    )
