"""A figure that leaves its bounds: more than 50 errors of a service within five minutes.

    errors: {type: threshold, query: "severity>=error | stats count() as n by service", condition: "n > 50", window: 5m}

The query aggregates the events of the window; every row for which the condition holds is a group in trouble.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator

from ..plugins import (
    Detector,
    DetectorConfig,
    DetectorRun,
    Finding,
    Json,
    QueryError,
    duration_ns,
    group_words,
    hookimpl,
    value_words,
)

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


class Threshold(Detector[ThresholdConfig]):
    """A condition on the figures of a query, for each of its groups."""

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
        from_ns = run.at_ns - duration_ns(config.window)
        rows = await run.query(f"{config.query} | where {config.condition}", from_ns=from_ns, to_ns=run.at_ns)
        return [self._finding(run, row, fields) for row in rows]

    def _finding(self, run: DetectorRun, row: dict[str, Any], fields: tuple[str, ...]) -> Finding:
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
        )


@hookimpl
def cordwood_plugins() -> list[type[Detector[Any]]]:
    """This module's plugin."""
    return [Threshold]
