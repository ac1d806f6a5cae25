"""The hook specification, and how plugins are found and loaded.

A package declares `[project.entry-points.cordwood] name = "module"`; the module (or object) has a function
`cordwood_plugins`, marked with `hookimpl`, that returns plugin classes. Ours are loaded exactly so.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from types import FunctionType, ModuleType

import pluggy

from .base import Detector, Notifier, Output, Parser, Place, Plugin, Source
from .errors import PluginError

API_VERSION = "1.2"
"""Version of this plugin API. A plugin made for another major version (`CORDWOOD_API` in its module) is refused."""

GROUP = "cordwood"
KINDS: tuple[type[Plugin], ...] = (Source, Parser, Detector, Notifier, Output, Place)  # type: ignore[type-arg]

hookspec = pluggy.HookspecMarker("cordwood")
hookimpl = pluggy.HookimplMarker("cordwood")
_log = logging.getLogger(__name__)


class Hooks:
    """What a plugin package may implement."""

    @hookspec
    def cordwood_plugins(self) -> list[type[Plugin]]:  # type: ignore[type-arg, empty-body]
        """Return the plugin classes of this package."""


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """A plugin class and where it comes from."""

    cls: type[Plugin]  # type: ignore[type-arg]
    package: str
    version: str

    @property
    def summary(self) -> str:
        """The first line of the class's docstring."""
        return (self.cls.__doc__ or "").strip().partition("\n")[0]


@dataclass(frozen=True, slots=True)
class LoadFailure:
    """A package that could not be used, and why."""

    entry_point: str
    package: str
    reason: str


@dataclass(frozen=True, slots=True)
class Registry:
    """All plugins by kind (`source`, `parser`, …, see `KINDS`) and type, and packages that failed."""

    kinds: Mapping[str, Mapping[str, LoadedPlugin]]
    failures: tuple[LoadFailure, ...] = field(default=())

    def get(self, kind: str, type_: str) -> type[Plugin]:  # type: ignore[type-arg]
        """The class of this type.

        :raises PluginError: no such type is installed; the message names the nearest, or the failure to load it
        """
        found = self.kinds[kind].get(type_)
        if found:
            return found.cls
        near = difflib.get_close_matches(type_, self.kinds[kind], n=1)
        failed = [f for f in self.failures if type_ in (f.entry_point, f.package)]
        hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(self.kinds[kind])) or 'none'}"
        raise PluginError(f"no {kind} of type {type_}{f': {failed[0].reason}' if failed else hint}")


def load_plugins() -> Registry:
    """Load every entry point of the group; one that fails is reported and the rest load."""
    kinds: dict[str, dict[str, LoadedPlugin]] = {base.kind: {} for base in KINDS}
    failures: list[LoadFailure] = []
    manager = _Manager("cordwood")
    manager.add_hookspecs(Hooks)
    for package, version, entry in _entries():
        try:
            for cls in _classes(entry, manager):
                _register(kinds, cls, package, version)
        except Exception as why:  # a stranger's code: whatever it raises must not stop the others
            reason = str(why) if isinstance(why, PluginError) else f"{type(why).__name__}: {why}"
            failures.append(LoadFailure(entry.name, package, reason))
            _log.error("plugin %s of package %s was not loaded: %s", entry.name, package, reason)
    return Registry(kinds, tuple(failures))


def _entries() -> list[tuple[str, str, EntryPoint]]:
    """Package, its version and the entry point: Cordwood's own first, then by name."""
    packages: dict[int, tuple[str, str]] = {}  # a distribution reads its metadata anew each time it is asked: 1 ms
    found = []
    for entry in entry_points(group=GROUP):
        dist = entry.dist
        if dist is None:
            package = entry.name, ""
        elif (known := packages.get(id(dist))) is not None:
            package = known
        else:
            package = packages[id(dist)] = dist.name, dist.version
        found.append((*package, entry))
    return sorted(found, key=lambda one: (one[0] != GROUP, one[0], one[2].name))


def check_api(module: object) -> None:
    """Refuse a package that was made for another major version of this API.

    :raises PluginError: it was
    """
    made_for = str(getattr(module, "CORDWOOD_API", API_VERSION))
    if made_for.partition(".")[0] != API_VERSION.partition(".")[0]:
        raise PluginError(
            f"made for plugin API {made_for}, this Cordwood has {API_VERSION}: install a matching release"
        )


class _Manager(pluggy.PluginManager):
    """Asks of a module's names only those whether they are hooks that may be: the others are a twentieth of a start."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        if isinstance(plugin, ModuleType) and not isinstance(vars(plugin).get(name), FunctionType):
            return None
        return super().parse_hookimpl_opts(plugin, name)


def _classes(entry: EntryPoint, manager: _Manager) -> list[type[Plugin]]:  # type: ignore[type-arg]
    module = entry.load()
    check_api(module)
    manager.register(module)
    try:
        manager.check_pending()
        classes = [cls for found in manager.hook.cordwood_plugins() for cls in found]
    finally:
        manager.unregister(module)
    if not classes:
        raise PluginError("has no cordwood_plugins() marked with hookimpl that returns plugin classes")
    return classes


def _register(kinds: dict[str, dict[str, LoadedPlugin]], cls: object, package: str, version: str) -> None:
    if not (isinstance(cls, type) and issubclass(cls, KINDS)):
        raise PluginError(f"{cls!r} extends none of Source, Parser, Detector, Notifier, Output, Place")
    if not hasattr(cls, "config_model"):
        raise PluginError(
            f"{cls.__name__} names no settings: write class {cls.__name__}({cls.__bases__[0].__name__}[Config])"
        )
    if cls.__abstractmethods__:
        raise PluginError(f"{cls.__name__} lacks the method {', '.join(sorted(cls.__abstractmethods__))}")
    taken = kinds[cls.kind].get(cls.type)
    if taken:
        raise PluginError(f"the {cls.kind} type {cls.type} is taken by package {taken.package}")
    kinds[cls.kind][cls.type] = LoadedPlugin(cls, package, version)
