"""A tree's text reads back as the same tree, is written the same again, and is what a person would write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cordwood.core.query import parse
from cordwood.core.query.aggregate import AGGREGATES
from cordwood.core.query.function import functions
from cordwood.core.query.printer import RESERVED, query
from cordwood.core.query.stages import load_stages
from cordwood.plugins.errors import QueryError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .corpus import all_cases
from .test_fuzz import texts

DOCS = Path(__file__).parents[2] / "docs"


def form(value: object) -> object:
    """What a value is, without the places; a word is the phrase that it means, as is what only quotes can hold."""
    if isinstance(value, tuple):
        return tuple(form(item) for item in value)
    if not hasattr(value, "__struct_fields__"):
        return value
    kind = type(value).__name__
    if kind == "Word" or (kind == "Bare" and re.match(r"[=<>]|//|\*>|/.+/i?$", getattr(value, "text", ""))):
        return ("Text", form(getattr(value, "text", "")), False)
    names = (name for name in value.__struct_fields__ if name not in ("at", "text" if kind == "Query" else ""))
    return (kind, *(form(getattr(value, name)) for name in names))


def round_trip(text: str) -> None:
    tree = parse(text, any_head=True)
    printed = query(tree)
    again = parse(printed, any_head=True)
    assert form(again) == form(tree), f"{text!r} became {printed!r}"
    assert query(again) == printed


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("", "*"),
        ("*", "*"),
        ("a   AND b", "a b"),
        ("(a or b) c", "(a or b) c"),
        ("a (b c)", "a (b c)"),
        ("not a and not (b or c)", "-a -(b or c)"),
        ('say"hi"', 'say "hi"'),
        ("a in b", 'a "in" b'),
        ("status in (500, 502)", "status:(500 or 502)"),
        ("status:500 or status:502", "status:(500 or 502)"),
        ("status!=(1, 2)", "status!=(1 or 2)"),
        ("path!=/x/i", "path!=/x/i"),
        ("status:400..499 took<1.5", "status:400..499 took<1.5"),
        ("time>=-15m", "time>=-15m"),
        ("`weird name`:x `plain`:y", "`weird name`:x plain:y"),
        ("k8s-app:web", "k8s-app:web"),
        ("path ~ x", 'path~"x"'),
        ("a == '/b/'", "a='/b/'"),
        (r'"C:\dir" "a\tb"', r'"C:\dir" "a\tb"'),
        ("FROM   segments a|LIMIT 5", "from segments a | limit 5"),
        ("from events a", "a"),
        ("|where NOT (a=1 OR b>2) AND c LIKE 'x'", "| where not (a = 1 or b > 2) and c like 'x'"),
        ("|where not a in (1,2) and b not like 'x' and not c is null",
         "| where a not in (1, 2) and b not like 'x' and c is not null"),
        ("|where level:error and k:(a,b)", "| where level:error and k:(a or b)"),
        ("|where `k-a`:b or (a or b)", "| where `k-a`:b or (a or b)"),
        ("|extend x=(1+2)*3-(4-5)-6,y=-(-z),w=- -5", "| extend x = (1 + 2) * 3 - (4 - 5) - 6, y = --z, w = 5"),
        ("|extend s=10KB, d=90m, f=1e3,b=-10KB", "| extend s = 10KB, d = 1h30m, f = 1000.0, b = -10KB"),
        ("|STATS Count() AS n,P95(took) BY bin(5m),upper(host) as h",
         "| stats count() as n, p95(took) by bin(5m), upper(host) as h"),
        ("|timechart count() by service limit=3 span=60s", "| timechart span=1m limit=3 count() by service"),
        ("|sort -n,a desc,b asc,-(a+b),5 desc", "| sort -n, -a, b, -(a + b), 5 desc"),
        ("|top 10 a|rare 3 b", "| top a | rare 3 b"),
        ("|fields a,`b c`,`by`|drop `x`", "| fields a, `b c`, `by` | drop x"),
        ("|rename a as b,`c d` as e", "| rename a as b, `c d` as e"),
        ("|dedup a,b keep=LAST", "| dedup a, b keep=last"),
        ("|dedup a keep=first", "| dedup a"),
        ("|parse 'user=<u> <n:int>' from x", "| parse 'user=<u> <n:int>' from x"),
        ("|parse /(?<x>a)/i", "| parse /(?P<x>a)/i"),
        ("|parse CSV (a,b:float)|parse json", "| parse csv (a, b:float) | parse json"),
        ("|patterns limit=5|patterns limit=1000", "| patterns limit=5 | patterns"),
        ("|stats count()|compare - 24h", "| stats count() | compare -1d"),
        ("|join kind=left a,b(x|stats count() by a,b)", "| join kind=left a, b (x | stats count() by a, b)"),
        ("|union(from events a|limit 1)", "| union (a | limit 1)"),
        ("|lookup t on a=b fields c,d|lookup t on a=a", "| lookup t on a = b fields c, d | lookup t on a"),
        ("|where a in t and b not in t", "| where a in t and b not in t"),
        ("|session by u gap=1800s|session by u gap=60m", "| session by u | session by u gap=1h"),
        ("|context after=0 before=10", "| context after=0"),
        ("|fill a=0|delta a as b by c|rate(a)|running(sum(a))|moving(avg(a),5) as m",
         "| fill a = 0 | delta a as b by c | rate(a) | running(sum(a)) | moving(avg(a), 5) as m"),
        ("|anomalies n sensitivity=5 by a|anomalies n sensitivity=3", "| anomalies n sensitivity=5 by a | anomalies n"),
        ("|sample 0.10 %|sample 0.00001%", "| sample 0.1% | sample 0.00001%"),
    ],
)  # fmt: skip
def test_text(typed: str, printed: str) -> None:
    assert query(parse(typed, any_head=True)) == printed
    round_trip(typed)


def test_a_long_query_has_a_stage_a_line() -> None:
    parts = ["checkout", f"where status >= 500 and path startswith '/api/{'x' * 60}'", "stats count() by service, host"]
    assert query(parse(" | ".join(parts))) == "\n| ".join(parts)
    round_trip(" | ".join(parts))


def known_queries() -> Iterator[str]:
    """Those of the golden corpus and of the documentation."""
    yield from (case.query for case in all_cases() if "error" not in case.sections)
    for page in ("language.md", "language-reference.md"):
        text = (DOCS / page).read_text(encoding="utf-8")
        for block in re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            yield from block.splitlines()


def test_every_known_query_comes_back() -> None:
    seen = set()
    for text in known_queries():
        try:
            tree = parse(text, any_head=True)
        except QueryError:
            continue
        seen |= {stage.name for stage in tree.stages}
        round_trip(text)
    assert seen == set(load_stages())


# ---- random queries -------------------------------------------------------------------------------------------------

pick = st.sampled_from
FIELDS = [
    "status",
    "http.status",
    "@t",
    "x",
    "`weird name`",
    "`a``b`",
    "`by`",
    "`not`",
    r"`q\`\\`",
    "é",
    "`a-b`",
    "`true`",
]
VALUES = ["5", "-1.5", "5xx", "web-*", "a,b", "10.0.0.0/8", "::1/128", "=x", "/a/", "/a/b", "*x", "-15m", "10KB", "in"]
VALUES += ["1..5", "a..b", '"a\\"b"', r"'c\\'", '"*"', "/a\\/b|(c)/i", "*"]
LISTS = ["(a or 'b c' or /x/)", "(5)", "(1, 2..3)"]
LITERALS = ["1", "2.5", "1e9", "10KB", "5m", "1.5h", "true", "null", '"a\\nb"', "'it\\'s'", r'"\d\\"', "0s", ".5"]
fields = pick(FIELDS)
BETWEEN = ["+", "-", "*", "/", "%", "=", "!=", ">=", "and", "or", "like", "matches", "not contains", "startswith"]
TAKEN = ["/(?<a>x\\/y)/", "'<a> \\\"<b:int>'", "json (a.b:int, `c d`)", "kv"]
CALLS = sorted({*functions(), *AGGREGATES} - RESERVED)


def joined(parts: st.SearchStrategy[str], separator: str, most: int = 3) -> st.SearchStrategy[str]:
    return st.lists(parts, min_size=1, max_size=most).map(separator.join)


search_terms = st.one_of(
    pick(
        [
            "word",
            "a.b",
            "in",
            "by",
            "=x",
            "-",
            "not/x",
            "http://x",
            '"a b"',
            "'C'",
            "/re+/i",
            "*",
            "é!",
            "{}",
            "a=",
            "->",
        ]
    ),
    st.builds(
        "{}{}{}".format, fields, pick([":", "=", "!=", ">=", "<", "~"]), pick([v for v in VALUES if v[0] != "("])
    ),
    st.builds("{}{}{}".format, fields, pick([":", "=", "!="]), pick(VALUES)),
    st.text(max_size=6),
)
searches = st.recursive(
    search_terms,
    lambda inner: st.one_of(
        joined(inner, " "),
        joined(inner, " or "),
        inner.map("({})".format),
        inner.map("-{}".format),
        inner.map("not {}".format),
        inner.map("-({})".format),
    ),
    max_leaves=5,
)
expressions = st.recursive(
    st.one_of(
        fields, pick(LITERALS), st.builds("{}:{}".format, fields, pick(VALUES + LISTS)), fields.map('{}~"x"'.format)
    ),
    lambda inner: st.one_of(
        st.builds(
            "{} {} {}".format,
            inner,
            pick(
                ["+", "-", "*", "/", "%", "=", "!=", ">=", "and", "or", "like", "matches", "not contains", "startswith"]
            ),
            inner,
        ),
        inner.map("({})".format),
        inner.map("-{}".format),
        inner.map("not {}".format),
        inner.map("{} is null".format),
        inner.map("{} is not null".format),
        st.builds("{} in ({}, {})".format, inner, inner, inner),
        inner.map("{} not in (1)".format),
        inner.map("{} in t".format),
        st.builds("{}({})".format, pick(CALLS), joined(inner, ", ")),
    ),
    max_leaves=8,
)
named = st.one_of(expressions, st.builds("{} as {}".format, expressions, fields))
names = joined(fields, ", ")
stages = st.one_of(
    expressions.map("where {}".format),
    st.builds("extend {} = {}".format, fields, expressions),
    st.builds("fill {} = {}".format, fields, expressions),
    st.builds("stats {} by {}".format, joined(named, ", "), joined(named, ", ")),
    st.builds("timechart span=5m {} by {} limit=2".format, named, named),
    st.builds("sort {}, -{} desc".format, expressions, expressions),
    expressions.map("sort {} desc".format),
    st.builds("{} {} {}".format, pick(["top", "rare"]), st.integers(0, 20), joined(named, ", ")),
    st.builds("{} {}".format, pick(["fields", "drop", "dedup", "distinct", "session by"]), names),
    st.builds("rename {} as {}".format, fields, fields),
    st.builds("join {} ({} | limit 1)".format, names, searches),
    st.builds("union ({} | where {})".format, searches, expressions),
    st.builds("lookup t on {} = {} fields {}".format, fields, fields, names),
    st.builds("parse {} from {}".format, pick(TAKEN), fields),
    st.builds("moving(sum({}), 5) as {} by {}".format, fields, fields, names),
    st.builds("{} {} by {}".format, pick(["delta", "anomalies"]), fields, names),
    pick(["context before=3", "compare -1w", "sample 2.50%", "patterns limit=3", "tail 3", "count"]),
)  # fmt: skip
queries = st.builds(
    lambda head, search, stages: " | ".join((head + search, *stages)),
    pick(["", "", "from events ", "from incidents "]), searches, st.lists(stages, max_size=3),
)  # fmt: skip


@settings(
    max_examples=500,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(text=st.one_of(queries, searches, expressions.map("| where {}".format), texts))
def test_whatever_parses_comes_back(text: str) -> None:
    try:
        parse(text, any_head=True)
    except QueryError:
        return
    round_trip(text)
