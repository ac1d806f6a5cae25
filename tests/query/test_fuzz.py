"""Whatever is typed: an answer or a QueryError, and never a word of SQL of one's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cordwood.core.query import QueryEngine, check, parse
from cordwood.core.query.aggregate import AGGREGATES
from cordwood.core.query.function import functions
from cordwood.core.query.printer import query as written
from cordwood.plugins.errors import QueryError
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from .corpus import all_cases
from .segments import Segments, ask

pytestmark = pytest.mark.anyio

PIECES = [
    *("timeout", '"', "'", "`", "/", "|", "(", ")", ",", ":", "=", "!=", "<", ">=", "~", "-", "*", "?", ".."),
    *("and", "or", "not", "in", " ", "status", "200", "1.5", "5m", "10KB", "10.0.0.0/8", "where", "stats"),
    *("count()", "by", "as", "sort", "limit", "timechart", "span=1m", "fields", "extend", "x = 1", "dedup"),
    *("top", "patterns", "\\", "\0", "--", "/*", "*/", ";", "$1", ":x", "?", "é", "\n", "if(", "bin(5m)"),
    *("null", "true", "is", "like", "matches", "/a+/", "/(/", "1e400", "9" * 40, "severity>=warn"),
    *(
        "time>=-15m",
        "{}",
        "%",
        "+",
        "<*>",
        "union",
        "join status",
        "kind=left",
        "union (",
        "| join status (",
        "compare -1m",
    ),
]
texts = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(PIECES), max_size=14).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join),
)
FUZZ = settings(
    max_examples=300,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FUZZ
@given(text=texts)
@example(text="(" * 10_000)
@example(text="not " * 10_000 + "x")
@example(text="-" * 10_000 + "x")
@example(text="| where " + "-" * 5000 + "1")
@example(text="| where " + "1+" * 5000 + "1 > 0")
@example(text="| where " + "abs(" * 5000)
@example(text="a or " * 20_000 + "a")
@example(text="x" * 1_000_000)
@example(text="\ud800")
@example(text="`" * 999)
@example(text="status:(" + "1," * 9000 + "1)")
def test_parsing_raises_nothing_but_query_errors(text: str) -> None:
    error: QueryError | None = None
    try:
        assert parse(text).text == text
    except QueryError as found:
        error = found
    assert error is None or (error.line >= 1 and error.column >= 1 and error.message and error.pretty())


QUERIES = [case.query for case in all_cases()]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A query of the corpus with parts of it lost, doubled, or exchanged for pieces or parts of another."""
    text = draw(st.sampled_from(QUERIES))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        other = draw(st.sampled_from(QUERIES))
        cut = draw(st.integers(0, len(other)))
        put = draw(st.one_of(st.sampled_from(PIECES), st.just(text[start:end] * 2), st.just(other[cut : cut + 20]),
                             st.characters(), st.just("")))  # fmt: skip
        text = text[:start] + put + text[end:]
    return text


random_bytes = st.binary(max_size=200).map(lambda data: data.decode("utf-8", "surrogateescape"))


@settings(FUZZ, max_examples=500)
@given(text=st.one_of(mutated(), random_bytes))
def test_mutated_queries_raise_nothing_but_query_errors(text: str) -> None:
    takes_or_refuses(text)


@pytest.mark.soak
@settings(FUZZ, max_examples=50_000)
@given(text=st.one_of(mutated(), mutated(), random_bytes, texts))
def test_many_mutated_queries_raise_nothing_but_query_errors(text: str) -> None:
    takes_or_refuses(text)


def takes_or_refuses(text: str) -> None:
    """Reads the text, and where it is a query checks it, writes it and reads that; refuses it with a place."""
    refused = refusal(lambda: parse(text, any_head=True, saved=True))
    if refused is None:
        tree = parse(text, any_head=True, saved=True)
        assert parse(written(tree), any_head=True, saved=True).head == tree.head
        refused = refusal(lambda: check(text))
    if refused is not None:
        assert min(refused.line, refused.column) >= 1, text
        assert refused.message, text
        assert "please report" not in f"{refused.message} {refused.hint}", text


def refusal(work: Callable[[], object]) -> QueryError | None:
    """The QueryError that the work ends with, if it does."""
    try:
        work()
    except QueryError as error:
        return error
    return None


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Segments:
    store = Segments(Path(tmp_path_factory.mktemp("fuzz")))
    store.commit(
        [
            {
                "timestamp": "2026-01-31T10:00:00Z",
                "severity": "error",
                "service": "web",
                "message": "it's 'quoted' -- x",
                "status": 200,
            },
            {
                "timestamp": "2026-01-31T10:01:00Z",
                "message": "timeout é",
                "status": "n/a",
                "tags": [1],
                'odd "name"; --': 1,
                "big": 2**62,
            },
        ]
    )
    return store


@pytest.fixture(scope="module")
def engine(small: Segments) -> QueryEngine:
    return QueryEngine(small, small, threads=1)


@FUZZ
@given(text=texts)
@example(text="| where big * big > 1")
@example(text="| stats sum(big * 4)")
@example(text="/(/ | stats count()")
@example(text="| extend x = int(1e300)")
@example(text="\0")
@example(text='"\0"')
@example(text="| extend x = substr(message, 9223372036854775807, 9223372036854775807)")
@example(text="| timechart span=1ns count()")
@example(text="| stats percentile(status, 1e2), p99.99(status)")
@example(text="a " * 1500)
@example(text="| where " + "(" * 38 + "status > 1" + ")" * 38)
@example(text="| where not (" * 0 + "not " * 38 + "a")
async def test_running_raises_nothing_but_query_errors(text: str, small: Segments, engine: QueryEngine) -> None:
    said = ""
    try:
        list((await ask(small, text, engine, limit=5)).objects())
    except QueryError as error:
        said = f"{error.message}; {error.hint}"
    assert "please report" not in said, said


BREAKOUTS = [
    *("'", '"', "''", '""', "\\'", "\\", "--", "/*", "*/", ";", "\0", "'; DROP TABLE x; --", '" OR 1=1 --'),
    *("$$", "$1", "?", ":x", "{}", "%", "_", "\n", "\r", "\u2028", "😀", "') UNION SELECT 1 --", "a'b\"c`d\\e"),
]
odd_texts = st.lists(
    st.one_of(st.sampled_from(BREAKOUTS), st.characters(exclude_categories=["Cs"])), min_size=1, max_size=6
).map("".join)


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def ticked(text: str) -> str:
    return "`" + text.replace("\\", "\\\\").replace("`", "\\`") + "`"


@settings(FUZZ, max_examples=60)
@given(value=odd_texts, field=odd_texts)
async def test_odd_texts_are_found_and_stay_texts(
    value: str, field: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = Segments(Path(tmp_path_factory.mktemp("odd")))
    field = "f" + field.replace(".", "")
    store.commit([{"message": value, field: value, "n": 1}, {"message": "other", field: "other", "n": 2}])
    # What was kept: a name's NUL becomes a replacement character, a leading blank may go.
    kept = next(column.field for column in store.all[0].columns if column.field.startswith("f"))
    engine = QueryEngine(store, store, threads=1, template_rows=0)
    try:
        for search in (quoted(value), f"{ticked(kept)}={quoted(value)}", f"{ticked(kept)}:{quoted(value)}"):
            result = await ask(store, f"{search} | fields n", engine)
            assert [1] in list(result.rows()), search
            assert ([2] in list(result.rows())) == (value in "other" and search == quoted(value)), search
        counted = (
            await ask(store, f"| stats count() as {ticked(field)} by {ticked(kept)}", engine) if field != kept else None
        )
        assert counted is None or len(counted) == 2
        shown = await ask(
            store, f"| extend {ticked('x' + value)} = {quoted(value)} | fields {ticked('x' + value)} | limit 1", engine
        )
        assert list(shown.rows()) == [[value]]
        assert shown.columns[0].name == "x" + value
        for text in (
            f"| stats count(), values({ticked(kept)}) as v by {ticked(kept)}",
            f"| top 5 {ticked(kept)}",
            f"| rename {ticked(kept)} as `r`",
        ):
            await ask(store, text, engine)
    finally:
        engine.close()


ARGUMENTS = [
    *("status", "took", "message", "timestamp", "severity", "big", "tags", "ghost", "1", "0", "-3", "2.5", '"a"'),
    *('"$.a"', '"$["', '"%Y %Q"', "5m", '"10.0.0.0/8"', '"::/0"', "/a(b)?/", '"("', "true", "null", "status > 1"),
    *("now()", "1e300", "400", '""', "{}", '"{}"'),
]
calls = st.tuples(
    st.sampled_from([*functions(), *AGGREGATES, "p95", "p99.9"]), st.lists(st.sampled_from(ARGUMENTS), max_size=4)
).map(lambda call: f"{call[0]}({', '.join(call[1])})")


@settings(FUZZ, max_examples=400)
@given(call=calls, by=st.sampled_from(ARGUMENTS), is_aggregate=st.booleans())
@example(call="min(status, took)", by="status", is_aggregate=False)
async def test_every_function_takes_any_arguments(
    call: str, by: str, is_aggregate: bool, small: Segments, engine: QueryEngine
) -> None:
    text = f"| stats {call} as x by {by} as k" if is_aggregate else f"| extend x = {call} | stats count() by x"
    said = ""
    try:
        list((await ask(small, text, engine)).objects())
    except QueryError as error:
        said = f"{text}: {error.message}; {error.hint}"
    assert "please report" not in said, said
