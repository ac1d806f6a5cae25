"""Something that should come and does not: a heartbeat, a nightly job, a whole service.

    silent: {type: absence, query: "*", by: [service, host], window: 10m}

What is expected is learned: a group that was seen within `memory` and has had no event for `window` is in trouble.
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
    rfc3339,
)


class AbsenceConfig(DetectorConfig):
    """Settings of the absence detector."""

    query: str = "*"
    """A search for the events that should come."""
    by: list[str] = Field(default_factory=list)
    """Fields whose values are expected each on its own; none: any event will do."""
    memory: Duration = "1d"
    """How long a group that stays away is missed: after that it is taken for gone, and its incident is resolved."""
    resolve_after: Duration | None = "0s"
    """How long a group must have been back before its incident is resolved; at once if not set."""


class Absence(Detector[AbsenceConfig]):
    """Groups of which no event comes any more."""

    @property
    def searches(self) -> list[str]:
        """The events that count."""
        return [self.config.query.strip() or "*"]

    async def detect(self, run: DetectorRun) -> list[Finding]:
        """A finding for each group that was seen within `memory`, but not within the window that ends at `run.at_ns`.

        :raises QueryError: the query is wrong, or aggregates
        """
        config = self.config
        check_answers_events(run, self.type, config.query)
        newest = f"{config.query.strip() or '*'} | stats max(timestamp) as last_seen{by_clause(config.by)}"
        begin = run.at_ns - max(duration_ns(config.memory), duration_ns(config.window))
        rows = await run.query(newest, from_ns=begin, to_ns=run.at_ns)
        bound = rfc3339(run.at_ns - duration_ns(config.window))
        # Both are RFC 3339 in UTC with nine digits, so their order as texts is their order in time.
        return [self._finding(run, newest, row) for row in rows if row.get("last_seen", bound) < bound]

    def _finding(self, run: DetectorRun, newest: str, row: dict[str, Any]) -> Finding:
        group: dict[str, Json] = {name: row.get(name) for name in self.config.by}
        where = group_words(group)
        title = f"{run.name}: no events for {self.config.window}"
        return Finding(
            group=group,
            title=f"{title} from {where}" if where else title,
            values={"last_seen": row["last_seen"]},
            sample_query=run.sample_query(newest, group),
        )


@hookimpl
def cordwood_plugins() -> list[type[Detector[Any]]]:
    """This module's plugin."""
    return [Absence]
