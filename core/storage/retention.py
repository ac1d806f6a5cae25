"""Retention: events go by age, per project and stream, and the oldest ones by the bytes of all.

A segment in which every event is older than anything is kept goes as a whole. What goes sooner than its neighbours (a
stream that is kept for a shorter time, or all but the streams that are kept longer) is erased from segments in which
every event is old enough: a segment holds one day, so each is rewritten once for a rule, and an event goes at latest a
day after its age. Where rules meet in an event, it is kept as long as the longest says.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import Any

import anyio
import asyncpg

from ...config import StoreSettings
from ...config.models import ProjectRetention
from ...plugins.errors import FatalError, QueryError, RetryableError
from ...plugins.times import now_ns
from .audit import audit
from .cache import SegmentDamagedError, SegmentGoneError
from .database import Connection
from .erase import Eraser, Found, Search, Searcher
from .leader import Session
from .segment import Segment

EVERY_SECONDS = 60.0
_AT_ONCE = 100  # segments that one rule looks into in a round
EVERYTHING = "*"
_log = logging.getLogger(__name__)

_EXPIRED = "project_id = $1 and replaced_at is null and max_time < $2"
_OLDEST = "select min(max_time) from segment where project_id = $1 and replaced_at is null and max_time >= $2"
# The newest segments stay whose bytes together fit, but always the very newest.
_TOO_MANY = """replaced_at is null and id in (
    select id from (
        select id, sum(bytes) over newest as upto, row_number() over newest as place
        from segment where replaced_at is null window newest as (order by max_time desc, id desc)
    ) s where upto > $1 and place > 1
)"""


@dataclass(frozen=True, slots=True)
class Rule:
    """The events that a search finds go at an age in nanoseconds, but for those that one of `excluded` finds."""

    name: str
    text: str
    age_ns: int
    excluded: tuple[str, ...] = ()

    @property
    def job(self) -> str:
        """Its name in `segment_checked`: another search is another job, another age is not."""
        return f"retention:{hashlib.sha256(repr((self.text, self.excluded)).encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for a project: everything goes at `whole_ns` (None: nothing ever does), some sooner by `rules`."""

    whole_ns: int | None
    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, settings: ProjectRetention) -> Rules:
        """The rules that settings make.

        >>> settings = StoreSettings.model_validate({"retention": "7d", "streams": {"audit": {"retention": "30d"}}})
        >>> [(rule.name, rule.text, rule.excluded) for rule in Rules.of(settings).rules]
        [('events', '*', ('service:"audit"',))]
        """
        streams = [
            (name, stream.search(name), _ns(stream.retention.total_seconds()))
            for name, stream in settings.streams.items()
        ]
        base = None if settings.retention is None else _ns(settings.retention.total_seconds())
        longest = None if base is None else max([base, *(age for _, _, age in streams)])
        asked = streams if base is None else [*streams, ("events", EVERYTHING, base)]
        rules = [
            Rule(name, text, age, tuple(other for _, other, longer in streams if longer > age and other != text))
            for name, text, age in asked
            if longest is None or age < longest
        ]
        return cls(longest, tuple(rules))


@dataclass(frozen=True, slots=True)
class Expiry:
    """What a rule takes now, and when it next takes something: nanoseconds, None where nothing is there to go.

    `rule` is `events`, `max_bytes`, or the name of a stream; `query` is its search, `age_ns` None for `max_bytes`.
    """

    project: str | None
    rule: str
    query: str | None
    age_ns: int | None
    events: int
    segments: int
    bytes: int
    next_ns: int | None


class Retention:
    """Lets events go; `work` runs on one node at a time (see `leader`). `settings` hold from the next round on."""

    def __init__(self, pool: asyncpg.Pool, eraser: Eraser, searcher: Searcher, settings: StoreSettings) -> None:
        self._pool, self._eraser, self._searcher = pool, eraser, searcher
        self.settings = settings
        self._unreadable: set[int] = set()

    async def work(self, _session: Session) -> None:
        """Apply the rules every minute until cancelled."""
        while True:
            await self.apply()
            await anyio.sleep(EVERY_SECONDS)

    async def apply(self) -> None:
        """One round."""
        now = await self._now()
        jobs = []
        for project_id, name in await self._pool.fetch("select id, name from project order by id"):
            rules = Rules.of(self.settings.of(name))
            jobs += [rule.job for rule in rules.rules]
            if rules.whole_ns is not None:
                await self._expire("retention.age", _EXPIRED, project_id, now - rules.whole_ns)
            for rule in rules.rules:
                try:
                    await self._erase(project_id, rule, now)
                except (QueryError, FatalError, RetryableError) as why:
                    _log.error("retention of %s in project %s: %s", rule.name, name, why)
        if self.settings.max_bytes is not None:
            await self._expire("retention.max_bytes", _TOO_MANY, self.settings.max_bytes)
        await self._pool.execute(
            "delete from segment_checked where starts_with(job, 'retention:') and job <> all($1::text[])", jobs
        )

    async def preview(self, settings: StoreSettings | None = None) -> list[Expiry]:
        """What these settings (None: those that hold) would take now, and when next; nothing goes.

        :raises QueryError: the search of a stream is wrong
        """
        settings = settings or self.settings
        now = await self._now()
        found = []
        for project_id, name in await self._pool.fetch("select id, name from project order by id"):
            rules = Rules.of(settings.of(name))
            if rules.whole_ns is not None:
                cutoff = now - rules.whole_ns
                figures = await self._figures(_EXPIRED, project_id, cutoff)
                oldest = await self._pool.fetchval(_OLDEST, project_id, cutoff)
                next_ns = None if oldest is None else oldest + rules.whole_ns
                found.append(Expiry(name, "events", None, rules.whole_ns, *figures, next_ns))
            found += [await self._expiry(project_id, name, rule, now, rules.whole_ns) for rule in rules.rules]
        if settings.max_bytes is not None:
            figures = await self._figures(_TOO_MANY, settings.max_bytes)
            found.append(Expiry(None, "max_bytes", None, None, *figures, None))
        return found

    async def _expire(self, what: str, where: str, *arguments: Any) -> None:
        """Take the segments out of the catalog, and enter it into the audit log."""
        async with self._pool.acquire() as connection, connection.transaction():
            gone = await connection.fetch(
                f"with gone as (update segment set replaced_at = now() where {where} returning project_id, rows) "  # noqa: S608 - constants
                "select project_id, count(*) as segments, sum(rows) as events from gone group by project_id",
                *arguments,
            )
            for project_id, segments, events in gone:
                await audit(connection, "retention", what, project_id=project_id, segments=segments, events=events)
                _log.info("%s: %d segments of project %d with %d events go", what, segments, project_id, events)

    async def _erase(self, project_id: int, rule: Rule, now: int) -> None:
        """Erase what a rule finds from the segments that are old enough as a whole."""

        async def noted(connection: Connection, erased: int) -> None:
            if erased:
                await audit(
                    connection, "retention", "retention.stream", project_id=project_id, stream=rule.name, events=erased
                )

        due, found = await self._due(project_id, rule, now)
        for segment in due[:_AT_ONCE]:
            try:
                await self._eraser.erase(rule.job, segment, await found.rows(segment), noted)
            except SegmentGoneError:
                continue  # merged meanwhile: the next round looks at what it became
            except SegmentDamagedError as why:
                if segment.id in why.passing:
                    continue  # its place is away, which is in the log: a later round looks again
                _log.error("retention of %s leaves a segment as it is: %s", rule.name, why)
                self._unreadable.add(segment.id)

    async def _due(self, project_id: int, rule: Rule, now: int) -> tuple[list[Segment], Found]:
        """The segments to look into now, oldest first, and how."""
        cutoff = now - rule.age_ns
        search = Search(project_id=project_id, text=rule.text, now_ns=now, excluded=rule.excluded, to_ns=cutoff)
        found = await self._searcher.find(search)
        old = [s for s in found.segments if s.max_time < cutoff and s.id not in self._unreadable]
        return sorted(await self._eraser.unchecked(rule.job, old), key=lambda segment: segment.max_time), found

    async def _expiry(self, project_id: int, project: str, rule: Rule, now: int, whole_ns: int | None) -> Expiry:
        due, found = await self._due(project_id, rule, now)
        due = [segment for segment in due if whole_ns is None or segment.max_time >= now - whole_ns]
        events = segments = size = 0
        for segment in due:
            try:
                rows = len(await found.rows(segment))
            except (SegmentGoneError, SegmentDamagedError):
                continue
            events += rows
            segments += bool(rows)
            size += round(segment.bytes * rows / segment.rows)
        later = await self._searcher.find(
            Search(project_id=project_id, text=rule.text, now_ns=now, excluded=rule.excluded, from_ns=now - rule.age_ns)
        )
        oldest = min((segment.max_time for segment in later.segments), default=None)
        next_ns = None if oldest is None else oldest + rule.age_ns
        return Expiry(project, rule.name, rule.text, rule.age_ns, events, segments, size, next_ns)

    async def _figures(self, where: str, *arguments: Any) -> tuple[int, int, int]:
        """Events, segments and bytes."""
        row = await self._pool.fetchrow(
            f"select coalesce(sum(rows), 0)::bigint, count(*), coalesce(sum(bytes), 0)::bigint from segment where {where}",  # noqa: S608, E501 - constants
            *arguments,
        )
        assert row is not None
        return row[0], row[1], row[2]

    async def _now(self) -> int:
        """The earlier of two clocks, nanoseconds: one that is ahead must not make events old."""
        theirs = int(await self._pool.fetchval("select extract(epoch from clock_timestamp()) * 1000000000"))
        return min(now_ns(), theirs)


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
