"""Syntax errors in the words of the people who type queries: where, what was found, expected, and meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken
from lark.lexer import PatternRE

from ...plugins.errors import QueryError

WORDS = {
    "_PIPE": "`|`", "_AND": "`and`", "_OR": "`or`", "_NOT": "`not`", "_IN": "`in`", "_IS": "`is`", "_AS": "`as`",
    "_BY": "`by`", "_MINUS": "`-`", "FIELD": "a field", "FIELD_TERM": "a field", "BACKTICK": "a field in backticks",
    "NAME": "a field", "REGEX": "a /regular expression/", "WORD": "a word", "STAR": "`*`", "BARE": "a value",
    "ITEM": "a value", "COMPARISON": "a comparison (= != < <= > >=)",
    "OPERATOR": "like, matches, contains, startswith or endswith",
    "FUNCTION": "a function", "TRUE": "true", "FALSE": "false", "NULL": "null", "NUMBER": "a number",
    "DURATION": "a duration such as 5m", "SIZE": "a size such as 10KB",
    "PERCENT": "a share such as 1%", "SIGN": "`+` or `-`",
    "FACTOR": "`*`, `/` or `%`",
    "STRING": 'a "text"', "EXACT": "a 'text'", "INTEGER": "a whole number", "LPAR": "`(`", "RPAR": "`)`",
    "COMMA": "`,`",
    "SAVED": "a saved query", "PARAMETER": "a parameter such as $user",
    "QUERY_OPEN": "a sub-query in `( )`", "COLON": "`:`", "TILDE": "`~`", "EQUAL": "`=`", "$END": "the end",
}  # fmt: skip
VALUES = {"NUMBER", "DURATION", "SIZE", "TRUE", "FALSE", "NULL", "NAME", "BACKTICK", "STRING", "EXACT", "REGEX",
          "FUNCTION", "FIELD_TERM", "LPAR", "SIGN", "_NOT", "SAVED", "PARAMETER"}  # fmt: skip


_KEYWORD = re.compile(r"(?:\(\?:)?([a-z]+(?:\|[a-z]+)*)\)?\(\?[=!]")


def words_of(pattern: object) -> list[str]:
    """The words that a terminal of letters stands for, an option's with its `=`."""
    if not isinstance(pattern, PatternRE) or not (found := _KEYWORD.match(pattern.value)):
        return []
    option = re.search(r"\(\?=\\s\*=\)$", pattern.value) is not None
    return [word + "=" * option for word in found[1].split("|")]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like this one, if any does.

    >>> nearest("servise", ["host", "service"]), nearest("xyz", ["host"])
    ('service', None)
    """
    by_lower: dict[str, str] = {}
    for other in sorted(known, reverse=True):
        by_lower.setdefault(other.lower(), other)
    found = difflib.get_close_matches(name.lower()[:80], by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A hint with the nearest known name, or another hint where none is near."""
    found = nearest(name, known)
    return f"did you mean `{found}`?" if found else otherwise


def expected_words(
    accepts: Iterable[str], stages: Iterable[str], keywords_of: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> str:
    """What the parser would take here, in words; values of all sorts are one word, stages are another.

    >>> expected_words({"NUMBER", "NAME", "STRING", "FUNCTION", "LPAR", "SIGN", "REGEX"}, [])
    'an expression'
    >>> expected_words({"RPAR", "COMMA"}, [])
    '`)` or `,`'
    """
    rest = set(accepts) - {"FROM_HEAD"}
    words: list[str] = []
    keywords = {name.upper() for name in stages}
    if len(rest & keywords) > 1:
        words.append("a stage")
        rest -= keywords | {"SAVED"}
    if len(rest & VALUES) > 6:
        words.append("an expression")
        rest -= VALUES
    if {"WORD", "FIELD"} <= rest:
        words.append("a search")
        rest -= {"WORD", "FIELD", "BACKTICK", "SAVED", "STRING", "EXACT", "REGEX", "STAR", "LPAR", "_NOT", "_MINUS"}
    rest.discard("$END")
    words += sorted({
        WORDS.get(terminal) or f"`{keyword}`"
        for terminal in rest
        for keyword in keywords_of.get(terminal) or [terminal.lower()]
    })  # fmt: skip
    words = words[:6]
    return (
        words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}" if words else "the end of the query"
    )


def syntax_error(text: str, error: UnexpectedInput, stages: Mapping[str, object], parser: Lark) -> QueryError:
    """The error of the parser as a QueryError."""
    line, column = error.line, error.column
    found = ""
    accepts: set[str] = set()
    match error:
        case UnexpectedToken():
            accepts, found = set(error.accepts or error.expected or ()), str(error.token)
            if error.token.type == "$END":
                found = ""
        case UnexpectedCharacters():
            accepts = set(error.allowed or ())
            found = (
                text[error.pos_in_stream : (error.pos_in_stream or 0) + 40].split(maxsplit=1)[0]
                if error.pos_in_stream is not None
                else ""
            )
        case UnexpectedEOF():
            accepts = set(error.expected or ())
    if not found or line is None or line < 1:
        lines = text.split("\n")
        line, column = len(lines), len(lines[-1]) + 1
    stage_place = len(accepts & {name.upper() for name in stages}) > 1
    word = "".join(letter for letter in found.split("(", maxsplit=1)[0] if letter.isalnum() or letter == "_")
    keywords_of = {terminal.name: words_of(terminal.pattern) for terminal in parser.terminals}
    expected = expected_words(accepts, stages, keywords_of)
    if stage_place and word:
        return QueryError(f"no stage `{word}`", text=text, line=line, column=column,
                          hint=did_you_mean(word, stages, f"stages: {', '.join(sorted(stages))}"))  # fmt: skip
    if found[:1] in "\"'`" and found:
        return QueryError(f"unexpected `{found[0]}`, or it is never closed", text=text, line=line, column=column,
                          hint=f"expected {expected}")  # fmt: skip
    message = (
        f"unexpected `{found[:40]}`, expected {expected}" if found else f"the query ends too early, expected {expected}"
    )
    hint = "a word with special characters goes in quotes" if {"BARE", "WORD", "ITEM"} & accepts and found else ""
    return QueryError(message, text=text, line=line, column=column, hint=hint)
