"""Queries sent to ClickHouse over segments in a bucket, by what a node sends: the golden corpus has the same rows."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import anyio
import pytest
from cordwood.config import EngineAddress
from cordwood.core.query import QueryEngine, QueryRequest
from cordwood.core.query.clickhouse_client import ClickHouse
from cordwood.core.storage.commit import Submission
from cordwood.core.storage.places import Places
from cordwood.core.storage.places.s3 import S3, S3Settings
from cordwood.core.storage.store import Store
from cordwood.plugins import Batch
from cordwood.plugins.base import SharedObject
from cordwood.plugins.errors import QueryError

from ..conftest import free_port
from ..objectstore import KEYS, Bucket, S3Server
from .clickhouse_server import PASSWORD, Server
from .corpus import FOLDER, Case, all_cases
from .segments import NOW, TABLES, Segments, ask
from .test_clickhouse import alike

pytestmark = pytest.mark.anyio
CASES = [case for case in all_cases() if case.sections.keys() & {"rows", "unordered"} and case.file.parent == FOLDER]
SECRETS = (PASSWORD, KEYS["secret_access_key"])


class Shared:
    """A store of which the merged segments are in a bucket."""

    def __init__(self, folder: Path, place: S3) -> None:
        self.store, self.place = Segments(folder), place

    async def upload(self) -> None:
        for segment in self.store.all:
            if segment.level:
                await self.place.put(
                    f"own/{segment.id}-0a.parquet", (self.store.folder / f"{segment.id}.parquet").read_bytes()
                )

    async def __call__(self, ids: Sequence[int]) -> dict[int, SharedObject]:
        found = {one.id: self.place.shared(f"own/{one.id}-0a.parquet") for one in self.store.all if one.level}
        return {id_: there for id_, there in found.items() if there is not None and id_ in ids}


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(free_port(), tmp_path_factory.mktemp("front"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory, s3_server: S3Server) -> Shared:
    """Two thirds of the corpus merged, in the bucket; the rest as it was committed, on this node."""
    bucket = Bucket(f"test-{uuid4().hex[:12]}", s3_server.url)
    bucket.client.create_bucket(Bucket=bucket.name)
    made = Shared(tmp_path_factory.mktemp("shared"), S3(S3Settings.model_validate(bucket.settings(prefix="logs/a"))))
    lines = [json.loads(line) for line in (FOLDER / "events.ndjson").read_text(encoding="utf-8").splitlines()]
    most = len(lines) * 2 // 3
    for i in range(0, most, 3):
        made.store.commit(lines[i : min(i + 3, most)])
    made.store.compact()
    for i in range(most, len(lines), 3):
        made.store.commit(lines[i : i + 3])
    assert {segment.level for segment in made.store.all} == {0, 1}
    await made.upload()
    return made


@pytest.fixture(scope="module")
async def local(shared: Shared) -> AsyncIterator[QueryEngine]:
    made = QueryEngine(shared.store, shared.store, threads=1, template_rows=0, lookups=TABLES)
    yield made
    made.close()


@pytest.fixture(scope="module")
async def engine(shared: Shared, front: Server) -> AsyncIterator[QueryEngine]:
    clickhouse = ClickHouse(EngineAddress.of(front.url), shared.store, shared)
    made = QueryEngine(shared.store, shared.store, threads=1, lookups=TABLES, clickhouse=clickhouse)
    yield made
    made.close()


@pytest.mark.parametrize("case", CASES[::7], ids=[f"{case.file.stem}: {case.name}" for case in CASES[::7]])
async def test_case(case: Case, shared: Shared, engine: QueryEngine, local: QueryEngine) -> None:
    await same_rows(case, shared, engine, local)


@pytest.mark.soak
async def test_the_whole_corpus(shared: Shared, engine: QueryEngine, local: QueryEngine) -> None:
    assert len(CASES) >= 400
    for case in CASES:
        await same_rows(case, shared, engine, local)


async def same_rows(case: Case, shared: Shared, engine: QueryEngine, local: QueryEngine) -> None:
    """The query has the rows that it has here, and a notice where ClickHouse cannot answer it."""
    expected = await ask(shared.store, case.query, local)
    found = await ask(shared.store, case.query, engine)
    notices = [warning for warning in found.warnings if "not by ClickHouse" in warning]
    if "clickhouse" not in case.sections:
        assert notices == []
    elif notices:
        assert notices == [f"answered by this node, not by ClickHouse: {case.sections['clickhouse'].partition(' ')[2]}"]
    rows, wanted = list(found.rows()), list(expected.rows())
    if "unordered" in case.sections:
        rows.sort(key=json.dumps)
        wanted.sort(key=json.dumps)
    assert found.columns == expected.columns
    assert alike(rows, wanted), (case.name, rows, wanted)
    assert found.complete == expected.complete


async def test_a_request_holds_no_key_but_in_its_parameters(shared: Shared, engine: QueryEngine, front: Server) -> None:
    await ask(shared.store, "declined | stats count() by host", engine)
    asked = front.requests[-1]
    assert asked["parameters"]["readonly"] == "2"
    assert 0 < int(asked["parameters"]["max_execution_time"]) <= 31
    assert "along_1" in asked["form"]
    assert all(secret not in json.dumps(asked) for secret in SECRETS)
    plan = await engine.explain(QueryRequest(text="declined | stats count() by host", project_id=1, now_ns=NOW))
    assert "s3(" in plan["clickhouse"]
    assert all(secret not in json.dumps(plan) for secret in SECRETS)


async def test_a_cluster_is_asked_where_one_is_named(shared: Shared, front: Server) -> None:
    address = EngineAddress.of(f"{front.url}?cluster=logs")
    engine = QueryEngine(shared.store, shared.store, threads=1, clickhouse=ClickHouse(address, shared.store, shared))
    answer = await ask(shared.store, "declined", engine)  # this ClickHouse is in no cluster, and says so
    (notice,) = answer.warnings
    assert notice.startswith("answered by this node, not by ClickHouse: it says Code: 701.")
    assert "s3Cluster('logs'" in front.requests[-1]["sql"]
    assert list(answer.rows()) == list((await ask(shared.store, "declined")).rows())
    engine.close()


@pytest.mark.parametrize(
    ("url", "notice"),
    [
        pytest.param("clickhouse://cordwood:hush%21@{front}", "Authentication failed", id="password"),
        pytest.param("clickhouse://cordwood:hush%21@127.0.0.1:1", "cannot be reached: ConnectError", id="away"),
        pytest.param("clickhouse://cordwood:hush%21@{s3}", "no Arrow stream", id="another server"),
    ],
)
async def test_a_clickhouse_that_does_not_answer(
    url: str, notice: str, shared: Shared, front: Server, s3_server: S3Server
) -> None:
    hosts = {"front": front.url.rpartition("@")[2], "s3": s3_server.url.removeprefix("http://")}
    address = EngineAddress.of(url.format(**hosts))
    engine = QueryEngine(shared.store, shared.store, threads=1, clickhouse=ClickHouse(address, shared.store, shared))
    answer = await ask(shared.store, "declined | stats count() as n", engine)
    assert list(answer.rows()) == list((await ask(shared.store, "declined | stats count() as n")).rows())
    (told,) = answer.warnings
    assert told.startswith("answered by this node, not by ClickHouse: ")
    assert notice in told
    assert "hush" not in told
    engine.close()


async def test_an_object_that_is_gone_is_read_here(shared: Shared, engine: QueryEngine) -> None:
    moved = Shared(shared.store.folder, shared.place)
    moved.store.all = shared.store.all
    nowhere = S3(shared.place.config.model_copy(update={"prefix": "nowhere"}))
    client = engine._clickhouse
    assert client is not None
    moved.place = nowhere
    other = QueryEngine(
        shared.store, shared.store, threads=1, clickhouse=ClickHouse(client.address, shared.store, moved)
    )
    answer = await ask(shared.store, "declined | stats count() as n", other)
    assert list(answer.rows()) == list((await ask(shared.store, "declined | stats count() as n")).rows())
    assert "S3_ERROR" in answer.warnings[0] or "Code: 499" in answer.warnings[0]
    assert KEYS["secret_access_key"] not in answer.warnings[0]
    other.close()


@pytest.mark.parametrize("how", ["cancel", "timeout"])
async def test_a_query_that_nobody_waits_for_is_killed_there(
    how: str, shared: Shared, engine: QueryEngine, front: Server
) -> None:
    said: list[str] = []

    async def asking() -> None:
        with pytest.raises(QueryError) as caught:
            await ask(shared.store, "declined", engine, id="held", timeout=1.0 if how == "timeout" else 60.0)
        said.append(caught.value.message)

    def of(kind: str) -> list[dict[str, dict[str, str]]]:
        return [one for one in front.requests[before:] if one["sql"].startswith(kind)]

    before = len(front.requests)
    (front.folder / "hold").touch()
    try:
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(asking)
                while not of("WITH"):
                    await anyio.sleep(0.01)
                if how == "cancel":
                    assert await engine.cancel("held", 1)
            while not of("KILL"):
                await anyio.sleep(0.01)
    finally:
        (front.folder / "hold").unlink()
    assert said == ["the query was cancelled" if how == "cancel" else "the query took longer than 1 s"]
    assert of("KILL")[0]["parameters"]["param_id"] == of("WITH")[0]["parameters"]["query_id"]


async def test_without_a_bucket_nothing_is_asked(shared: Shared, front: Server, tmp_path: Path) -> None:
    store = Segments(tmp_path)
    store.commit([{"message": "declined"}])

    async def none(_: Sequence[int]) -> dict[int, SharedObject]:
        return {}

    before = len(front.requests)
    engine = QueryEngine(store, store, threads=1, clickhouse=ClickHouse(EngineAddress.of(front.url), store, none))
    answer = await ask(store, "declined | fields message", engine)
    assert (list(answer.rows()), answer.warnings, len(front.requests)) == ([["declined"]], (), before)
    engine.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        pytest.param("http://a", "must begin with clickhouse://", id="scheme"),
        pytest.param("clickhouse://", "name a host", id="host"),
        pytest.param("clickhouse://u:hush@a:port", "is no address", id="port"),
        pytest.param("clickhouse://u:hush@a?clustr=x", "unknown option clustr", id="option"),
        pytest.param("clickhouse://u:hush@a?cluster=x'y", "`cluster` that is no name", id="cluster"),
        pytest.param("clickhouse://u:hush@a?secure=1", "neither true nor false", id="secure"),
    ],
)
def test_an_address_that_is_none(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("?", r"\?")) as caught:
        EngineAddress.of(url)
    assert "hush" not in str(caught.value)


def test_addresses() -> None:
    found = EngineAddress.of("clickhouse://ann:a%40b@[::1]/logs?secure=true&cluster=all")
    assert (found.url, found.user, found.password) == ("https://[::1]:8443", "ann", "a@b")
    assert (found.database, found.cluster) == ("logs", "all")
    assert "a@b" not in repr(found)
    assert EngineAddress.of("clickhouse://h").url == "http://h:8123"


async def test_the_catalog_knows_where_objects_are(
    database_url: str, data_dir: Path, bucket: Bucket, front: Server
) -> None:
    place = S3(S3Settings.model_validate(bucket.settings(prefix="logs")))
    async with Store.opened(data_dir, database_url, compact=False, places=Places("s3", {"s3": place})) as store:
        for merged in (True, False):
            batch = Batch.from_records(
                [{"message": f"event {i}", "n": i, "timestamp": "2026-02-01"} for i in range(10)]
            )
            await (await store.writer.submit(Submission(1, "load", batch))).committed()
            if merged:
                while await store.compactor.compact(1, now=datetime(2100, 1, 1, tzinfo=UTC)):
                    pass
        clickhouse = ClickHouse(EngineAddress.of(front.url), store.cache, store.files.shared)
        engine = QueryEngine(store.catalog, store.cache, threads=1, clickhouse=clickhouse)
        before = len(front.requests)
        answer = await engine.run(QueryRequest(text="| stats sum(n) as s, count(n) as c", project_id=1, now_ns=NOW))
        engine.close()
        assert (list(answer.rows()), answer.warnings) == ([[90, 20]], ())
        (key,) = bucket.keys()
        assert f"{bucket.url}/{bucket.name}/{key}" in front.requests[before]["sql"]
        assert "along_1" in front.requests[before]["form"]
