"""A figure that leaves its bounds: more than 50 errors of a service within five minutes.

    errors: {type: threshold, query: "severity>=error | stats count() as n by service", condition: "n > 50", window: 5m}

The query aggregates the events of the window; every row for which the condition holds is a group in trouble. With
`hold` it must have held for a while, with `recover` trouble lasts until another condition holds, and `severities` says
how bad it is:

    errors: {type: threshold, query: "severity>=error | stats count() as n by service", condition: "n > 50",
             hold: 3m, recover: "n < 20", severities: {warn: "n > 50", fatal: "n > 500"}}
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
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
    Severity,
    duration_ns,
    group_words,
    hookimpl,
    severity_rank,
    value_words,
)

MOST_HELD = 60  # windows that are asked again for `hold`
_Rows: TypeAlias = dict[str, dict[str, Any]]
_WORD = re.compile(r"`(?:[^`\\]|\\.)+`|[^\W\d][\w.]*")


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text.strip()


class ThresholdConfig(DetectorConfig):
    """Settings of the threshold detector."""

    query: Annotated[str, AfterValidator(_not_blank)]
    """A query that aggregates, such as `severity>=error | stats count() as n by service`: a group each service."""
    condition: Annotated[str, AfterValidator(_not_blank)]
    """An expression over the query's columns that is true in trouble, such as `n > 50`."""
    hold: Duration = "0s"
    """How long the condition must have held in every window, one each `every`, before a group is in trouble."""
    recover: Annotated[str, AfterValidator(_not_blank)] | None = None
    """A condition that ends trouble, such as `n < 20`; in between an open incident stays open. A group without a row
    in the window has recovered. If not set, trouble ends when `condition` does not hold."""
    severities: dict[Severity, Annotated[str, AfterValidator(_not_blank)]] = Field(default_factory=dict)
    """Conditions by severity, such as `{warn: "n > 50", fatal: "n > 500"}`: of those that hold the worst counts, and
    where none does, `severity`. An incident that is open gets worse, but not better."""

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if duration_ns(self.hold) > MOST_HELD * duration_ns(self.every):
            raise ValueError(f"hold is more than {MOST_HELD} times `every`; use a longer `every` or a shorter hold")
        return self


class Threshold(Detector[ThresholdConfig]):
    """A condition on the figures of a query, for each of its groups."""

    @property
    def searches(self) -> list[str] | None:
        """The events that count. None with `hold`: what holds while nothing comes is found after the last event."""
        return None if duration_ns(self.config.hold) else [self.config.query]

    async def detect(self, run: DetectorRun) -> list[Finding]:
        """A finding for every row that meets the condition, over events of the window that ends at `run.at_ns`.

        :raises QueryError: query or condition is wrong, or the query does not aggregate
        """
        config = self.config
        fields = run.group_fields(config.query)
        if fields is None:
            raise QueryError(
                "a threshold needs figures, and this query answers events",
                text=config.query,
                hint="aggregate them: end the query with | stats count() as n by service",
            )
        rows = await self._rows(run, config.condition, run.at_ns)
        found = await self._held(run, {self._key(row, fields): row for row in rows}, fields)
        if config.recover is not None:
            found |= await self._not_recovered(run, found, fields)
        severities = await self._severities(run, found, fields)
        return [self._finding(run, row, fields, severities.get(key)) for key, row in found.items()]

    async def _rows(self, run: DetectorRun, condition: str, at_ns: int) -> list[dict[str, Any]]:
        from_ns = at_ns - duration_ns(self.config.window)
        return await run.query(f"{self.config.query} | where {condition}", from_ns=from_ns, to_ns=at_ns)

    async def _held(self, run: DetectorRun, found: _Rows, fields: tuple[str, ...]) -> _Rows:
        """Those for which the condition held before as well, as long as `hold` says."""
        every = duration_ns(self.config.every)
        for back in range(1, -(-duration_ns(self.config.hold) // every) + 1):
            if not found:
                break
            before = await self._rows(run, self.config.condition, run.at_ns - back * every)
            held = {self._key(row, fields) for row in before}
            found = {key: row for key, row in found.items() if key in held}
        return found

    async def _not_recovered(self, run: DetectorRun, found: _Rows, fields: tuple[str, ...]) -> _Rows:
        """The groups of open incidents that are in trouble no more, but not well either."""
        opened = {self._key(group, fields) for group in await run.open_groups()} - found.keys()
        if not opened:
            return {}
        rows = await self._rows(run, f"not coalesce({self.config.recover}, false)", run.at_ns)
        return {key: row for row in rows if (key := self._key(row, fields)) in opened}

    async def _severities(self, run: DetectorRun, found: _Rows, fields: tuple[str, ...]) -> dict[str, str]:
        """The worst severity of each group for which a condition holds."""
        worst: dict[str, str] = {}
        if found:
            for severity in sorted(self.config.severities, key=severity_rank):
                rows = await self._rows(run, self.config.severities[severity], run.at_ns)
                worst |= {self._key(row, fields): severity for row in rows}
        return worst

    @staticmethod
    def _key(row: Mapping[str, Any], fields: tuple[str, ...]) -> str:
        return json.dumps([row.get(name) for name in fields])

    def _finding(self, run: DetectorRun, row: dict[str, Any], fields: tuple[str, ...], severity: str | None) -> Finding:
        group: dict[str, Json] = {name: row.get(name) for name in fields}
        values: dict[str, Json] = {name: value for name, value in row.items() if name not in group}
        words = {word.strip("`") for word in _WORD.findall(self.config.condition)}
        figures = ", ".join(f"{name} = {value_words(value)}" for name, value in values.items() if name in words)
        where = group_words(group)
        title = (
            f"{run.name}: {figures} ({self.config.condition})" if figures else f"{run.name}: {self.config.condition}"
        )
        return Finding(
            group=group,
            title=f"{title} for {where}" if where else title,
            values=values,
            sample_query=run.sample_query(self.config.query, group),
            severity=severity,
        )


@hookimpl
def cordwood_plugins() -> list[type[Detector[Any]]]:
    """This module's plugin."""
    return [Threshold]
