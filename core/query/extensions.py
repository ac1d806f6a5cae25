"""Stages and functions that other packages add to the query language.

A package declares `[project.entry-points."cordwood.language"] name = "module"`; the module has a function
`cordwood_language`, marked with `cordwood.plugins.hookimpl`, that returns `Stage` classes and functions made by
`@function` (see extend.py). They are in no other way different from ours. A package that cannot be used is left out,
with the reason in the log and in `cordwood plugins list`; the rest of the language works.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, TypeAlias

import pluggy
from lark.exceptions import LarkError

from ...plugins import LoadFailure, PluginError, check_api
from .aggregate import AGGREGATES
from .function import Signature, built_in_functions
from .grammar import parser_of
from .stage import Stage
from .stages import built_in_stages
from .value import Value

GROUP: Final = "cordwood.language"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_hookspec = pluggy.HookspecMarker("cordwood")
_log = logging.getLogger(__name__)
Addition: TypeAlias = "type[Stage] | Callable[..., Value]"


class LanguageHooks:
    """What a package that extends the language implements."""

    @_hookspec
    def cordwood_language(self) -> list[Addition]:  # type: ignore[empty-body]
        """Return the stages and functions of this package."""


@dataclass(frozen=True)
class Extension:
    """What a package adds, by name."""

    package: str
    version: str
    stages: Mapping[str, type[Stage]]
    functions: Mapping[str, Signature]


@dataclass(frozen=True)
class Extensions:
    """All that could be used, and what could not."""

    loaded: tuple[Extension, ...]
    failures: tuple[LoadFailure, ...]

    @property
    def stages(self) -> dict[str, type[Stage]]:
        """Of all packages."""
        return {name: stage for one in self.loaded for name, stage in one.stages.items()}

    @property
    def functions(self) -> dict[str, Signature]:
        """Of all packages."""
        return {name: signature for one in self.loaded for name, signature in one.functions.items()}


@lru_cache(maxsize=1)
def load_extensions() -> Extensions:
    """Load every entry point of the group, once; one that fails is reported and the rest load."""
    found = Extensions((), ())
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        package, version = (entry.dist.name, entry.dist.version) if entry.dist else (entry.name, "")
        try:
            made = _extension(entry, package, version, found)
        except Exception as why:  # a stranger's code: whatever it raises must not stop the others
            reason = str(why) if isinstance(why, PluginError) else f"{type(why).__name__}: {why}"
            _log.error("the query language goes without %s of package %s: %s", entry.name, package, reason)
            found = Extensions(found.loaded, (*found.failures, LoadFailure(entry.name, package, reason)))
        else:
            found = Extensions((*found.loaded, made), found.failures)
    return found


def _extension(entry: EntryPoint, package: str, version: str, before: Extensions) -> Extension:
    """What one entry point adds to ours and to those before.

    :raises PluginError: it cannot be used
    """
    module = entry.load()
    check_api(module)
    manager = pluggy.PluginManager("cordwood")
    manager.add_hookspecs(LanguageHooks)
    manager.register(module)
    additions = [one for many in manager.hook.cordwood_language() for one in many]
    stages = {one.name: one for one in additions if _is_stage(one)}
    functions = {mark.name: mark for one in additions for mark in getattr(one, "signatures", ())}
    strange = [one for one in additions if not _is_stage(one) and not hasattr(one, "signatures")]
    if strange or not additions:
        what = f"{strange[0]!r} is neither" if strange else "cordwood_language() returns no"
        raise PluginError(f"{what} Stage class and no function marked with @function")
    taken = {*built_in_stages(), *built_in_functions(), *AGGREGATES, *before.stages, *before.functions}
    for name in (*stages, *functions):
        if not _NAME.fullmatch(name):
            raise PluginError(f"{name!r} is no name of the language: small letters, digits and _, at most 40")
        if name in taken:
            raise PluginError(f"the language has {name} already")
    if stages:
        try:
            parser_of({**built_in_stages(), **before.stages, **stages})
        except LarkError as why:
            raise PluginError(f"the grammar of {', '.join(stages)}: {str(why)[:500]}") from why
    return Extension(package, version, stages, functions)


def _is_stage(one: Any) -> bool:
    return isinstance(one, type) and issubclass(one, Stage)
