"""Patterns: the kinds of messages there are, found from the messages alone, the same way for every system.

Three steps. `MASK` takes what has a digit out of a message: `took 12ms for ab3` → `took <*> for <*>`; a regular
expression, so that whole columns are masked at once. `refined` takes out what else is a value by its form: paths,
dotted names, dates in words. `clustered` finds the values that only a comparison shows: of masks that differ in one
word, five or more different words are values of one pattern. The last two see only the distinct masks, which are few.

The idea of telling words from values by how many there are at a place is that of Drain (He, Zhu, Zheng, Lyu: Drain: An
Online Log Parsing Approach with Fixed Depth Tree, ICWS 2017) and Brain (Yu, He, Chen, Lyu: TSC 2023).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

PLACEHOLDER = "<*>"
"""Stands for a value."""
_SPACE, _DELIMITERS = r" \t\n\r\x0b\x0c", r"=:,()\[\]{}\"'<>|;&?"
MASK = f"[^0-9{_SPACE}{_DELIMITERS}]*[0-9][^{_SPACE}{_DELIMITERS}]*"
"""What is replaced by the placeholder: a run without spaces and delimiters that has an ASCII digit. RE2 and Rust."""

MOST_MASKS = 20_000  # that are compared; the rarer ones beyond are patterns each by itself
MOST_TOKENS = 200  # of a mask that is compared: a longer one is a document
MANY = 5  # different words at one place are values; with 4 the states of a machine become one
ROUNDS = 6  # a pattern with values at several places needs a round for each
_LEAST_WORDS = 2  # that masks have in common besides: fewer say too little

_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
# In this order, each over what the one before left.
_VALUES = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        (rf"\b{_DAY}\b(?=[ ,/-]+(?:{_DAY}\b|<\*>))", PLACEHOLDER),
        (r"(?<=[ =:(\[{])(?:(?:/[\w.$*@~+-]+){2,}/?|/[\w.-]+/)(?:\?[^\s\"]*)?", PLACEHOLDER),  # paths and queries
        (r"(?<![\w.$/-])[A-Za-z_$-][\w$-]*(?:\.[\w$-]+){2,}(?!\w)(?:/[\w.$]+)?", PLACEHOLDER),  # hosts, packages
        (r"(?<=<\*>)\?[^\s\"]*", PLACEHOLDER),
        (r"(?i)(?<=\bfor user )[^\s<]+", PLACEHOLDER),
        (r"(?<![\w.])[0-9a-fA-F]{8,}(?![\w.])", PLACEHOLDER),
        (r'="[^"]*"', '="<*>"'),
        (r"(?<==)(?:true|false|null|none)\b", PLACEHOLDER),
        (r"(?<= )\(\)", f"({PLACEHOLDER})"),
        (r"[ \t]+", " "),
        (r"-<\*>", PLACEHOLDER),
        (r"<\*>(?:[.:/,_-]?<\*>)+", PLACEHOLDER),
    )
)
_TOKENS = re.compile(rf"<\*>|[{_SPACE}]+|[{_DELIMITERS}]|[^{_SPACE}{_DELIMITERS}]+")
_WORD = re.compile(r"[^\W\d_]")
_BASE, _MODULUS = 1_000_003, (1 << 61) - 1
_Tokens = tuple[str, ...]


def refined(mask: str) -> str:
    """The mask with the values that show by their form taken out.

    >>> refined('<*> "GET /cart/items?all=yes HTTP/<*>" at Fri Jun <*> host=db.eu.example')
    '<*> "GET <*> HTTP/<*>" at <*> <*> <*> host=<*>'
    """
    for pattern, by in _VALUES:
        mask = pattern.sub(by, mask)
    return mask


def clustered(masks: Iterable[str]) -> list[str]:
    """The pattern of each mask, in their order; the most important ones first.

    The same masks give the same patterns, whatever their order, up to MOST_MASKS of them.

    >>> clustered([f"session opened by {name}" for name in ("ada", "bob", "cyd", "dan", "eve")])[0]
    'session opened by <*>'
    >>> clustered(["VM Started", "VM Stopped", "took <*> ms"])
    ['VM Started', 'VM Stopped', 'took <*> ms']
    """
    forms = [refined(mask) for mask in masks]
    tokens = {form: tuple(_TOKENS.findall(form)) for form in dict.fromkeys(forms[:MOST_MASKS])}
    patterns = {found: found for found in tokens.values() if len(found) <= MOST_TOKENS}
    for _ in range(ROUNDS):
        general = _more_general(set(patterns.values()))
        if not general:
            break
        patterns = {first: _last(general, now) for first, now in patterns.items()}
    return ["".join(patterns.get(tokens.get(form, ()), (form,))) for form in forms]


def _more_general(patterns: set[_Tokens]) -> dict[_Tokens, _Tokens]:
    """Pattern → the same with one more place a value, for those that differ from others just there."""
    families: dict[tuple[int, int, int], list[_Tokens]] = defaultdict(list)
    for tokens in sorted(patterns):
        hashes = [hash(token) * pow(_BASE, i, _MODULUS) for i, token in enumerate(tokens)]
        whole = sum(hashes)
        for i, token in enumerate(tokens):
            if token == PLACEHOLDER or _WORD.search(token):
                families[len(tokens), i, (whole - hashes[i]) % _MODULUS].append(tokens)
    found: dict[_Tokens, _Tokens] = {}
    # The largest families first; of equal ones in the order of their texts, which is the same in every process.
    for (_, i, _), family in sorted(families.items(), key=lambda item: (-len(item[1]), item[0][:2], item[1][0])):
        if len(family) == 1 or not _are_values(i, family):
            continue
        general = (*family[0][:i], PLACEHOLDER, *family[0][i + 1 :])
        for tokens in family:
            if tokens != general:
                found.setdefault(tokens, general)
    return found


def _are_values(i: int, family: list[_Tokens]) -> bool:
    """Whether the tokens at a place, in which alone the masks differ, are values."""
    if len(family) < MANY and all(tokens[i] != PLACEHOLDER for tokens in family):
        return False
    words = sum(j != i and token != PLACEHOLDER and token[0].isalpha() for j, token in enumerate(family[0]))
    return words >= _LEAST_WORDS


def _last(general: dict[_Tokens, _Tokens], tokens: _Tokens) -> _Tokens:
    while tokens in general:  # each step has one word less: it ends
        tokens = general[tokens]
    return tokens


def pattern_regex(pattern: str) -> str:
    r"""A regular expression, in RE2's and Python's words, that the whole of a message with this pattern matches.

    A placeholder stands for anything without spaces, between quotes for anything.

    >>> re.fullmatch(pattern_regex('took <*> for "<*>"'), 'took 5ms  for "a b"') is not None
    True
    """
    parts = []
    pieces = pattern.split(PLACEHOLDER)
    for i, piece in enumerate(pieces):
        if i:
            is_quoted = pieces[i - 1].endswith('"') and piece.startswith('"')
            parts.append('[^"]*' if is_quoted else f"[^{_SPACE}]*")
        parts.append(re.sub(r"(?:\\[ \t])+", r"[ \\t]+", re.escape(piece)).replace("\0", r"\x00"))
    return "".join(parts)
