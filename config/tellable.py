"""Checks `rotas:`, `routes:` and `maintenance:`: every name must lead somewhere, every route must be reachable.

And that detectors do not depend on each other in a ring.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from .routes import MAX_DEPTH, MAX_ROUTES, Rota, Route, Routing
from .silences import Maintenance
from .tree import Element, Report
from .validate import validated

MAX_WINDOWS = 200  # each is asked for every incident that is open
NameCheck: TypeAlias = Callable[[Element | None, set[str], str, str], None]
"""Reports those names of an element that are not known, at a path, with the word for what they should be."""


def checked_routing(sections: Mapping[str, Element], report: Report, names: NameCheck) -> tuple[Routing, set[str]]:
    """The routes and rotas, and every name that may be told: of notifiers and of rotas."""
    notifiers = _named(sections.get("notifiers"))
    rotas: dict[str, Rota] = {}
    for name, element in _items(sections.get("rotas")):
        path = f"rotas.{name}"
        if name in notifiers:
            report(element.place.error(f"{path}: there is a notifier of this name already", "give the rota another"))
        if rota := validated(Rota, element, path, report):
            rotas[name] = rota
        names(element.items.get("people"), notifiers, f"{path}.people", "notifier")
    tellable = notifiers | _named(sections.get("rotas"))
    check = _Routes(report, names, tellable, _named(sections.get("detectors")))
    routes: dict[str, Route] = {}
    for name, element in _items(sections.get("routes")):
        if route := validated(Route, element, f"routes.{name}", report):
            routes[name] = route
    check.level(sections.get("routes"), routes, "routes", 1)
    return Routing(MappingProxyType(routes), MappingProxyType(rotas)), tellable


def checked_maintenance(sections: Mapping[str, Element], report: Report, names: NameCheck) -> dict[str, Maintenance]:
    """The windows in which nobody is told, by name."""
    found: dict[str, Maintenance] = {}
    for name, element in _items(sections.get("maintenance")):
        path = f"maintenance.{name}"
        if window := validated(Maintenance, element, path, report):
            found[name] = window
        names(element.items.get("detectors"), _named(sections.get("detectors")), f"{path}.detectors", "detector")
    if len(found) > MAX_WINDOWS:
        report(sections["maintenance"].place.error(f"maintenance: there may be {MAX_WINDOWS} windows", "match more"))
    return found


class _Routes:
    def __init__(self, report: Report, names: NameCheck, tellable: set[str], detectors: set[str]) -> None:
        self._report, self._names, self._tellable, self._detectors = report, names, tellable, detectors
        self._count = 0

    def level(self, section: Element | None, routes: Mapping[str, Route], path: str, depth: int) -> None:
        """Check the routes beside each other, and those below each."""
        before: dict[str, Route] = {}
        for name, element in _items(section):
            at = f"{path}.{name}"
            self._count += 1
            if depth > MAX_DEPTH or self._count > MAX_ROUTES:
                message = f"{at}: there may be {MAX_ROUTES} routes, {MAX_DEPTH} deep"
                self._report(element.place.error(message, "match more with one route"))
                return
            self._leads_somewhere(element, at)
            route = routes.get(name)
            if route is None:
                continue
            hidden = next((other for other, one in before.items() if not one.continue_ and one.covers(route)), None)
            if hidden is not None:
                message = f"{at}: nothing reaches this route: {hidden} before it takes all of it"
                self._report(element.place.error(message, f"put it first, or set continue: true in {hidden}"))
            before[name] = route
            self.level(element.items.get("routes"), route.routes, f"{at}.routes", depth + 1)

    def _leads_somewhere(self, element: Element, at: str) -> None:
        self._names(element.items.get("detectors"), self._detectors, f"{at}.detectors", "detector")
        self._names(element.items.get("notify"), self._tellable, f"{at}.notify", "notifier")
        steps = element.items.get("escalate")
        for i, step in enumerate(steps.elements if steps else ()):
            self._names(step.items.get("notify"), self._tellable, f"{at}.escalate[{i}].notify", "notifier")


def _items(section: Element | None) -> list[tuple[str, Element]]:
    return list(section.items.items()) if section else []


def _named(section: Element | None) -> set[str]:
    return set(section.items) if section else set()


def cycle(depends_on: Mapping[str, Iterable[str]]) -> list[str]:
    """Names that depend on each other in a ring, the first again at its end; nothing where there is no ring.

    >>> cycle({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}), cycle({"a": ["b", "c"], "b": ["c"], "c": []})
    (['a', 'b', 'c', 'a'], [])
    """
    done: set[str] = set()
    for start in depends_on:
        path, ways = [start], [iter(depends_on[start])]
        while ways:
            name = next(ways[-1], None)
            if name is None:
                done.add(path.pop())
                ways.pop()
            elif name in path:
                return [*path[path.index(name) :], name]
            elif name not in done and name in depends_on:
                path.append(name)
                ways.append(iter(depends_on[name]))
    return []
