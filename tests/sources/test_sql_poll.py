"""A table of a real PostgreSQL, whose rows are taken in as they are added."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from cordwood.core.storage.embedded import EmbeddedPostgres
from cordwood.plugins import RetryableError
from cordwood.plugins.conformance import Scenario, source_contract
from cordwood.plugins.conformance_outlet import MemoryOutlet, MemoryStore
from cordwood.sources.sql_poll import SqlPoll, SqlPollConfig

from .listening import listening, messages, until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(empty_database_url: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute("create table audit (id bigserial primary key, at timestamptz, actor text, more json)")
    yield connection
    await connection.close()


async def add(database: asyncpg.Connection[Any], count: int, actor: str = "ada") -> None:
    await database.execute(
        "insert into audit (at, actor) select '2026-01-31 13:00:00.123456+01', $2 from generate_series(1, $1)",
        count,
        actor,
    )


def source(url: str, **given: Any) -> SqlPoll:
    query = "select id, at as timestamp, actor as service, 'row ' || id as message, more from audit;"
    return SqlPoll(SqlPollConfig(**({"url": url, "query": query, "column": "id", "every": "20ms"} | given)))


async def test_rows_become_events(database: asyncpg.Connection[Any], empty_database_url: str) -> None:
    await database.execute("""insert into audit (at, actor, more) values ('2026-01-31 13:00:00.123456+01', 'ada', '{"a":
        {"b": [1, "x\\ny"]}, "big": 9007199254740993}')""")
    async with listening(source(empty_database_url)) as store:
        (event,) = await messages(store, 1)
    event.pop("observed_timestamp")
    assert event == {
        "timestamp": "2026-01-31T12:00:00.123456000Z", "service": "ada", "message": "row 1", "id": 1,
        "more.a.b": [1, "x\ny"], "more.big": 9_007_199_254_740_993,
    }  # fmt: skip
    assert store.positions == {"sql_poll": {"at": "1"}}


@pytest.mark.parametrize("trouble", [0.0, 0.1])
async def test_each_row_once_over_restarts(
    database: asyncpg.Connection[Any], empty_database_url: str, trouble: float
) -> None:
    store, total = MemoryStore(), 0
    outlet = MemoryOutlet(store, trouble=trouble, chance=random.Random(3))
    for _ in range(4):
        async with listening(source(empty_database_url, rows=7), outlet):
            await add(database, 40)
            total += 40
            await messages(store, total)
        await add(database, 3)
        total += 3
    async with listening(source(empty_database_url), outlet):
        await messages(store, total)
    assert store.lines == [f"row {n}" for n in range(1, total + 1)]


@pytest.mark.parametrize(
    ("column", "kind", "values"),
    [
        pytest.param("k", "timestamptz", "'2026-01-31'::timestamptz + n * interval '1 microsecond'", id="timestamptz"),
        pytest.param("k", "timestamp", "'2026-01-31'::timestamp + n * interval '1 microsecond'", id="timestamp"),
        pytest.param("k", "numeric", "n / 7.0", id="numeric"),
        pytest.param("k", "text", "lpad(n::text, 9, '0')", id="text"),
        pytest.param("k", "uuid", "lpad(n::text, 32, '0')::uuid", id="uuid"),
        pytest.param('K"x', "integer", "n", id="odd name"),
    ],
)
async def test_columns_of_many_types(
    database: asyncpg.Connection[Any], empty_database_url: str, column: str, kind: str, values: str
) -> None:
    quoted = '"' + column.replace('"', '""') + '"'
    await database.execute(f"create table t ({quoted} {kind}, message text)")
    await database.execute(f"insert into t select {values}, n::text from generate_series(1, 30) n")
    await database.execute("insert into t (message) values ('without')")
    store = MemoryStore()
    for _ in range(2):
        async with listening(
            made := source(empty_database_url, query="select * from t", column=column, rows=7), MemoryOutlet(store)
        ):
            await messages(store, 30)
            await until(lambda made=made: made.counts["queries"] >= 2)
    assert store.lines == [str(n) for n in range(1, 31)]


async def test_rows_of_one_value_are_taken_together(database: asyncpg.Connection[Any], empty_database_url: str) -> None:
    await add(database, 50)  # all at one time
    async with listening(source(empty_database_url, column="timestamp", rows=7)) as store:
        await messages(store, 50)


async def test_where_to_begin(database: asyncpg.Connection[Any], empty_database_url: str) -> None:
    await add(database, 10)
    async with listening(source(empty_database_url, first="8")) as store:
        await messages(store, 2)
    assert store.lines == ["row 9", "row 10"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({"query": "select 1 from nothing"}, r'relation "nothing" does not exist', id="table"),
        pytest.param({"column": "none"}, r"column q\.none does not exist", id="column"),
        pytest.param({"query": "delete from audit returning id"}, r"syntax error", id="no select"),
        pytest.param({"query": "select nextval('audit_id_seq') as id"}, r"read-only transaction", id="writes"),
        pytest.param({"url": "postgresql://nobody:s3cret@127.0.0.1:1/x"}, r"no connection to the database", id="away"),
    ],
)
async def test_what_the_database_refuses(
    database: asyncpg.Connection[Any], empty_database_url: str, given: dict[str, Any], said: str
) -> None:
    await add(database, 1)
    with pytest.raises(RetryableError, match=said) as caught:
        await source(**{"url": empty_database_url, **given}).run(MemoryOutlet(MemoryStore()))
    assert "s3cret" not in str(caught.value)


def test_no_database() -> None:
    with pytest.raises(ValueError, match="is no address of PostgreSQL"):
        SqlPollConfig(url="mysql://x/y", query="select 1", column="x")


@pytest.fixture(scope="module")
async def contract_url(postgres: EmbeddedPostgres) -> str:
    args = postgres.connect_args
    connection = await asyncpg.connect(**args)
    rows = "select n as id, 'row ' || n as message from generate_series(1, 100) n"
    await connection.execute(f"create table if not exists contract as {rows}")
    await connection.close()
    URL.append(f"postgresql://{args['user']}@/{args['database']}?host={postgres.socket_dir}&port=5432")
    return URL[0]


URL: list[str] = []


async def nothing() -> None:
    return


test_checks = source_contract(
    SqlPoll, lambda _: Scenario({"url": URL[0], "query": "select * from contract", "column": "id"}, nothing, 100)
)
test_contract = pytest.mark.usefixtures("contract_url")(test_checks)
del test_checks
