"""Recordings as the node runs them: on the node that holds the lock, a step after the other, late events made good.

A step is recorded when it is over. With each step the segments that were committed since the last one are asked for
the time of their first event: from there on, as far as `grace` reaches, the steps are asked again, all in one query.
So what is recorded is what the query would say now, for all events that came within `grace`.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

import anyio
import msgspec

from ...config import Config, RecordingSettings
from ...plugins import CordwoodError, RejectedError, RetryableError, iso_ns, now_ns
from ..alerting.run import Engine
from ..alerting.samples import storable
from ..alerting.windowed import WINDOW
from ..query import QueryRequest, QueryResult
from ..storage.audit import audit
from ..storage.leader import Session, lead
from ..storage.store import Store
from .rule import Rule, chunks, nanoseconds
from .store import (
    Figure,
    Recorded,
    RecordingState,
    advance,
    enter,
    fail,
    nanoseconds_of,
    newest,
    states,
    sweep,
    write,
)

POLL_SECONDS = 1.0
QUERY_SECONDS = 30.0
MOST_ROWS = 20_000  # figures of one query: they are written in one transaction, which is a second long
MOST_STEPS = 10_000  # that one recording makes at a time, when it catches up; the others come in between
MOST_BACKFILLED = 200_000  # steps of one request
MAX_LABEL = 200  # characters of a label's value
SWEEP_SECONDS = 60.0
RETRY_SECONDS = 30.0
Keep: TypeAlias = Callable[[list[Figure], tuple[int, int]], Awaitable[None]]
"""Takes the figures of a range of steps."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backfilled:
    """What a backfill made."""

    steps: int
    figures: int
    dropped: int


@dataclass(slots=True)
class _Rest:
    """When the leader looks at what again, in nanoseconds since the epoch."""

    retry: dict[str, int] = field(default_factory=dict)
    sweep: int = 0


class RecordingService:
    """Made once for a node. `run` records whenever this node holds the lock."""

    def __init__(
        self, store: Store, engine: Engine, project_id: int, config: Config, *, clock: Callable[[], int] = now_ns
    ) -> None:
        self._store, self._engine, self._project, self._clock = store, engine, project_id, clock
        self._wanted: Mapping[str, RecordingSettings] = MappingProxyType({})
        self.reload(config)

    def reload(self, config: Config) -> None:
        """Go on with another configuration; a recording that is in both goes on from where it was."""
        self._wanted = config.recordings

    async def run(self) -> None:
        """Record, until cancelled."""
        await lead(self._store.pool, "recordings", self._work)

    async def _work(self, session: Session) -> None:
        rest = _Rest()
        while True:
            await self.once(session, rest)
            await anyio.sleep(POLL_SECONDS)

    async def once(self, session: Session, rest: _Rest | None = None) -> None:
        """Record all steps that are over and not recorded; one recording that fails leaves the others alone.

        :raises RetryableError: the database does not answer
        """
        rest = rest or _Rest()
        for name, settings in dict(self._wanted).items():
            if rest.retry.get(name, 0) > self._clock():
                continue
            try:
                await self._record(session, name, settings)
            except RetryableError:
                raise
            except CordwoodError as why:
                rest.retry[name] = self._clock() + int(RETRY_SECONDS * 1e9)
                _log.warning("recording %s: %s; trying again", name, why)
                async with session.transaction() as connection:
                    await fail(connection, self._project, name, str(why))
        if rest.sweep <= self._clock():
            rest.sweep = self._clock() + int(SWEEP_SECONDS * 1e9)
            async with session.transaction() as connection:
                await sweep(connection, self._project, self._clock())

    async def states(self) -> dict[str, RecordingState]:
        """How far each recording has come, by name."""
        return await states(self._store.pool, self._project)

    async def newest(self, name: str) -> list[Recorded]:
        """The series of a recording, as they are now."""
        return await newest(self._store.pool, self._project, name)

    async def backfill(self, name: str, settings: RecordingSettings, from_ns: int, to_ns: int, by: str) -> Backfilled:
        """Make the figures of past steps that are still kept, or make them again. A counter's totals stay as they are.

        :raises RejectedError: no whole step of the past is in the range, or too many are
        :raises QueryError: the query is wrong
        """
        rule = await self._rule(settings)
        now = self._clock()
        start, end = rule.ceil(max(from_ns, now - nanoseconds(settings.keep))), rule.floor(min(to_ns, now))
        steps = (end - start) // rule.step_ns
        if steps <= 0:
            raise RejectedError("the range holds no whole step that is over; take a longer one")
        if steps > MOST_BACKFILLED:
            raise RejectedError(
                f"the range holds {steps:,} steps, and {MOST_BACKFILLED:,} are the most; take parts of it"
            )
        head = await self._store.catalog.head(self._project)
        made = dropped = 0

        async def keep(figures: list[Figure], span: tuple[int, int]) -> None:
            nonlocal made, dropped
            async with self._store.pool.acquire() as connection, connection.transaction():
                await enter(connection, self._project, name, settings, rule.floor(self._clock()))
                left = await write(connection, self._project, name, figures, span, most=settings.series, counts=False)
            made, dropped = made + len(figures) - left, dropped + left

        await self._made(rule, (start, end), head, keep)
        async with self._store.pool.acquire() as connection, connection.transaction():
            await audit(connection, by, "recording.backfill", project_id=self._project, recording=name, steps=steps)
        return Backfilled(steps, made, dropped)

    async def _rule(self, settings: RecordingSettings) -> Rule:
        resolved = await self._engine.resolver(self._project)
        return Rule.of(settings, resolved(settings.query))

    async def _record(self, session: Session, name: str, settings: RecordingSettings) -> None:
        target = self._clock() // nanoseconds(settings.every) * nanoseconds(settings.every)
        async with session.transaction() as connection:
            state = await enter(connection, self._project, name, settings, target)
        if nanoseconds_of(state.recorded_until) >= target:
            return
        rule = await self._rule(settings)
        head = await self._store.catalog.head(self._project)
        start = await self._start(rule, state, head, target - nanoseconds(settings.keep))
        end = min(target, start + MOST_STEPS * rule.step_ns)
        if start >= end:  # the first step of another length is not over
            return
        dropped = 0

        async def keep(figures: list[Figure], span: tuple[int, int]) -> None:
            nonlocal dropped
            async with session.transaction() as connection:
                dropped += await write(
                    connection,
                    self._project,
                    name,
                    figures,
                    span,
                    most=settings.series,
                    counts=settings.kind == "counter",
                )
                if span[1] == end:  # before, a late event that was looked for would be missed after a crash
                    await advance(connection, self._project, name, until_ns=end, position=head, dropped=dropped)

        await self._made(rule, (start, end), head, keep)

    async def _start(self, rule: Rule, state: RecordingState, head: int, oldest: int) -> int:
        """The first step to ask for: the next one, or the first that has events which came since it was recorded."""
        done, since = rule.ceil(nanoseconds_of(state.recorded_until)), nanoseconds_of(state.since)
        start, earliest = done, rule.ceil(max(since, done - rule.grace_ns))
        if head > state.position and earliest < done:
            fresh = await self._store.catalog.segments(
                self._project, from_ns=earliest, to_ns=done, after_position=state.position, upto_position=head
            )
            start = min([done, *(max(earliest, rule.floor(segment.min_time)) for segment in fresh)])
        return max(start, rule.ceil(oldest))

    async def _made(self, rule: Rule, span: tuple[int, int], head: int, keep: Keep) -> None:
        """Ask for all steps of a range, oldest first, and hand over their figures in parts that can be written."""
        empty = None if rule.labels else await self._of_nothing(rule, head)
        waiting = [*chunks(*span, rule.step_ns, 1000)][::-1]
        while waiting:
            start, end = waiting.pop()
            asked = await self._asked(rule, rule.asked(), start, end, head)
            if not asked.complete:
                steps = (end - start) // rule.step_ns
                if steps == 1:
                    message = f"one step has more than {MOST_ROWS:,} groups"
                    raise RejectedError(f"{message}; give the query fewer keys, or longer steps")
                waiting += [*chunks(start, end, rule.step_ns, -(-steps // 4))][::-1]
                continue
            figures = figures_of(rule, asked, start)
            if empty is not None:
                had = {one.at_ns for one in figures}
                figures += [Figure({}, at, empty) for at in range(start, end, rule.step_ns) if at not in had]
            await keep(figures, (start, end))

    async def _of_nothing(self, rule: Rule, head: int) -> float | None:
        """What the query says of a step without events; None: nothing."""
        asked = await self._asked(rule, rule.text, 0, 1, 0)
        return next((one.value for one in figures_of(rule, asked, 0)), None)

    async def _asked(self, rule: Rule, text: str, start: int, end: int, head: int) -> QueryResult:
        return await self._engine.run(
            QueryRequest(
                text=text,
                project_id=self._project,
                from_ns=start,
                to_ns=end,
                limit=MOST_ROWS,
                timeout=QUERY_SECONDS,
                now_ns=end,
                upto_position=head,
            )
        )


def figures_of(rule: Rule, asked: QueryResult, otherwise_ns: int) -> list[Figure]:
    """The rows as figures. A label without a value is left out, as is a figure that is not finite.

    Groups whose labels read the same, a number and a text with its digits, are added up.

    :raises RejectedError: a figure is no number
    """
    found: dict[tuple[int, tuple[tuple[str, str], ...]], float] = {}
    for row in asked.objects():
        value = row.get(rule.value)
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise RejectedError(f"the figure {rule.value} is {str(value)[:40]!r}, and a metric is a number")
        if value is None or not math.isfinite(value):
            continue
        at = otherwise_ns if (begin := row.get(WINDOW)) is None else iso_ns(begin)
        key = at, tuple((name, _label(row[name])) for name in rule.labels if name in row)
        found[key] = found.get(key, 0.0) + value
    return [Figure(dict(labels), at, value) for (at, labels), value in found.items()]


def _label(value: Any) -> str:
    text = str(storable(value if isinstance(value, str) else msgspec.json.encode(value).decode()))
    if len(text) <= MAX_LABEL:
        return text
    return f"{text[:MAX_LABEL]}…{hashlib.sha256(text.encode()).hexdigest()[:8]}"
