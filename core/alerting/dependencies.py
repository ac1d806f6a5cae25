"""What depends on what: while the database's detector has an incident, those of its clients are suppressed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ...plugins import DetectorConfig, duration_ns


@dataclass(frozen=True, slots=True)
class Dependency:
    """On which detectors one depends, with which fields equal, and how long after their end people are told."""

    on: frozenset[str]
    by: tuple[str, ...]
    lasts: timedelta

    @classmethod
    def of(cls, config: DetectorConfig) -> Dependency:
        """As the settings of a detector say."""
        lasts = timedelta(microseconds=duration_ns(config.depends_for) / 1000)
        return cls(frozenset(config.depends_on), tuple(config.depends_by), lasts)

    def suppressed_by(self, parent: Parent, group: Mapping[str, Any], at: datetime) -> bool:
        """Whether the other incident suppresses one of this group at this moment."""
        return (
            parent.detector in self.on
            and all(name in group and name in parent.group and group[name] == parent.group[name] for name in self.by)
            and (parent.resolved_at is None or at < parent.resolved_at + self.lasts)
        )


@dataclass(frozen=True, slots=True)
class Parent:
    """An incident of a detector that others depend on; `resolved_at` None: it still lasts."""

    id: int
    detector: str
    title: str
    group: Mapping[str, Any]
    resolved_at: datetime | None
