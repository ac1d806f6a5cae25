"""`load`: from a YAML file to a checked, frozen `Config`, or to all of its errors at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..plugins import ConfigError, Registry
from .entries import Checker, QueryCheck
from .errors import ConfigErrors, nearest
from .files import FileReader
from .limits import Limits
from .models import Config, FileSettings, StoreSettings, with_default
from .sign_in import SignInSettings
from .tree import Element, kind_of
from .validate import fields_by_name, validated
from .written import written

NOT_YET = {"templates": "templates"}
"""Sections that the format has and this version does not: refused, for what is read and ignored is worse."""


def load(
    path: str | Path,
    registry: Registry,
    *,
    check_query: QueryCheck | None = None,
    check_when: QueryCheck | None = None,
    check_recording: QueryCheck | None = None,
    check_expression: QueryCheck | None = None,
    environment: Mapping[str, str] | None = None,
) -> Config:
    """The configuration in a file. `check_query` checks detectors' queries, `check_when` (default: the same) searches,
    `check_recording` (default: as `check_query`) what recordings keep, `check_expression` (default: not at all) what
    steps compute.

    Reads no network and starts nothing; plugins are only made, with their settings, and thrown away.

    :raises ConfigErrors: everything that is wrong, with file, line and column
    """
    return _load(
        lambda reader: reader.read(Path(path)),
        registry,
        (check_query, check_when, check_recording, check_expression),
        environment,
    )


def load_store(path: str | Path, registry: Registry, *, environment: Mapping[str, str] | None = None) -> Config:
    """Only what the `store:` section of a file says, for commands that work on the store beside the server.

    Neither other sections nor the variables that they name matter.

    :raises ConfigErrors: the file cannot be read, or the section is wrong
    """
    errors: list[ConfigError] = []
    reader = FileReader(os.environ if environment is None else environment, errors.append)
    root = reader.read(Path(path))
    parts = [part for name in ("store", "include") if name in root.items for part in root.items[name].walk()]
    places = [place for part in parts for place in (part.place, *part.keys.values())]
    where = {(place.file, place.line, place.column) for place in places}
    errors[:] = [error for error in errors if root.broken or (error.file, error.line, error.column) in where]
    section = root.without(*(name for name in root.items if name != "store"))
    config = _config(section, Checker(registry, errors.append, None, None, None, None), errors, reader)
    if errors or config is None:
        raise ConfigErrors(errors)
    return config


def load_text(
    text: str,
    registry: Registry,
    *,
    file: str = "cordwood.yaml",
    check_query: QueryCheck | None = None,
    check_when: QueryCheck | None = None,
    check_recording: QueryCheck | None = None,
    check_expression: QueryCheck | None = None,
    environment: Mapping[str, str] | None = None,
) -> Config:
    """As `load`, of a text; `file` is the name in its errors, and includes are relative to it."""
    return _load(
        lambda reader: reader.parse(text, Path(file)),
        registry,
        (check_query, check_when, check_recording, check_expression),
        environment,
    )


def _load(
    read: Callable[[FileReader], Element],
    registry: Registry,
    checks: tuple[QueryCheck | None, QueryCheck | None, QueryCheck | None, QueryCheck | None],
    environment: Mapping[str, str] | None,
) -> Config:
    errors: list[ConfigError] = []
    reader = FileReader(os.environ if environment is None else environment, errors.append)
    root = read(reader)
    query, when, recording, expression = checks
    check = Checker(registry, errors.append, query, when or query, recording or query, expression)
    config = _config(root, check, errors, reader)
    if errors or config is None:
        raise ConfigErrors(errors)
    return config


def _config(root: Element, check: Checker, errors: list[ConfigError], reader: FileReader) -> Config | None:
    if not isinstance(root.value, dict):
        if not root.broken:
            errors.append(root.place.error(f"a file is a mapping with sections, not {kind_of(root)}"))
        return None
    sections = _sections(root, errors)
    top = root.without(*(name for name in root.items if name not in ("version", "include")))
    validated(FileSettings, top, "", errors.append)
    store = StoreSettings()
    if "store" in sections:
        plain = sections["store"].without("place", "places")  # those may hold secrets, and are checked below
        store = validated(StoreSettings, plain, "store", errors.append) or store
        check.streams(sections["store"])
    place, places = check.places(sections.get("store"))
    limits = Limits()
    if "limits" in sections:
        limits = validated(Limits, sections["limits"], "limits", errors.append) or limits
    sign_in = SignInSettings()
    if "sign_in" in sections:
        sign_in = validated(SignInSettings, sections["sign_in"], "sign_in", errors.append) or sign_in
    notifiers = check.notifiers(sections.get("notifiers"))
    check.mail(sections.get("sign_in"), sections.get("notifiers"), notifiers)
    outputs = check.outputs(sections.get("outputs"))
    sources = check.sources(sections.get("sources"))
    pipelines = check.pipelines(sections.get("pipelines"), sections.get("sources"))
    routing, tellable = check.routing(sections)
    maintenance = check.maintenance(sections)
    detectors = check.detectors(sections.get("detectors"), tellable)
    reports = check.reports(sections.get("reports"), sections.get("notifiers"))
    recordings = check.recordings(sections.get("recordings"))
    frozen: dict[str, Any] = {"sources": MappingProxyType(sources), "pipelines": with_default(pipelines, sources)}
    return Config(
        **frozen,
        detectors=MappingProxyType(detectors),
        notifiers=MappingProxyType(notifiers),
        outputs=MappingProxyType(outputs),
        routing=routing,
        maintenance=MappingProxyType(maintenance),
        reports=MappingProxyType(reports),
        recordings=MappingProxyType(recordings),
        store=store,
        limits=limits,
        sign_in=sign_in,
        place=place,
        places=MappingProxyType(places),
        files=tuple(reader.seen),
        written=written(
            sections,
            {
                "detectors": {name: entry.config for name, entry in detectors.items()},
                "notifiers": {name: entry.config for name, entry in notifiers.items()},
            },
        ),
    )


def _sections(root: Element, errors: list[ConfigError]) -> dict[str, Element]:
    """The sections that are mappings; everything else at the top level is reported."""
    known = fields_by_name(FileSettings)
    found: dict[str, Element] = {}
    for name, item in root.items.items():
        place = root.keys[name]
        if name in NOT_YET:
            errors.append(place.error(f"{name}: {NOT_YET[name]} are not in this version of Cordwood", "remove it"))
        elif name not in known:
            errors.append(place.error(f"{name}: there is no such section", nearest(name, known)))
        elif name in ("version", "include") or item.value is None or item.broken:
            continue
        elif isinstance(item.value, dict):
            found[name] = item
        else:
            errors.append(item.place.error(f"{name}: must be a mapping of names, not {kind_of(item)}"))
    return found
