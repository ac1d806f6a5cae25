"""The golden corpus in ClickHouse: the same rows from the same segment files, or what is missing there."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chdb
import pyarrow as pa
import pytest
from cordwood.core.query import QueryEngine, QueryResult, parse
from cordwood.core.query.clickhouse import SETTINGS
from cordwood.core.query.clickhouse_plan import plan_clickhouse
from cordwood.core.query.plan import prepare
from cordwood.core.query.prune import Bounds
from cordwood.core.query.scope import Context
from cordwood.plugins.errors import QueryError
from hypothesis import HealthCheck, Phase, given, settings

from .corpus import FOLDER, Case, all_cases
from .segments import NOW, TABLES, Segments, ask
from .test_fuzz import odd_texts, quoted, ticked

pytestmark = pytest.mark.anyio
CASES = [case for case in all_cases() if case.sections.keys() & {"rows", "unordered"} and case.file.parent == FOLDER]


class ClickHouse:
    """ClickHouse in this process, with the settings that statements are made for."""

    def __init__(self) -> None:
        self.connection = chdb.connect(":memory:")
        for name, value in sorted(SETTINGS.items(), key=lambda item: item[0] == "readonly"):
            self.connection.query(f"SET {name} = {value!r}")

    def table(self, sql: str) -> pa.Table:
        return pa.ipc.open_file(io.BytesIO(self.connection.query(sql, "Arrow").bytes())).read_all()

    def ask(self, store: Segments, text: str) -> QueryResult:
        """The answer of a query over the store."""
        given = prepare(parse(text), store.all, Bounds(), Context(NOW))
        statement = plan_clickhouse(given, {one.id: str(store.folder / f"{one.id}.parquet") for one in store.all})
        return QueryResult("", statement.outputs, self.table(statement.sql).slice(0, statement.cut))


@pytest.fixture(scope="module")
def clickhouse() -> Iterator[ClickHouse]:
    made = ClickHouse()
    yield made
    made.connection.close()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Segments:
    made = Segments(Path(tmp_path_factory.mktemp("clickhouse")))
    lines = (FOLDER / "events.ndjson").read_text(encoding="utf-8").splitlines()
    for i in range(0, len(lines), 3):
        made.commit([json.loads(line) for line in lines[i : i + 3]])
    return made


@pytest.fixture(scope="module")
def engine(store: Segments) -> Iterator[QueryEngine]:
    made = QueryEngine(store, store, threads=1, template_rows=0, lookups=TABLES)
    yield made
    made.close()


def alike(a: Any, b: Any) -> bool:
    """Equal, but for the last bits of what was computed in another order."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-12)
    return type(a) is type(b) and bool(a == b)


@pytest.mark.parametrize("case", CASES, ids=[f"{case.file.stem}: {case.name}" for case in CASES])
async def test_case(case: Case, store: Segments, engine: QueryEngine, clickhouse: ClickHouse) -> None:
    expected = await ask(store, case.query, engine)
    if "clickhouse" in case.sections:
        with pytest.raises(QueryError) as caught:
            clickhouse.ask(store, case.query)
        case.check("clickhouse", f"{caught.value.line}:{caught.value.column} {caught.value.message}")
        return
    found = clickhouse.ask(store, case.query)
    names = {column.name for column in expected.columns}  # an answer of events leaves out what all of them lack
    rows = [
        [value for column, value in zip(found.columns, row, strict=True) if column.name in names]
        for row in found.rows()
    ]
    wanted = list(expected.rows())
    if "unordered" in case.sections:
        rows.sort(key=json.dumps)
        wanted.sort(key=json.dumps)
    assert alike(rows, wanted), (rows, wanted)


def test_most_of_the_corpus_runs_there() -> None:
    assert len(CASES) >= 400
    assert sum("clickhouse" not in case.sections for case in CASES) >= 400


@pytest.mark.parametrize("sql", ["CREATE TABLE t (a Int8) ENGINE = Memory", "SET readonly = 0"])
def test_nothing_can_be_changed(sql: str, clickhouse: ClickHouse) -> None:
    with pytest.raises(RuntimeError, match="READONLY"):
        clickhouse.connection.query(sql)


@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(value=odd_texts, field=odd_texts)
def test_odd_texts_are_found_and_stay_texts(
    value: str, field: str, tmp_path_factory: pytest.TempPathFactory, clickhouse: ClickHouse
) -> None:
    store = Segments(Path(tmp_path_factory.mktemp("odd")))
    store.commit([{"message": value, "f" + field: value, "n": 1}, {"message": "other", "f" + field: "other", "n": 2}])
    kept = next(column.field for column in store.all[0].columns if column.field.startswith("f"))
    for search in (quoted(value), f"{ticked(kept)}={quoted(value)}", f"{ticked(kept)}:{quoted(value)}"):
        rows = list(clickhouse.ask(store, f"{search} | fields n").rows())
        assert rows == ([[2], [1]] if value in "other" and search == quoted(value) else [[1]]), search
    shown = clickhouse.ask(
        store, f"n=1 | extend {ticked('x' + value)} = {quoted(value)} | fields {ticked('x' + value)}"
    )
    assert (list(shown.rows()), shown.columns[0].name) == ([[value]], "x" + value)


async def test_explain_shows_it(store: Segments, engine: QueryEngine) -> None:
    from cordwood.core.query import QueryRequest

    plan = await engine.explain(QueryRequest(text="declined | stats count() by host", project_id=1, now_ns=NOW))
    assert plan["clickhouse"].startswith("WITH ")
    assert "readonly = 2" in plan["clickhouse"]
    plan = await engine.explain(QueryRequest(text="| sample 1%", project_id=1, now_ns=NOW))
    assert plan["clickhouse"] == "none: `sample` needs a sample, which ClickHouse has not"
