"""NDJSON as a statement writes it says what the rows say one by one."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from cordwood.core.query.duck import Duck
from cordwood.core.query.export import lines
from cordwood.core.query.plan import Output
from cordwood.core.query.result import QueryResult, python_values
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "text": (pa.string(), TEXT | st.sampled_from(['"', "\\", "\x00\x1f\x7f", "}", "{", "\u2028\r\n", 'a,"b":null'])),
    "int": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "float": (pa.float64(), st.floats()),
    "bool": (pa.bool_(), st.booleans()),
    "time": (pa.timestamp("ns"), st.integers(-(2**62), 2**62)),
    "severity": (pa.int32(), st.integers(0, 30)),
    "duration": (pa.int64(), st.integers(-(10**15), 10**15)),
    "json": (pa.string(), st.sampled_from(['{"a" : [1,\n null]}', "[]", "12345678901234567890", "no json", '"x"'])),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[Output], pa.Table]:
    """Outputs of one or two kinds or none, with odd names, over columns with and without nulls."""
    rows = draw(st.integers(0, 5))
    names = draw(st.lists(TEXT, min_size=1, max_size=5, unique=True))
    outputs, columns = [], {}
    for i, name in enumerate(names):
        kinds = []
        for kind in draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=2, unique=True)):
            arrow, values = VALUES[kind]
            some = values if draw(st.booleans()) else st.none() | values
            column = draw(st.lists(some, min_size=rows, max_size=rows))
            columns[f"{i}#{kind}"] = pa.array(column, arrow)
            kinds.append((kind, f"{i}#{kind}"))
        outputs.append(Output(name, "mixed", tuple(kinds)))
    return outputs, pa.table({"": pa.array([1] * rows)} | columns)


@pytest.fixture(scope="module")
def duck() -> Iterator[Duck]:
    made = Duck(None, threads=1, brief=True)
    yield made
    made.close()


@given(tables=tables())
def test_the_lines_are_the_rows(duck: Duck, tables: tuple[list[Output], pa.Table]) -> None:
    outputs, table = tables
    written = python_values(lines(duck, outputs, table).column(0))
    assert all(line.endswith("}\n") and line.count("\n") == 1 for line in written)
    found = [json.loads(line) for line in written]
    wanted = list(QueryResult("", outputs, table).objects())
    assert [list(row) for row in found] == [list(row) for row in wanted]
    for one, other in zip(found, wanted, strict=True):
        for name, value in other.items():
            same = math.isclose(one[name], value, rel_tol=1e-12) if isinstance(value, float) else one[name] == value
            assert same, (name, one[name], value)
            assert type(one[name]) is type(value)


def test_times_with_a_zone_keep_their_nanoseconds(duck: Duck) -> None:
    table = pa.table({"t": pa.array([1_000_000_123, None], pa.timestamp("ns", "UTC"))})
    written = python_values(lines(duck, [Output("t", "time", (("time", "t"),))], table).column(0))
    assert written == ['{"t":"1970-01-01T00:00:01.000000123Z"}\n', "{}\n"]
