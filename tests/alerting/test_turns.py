"""Whoever must be done first has the next turn, and no turn is lost."""

from __future__ import annotations

import anyio
import pytest
from anyio.lowlevel import checkpoint
from cordwood.core.alerting.turns import Turns

pytestmark = pytest.mark.anyio


async def test_whoever_is_due_first_goes_first() -> None:
    turns, went = Turns(1), list[str]()

    async def wait(name: str, within: float) -> None:
        async with turns.turn(within):
            went.append(name)
            await checkpoint()

    async with anyio.create_task_group() as tasks, turns.turn(1):
        for name, within in (("minute", 60.0), ("second", 1.0), ("other second", 1.0), ("ten", 10.0)):
            tasks.start_soon(wait, name, within)
            await anyio.wait_all_tasks_blocked()
    assert went == ["second", "other second", "ten", "minute"]


async def test_so_many_at_once() -> None:
    turns, now, most = Turns(2), 0, 0

    async def wait() -> None:
        nonlocal now, most
        async with turns.turn(1):
            now += 1
            most = max(most, now)
            await checkpoint()
            now -= 1

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(wait)
    assert most == 2


@pytest.mark.parametrize("is_called", [False, True], ids=["while it waits", "as it is called"])
async def test_who_is_cancelled_takes_no_turn_along(is_called: bool) -> None:
    turns = Turns(1)
    scope = anyio.CancelScope()

    async def wait() -> None:
        with scope:
            async with turns.turn(1):
                await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        async with turns.turn(1):
            tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            if not is_called:
                scope.cancel()
                await anyio.wait_all_tasks_blocked()
        if is_called:
            scope.cancel()
        await anyio.wait_all_tasks_blocked()
    with anyio.fail_after(10):
        async with turns.turn(1):
            pass
