"""Whose query runs next, with real queries that are held while they read their segments."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import count
from pathlib import Path

import anyio
import pytest
from cordwood.core.query import QueryEngine, QueryRequest
from cordwood.core.storage.segment import Segment
from cordwood.plugins import LimitError
from cordwood.plugins.errors import QueryError

from .segments import NOW, Segments

pytestmark = pytest.mark.anyio
TEXT = "| stats sum(n) as s"
UNLIKE = count(1)
"""Limits, so that no two questions are equal: those would be asked once (test_together.py)."""


class Held(Segments):
    """Queries of held projects stand still until they are let go; `began` is by project."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.gates: dict[int, anyio.Event] = {}
        self.began: list[int] = []

    def hold(self, *projects: int) -> None:
        self.gates = {project: anyio.Event() for project in projects}

    def let_go(self) -> None:
        for gate in self.gates.values():
            gate.set()

    async def segments(self, project_id: int, *bounds: int | None) -> list[Segment]:  # type: ignore[override]
        self.began.append(project_id)
        if (gate := self.gates.get(project_id)) is not None:
            await gate.wait()
        return await super().segments(project_id, *bounds)


@pytest.fixture
def store(tmp_path: Path) -> Held:
    made = Held(tmp_path)
    made.commit([{"timestamp": NOW, "n": 7}])
    return made


def engine_of(store: Held, at_once: int, waiting: int = 100) -> QueryEngine:
    return QueryEngine(store, store, threads=1, at_once=at_once, waiting=waiting)


@pytest.fixture
async def two(store: Held) -> AsyncIterator[QueryEngine]:
    made = engine_of(store, 2)
    yield made
    made.close()


@pytest.fixture
async def one(store: Held) -> AsyncIterator[QueryEngine]:
    made = engine_of(store, 1, waiting=3)
    yield made
    made.close()


async def asked(engine: QueryEngine, who: int, id_: str | None = None, timeout: float = 30.0) -> None:
    request = QueryRequest(
        text=TEXT, project_id=who, now_ns=NOW, id=id_, principal=f"user {who}", timeout=timeout, limit=next(UNLIKE)
    )
    assert list((await engine.run(request)).rows()) == [[7]]


async def until(store: Held, began: Sequence[int]) -> None:
    with anyio.fail_after(20):
        while store.began != list(began):
            await anyio.sleep(0.005)


async def test_one_with_many_leaves_a_place_to_others(store: Held, two: QueryEngine) -> None:
    store.hold(1)
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(asked, two, 1)
        await until(store, [1])
        with anyio.fail_after(20):
            await asked(two, 2)
        assert store.began == [1, 2]
        store.let_go()
    assert store.began == [1, 2, 1, 1, 1, 1]


async def test_those_who_wait_go_round(store: Held, one: QueryEngine) -> None:
    store.hold(9)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(asked, one, 9)
        await until(store, [9])
        for who in (1, 1, 1, 2, 2, 3):
            tasks.start_soon(asked, one, who)
            await anyio.wait_all_tasks_blocked()
        store.let_go()
    assert store.began == [9, 1, 2, 3, 1, 2, 1]


async def test_the_node_itself_has_every_second_turn(store: Held, one: QueryEngine) -> None:
    store.hold(9)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(asked, one, 9)
        await until(store, [9])
        for who in (1, 2, 3, 4):
            tasks.start_soon(asked, one, who)
            await anyio.wait_all_tasks_blocked()
        for _ in range(3):
            tasks.start_soon(one.run, QueryRequest(text=TEXT, project_id=7, now_ns=NOW, limit=next(UNLIKE)))
            await anyio.wait_all_tasks_blocked()
        store.let_go()
    assert store.began == [9, 7, 1, 7, 2, 7, 3, 4]


async def test_too_many_of_one_are_refused_and_nobody_else(store: Held, one: QueryEngine) -> None:
    store.hold(1)
    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(asked, one, 1)
            await anyio.wait_all_tasks_blocked()
        with pytest.raises(LimitError) as caught:
            await asked(one, 1)
        assert (caught.value.limit, caught.value.value) == ("waiting_queries", 3)
        assert caught.value.after >= 1
        for _ in range(3):
            tasks.start_soon(asked, one, 2)
        for _ in range(9):  # the node's own
            tasks.start_soon(one.run, QueryRequest(text=TEXT, project_id=3, now_ns=NOW, limit=next(UNLIKE)))
        await anyio.wait_all_tasks_blocked()
        store.let_go()
    assert sorted(store.began) == [1] * 4 + [2] * 3 + [3] * 9
    await asked(one, 1)


async def test_who_waits_can_be_cancelled_or_runs_out_of_time(store: Held, one: QueryEngine) -> None:
    store.hold(1)
    said: list[str] = []

    async def refused(timeout: float) -> None:
        with pytest.raises(QueryError) as caught:
            await asked(one, 2, "mine", timeout)
        said.append(caught.value.message)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(asked, one, 1)
        await until(store, [1])
        async with anyio.create_task_group() as others:
            others.start_soon(refused, 30.0)
            await anyio.wait_all_tasks_blocked()
            assert await one.cancel("mine", 2)
        await refused(0.05)
        async with anyio.create_task_group() as others:
            others.start_soon(asked, one, 2)
            await anyio.wait_all_tasks_blocked()
            others.cancel_scope.cancel()
        store.let_go()
    assert said == ["the query was cancelled", "the query waited 0.05 s for its turn: others were running"]
    assert store.began == [1]
    await asked(one, 2)
