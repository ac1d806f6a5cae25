"""The sections of a file: each plugin's settings by its own model, and every name that one entry uses of another."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from ..plugins import (
    Computer,
    ConfigError,
    Gatherer,
    Mailer,
    Parser,
    Place,
    Plugin,
    PluginConfig,
    PluginError,
    QueryError,
    Registry,
)
from .branches import DEEPEST, ROUTE, Route
from .errors import nearest
from .models import (
    DEFAULT,
    ON_ERROR,
    POSTGRESQL,
    Branch,
    DetectorEntry,
    Entry,
    NotifierEntry,
    OnError,
    OutputEntry,
    Pipeline,
    PipelineSettings,
    PlaceEntry,
    RecordingSettings,
    ReportSettings,
    SourceEntry,
    Step,
)
from .routes import Routing
from .silences import Maintenance
from .tellable import checked_maintenance, checked_routing, cycle
from .tree import Element, Report, kind_of
from .validate import concealed, fields_by_name, guarded, query_error, shown, validated

QueryCheck: TypeAlias = Callable[[str], None]
"""Raises QueryError where the text is no query."""


METRIC = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]{0,99}")
"""A name that Prometheus takes; colons are for those made from others there."""


@dataclass(frozen=True, slots=True)
class _Made:
    cls: type[Plugin[Any]]
    config: PluginConfig


class Checker:
    """Checks sections and reports what is wrong; an entry with an error is left out of the result."""

    def __init__(
        self,
        registry: Registry,
        report: Report,
        check_query: QueryCheck | None,
        check_when: QueryCheck | None,
        check_recording: QueryCheck | None,
        check_expression: QueryCheck | None,
    ) -> None:
        self._registry, self._report = registry, report
        self._check_query, self._check_when, self._check_recording = check_query, check_when, check_recording
        self._check_expression = check_expression

    def sources(self, section: Element | None) -> dict[str, SourceEntry]:
        """The entries of `sources:`."""
        return dict(self._entries("source", "sources", section))

    def notifiers(self, section: Element | None) -> dict[str, NotifierEntry]:
        """The entries of `notifiers:`."""
        return dict(self._entries("notifier", "notifiers", section))

    def mail(self, sign_in: Element | None, section: Element | None, made: Mapping[str, NotifierEntry]) -> None:
        """`mail` of `sign_in:` must be a notifier that can write to one person."""
        named = sign_in.items.get("mail") if sign_in else None
        self._names(named, set(section.items) if section else set(), "sign_in.mail", "notifier")
        entry = made.get(named.value) if named and isinstance(named.value, str) else None
        if named and entry and not issubclass(entry.plugin, Mailer):
            message = f"sign_in.mail: {entry.name} is of the type {entry.type}, which writes to no single person"
            self._report(named.place.error(message, "name a notifier of the type email"))

    def outputs(self, section: Element | None) -> dict[str, OutputEntry]:
        """The entries of `outputs:`, with their searches."""
        found: dict[str, OutputEntry] = dict(self._entries("output", "outputs", section))
        for name, element in self._named("outputs", section):
            self._checked_query(element.items.get("when"), f"outputs.{name}.when", self._check_when)
            if len(name) > 100:
                self._report(
                    element.place.error(f"outputs.{name[:60]}…: the name is too long", "use at most 100 characters")
                )
        return found

    def routing(self, sections: Mapping[str, Element]) -> tuple[Routing, set[str]]:
        """`routes:` and `rotas:`, and the names of all who may be told."""
        return checked_routing(sections, self._report, self._names)

    def maintenance(self, sections: Mapping[str, Element]) -> dict[str, Maintenance]:
        """The windows of `maintenance:`."""
        return checked_maintenance(sections, self._report, self._names)

    def detectors(self, section: Element | None, known: set[str]) -> dict[str, DetectorEntry]:
        """The entries of `detectors:`; those they notify must be among the `known`."""
        found: dict[str, DetectorEntry] = dict(self._entries("detector", "detectors", section))
        for name, element in self._named("detectors", section):
            path = f"detectors.{name}"
            self._checked_query(element.items.get("query"), f"{path}.query", self._check_query)
            self._names(element.items.get("notify"), known, f"{path}.notify", "notifier")
            others = set(section.items if section else ()) - {name}
            self._names(element.items.get("depends_on"), others, f"{path}.depends_on", "other detector")
        ring = cycle({name: getattr(entry.config, "depends_on", ()) for name, entry in found.items()})
        if ring and section:
            message = f"detectors.{ring[0]}.depends_on: in a ring nobody would be told: {' → '.join(ring)}"
            self._report(section.items[ring[0]].place.error(message, "take one of them out"))
        return found

    def reports(self, section: Element | None, notifiers: Element | None) -> dict[str, ReportSettings]:
        """The entries of `reports:`; those that send them must be defined."""
        known = set(notifiers.items) if notifiers else set()
        found = {}
        for name, element in section.items.items() if section else ():
            path = f"reports.{name}"
            if len(name) > 100:
                self._report(element.place.error(f"{path[:60]}…: the name is too long", "use at most 100 characters"))
            if settings := validated(ReportSettings, element, path, self._report):
                found[name] = settings
            self._names(element.items.get("notify"), known, f"{path}.notify", "notifier")
        return found

    def recordings(self, section: Element | None) -> dict[str, RecordingSettings]:
        """The entries of `recordings:`; each name is a metric's in Prometheus, where a counter's ends in _total."""
        found: dict[str, RecordingSettings] = {}
        told: dict[str, str] = {}
        for name, element in section.items.items() if section else ():
            path = f"recordings.{name[:60]}"
            if not METRIC.fullmatch(name):
                hint = "begin with a letter or _, and use letters, digits and _, at most 100"
                self._report(element.place.error(f"{path}: no name of a metric", hint))
            self._checked_query(element.items.get("query"), f"{path}.query", self._check_recording)
            if settings := validated(RecordingSettings, element, path, self._report):
                found[name] = settings
                shown_as = f"{name.removesuffix('_total')}_total" if settings.kind == "counter" else name
                if shown_as in told:
                    message = f"{path}: Prometheus would see it under the name of {told[shown_as]}, {shown_as}"
                    self._report(element.place.error(message, "give it another name"))
                told[shown_as] = name
        return found

    def streams(self, store: Element) -> None:
        """Check the searches of `streams:` of `store:` and of its projects."""
        for path, element in [("store", store), *self._within("store.projects", store.items.get("projects"))]:
            for at, stream in self._within(f"{path}.streams", element.items.get("streams")):
                self._checked_query(stream.items.get("query"), f"{at}.query", self._check_when)

    def places(self, store: Element | None) -> tuple[str, dict[str, PlaceEntry]]:
        """What `place:` and `places:` of `store:` say: the name of the place for new segments, and all by name.

        A place whose settings stand at `place:` itself is named after its type.
        """
        section, chosen = (store.items.get(name) if store else None for name in ("places", "place"))
        found: dict[str, PlaceEntry] = dict(self._entries("place", "store.places", section))
        if section and not isinstance(section.value, dict | None) and not section.broken:
            self._report(section.place.error(f"store.places: must be a mapping of names, not {kind_of(section)}"))
        known = {POSTGRESQL, *(section.items if section else ())}
        if section and POSTGRESQL in section.items:
            place = section.keys[POSTGRESQL]
            self._report(place.error(f"store.places: the name {POSTGRESQL} is taken", "it is always there"))
        if chosen is None or chosen.broken:
            return POSTGRESQL, found
        if isinstance(chosen.value, dict):
            made = self._plugin("place", chosen, "store.place")
            if made is None:
                return POSTGRESQL, found
            name = made.cls.type
            if name in known:
                message = f"store.place: there is a place named {name} under store.places already"
                self._report(chosen.place.error(message, "give this one a name there, too"))
            assert store is not None
            cls = cast(type[Place[Any]], made.cls)
            found[name] = Entry(
                name, name, cls, made.config, concealed(shown(chosen), made.config), store.keys["place"]
            )
            return name, found
        if isinstance(chosen.value, str):
            self._names(chosen, known, "store.place", "place")
            return chosen.value, found
        message = f"store.place: must be a name, or a mapping with a type, not {kind_of(chosen)}"
        self._report(chosen.place.error(message))
        return POSTGRESQL, found

    def pipelines(self, section: Element | None, sources: Element | None) -> dict[str, Pipeline]:
        """The entries of `pipelines:`; the sources they read must be defined, and feed one pipeline each."""
        known = set(sources.items) if sources else set()
        used: dict[str, str] = {}
        found = {}
        for name, element in self._named("pipelines", section):
            path = f"pipelines.{name}"
            settings = validated(PipelineSettings, _without_steps(element), path, self._report)
            reads = element.items.get("from")
            if reads is None and name != DEFAULT:
                self._report(element.place.error(f"{path}: the setting from is missing", "name the sources it reads"))
            self._names(reads, known, f"{path}.from", "source")
            for item in _listed(reads):
                if not isinstance(item.value, str):  # reported by the model
                    continue
                if item.value in used:
                    message = f"{path}.from: the source {item.written} feeds the pipeline {used[item.value]} already"
                    self._report(item.place.error(message, "a source feeds one pipeline"))
                else:
                    used[item.value] = name
            steps = tuple(self._steps(element.items.get("parse"), f"{path}.parse"))
            if settings:
                found[name] = Pipeline(name, tuple(settings.from_), settings.service, steps, tuple(settings.tests))
        return found

    def _steps(self, section: Element | None, path: str, depth: int = 0) -> Iterator[Step]:
        for i, element in enumerate(section.elements if section else ()):
            at = f"{path}[{i}]"
            if isinstance(element.value, str) and not element.broken:  # `- json` for `- {type: json}`
                element = Element({"type": element}, element.place, keys={"type": element.place})
            if not isinstance(element.value, dict):
                if not element.broken:
                    self._report(element.place.error(f"{at}: must be a mapping with a type, not {kind_of(element)}"))
                continue
            when = element.items.get("when")
            if when and not isinstance(when.value, str):
                self._report(when.place.error(f"{at}.when: must be a search, as text, not {kind_of(when)}"))
            self._checked_query(when, f"{at}.when", self._check_when)
            search = when.value if when and isinstance(when.value, str) else None
            named = element.items.get("type")
            if named is not None and named.value == ROUTE:
                if route := self._route(element, at, search, depth):
                    yield route
                continue
            on_error = self._on_error(element.items.get("on_error"), f"{at}.on_error")
            made = self._plugin("parser", element.without("when", "on_error"), at)
            if made:
                cls = cast(type[Parser[Any]], made.cls)
                if issubclass(cls, Computer) and (computed := element.items.get("expressions")):
                    for name, text in computed.items.items():
                        self._checked_query(text, f"{at}.expressions.{name}", self._check_expression)
                if issubclass(cls, Gatherer):
                    self._gathers(element, at, first=i == 0 and depth == 0)
                values = concealed(shown(element), made.config)
                yield Step(cls.type, cls, made.config, search, values, element.place, on_error)

    def _gathers(self, element: Element, path: str, *, first: bool) -> None:
        """A step that puts events together sees all of them, as they come."""
        for name in ("when", "on_error"):
            if name in element.items:
                message = f"{path}.{name}: a step that puts events together sees all of them"
                self._report(element.keys[name].error(message, f"take out {name}"))
        if not first:
            message = f"{path}: a step that puts events together is a pipeline's first"
            self._report(element.place.error(message, "move it before the others"))

    def _route(self, element: Element, path: str, when: str | None, depth: int) -> Step | None:
        """A step of steps; None where nothing can be made of it, which was reported."""
        if depth >= DEEPEST:
            self._report(element.place.error(f"{path}: routes stand within {DEEPEST} others at most"))
            return None
        self._only(element, path, ("type", "when", "branches", "else"))
        listed = element.items.get("branches")
        if listed is None or not listed.elements:
            place = (listed or element).place
            self._report(place.error(f"{path}.branches: must be a list of branches", "each has when and parse"))
            return None
        branches = []
        for i, branch in enumerate(listed.elements):
            at = f"{path}.branches[{i}]"
            search = branch.items.get("when")
            if search is None or not isinstance(search.value, str) or not search.value.strip():
                self._report(branch.place.error(f"{at}: must have a search at when", "what is left goes to else"))
                continue
            self._only(branch, at, ("when", "parse"))
            self._checked_query(search, f"{at}.when", self._check_when)
            branches.append(Branch(search.value, self._inner(branch, "parse", at, depth)))
        if "else" in element.items:
            branches.append(Branch(None, self._inner(element, "else", path, depth)))
        values = {"type": ROUTE, **({"when": when} if when else {})}
        told = [{"when": one.when, "parse": [step.shown for step in one.parse]} for one in branches if one.when]
        rest = {"else": [step.shown for one in branches if not one.when for step in one.parse]}
        shown_ = values | {"branches": told} | (rest if "else" in element.items else {})
        return Step(ROUTE, Route, PluginConfig(), when, shown_, element.place, branches=tuple(branches))

    def _inner(self, element: Element, name: str, path: str, depth: int) -> tuple[Step, ...]:
        """The steps at a name of a branch or a route."""
        steps = element.items.get(name)
        if (steps is None or not isinstance(steps.value, tuple)) and not (steps and steps.broken):
            self._report((steps or element).place.error(f"{path}.{name}: must be a list of steps", "[] does nothing"))
        return tuple(self._steps(steps, f"{path}.{name}", depth + 1))

    def _only(self, element: Element, path: str, known: tuple[str, ...]) -> None:
        for name in element.items:
            if name not in known:
                hint = nearest(name, known) or f"use {', '.join(known)}"
                self._report(element.keys[name].error(f"{path}: there is no setting {name[:60]}", hint))

    def _on_error(self, element: Element | None, path: str) -> OnError:
        for word in ON_ERROR:
            if element is None or element.value == word:
                return word
        if element is not None and not element.broken:
            message = guarded(f"{path}: {element.written} is none of {', '.join(ON_ERROR)}", element)
            self._report(element.place.error(message))
        return ON_ERROR[0]

    def _named(self, path: str, section: Element | None) -> Iterator[tuple[str, Element]]:
        """The names of a section whose entries are mappings; others are reported by `_entries` or here."""
        for name, element in section.items.items() if section else ():
            if isinstance(element.value, dict):
                yield name, element
            elif path == "pipelines" and not element.broken:
                self._report(element.place.error(f"{path}.{name}: must be a mapping, not {kind_of(element)}"))

    def _entries(self, kind: str, path: str, section: Element | None) -> Iterator[tuple[str, Entry[Any]]]:
        for name, element in section.items.items() if section else ():
            at = f"{path}.{name}"
            if not isinstance(element.value, dict):
                if not element.broken:
                    self._report(element.place.error(f"{at}: must be a mapping with a type, not {kind_of(element)}"))
                continue
            made = self._plugin(kind, element, at)
            if made:
                assert section is not None
                yield (
                    name,
                    Entry(
                        name,
                        made.cls.type,
                        made.cls,
                        made.config,
                        concealed(shown(element), made.config),
                        section.keys[name],
                    ),
                )

    def _plugin(self, kind: str, element: Element, path: str) -> _Made | None:
        """The plugin's class and its settings, or None where something was reported."""
        named = element.items.get("type")
        if named is None:
            self._report(element.place.error(f"{path}: the setting type is missing", self._types(kind)))
            return None
        if not isinstance(named.value, str):
            if not named.broken:
                self._report(named.place.error(f"{path}.type: must be text, not {kind_of(named)}", self._types(kind)))
            return None
        try:
            cls = self._registry.get(kind, named.value)
        except PluginError as why:
            if not named.broken:
                self._report(named.place.error(f"{path}.type: {guarded(str(why), named)}"))
            return None
        settings = element.without("type")
        owner = f"the {kind} {cls.type}"
        broken = any(item.broken for item in settings.walk())
        config = validated(cls.config_model, settings, path, self._report, owner)
        if config is None and not broken:
            self._known_part(cls, settings, path, owner)
        if config is None or broken:
            return None
        return _Made(cls, config) if self._makes(cls, config, settings, path, owner) else None

    def _known_part(self, cls: type[Plugin[Any]], element: Element, path: str, owner: str) -> None:
        """Where only names were wrong, what the constructor says about the rest is told in the same go."""
        known = fields_by_name(cls.config_model)
        part = element.without(*(name for name in element.items if name not in known))
        config = validated(cls.config_model, part, path, lambda _: None, owner) if part.items != element.items else None
        if config is not None:
            self._makes(cls, config, part, path, owner)

    def _makes(self, cls: type[Plugin[Any]], config: PluginConfig, element: Element, path: str, owner: str) -> bool:
        """Make the plugin once: what its constructor refuses is an error of the file."""
        try:
            cls(config)
        except QueryError as why:
            item = element.items.get("query", element)
            self._report(query_error(why, item, f"{path}.query" if item is not element else path))
        except (ConfigError, ValueError) as why:
            message = why.message if isinstance(why, ConfigError) else str(why)
            hint = why.hint if isinstance(why, ConfigError) else ""
            if guarded(message + hint, element) != message + hint:
                message, hint = guarded(message + hint, element), ""
            setting, colon, rest = message.partition(": ")  # `pattern: …` is about that setting
            if colon and setting in element.items:
                self._report(element.items[setting].place.error(f"{path}.{setting}: {rest}", hint))
            else:
                self._report(element.place.error(f"{path}: {message}", hint))
        except Exception as why:  # a stranger's constructor: whatever it raises is an error of the file
            self._report(element.place.error(f"{path}: {owner} failed on these settings: {type(why).__name__}"))
        else:
            return True
        return False

    def _within(self, path: str, section: Element | None) -> list[tuple[str, Element]]:
        """The entries of a mapping with their paths; what is none is reported by the model."""
        return [(f"{path}.{name}", item) for name, item in section.items.items()] if section else []

    def _checked_query(self, element: Element | None, path: str, check: QueryCheck | None) -> None:
        if element is None or check is None or element.broken or not isinstance(element.value, str):
            return
        try:
            check(element.value)
        except QueryError as why:
            self._report(query_error(why, element, path))

    def _names(self, element: Element | None, known: set[str], path: str, what: str) -> None:
        """Report every name that is not known; what is no text is reported by the model."""
        for item in _listed(element):
            if isinstance(item.value, str) and not item.broken and item.value not in known:
                message = guarded(f"there is no {what} named {item.value}", item)
                hint = nearest(item.value, known) or f"define it under {what}s"
                self._report(item.place.error(f"{path}: {message}", "" if item.secret else hint))

    def _types(self, kind: str) -> str:
        return f"the types are {', '.join(sorted(self._registry.kinds[kind])) or 'none'}"


def _listed(element: Element | None) -> list[Element]:
    """The elements of a list, or the one that stands for a list of one."""
    if element is None:
        return []
    return list(element.elements) if isinstance(element.value, tuple) else [element]


def _without_steps(element: Element) -> Element:
    """The pipeline without what other checks look at: the steps' own content."""
    steps = element.items.get("parse")
    return element.without("parse") if steps is not None and isinstance(steps.value, tuple) else element
