"""Answers of aggregations, kept in memory: segments never change, so the same plan over them has the same answer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pyarrow as pa

from .plan import Given, Output

MOST_BYTES = 64 << 20  # of all answers together
MOST_ASKED = 1_000  # questions that are known to have been asked
MOST_SHARE = 8  # an answer larger than this part of it would push out too many others
_ENTRY_BYTES = 100  # of a key that says of each segment what is read of it: equal texts are one
AnswerKey: TypeAlias = tuple[int, str | tuple[str | tuple[int, str], ...], tuple[Output, ...]]
"""The project, what is read of which segment as SQL, and the columns."""


@dataclass(frozen=True)
class Answer:
    """The columns, the rows, and whether a limit cut none off."""

    outputs: Sequence[Output]
    table: pa.Table
    complete: bool


class Answers:
    """What is read and made of it → answer; the longest unused leave first.

    The columns that have no value are not in the SQL.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[AnswerKey, Answer] = OrderedDict()
        self._asked: OrderedDict[int, None] = OrderedDict()
        self.bytes = 0

    def asked_before(self, project_id: int, given: Given) -> bool:
        """Whether this was asked lately: only then is it worth planning it twice, for the key and for the answer."""
        ids = tuple(segment.id for segment in given.segments)
        key = hash((project_id, given.query.text, given.bounds, given.limit, ids))
        before = key in self._asked
        self._asked[key] = None
        self._asked.move_to_end(key)
        if len(self._asked) > MOST_ASKED:
            self._asked.popitem(last=False)
        return before

    def get(self, key: AnswerKey) -> Answer | None:
        """The answer, if it is kept."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: AnswerKey, answer: Answer) -> None:
        """Keep an answer, if it is small enough."""
        if _size(key, answer) > self._most // MOST_SHARE or key in self._kept:
            return
        self._kept[key] = answer
        self.bytes += _size(key, answer)
        while self.bytes > self._most:
            gone = self._kept.popitem(last=False)
            self.bytes -= _size(*gone)


def _size(key: AnswerKey, answer: Answer) -> int:
    """A slice counts as what it was cut from: that is what stays in memory."""
    text = key[1]
    known = len(text) if isinstance(text, str) else _ENTRY_BYTES * len(text)
    return known + int(answer.table.get_total_buffer_size())
