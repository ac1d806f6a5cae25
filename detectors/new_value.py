"""A value that was never seen before: a user, a country, a program; or one that is back after a long time.

    strangers: {type: new_value, query: "login", by: [user], learning: 7d, back_after: 30d}

What the store holds is learned at the start, so a detector over old enough events speaks up at once.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import Field

from ..plugins import (
    Detector,
    DetectorRun,
    Finding,
    Json,
    LearningConfig,
    Novelty,
    QueryError,
    Seen,
    Sighting,
    by_clause,
    check_answers_events,
    duration_ns,
    group_words,
    hookimpl,
    sighting,
)

MOST_VALUES = 5_000  # of a window; what is beyond would be taken for new later


class NewValueConfig(LearningConfig):
    """Settings of the new_value detector."""

    query: str = "*"
    """A search for the events whose values are watched."""
    by: Annotated[list[str], Field(min_length=1)]
    """Fields whose values, together, are watched; events that lack one do not count."""


class NewValue(Detector[NewValueConfig]):
    """Values that were not there before. It remembers up to 100,000 of them, those seen last, as digests."""

    @property
    def searches(self) -> list[str]:
        """The events that count."""
        return [self.config.query.strip() or "*"]

    async def detect(self, run: DetectorRun) -> list[Finding]:
        """A finding for each value whose first event, or first after long, lies in the window that ends at `run.at_ns`.

        :raises QueryError: the query is wrong, aggregates, or finds too many values
        """
        config = self.config
        check_answers_events(run, self.type, config.query)
        novelty = Novelty.of(run.memory, config)
        begin = run.at_ns - duration_ns(config.window)
        if await novelty.is_fresh():
            for from_ns, to_ns in novelty.spans(begin):
                await novelty.learn(await self._seen(run, from_ns, to_ns), begin)
        found = await novelty.new(await self._seen(run, begin, run.at_ns), (begin, run.at_ns))
        return [self._finding(run, one, before) for one, before in found]

    def _text(self) -> str:
        query = self.config.query.strip() or "*"
        seen = "min(timestamp) as first_seen, max(timestamp) as last_seen"
        return f"{query} | stats {seen}{by_clause(self.config.by)}"

    async def _seen(self, run: DetectorRun, from_ns: int, to_ns: int) -> list[Sighting]:
        rows = await run.query(self._text(), from_ns=from_ns, to_ns=to_ns)
        if len(rows) >= MOST_VALUES:
            raise QueryError(
                f"more than {MOST_VALUES:,} values at once are too many to follow",
                text=self.config.query,
                hint="narrow the search, take a shorter window or learning time, or a field with fewer values",
            )
        whole = [row for row in rows if all(row.get(name) is not None for name in self.config.by)]
        return [sighting(json.dumps([row[name] for name in self.config.by]), row) for row in whole]

    def _finding(self, run: DetectorRun, one: Sighting, before: Seen | None) -> Finding:
        group: dict[str, Json] = {name: one.row[name] for name in self.config.by}
        values: dict[str, Json] = {"first_seen": one.row["first_seen"]}
        what = "never seen before" if before is None else "new, or back after long"
        return Finding(
            group=group,
            title=f"{run.name}: {group_words(group)} is {what}",
            values=values,
            sample_query=run.sample_query(self._text(), group),
        )


@hookimpl
def cordwood_plugins() -> list[type[Detector[Any]]]:
    """This module's plugin."""
    return [NewValue]
