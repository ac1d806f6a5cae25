"""Patterns that people shaped: what `patterns` counts and `pattern:` finds, held against counting the messages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cordwood.core.query import QueryEngine
from cordwood.core.query.shaped import Shaped, ShapedPattern
from cordwood.plugins.patterns import MASK, clustered, pattern_regex
from hypothesis import given, settings
from hypothesis import strategies as st

from .segments import NOW, Segments, ask

pytestmark = pytest.mark.anyio
WORDS = ("ada", "bob", "cyd", "dan", "eve")
MESSAGES = [
    *(f"login by {name} from 10.0.0.{i}" for i, name in enumerate(WORDS)),
    *(f"login by {name} from 10.0.0.9" for name in WORDS[:3]),
    *("VM Started", "VM Stopped", "VM Started", "VM Paused in 5 s", "took 12ms for ab3", "took 3ms for x1"),
    *('say "two words" now', 'say "5" now', 'say "" now', "user= done", "user=7 done", "no values here"),
]


@dataclass(frozen=True)
class Known:
    """Where an engine finds patterns."""

    patterns: Sequence[ShapedPattern]

    async def shaped(self, project_id: int) -> Shaped:
        return Shaped(self.patterns)


def belongs(message: str, patterns: Sequence[ShapedPattern]) -> tuple[ShapedPattern, str | None] | None:
    """The shaped pattern of a message, and its value where that is split."""
    texts = sorted(
        ((text, one) for one in patterns for text in one.patterns),
        key=lambda pair: (pair[0].count("<*>"), -len(pair[0]), pair[0]),
    )
    mask = re.sub(MASK, "<*>", message)
    for text, one in texts:
        if re.fullmatch(pattern_regex(text), message if re.search("[0-9]", text) else mask, re.DOTALL):
            if one.split is None:
                return one, None
            group = re.fullmatch(one.capture.replace(r"\z", r"\Z"), message, re.DOTALL)
            return one, group[1] if group else ""
    return None


def shown(messages: Sequence[str], patterns: Sequence[ShapedPattern]) -> Counter[tuple[str, str | None]]:
    """How often `patterns` shows which text and name, one message after the other."""
    masks = [re.sub(MASK, "<*>", message) for message in messages]
    number = Counter(masks)
    distinct = sorted(number, key=lambda mask: (-number[mask], mask))
    found = dict(zip(distinct, clustered(distinct), strict=True))

    def of(message: str, mask: str) -> tuple[str, str | None]:
        own = belongs(message, patterns)
        if own is None:
            return found[mask], None
        one, value = own
        return one.text if value is None else value.join(one.sides), one.name

    return Counter(of(message, mask) for message, mask in zip(messages, masks, strict=True))


def finds(text: str, messages: Sequence[str], patterns: Sequence[ShapedPattern]) -> int:
    """How many messages `pattern:"text"` finds."""
    known = Shaped(patterns).known_as(text)
    if known is None:
        fits = re.compile(pattern_regex(text), re.DOTALL)
        return sum(belongs(message, patterns) is None and bool(fits.fullmatch(message)) for message in messages)
    shape, value = patterns[known[0]], known[1]
    own = [found for message in messages if (found := belongs(message, patterns)) and found[0] == shape]
    return sum(value is None or of_message == value for _, of_message in own)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


async def held(store: Segments, messages: Sequence[str], patterns: Sequence[ShapedPattern]) -> None:
    engine = QueryEngine(store, store, shaped=Known(patterns))
    expected = shown(messages, patterns)
    more = ", name, shaped" if patterns else ""
    rows = list((await ask(store, f"| patterns | fields pattern, count{more}", engine)).rows())
    assert {(text, *(rest[:1] or [None])): n for text, n, *rest in rows} == dict(expected)
    for text, _, *rest in rows:
        known = Shaped(patterns).known_as(text)
        assert rest[1:] == [patterns[known[0]].text if known else None] or not patterns, text
    texts = {text for text, _ in expected} | {text for one in patterns for text in (*one.patterns, one.name) if text}
    for text in sorted(texts):
        (found,) = (await ask(store, f"pattern:{quoted(text)} | stats count() as n", engine)).rows()
        (others,) = (await ask(store, f"pattern!={quoted(text)} | stats count() as n", engine)).rows()
        n = finds(text, messages, patterns)
        assert (found[0], others[0]) == (n, len(messages) - n), text
    engine.close()


@pytest.mark.parametrize(
    "patterns",
    [
        pytest.param([], id="none"),
        pytest.param([ShapedPattern(("VM Started", "VM Stopped"), "machine")], id="merged"),
        pytest.param([ShapedPattern(("login by <*> from <*>",), split=1)], id="split by a word"),
        pytest.param([ShapedPattern(("login by <*> from <*>",), split=2)], id="split by a number"),
        pytest.param([ShapedPattern(('say "<*>" now',), split=1), ShapedPattern(("user=<*> done",), split=1)],
                     id="values between quotes, and none"),
        pytest.param([ShapedPattern(("login by <*> from <*>",), "logins"), ShapedPattern(("login by ada from <*>",))],
                     id="taken out"),
        pytest.param([ShapedPattern(("login by <*> from <*>",), split=2),
                      ShapedPattern(("login by <*> from 10.0.0.9", "VM Started"), "odd")], id="of a split, merged"),
        pytest.param([ShapedPattern(("<*> <*>",), "two words")], id="wide"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("merged", [False, True], ids=["as committed", "compacted"])
async def test_counts_are_those_of_the_messages(
    tmp_path: Path, patterns: Sequence[ShapedPattern], *, merged: bool
) -> None:
    store = Segments(tmp_path)
    for start in range(0, len(MESSAGES), 7):
        part = MESSAGES[start : start + 7]
        store.commit([{"timestamp": NOW + start + i, "message": message} for i, message in enumerate(part)])
    if merged:
        store.compact()
    await held(store, MESSAGES, patterns)


_TOKEN = st.sampled_from(["a", "b", "Cd", "5", "x=7", '"q"', '"a b"', "<", "*>", "/p/q/r", "é", "(1)"])
_MESSAGE = st.lists(_TOKEN, min_size=1, max_size=4).map(" ".join)
_TEXT = st.lists(st.one_of(_TOKEN, st.sampled_from(["<*>", "x=<*>", '"<*>"'])), min_size=1, max_size=4).map(" ".join)


@st.composite
def shaped(draw: st.DrawFn) -> list[ShapedPattern]:
    texts = draw(st.lists(_TEXT, unique=True, max_size=6))
    found = []
    while texts:
        own = tuple(texts.pop() for _ in range(min(len(texts), draw(st.integers(1, 3)))))
        places = own[0].count("<*>")
        split = draw(st.integers(1, places)) if len(own) == 1 and places and draw(st.booleans()) else None
        found.append(ShapedPattern(own, draw(st.sampled_from([None, f"name {len(texts)}"])), split))
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(_MESSAGE, min_size=1, max_size=30), shaped())
async def test_any_shape_counts_exactly(messages: list[str], patterns: list[ShapedPattern]) -> None:
    with TemporaryDirectory() as folder:
        store = Segments(Path(folder))
        store.commit([{"timestamp": NOW + i, "message": message} for i, message in enumerate(messages)])
        await held(store, messages, patterns)
