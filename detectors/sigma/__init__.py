"""Rules in the Sigma format, as they are shared by people who hunt intruders (https://sigmahq.io).

    intruders: {type: sigma, path: rules/, by: [host], fields: {CommandLine: process.command_line},
                sources: {windows/process_creation: "service:sysmon EventID:1"}}

Every event that a rule finds is trouble; each rule and group is an incident, as bad as the rule's level says. Needs the
extra `cordwood[sigma]`, which brings pySigma (LGPL). `cordwood sigma check PATH` lists the rules it cannot convert.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field

from ...plugins import (
    Detector,
    DetectorConfig,
    DetectorRun,
    Duration,
    FatalError,
    Finding,
    Json,
    QueryError,
    by_clause,
    duration_ns,
    group_words,
    hookimpl,
    in_worker,
)

ASKED_AT_ONCE: Final = 25  # rules in one query that tells which of them found anything
_log = logging.getLogger(__name__)


class SigmaConfig(DetectorConfig):
    """Settings of the sigma detector."""

    path: str
    """A file of rules, or a folder with files `*.yml` in it and below."""
    fields: dict[str, str] = Field(default_factory=dict)
    """What the rules' fields are called in the events, such as `{CommandLine: process.command_line}`."""
    sources: dict[str, str] = Field(default_factory=dict)
    """The search for the events of a log source: `{windows: "channel:*", linux/auth: "service:sshd"}`. The words are
    any of a rule's product, category and service; of several that fit all must hold. Without one, all events count."""
    pipelines: list[str] = Field(default_factory=list)
    """Files with processing pipelines of pySigma, for what `fields` cannot say."""
    by: list[str] = Field(default_factory=lambda: ["host"])
    """Fields whose values make an incident each, for every rule."""
    level: Literal["informational", "low", "medium", "high", "critical"] = "low"
    """Rules of a lower level are left out; one that says none is `medium`."""
    window: Duration = "1m"
    """How far back each run looks: an incident is over this long after the last event."""


class Sigma(Detector[SigmaConfig]):
    """Events that rules in the Sigma format find."""

    def __init__(self, config: SigmaConfig) -> None:
        super().__init__(config)
        self._rules: list[Any] | None = None

    def read(self) -> tuple[list[Any], list[Any]]:
        """The rules that can be asked (`title`, `level`, `search`, …), and those that cannot (`title`, `reason`).

        :raises FatalError: pySigma is not installed, or the path cannot be read
        """
        try:
            from .rules import LEVELS, Mapped, read_rules
        except ImportError as why:
            raise FatalError(f"rules need pySigma ({why}): pip install 'cordwood[sigma]'") from None
        config = self.config
        try:
            rules, unsupported = read_rules(Path(config.path), Mapped(config.fields, config.sources, config.pipelines))
        except (OSError, ValueError) as why:
            raise FatalError(f"the rules of {config.path} cannot be read: {why}") from None
        least = LEVELS.index(config.level)
        return [rule for rule in rules if LEVELS.index(rule.level) >= least], unsupported

    async def detect(self, run: DetectorRun) -> list[Finding]:
        """A finding for each rule and group of which the window that ends at `run.at_ns` has an event.

        :raises FatalError: as `read`
        :raises QueryError: a search of `sources` is wrong
        """
        if self._rules is None:
            self._rules, unsupported = await in_worker(self.read)
            if unsupported:
                _log.warning("detector %s: %d rules are not supported; see cordwood sigma", run.name, len(unsupported))
        rules = self._rules or []
        from_ns = run.at_ns - duration_ns(self.config.window)
        found: list[Finding] = []
        for begin in range(0, len(rules), ASKED_AT_ONCE):
            for rule in await self._hit(run, rules[begin : begin + ASKED_AT_ONCE], from_ns):
                counted = f"{rule.search} | stats count() as events{by_clause(self.config.by)}"
                rows = await run.query(counted, from_ns=from_ns, to_ns=run.at_ns)
                found += [self._finding(run, rule, counted, row) for row in rows if row.get("events")]
        return found

    async def _hit(self, run: DetectorRun, rules: list[Any], from_ns: int) -> list[Any]:
        """Those of the rules that may have an event in the window: one query for all of them."""
        plain = [rule for rule in rules if not rule.search.partition(" | ")[1]]
        others = [rule for rule in rules if rule not in plain]
        if not plain:
            return others
        counts = ", ".join(f"countif({rule.search}) as r{i}" for i, rule in enumerate(plain))
        try:
            rows = await run.query(f"* | stats {counts}", from_ns=from_ns, to_ns=run.at_ns)
        except QueryError:  # a search of `sources` that is no expression: each rule is asked alone
            return rules
        return [rule for i, rule in enumerate(plain) if any(row.get(f"r{i}") for row in rows)] + others

    def _finding(self, run: DetectorRun, rule: Any, counted: str, row: dict[str, Any]) -> Finding:
        group: dict[str, Json] = {name: row.get(name) for name in self.config.by}
        count = row["events"]
        where = group_words(group)
        title = f"{run.name}: {rule.title}: {count} {'event' if count == 1 else 'events'}"
        return Finding(
            group={"rule": rule.id or rule.title, **group},
            title=f"{title} for {where}" if where else title,
            values={"events": count, "rule": rule.title, "level": rule.level, "tags": list(rule.tags)},
            sample_query=run.sample_query(counted, group),
            severity=rule.severity,
        )


@hookimpl
def cordwood_plugins() -> list[type[Detector[Any]]]:
    """This module's plugin."""
    return [Sigma]
