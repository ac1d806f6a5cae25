"""Any event that must never happen: one is enough.

panics: {type: match, query: "severity>=fatal or panic", by: [service, host], window: 1m}
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ..plugins import (
    Detector,
    DetectorConfig,
    DetectorRun,
    Duration,
    Finding,
    Json,
    by_clause,
    check_answers_events,
    duration_ns,
    group_words,
    hookimpl,
    iso_ns,
)


class MatchConfig(DetectorConfig):
    """Settings of the match detector."""

    query: str
    """A search; every event that it finds is trouble. It may have stages that keep events, such as `where`."""
    by: list[str] = Field(default_factory=list)
    """Fields whose values make an incident each; none: all events belong to one incident."""
    window: Duration = "1m"
    """How far back each run looks, by the events' own time: the incident is over this long after the last event."""


class Match(Detector[MatchConfig]):
    """Every event that a search finds."""

    @property
    def searches(self) -> list[str]:
        """The events that count."""
        return [self.config.query.strip() or "*"]

    async def detect(self, run: DetectorRun) -> list[Finding]:
        """A finding for each group of which the window that ends at `run.at_ns` has an event.

        :raises QueryError: the query is wrong, or aggregates
        """
        config = self.config
        check_answers_events(run, self.type, config.query)
        window = duration_ns(config.window)
        counted = f"{config.query.strip() or '*'} | stats count() as events, max(timestamp) as newest"
        counted += by_clause(config.by)
        rows = await run.query(counted, from_ns=run.at_ns - window, to_ns=run.at_ns)
        found = [row for row in rows if row.get("events")]
        if found:
            run.lasts(min(iso_ns(row["newest"]) for row in found) + window)
        return [self._finding(run, counted, row) for row in found]

    def _finding(self, run: DetectorRun, counted: str, row: dict[str, Any]) -> Finding:
        group: dict[str, Json] = {name: row.get(name) for name in self.config.by}
        count = row["events"]
        where = group_words(group)
        title = f"{run.name}: {count} {'event' if count == 1 else 'events'}"
        return Finding(
            group=group,
            title=f"{title} for {where}" if where else title,
            values={"events": count},
            sample_query=run.sample_query(counted, group),
        )


@hookimpl
def cordwood_plugins() -> list[type[Detector[Any]]]:
    """This module's plugin."""
    return [Match]
