"""A role that sees a part of the events gets, to any query, the answer of a store that holds nothing but that part.

Queries are drawn from the whole language: joins, unions, lookups, patterns, ranges; and so are what is permitted and
what is masked.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cordwood.core.query import QueryEngine, QueryRequest
from cordwood.core.query.request import Mask, Rights
from cordwood.core.query.rights import STARS
from cordwood.plugins import QueryError
from cordwood.plugins.batch import Batch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .reference import Event, events_of, holds, shown, text_form
from .segments import NOW, TABLES, Segments
from .test_differential import HOUR, commit_lists, pick, searches

pytestmark = pytest.mark.anyio
SALT = "pinch"
PATIENCE = 600.0
"""Seconds: that a busy machine has no time for a question is no answer to compare."""
MASKED = ["user", "status", "host", "message", "client.ip", "weird name"]
masks = st.lists(st.tuples(pick(MASKED), pick(["hash", "stars"])), max_size=2, unique_by=lambda mask: mask[0])
STAGES = [
    "",
    "| stats count() as n",
    "| stats count() as n, min(status), max(user), distinct_exact(message) as m by service, user",
    "| stats first(user) as f, last(message) as l, values(user) as v by host",
    "| sort user, n | fields user, n, ghost",
    "| top 5 user",
    "| timechart span=1h count() as n by host",
    "| timechart count() as n",
    "| patterns",
    "| where user>\"A\" | fields n",
    "| extend x = lower(user), y = status + 1, z = length(message) | fields x, y, z",
    "| parse /(?P<who>user\\S*)/ from message | stats count() as n by who",
    "| union ({0}) | stats count() as n by user",
    "| join user ({0} | fields user, n) | fields n, n_2",
    "| join kind=left status ({0} | stats count() as c by status) | fields n, c",
    "| lookup owners on service | stats count() as n by team",
    "| where service in owners | stats count() as n",
    "| context 1 | fields n, message",
    "| compare -1h",
    "| fields user, `weird name`, statsu",
    "| extend l = level, t = time | fields l, t",
]  # fmt: skip
QUESTIONS = ["query", "query", "query", "query", "fields", "values", "complete", "tail"]


def permitted(commits: Sequence[Batch], search: Any, masked: Sequence[tuple[str, str]]) -> list[list[dict[str, Any]]]:
    """The events that a role sees, commit by commit, as records that make them anew."""
    return [
        [record_of(event, masked) for event in events_of(batch) if holds(search, event)] for batch in commits
    ]  # fmt: skip


def record_of(event: Event, masked: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """An event as a record, with stars or a hash for what is masked."""
    hows = dict(masked)
    record: dict[str, Any] = {}
    for name, (kind, value) in event.items():
        if name in hows:
            text = text_form(kind, value)
            record[name] = STARS if hows[name] == "stars" else hashlib.sha256((SALT + text).encode()).hexdigest()[:16]
        else:
            record[name] = msgspec.json.decode(value) if kind == "json" else value
    return record


def numbered(event: dict[str, Any], n: int) -> dict[str, Any]:
    """The event with a number, and at a time that no other has: which of equal ones comes first, nothing says."""
    return {**event, "n": n, "timestamp": event["timestamp"] - n * 1000}


class Pair:
    """What there is, for somebody with rights; and a store that holds what these let through."""

    def __init__(self, folder: Path, commits: list[list[dict[str, Any]]], search: Any, masked: Any, *, merged: bool):
        self.rights = Rights("support", shown(search), tuple(Mask(*mask) for mask in masked), SALT)
        (folder / "all").mkdir()
        (folder / "part").mkdir()
        self.all, self.part = Segments(folder / "all"), Segments(folder / "part")
        batches = [
            Batch.from_records([numbered(event, i * 100 + j) for j, event in enumerate(commit)], observed=NOW)
            for i, commit in enumerate(commits)
        ]
        for batch in batches:
            self.all.commit(batch)
        for events in permitted(batches, search, masked):
            if events:
                self.part.commit(Batch.from_records(events, observed=NOW))
        if merged:
            self.all.compact()
            if self.part.all:
                self.part.compact()
        self.engines = [QueryEngine(store, store, threads=1, lookups=TABLES) for store in (self.all, self.part)]

    def close(self) -> None:
        for engine in self.engines:
            engine.close()

    async def both(self, question: str, text: str, name: str, **more: Any) -> list[Any]:
        """What the two answer, in a form that can be compared."""
        answers = []
        for engine, rights in zip(self.engines, (self.rights, None), strict=True):
            request = QueryRequest(text=text, project_id=1, now_ns=NOW, rights=rights, timeout=PATIENCE, **more)
            try:
                answers.append(await asked(engine, request, question, name))
            except QueryError as why:
                answers.append(("refused", why.message))
        return answers


async def asked(engine: QueryEngine, request: QueryRequest, question: str, name: str) -> Any:
    """One question's answer; rows of equal order in any order."""
    if question == "fields":
        return await engine.fields(request)
    if question == "values":
        found = await engine.field_values(request, name, 50)
        return sorted(map(str, found.values)), found.warnings
    if question == "complete":
        request = msgspec.structs.replace(request, text=f"{request.text.partition('|')[0]} {name}:")
        return await engine.complete(request, len(request.text))
    result = await engine.run(request)
    rows = sorted(map(repr, result.rows()))
    return [(column.name, column.type) for column in result.columns], rows, result.warnings, result.complete


EXAMPLES = settings(
    max_examples=30,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)
WHAT = {
    "commits": commit_lists,
    "search": searches,
    "masked": masks,
    "merged": st.booleans(),
    "asks": st.lists(
        st.tuples(pick(QUESTIONS), searches, pick(STAGES), searches, pick(MASKED), st.booleans()),
        min_size=10,
        max_size=10,
    ),
}


async def hold(
    commits: Any, search: Any, masked: Any, merged: bool, asks: Any, counted: Counter[str] | None = None
) -> None:
    """Ten questions, each answered as over a store that holds what is permitted alone."""
    if "time" in str(search):  # times of a role's search are written in full: tested below
        search = ("level", ">=", "info")
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair(Path(folder), commits, search, masked, merged=merged)
        try:
            for question, first, stage, second, name, ranged in asks:
                text = f"{shown(first)} {stage.format(shown(second))}"
                if question == "tail":
                    text = shown(first)
                if counted is not None:
                    counted[stage.partition(" {")[0].strip("| ") or "search" if question == "query" else question] += 1
                more = {"from_ns": NOW - 5 * HOUR, "to_ns": NOW - HOUR // 2} if ranged else {}
                seen, expected = await pair.both(
                    question, text, f"`{name}`" if question == "complete" else name, **more
                )
                assert seen == expected, (pair.rights, question, text, ranged)
        finally:
            pair.close()


@pytest.fixture
def ways() -> Iterator[Counter[str]]:
    """Counts the questions by what they ask; `pytest -s` shows it."""
    counted, began = Counter[str](), time.monotonic()
    yield counted
    told = ", ".join(f"{way} {count}" for way, count in counted.most_common())
    print(f"\n{counted.total():,} questions to the engine in {time.monotonic() - began:,.0f} s: {told}")


@EXAMPLES
@given(**WHAT)
async def test_answers_are_those_over_what_is_permitted(
    commits: Any, search: Any, masked: Any, merged: bool, asks: Any
) -> None:
    """300 questions."""
    await hold(commits, search, masked, merged, asks)


@pytest.mark.soak
@settings(EXAMPLES, max_examples=1000)
@given(**WHAT)
async def test_ten_thousand_answers_are_those_over_what_is_permitted(
    commits: Any, search: Any, masked: Any, merged: bool, asks: Any, ways: Counter[str]
) -> None:
    await hold(commits, search, masked, merged, asks, ways)


@pytest.mark.parametrize("search", [("present", "weird name"), ("level", ">=", "info")])
@pytest.mark.parametrize("masked", [[], [("weird name", "hash")], [("weird name", "stars")]])
async def test_a_field_that_is_a_number_in_one_file_and_a_text_in_another(search: Any, masked: Any) -> None:
    commits = [
        [{"timestamp": NOW - at * HOUR, "severity": "info", "service": "api", "message": "m", "weird name": value}]
        for at, value in enumerate((7, "v", True, 1.5), 1)
    ]
    everything = ("level", ">=", "info")
    asks = [
        (question, everything, stage, everything, name, ranged)
        for question, stage in (
            ("query", "| stats count() as n by service"), ("query", "| stats count() as n by `weird name`"),
            ("fields", ""), ("values", ""), ("complete", ""),
        )
        for name in ("weird name", "service")
        for ranged in (False, True)
    ]  # fmt: skip
    await hold(commits, search, masked, False, asks)
