"""Equal questions that wait for a turn are one, and nobody's answer is older or of more than is theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from cordwood.core.query import QueryEngine, QueryRequest, together
from cordwood.core.query.duck import Running
from cordwood.core.query.request import Rights
from cordwood.plugins.errors import QueryError

from .segments import NOW
from .test_turns import Held, engine_of, store

pytestmark = pytest.mark.anyio
SECOND = 1_000_000_000
TEXT = "| stats count() as c, sum(n) as s"
__all__ = ["store"]


@pytest.fixture
async def engine(store: Held) -> AsyncIterator[QueryEngine]:
    made = engine_of(store, 1)
    yield made
    made.close()


class Answers:
    """What was asked, and what came."""

    def __init__(self, engine: QueryEngine) -> None:
        self.engine = engine
        self.rows: list[list[Any]] = []
        self.refused: list[str] = []
        self.ids: list[str] = []

    async def ask(self, text: str = TEXT, **more: Any) -> None:
        request = QueryRequest(**{"text": text, "project_id": 1, "now_ns": NOW, "principal": "ann", **more})
        try:
            result = await self.engine.run(request)
        except QueryError as why:
            self.refused.append(why.message)
        else:
            self.rows.append(list(result.rows()))
            self.ids.append(result.id)


@asynccontextmanager
async def busy(engine: QueryEngine) -> AsyncIterator[None]:
    """The only turn is taken meanwhile."""
    with anyio.fail_after(30):
        async with engine._turns.turn("another", Running()):
            yield


async def test_equal_questions_that_wait_are_asked_once(store: Held, engine: QueryEngine) -> None:
    answers = Answers(engine)
    async with anyio.create_task_group() as tasks, busy(engine):
        for number in range(20):
            tasks.start_soon(lambda n=number: answers.ask(id=f"q{n}", principal=f"viewer {n}", timeout=20 + n))
        await anyio.wait_all_tasks_blocked()
    assert answers.rows == [[[1, 7]]] * 20
    assert sorted(answers.ids) == sorted(f"q{n}" for n in range(20))
    assert store.began == [1]


async def test_what_is_committed_while_they_wait_is_in_the_answer(store: Held, engine: QueryEngine) -> None:
    """Also where the range ends at the time of who came last."""
    answers = Answers(engine)
    text = "| where timestamp<now() | stats count() as c"
    async with anyio.create_task_group() as tasks, busy(engine):
        tasks.start_soon(answers.ask, text)
        await anyio.wait_all_tasks_blocked()
        store.commit([{"timestamp": NOW + 5, "n": 1}])
        tasks.start_soon(lambda: answers.ask(text, now_ns=NOW + 10))
        await anyio.wait_all_tasks_blocked()
    assert answers.rows == [[[2]]] * 2


@pytest.mark.parametrize(
    "other",
    [
        {"project_id": 2}, {"rights": Rights("support", "n:7")}, {"text": f"{TEXT} "}, {"from_ns": 1}, {"to_ns": 1},
        {"limit": 1}, {"timezone": "Europe/Berlin"}, {"is_admin": True}, {"upto_position": 1}, {"after_position": 0},
    ],
    ids=lambda other: next(iter(other)),
)  # fmt: skip
async def test_others_are_asked_by_themselves(store: Held, engine: QueryEngine, other: dict[str, Any]) -> None:
    answers = Answers(engine)
    async with anyio.create_task_group() as tasks, busy(engine):
        tasks.start_soon(answers.ask)
        tasks.start_soon(lambda: answers.ask(**other))
        await anyio.wait_all_tasks_blocked()
    assert len(answers.rows) == 2
    assert len(store.began) == 2


async def test_an_answer_of_an_age_that_is_taken_is_shared_and_no_other(store: Held, engine: QueryEngine) -> None:
    answers = Answers(engine)
    shifted = {"from_ns": NOW - 60 * SECOND, "to_ns": NOW + 60 * SECOND}
    for more in (
        {"max_age": 60},
        {"max_age": 60},  # nobody else asks anew before half the age
        {"max_age": 60, "principal": "bob", "id": "bob's"},
        {"max_age": 60, **shifted},
        {"max_age": 60, "from_ns": NOW - 50 * SECOND, "to_ns": NOW + 70 * SECOND},  # the same range, a moment later
        {"max_age": 60, "from_ns": NOW - 50 * SECOND, "to_ns": NOW + 71 * SECOND},
        {"max_age": 60, "from_ns": NOW + 40 * SECOND, "to_ns": NOW + 160 * SECOND},  # too much later
        {},
        {},
        {"max_age": 60, "rights": Rights("support", "n:7")},
        {"max_age": 60, "project_id": 2},
    ):
        await answers.ask(**more)
    assert answers.refused == []
    assert len(answers.rows) == 11
    assert answers.ids[2] == "bob's"
    assert len(store.began) == 8


async def test_one_asks_anew_at_half_the_age_and_the_others_take_the_old_answer_meanwhile(
    store: Held, engine: QueryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, clock = Answers(engine), 1000.0
    monkeypatch.setattr(together, "time", SimpleNamespace(monotonic=lambda: clock))
    await answers.ask(max_age=60)
    store.commit([{"timestamp": NOW, "n": 1}])
    clock += 31
    async with anyio.create_task_group() as tasks:
        async with busy(engine):
            tasks.start_soon(lambda: answers.ask(max_age=60))
            await anyio.wait_all_tasks_blocked()
            for _ in range(3):
                await answers.ask(max_age=60)
        await anyio.wait_all_tasks_blocked()
    await answers.ask(max_age=60)
    assert answers.rows == [[[1, 7]]] * 4 + [[[2, 8]]] * 2
    clock += 61
    store.commit([{"timestamp": NOW, "n": 1}])
    await answers.ask(max_age=60)
    assert answers.rows[-1] == [[3, 9]]


async def test_answers_of_deleted_events_are_forgotten_and_a_mistake_is_not_kept(engine: QueryEngine) -> None:
    answers = Answers(engine)
    await answers.ask(max_age=60)
    assert engine._together._asked
    await engine.forget()
    assert not engine._together._asked
    await answers.ask("| lookup nothing on n", max_age=60)
    assert len(answers.refused) == 1
    assert not engine._together._asked


async def test_kept_answers_have_a_bound(store: Held, engine: QueryEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_together", together.Together(most_bytes=20))
    answers = Answers(engine)
    for n in range(5):
        await answers.ask(f"| stats sum(n) as s{n}", max_age=60)
    kept = [asked.last for asked in engine._together._asked.values() if asked.last]
    assert 1 <= len(kept) <= 2
    assert sum(one.bytes for one in kept) <= 20


async def test_where_the_one_that_asks_goes_away_the_next_asks(store: Held, engine: QueryEngine) -> None:
    answers = Answers(engine)
    async with anyio.create_task_group() as tasks, busy(engine):
        async with anyio.create_task_group() as leaving:
            leaving.start_soon(answers.ask)
            await anyio.wait_all_tasks_blocked()
            for _ in range(3):
                tasks.start_soon(answers.ask)
            await anyio.wait_all_tasks_blocked()
            leaving.cancel_scope.cancel()
        await anyio.wait_all_tasks_blocked()
    assert answers.rows == [[[1, 7]]] * 3
    assert store.began == [1]


async def test_who_waits_for_another_can_be_cancelled_or_runs_out_of_time(store: Held, engine: QueryEngine) -> None:
    answers = Answers(engine)
    async with anyio.create_task_group() as tasks, busy(engine):
        tasks.start_soon(answers.ask)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(lambda: answers.ask(id="mine"))
        await anyio.wait_all_tasks_blocked()
        assert await engine.cancel("mine", 1)
        await answers.ask(timeout=0.05)
        await anyio.wait_all_tasks_blocked()
    assert answers.rows == [[[1, 7]]]
    assert answers.refused == [
        "the query was cancelled",
        "the query waited 0.05 s for its turn: others were running",
    ]


async def test_a_mistake_is_told_to_each(engine: QueryEngine) -> None:
    answers = Answers(engine)
    async with anyio.create_task_group() as tasks, busy(engine):
        for _ in range(3):
            tasks.start_soon(answers.ask, "| lookup nothing on n")
        await anyio.wait_all_tasks_blocked()
    assert answers.rows == []
    assert len(set(answers.refused)) == 1
    assert len(answers.refused) == 3
