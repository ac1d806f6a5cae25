"""Two events that belong together: one after the other for the same user, order or host; or one without the other.

guessed: {type: correlation, first: "login failed", then: "login accepted", by: [user], within: 5m}
lost: {type: correlation, first: "order placed", then: "order shipped", by: [order], within: 1h, window: 3h,
       missing: true}
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from typing import Annotated, Any, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from ..plugins import (
    Detector,
    DetectorConfig,
    DetectorRun,
    Duration,
    Finding,
    Json,
    QueryError,
    check_answers_events,
    duration_ns,
    group_words,
    hookimpl,
    iso_ns,
    quoted_field,
)

MOST_EVENTS = 5_000  # that each of the searches may find in a window
_Times: TypeAlias = dict[str, list[tuple[int, str]]]


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text.strip()


class CorrelationConfig(DetectorConfig):
    """Settings of the correlation detector."""

    first: Annotated[str, AfterValidator(_not_blank)]
    """A search for the events that come first."""
    then: Annotated[str, AfterValidator(_not_blank)]
    """A search for the events that come after them. One that both searches find follows itself: exclude it here."""
    by: Annotated[list[str], Field(min_length=1)]
    """Fields that both have with the same values; events that lack one do not count."""
    within: Duration = "5m"
    """How long after the first the other may come."""
    missing: bool = False
    """Whether it is trouble that the other does not come, and not that it does."""
    window: Duration = "10m"
    """How far back each run looks for both; at least `within` and `every` together."""

    @model_validator(mode="after")
    def _long_enough(self) -> Self:
        if duration_ns(self.window) < duration_ns(self.within) + duration_ns(self.every):
            raise ValueError("window is shorter than `within` and `every` together, so pairs would be missed")
        return self


class Correlation(Detector[CorrelationConfig]):
    """One event after another for the same key, or one without the other."""

    @property
    def searches(self) -> list[str]:
        """The events that count."""
        return [self.config.first, self.config.then]

    async def detect(self, run: DetectorRun) -> list[Finding]:
        """A finding for each key with such a pair (or such a lack) in the window that ends at `run.at_ns`.

        :raises QueryError: a search is wrong, aggregates, or finds too many events
        """
        first, then = await self._times(run, self.config.first), await self._times(run, self.config.then)
        within = duration_ns(self.config.within)
        found = []
        for key, times in first.items():
            after = then.get(key, [])
            pair = self._lack(times, after, within, run.at_ns) if self.config.missing else _pair(times, after, within)
            if pair is not None:
                found.append(self._finding(run, json.loads(key), pair))
        return found

    async def _times(self, run: DetectorRun, search: str) -> _Times:
        """The times of a search's events by key, oldest first, each also as it is written."""
        check_answers_events(run, self.type, search)
        names = ", ".join(map(quoted_field, self.config.by))
        asked = f"{search} | fields timestamp, {names} | limit {MOST_EVENTS}"
        rows = await run.query(asked, from_ns=run.at_ns - duration_ns(self.config.window), to_ns=run.at_ns)
        if len(rows) >= MOST_EVENTS:
            raise QueryError(
                f"more than {MOST_EVENTS:,} events in a window are too many to pair",
                text=search,
                hint="narrow the search, or take a shorter window",
            )
        found: _Times = defaultdict(list)
        for row in rows:
            if all(row.get(name) is not None for name in self.config.by):
                key = json.dumps([row[name] for name in self.config.by])
                found[key].append((iso_ns(row["timestamp"]), row["timestamp"]))
        return {key: sorted(times) for key, times in found.items()}

    @staticmethod
    def _lack(
        first: list[tuple[int, str]], then: list[tuple[int, str]], within: int, at_ns: int
    ) -> dict[str, Json] | None:
        """The last of the first events that had its time and nothing came."""
        moments = [ns for ns, _ in then]
        for ns, written in reversed(first):
            place = bisect_left(moments, ns)
            if ns + within < at_ns and (place == len(moments) or moments[place] > ns + within):
                return {"first_at": written}
        return None

    def _finding(self, run: DetectorRun, key: list[Any], pair: dict[str, Json]) -> Finding:
        config = self.config
        group: dict[str, Json] = dict(zip(config.by, key, strict=True))
        order = "is not followed by" if config.missing else "is followed by"
        names = ", ".join(map(quoted_field, config.by))
        return Finding(
            group=group,
            title=f"{run.name}: {config.first} {order} {config.then} within {config.within} for {group_words(group)}",
            values=pair,
            sample_query=run.sample_query(f"{config.first} | stats count() as n by {names}", group),
        )


def _pair(first: list[tuple[int, str]], then: list[tuple[int, str]], within: int) -> dict[str, Json] | None:
    """The last pair: an event of the second search, and the nearest of the first before it."""
    moments = [ns for ns, _ in first]
    for ns, written in reversed(then):
        place = bisect_left(moments, ns + 1) - 1
        if place >= 0 and ns - moments[place] <= within:
            return {"first_at": first[place][1], "then_at": written, "seconds": (ns - moments[place]) / 1e9}
    return None


@hookimpl
def cordwood_plugins() -> list[type[Detector[Any]]]:
    """This module's plugin."""
    return [Correlation]
