"""Live tails over a real store: however one is served, each event comes once and in its place.

A tail reads by itself or is handed what one statement found for all; it goes from one to the other where it started in
the past, where it reads slowly, and where the statement fails.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from cordwood.core.query import following
from cordwood.core.query.commit_events import CommitEvents, Found
from cordwood.core.query.following import Tail
from cordwood.core.query.request import Rights
from cordwood.core.runtime import Node
from cordwood.core.storage.writer import Submission
from cordwood.plugins import QueryError
from cordwood.plugins.batch import Batch

from .segments import NOW

pytestmark = pytest.mark.anyio
Asked = dict[str, list[int]]


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The commits that each search asked for by itself."""
    asked: Asked = {}
    of = CommitEvents.of

    async def noted(self: CommitEvents, text: str, position: int) -> list[bytes]:
        asked.setdefault(text, []).append(position)
        return await of(self, text, position)

    monkeypatch.setattr(CommitEvents, "of", noted)
    return asked


async def commit(node: Node, *services: str, message: str = "m") -> int:
    """A commit with an event of each of these services; its position."""
    events = [{"timestamp": NOW + n, "service": service, "message": message} for n, service in enumerate(services)]
    batch = Batch.from_records(events, observed=NOW)
    await (await node.store.writer.submit(Submission(node.project_id, "test", batch))).committed()
    return await node.store.catalog.head(node.project_id)


async def taken(tail: Tail, upto: int) -> list[int]:
    """The commits in which something is found, up to this one, in the order in which they come."""
    found: list[int] = []
    with anyio.fail_after(30):
        while tail.position <= upto:
            found += [position for position, _ in await tail.next(1)]
    return found


async def expected(node: Node, tail: Tail, first: int, last: int) -> list[Found]:
    """What each commit of the range has for the tail, asked one by one."""
    events = CommitEvents(node.engine, node.project_id, tail.rights)
    each = [(position, await events.of(tail.text, position)) for position in range(first, last + 1)]
    return [found for found in each if found[1]]


async def test_who_starts_in_the_past_reads_by_itself_until_it_has_come_so_far(node: Node, alone: Asked) -> None:
    first = await commit(node, "a")
    for number in range(20):
        last = await commit(node, "a" if number == 9 else "b")
    async with node.following.tail(node.project_id, "service:a", None, first) as tail:
        assert await taken(tail, last) == [first, first + 10]
        assert alone == {"service:a": list(range(first, last + 1))}
        assert await tail.next(0.001) == []
        assert not tail.reads
        before = list(alone["service:a"])
        more = [await commit(node, "a", "b") for _ in range(3)]
        assert await taken(tail, more[-1]) == more
        assert alone["service:a"] == before
    async with node.following.tail(node.project_id, "service:none", None, first) as tail:
        assert await taken(tail, last) == []
        assert "service:none" not in alone  # what has nothing is passed over
    assert not node.following._logs  # nobody follows any more


async def test_who_reads_slowly_is_handed_what_waits_and_reads_the_rest_by_itself(
    node: Node, alone: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "WAITING_BYTES", 5_000)
    first = await node.store.catalog.head(node.project_id) + 1
    async with AsyncExitStack() as stack:
        slow, quick = [
            await stack.enter_async_context(node.following.tail(node.project_id, text, None, first))
            for text in ("service:a", "service:a message:*")
        ]
        assert (await slow.next(0.001), await quick.next(0.001)) == ([], [])
        for _ in range(10):
            last = await commit(node, "a", "b", message="x" * 2_000)
            assert await taken(quick, last) == [last]  # so each commit is a round of its own
        assert (slow.reads, quick.reads) == (True, False)
        held = [position for position, _ in await slow.next(0)]
        assert held == list(range(first, first + len(held)))
        assert 2 <= len(held) < 10
        assert await taken(slow, last) == list(range(first + len(held), last + 1))
        assert alone == {"service:a": list(range(first + len(held), last + 1))}
        assert await slow.next(0.001) == []
        assert not slow.reads
        assert await taken(slow, await commit(node, "a")) == [last + 1]
        assert len(alone["service:a"]) == 10 - len(held)


async def test_where_the_statement_fails_each_asks_by_itself_and_is_told(node: Node, alone: Asked) -> None:
    """Who asks with other rights is not touched by it."""
    first = await node.store.catalog.head(node.project_id) + 1
    narrow = Rights("narrow", "service:b")
    async with AsyncExitStack() as stack:
        good, wrong, other = [
            await stack.enter_async_context(node.following.tail(node.project_id, text, rights, first))
            for text, rights in (("service:a", None), ("((", None), ("message:m", narrow))
        ]
        assert [await tail.next(0.001) for tail in (good, wrong, other)] == [[], [], []]
        assert [tail.reads for tail in (good, wrong, other)] == [False] * 3
        last = await commit(node, "a", "b")
        assert [await taken(tail, last) for tail in (good, other)] == [[last], [last]]
        with pytest.raises(QueryError):
            await taken(wrong, last)
        assert set(alone) == {"service:a", "(("}
        node.following._logs[node.project_id].tails.discard(wrong)  # as who was told goes away
        assert await good.next(0.001) == []
        assert not good.reads
        before = list(alone["service:a"])
        assert await taken(good, await commit(node, "a")) == [last + 1]
        assert alone["service:a"] == before


async def test_after_a_failure_of_the_catalog_it_goes_on(node: Node) -> None:
    first = await node.store.catalog.head(node.project_id) + 1
    async with node.following.tail(node.project_id, "", None, first) as tail:
        assert await tail.next(0.001) == []
        seen = node.following._engine, node.following._catalog
        last = await commit(node, "a")
        assert await taken(tail, last) == [last]
        await node.store.pool.execute("alter table segment_log rename to segment_log_away")
        try:
            with anyio.fail_after(30):
                while not node.following._failed:
                    node.following._commits.wake()
                    await anyio.sleep(0.01)
        finally:
            await node.store.pool.execute("alter table segment_log_away rename to segment_log")
        assert await taken(tail, await commit(node, "a")) == [last + 1]
        assert seen == (node.following._engine, node.following._catalog)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds, statements and what waits are so small that all ways of a tail are gone often."""
    for name, value in (("ROUND_ROWS", 6), ("MOST_SEARCHES", 2), ("WAITING_BYTES", 400)):
        monkeypatch.setattr(following, name, value)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(3))
async def test_each_tail_gets_what_each_commit_has_for_it_once(node: Node, seed: int) -> None:
    """Whenever it starts, wherever, at whatever pace, and whatever others ask for."""
    chance = random.Random(seed)
    base = await commit(node, "a")
    for _ in range(5):
        await commit(node, *chance.choices("abc", k=3))
    over = anyio.Event()
    gone: list[tuple[Tail, int, list[Found]]] = []

    async def follow(text: str, rights: Rights | None, first: int, wait: Callable[[], float]) -> None:
        await anyio.sleep(wait())
        async with node.following.tail(node.project_id, text, rights, first) as tail:
            found: list[Found] = []
            gone.append((tail, first, found))
            while not over.is_set() or tail.position <= last:
                found += await tail.next(0.1)
                await anyio.sleep(wait())

    async def fail() -> None:
        """Somebody whose search lets the statement of the others fail, again and again."""
        while not over.is_set():
            head = await node.store.catalog.head(node.project_id)
            async with node.following.tail(node.project_id, "((", None, head + 1) as tail:
                try:
                    while not over.is_set():
                        await tail.next(0.1)
                except QueryError:
                    pass

    last = base
    with anyio.fail_after(120):
        async with anyio.create_task_group() as tasks:
            for _ in range(12):
                text = chance.choice(["", "service:a", "service:b -n:1", "service:c message:rare", "service:none"])
                rights = chance.choice([None, None, Rights("narrow", "service:b or service:c")])
                pace = chance.choice([0.0, 0.0, 0.02, 0.1])
                start = base + chance.randrange(0, 7)
                tasks.start_soon(follow, text, rights, start, lambda pace=pace: chance.random() * pace)
            tasks.start_soon(fail)
            for _ in range(40):
                message = "rare" if chance.random() < 0.1 else "x" * chance.choice([1, 200])
                last = await commit(node, *chance.choices("abc", k=chance.randrange(1, 6)), message=message)
                await anyio.sleep(chance.choice([0, 0, 0.05]))
            over.set()
    assert len(gone) == 12
    for tail, first, found in gone:
        assert found == await expected(node, tail, first, last), (tail.text, tail.rights, first)


def test_a_round_ends_before_it_has_too_many_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "ROUND_ROWS", 10)

    def last(*segments: tuple[int, int]) -> int:
        made: Any = [SimpleNamespace(min_position=position, rows=rows) for position, rows in segments]
        return following.last_of_round(made, 2, 9)

    assert last((5, 4), (3, 4), (7, 4)) == 6
    assert last((3, 99)) == 3  # one that is too large alone is a round
    assert last((5, 99)) == 4
    assert last((3, 10)) == 9
