"""Small things worked on as one: each gets its own answer, whoever fails or goes away."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest
from cordwood.plugins import RetryableError, Together

pytestmark = pytest.mark.anyio


async def test_what_comes_meanwhile_is_the_next_lot_and_kinds_do_not_mix() -> None:
    lots: list[tuple[str, list[int]]] = []

    async def work(kind: str, items: Sequence[int]) -> list[int]:
        lots.append((kind, list(items)))
        await anyio.sleep(0.02)
        return [-item for item in items]

    together: Together[str, int, int] = Together(work, most=10)
    answers: dict[int, int] = {}

    async def one(kind: str, item: int, size: int) -> None:
        answers[item] = await together.do(kind, item, size)

    async with anyio.create_task_group() as tasks:
        for item in range(8):
            tasks.start_soon(one, "a", item, 4 if item == 7 else 1)
        tasks.start_soon(one, "b", 8, 1000)
    assert answers == {item: -item for item in range(9)}
    assert lots == [("a", [0]), ("b", [8]), ("a", [1, 2, 3, 4, 5, 6, 7])]


async def test_a_failure_is_everybodys_and_the_next_lot_is_not_touched() -> None:
    async def work(kind: str, items: Sequence[int]) -> list[int]:
        await anyio.sleep(0.01)
        if 1 in items:
            raise ValueError("no")
        return list(items)

    together: Together[str, int, int] = Together(work)
    failed: list[int] = []

    async def one(item: int) -> None:
        try:
            assert await together.do("a", item, 1) == item
        except ValueError:
            failed.append(item)

    async with anyio.create_task_group() as tasks:
        for item in range(4):
            tasks.start_soon(one, item)
    assert sorted(failed) == [1, 2, 3]
    assert await together.do("a", 5, 1) == 5


async def test_who_leads_may_be_cancelled_and_so_may_who_waits() -> None:
    begun: list[list[int]] = []
    go_on = anyio.Event()

    async def work(kind: str, items: Sequence[int]) -> list[int]:
        begun.append(list(items))
        await go_on.wait()
        return list(items)

    together: Together[str, int, int] = Together(work)
    outcomes: dict[int, object] = {}
    scopes = {item: anyio.CancelScope() for item in range(4)}

    async def one(item: int) -> None:
        outcomes[item] = "cancelled"
        with scopes[item]:
            try:
                outcomes[item] = await together.do("a", item, 1)
            except RetryableError:
                outcomes[item] = "told to come again"

    async def until(lots: list[list[int]]) -> None:
        with anyio.fail_after(10):
            while begun != lots:
                await anyio.sleep(0.001)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one, 0)  # leads, and goes away
        await until([[0]])
        tasks.start_soon(one, 1)  # leads the second lot, and takes 2 with it
        tasks.start_soon(one, 2)
        await anyio.wait_all_tasks_blocked()
        scopes[0].cancel()
        await until([[0], [1, 2]])
        tasks.start_soon(one, 3)
        await anyio.wait_all_tasks_blocked()
        scopes[1].cancel()
        await until([[0], [1, 2], [3]])
        go_on.set()
    assert outcomes == {0: "cancelled", 1: "cancelled", 2: "told to come again", 3: 3}
    assert await together.do("a", 9, 1) == 9
