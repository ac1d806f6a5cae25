"""Reads a file and those it includes into one tree, with `${…}` resolved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ..plugins import ConfigError
from .aws import AwsSecrets
from .resolve import resolve
from .tree import Element, Place, Report, parse_yaml

SECTIONS = ("sources", "pipelines", "detectors", "notifiers", "outputs")
"""The sections whose names may be spread over several files."""


class FileReader:
    """Reads files; `seen` has their paths in the order read, as they are shown in errors."""

    def __init__(self, environment: Mapping[str, str], report: Report) -> None:
        self._environment, self._report = environment, report
        self._open: list[Path] = []
        self._secrets = AwsSecrets()
        self.seen: list[str] = []

    def read(self, path: Path, asked: Place | None = None) -> Element:
        """The tree of a file with its includes merged in. `asked` is where another file includes it."""
        try:
            text = path.read_bytes().decode("utf-8")
        except OSError as why:
            return self._unreadable(f"the file {path} cannot be read: {why.strerror}", path, asked)
        except UnicodeDecodeError:
            return self._unreadable(f"the file {path} is not UTF-8 text", path, asked)
        if path.resolve() in self._open:
            return self._unreadable(f"{path} includes itself", path, asked)
        self._open.append(path.resolve())
        element = self.parse(text, path)
        self._open.pop()
        return element

    def parse(self, text: str, path: Path) -> Element:
        """The tree of a text that stands at `path`."""
        self.seen.append(str(path))
        written = parse_yaml(text, str(path), self._report)
        element = resolve(written, self._environment, path.parent, self._secrets, self._report)
        for name, place in _included(element):
            found = [path.parent / name]
            if any(c in name for c in "*?["):
                found = sorted(path.parent.glob(name)) if not Path(name).is_absolute() else []
            for more in found:
                element = self._merged(element, self.read(more, place))
        return element

    def _unreadable(self, message: str, path: Path, asked: Place | None) -> Element:
        self._report(asked.error(message) if asked else ConfigError(message, file=str(path)))
        return Element({}, Place(str(path), 1, 1), broken=True)

    def _merged(self, base: Element, more: Element) -> Element:
        """Both files' entries; a name that both define is reported."""
        items, keys = dict(base.items), dict(base.keys)
        for key, item in more.items.items():
            if key in ("include", "version"):
                items.setdefault(key, item)
                keys.setdefault(key, more.keys[key])
            elif key not in items:
                items[key], keys[key] = item, more.keys[key]
            elif items[key].items and item.items:
                items[key] = self._joined(key, items[key], item)
            elif item.value is not None:
                items[key], keys[key] = item, more.keys[key]
        return replace(base, value=items, keys=keys)

    def _joined(self, section: str, base: Element, more: Element) -> Element:
        for name in base.items.keys() & more.items.keys():
            first = base.keys[name]
            self._report(
                more.keys[name].error(
                    f"{section}.{name} is defined in two files", f"the first is {first.file}:{first.line}"
                )
            )
        return replace(base, value={**more.items, **base.items}, keys={**more.keys, **base.keys})


def _included(element: Element) -> Iterator[tuple[str, Place]]:
    include = element.items.get("include")
    for item in (include.elements or [include]) if include else ():
        if isinstance(item.value, str) and not item.broken:
            yield item.value, item.place
