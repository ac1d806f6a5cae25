"""What a YAML file says: the parts that belong to no plugin as pydantic models, and the whole as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)

from ..plugins import (
    Detector,
    HttpSource,
    Notifier,
    Output,
    Parser,
    Plugin,
    PluginConfig,
    Registry,
    Source,
    load_plugins,
)
from ..plugins import Place as StoragePlace
from ..plugins.described import Described
from .limits import Limits
from .routes import Routing
from .schedules import checked_schedule
from .shapes import Names, Zone
from .sign_in import SignInSettings
from .silences import Maintenance
from .tree import Place
from .units import Duration, Size, format_duration
from .written import Written

DEFAULT = "default"
"""Name of the pipeline that takes every source which no other pipeline names."""
SEVERITIES = frozenset({"trace", "debug", "info", "warn", "error", "fatal"})
POSTGRESQL = "postgresql"
"""Name of the place that is always there."""


class _Model(Described, BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def _some_time(span: timedelta) -> timedelta:
    if span <= timedelta():
        raise ValueError("nothing would be kept; write a time such as 30d")
    return span


def _whole_step(span: timedelta) -> timedelta:
    if not timedelta(seconds=10) <= span <= timedelta(days=1) or span.microseconds:
        raise ValueError("a step is whole seconds, from 10s to 1d")
    return span


Age: TypeAlias = Annotated[
    Duration, AfterValidator(_some_time), PlainSerializer(format_duration, return_type=str, when_used="json")
]
"""How long events are kept."""


class Stream(_Model):
    """The events that a search finds, and how long they are kept."""

    query: str | None = None
    """The search; without one, the stream is the events of the severity of its name, or else of the service."""
    retention: Age
    """How long its events are kept; an event of several streams as long as the longest says."""

    def search(self, name: str) -> str:
        """The search, by the stream's name where none is given.

        >>> Stream(retention="3d").search("debug"), Stream(retention="3d").search("my shop")
        ('severity:debug', 'service:"my shop"')
        """
        if self.query is not None:
            return self.query
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f"severity:{name}" if name.lower() in SEVERITIES else f'service:"{escaped}"'


class ProjectRetention(_Model):
    """How long the events of one project are kept; what it does not say is as for all."""

    retention: Age | None = None
    """How long events are kept, such as `30d`; for ever where it is not given."""
    streams: dict[str, Stream] = {}
    """Streams with a retention of their own, shorter or longer, by name."""


class StoreSettings(ProjectRetention):
    """`store:`, where and how long events are kept."""

    place: Any = POSTGRESQL
    """Where merged segments go: `postgresql`, the settings of a place with its `type`, or a name under `places`."""
    places: dict[str, Any] = {}
    """Places by name, all of which are read: those that still have segments must be here."""
    max_bytes: Annotated[Size, Field(ge=10_000_000)] | None = None
    """Bytes of segments of all projects together; beyond, the oldest events go."""
    projects: dict[str, ProjectRetention] = {}
    """Retention of single projects, by name."""

    def of(self, project: str) -> ProjectRetention:
        """How long the events of a project are kept."""
        own = self.projects.get(project)
        given = own.model_fields_set if own else set()
        return ProjectRetention.model_construct(
            retention=own.retention if own and "retention" in given else self.retention,
            streams=own.streams if own and "streams" in given else self.streams,
        )


class PipelineTest(_Model):
    """An example that a pipeline must pass: lines, and the events they become."""

    name: str | None = None
    """What it shows."""
    input: str | list[str]
    """One line or several."""
    expect: list[dict[str, Any]]
    """The events; fields that are not named here may be anything."""
    tables: dict[str, list[dict[str, str | int | float | bool | None]]] = {}
    """Lookup tables as this test sees them: the rows of each by its name."""


class PipelineSettings(_Model):
    """`pipelines:`, the way from sources to the store."""

    from_: Names = Field(default=[], alias="from")
    """Names of the sources that it reads."""
    service: str | None = None
    """The service of events that name none."""
    parse: list[dict[str, Any]] = []
    """Parsers in the order they run; `when` is a search that chooses the events a step sees. What a step cannot read
    is stored with `parse_error`, or with `on_error: dead_letter` kept aside to be replayed."""
    tests: list[PipelineTest] = []
    """Examples that `cordwood test` runs."""


class ReportSettings(_Model):
    """`reports:`, dashboards that are written down and sent by the clock."""

    schedule: Annotated[str, AfterValidator(checked_schedule)] = Field(examples=["0 8 * * MON"])
    """When it is made: minute, hour, day, month and weekday, as in cron."""
    timezone: Zone = "UTC"
    """IANA zone of the schedule and of the times in the report."""
    dashboard: str
    """Name of the dashboard that it shows."""
    title: str | None = None
    """Its title; the dashboard's where it is not given."""
    period: Age | None = None
    """How far back it looks, such as `7d`; since it was due before where it is not given."""
    notify: Names = []
    """Names of the notifiers that send it."""


class RecordingSettings(_Model):
    """`recordings:`, the figure of a query, kept step by step as a metric."""

    query: str = Field(examples=["severity>=error | stats count() as n by service"])
    """A search and `| stats` with one figure; its keys are the labels. `| where` may follow."""
    every: Annotated[Duration, AfterValidator(_whole_step)] = timedelta(minutes=1)
    """How long a step is: whole seconds, from `10s` to `1d`."""
    keep: Age = timedelta(days=90)
    """How long the figures are kept."""
    grace: Annotated[Duration, Field(ge=timedelta(), le=timedelta(days=1))] = timedelta(minutes=15)
    """How late an event may come and still be counted in its step."""
    kind: Literal["gauge", "counter"] = "gauge"
    """What Prometheus is told: the newest figure, or the sum of all, which only grows."""
    series: Annotated[int, Field(ge=1, le=10_000)] = 1000
    """The most series, one for each combination of labels; what is beyond is left out and counted."""
    help: Annotated[str, Field(max_length=500)] = ""
    """What it is, in words, for Prometheus."""


class FileSettings(_Model):
    """The top level of a file."""

    version: Literal[1] = 1
    """Version of this format."""
    include: Names = []
    """Further files, relative to this one; a name may be defined in one of them only."""
    store: StoreSettings = StoreSettings()
    limits: Limits = Limits()
    sign_in: SignInSettings = SignInSettings()
    sources: dict[str, Any] = {}
    pipelines: dict[str, Any] = {}
    detectors: dict[str, Any] = {}
    notifiers: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    rotas: dict[str, Any] = {}
    routes: dict[str, Any] = {}
    maintenance: dict[str, Any] = {}
    reports: dict[str, Any] = {}
    recordings: dict[str, Any] = {}


OnError: TypeAlias = Literal["keep", "dead_letter"]
"""What becomes of an event that a step cannot read: stored with `parse_error`, or kept aside to be replayed."""
ON_ERROR: tuple[OnError, ...] = get_args(OnError)

P = TypeVar("P", bound=Plugin[Any])
Class: TypeAlias = type[P]
_NOWHERE = Place("", 0, 0)


@dataclass(frozen=True, slots=True)
class Entry(Generic[P]):
    """A named source, detector, notifier, output or place. `shown` is its settings for a page, without secrets."""

    name: str
    type: str
    plugin: Class[P]
    config: PluginConfig = field(repr=False)
    shown: Mapping[str, Any] = field(default_factory=dict)
    place: Place = field(default=_NOWHERE, compare=False)
    implicit: bool = False
    """No file names it: it runs because its plugin is installed."""

    def make(self) -> P:
        """A new instance of the plugin with these settings."""
        return self.plugin(self.config)


SourceEntry: TypeAlias = Entry[Source[Any]]
DetectorEntry: TypeAlias = Entry[Detector[Any]]
NotifierEntry: TypeAlias = Entry[Notifier[Any]]
OutputEntry: TypeAlias = Entry[Output[Any]]
PlaceEntry: TypeAlias = Entry[StoragePlace[Any]]


@dataclass(frozen=True, slots=True)
class Branch:
    """Steps of a route for the events that `when` finds, and no branch before it; None: for all that are left."""

    when: str | None
    parse: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One parser of a pipeline; `when` is a search, or None for all events; `on_error` is for those it cannot read.

    A route has branches, and its parser does nothing.
    """

    type: str
    plugin: Class[Parser[Any]]
    config: PluginConfig = field(repr=False)
    when: str | None = None
    shown: Mapping[str, Any] = field(default_factory=dict)
    place: Place = field(default=_NOWHERE, compare=False)
    on_error: OnError = "keep"
    branches: tuple[Branch, ...] = ()

    def make(self) -> Parser[Any]:
        """A new instance of the parser with these settings."""
        return self.plugin(self.config)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Sources and the parsers their events go through, in order."""

    name: str
    from_: tuple[str, ...]
    service: str | None = None
    parse: tuple[Step, ...] = ()
    tests: tuple[PipelineTest, ...] = ()


def _none() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Config:
    """A checked configuration. Every source belongs to exactly one pipeline; mappings keep the order of the file."""

    sources: Mapping[str, SourceEntry] = field(default_factory=_none)
    pipelines: Mapping[str, Pipeline] = field(default_factory=_none)
    detectors: Mapping[str, DetectorEntry] = field(default_factory=_none)
    notifiers: Mapping[str, NotifierEntry] = field(default_factory=_none)
    outputs: Mapping[str, OutputEntry] = field(default_factory=_none)
    routing: Routing = field(default_factory=Routing)
    """Who else is told of an incident, and who is on call."""
    maintenance: Mapping[str, Maintenance] = field(default_factory=_none)
    """Windows in which nobody is told."""
    reports: Mapping[str, ReportSettings] = field(default_factory=_none)
    recordings: Mapping[str, RecordingSettings] = field(default_factory=_none)
    """Figures that are kept as metrics."""
    store: StoreSettings = field(default_factory=StoreSettings)
    limits: Limits = field(default_factory=Limits)
    sign_in: SignInSettings = field(default_factory=SignInSettings)
    place: str = POSTGRESQL
    """Where merged segments go: `postgresql`, or one of `places`."""
    places: Mapping[str, PlaceEntry] = field(default_factory=_none)
    """The places beside PostgreSQL, by the name that the catalog has of them."""
    files: tuple[str, ...] = ()
    """The files it was read from, the first one first."""
    written: Written = field(default_factory=lambda: Written({}), compare=False)
    """What of it is kept with code, as the files say it."""

    @classmethod
    def default(cls, registry: Registry | None = None) -> Config:
        """What runs without a file: every installed HTTP source with its default settings."""
        return cls().with_implicit(registry or load_plugins())

    def with_implicit(self, registry: Registry) -> Config:
        """This configuration and, in the pipeline `default`, every HTTP source that the file does not configure.

        A type whose settings have no defaults is left out: it runs only where a file names it.
        """
        present = {entry.type for entry in self.sources.values()}
        added: dict[str, SourceEntry] = {}
        for type_, loaded in registry.kinds["source"].items():
            if issubclass(loaded.cls, HttpSource) and type_ not in present:
                try:
                    settings = loaded.cls.config_model()
                except ValidationError:
                    continue
                name = type_ if type_ not in self.sources else f"{type_}-default"
                added[name] = Entry(name, type_, loaded.cls, settings, {"type": type_}, implicit=True)
        sources = MappingProxyType({**self.sources, **added})
        return replace(self, sources=sources, pipelines=with_default(self.pipelines, sources))

    def pipeline_of(self, source: str) -> Pipeline:
        """The pipeline that a source's events go through.

        :raises KeyError: there is no such source
        """
        return next(pipeline for pipeline in self.pipelines.values() if self.sources[source].name in pipeline.from_)


def with_default(pipelines: Mapping[str, Pipeline], sources: Mapping[str, SourceEntry]) -> Mapping[str, Pipeline]:
    """The pipelines, with those sources in `default` that none of them names."""
    used = {name for pipeline in pipelines.values() for name in pipeline.from_}
    rest = tuple(name for name in sources if name not in used)
    if not rest:
        return MappingProxyType(dict(pipelines))
    default = pipelines.get(DEFAULT) or Pipeline(DEFAULT, ())
    return MappingProxyType({**pipelines, DEFAULT: replace(default, from_=(*default.from_, *rest))})
