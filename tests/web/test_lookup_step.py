"""The step `lookup`: columns of a table in the store, of its newest version, on the way to the store."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import polars as pl
import pytest
from cordwood.config import Settings, load_text
from cordwood.core.query import BatchFilter
from cordwood.core.query.lookup_store import Lookups
from cordwood.core.runtime import Node, load_checked
from cordwood.core.runtime import tables as tables_module
from cordwood.core.runtime.pipeline import RunningPipeline
from cordwood.core.runtime.reads import Known
from cordwood.core.runtime.tables import PipelineTables, tables_of
from cordwood.parsers.lookup import Lookup
from cordwood.plugins import Batch, RejectedError, RetryableError, Table, load_plugins
from cordwood.plugins.conformance import parser_contract
from cordwood.web import create_app
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.anyio
REGISTRY = load_plugins()
HEAD = "version: 1\nsources: {app: {type: http}}\npipelines:\n  web:\n    from: [app]\n    parse: "
OWNERS = {
    "service": ["checkout", "web", "web", None, "7"], "team": ["shop", "edge", "second", "none", "seven"],
    "pager": [7, 8, 9, 10, None], "host": ["h1", None, None, None, None], "a#json": ["{", "x", "", None, None],
    "*": ["star", None, None, None, None], "^x$": ["y"] * 5, "parse_error": ["mine"] * 5,
}  # fmt: skip


def run(step: str, *events: dict[str, Any], tables: dict[str, Table] | None = None) -> list[dict[str, Any]]:
    """What is stored of these events."""
    pipeline = RunningPipeline(load_text(HEAD + step, REGISTRY, check_when=BatchFilter).pipelines["web"], REGISTRY)
    given_ = {"owners": Table(pl.DataFrame(OWNERS))} if tables is None else tables
    found = pipeline.apply(Batch.from_records(events), "app", known=Known(given_)).events()
    own = {"timestamp", "observed_timestamp", "source", "message"}
    return [{name: value for name, value in one.items() if name not in own} for one in found]


def test_the_first_row_with_the_value_is_added_and_what_an_event_has_stays() -> None:
    step = "[{type: lookup, table: owners, field: service, fields: [team, pager, host]}]"
    events = ({"service": "checkout"}, {"service": "web", "team": 5}, {"service": "api"}, {"host": "h"},
              {"service": "checkout", "host": "mine"})  # fmt: skip
    assert run(step, *events) == [
        {"service": "checkout", "team": "shop", "pager": 7, "host": "h1"},
        {"service": "web", "team": 5, "pager": 8},
        {"service": "api"},
        {"host": "h"},
        {"service": "checkout", "team": "shop", "pager": 7, "host": "mine"},
    ]
    over = "[{type: lookup, table: owners, field: service, fields: [team, pager, host], overwrite: true}]"
    assert run(over, *events)[1:2] == [{"service": "web", "team": "edge", "pager": 8}]
    assert run(over, *events)[4]["host"] == "h1"


def test_all_columns_but_the_key_whatever_they_are_called() -> None:
    step = "[{type: lookup, table: owners, field: n, column: service}]"
    (found,) = run(step, {"n": 7})
    assert found == {"n": 7, "team": "seven", "^x$": "y"}
    assert run(step, {"n": "checkout"}) == [
        {"n": "checkout", "team": "shop", "pager": 7, "host": "h1", "a#json": "{", "*": "star", "^x$": "y"}
    ]


def test_numbers_and_truths_are_equal_where_they_are_written_alike() -> None:
    table = {"codes": Table(pl.DataFrame({"code": [1, 2], "text": ["one", "two"]}))}
    step = "[{type: lookup, table: codes, field: code}]"
    found = run(step, {"code": 1}, {"code": "2"}, {"code": "01"}, {"code": 1.0}, {"code": True}, tables=table)
    assert [one.get("text") for one in found] == ["one", "two", None, "one", None]


@pytest.mark.parametrize(
    ("settings_", "tables", "error"),
    [
        ("table: owners, field: service", {}, "lookup: there is no table owners; make it with `cordwood"),
        ("table: owners, field: service, column: nope", None, "lookup: owners has no column nope; it has service"),
        ("table: owners, field: service, fields: [nope]", None, "lookup: owners has no column nope; it has service"),
        ("table: owners, field: service", {"owners": Table(pl.DataFrame())}, "lookup: owners has no column service"),
    ],
)  # fmt: skip
def test_without_the_table_or_the_column_events_are_kept_with_the_reason(
    settings_: str, tables: dict[str, Table] | None, error: str
) -> None:
    found = run(f"[{{type: lookup, {settings_}}}]", {"service": "web", "n": 1}, {"host": "x"}, tables=tables)
    assert found[0].pop("parse_error").startswith(error)
    assert found == [{"service": "web", "n": 1}, {"host": "x"}]


def test_steps_of_a_route_read_tables_too() -> None:
    step = """
      - type: route
        branches: [{when: "kind:a", parse: [{type: lookup, table: owners, field: service, fields: [team]}]}]
        else: [{type: lookup, table: others, field: service, when: "kind:b"}]"""
    found = run(step, {"service": "web", "kind": "a"}, {"service": "web", "kind": "c"}, {"service": "web", "kind": "b"})
    assert found[0] == {"service": "web", "kind": "a", "team": "edge"}
    assert found[1] == {"service": "web", "kind": "c"}
    assert found[2]["parse_error"].startswith("lookup: there is no table others")
    config = load_text(HEAD + step, REGISTRY, check_when=BatchFilter)
    assert RunningPipeline(config.pipelines["web"], REGISTRY).tables == {"owners", "others"}


def test_a_request_cannot_read_tables() -> None:
    pipeline = RunningPipeline(load_text(HEAD + "[]", REGISTRY).pipelines["web"], REGISTRY)
    with pytest.raises(RejectedError, match="lookup reads lookup tables, which only a step of a pipeline file may"):
        pipeline.run(Batch.from_lines(["x"]), "app", {"type": "lookup", "table": "t", "field": "f"})


KEYS = st.one_of(st.none(), st.text(max_size=3), st.sampled_from(["a", "b", "é", "😀", "\0", "zz"]))


@settings(max_examples=100, deadline=None)
@given(st.lists(KEYS, max_size=12), st.lists(KEYS.filter(lambda one: one is not None), max_size=12))
def test_it_finds_what_a_search_from_the_top_finds(keys: list[str | None], values: list[str]) -> None:
    frame = pl.DataFrame({"k": pl.Series(keys, dtype=pl.String), "n": pl.Series(range(len(keys)), dtype=pl.Int64)})
    found = Table(frame).find("k", pl.Series(values, dtype=pl.String), ["n"])["n"].to_list()
    assert found == [keys.index(value) if value in keys else None for value in values]


CONFIG = HEAD + "[{type: lookup, table: owners, field: user, column: login, fields: [team]}]\n"


@asynccontextmanager
async def running(database_url: str, data_dir: Path, client_of: Callable[..., Any]) -> AsyncIterator[tuple[Node, Any]]:
    file = data_dir / "cordwood.yaml"
    file.write_text(CONFIG)
    made = Settings(data_dir=data_dir, database_url=database_url, config=file)
    node = Node(made, load_checked(file, REGISTRY), REGISTRY)
    async with node.running(), client_of(create_app(node)) as client:
        yield node, client


async def test_a_new_version_is_used_without_a_restart(
    database_url: str, data_dir: Path, client_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables_module, "_EVERY_S", 0.0)
    async with running(database_url, data_dir, client_of) as (node, client):
        ready = (await client.get("/readyz")).json()
        assert any("there is no lookup table owners" in one for one in ready["warnings"])
        await client.logs({"message": "none", "user": "ada"})
        await client.put("/api/v1/lookups/owners", content="login,team\nada,shop\n")
        await client.logs({"message": "first", "user": "ada"}, {"message": "other", "user": "bob"})
        assert node.source_warnings == []
        await client.put("/api/v1/lookups/owners", content="login,team\nada,edge\n")
        await client.logs({"message": "second", "user": "ada"})
        tried = await client.post("/api/v1/pipelines/web/try", json={"lines": ['{"message": "x", "user": "ada"}']})
        assert tried.json()["steps"][-1]["events"][0]["team"] == "edge"
        await client.delete("/api/v1/lookups/owners")
        await client.logs({"message": "gone", "user": "ada"})
        rows = await client.rows("* | fields message, team, parse_error")
        assert {row["message"]: row.get("team") for row in rows} == {
            "none": None, "first": "shop", "other": None, "second": "edge", "gone": None,
        }  # fmt: skip
        assert [row["message"] for row in rows if row.get("parse_error")] == ["gone", "none"]


async def test_with_the_database_gone_the_tables_read_before_are_used_on(
    database_url: str, data_dir: Path, client_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(database_url, data_dir, client_of) as (node, client):
        await client.put("/api/v1/lookups/owners", content="login,team\nada,shop\n")
        monkeypatch.setattr(tables_module, "_EVERY_S", 0.0)
        pool = await asyncpg.create_pool(database_url, min_size=1, max_size=1)
        tables = PipelineTables(Lookups(pool))
        known = await tables.of(node.project_id, {"owners"})
        await pool.close()
        assert list(known) == ["owners"]
        assert await tables.of(node.project_id, {"owners"}) == known
        with pytest.raises(RetryableError, match="the lookup tables never are not known"):
            await tables.of(node.project_id, {"never"})


async def test_a_table_is_asked_for_once_a_second(
    database_url: str, data_dir: Path, client_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(database_url, data_dir, client_of) as (node, client):
        monkeypatch.setattr(tables_module, "_EVERY_S", 60.0)
        asked = []
        inner = node.lookups.tables

        async def counted(*arguments: Any) -> Any:
            asked.append(time.monotonic())
            return await inner(*arguments)

        monkeypatch.setattr(node.lookups, "tables", counted)
        for _ in range(5):
            await client.logs({"message": "x", "user": "ada"})
        assert len(asked) <= 1


def test_tables_of_a_test_may_be_ragged() -> None:
    made = tables_of({"t": [{"a": 1}, {"a": "x", "b": True}], "none": []})
    assert (list(made["t"].columns), list(made["none"].columns)) == (["a", "b"], [])
    assert made["t"].find("a", pl.Series(["x", "1"]), ["b"])["b"].to_list() == [True, None]


test_lookup = parser_contract(Lookup, {"table": "owners", "field": "log.file.path"})
