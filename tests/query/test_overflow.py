"""Fields that overflowed are found as if they had columns: every query answers the same, whatever has a column."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from cordwood.core.query import BatchFilter, QueryEngine, parse
from cordwood.core.query.duck import Duck
from cordwood.core.query.overflow import read_names
from cordwood.plugins import Batch, concat

from .segments import NOW, Segments, ask

pytestmark = pytest.mark.anyio

EVENTS: list[dict[str, Any]] = [
    {"message": "a", "common": n, "user": ["ann", "bob"][n % 2], **extra}
    for n, extra in enumerate(
        [
            {"status": 200, "took": 1.5, "ok": True, "a/b": "slash", "tags": ["x"]},
            {"status": 500, "took": 2.0, "ok": False, "c~d": "tilde", 'e"f': "quote"},
            {"status": "none", "big": 2**70, "large": 2**63 + 1, "deep": {"er": {"est": 7}}},
            {"status": 200.5, "small": -(2**63), "0": "zero", " ": "space", "ü": "umlaut"},
            {"status": True, "sort": "level", "overflow": 3, "text": "12"},
            {"timeout": "no", "severity": "error", "message": "timeout", "tags": [1, 2], "overflow": [4]},
            {},
        ]
    )
]
QUERIES = [
    "status:200",
    "status=500",
    "status>=300",
    "-status:200",
    "status:none",
    "status:true",
    "status:*",
    "status in (200, 500)",
    "status:200..500",
    "took<1.9",
    "ok:true",
    "ok=false or took>9",
    "`a/b`:slash",
    "`c~d`:tilde",
    '`e"f`:quote',
    "deep.er.est:7",
    f"big={2**70}",
    f"large={2**63 + 1}",
    f"small={-(2**63)}",
    "`0`:zero",
    "` `:space",
    "ü:umlaut",
    'ü~"LAUT"',
    "ü:/^um/",
    "ü:um*",
    "tags:*",
    "text:12",
    "text=12",
    "sort:level",
    "nowhere:1",
    "user:ann status:200",
    "* | stats count() by status | sort -count, status",
    "* | stats sum(took), avg(took), count(ok)",
    "* | stats count() by status, user | sort user, status",
    "* | where took + common > 2 | fields common, took",
    "* | where status = 200 or `a/b` = 'slash' | fields common",
    "timeout | fields common",
    "* | where severity = error | fields common",
    "* | where severity in (warn, error) | fields common",
    "* | fields common, status, took, ok, text | sort common",
    "* | extend x = took * 2 | fields common, x | sort common",
    "* | top 5 status",
    "* | sort -took, common | fields common | limit 3",
    "* | rename status as s | fields common, s | sort common",
    "* | dedup ok | stats count()",
    "* | stats max(deep.er.est), min(small)",
]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Segments]:
    made = {}
    for name in ("columns", "overflow", "merged"):
        made[name] = store = Segments(tmp_path_factory.mktemp(name))
        for event in EVENTS:
            batch = Batch.from_records([event], observed=NOW)
            folds = name == "overflow" or (name == "merged" and event["common"] % 2)
            store.commit(concat([batch], most=3) if folds else batch)
        if name == "merged":
            store.compact()
    return made


def whole(event: dict[str, Any]) -> dict[str, Any]:
    """The row with what overflowed beside the others."""
    rest = event.get("overflow")
    if not isinstance(rest, dict):
        return event
    return {name: value for name, value in event.items() if name != "overflow"} | rest


async def answers(store: Segments) -> dict[str, list[dict[str, Any]]]:
    """The rows of every query, in an order of their own."""
    engine = QueryEngine(store, store)
    found = {}
    for query in QUERIES:
        rows = [whole(row) for row in (await ask(store, query, engine)).objects()]
        found[query] = sorted(rows, key=lambda row: repr(sorted(row.items())))
    engine.close()
    return found


async def test_the_answers_are_the_same(stores: dict[str, Segments]) -> None:
    expected = await answers(stores["columns"])
    assert {query for query, rows in expected.items() if not rows} == {"nowhere:1"}
    for name in ("overflow", "merged"):
        assert any(segment.overflow for segment in stores[name].all)
        assert await answers(stores[name]) == expected


def test_a_filter_of_a_batch_finds_the_same() -> None:
    batch = Batch.from_records(EVENTS, observed=NOW)
    folded = concat([batch], most=3)
    with contextlib.closing(Duck(None, memory_limit="512MB", threads=1)) as duck:
        for query in QUERIES:
            if "|" not in query:
                search = BatchFilter(query, duck=duck)
                assert search.mask(folded, NOW).to_list() == search.mask(batch, NOW).to_list(), query


def test_names_that_are_read() -> None:
    query = parse("a:1 b -c (d or e=2) | where f and g > h and not i | stats count(j) by k | sort l")
    assert set(read_names(query)) == {"a", "e", "g", "h", "j", "k", "l"}
