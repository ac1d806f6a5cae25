"""A name with one typo in it is refused with the right name as the hint, nearly always."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable

import pytest
from cordwood.core.query import check
from cordwood.core.query.aggregate import AGGREGATES
from cordwood.core.query.function import functions
from cordwood.core.query.stages import load_stages
from cordwood.plugins.errors import QueryError

COLUMNS = ["service", "requests", "status", "duration_ms", "user_name", "path", "region", "bytes_sent"]
CALLS = {name: ", ".join(["took"] * signature.least) for name, signature in {**functions(), **AGGREGATES}.items()}
KINDS: dict[str, tuple[list[str], Callable[[str, str], str]]] = {
    "stages": (list(load_stages()), lambda _, typed: f"x | {typed} took"),
    "functions": (list(functions()), lambda name, typed: f"| extend x = {typed}({CALLS[name]})"),
    "aggregates": (list(AGGREGATES), lambda name, typed: f"| stats {typed}({CALLS[name]})"),
    "columns": (COLUMNS, lambda _, typed: f"| stats count() by {', '.join(COLUMNS)} | where {typed} = 1"),
}
EACH = 20  # typos of a name


def mistyped(name: str, dice: random.Random) -> str:
    """The name with a letter lost, added, exchanged for another, or two in the wrong order."""
    i, letter = dice.randrange(len(name)), dice.choice(string.ascii_lowercase)
    match dice.randrange(4):
        case 0:
            return name[:i] + name[i + 1 :]
        case 1:
            return name[:i] + letter + name[i:]
        case 2:
            return name[:i] + letter + name[i + 1 :]
    return name[:i] + name[i + 1 : i + 2] + name[i] + name[i + 2 :]


@pytest.mark.parametrize("kind", KINDS)
def test_the_hint_names_what_was_meant(kind: str) -> None:
    names, text = KINDS[kind]
    dice = random.Random(7)
    valid = {*names, *functions(), *AGGREGATES}
    meant = {(typed, name) for name in names for _ in range(EACH) if (typed := mistyped(name, dice)) not in valid}
    right = wrong = 0
    for typed, name in sorted(meant):
        if not re.fullmatch(r"[a-z_]\w*", typed):
            continue
        with pytest.raises(QueryError) as caught:
            check(text(name, typed))
        is_right = f"`{name}`" in caught.value.hint
        right, wrong = right + is_right, wrong + (not is_right)
    share = right / (right + wrong)
    print(f"{kind}: the hint was right for {100 * share:.1f} % of {right + wrong} typos")
    assert share >= 0.95
