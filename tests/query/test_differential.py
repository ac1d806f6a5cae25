"""Random searches and aggregations over random events give what a simple evaluator in Python gives: over many segments
and one, with and without the templates' short cut, over segments and over a batch in memory.

Some 500 queries, of which each is asked in four ways; `make soak` asks 20,000 (CORDWOOD_EXAMPLES says of how many
stores each property is looked at).
"""

from __future__ import annotations

import datetime
import math
import os
import statistics
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from cordwood.core.query import BatchFilter, QueryEngine
from cordwood.plugins.batch import Batch, concat
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .reference import Event, as_expression, events_of, holds, numbers, shown, text_form
from .segments import NOW, Segments, ask

pytestmark = pytest.mark.anyio

WORDS = [
    "card",
    "declined",
    "user",
    "user7",
    "7",
    "took",
    "12ms",
    "Ärger",
    "İstanbul",
    "ΣΑΣ",
    "x",
    "<*>",
    "a<*>b",
    "ok",
    "Timeout",
]
SPACES = [" ", "  ", "\t", "\n", "\u00a0", ""]
FIELDS = ["status", "took", "user", "client.ip", "weird name", "Status", "flag", "ghost"]
NUMBERS = [0, 1, 7, -3, 200, 404, 500, 2**53, 2**53 + 1, 2**62, -(2**60) - 1, 1.5, 200.0, 0.1, 1e20, 2.0**53]
TEXTS = [
    "200",
    "7",
    "1.5",
    "abc",
    "ABC",
    "",
    " 7 ",
    "1e3",
    "true",
    "n/a",
    "inf",
    "9007199254740993",
    "ärger",
    "it's",
    'q"q',
    "a_b%",
    "\\",
    "*",
]
ADDRESSES = ["10.1.2.3", "10.200.0.1", "192.168.0.1", "2001:db8::1", "::1", "300.1.1.1", "10.1.2"]
HOUR = 3_600_000_000_000

pick = st.sampled_from


def term(name: str, *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Searches of one form, as reference.py has them."""
    return st.tuples(st.just(name), *parts)


messages = st.lists(st.tuples(pick(WORDS), pick(SPACES)), min_size=0, max_size=5).map(
    lambda parts: "".join(word + space for word, space in parts)
)
values = st.one_of(pick(NUMBERS), pick(TEXTS), st.booleans(), st.just([1, "a"]), st.integers(-5, 600), st.just(2**70))


@st.composite
def raw_events(draw: st.DrawFn) -> dict[str, Any]:
    event: dict[str, Any] = {"timestamp": NOW - draw(st.integers(0, 40)) * HOUR // 4 - draw(pick([0, 1, 999]))}
    for name, strategy in (
        ("severity", pick(["trace", "debug", "info", "warn", "error", "error2", "fatal"])),
        ("service", pick(["web", "api", "Web", "200"])),
        ("host", pick(["h1", "h2"])),
        ("message", messages),
        ("status", values),
        ("took", st.one_of(st.floats(-100, 100).map(lambda x: round(x, 3)), st.integers(0, 9))),
        ("user", pick(TEXTS)),
        ("client.ip", pick(ADDRESSES)),
        ("weird name", pick(["v", 1])),
        ("Status", pick([200, "x"])),
        ("flag", pick([True, False, "true"])),
    ):
        if draw(st.integers(0, 3)):
            event[name] = draw(strategy)
    return event


phrases = st.one_of(
    messages, pick(WORDS), pick(["card declined", "7 took", "user", "er", " ", "declined 12", "d 1", "k 7 t"])
).filter(bool)
operators = pick(["=", "!=", "<", "<=", ">", ">="])
terms = st.one_of(
    term("word", pick(["card", "USER", "er", "user7", "12", "ärger", "istanbul", "σας", "timeout", "<*>"])),
    term("phrase", phrases),
    term("exact", phrases),
    term("regex", pick([r"\d+", r"user\d", r"^card", r"ok$", r"a.b", r"[^a-z\s]", "ärger|x"]), st.booleans()),
    term("number", pick(FIELDS), operators, pick(NUMBERS)),
    term("text", pick([*FIELDS, "service", "host"]), operators, pick([*TEXTS, "web"])),
    term("range", pick(FIELDS), pick([0, 1.5, 200]), pick([7, 404, 1e20])),
    term("in", pick(FIELDS), st.lists(pick([*NUMBERS, "abc", "7", "true"]), min_size=1, max_size=3)),
    term("glob", pick([*FIELDS, "message"]), pick(["a*", "*b*", "?0*", "*", "20?", "a_*", "*[*"])),
    term("contains", pick([*FIELDS, "message"]), pick(["a", "ÄR", "0", "card d", "."])),
    term("present", pick([*FIELDS, "message", "severity"])),
    term("level", operators, pick(["trace", "info", "warn", "error", "fatal"])),
    term("cidr", st.just("client.ip"), pick(["10.0.0.0/8", "10.1.2.0/24", "2001:db8::/32", "::/0", "0.0.0.0/0"])),
    term("time", pick(["<", "<=", ">", ">="]), st.integers(0, 40).map(lambda n: NOW - n * HOUR // 4)),
)
searches = st.recursive(
    terms,
    lambda inner: st.one_of(term("and", inner, inner), term("or", inner, inner), term("not", inner)),
    max_leaves=4,
)
# No shrinking: an example runs dozens of queries, and says itself what differed.
MODERATE = settings(
    max_examples=int(os.environ.get("CORDWOOD_EXAMPLES", "25")),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)


class Variants:
    """The same events as several segments and as one, with templates and without."""

    def __init__(self, folder: Path, commits: list[list[dict[str, Any]]]) -> None:
        self.batches: list[Batch] = []
        number = 0
        stores = {}
        for name in ("commits", "compacted"):
            (folder / name).mkdir()
            stores[name] = Segments(folder / name)
        for commit in commits:
            batch = Batch.from_records([{**event, "n": number + i} for i, event in enumerate(commit)], observed=NOW)
            number += len(commit)
            self.batches.append(batch)
            for store in stores.values():
                store.commit(batch)
        stores["compacted"].compact()
        self.batch = concat(self.batches)
        self.events: list[Event] = [event for batch in self.batches for event in events_of(batch)]
        self.engines = {
            f"{name}, templates {rows}": QueryEngine(store, store, template_rows=rows, threads=1)
            for name, store in stores.items()
            for rows in (0, None)
        }
        self.stores = {engine: stores[engine.split(",", maxsplit=1)[0]] for engine in self.engines}

    def close(self) -> None:
        for engine in self.engines.values():
            engine.close()


commit_lists = st.lists(st.lists(raw_events(), min_size=1, max_size=8), min_size=1, max_size=3)


@MODERATE
@given(commits=commit_lists, asked=st.lists(searches, min_size=8, max_size=8))
async def test_searches_find_what_a_simple_evaluator_finds(commits: list[Any], asked: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        variants = Variants(Path(folder), commits)
        try:
            for search in asked:
                text = shown(search)
                expected = [event["n"][1] for event in variants.events if holds(search, event)]
                for name, engine in variants.engines.items():
                    result = await ask(variants.stores[name], f"{text} | fields n", engine)
                    assert sorted(row[0] for row in result.rows()) == expected, (text, name)
                    filtered = await ask(variants.stores[name], f"| where {as_expression(search)} | fields n", engine)
                    assert sorted(row[0] for row in filtered.rows()) == expected, (as_expression(search), name)
                mask = BatchFilter(text).mask(variants.batch, NOW)
                assert sorted(variants.batch.frame["n"].filter(mask).to_list()) == expected, (text, "in memory")
        finally:
            variants.close()


def key_of(event: Event, field: str) -> Any:
    """A group key as the answer shows it; 200 and 200.0 are one, True and 1 are not."""
    kind, value = event.get(field, ("null", None))
    if kind == "json":
        return ("json", value)
    return (type(value).__name__ if isinstance(value, bool | str) else "number", value) if value is not None else None


def shown_key(value: Any) -> Any:
    if isinstance(value, list):
        return ("json", str(value).replace("'", '"').replace(", ", ","))
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        return ("json", str(value))
    return (type(value).__name__ if isinstance(value, bool | str) else "number", value) if value is not None else None


def close(a: Any, b: Any) -> bool:
    return a is b if a is None or b is None else math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


@MODERATE
@given(
    commits=commit_lists,
    search=searches,
    field=pick(["status", "took", "Status", "ghost"]),
    key=pick([*FIELDS, "service"]),
)
async def test_aggregations_give_what_python_gives(commits: list[Any], search: Any, field: str, key: str) -> None:
    by = f"`{key}`" if " " in key else key
    text = (
        f"{shown(search)} | stats count() as c, count({field}) as cf, countif({field} >= 7) as ci, sum({field}) as s,"
        f" avg({field}) as a, median({field}) as m, stdev({field}) as d, distinct_exact(user) as u, first(n) as f,"
        f" min(n) as lo, max(n) as hi by {by}"
    )
    with tempfile.TemporaryDirectory() as folder:
        variants = Variants(Path(folder), commits)
        try:
            groups: dict[Any, list[Event]] = {}
            for event in variants.events:
                if holds(search, event):
                    groups.setdefault(key_of(event, key), []).append(event)
            for name, engine in variants.engines.items():
                result = await ask(variants.stores[name], text, engine)
                rows = {shown_key(row[0]): row[1:] for row in result.rows()}
                assert rows.keys() == groups.keys(), (text, name)
                for group, events in groups.items():
                    count, present, above, total, mean, middle, deviation, users, _, low, high = rows[group]
                    found = numbers(events, field)
                    assert count == len(events), (text, name)
                    assert present == sum(field in event for event in events), (text, name)
                    assert above == sum(holds(("number", field, ">=", 7), event) for event in events), (text, name)
                    assert close(total, math.fsum(found) if found else None), (text, name, total, found)
                    assert close(mean, math.fsum(found) / len(found) if found else None), (text, name)
                    assert close(middle, statistics.median(found) if found else None), (text, name)
                    spread = statistics.stdev(map(float, found)) if len(found) > 1 else None
                    assert (spread is None) == (deviation is None), (text, name)
                    assert users == len({event["user"] for event in events if "user" in event}), (text, name)
                    assert (low, high) == (events[0]["n"][1], events[-1]["n"][1]), (text, name)
        finally:
            variants.close()


def joinable(event: Event, field: str) -> str | None:
    """What a join compares, where a field is of several kinds: the text form; 200.0 is 200."""
    kind, value = event.get(field, ("null", None))
    if kind == "float" and value == int(value):
        return str(int(value))
    return None if value is None else text_form(kind, value)


@MODERATE
@given(commits=commit_lists, first=searches, second=searches, key=pick(["status", "user", "Status", "flag", "ghost"]))
async def test_unions_and_joins_find_what_loops_find(commits: list[Any], first: Any, second: Any, key: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        variants = Variants(Path(folder), commits)
        try:
            left, right = ([event for event in variants.events if holds(one, event)] for one in (first, second))
            both = sorted(event["n"][1] for event in (*left, *right))
            pairs = sorted(
                (a["n"][1], b["n"][1])
                for a in left
                for b in right
                if joinable(a, key) is not None and joinable(a, key) == joinable(b, key)
            )
            for name, engine in variants.engines.items():
                store = variants.stores[name]
                united = await ask(store, f"{shown(first)} | union ({shown(second)}) | fields n", engine)
                assert sorted(row[0] for row in united.rows()) == both, name
                text = f"{shown(first)} | join {key} ({shown(second)} | fields {key}, n) | fields n, n_2"
                found = [tuple(row) for row in (await ask(store, text, engine)).rows()]
                assert sorted(found) == pairs, (text, name)
                kept = await ask(store, text.replace("join", "join kind=left", 1), engine)
                alone = {a["n"][1] for a in left} - {a for a, _ in pairs}
                assert {row[0] for row in kept.rows() if row[1] is None} == alone, (text, name)
        finally:
            variants.close()


@MODERATE
@given(commits=commit_lists, search=searches, back=st.integers(1, 20), hours=st.integers(1, 6))
async def test_comparisons_count_what_an_earlier_range_holds(
    commits: list[Any], search: Any, back: int, hours: int
) -> None:
    if "time" in str(search):  # its own times would have to be moved here too
        return
    quarter, start = HOUR // 4, NOW - hours * HOUR
    with tempfile.TemporaryDirectory() as folder:
        variants = Variants(Path(folder), commits)
        try:

            def counted(begin: int) -> Counter[tuple[int, Any]]:
                times = ((event["timestamp"][1] - begin, event) for event in variants.events if holds(search, event))
                return Counter(
                    (ns // HOUR, event.get("service", (0, None))[1]) for ns, event in times if 0 <= ns < hours * HOUR
                )

            now, before = counted(start), counted(start - back * quarter)
            for name, engine in variants.engines.items():
                text = f"{shown(search)} | timechart span=1h count() as n by service | compare -{15 * back}m"
                result = await ask(variants.stores[name], text, engine, from_ns=start, to_ns=NOW)
                services = {service for _, service in now}
                found = {
                    ((ns_of(time) - start) // HOUR, service): (n, was, more)
                    for time, service, n, was, more in result.rows()
                }
                assert found.keys() == {(hour, service) for hour in range(hours) for service in services}, (text, name)
                for key, (n, was, more) in found.items():
                    assert n == now[key], (text, name)
                    assert (was or 0) == before[key], (text, name, key)
                    assert more == (None if was is None else n - was), (text, name)
        finally:
            variants.close()


@MODERATE
@given(commits=commit_lists, search=searches, before=st.integers(0, 3), after=st.integers(0, 3))
async def test_contexts_are_the_neighbours_in_a_stream(
    commits: list[Any], search: Any, before: int, after: int
) -> None:
    for i, event in enumerate(event for commit in commits for event in commit):
        event["timestamp"] += i  # of equal times the order is that of the file
    with tempfile.TemporaryDirectory() as folder:
        variants = Variants(Path(folder), commits)
        try:
            streams: dict[Any, list[Event]] = {}
            for event in sorted(variants.events, key=lambda event: event["timestamp"][1]):
                streams.setdefault((event.get("service"), event.get("host")), []).append(event)
            expected = {}
            for stream in streams.values():
                hits = [i for i, event in enumerate(stream) if holds(search, event)]
                for i, event in enumerate(stream):
                    if any(hit - before <= i <= hit + after for hit in hits):
                        expected[event["n"][1]] = i in hits
            for name, engine in variants.engines.items():
                text = f"{shown(search)} | context before={before} after={after} | fields n, _hit"
                result = await ask(variants.stores[name], text, engine)
                assert sorted(map(tuple, result.rows())) == sorted(expected.items()), (text, name)
        finally:
            variants.close()


@MODERATE
@given(commits=commit_lists, search=searches)
async def test_timecharts_count_every_event_once(commits: list[Any], search: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        variants = Variants(Path(folder), commits)
        try:
            found = [event for event in variants.events if holds(search, event)]
            expected = Counter(
                (event["timestamp"][1] // HOUR * HOUR, event.get("service", (0, None))[1]) for event in found
            )
            for name, engine in variants.engines.items():
                text = f"{shown(search)} | timechart span=1h count() by service"
                result = await ask(variants.stores[name], text, engine)
                counted = Counter({(ns_of(time), service): count for time, service, count in result.rows() if count})
                assert counted == expected, (text, name)
        finally:
            variants.close()


def ns_of(text: str) -> int:
    """Nanoseconds of a time at a full hour."""
    return int(datetime.datetime.fromisoformat(text[:19] + "+00:00").timestamp()) * 10**9
