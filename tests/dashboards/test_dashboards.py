"""Dashboards as documents: what they may hold, variables in queries, and those that are built in."""

from __future__ import annotations

import doctest
import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cordwood.core.dashboards.check import faults, queries
from cordwood.core.dashboards.model import Dashboard, Panel, Position, Variable
from cordwood.core.dashboards.store import built_in
from cordwood.core.dashboards.variables import fill, quoted, unknown
from cordwood.core.query import QueryRequest
from cordwood.core.query.parser import parse
from cordwood.core.runtime import Node
from cordwood.plugins import now_ns
from hypothesis import given
from hypothesis import strategies as st

CASES = json.loads((Path(__file__).parent / "substitution.json").read_text())
VARIABLES = [
    Variable("service", field="service", values=["a"], multiple=True),
    Variable("least", values=["100"], default=["100"], multiple=True),
    Variable("odd", field="odd ` name", values=["x"]),
    Variable("by", field="by", values=["x"]),
]


@pytest.mark.parametrize("name", ["model", "variables"])
def test_the_examples_hold(name: str) -> None:
    assert doctest.testmod(import_module(f"cordwood.core.dashboards.{name}")).failed == 0


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_variables_become_values(case: dict[str, Any]) -> None:
    assert fill(case["text"], VARIABLES, case["chosen"]).text == case["filled"]


@given(st.lists(st.text(), min_size=1, max_size=3))
def test_a_value_stays_a_value_whatever_it_holds(values: list[str]) -> None:
    """The tree of the filled query has these values, as they are, and nothing else of them."""

    def tree(chosen: list[str]) -> str:
        filled = fill("first $service last", VARIABLES, {"service": chosen}).text
        return re.sub(r"at=Place\(line=\d+, column=\d+[^)]*\)", "", repr(parse(filled).search))

    marks = [f"<the value {at}>" for at in range(len(values))]
    expected = tree(marks)
    for mark, value in zip(marks, values, strict=True):
        expected = expected.replace(repr(mark), repr(value))
    assert tree(values) == expected


def test_a_place_is_told_as_it_stands_in_the_document() -> None:
    filled = fill("$service\n| where $service x | nope", VARIABLES, {"service": ["a long value", "another"]})
    text = filled.text
    at = text.index("nope") - text.rindex("\n", 0, text.index("nope")) - 1
    assert filled.place(2, at + 1) == (2, 22)
    assert filled.place(1, 10) == (1, 1)
    assert fill("abc", [], {}).place(1, 3) == (1, 3)


def test_a_name_that_no_variable_has_is_found() -> None:
    assert unknown('"$x" $service\n  $x', VARIABLES) == ("x", 2, 3)
    assert unknown("costs 5$ or $5", VARIABLES) is None
    assert quoted('a"') == '"a\\""'


@pytest.mark.anyio
async def test_what_is_built_in_works_before_the_first_event(node: Node) -> None:
    """Every query is right and gives an answer over an empty store: nobody's first page is an error."""
    assert list(built_in()) == ["cordwood", "overview"]
    for dashboard in built_in().values():
        assert await faults(dashboard, node.engine, node.project_id, is_admin=False) == []
        for _, text in queries(dashboard):
            wanted = fill(text, dashboard.variables, {}).text
            await node.engine.run(QueryRequest(text=wanted, project_id=node.project_id, now_ns=now_ns(), limit=100))


def panel(query: str, **more: Any) -> Panel:
    return Panel("p", "P", "table", Position(0, 0, 6, 4), query, **more)


WRONG: dict[str, tuple[dict[str, Any], list[tuple[str, int, int]]]] = {
    "stage": ({"panels": [panel("| nope")]}, [("/panels/0/query", 1, 3)]),
    "two": (
        {"panels": [panel("$service | nope"), panel("| limit x")], "variables": VARIABLES[:1]},
        [("/panels/1/id", 0, 0), ("/panels/0/query", 1, 12), ("/panels/1/query", 1, 9)],
    ),
    "variable": ({"panels": [panel("a $nowhere")]}, [("/panels/0/query", 1, 3)]),
    "grid": ({"panels": [Panel("p", "P", "table", Position(10, 0, 3, 4), "")]}, [("/panels/0/position", 0, 0)]),
    "text with a query": (
        {"panels": [Panel("p", "P", "markdown", Position(0, 0, 3, 4), "x")]},
        [("/panels/0/query", 0, 0)],
    ),
    "query with a text": ({"panels": [panel("", text="x")]}, [("/panels/0/text", 0, 0)]),
    "nul": ({"panels": [panel("", unit="\0")]}, [("", 0, 0)]),
    "no nul": ({"panels": [panel("", unit="\\u0000")]}, []),
    "no values": ({"variables": [Variable("a", field="a")]}, [("/variables/0", 0, 0)]),
    "no default": ({"variables": [Variable("a", values=("x",))]}, [("/variables/0/default", 0, 0)]),
    "two defaults": (
        {"variables": [Variable("a", values=("x",), default=("x", "y"))]},
        [("/variables/0/default", 0, 0)],
    ),
    "a variable's query": ({"variables": [Variable("a", field="a", query="| nope")]}, [("/variables/0/query", 1, 3)]),
}


@pytest.mark.anyio
async def test_what_is_wrong_is_told_with_its_place(node: Node) -> None:
    found = {
        name: await faults(Dashboard("d", "D", **parts), node.engine, node.project_id, is_admin=True)
        for name, (parts, _) in WRONG.items()
    }
    places = {name: [(fault.pointer, fault.line, fault.column) for fault in all_] for name, all_ in found.items()}
    assert places == {name: expected for name, (_, expected) in WRONG.items()}


def test_a_document_reads_as_it_was_written() -> None:
    for dashboard in built_in().values():
        written = msgspec.json.encode(dashboard)
        assert msgspec.json.encode(msgspec.json.decode(written, type=Dashboard)) == written
