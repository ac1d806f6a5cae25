"""Which row groups of a segment can hold what is searched: by its token filter and its templates. In doubt, all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ...plugins.fields import IDENTIFIERS
from ..storage.segment import Segment
from ..storage.token_filter import Flags, TokenFilter
from . import literals
from .literals import lower
from .prune import columns_of, meaning
from .scope import TEMPLATE, Schema
from .templates import decide, has_digit, has_phrase
from .terms import GLOB, network_of
from .tree import And, Bare, Compare, FieldCompare, FieldContains, In, Name, Node, Or, Text, Word

Runs = tuple[tuple[int, int], ...]
"""Row numbers from first to last, both included."""


def open_filters(paths: Mapping[int, str], segments: Sequence[Segment]) -> dict[int, TokenFilter]:
    """The filters of the merged segments that have one. Blocking."""
    found = {}
    for segment in segments:
        if segment.level and (token_filter := TokenFilter.open(Path(paths[segment.id]))) is not None:
            found[segment.id] = token_filter
    return found


def wants_filters(nodes: Sequence[Node]) -> bool:
    """Whether a filter can help: a text is searched, or a field has to equal one."""
    return has_phrase(nodes) or any(
        isinstance(node, FieldCompare | Compare) and node.op in (":", "=") for top in nodes for node in top.walk()
    )


class RowGroups:
    """The row groups that a query must read.

    :param templates: as of `TemplateCache.of`; None: none are known.
    """

    def __init__(
        self,
        filters: Mapping[int, TokenFilter],
        templates: Mapping[int, frozenset[str] | None] | None,
        schema: Schema,
    ) -> None:
        self._filters, self._schema = filters, schema
        self._templates = templates or {}
        self._all = frozenset().union(*(known for known in self._templates.values() if known))
        self._matched: dict[tuple[str, bool], frozenset[str]] = {}

    def of(self, segment: Segment, conditions: Sequence[Node]) -> Runs | None:
        """The rows of the segment that must be read; None: all."""
        token_filter = self._filters.get(segment.id)
        if token_filter is None:
            return None
        flags = self._flags(And(tuple(conditions)), segment, token_filter)
        if flags is None or flags.all():
            return None
        size = token_filter.group_rows
        groups = runs(np.flatnonzero(flags).tolist())
        return tuple((first * size, min((last + 1) * size, segment.rows) - 1) for first, last in groups)

    def _flags(self, node: Node, segment: Segment, token_filter: TokenFilter) -> Flags | None:
        match node:
            case And(items=items):
                known = [self._flags(item, segment, token_filter) for item in items]
                certain = [flags for flags in known if flags is not None]
                return np.logical_and.reduce(certain, dtype=np.bool_) if certain else None
            case Or(items=items):
                found = [self._flags(item, segment, token_filter) for item in items]
                some = [flags for flags in found if flags is not None]
                return np.logical_or.reduce(some, dtype=np.bool_) if some and len(some) == len(found) else None
            case Word(text=text) | Text(text=text):
                return self._message(lower(text), segment, token_filter)
            case FieldContains(field=Name(name="message"), text=text):
                return self._message(lower(text), segment, token_filter)
            case FieldCompare(field=field, op=(":" | "=") as op, value=value) if is_text(field, op, value):
                return self._value(field, value.text, segment, token_filter)
            case Compare(op="=", left=Name() as field, right=Text(text=text)):
                return self._value(field, text, segment, token_filter)
            case In(item=Name() as field, values=values):
                return self._flags(Or(tuple(Compare("=", field, value) for value in values)), segment, token_filter)
        return None

    def _value(self, field: Name, text: str, segment: Segment, token_filter: TokenFilter) -> Flags | None:
        name = meaning(field.name, self._schema)
        if name == TEMPLATE:
            return None  # a pattern is looked for in the message
        kinds = {column.kind for column in columns_of(field.name, segment, self._schema)}
        return token_filter.value(name, text) if kinds == {"text"} else None

    def _message(self, needle: str, segment: Segment, token_filter: TokenFilter) -> Flags | None:
        templates = self._templates.get(segment.id)
        if (
            templates is None
            or decide(needle) is None
            or not self._matching(needle, literally=True).isdisjoint(templates)
        ):
            return None
        tokens = [token for token in needle.split(" ") if token]
        if not tokens:
            return None
        inside = [token_filter.in_variable_token(token) for token in tokens]
        with_digit = [flags for token, flags in zip(tokens, inside, strict=True) if has_digit(token)]
        possible: Flags = np.logical_and.reduce([np.logical_or.reduce(inside), *with_digit], dtype=np.bool_)
        if possible.any() and self._matching(needle, literally=False).isdisjoint(templates):
            possible[:] = False
        return possible

    def _matching(self, needle: str, *, literally: bool) -> frozenset[str]:
        """The templates of all segments that hold the needle, or whose messages may."""
        known = self._matched.get((needle, literally))
        if known is None:
            pattern = decide(needle)
            known = frozenset(
                t for t in self._all if (needle in t if literally or pattern is None else pattern.search(t))
            )
            self._matched[needle, literally] = known
        return known


def runs(rows: Iterable[int]) -> Runs:
    """Row numbers as runs of neighbours, both ends included: of the newest events most are neighbours.

    >>> runs([7, 3, 5, 4, 9])
    ((3, 5), (7, 7), (9, 9))
    """
    found: list[tuple[int, int]] = []
    for row in sorted(rows):
        if found and row == found[-1][1] + 1:
            found[-1] = (found[-1][0], row)
        else:
            found.append((row, row))
    return tuple(found)


def is_text(field: Name, op: str, value: Bare | Text) -> bool:
    """Whether the comparison is of the very text, as `terms.plain` reads it."""
    if op == ":" and not (isinstance(value, Text) and value.exact) and GLOB.search(value.text):
        return False
    if isinstance(value, Text):
        return True
    number = None if field.name in IDENTIFIERS else literals.number(value.text)
    is_network = op == ":" and network_of(value.text) is not None
    return number is None and literals.size(value.text) is None and not is_network
