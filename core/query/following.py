"""Live tails: what is committed is searched once for all that follow it.

One task reads the heads of the projects that somebody follows. Of new commits one statement asks, for all searches with
the same rights, which events each of them finds, so that a tail more costs a column and not a query. A tail that starts
in the past, reads slowly, or whose search cannot be asked with the others reads by itself until it has come so far.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol

import anyio

from ...plugins import CordwoodError
from ..storage.commits import Commits, Subscription
from ..storage.database import DATABASE_ERRORS
from ..storage.segment import Segment
from .commit_events import CommitEvents, Engine, Found
from .request import Rights

ROUND_ROWS: Final = 50_000  # events looked through at once, where a commit has not more
MOST_SEARCHES: Final = 64  # of a statement
WAITING_BYTES: Final = 8 << 20  # that wait for a tail's reader; with more it reads by itself, commit by commit
SHARE: Final = 4  # a round is followed by a pause of so many times its length: a fifth of the time at most
LONGEST_PAUSE: Final = 0.25  # seconds
POLL_SECONDS: Final = 1.0  # a wake-up that got lost delays the tails by this much
_FAILURES: Final[tuple[type[Exception], ...]] = (CordwoodError, *DATABASE_ERRORS)
_log = logging.getLogger(__name__)


class Catalog(Protocol):
    """What is needed of the catalog."""

    async def head(self, project_id: int) -> int: ...
    async def heads(self, project_ids: Sequence[int]) -> Mapping[int, int]: ...
    async def segments(
        self, project_id: int, *, after_position: int | None = None, upto_position: int | None = None
    ) -> list[Segment]: ...


class Log:
    """A project's log as its tails see it: all commits up to `done` were looked through, those up to `looking` are."""

    def __init__(self, done: int) -> None:
        self.done = self.looking = done
        self.tails: set[Tail] = set()
        self.users = 0
        self._moved = anyio.Event()

    async def passed(self, position: int, seconds: float) -> int:
        """Wait until more is done than up to this position, or for so many seconds; how far that is."""
        with anyio.move_on_after(seconds):
            if self.done <= position:
                await self._moved.wait()
        return self.done

    def move(self, done: int) -> None:
        """More is done."""
        self.done = self.looking = done
        self.wake()

    def wake(self) -> None:
        """Let all go on that wait."""
        self._moved.set()
        self._moved = anyio.Event()


class Tail:
    """Somebody who follows a search from the commit `position` on."""

    def __init__(self, log: Log, events: CommitEvents, text: str, rights: Rights | None, position: int) -> None:
        self.text, self.rights, self.position = text, rights, position
        self.reads = True
        """It reads by itself."""
        self._log, self._events = log, events
        self._waiting: deque[Found] = deque()
        self._bytes = 0
        self._given = position - 1  # all that was found up to this commit waits here, or has been taken
        self._some = 0  # something is found in a commit behind `position` and up to this one
        self._woken = anyio.Event()

    async def next(self, seconds: float) -> list[Found]:
        """What is found in the commits that come next; nothing where that takes longer than so many seconds.

        :raises QueryError: the search cannot be answered
        """
        if not self._waiting:
            if self.reads and self.position > self._log.looking:
                self.reads, self._given = False, self.position - 1
            if self.reads:
                return await self._read(seconds)
            with anyio.move_on_after(seconds):
                await self._woken.wait()
        self._woken = anyio.Event()
        found, self._bytes = list(self._waiting), 0
        self._waiting.clear()
        self.position = max(self.position, self._given + 1)
        return found

    async def _read(self, seconds: float) -> list[Found]:
        """The next commit, or that there is nothing in all that others have looked through."""
        first, last = self.position, self._log.done
        if first > last:
            await self._log.passed(last, seconds)
            return []
        if first == last or first <= self._some or await self._events.anything(self.text, first, last):
            self._some = last if first > self._some else self._some
            found = await self._events.of(self.text, first)
            self.position = first + 1
            return [(first, found)] if found else []
        self.position = last + 1
        return []

    def give(self, found: Iterable[Found], upto: int) -> None:
        """Hand over what was found in the commits up to this one; what its reader cannot take it reads by itself."""
        for position, events in found:
            if position < self.position:
                continue
            if self._bytes > WAITING_BYTES:
                self.leave()
                return
            self._waiting.append((position, events))
            self._bytes += sum(map(len, events))
            self._given = position
            self.wake()
        self._given = max(self._given, upto)

    def leave(self) -> None:
        """Have it read by itself what it was not given."""
        self.reads = True
        self.wake()

    def wake(self) -> None:
        """Let it go on."""
        self._woken.set()


class Following:
    """The tails of a node; `run` until cancelled."""

    def __init__(self, engine: Engine, catalog: Catalog, commits: Commits) -> None:
        self._engine, self._catalog, self._commits = engine, catalog, commits
        self._logs: dict[int, Log] = {}
        self._news: Subscription | None = None
        self._failed = False

    @asynccontextmanager
    async def log(self, project_id: int) -> AsyncIterator[Log]:
        """A project's log, kept up to date meanwhile."""
        if project_id not in self._logs:
            head = await self._catalog.head(project_id)
            self._logs.setdefault(project_id, Log(head))
        log = self._logs[project_id]
        log.users += 1
        if self._news is not None:
            self._news.wake()  # for what was committed since the head was read
        try:
            yield log
        finally:
            log.users -= 1
            if not log.users:
                del self._logs[project_id]

    @asynccontextmanager
    async def tail(self, project_id: int, text: str, rights: Rights | None, position: int) -> AsyncIterator[Tail]:
        """Follow a search, which is the query language without stages and saved queries, from a commit on."""
        async with self.log(project_id) as log:
            tail = Tail(log, CommitEvents(self._engine, project_id, rights), text, rights, position)
            log.tails.add(tail)
            try:
                yield tail
            finally:
                log.tails.discard(tail)

    def wake(self) -> None:
        """Let all go on that wait: they may have to end."""
        for log in self._logs.values():
            log.wake()
            for tail in log.tails:
                tail.wake()

    async def run(self) -> None:
        """Look after every commit."""
        with self._commits.subscribe() as self._news:
            while True:
                began = anyio.current_time()
                try:
                    await self._round()
                    self._failed = False
                except DATABASE_ERRORS as why:
                    if not self._failed:
                        _log.warning("live tails: cannot read the catalog (%s); trying again", type(why).__name__)
                    self._failed = True
                await anyio.sleep(min(LONGEST_PAUSE, SHARE * (anyio.current_time() - began)))
                await self._news.wait(POLL_SECONDS if self._logs else None)

    async def _round(self) -> None:
        for project_id, head in (await self._catalog.heads(list(self._logs))).items() if self._logs else ():
            log = self._logs.get(project_id)
            while log is not None and log.users and log.done < head:
                await self._look(project_id, log, head)

    async def _look(self, project_id: int, log: Log, head: int) -> None:
        """Look through the next commits for the tails that have come so far."""
        if all(tail.reads for tail in log.tails):
            log.move(head)
            return
        segments = await self._catalog.segments(project_id, after_position=log.done, upto_position=head)
        upto = log.looking = last_of_round(segments, log.done, head)
        each: dict[Rights | None, dict[str, list[Tail]]] = {}
        for tail in log.tails:
            if not tail.reads and tail.position <= upto:
                each.setdefault(tail.rights, {}).setdefault(tail.text, []).append(tail)
        for rights, tails in each.items():
            events, texts = CommitEvents(self._engine, project_id, rights), list(tails)
            for start in range(0, len(texts), MOST_SEARCHES):
                part = texts[start : start + MOST_SEARCHES]
                try:
                    found = await events.of_all(part, log.done + 1, upto)
                except _FAILURES:  # each of them asks for itself, and is told
                    for tail in (tail for text in part for tail in tails[text]):
                        tail.leave()
                    continue
                for text, of_text in zip(part, found, strict=True):
                    for tail in tails[text]:
                        tail.give(of_text, upto)
        log.move(upto)


def last_of_round(segments: Sequence[Segment], done: int, head: int) -> int:
    """The last commit behind `done` that is looked through at once: those up to it have not too many events."""
    rows = 0
    for segment in sorted(segments, key=lambda one: one.min_position):
        rows += segment.rows
        if rows > ROUND_ROWS:
            return max(done + 1, segment.min_position - 1)
    return head
