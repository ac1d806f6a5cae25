"""Reading queries: bounds, speed, lower case, and what the short cut by templates may decide."""

from __future__ import annotations

import re
import statistics
import time

import duckdb
import pyarrow as pa
import pytest
from cordwood.core.query import check, parse
from cordwood.core.query.literals import lower
from cordwood.core.query.plan import plan, prepare
from cordwood.core.query.prune import Bounds
from cordwood.core.query.scope import Context
from cordwood.core.query.templates import decide
from cordwood.plugins.errors import QueryError
from hypothesis import given, settings
from hypothesis import strategies as st

FIVE = (
    'checkout "card declined" severity>=warn | where status >= 400 and took < 1.5'
    " | stats count() as n, p95(took) by service, bin(5m) | where n > 3 | sort -n | limit 20"
)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("(" * 10_000, (1, 41)),
        ("x" * 1_000_000, (1, 1)),
        ("a\n| stats count(", (2, 15)),
        ('"open', (1, 1)),
        ("a | bogus", (1, 5)),
    ],
    ids=["parentheses", "long", "early end", "open quote", "stage"],
)
def test_places_of_mistakes(text: str, place: tuple[int, int]) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert (caught.value.line, caught.value.column) == place
    assert "^" in caught.value.pretty()


@pytest.mark.parametrize(
    "text", ["| stats nope()", "| extend x = uper(a)", "/(/", "a | sort", "| stats count() | where x > 1"]
)
def test_checking_needs_no_data(text: str) -> None:
    assert check("| stats rate() as r | where r > 1").stages
    assert check("| lookup owners on service | stats count() by team | where team in teams").stages
    assert check("| stats p95(took) as p by path | where p > 3").stages
    with pytest.raises(QueryError):
        check(text)


def test_planning_is_quick() -> None:
    """Five stages to SQL take some 3 ms of CPU; the bound leaves room for a slower machine."""
    taken = []
    for _ in range(30):
        started = time.process_time()
        plan(prepare(parse(FIVE), [], Bounds(), Context(0)), {})
        taken.append(time.process_time() - started)
    print(f"{1000 * statistics.median(taken):.1f} ms of CPU from text to SQL, the median of {len(taken)}")
    assert statistics.median(taken) < 0.01


def test_lower_case_is_duckdbs_for_every_letter() -> None:
    letters = [chr(i) for i in range(1, 0x110000) if not 0xD800 <= i < 0xE000]
    connection = duckdb.connect()
    connection.register("letters", pa.table({"c": letters}))
    rows = connection.execute("SELECT c, lower(c) FROM letters").fetchall()
    assert [c for c, low in rows if lower(c) != low] == []
    connection.close()


ALPHABET = st.sampled_from(["a", "B", "1", " ", " ", "<*>", "\t", "-", "É"])


@settings(max_examples=500)
@given(
    message=st.lists(ALPHABET, max_size=12).map("".join), phrase=st.lists(ALPHABET, min_size=1, max_size=5).map("".join)
)
def test_templates_decide_only_what_is_certain(message: str, phrase: str) -> None:
    template = lower(re.sub(r"[^ \t\n\r\x0b\x0c]*[0-9][^ \t\n\r\x0b\x0c]*", "<*>", message))
    needle = lower(phrase)
    found = needle in lower(message)
    possible = decide(needle)
    if possible is not None:
        assert found or needle not in template, "certainly present"
        assert not found or needle in template or possible.search(template), "certainly absent"
