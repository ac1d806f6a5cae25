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
from typing import Annotated, Any, NamedTuple, Self

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
_MARK = "cordwood_"  # begins the names of the columns that say which conditions hold
_TROUBLE, _STEADY, _SEVERITY = f"{_MARK}trouble", f"{_MARK}steady", f"{_MARK}severity_"
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


class _Judged(NamedTuple):
    """A row of the query without its marks. Rows of several times may be of the same group, and have its key."""

    key: str
    figures: dict[str, Any]
    is_trouble: bool
    is_steady: bool
    severity: str
    """The worst whose condition holds; empty: none does."""


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
        rows = await self._rows(run, run.at_ns, fields)
        found = await self._held(run, {row.key: row for row in rows if row.is_trouble}, fields)
        steady = {row.key: row for row in rows if row.is_steady and row.key not in found}
        if steady:
            opened = {_key(group, fields) for group in await run.open_groups()}
            found |= {key: row for key, row in steady.items() if key in opened}
        worst = {row.key: row.severity for row in sorted(rows, key=lambda row: severity_rank(row.severity))}
        return [self._finding(run, row, fields, worst[row.key]) for row in found.values()]

    def _question(self) -> str:
        """The query with all its conditions, so that the events are looked at once."""
        config = self.config
        if config.recover is None and not config.severities:
            return f"{config.query} | where {config.condition}"
        marks = {_TROUBLE: f"coalesce({config.condition}, false)"}
        if config.recover is not None:
            marks[_STEADY] = f"not coalesce({config.recover}, false)"
        marks |= {f"{_SEVERITY}{severity}": condition for severity, condition in config.severities.items()}
        where = _TROUBLE if config.recover is None else f"{_TROUBLE} or {_STEADY}"
        columns = ", ".join(f"{name} = {condition}" for name, condition in marks.items())
        # Those in trouble come first: an answer has a limit.
        return f"{config.query} | extend {columns} | where {where} | sort -{_TROUBLE}"

    async def _rows(self, run: DetectorRun, at_ns: int, fields: tuple[str, ...]) -> list[_Judged]:
        """What is in trouble or steady in the window that ends at `at_ns`."""
        found = await run.query(self._question(), from_ns=at_ns - duration_ns(self.config.window), to_ns=at_ns)
        return [self._judged(row, fields) for row in found]

    def _judged(self, row: Mapping[str, Any], fields: tuple[str, ...]) -> _Judged:
        holds = [severity for severity in self.config.severities if row.get(f"{_SEVERITY}{severity}")]
        return _Judged(
            key=_key(row, fields),
            figures={name: value for name, value in row.items() if not name.startswith(_MARK)},
            is_trouble=row.get(_TROUBLE, True),
            is_steady=row.get(_STEADY, False),
            severity=max(holds, key=severity_rank, default=""),
        )

    async def _held(self, run: DetectorRun, found: dict[str, _Judged], fields: tuple[str, ...]) -> dict[str, _Judged]:
        """Those for which the condition held before as well, as long as `hold` says."""
        every = duration_ns(self.config.every)
        for back in range(1, -(-duration_ns(self.config.hold) // every) + 1):
            if not found:
                break
            before = await self._rows(run, run.at_ns - back * every, fields)
            held = {row.key for row in before if row.is_trouble}
            found = {key: row for key, row in found.items() if key in held}
        return found

    def _finding(self, run: DetectorRun, row: _Judged, fields: tuple[str, ...], severity: str) -> Finding:
        group: dict[str, Json] = {name: row.figures.get(name) for name in fields}
        values: dict[str, Json] = {name: value for name, value in row.figures.items() if name not in group}
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
            severity=severity or None,
        )


def _key(row: Mapping[str, Any], fields: tuple[str, ...]) -> str:
    return json.dumps([row.get(name) for name in fields])


@hookimpl
def cordwood_plugins() -> list[type[Detector[Any]]]:
    """This module's plugin."""
    return [Threshold]
