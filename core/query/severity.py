"""Levels in queries. A level's name means its whole range (`error` is 17 to 20), a name with a step or a source's own
word one number (`error2` is 18, and so is `critical`, as it is when it comes in).
"""

from __future__ import annotations

from ...plugins.severity import LEVELS, NAMES, WORDS

RANGES = {level.lower(): (4 * step + 1, 4 * step + 4) for step, level in enumerate(LEVELS)}
RANGES["warning"], RANGES["err"] = RANGES["warn"], RANGES["error"]


def severity_range(word: str) -> tuple[int, int] | None:
    """The numbers that a word or a number means, both ends included.

    >>> severity_range("Error"), severity_range("warning"), severity_range("ERROR2"), severity_range("9")
    ((17, 20), (13, 16), (18, 18), (9, 9))
    >>> severity_range("loud") is None
    True
    """
    lowered = word.lower()
    if lowered in RANGES:
        return RANGES[lowered]
    if len(lowered) > 2 and lowered in WORDS:
        return WORDS[lowered], WORDS[lowered]
    if word.isascii() and word.isdigit() and len(word) < 4:
        return int(word), int(word)
    return None


def severity_name(number: int | None) -> str | None:
    """The name shown for a number: `ERROR`, `ERROR2`; a number outside 1 to 24 is shown as it is.

    >>> severity_name(17), severity_name(18), severity_name(None), severity_name(99)
    ('ERROR', 'ERROR2', None, '99')
    """
    return None if number is None else NAMES.get(number, str(number))
