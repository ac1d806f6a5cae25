"""Saved queries in queries: what they become, and what is said of those that cannot be put in."""

from __future__ import annotations

import pytest
from cordwood.core.query import parse
from cordwood.core.query.printer import query as written
from cordwood.core.query.saved import SavedParameter, SavedQuery, expanded, tried
from cordwood.plugins.errors import QueryError


def saved(name: str, text: str, **parameters: str | None) -> SavedQuery:
    return SavedQuery(name, text, tuple(SavedParameter(name, default) for name, default in parameters.items()))


LIBRARY = {
    one.name: one
    for one in (
        saved("failed", "service:$service status>=$min -path~$not", service=None, min="500", **{"not": '"health"'}),
        saved("either", "a or b"),
        saved("all", ""),
        saved("by service", "severity>=$level | stats count() as n by service", level="error"),
        saved("big", "| where $field > $n | sort -$field | limit 5", field=None, n=None),
        saved("recent", "time>=$since $word", since=None, word=None),
        saved("nested", "`failed`($x, 400) or x:$x", x=None),
        saved("loop", "a `loop 2`()"),
        saved("loop 2", "| where `loop`()"),
        saved("mistaken", "| stats ("),
        saved("unknown", "| where nofunc(1)"),
        saved("part", "a:$x..5", x=None),
        saved("head", "from incidents"),
        saved("twin", "a | join user (b | stats count() by user)"),
        *(saved(f"deep {i}", f"`deep {i + 1}`()") for i in range(10)),
        *(saved(f"wide {i}", " ".join([f"`wide {i + 1}`()"] * 20) if i < 3 else "x " * 20) for i in range(4)),
    )
}


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("`failed`(web)", 'service:web status>=500 -path~"health"'),
        ("x or `failed`(\"a b\", 400.5, 'c')", "x or service:\"a b\" status>=400.5 -path~\"c\""),
        ("-`either`()", "-(a or b)"),
        ("`either`() x", "(a or b) x"),
        ("`all`() x", "x"),
        ("`by service`()", "severity>=error | stats count() as n by service"),
        ("x `by service`(warn) | where n > 3", "x severity>=warn | stats count() as n by service | where n > 3"),
        ("| stats max(took) as t by host | `big`(t, 1.5)",
         "| stats max(took) as t by host | where t > 1.5 | sort -t | limit 5"),
        ("x | `failed`(web)", "x | where service:web and status >= 500 and not path~\"health\""),
        ("`recent`(-15m, declined)", "time>=-15m declined"),
        ("`recent`(\"2026-01-31\", 'Exact')", "time>=\"2026-01-31\" 'Exact'"),
        ("| stats countif(`nested`(api)) as n | compare -1d",
         "| stats countif(service:api and status >= 400 and not path~\"health\" or x:api) as n | compare -1d"),
        ("| join kind=left user (`by service`())",
         "| join kind=left user (severity>=error | stats count() as n by service)"),
        ("from incidents `either`()", "from incidents a or b"),
    ],
)  # fmt: skip
def test_what_it_becomes(text: str, becomes: str) -> None:
    made = expanded(parse(text, any_head=True, saved=True), LIBRARY)
    assert written(made) == becomes
    assert written(parse(becomes, any_head=True)) == becomes
    assert made.text == text


@pytest.mark.parametrize(
    ("text", "column", "said", "hint"),
    [
        ("x `loop`()", 3,
         "in `loop` at 1:3, `loop 2` at 1:9: the saved query `loop` uses itself: `loop` → `loop 2` → `loop`",
         "take it out of one of them"),
        ("`deep 0`()", 1, "more than 8 saved queries that use one another", "put some into one"),
        ("`wide 0`()", 1, "saved queries of more than 4000 terms", "ask for less at once"),
        ("`mistaken`()", 1, "the saved query `mistaken` is wrong at 1:10: the query ends too early", ""),
        ("`faild`(1)", 1, "no saved query `faild`", "did you mean `failed`?"),
        ("`failed`()", 1, "`failed` takes 1 to 3 arguments, not 0", '`failed`(service, min = 500, not = "health")'),
        ("`either`(1)", 1, "`either` takes 0 arguments, not 1", "`either`()"),
        ("`failed`(1 + 2)", 12, "an argument is a value or a field", 'as in 500, "web", 5m, true or service'),
        ("`failed`(null)", 10, "an argument is a value or a field", 'as in 500, "web", 5m, true or service'),
        ("x -`by service`()", 4, "`by service` has stages, so it is no condition", "it stands at the head"),
        ("`by service`() `by service`()", 16, "two saved queries with stages at the head", "put the second"),
        ("`part`(1)", 1, "in `part` at 1:3: $x is a whole value, not a part of one", "write it alone"),
        ("`head`()", 1, "`head` reads incidents, and only events can be put in", "open it instead"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_cannot_be_put_in(text: str, column: int, said: str, hint: str) -> None:
    with pytest.raises(QueryError) as caught:
        expanded(parse(text, saved=True), LIBRARY)
    error = caught.value
    assert (error.line, error.column, error.text) == (1, column, text)
    assert said in error.message
    assert error.hint.startswith(hint)


def test_equal_subqueries_stay_two() -> None:
    made = expanded(parse("`twin`() | union (`twin`())", saved=True), LIBRARY)
    one, two = (stage.queries() for stage in made.stages if list(stage.queries()))
    assert next(iter(one)) != next(iter(two))


def test_an_argument_never_becomes_more_than_a_value() -> None:
    evil = '"web | limit 0 #` \\" or x"'
    made = expanded(parse(f"`failed`({evil})", saved=True), LIBRARY)
    assert written(made) == f'service:{evil} status>=500 -path~"health"'


@pytest.mark.parametrize("text", ["`either`()", "| where `either`()", "x | `either`()", "| union (`either`())"])
def test_who_cannot_put_them_in_refuses_them(text: str) -> None:
    with pytest.raises(QueryError, match="the saved query `either` cannot be used here"):
        parse(text)


def test_only_saved_queries_have_parameters() -> None:
    with pytest.raises(QueryError, match=r"no parameter \$usr") as caught:
        parse("| where x = $usr", saved=True, parameters=["user"])
    assert caught.value.hint == "did you mean `user`?"
    assert parse("$user x:$user").search  # in a search it is a text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (saved("self", "`self`()"), "uses itself"),
        (saved("a", "`failed`($x, $y)", x=None), "no parameter $y"),
        (saved("a", "`nothing`()"), "no saved query `nothing`"),
        (saved("a", "x:$x..2", x=None), "$x is a whole value"),
    ],
)
def test_what_could_not_be_used_is_found_before(query: SavedQuery, said: str) -> None:
    with pytest.raises(QueryError) as caught:
        tried(query, {**LIBRARY, query.name: query})
    assert said in caught.value.message
    assert written(tried(saved("fine", "`failed`($x)", x=None), LIBRARY)).startswith('service:"x"')
