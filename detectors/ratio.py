"""The share of bad events among all, and how fast it burns the error budget of a service level objective.

    failures: {type: ratio, query: "service:web", bad: "status >= 500", above: 5, least: 100}
    slo: {type: ratio, query: "service:web", bad: "status >= 500", objective: 99.9}

With an objective several windows are judged, each by a long and a short one: the long says that it matters, the short
that it goes on. After Google's Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from ..plugins import (
    Detector,
    DetectorConfig,
    DetectorRun,
    Duration,
    Finding,
    Json,
    PluginConfig,
    Severity,
    by_clause,
    check_answers_events,
    duration_ns,
    group_words,
    hookimpl,
    severity_rank,
)


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text.strip()


class Burn(PluginConfig):
    """A burn rate that is trouble: `rate` times what the objective allows, over a long and a short window."""

    long: Duration
    """The window that says that it matters."""
    short: Duration
    """The window that says that it goes on."""
    rate: Annotated[float, Field(gt=0)]
    """How many times as fast as the objective allows."""
    severity: Severity = "error"
    """Severity of its incidents."""


# Of a budget for 30 days: 2 % of it in an hour, 5 % in six hours, 10 % in three days.
WORKBOOK = [
    Burn(long="1h", short="5m", rate=14.4, severity="fatal"),
    Burn(long="6h", short="30m", rate=6, severity="error"),
    Burn(long="3d", short="6h", rate=1, severity="warn"),
]


class RatioConfig(DetectorConfig):
    """Settings of the ratio detector. Either `above` or `objective` is given."""

    query: str = "*"
    """A search for all events that count."""
    bad: Annotated[str, AfterValidator(_not_blank)]
    """An expression that is true for the bad ones, such as `status >= 500`."""
    by: list[str] = Field(default_factory=list)
    """Fields whose values are judged each on its own; none: all events together."""
    above: Annotated[float, Field(ge=0, lt=100)] | None = None
    """Percent of bad events in `window` beyond which it is trouble."""
    objective: Annotated[float, Field(gt=0, lt=100)] | None = None
    """Percent of good events that is promised, such as 99.9."""
    burn: Annotated[list[Burn], Field(min_length=1, max_length=10)] = WORKBOOK
    """Burn rates that are trouble, if there is an objective: those of the workbook for a budget of 30 days."""
    least: Annotated[int, Field(ge=1)] = 1
    """With fewer events in a window (of two: in the long one) there is no trouble: the share says nothing."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.above is None) == (self.objective is None):
            raise ValueError("give either `above` or `objective`")
        return self


class Ratio(Detector[RatioConfig]):
    """A share of bad events, or a burn rate, that is too high."""

    @property
    def searches(self) -> list[str]:
        """The events that count."""
        return [self.config.query.strip() or "*"]

    async def detect(self, run: DetectorRun) -> list[Finding]:
        """A finding for each group whose share in the windows that end at `run.at_ns` is too high.

        :raises QueryError: the query or the expression is wrong, or the query aggregates
        """
        config = self.config
        check_answers_events(run, self.type, config.query)
        if config.objective is None:
            rows = await self._shares(run, config.window)
            bound = (config.above or 0) / 100
            return [
                self._finding(run, row, {}, f"{row['share']:.2%} are bad", None)
                for row in rows.values()
                if row["share"] > bound and row["total"] >= config.least
            ]
        return await self._burning(run, 1 - config.objective / 100)

    async def _burning(self, run: DetectorRun, budget: float) -> list[Finding]:
        """The worst of the burn rates, for each group."""
        shares: dict[str, dict[str, dict[str, Any]]] = {}
        found: dict[str, Finding] = {}
        for burn in sorted(self.config.burn, key=lambda burn: -severity_rank(burn.severity)):
            bound = burn.rate * budget
            groups: set[str] | None = None
            for window in (burn.short, burn.long):  # the short one first: where it is calm, the long one is not asked
                if groups is None or groups:
                    if window not in shares:
                        shares[window] = await self._shares(run, window)
                    over = {key for key, row in shares[window].items() if row["share"] >= bound}
                    groups = over if groups is None else groups & over
            for key in (groups or set()) - found.keys():
                row = shares[burn.long][key]
                if row["total"] >= self.config.least:
                    rate = row["share"] / budget
                    more: dict[str, Json] = {"burn_rate": rate, "long": burn.long, "short": burn.short}
                    title = f"the error budget burns {rate:.1f} times too fast over {burn.long}"
                    found[key] = self._finding(run, row, more, title, burn.severity)
        return list(found.values())

    async def _shares(self, run: DetectorRun, window: str) -> dict[str, dict[str, Any]]:
        """The counts of a window and the share of bad ones, by group; without events there is none."""
        text = (
            f"{self._search()} | stats count() as total, countif({self.config.bad}) as bad{by_clause(self.config.by)}"
        )
        rows = await run.query(text, from_ns=run.at_ns - duration_ns(window), to_ns=run.at_ns)
        return {
            json.dumps([row.get(name) for name in self.config.by]): row | {"share": row["bad"] / row["total"]}
            for row in rows
            if row.get("total")
        }

    def _search(self) -> str:
        return self.config.query.strip() or "*"

    def _finding(
        self, run: DetectorRun, row: dict[str, Any], more: dict[str, Json], what: str, severity: str | None
    ) -> Finding:
        group: dict[str, Json] = {name: row.get(name) for name in self.config.by}
        values: dict[str, Json] = {name: row[name] for name in ("bad", "total", "share")}
        where = group_words(group)
        samples = f"{self._search()} | where {self.config.bad} | stats count() as bad{by_clause(self.config.by)}"
        return Finding(
            group=group,
            title=f"{run.name}: {what} for {where}" if where else f"{run.name}: {what}",
            values=values | more,
            sample_query=run.sample_query(samples, group),
            severity=severity,
        )


@hookimpl
def cordwood_plugins() -> list[type[Detector[Any]]]:
    """This module's plugin."""
    return [Ratio]
