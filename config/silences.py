"""`maintenance:` and silences: of which incidents nobody is told, and when. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

from ..plugins.described import Described
from .routes import Incident, Values, text_of
from .schedules import checked_schedule, last_due, next_due
from .shapes import Names, Zone
from .units import Duration, format_duration

MAX_WINDOW = timedelta(days=7)  # what is longer is no maintenance: trouble would be forgotten
Level: TypeAlias = Literal["trace", "debug", "info", "warn", "error", "fatal"]


def _bounded(span: timedelta) -> timedelta:
    if not timedelta() < span <= MAX_WINDOW:
        raise ValueError("must be more than nothing, and at most 7d")
    return span


Length: TypeAlias = Annotated[
    Duration, AfterValidator(_bounded), PlainSerializer(format_duration, return_type=str, when_used="json")
]
"""How long a window lasts."""


class _Model(Described, BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Matchers(_Model):
    """Which incidents: all that is given must fit."""

    detectors: Annotated[Names, Field(max_length=100)] = []
    """Names of detectors."""
    match: Annotated[dict[str, Values], Field(max_length=20)] = {}
    """Fields of the incident's group with the values they may have."""
    severities: Annotated[list[Level], Field(max_length=6)] = []
    """Severities; an incident that gets a worse one than those given is told."""

    def fits(self, incident: Incident) -> bool:
        """Whether they are about this incident."""
        return (
            (not self.detectors or incident.detector in self.detectors)
            and all(text_of(incident.group.get(name)) in values for name, values in self.match.items())
            and (not self.severities or incident.severity.lower() in self.severities)
        )


class Recurring(_Model):
    """Windows that come again and again, by the clocks of a zone."""

    schedule: Annotated[str, AfterValidator(checked_schedule)] = Field(examples=["0 2 * * SUN"])
    """When each begins: minute, hour, day, month and weekday, as in cron."""
    duration: Length = Field(examples=["2h"])
    """How long each lasts, at most `7d`."""
    timezone: Zone = "UTC"
    """IANA zone of the schedule."""

    def holds(self, at: datetime) -> bool:
        """Whether the moment lies in a window."""
        # In UTC: a sum in a zone is one of its clock, which may be changed meanwhile.
        begin = last_due(self.schedule, ZoneInfo(self.timezone), at).astimezone(UTC)
        return begin + self.duration > at

    def next_begin(self, after: datetime) -> datetime:
        """When the next window begins."""
        return next_due(self.schedule, ZoneInfo(self.timezone), after)


class Maintenance(Matchers, Recurring):
    """A window in which nobody is told of the incidents that it matches."""

    reason: str = ""
    """What is done then: it stands in the incidents' timelines."""
