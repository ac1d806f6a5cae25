"""A kind of message that was never seen before, or that is back after a long time.

    surprises: {type: new_pattern, query: "severity>=warn", learning: 7d, back_after: 30d}

Messages are of one kind if they have the same pattern: see `patterns` in the query language.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..plugins import (
    Detector,
    DetectorRun,
    Finding,
    LearningConfig,
    Memory,
    Novelty,
    QueryError,
    Seen,
    Sighting,
    check_answers_events,
    clustered,
    duration_ns,
    hookimpl,
    in_worker,
    sighting,
)

MOST_PATTERNS = 5_000  # of a window; what is beyond would be taken for new later
_SHOWN = 200  # characters of a pattern in a title


class NewPatternConfig(LearningConfig):
    """Settings of the new_pattern detector."""

    query: str = "severity>=warn"
    """A search for the events whose messages are watched."""


class NewPattern(Detector[NewPatternConfig]):
    """Kinds of messages that were not there before. It remembers up to 10,000 patterns, those seen last."""

    @property
    def searches(self) -> list[str]:
        """The events that count."""
        return [self.config.query.strip() or "*"]

    async def detect(self, run: DetectorRun) -> list[Finding]:
        """A finding for each pattern whose first event, or first after long, lies in the window before `run.at_ns`.

        :raises QueryError: the query is wrong, aggregates, or finds too many patterns
        """
        config = self.config
        check_answers_events(run, self.type, config.query)
        novelty = Novelty.of(run.memory, config)
        begin = run.at_ns - duration_ns(config.window)
        if await novelty.is_fresh():
            for from_ns, to_ns in novelty.spans(begin):
                await novelty.learn(await self._seen(run, from_ns, to_ns), begin)

        async def same(unknown: Sequence[Sighting]) -> set[str]:
            found = [one.key for one in unknown if not one.row.get("shaped")]
            others = await _known_as_others(run.memory, found) if found else set()
            return others | await self._shaped_since(run, novelty, unknown, begin)

        found = await novelty.new(await self._seen(run, begin, run.at_ns), (begin, run.at_ns), same)
        return [self._finding(run, one, before) for one, before in found]

    async def _shaped_since(
        self, run: DetectorRun, novelty: Novelty, unknown: Sequence[Sighting], begin: int
    ) -> set[str]:
        """Which of the patterns are unknown only because people shaped them: their messages were there before."""
        shapes = await novelty.to_learn({one.row["shaped"] for one in unknown if one.row.get("shaped")})
        if not shapes:
            return set()
        past = await self._seen(run, begin - duration_ns(self.config.learning), begin)
        there = [one for one in past if one.row.get("shaped") in shapes]
        await novelty.learn(there, begin)
        return {one.key for one in there}

    def _text(self) -> str:
        return f"{self.config.query.strip() or '*'} | patterns limit={MOST_PATTERNS}"

    async def _seen(self, run: DetectorRun, from_ns: int, to_ns: int) -> list[Sighting]:
        rows = await run.query(self._text(), from_ns=from_ns, to_ns=to_ns)
        if len(rows) >= MOST_PATTERNS:
            raise QueryError(
                f"more than {MOST_PATTERNS:,} patterns at once are too many to follow",
                text=self.config.query,
                hint="narrow the search: are these messages of people, or documents?",
            )
        return [sighting(row["pattern"], row, row["pattern"]) for row in rows]

    def _finding(self, run: DetectorRun, one: Sighting, before: Seen | None) -> Finding:
        shown = one.key if len(one.key) <= _SHOWN else f"{one.key[:_SHOWN]}…"
        what = "a new pattern" if before is None else "a pattern that is new, or back after long"
        return Finding(
            group={"pattern": one.key},
            title=f"{run.name}: {what}: {shown}",
            values={"count": one.row["count"], "first_seen": one.row["first_seen"], "example": one.row["example"]},
            sample_query=run.sample_query(self._text(), {"pattern": one.key}),
        )


async def _known_as_others(memory: Memory, unknown: Sequence[str]) -> set[str]:
    """Which of the patterns are remembered ones that became more general or more special, as other messages came."""
    known = await memory.texts()
    patterns = await in_worker(clustered, [*known, *unknown])
    of_known = set(patterns[: len(known)])
    return {key for key, pattern in zip(unknown, patterns[len(known) :], strict=True) if pattern in of_known}


@hookimpl
def cordwood_plugins() -> list[type[Detector[Any]]]:
    """This module's plugin."""
    return [NewPattern]
