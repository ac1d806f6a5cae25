"""NDJSON a column at a time says what the rows say one by one."""

from __future__ import annotations

import json
import math
from typing import Any

import pyarrow as pa
from cordwood.core.query.plan import Output
from cordwood.core.query.result import QueryResult
from cordwood.web.api.lines import json_lines
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


@given(tables())
def test_the_lines_are_the_rows(given: tuple[list[Output], pa.Table]) -> None:
    outputs, table = given
    lines = json_lines(outputs, table)
    assert lines.count(b"\n") == table.num_rows
    found = [json.loads(line) for line in lines.decode().split("\n")[:-1]]
    wanted = list(QueryResult("", outputs, table).objects())
    assert [list(row) for row in found] == [list(row) for row in wanted]
    for one, other in zip(found, wanted, strict=True):
        for name, value in other.items():
            same = math.isclose(one[name], value, rel_tol=1e-12) if isinstance(value, float) else one[name] == value
            assert same, (name, one[name], value)
            assert type(one[name]) is type(value)
