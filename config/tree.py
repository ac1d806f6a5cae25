"""A YAML file as a tree of elements that know their line and column.

Scalars follow the YAML 1.2 core schema, as JSON Schema editors do: `yes`, `on` and `12:30` are text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import yaml

from ..plugins import ConfigError

MAX_ELEMENTS = 100_000  # aliases of aliases grow exponentially: beyond this the file is refused, not expanded

Report: TypeAlias = Callable[[ConfigError], None]
Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands; `line` and `column` count from 1."""

    file: str
    line: int
    column: int

    def error(self, message: str, hint: str = "") -> ConfigError:
        """An error that points here."""
        return ConfigError(message, file=self.file, line=self.line, column=self.column, hint=hint)


@dataclass(frozen=True, slots=True)
class Element:
    """A mapping, a sequence or a scalar. `written` is a scalar's text before `${…}` was resolved.

    `secret`: what it holds came from `${…}` and must not be shown. `broken`: an error has been reported for it already.
    `text_at`: where a scalar's own text begins (after a quote, or below `|`), for errors inside a query.
    """

    value: Any = field(repr=False)
    place: Place
    written: str = ""
    secret: bool = False
    broken: bool = False
    text_at: Place | None = None
    keys: Mapping[str, Place] = field(default_factory=dict)

    @property
    def items(self) -> Mapping[str, Element]:
        """The entries of a mapping; none for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def elements(self) -> Sequence[Element]:
        """The elements of a sequence; none for anything else."""
        return self.value if isinstance(self.value, tuple) else ()

    def plain(self) -> Any:
        """The value without places: dict, list, str, int, float, bool or None."""
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        if isinstance(self.value, tuple):
            return [item.plain() for item in self.value]
        return self.value

    def without(self, *names: str) -> Element:
        """The mapping without these keys."""
        return replace(self, value={key: item for key, item in self.items.items() if key not in names})

    def child(self, part: str | int) -> Element | None:
        """The entry of this key or index, if there is one."""
        if isinstance(part, int):
            return self.elements[part] if part < len(self.elements) else None
        return self.items.get(part)

    def walk(self) -> Iterator[Element]:
        """This element and all below it."""
        yield self
        for item in [*self.items.values(), *self.elements]:
            yield from item.walk()


def kind_of(element: Element) -> str:
    """What an element is, in the words of an error."""
    value = element.value
    names = {dict: "a mapping", tuple: "a list", str: "text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")


def parse_yaml(text: str, file: str, report: Report) -> Element:
    """The tree of a file. Duplicate keys and odd tags are reported; what cannot be read at all is an empty mapping."""
    empty = Element({}, Place(file, 1, 1))
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as why:
        report(_syntax(why, text, file))
        return replace(empty, broken=True)
    except yaml.YAMLError as why:  # a character that YAML does not allow
        report(ConfigError(f"this is no YAML: {str(why).splitlines()[0]}", file=file, line=1, column=1))
        return replace(empty, broken=True)
    if node is None:
        return empty
    return _Reader(text, file, report).element(node)


def _syntax(why: yaml.MarkedYAMLError, text: str, file: str) -> ConfigError:
    mark = why.problem_mark or why.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.splitlines()
    here = lines[line] if line < len(lines) else ""
    hint = ""
    if re.search(r"[:,\[]\s*\$\{", here):
        hint = 'write "${…}" in quotes where it stands within { } or [ ]'
    elif "\t" in here[: len(here) - len(here.lstrip())]:
        hint = "indent with spaces: YAML takes no tabs"
    problem = " ".join(part for part in (why.context, why.problem) if part)
    return ConfigError(f"this is no YAML: {problem}", file=file, line=line + 1, column=column + 1, hint=hint)


class _Reader:
    """Turns PyYAML's nodes into elements."""

    def __init__(self, text: str, file: str, report: Report) -> None:
        self._lines, self._file, self._report = text.splitlines(), file, report
        self._count = 0
        self._open: set[int] = set()

    def element(self, node: yaml.Node) -> Element:
        self._count += 1
        place = self._place(node)
        if self._count > MAX_ELEMENTS or id(node) in self._open:
            if self._count <= MAX_ELEMENTS + 1:
                self._report(place.error("aliases make this file endless or far too large"))
            return Element(None, place, broken=True)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, place)
            if isinstance(node, yaml.SequenceNode):
                return Element(tuple(self.element(item) for item in node.value), place)
            assert isinstance(node, yaml.ScalarNode), "there is no other kind of node"
            return self._scalar(node, place)
        finally:
            self._open.discard(id(node))

    def _place(self, node: yaml.Node) -> Place:
        return Place(self._file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> Element:
        items: dict[str, Element] = {}
        keys: dict[str, Place] = {}
        merged: list[Element] = []
        for key_node, value_node in node.value:
            at = self._place(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self._report(at.error("a key must be a name", 'write text that holds { or [ in quotes, such as "${…}"'))
                continue
            key, value = key_node.value, self.element(value_node)
            if key == "<<" and key_node.style is None:
                merged += value.elements or [value]
            elif key in items:
                first = keys[key]
                self._report(at.error(f"{key} stands here twice", f"the first is in line {first.line}"))
            else:
                items[key], keys[key] = value, at
        for base in merged:
            for key, value in base.items.items():
                items.setdefault(key, value)
                keys.setdefault(key, base.keys[key])
        return Element(items, place, keys=keys)

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> Element:
        odd = node.tag not in ("tag:yaml.org,2002:str", "!")
        if odd:
            self._report(place.error(f"the tag {node.tag} is not known", "write the value without a tag"))
        value = scalar(node.value) if node.style is None else node.value
        return Element(value, place, written=node.value, broken=odd, text_at=self._text_at(node, place))

    def _text_at(self, node: yaml.ScalarNode, place: Place) -> Place | None:
        """Where the text itself begins; None where its lines are joined, so that no line in it can be pointed at."""
        if node.style == "|":
            rows = self._lines[place.line :]
            blank = next((i for i, row in enumerate(rows) if row.strip()), 0)
            indent = len(rows[blank]) - len(rows[blank].lstrip()) if rows else 0
            return Place(self._file, place.line + 1, indent + 1)
        if node.style == ">" or node.end_mark.line != node.start_mark.line:
            return None
        return Place(self._file, place.line, place.column + (1 if node.style else 0))


_INT = re.compile(r"[-+]?[0-9]{1,400}|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {"": None, "~": None, ".inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}
for _word, _meant in (("null", None), ("true", True), ("false", False)):
    _WORDS |= {_word: _meant, _word.title(): _meant, _word.upper(): _meant}


def scalar(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar after the YAML 1.2 core schema.

    >>> [scalar(text) for text in ("8080", "0x1F", "1.5", "true", "yes", "~", "12:30")]
    [8080, 31, 1.5, True, 'yes', None, '12:30']
    """
    if text in _WORDS:
        return _WORDS[text]  # type: ignore[no-any-return]
    if _INT.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
