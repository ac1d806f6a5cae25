"""Equal reads that come at once are asked once, and nobody gets an answer that is older than their question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from cordwood.core.query.saved_store import SavedQueries
from cordwood.web.sharing import Sharing

if TYPE_CHECKING:
    from .conftest import Client

pytestmark = pytest.mark.anyio


class Asked:
    """Something to read that changes; each reading waits until it is let go on."""

    def __init__(self) -> None:
        self.sharing = Sharing()
        self.value = 0
        self.readings = 0
        self.turns = anyio.Semaphore(0)
        self.answers: list[tuple[str, int]] = []
        self.fails = False

    async def read(self) -> int:
        self.readings += 1
        seen = self.value
        await self.turns.acquire()
        if self.fails:
            raise LookupError
        return seen

    async def ask(self, who: str, key: str = "k") -> None:
        try:
            self.answers.append((who, await self.sharing.answer(key, self.read)))
        except LookupError:
            self.answers.append((who, -1))


async def test_who_comes_meanwhile_shares_the_next() -> None:
    asked = Asked()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(asked.ask, "first")
        await anyio.wait_all_tasks_blocked()
        asked.value = 1
        for who in ("second", "third", "fourth"):
            tasks.start_soon(asked.ask, who)
            await anyio.wait_all_tasks_blocked()
        asked.value = 2
        tasks.start_soon(asked.ask, "other", "another key")
        await anyio.wait_all_tasks_blocked()
        assert asked.readings == 2
        for _ in range(3):
            asked.turns.release()
    assert sorted(asked.answers) == [("first", 0), ("fourth", 2), ("other", 2), ("second", 2), ("third", 2)]
    assert asked.readings == 3
    assert not asked.sharing._next
    assert not asked.sharing._under_way


async def test_where_the_one_that_asks_goes_away_the_others_ask() -> None:
    asked = Asked()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(asked.ask, "first")
        await anyio.wait_all_tasks_blocked()
        async with anyio.create_task_group() as leaving:
            leaving.start_soon(asked.ask, "gone")
            await anyio.wait_all_tasks_blocked()
            for who in ("second", "third"):
                tasks.start_soon(asked.ask, who)
            await anyio.wait_all_tasks_blocked()
            leaving.cancel_scope.cancel()
        await anyio.wait_all_tasks_blocked()
        for _ in range(3):
            asked.turns.release()
    assert sorted(who for who, _ in asked.answers) == ["first", "second", "third"]
    assert asked.readings == 2


async def test_a_failure_is_told_to_each() -> None:
    asked = Asked()
    asked.fails = True
    async with anyio.create_task_group() as tasks:
        for number in range(4):
            tasks.start_soon(asked.ask, str(number))
        await anyio.wait_all_tasks_blocked()
        for _ in range(4):
            asked.turns.release()
    assert [answer for _, answer in asked.answers] == [-1] * 4


async def test_who_wrote_reads_it_while_others_read(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    page, readings = SavedQueries.page, []

    async def counted(self: SavedQueries, *given: Any, **more: Any) -> Any:
        readings.append(given)
        return await page(self, *given, **more)

    monkeypatch.setattr(SavedQueries, "page", counted)
    over = anyio.Event()
    asked = 0

    async def read() -> None:
        nonlocal asked
        while not over.is_set():
            assert (await client.get("/api/v1/saved-queries")).status_code == 200
            asked += 1

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(read)
            for number in range(20):
                body = {"name": f"q{number:02}", "text": "a"}
                assert (await client.post("/api/v1/saved-queries", json=body)).status_code == 201
                found = (await client.get("/api/v1/saved-queries")).json()["items"]
                assert [item["name"] for item in found] == [f"q{n:02}" for n in range(number + 1)]
            over.set()
    assert len(readings) < asked / 2
