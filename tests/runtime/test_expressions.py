"""Expressions of the query language in the step `set`: the same for an event whatever is beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cordwood.config import ConfigErrors, Step
from cordwood.core.query import BatchValues
from cordwood.core.runtime import load_checked
from cordwood.core.runtime.steps import RunningStep
from cordwood.core.runtime.taps import StepCounts
from cordwood.parsers.set import Set, SetConfig
from cordwood.plugins import Batch, QueryError, load_plugins
from hypothesis import given
from hypothesis import strategies as st

EVENTS: list[dict[str, Any]] = [
    {"took": 1500, "status": 503, "user": "Ann", "d": {"a": [1, 2]}, "message": "took 12ms", 'a"b': 2},
    {"took": "x", "status": None, "message": "b"},
    {"took": 2.5, "status": 200, "user": "ÄB"},
    {},
]


def done(events: list[dict[str, Any]], **settings: Any) -> list[dict[str, Any]]:
    """What the step makes of the events, without what they had."""
    step = RunningStep.of(Step("set", Set, SetConfig.model_validate(settings)), StepCounts(), 1)
    batch = Batch.from_records(events, observed=1)
    names = settings.get("expressions", {}) | settings.get("fields", {}) | {"parse_error": ""}
    return [{k: v for k, v in event.items() if k in names} for event in step.run(batch).batch.events()]


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("took / 1000", [1.5, None, 0.0025, None]),
        ("lower(user)", ["ann", None, "äb", None]),
        ("coalesce(user, 'nobody')", ["Ann", "nobody", "ÄB", "nobody"]),
        ("status >= 500", [True, None, False, None]),
        ("status + 1", [504, None, 201, None]),
        ("if(status = 200, 1, 'b')", ["b", "b", "1", "b"]),
        ("d.a", [[1, 2], None, None, None]),
        ('`a"b` * 2', [4, None, None, None]),
        ("nothing.there", [None] * 4),
        ("1 / 0", [None] * 4),
        ("9223372036854775807 + status", [float(2**63), None, float(2**63), None]),
        ("2s", [2_000_000_000] * 4),
        ("format_time(timestamp, '%Y')", ["1970"] * 4),
        ("message contains 'TOOK'", [True, False, None, None]),
    ],
)
def test_values(expression: str, values: list[Any]) -> None:
    found = done(EVENTS, expressions={"v": expression})
    assert [event.get("v") for event in found] == values
    assert not any("parse_error" in event for event in found)


def test_they_see_the_event_as_it_came_and_give_standard_fields_their_form() -> None:
    found = done(
        [{"a": 1, "b": "x"}, {"b": "y"}],
        fields={"b": "set"},
        expressions={"a": "a + 1", "c": "concat(b, '!')", "severity": "if(a = 1, 'error', 'nonsense')"},
    )
    assert found[0] == {"a": 2, "b": "set", "c": "x!", "severity": "ERROR"}
    assert found[1]["c"] == "y!"
    assert done([{"a": 1}, {"b": 2}], expressions={"a": "7"}, overwrite=False) == [{"a": 1}, {"a": 7}]


numbers = st.one_of(st.none(), st.integers(-5, 5), st.sampled_from(["x", "3"]), st.booleans())


@given(values=st.lists(numbers, min_size=1, max_size=6), text=st.sampled_from(["v > 1s", "v + 1", "lower(v)", "-v"]))
def test_what_an_event_gets_does_not_depend_on_those_beside_it(values: list[Any], text: str) -> None:
    together = done([{"v": value} for value in values], expressions={"w": text})
    alone = [done([{"v": value}], expressions={"w": text})[0] for value in values]
    assert [event.get("w") or None for event in together] == [event.get("w") or None for event in alone]


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", 1, "expected an expression"),
        ("took /", 7, "expected an expression"),
        ("1 | where x", 1, "more than one expression"),
        ("1, y = 2", 1, "more than one expression"),
        (") | drop x", 1, "unexpected `)`"),
        ("count()", 1, "aggregate"),
        ("lowe(user)", 1, "no function `lowe`"),
        ("`saved`(1)", 1, "saved query"),
        ("a matches /(/", 11, "no regular expression"),
        ("1 +\n  foo(2)", 3, "no function `foo`"),
        ("read_csv('/etc/passwd')", 1, "no function"),
    ],
)
def test_what_is_no_expression_is_refused_at_its_place(text: str, column: int, message: str) -> None:
    with pytest.raises(QueryError, match=message.replace("(", r"\(").replace(")", r"\)")) as why:
        BatchValues({"v": text})
    assert (why.value.column, why.value.line) == (column, 1 + text.count("\n"))
    assert why.value.text == text


def test_the_file_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    text = "version: 1\nsources:\n  s: {type: http}\npipelines:\n  p:\n    from: [s]\n    parse:\n      - type: set\n"
    file.write_text(f"{text}        expressions:\n          v: lowe(user)\n")
    with pytest.raises(ConfigErrors) as why:
        load_checked(file, load_plugins())
    (error,) = why.value.errors
    assert (error.line, error.column) == (10, 14)
    assert "pipelines.p.parse[0].expressions.v: no function `lowe`" in str(error)
    assert "lower" in str(error)
    for wrong in ("", ", fields: {a: 1}, expressions: {a: '1'}", ", expressions: {parse_error: '1'}"):
        file.write_text(text.replace("- type: set", f"- {{type: set{wrong}}}"))
        with pytest.raises(ConfigErrors):
            load_checked(file, load_plugins())
