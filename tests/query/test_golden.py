"""The golden corpus: every case over the events as they were committed and as one compacted segment a day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cordwood.core.query import QueryEngine, parse
from cordwood.core.query.aggregate import AGGREGATES
from cordwood.core.query.function import functions
from cordwood.core.query.parser import nodes_of
from cordwood.core.query.plan import plan, prepare
from cordwood.core.query.prune import Bounds
from cordwood.core.query.scope import Context
from cordwood.core.query.stages import load_stages
from cordwood.core.query.tree import Call
from cordwood.plugins.errors import QueryError

from .corpus import FOLDER, Case, all_cases
from .segments import NOW, TABLES, Segments, ask

pytestmark = pytest.mark.anyio
CASES = all_cases()


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Segments]:
    made = {}
    lines = (FOLDER / "events.ndjson").read_text(encoding="utf-8").splitlines()
    for name in ("commits", "compacted"):
        made[name] = Segments(Path(tmp_path_factory.mktemp(name)))
        for i in range(0, len(lines), 3):
            made[name].commit([json.loads(line) for line in lines[i : i + 3]])
    made["compacted"].compact()
    return made


@pytest.fixture(scope="module")
def engines(stores: dict[str, Segments]) -> Iterator[dict[str, QueryEngine]]:
    made = {
        name: QueryEngine(store, store, threads=1, template_rows=0, lookups=TABLES) for name, store in stores.items()
    }
    yield made
    for engine in made.values():
        engine.close()


@pytest.mark.parametrize("case", CASES, ids=[f"{case.file.stem}: {case.name}" for case in CASES])
async def test_case(case: Case, stores: dict[str, Segments], engines: dict[str, QueryEngine]) -> None:
    if "tree" in case.sections:
        query = parse(case.query)
        case.check("tree", "\n".join([show(query.search), *(show(stage) for stage in query.stages)]))
    if "sql" in case.sections:
        store = stores["commits"]
        given = prepare(parse(case.query), store.all, Bounds(), Context(NOW))
        case.check("sql", plan(given, {segment.id: f"{segment.id}.parquet" for segment in store.all}).sql)
    if not case.sections.keys() & {"rows", "unordered", "columns", "warnings", "complete", "sampled", "error"}:
        return
    for name, engine in engines.items():
        try:
            result = await ask(stores[name], case.query, engine)
        except QueryError as error:
            case.check(
                "error", f"{error.line}:{error.column} {error.message}" + (f"; {error.hint}" if error.hint else "")
            )
            continue
        rows = [json.dumps(row, ensure_ascii=False) for row in result.rows()]
        got = {
            "rows": "\n".join(rows),
            "unordered": "\n".join(sorted(rows)),
            "columns": ", ".join(f"{column.name} {column.type}" for column in result.columns),
            "warnings": "\n".join(result.warnings),
            "complete": str(result.complete).lower(),
            "sampled": str(result.sampled).lower(),
        }
        assert "error" not in case.sections, rows
        for section in case.sections.keys() & got.keys():
            case.check(section, got[section])


def show(value: object) -> str:
    """A node without its places and how it was typed, as `Name(field)`."""
    if isinstance(value, tuple):
        return "[" + ", ".join(show(item) for item in value) + "]"
    if not hasattr(value, "__struct_fields__"):
        return repr(value)
    fields = [
        show(getattr(value, name)) for name in value.__struct_fields__ if name not in ("at", "written", "written_as")
    ]
    return f"{type(value).__name__}({', '.join(fields)})"


def test_every_function_and_aggregate_has_a_case() -> None:
    queries = (parse(case.query, any_head=True) for case in CASES if "error" not in case.sections)
    nodes = (node for query in queries for top in nodes_of(query) for node in top.walk())
    used = {node.name for node in nodes if isinstance(node, Call)}
    assert {*functions(), *AGGREGATES} <= used, {*functions(), *AGGREGATES} - used


def test_every_stage_has_a_case() -> None:
    used = {stage.name for case in CASES if "error" not in case.sections for stage in parse(case.query).stages}
    assert used == set(load_stages())
