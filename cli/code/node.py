"""`node/`: sections of the node's own file. They are compared with what runs, and changed where that file lies.

`cordwood.yaml` beside it includes them all: a node that starts with it says the same as the one that was exported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ...config.errors import nearest
from ...config.tree import Element
from ...plugins import ConfigError
from .files import file_names, read_yaml, to_yaml

FOLDER: Final = "node"
ENTRY: Final = "cordwood.yaml"
ENTRY_TEXT: Final = """\
# Written by `cordwood export`. `cordwood up` of this file runs what stands under node/; add what is this node's own,
# such as sources, pipelines and outputs, in a file that includes this one.
version: 1
include: [node/*.yaml, node/*/*.yaml]
"""
WHOLE: Final = ("routes", "store")
"""Sections of one file: of routes the order counts."""
SECTIONS: Final = ("detectors", "maintenance", "notifiers", "recordings", "reports", "rotas", "routes", "store")
_DEFAULT: Final = re.compile(r"(?<!\$)(\$\{[^}]*?):-[^}]*\}")


@dataclass(frozen=True, slots=True)
class Part:
    """One detector, notifier, …, or a section as a whole; `path` is its file, where it has one."""

    section: str
    name: str
    says: Any
    path: Path | None = None

    @property
    def title(self) -> str:
        """What people call it."""
        return self.section if self.section in WHOLE else f"{self.section}.{self.name}"

    def text(self) -> str:
        """Its file. Names that routes have are in their order; of others the order of settings does not count."""
        return to_yaml({self.section: self.says if self.section in WHOLE else {self.name: self.says}})

    def same(self, other: Part) -> bool:
        """Whether both say the same."""
        return self.says == other.says and (self.section != "routes" or self.text() == other.text())


def parts(sections: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], Part]:
    """What the sections of a node say, by section and name."""
    found = {}
    for section, entries in sorted(sections.items()):
        if section in WHOLE:
            found[section, ""] = Part(section, "", entries)
        elif section in SECTIONS:
            found |= {(section, name): Part(section, name, says) for name, says in sorted(entries.items())}
    return found


def files(found: Mapping[tuple[str, str], Part]) -> dict[str, bytes]:
    """The files of the parts by their paths, and the one that includes them."""
    made = {ENTRY: ENTRY_TEXT.encode()}
    for section in SECTIONS:
        own = [part for part in found.values() if part.section == section]
        if section in WHOLE:
            made |= {f"{FOLDER}/{section}.yaml": part.text().encode() for part in own}
        else:
            stems = file_names([part.name for part in own])
            made |= {
                f"{FOLDER}/{section}/{stem}.yaml": part.text().encode() for stem, part in zip(stems, own, strict=True)
            }
    return made


def read(folder: Path, errors: list[ConfigError]) -> dict[tuple[str, str], Part]:
    """What the files below `folder` say; what is wrong with them is among the errors."""
    found: dict[tuple[str, str], Part] = {}
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*/*.yaml")]):
        element = read_yaml(path, errors)
        for section, item in element.items.items() if element else ():
            if section not in SECTIONS:
                assert element is not None
                hint = nearest(section, SECTIONS)
                errors.append(element.keys[section].error(f"{section}: no section that is kept here", hint))
                continue
            for name, says, at in _entries(section, item):
                if (section, name) in found:
                    first = found[section, name]
                    errors.append(at.place.error(f"{first.title} is there twice", f"the first is in {first.path}"))
                found[section, name] = Part(section, name, says, path)
    return found


def _entries(section: str, item: Element) -> list[tuple[str, Any, Element]]:
    if section in WHOLE:
        return [("", _plain(item.plain()), item)]
    return [(name, _plain(entry.plain()), entry) for name, entry in item.items.items()]


def _plain(value: Any) -> Any:
    """The value with `${NAME:-default}` as `${NAME}`: a server does not tell defaults, which may be secrets."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return _DEFAULT.sub(r"\1}", value) if isinstance(value, str) else value
