"""Events of several batches: what is held is committed with what came, and no line is lost or stored twice."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from cordwood.config import Settings, load_text
from cordwood.core.query import QueryRequest
from cordwood.core.runtime import Node
from cordwood.core.runtime.gathering import Gathering, LeftOver
from cordwood.core.runtime.outlet import StoreOutlet
from cordwood.plugins import Batch, CheckpointConflictError, LimitError, Part, RetryableError, load_plugins
from cordwood.plugins.base import Checkpoint

pytestmark = pytest.mark.anyio
REGISTRY = load_plugins()
CONFIG = """
version: 1
sources: {app: {type: http}, other: {type: file, include: [/no/such/*.log]}}
pipelines:
  main:
    from: [app]
    parse:
      - {type: multiline, continues: '^ ', timeout: TIMEOUT}
      - {type: set, fields: {step: 2}}
"""
Start = Callable[..., AbstractAsyncContextManager[Node]]


@pytest.fixture
def start(database_url: str, data_dir: Path) -> Start:
    """Starts a node; with another `folder` it is another one of the same store."""

    @asynccontextmanager
    async def started(timeout: str = "5m", folder: str = "a", text: str = CONFIG) -> AsyncIterator[Node]:
        (data_dir / folder).mkdir(exist_ok=True)
        config = load_text(text.replace("TIMEOUT", timeout), REGISTRY)
        node = Node(Settings(data_dir=data_dir / folder, database_url=database_url, role="ingest"), config, REGISTRY)
        async with node.running():
            yield node

    return started


def outlet(node: Node) -> StoreOutlet:
    return node.sources["app"].outlet


async def send(node: Node, *lines: str, **more: Any) -> Any:
    return await (await outlet(node).send(Batch.from_lines(lines), **more)).committed()


async def found(node: Node, text: str = "", project_id: int = 0) -> list[dict[str, Any]]:
    request = QueryRequest(
        text=text or "| sort message", project_id=project_id or node.project_id, now_ns=time.time_ns(), limit=100_000
    )
    return list((await node.engine.run(request)).objects())


async def stored(node: Node) -> list[str]:
    return [event["message"] for event in await found(node)]


async def wait_for(node: Node, wanted: list[str]) -> None:
    with anyio.fail_after(20):
        while await stored(node) != wanted:
            await anyio.sleep(0.05)


async def test_lines_of_several_batches_are_one_event(start: Start) -> None:
    async with start() as node:
        assert (await send(node, "a", " 1")).accepted == 2
        assert await stored(node) == []
        assert (await send(node, " 2")).accepted == 1
        assert (await send(node, "b")).accepted == 1
        (event,) = await found(node)
        assert (event["message"], event["step"], event["source"]) == ("a\n 1\n 2", 2, "app")


async def test_what_waited_long_enough_is_stored(start: Start) -> None:
    async with start("300ms") as node:
        await send(node, "a", " 1")
        await wait_for(node, ["a\n 1"])
        await send(node, " late")
        await wait_for(node, [" late", "a\n 1"])


async def test_a_node_goes_on_with_what_it_held(start: Start) -> None:
    async with start() as node:
        await send(node, "a", " 1")
    async with start() as node:
        await send(node, " 2", "b")
        assert await stored(node) == ["a\n 1\n 2"]
    async with start("300ms") as node:
        await wait_for(node, ["a\n 1\n 2", "b"])


async def test_what_is_refused_comes_again(start: Start) -> None:
    """Of batches under way, one is refused by PostgreSQL, and so are those behind it; sent again, all is there once."""
    async with start() as node:
        await send(node, "a", " 1")
        await node.store.pool.execute("alter table checkpoint add constraint no check (key <> 'stop')")
        sent = [(" 2", None), (" 3", Checkpoint("stop", 1)), (" 4", None), ("b", None)]
        receipts = [await outlet(node).send(Batch.from_lines([line]), checkpoint=mark) for line, mark in sent]
        failed = []
        for (line, _), receipt in zip(sent, receipts, strict=True):
            try:
                await receipt.committed()
            except RetryableError:
                failed.append(line)
        assert failed[-3:] == [" 3", " 4", "b"]
        for line in failed:
            await send(node, line)
        assert await stored(node) == ["a\n 1\n 2\n 3\n 4"]


async def test_a_request_that_was_stored_before_is_not_put_on_again(start: Start) -> None:
    async with start() as node:
        assert not (await send(node, "a", " 1", key="k1")).duplicate
        assert (await send(node, "a", " 1", key="k1")).duplicate
        await send(node, " 2", key="k2")
        await send(node, "b")
        assert await stored(node) == ["a\n 1\n 2"]


async def test_requests_that_are_joined_follow_each_other(start: Start) -> None:
    async with start() as node:
        parts = [Part(2, "k1"), Part(1), Part(1), Part(2, "k2")]
        batch = Batch.from_lines(["a", " 1", " 2", " 3", " 4", "b"])
        receipts = await outlet(node).send_parts(batch, parts)
        assert [(await receipt.committed()).accepted for receipt in receipts] == [2, 1, 1, 2]
        assert await stored(node) == ["a\n 1\n 2\n 3\n 4"]


async def test_two_that_believe_the_same_are_told(start: Start) -> None:
    """What another process has moved meanwhile, under the same name, is seen by the commit."""
    async with start() as node:
        await send(node, "a")
        mine = outlet(node)
        twin = StoreOutlet("app", mine.pipeline, node.store, mine.admission, node.door)
        assert mine.gathering is not None
        twin.gathering = Gathering(mine.gathering.node)
        assert (await (await twin.send(Batch.from_lines([" 1"]))).committed()).accepted == 1
        with pytest.raises(CheckpointConflictError):
            await send(node, " 2")
        await send(node, " 2", "b")
        assert await stored(node) == ["a\n 1\n 2"]


async def test_another_node_stores_what_one_that_is_gone_held(start: Start) -> None:
    async with start(folder="gone") as node:
        await send(node, "a", " 1")
    async with start(folder="here") as node, start(folder="too") as other:
        await send(node, "b", " own")
        lookers = [one.left_over() for one in (node, other)]
        assert [await one.look() for one in lookers] == [0, 0]  # it was there a moment ago
        for one in lookers:
            one.seconds = -300.0  # beyond the step's timeout, which is five minutes
        assert await lookers[0].look() == 1
        assert await stored(node) == ["a\n 1"]
        await send(node, " still")
        # The other one takes what this one holds for left over too: then this one is told.
        assert await lookers[1].look() == 1
        with pytest.raises(CheckpointConflictError):
            await send(node, " lost?")
        await send(node, " lost?")
        await send(node, "c")
        assert await stored(node) == [" lost?", "a\n 1", "b\n own\n still"]


async def test_what_a_source_held_that_is_gone_is_stored(start: Start) -> None:
    async with start() as node:
        await send(node, "a", " 1")
    text = "version: 1\nsources: {other: {type: file, include: [/no/such/*.log]}}\n"
    async with start(text=text) as node:
        look = node.left_over()
        look.seconds = -1.0
        assert await look.look() == 1
        assert await look.look() == 0
        assert await stored(node) == ["a\n 1"]
        assert [event["source"] for event in await found(node)] == ["app"]


async def test_a_step_that_is_gone_leaves_nothing_behind(start: Start) -> None:
    async with start() as node:
        await send(node, "a", " 1")
    async with start(text=CONFIG.replace("- {type: multiline, continues: '^ ', timeout: TIMEOUT}\n", "")) as node:
        look = LeftOver(node.store, REGISTRY, lambda: node.sources)
        look.seconds = -1.0
        assert await look.look() == 1
        assert await stored(node) == ["a\n 1"]


async def test_projects_do_not_mix(start: Start) -> None:
    async with start("3s") as node:
        number = await node.store.pool.fetchval("insert into project (name) values ('shop') returning id")
        await node.store.pool.execute("insert into segment_log (project_id) values ($1) on conflict do nothing", number)
        theirs = outlet(node).of(node.admission_of(number, "shop"))
        await send(node, "mine")
        await (await theirs.send(Batch.from_lines(["theirs"]))).committed()
        await (await theirs.send(Batch.from_lines([" goes on"]))).committed()
        await wait_for(node, ["mine"])
        with anyio.fail_after(20):
            while not (events := await found(node, project_id=number)):
                await anyio.sleep(0.05)
        assert [event["message"] for event in events] == ["theirs\n goes on"]


async def test_a_limit_leaves_what_is_held_alone(start: Start) -> None:
    async with start() as node:
        await send(node, "a")
        mine = outlet(node)
        refusing = mine.admission.limits.model_copy(update={"events_per_second": 1})
        free, mine.admission.limits = mine.admission.limits, refusing
        await send(node, *[f" {n}" for n in range(50)])
        with pytest.raises(LimitError):
            await send(node, " refused")
        mine.admission.limits = free
        await send(node, " end", "b")
        assert await stored(node) == ["\n".join(["a", *(f" {n}" for n in range(50)), " end"])]


async def test_every_line_once_whatever_is_refused(start: Start) -> None:
    """Batches cut at random, commits refused at random, nodes started anew: the lines come as a sender that tries again
    sends them, several batches under way, and each line is stored once, each event whole."""
    chance = random.Random(7)
    lines = [f"{n // 4:05} event" if n % 4 == 0 else f" {n} more" for n in range(1200)]
    batches: list[list[str]] = []
    at = 0
    while at < len(lines):
        size = chance.randint(1, 25)
        batches.append(lines[at : at + size])
        at += size
    position = None
    async with start() as node:
        await node.store.pool.execute("alter table checkpoint add constraint no check (value <> '-1')")
    number = 0
    while number < len(batches):
        async with start() as node:
            for _ in range(12):
                receipts = []
                believed = position
                for offset, some in enumerate(batches[number : number + 4]):
                    value = -1 if chance.random() < 0.1 else number + offset + 1
                    mark = Checkpoint("read", value, believed)
                    believed = value
                    receipts.append(await outlet(node).send(Batch.from_lines(some), checkpoint=mark))
                for receipt in receipts:
                    try:
                        await receipt.committed()
                    except RetryableError:
                        continue
                position = await node.store.checkpoint("app", "read")
                number = position or 0
    async with start("300ms") as node:
        whole = ["\n".join(lines[n : n + 4]) for n in range(0, len(lines), 4)]
        await wait_for(node, sorted(whole))
