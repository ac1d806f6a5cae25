"""`routes:` and `rotas:`: who is told of an incident beside those whom its detector names, when, and why. Pure.

Routes are a tree. Of routes beside each other the first that matches decides, and with `continue: true` the next ones
are looked at, too. Of a route's own `routes` the same holds; where none of them matches, the route itself decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from ..plugins import severity_rank
from ..plugins.described import Described
from .shapes import Names, Zone
from .units import Duration, format_duration

MAX_DEPTH, MAX_ROUTES, MAX_STEPS = 5, 200, 10
MAX_WAIT = timedelta(hours=12)  # a notification is given up after 24 hours: half of them are left for its attempts
Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[Day, ...] = get_args(Day)
_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$"


def _bounded(span: timedelta) -> timedelta:
    if not timedelta() <= span <= MAX_WAIT:
        raise ValueError("must be at most 12h")
    return span


Wait: TypeAlias = Annotated[
    Duration, AfterValidator(_bounded), PlainSerializer(format_duration, return_type=str, when_used="json")
]
"""How long to wait before people are told."""


def text_of(value: Any) -> str | None:
    """A value as it is written in the file: 402, true, pay."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _texts(value: Any) -> Any:
    """One value or several, each as text: numbers and booleans may stand there, too."""
    values = value if isinstance(value, list | tuple) else [value]
    return [text_of(one) if isinstance(one, int | float) else one for one in values]


Values: TypeAlias = Annotated[
    list[str],
    BeforeValidator(_texts),
    Field(min_length=1),
    WithJsonSchema({"type": ["string", "number", "boolean", "array"]}),
]
"""Values that a field may have, or one that stands for a list of one."""


class _Model(Described, BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Hours(_Model):
    """A part of the week, by the clocks of a zone."""

    timezone: Zone = "UTC"
    """IANA zone of the clock."""
    days: Annotated[list[Day], Field(min_length=1)] = [*_DAYS]
    """Weekdays, such as `[mon, tue]`; all of them where not given."""
    from_: Annotated[str, Field(pattern=_CLOCK)] = Field(default="00:00", alias="from")
    """When it begins."""
    to: Annotated[str, Field(pattern=_CLOCK)] = "24:00"
    """When it ends, itself not included. Earlier than `from`: the next morning."""

    def holds(self, at: datetime) -> bool:
        """Whether the moment lies in it. A night belongs to the day on which it begins."""
        local = at.astimezone(ZoneInfo(self.timezone))
        clock, begin, end = f"{local:%H:%M}", self.from_, self.to
        today, yesterday = _DAYS[local.weekday()], _DAYS[local.weekday() - 1]
        if begin < end:
            return today in self.days and begin <= clock < end
        return (clock >= begin and today in self.days) or (clock < end and yesterday in self.days)


class Escalation(_Model):
    """Who else is told while nobody has acknowledged the incident."""

    after: Wait
    """How long after its opening."""
    notify: Annotated[Names, Field(min_length=1)]
    """Names of notifiers or rotas."""


class Route(_Model):
    """Who is told of the incidents that it matches: all that is given must fit."""

    detectors: Names = []
    """Names of detectors."""
    match: dict[str, Values] = {}
    """Fields of the incident's group with the values they may have."""
    severity: Literal["trace", "debug", "info", "warn", "error", "fatal"] | None = None
    """The least severity."""
    hours: Hours | None = None
    """The part of the week in which the incident opens."""
    notify: Names = []
    """Names of notifiers or rotas."""
    wait: Wait = timedelta()
    """How long the incident must last before anybody is told; one that is resolved earlier is told to nobody."""
    escalate: Annotated[list[Escalation], Field(max_length=MAX_STEPS)] = []
    """Who is told next while nobody acknowledges it."""
    continue_: bool = Field(default=False, alias="continue")
    """Look at the routes after this one, too."""
    routes: dict[str, Route] = {}
    """Routes that decide instead of this one where they match."""

    def matches(self, incident: Incident) -> bool:
        """Whether it is about this incident."""
        return (
            (not self.detectors or incident.detector in self.detectors)
            and all(text_of(incident.group.get(name)) in values for name, values in self.match.items())
            and (self.severity is None or severity_rank(incident.severity) >= severity_rank(self.severity))
            and (self.hours is None or self.hours.holds(incident.at))
        )

    def covers(self, other: Route) -> bool:
        """Whether it matches whatever the other matches."""
        return (
            (not self.detectors or (bool(other.detectors) and set(other.detectors) <= set(self.detectors)))
            and all(name in other.match and set(other.match[name]) <= set(self.match[name]) for name in self.match)
            and (self.severity is None or severity_rank(other.severity or "") >= severity_rank(self.severity))
            and (self.hours is None or self.hours == other.hours)
        )


class Rota(_Model):
    """People who are on call in turn, each a notifier. A turn ends at `handover` by the zone's own clock."""

    people: Annotated[list[str], Field(min_length=1, max_length=100)]
    """Names of notifiers, in the order of their turns."""
    start: date
    """The day of the first one's first turn."""
    days: Annotated[int, Field(ge=1, le=366)] = 7
    """Days of a turn."""
    handover: Annotated[str, Field(pattern=_CLOCK)] = "09:00"
    """When the next one takes over."""
    timezone: Zone = "UTC"
    """IANA zone of the clock."""

    @model_validator(mode="after")
    def _hands_over(self) -> Rota:
        if self.handover == "24:00":
            raise ValueError("handover: write 00:00 for midnight")
        return self

    def on_call(self, at: datetime) -> str:
        """Who is on call. Turns are counted in days of the calendar, so a day of 23 or 25 hours is one as well."""
        local = at.astimezone(ZoneInfo(self.timezone))
        passed = (local.date() - self.start).days - (f"{local:%H:%M}" < self.handover)
        return self.people[passed // self.days % len(self.people)]


@dataclass(frozen=True, slots=True)
class Incident:
    """What a route looks at."""

    detector: str
    severity: str
    group: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """A notifier that is told `after` the opening; `escalation`: only if nobody acknowledges it before."""

    notifier: str
    after: timedelta
    escalation: bool
    why: str


@dataclass(frozen=True, slots=True)
class Routing:
    """The routes and rotas of a configuration."""

    routes: Mapping[str, Route] = field(default_factory=lambda: MappingProxyType({}))
    rotas: Mapping[str, Rota] = field(default_factory=lambda: MappingProxyType({}))

    def told(self, incident: Incident, named: list[str]) -> list[Told]:
        """Everybody who is told, the first time for each and each kind; `named`: those whom the detector names."""
        plan = list(self._resolved(incident, named, timedelta(), escalation=False, why="the detector names it"))
        for path, route in _deciding(self.routes, incident, ""):
            why = f"route {path}"
            plan += self._resolved(incident, route.notify, route.wait, escalation=False, why=why)
            for step in route.escalate:
                plan += self._resolved(incident, step.notify, step.after, escalation=True, why=why)
        first: dict[tuple[str, bool], Told] = {}
        for told in sorted(plan, key=lambda told: told.after):
            first.setdefault((told.notifier, told.escalation), told)
        return list(first.values())

    def _resolved(
        self, incident: Incident, names: list[str], after: timedelta, *, escalation: bool, why: str
    ) -> Iterator[Told]:
        for name in names:
            rota = self.rotas.get(name)
            if rota is None:
                yield Told(name, after, escalation, why)
            else:
                yield Told(rota.on_call(incident.at + after), after, escalation, f"{why}, on call in {name}")


def _deciding(routes: Mapping[str, Route], incident: Incident, above: str) -> Iterator[tuple[str, Route]]:
    for name, route in routes.items():
        if route.matches(incident):
            path = f"{above}{name}"
            below = list(_deciding(route.routes, incident, f"{path}."))
            yield from below or [(path, route)]
            if not route.continue_:
                return
