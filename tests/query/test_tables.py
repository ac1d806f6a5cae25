"""`from incidents` and the others: the same tree in PostgreSQL and in DuckDB, golden, and nobody breaks out of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import pytest
from cordwood.core.query import BatchFilter, QueryEngine, QueryRequest, QueryResult, Tables, parse
from cordwood.core.query.heads import HEADS
from cordwood.core.query.stages import load_stages
from cordwood.core.storage.embedded import EmbeddedPostgres
from cordwood.plugins.errors import QueryError
from hypothesis import given, settings
from hypothesis import strategies as st

from .corpus import FOLDER, Case, load
from .own_tables import Copy, filled
from .segments import NOW, Segments
from .test_fuzz import FUZZ, calls, odd_texts, quoted, texts, ticked

pytestmark = pytest.mark.anyio
CASES = load(FOLDER / "tables" / "heads.cases")
HOUR = 3600 * 10**9
COLUMNS = ("severity", "state", "opened", "id", "duration", "values")
FEWER = settings(FUZZ, max_examples=80)


@dataclass
class Asked:
    engine: QueryEngine
    copy: Copy
    pool: asyncpg.Pool

    async def ask(self, text: str, **more: Any) -> QueryResult:
        return await self.engine.run(
            QueryRequest(**{"text": text, "project_id": 1, "now_ns": NOW, "is_admin": True, **more})
        )


@pytest.fixture(scope="module")
async def asked(
    postgres: EmbeddedPostgres, migrated: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Asked]:
    async with filled(postgres, migrated) as pool:
        copy = Copy()
        await copy.take(pool)
        store = Segments(Path(tmp_path_factory.mktemp("tables")))
        engine = QueryEngine(store, store, threads=1, tables=Tables(pool))
        yield Asked(engine, copy, pool)
        engine.close()


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_case(case: Case, asked: Asked) -> None:
    """With a range where a chart asks for one, so that both renderings have the same."""
    span = (NOW - 4 * HOUR, NOW) if "timechart" in case.query or "rate()" in case.query else (None, None)
    try:
        result = await asked.ask(case.query, from_ns=span[0], to_ns=span[1])
    except QueryError as error:
        hint = f"; {error.hint}" if error.hint else ""
        case.check("error", f"{error.line}:{error.column} {error.message}{hint}")
        return
    rows = [json.dumps(row, ensure_ascii=False) for row in result.rows()]
    assert "error" not in case.sections, rows
    case.check("rows", "\n".join(rows))
    case.check("columns", ", ".join(f"{column.name} {column.type}" for column in result.columns))
    assert [json.dumps(row, ensure_ascii=False) for row in asked.copy.answer(case.query, *span)] == rows


def test_every_head_and_stage_has_a_case() -> None:
    found = [parse(case.query, any_head=True) for case in CASES if not case.query.startswith("from berlin")]
    assert {query.head for query in found} >= set(HEADS)
    assert {stage.name for query in found for stage in query.stages} == set(load_stages())


async def test_the_range_of_the_request_holds(asked: Asked) -> None:
    async def ids(head: str, start: int | None, end: int | None) -> list[int]:
        found = await asked.ask(f"from {head} | fields id | sort id", from_ns=start, to_ns=end)
        return [row[0] for row in found.rows()]

    opened = [1769847420 + n * 1020 for n in range(12)]
    assert len(await ids("incidents", None, None)) == 12
    third = opened[2] * 10**9 + 123_000_000
    assert len(await ids("incidents", third, None)) == 10
    assert len(await ids("incidents", third + 1000, None)) == 9
    assert len(await ids("incidents", None, third)) == 2
    # Segments that hold events of the range: the first ends before, the second lasts into it.
    second = 1769850000123456000 + 2 * 600 * 10**9
    assert len(await ids("segments", second + HOUR // 12, None)) == 8


async def test_only_the_own_project_and_only_for_administrators(asked: Asked) -> None:
    for head in HEADS:
        own, others = [await asked.ask(f"from {head}", project_id=project) for project in (1, 2)]
        assert len(own) == len(others) > 0
        assert not len(await asked.ask(f"from {head}", project_id=3)), head
    ids = [{row["id"] for row in (await asked.ask("from incidents", project_id=n)).objects()} for n in (1, 2)]
    assert not ids[0] & ids[1]
    with pytest.raises(QueryError, match="for administrators"):
        await asked.ask("from audit | stats count()", is_admin=False)
    with pytest.raises(QueryError, match="for administrators"):
        await asked.engine.explain(QueryRequest(text="from audit", project_id=1, now_ns=NOW))


async def test_limits_cut_and_say_so(asked: Asked) -> None:
    cut = await asked.ask("from incidents", limit=5)
    assert (len(cut), cut.complete) == (5, False)
    whole = await asked.ask("from incidents | limit 12")
    assert (len(whole), whole.complete) == (12, True)


async def test_time_runs_out_and_queries_are_cancelled(asked: Asked) -> None:
    """While somebody else has locked the table; both free the connection."""
    said: list[str] = []

    async def run() -> None:
        try:
            await asked.ask("from incidents", timeout=60, id="waiting")
        except QueryError as error:
            said.append(error.message)

    async with asked.pool.acquire() as other, other.transaction():
        await other.execute("lock table incident in access exclusive mode")
        with pytest.raises(QueryError, match="took longer"):
            await asked.ask("from incidents", timeout=0.1)
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(run)
                while not await asked.engine.cancel("waiting", 1):
                    await anyio.sleep(0.01)
    assert said == ["the query was cancelled"]
    assert len(await asked.ask("from incidents")) == 12


def test_what_reads_events_takes_no_other_head() -> None:
    with pytest.raises(QueryError, match="reads events only"):
        parse("from incidents state:open")
    with pytest.raises(QueryError, match="reads events only"):
        BatchFilter("from incidents")
    assert parse("from events error").head == "events"


async def test_completion_after_from_and_of_its_columns(asked: Asked) -> None:
    async def offered(text: str) -> set[str]:
        found = await asked.engine.complete(QueryRequest(text=text, project_id=1, now_ns=NOW, is_admin=True), len(text))
        return {item.text.strip() for item in found.items}

    assert await offered("from ") == {*HEADS, "events"}
    assert await offered("from in") >= {"incidents"}
    assert "from" in await offered("fr")
    assert "state:" in await offered("from incidents sta")
    assert await offered("from incidents state:") == {"open", "acknowledged", "resolved"}
    assert "detector" in await offered("from incidents | stats count() by det")
    assert "total" in await offered("from incidents | stats count() as total by detector | sort to")


async def test_explain_shows_the_statement(asked: Asked) -> None:
    request = QueryRequest(text="from incidents state:open | stats count()", project_id=1, now_ns=NOW)
    shown = await asked.engine.explain(request)
    assert shown["strategy"] == "PostgreSQL"
    assert "open" in shown["arguments"]
    assert "'open'" not in shown["sql"][0]


def report_free(text: str, error: QueryError | None) -> str:
    said = "" if error is None else f"{text}: {error.message}; {error.hint}"
    return said if "please report" in said else ""


@FEWER
@given(text=texts, head=st.sampled_from(sorted(HEADS)))
async def test_whatever_is_typed_gets_an_answer_or_a_query_error(text: str, head: str, asked: Asked) -> None:
    failed: QueryError | None = None
    try:
        list((await asked.ask(f"from {head} {text}", limit=5)).rows())
    except QueryError as error:
        failed = error
    assert not report_free(text, failed)


@FEWER
@given(call=calls, by=st.sampled_from(COLUMNS), is_stats=st.booleans())
async def test_every_function_runs_or_says_that_it_cannot(call: str, by: str, is_stats: bool, asked: Asked) -> None:
    for old, new in (("status", "id"), ("took", "duration"), ("big", "id"), ("tags", "values"), ("ghost", "title")):
        call = call.replace(old, new)
    text = f"from incidents | stats {call} as x by {by} as k" if is_stats else f"from incidents | extend x = {call}"
    failed: QueryError | None = None
    try:
        list((await asked.ask(text)).rows())
    except QueryError as error:
        failed = error
    assert not report_free(text, failed)


@FEWER
@given(value=odd_texts, name=odd_texts)
async def test_odd_texts_and_names_stay_what_they_are(value: str, name: str, asked: Asked) -> None:
    """As literals and as identifiers: what comes back is what went in, and the tables are as before."""
    text = f"from incidents | limit 1 | extend {ticked('x' + name)} = {quoted(value)} | fields {ticked('x' + name)}"
    if "\0" in value:
        with pytest.raises(QueryError, match="NUL"):
            await asked.ask(text)
        return
    result = await asked.ask(text)
    assert (result.columns[0].name, list(result.rows())) == ("x" + name, [[value]])
    for search in (quoted(value), f"title:{quoted(value)}", f"title~{quoted(value)}", f"title in ({quoted(value)})"):
        found = await asked.ask(f"from incidents {search} | stats count()")
        assert next(iter(found.rows()))[0] in range(13)
    grouped = await asked.ask(f"from incidents | stats count() as {ticked(name)} by {quoted(value)} as k")
    assert list(grouped.rows()) == [[value, 12]]
