"""The folder of an installation: what its files say, and what an export leaves in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ...config import ConfigErrors
from ...config.tree import Element
from ...plugins import ConfigError
from . import KINDS, node
from .files import file_names, read_yaml
from .kind import Kind, There

MOST_FILES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A thing as a file says it; `element` knows its lines."""

    says: Any
    path: Path
    element: Element


@dataclass(frozen=True, slots=True)
class Folder:
    """What the files say: by folder of a kind and key, and of the node. Kinds without a folder are not spoken of."""

    things: Mapping[str, Mapping[str, Wanted]]
    node: Mapping[tuple[str, str], node.Part] | None


def read(root: Path) -> Folder:
    """What the files in `root` say.

    :raises ConfigErrors: everything that is wrong with them
    """
    errors: list[ConfigError] = []
    present = [kind for kind in KINDS if (root / kind.folder).is_dir()]
    has_node = (root / node.FOLDER).is_dir()
    if not present and not has_node:
        names = ", ".join(f"{kind.folder}/" for kind in KINDS)
        raise ConfigErrors([ConfigError(f"there is none of {names} {node.FOLDER}/ in it", file=str(root))])
    if sum(1 for _ in root.glob("*/**/*.yaml")) > MOST_FILES:
        raise ConfigErrors([ConfigError(f"there are more than {MOST_FILES:,} files in it", file=str(root))])
    things = {kind.folder: _things(kind, root / kind.folder, errors) for kind in present}
    parts = node.read(root / node.FOLDER, errors) if has_node else None
    if errors:
        raise ConfigErrors(errors)
    return Folder(things, parts)


def _things(kind: Kind[Any], folder: Path, errors: list[ConfigError]) -> dict[str, Wanted]:
    found: dict[str, Wanted] = {}
    for path in sorted(folder.glob("*.yaml")):
        element = read_yaml(path, errors)
        if element is None:
            continue
        try:
            says = kind.load(element, path)
        except ConfigError as why:
            errors.append(why)
            continue
        key = kind.key(says)
        if key in found:
            place = element.items["name"].place if "name" in element.items else element.place
            errors.append(place.error(f"{kind.title(says)} is there twice", f"the first is {found[key].path}"))
        found[key] = Wanted(says, path, element)
    return found


def files(
    things: Mapping[str, Mapping[str, There[Any]]], parts: Mapping[tuple[str, str], node.Part]
) -> dict[str, bytes]:
    """All files of an installation by their paths."""
    made = node.files(parts)
    for kind in KINDS:
        own = [there.says for _, there in sorted(things.get(kind.folder, {}).items())]
        for stem, says in zip(file_names([kind.title(says) for says in own]), own, strict=True):
            made |= {f"{kind.folder}/{name}": data for name, data in kind.files(says, stem).items()}
    return made


def write(root: Path, made: Mapping[str, bytes]) -> list[str]:
    """Put the files there, and take away those of an export before that are no more; gives the paths of these.

    :raises ConfigError: the folder holds something else, or cannot be written
    """
    entry = root / node.ENTRY
    try:
        root.mkdir(parents=True, exist_ok=True)
        exported = entry.is_file() and entry.read_bytes().startswith(node.ENTRY_TEXT.encode().splitlines()[0][:40])
        if not exported and any(not path.name.startswith(".") for path in root.iterdir()):
            raise ConfigError(f"holds something that is no export (no {node.ENTRY} of one)", file=str(root))
        gone = [path for path in _written_before(root) if path.relative_to(root).as_posix() not in made]
        for folder in (node.FOLDER, *(kind.folder for kind in KINDS)):
            (root / folder).mkdir(exist_ok=True)
        for name, data in sorted(made.items()):
            path = root / name
            path.parent.mkdir(exist_ok=True)
            if not path.is_file() or path.read_bytes() != data:
                path.write_bytes(data)
        for path in gone:
            path.unlink()
    except OSError as why:
        raise ConfigError(f"cannot be written: {why.strerror}", file=str(why.filename or root)) from None
    return sorted(str(path) for path in gone)


def _written_before(root: Path) -> list[Path]:
    patterns = [f"{node.FOLDER}/*.yaml", f"{node.FOLDER}/*/*.yaml", *(f"{kind.folder}/*.yaml" for kind in KINDS)]
    return [path for pattern in [*patterns, "lookups/*.csv"] for path in root.glob(pattern)]
