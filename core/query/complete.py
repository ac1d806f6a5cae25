"""Completion at a cursor: what the parser takes there, with the names and values that the data has.

Nothing here lists the language: stages, keywords and functions come from Lark's interactive parser and from the
registries, fields and values from the catalog and the newest events.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from lark import Token
from lark.exceptions import LarkError

from ...plugins.errors import QueryError
from ...plugins.severity import NAMES
from . import literals
from .aggregate import AGGREGATES
from .function import functions
from .heads import HEADS
from .mistakes import words_of
from .parser import parse, query_parser
from .plan import Given, apply_stages, relation_of
from .relation import Relation
from .saved import SavedQuery
from .scope import find
from .stages import load_stages
from .table_plan import table_of
from .tree import EVENTS, Mistake

MOST = 100  # completions: more than anybody reads
VALUES = 50  # values of a field, of which those that fit are shown
_WORD = re.compile(r"@?[\w.]*$")
_FIELD = r"(?:@?[^\W\d][\w.@/-]*|`(?:[^`\\]|\\.)+`)"
_VALUE = re.compile(rf"({_FIELD})\s*(:|[<>!=]?=|[<>])\s*(\"?)([^\s\"'`|(),]*)$")
_TICKED = re.compile(r"`[^`]*$")
_PLAIN_VALUE = re.compile(r"[\w@][\w.@/-]*")
_PLAIN_NAME = re.compile(r"@?[^\W\d][\w.@]*")
_HEAD = re.compile(r"\s*from\s+([a-z_]*)", re.IGNORECASE)
_AGGREGATING = ("stats", "timechart", "running", "moving")

ValuesOf = Callable[[str], Awaitable[Sequence[tuple[Any, int]]]]
"""A field's name → its frequent values with their counts, the most frequent first."""


class Completion(msgspec.Struct, frozen=True):
    """What may stand at the cursor: `text` replaces what is typed of it; `detail` is its type, `about` what it does."""

    text: str
    kind: str
    detail: str = ""
    about: str = ""


class Completions(msgspec.Struct, frozen=True):
    """What may replace the text from character `start` to `end` (counted from 0), the likeliest first."""

    start: int
    end: int
    items: tuple[Completion, ...]


@dataclass(frozen=True)
class _Spot:
    """The cursor: what the parser takes there, what is typed of it, and the stage it is in (None: the search).

    `query` is where the innermost query begins, 0 or behind the parenthesis of a sub-query.
    """

    accepts: frozenset[str]
    typed: str
    start: int
    stage: str | None
    query: int


async def complete(
    text: str, cursor: int, given: Given, values_of: ValuesOf, saved: Sequence[tuple[SavedQuery, str]] = ()
) -> Completions:
    """What may stand at the cursor of a text that need not be a whole query.

    :param cursor: characters before it.
    :param given: what the catalog knows of the events (of the empty query over the same range).
    :param saved: the saved queries, each with its description.
    """
    before = text[:cursor]
    if (head := _HEAD.fullmatch(before)) is not None:
        abouts = {EVENTS: "The log events.", **{name: one.doc for name, one in HEADS.items()}}
        items = [Completion(f"{name} ", "table", "", about) for name, about in abouts.items()]
        return Completions(cursor - len(head[1]), cursor, _fitting(items, head[1]))
    found = _VALUE.search(before)
    spot = _spot(before, found.start(), found[0]) if found else None
    if found and spot is not None and f"{found[1].lower()}=" not in _words(spot):
        name = literals.unquote(found[1]) if found[1][0] == "`" else found[1]
        values = await _values(name, found[2], spot, given, values_of)
        items = [_value(value, count, found[3], spot) for value, count in values]
        start = cursor - len(found[3]) - len(found[4])
        return Completions(start, cursor, _fitting(items, found[4]))
    typed = (_TICKED if before.count("`") % 2 else _WORD).search(before)
    assert typed is not None
    spot = _spot(before, typed.start(), typed[0])
    if spot is None:
        return Completions(cursor, cursor, ())
    names, keywords = _names(spot, before, given), _keywords(spot)
    items = [*keywords, *names] if spot.typed else [*names, *keywords]
    if spot.typed and "SAVED" in spot.accepts:
        items += [_saved(query, about) for query, about in saved]
    return Completions(spot.start, cursor, _fitting(items, spot.typed))


def head_of(text: str) -> str:
    """What a text reads that need not be a whole query: a head of its, or the events."""
    found = _HEAD.match(text)
    return found[1] if found is not None and found[1] in HEADS else EVENTS


def _start(given: Given) -> Relation:
    """The rows before the first stage."""
    head = given.query.head
    return relation_of(given) if head == EVENTS else table_of(HEADS[head], given.context)


def _spot(before: str, start: int, typed: str) -> _Spot | None:
    """Where the text up to `start` leads; None: nothing can follow it, or it ends within quotes or with a slash."""
    if before[:start].endswith("/"):  # with a word right behind it, it would end no regular expression
        return None
    try:
        parser = query_parser().parse_interactive(before[:start])
        tokens = list(parser.iter_parse())
        accepts = frozenset(parser.accepts())  # type: ignore[no-untyped-call]
    except (LarkError, Mistake):
        return None
    inside = _innermost(tokens)
    query = (inside[0].end_pos or 0) if inside else 0
    return _Spot(accepts, typed, start, _stage(inside[1:] if inside else tokens), query)


def _innermost(tokens: Sequence[Token]) -> Sequence[Token]:
    """The tokens of the sub-query that they end in, from its parenthesis on; none: they end in the query itself."""
    opened: list[int] = []
    for i, token in enumerate(tokens):
        if token.type in ("LPAR", "QUERY_OPEN"):
            opened.append(i)
        elif token.type == "RPAR" and opened:
            opened.pop()
    inner = [i for i in opened if tokens[i].type == "QUERY_OPEN"]
    return tokens[inner[-1] :] if inner else ()


def _stage(tokens: Sequence[Token]) -> str | None:
    """The keyword after the last pipe; an empty text right after the pipe."""
    pipes = [i for i, token in enumerate(tokens) if token.type == "_PIPE"]
    if not pipes:
        return None
    return str(tokens[pipes[-1] + 1]).lower() if pipes[-1] + 1 < len(tokens) else ""


def _names(spot: _Spot, before: str, given: Given) -> Iterator[Completion]:
    """Fields and functions, where an expression, a list of fields or a search can go on."""
    if spot.stage is None:
        if "FIELD" in spot.accepts:
            yield from (_field(name, type_, ":") for name, type_ in _columns(_start(given), given, spot.typed))
        return
    if "NAME" in spot.accepts:
        rows = _before_stage(before[spot.query :], given)
        yield from (_field(name, type_) for name, type_ in _columns(rows, given, spot.typed))
    if "FUNCTION" in spot.accepts:
        registries = [("aggregate", AGGREGATES)] if spot.stage in _AGGREGATING else []
        for kind, registry in (*registries, ("function", functions())):
            for name, signature in sorted(registry.items()):
                yield Completion(f"{name}(", kind, signature.usage, signature.doc.partition("\n")[0])


def _before_stage(before: str, given: Given) -> Relation:
    """The rows that the stage at the cursor works on; those of the events where the text before it is no query."""
    for pipe in reversed([i for i, letter in enumerate(before) if letter == "|"]):
        try:
            return apply_stages(given, _start(given), parse(before[:pipe], any_head=True).stages)
        except QueryError:  # a pipe within quotes, or a mistake further ahead
            continue
    return _start(given)


def _columns(relation: Relation, given: Given, typed: str) -> Iterator[tuple[str, str]]:
    """The columns that have a value, and their types: those that `_fitting` may choose, for there may be thousands."""
    fields = {column.field for segment in given.segments for column in segment.columns}
    events = relation.events
    names = () if events is None else (
        name for name in events.fields()
        if name not in relation.columns and name not in relation.dropped and (name in fields or events.is_table)
    )  # fmt: skip
    wanted = typed.lower().strip("`").partition("\\")[0]  # with what is written before a character that is escaped
    found = [name for name in (*names, *relation.columns) if wanted in name.lower()]
    first = [name for name in found if name.lower().startswith(wanted)][: MOST + 1]  # one is typed already, maybe
    chosen = {*first, *[name for name in found if not name.lower().startswith(wanted)][: MOST + 1]}
    for name in found:
        if name in chosen and (value := relation.field(name)) is not None and value.kinds:
            yield name, value.type


def _field(name: str, type_: str, after: str = "") -> Completion:
    written = name if _PLAIN_NAME.fullmatch(name) else "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
    return Completion(written + after, "field", type_)


def _saved(query: SavedQuery, about: str) -> Completion:
    """A saved query as it is used."""
    call = query.usage()
    return Completion(call[: call.rindex("`") + 2] + ")" * (not query.parameters), "saved", call, about)


def _keywords(spot: _Spot) -> Iterator[Completion]:
    """Stages, and the words that the grammar has of its own."""
    stages = load_stages()
    if "FROM_HEAD" in spot.accepts and spot.typed:
        yield Completion("from ", "keyword", "", "Reads one of Cordwood's own tables")
    for name, stage in stages.items():
        if name.upper() in spot.accepts:
            yield Completion(f"{name} ", "stage", "", _sentence(stage.DOC))
    if spot.typed or spot.stage is not None:
        for word in _words(spot):
            if word not in stages:
                yield Completion(word if word.endswith("=") else f"{word} ", "keyword")


def _words(spot: _Spot) -> list[str]:
    """The words that may stand there, an option's with its `=`."""
    accepted = (terminal for terminal in query_parser().terminals if terminal.name in spot.accepts)
    return [word for terminal in accepted for word in words_of(terminal.pattern)]


async def _values(name: str, op: str, spot: _Spot, given: Given, values_of: ValuesOf) -> Iterable[tuple[Any, int]]:
    """Levels for a severity; of other fields frequent values, where it is asked for equal ones."""
    value = find(_start(given), name)
    if value is None or not (spot.accepts & {"FIELD", "FIELD_TERM", "NAME"}):
        return ()
    if value.has("severity"):
        return [(level.lower(), 0) for number, level in NAMES.items() if number % 4 == 1]
    return () if op[0] in "<>" else await values_of(name)


def _value(value: Any, count: int, quote: str, spot: _Spot) -> Completion:
    """A value as it is written at this place: in a search as it is, where it can be."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    plain = isinstance(value, int | float) or (spot.stage is None and _PLAIN_VALUE.fullmatch(text))
    if quote or not plain:
        text = '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return Completion(text, "value", f"{count:,}" if count else "")


def _fitting(items: Iterable[Completion], typed: str) -> tuple[Completion, ...]:
    """Those that begin with what is typed, then those that contain it, ignoring case; each once."""
    wanted = typed.lower()
    found = {item.text: item for item in items if wanted in item.text.lower() and item.text.strip() != typed}
    first = [item for item in found.values() if item.text.lower().lstrip('"`').startswith(wanted)]
    chosen = {item.text for item in first}
    return (*first, *(item for item in found.values() if item.text not in chosen))[:MOST]


def _sentence(doc: str) -> str:
    """The first sentence of a documentation."""
    return re.split(r"(?<=\.)\s", " ".join(inspect.cleandoc(doc).partition("\n\n")[0].split()), maxsplit=1)[0]
