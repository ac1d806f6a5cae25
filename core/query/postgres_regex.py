"""RE2's regular expressions in PostgreSQL's words, where both mean the same."""

from __future__ import annotations

import re

# A token of RE2: an escape, the begin of a special group, a class, a lazy repetition, or anything else.
_TOKEN = re.compile(
    r"\\(?P<escape>.)|(?P<special>\(\?(?!:))|(?P<class>\[\^?\]?(?:\[:\w+:\]|\\.|[^\]\\])*\])"
    r"|(?P<lazy>(?:[*+?]|\{\d+(?:,\d*)?\})[?+])|\(\?:|.",
    re.DOTALL,
)
_CLASSES = {"d": "0-9", "w": "a-zA-Z0-9_", "s": r"\t\n\f\r "}
_SAME = "tnrfv"
_ANCHORS = {"b": r"\y", "B": r"\Y", "A": r"\A", "z": r"\Z"}


def postgres_regex(pattern: str, *, extracts: bool = False) -> str | None:
    r"""The expression for PostgreSQL's `~`; None: there is none that finds the same.

    Where text is taken out, both must agree on how long a match is: there neither `|` nor lazy repetitions fit.

    >>> postgres_regex(r"^user=(\d+).\b[\w-]"), postgres_regex("(?:a|b)c*?"), postgres_regex("(?i)a")
    ('^user=([0-9]+)[^\\n]\\y[a-zA-Z0-9_-]', '(?:a|b)c*?', None)
    """
    made: list[str] = []
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if (letter := token["escape"]) is not None:
            part = _escape(letter)
        elif token["special"] is not None:
            part = None
        elif token["class"] is not None:
            part = _class(text)
        elif (token["lazy"] is not None and (extracts or text[-1] == "+")) or (extracts and text == "|"):
            part = None
        else:
            part = "[^\\n]" if text == "." else text
        if part is None:
            return None
        made.append(part)
    return "".join(made)


def _escape(letter: str) -> str | None:
    if letter in _CLASSES:
        return f"[{_CLASSES[letter]}]"
    if letter.lower() in _CLASSES:
        return f"[^{_CLASSES[letter.lower()]}]"
    if letter in _SAME or not letter.isalnum():
        return "\\" + letter if letter.isascii() else None
    return _ANCHORS.get(letter)


def _class(text: str) -> str | None:
    made = re.sub(r"\\([dws])", lambda found: _CLASSES[found[1]], text)
    rest = re.sub(r"\\[tnrfv\W]", "", made)
    return None if re.search(r"\\\w", rest) else made
