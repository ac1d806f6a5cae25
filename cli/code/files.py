"""The files of an installation: YAML that says the same when it is read again, and errors at their place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import yaml

from ...config.errors import nearest
from ...config.tree import Element, parse_yaml, scalar
from ...plugins import ConfigError

T = TypeVar("T", bound=msgspec.Struct)
MOST_BYTES: Final = 1 << 20  # of a file of YAML
LONGEST_NAME: Final = 80  # characters of a file's name, which is made of what somebody called the thing
_FOLDED: Final = re.compile("[\r\x85\u2028\u2029]")
"""Ends of lines that YAML reads as others, unless they are escaped."""
_STEP: Final = re.compile(r"\.([^.\[\]`]+)|\[(\d+)\]")


class _Dumper(yaml.SafeDumper):
    """Writes texts so that YAML 1.1 and the core schema of YAML 1.2 both read them as texts."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "'" if not isinstance(scalar(text), str) else None
    if "\n" in text:
        style = "|"
    if _FOLDED.search(text):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def to_yaml(value: Any) -> str:
    """The value as a file has it: keys in their order, texts of several lines as blocks."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def said(value: Any) -> Any:
    """A form as plain values, without what says no more than its default."""
    if isinstance(value, msgspec.Struct):
        return {
            field.encode_name: said(own)
            for field in msgspec.structs.fields(value)
            if not _is_default(own := getattr(value, field.name), field)
        }
    if isinstance(value, list | tuple):
        return [said(item) for item in value]
    if isinstance(value, dict):
        return {key: said(item) for key, item in value.items()}
    return value


def _is_default(value: Any, field: msgspec.structs.FieldInfo) -> bool:
    if field.default_factory is not msgspec.NODEFAULT:
        return bool(value == field.default_factory())
    if field.default is msgspec.NODEFAULT:
        return False
    if isinstance(value, list | tuple) and isinstance(field.default, list | tuple):
        return list(value) == list(field.default)
    return bool(value == field.default)


def read_yaml(path: Path, errors: list[ConfigError]) -> Element | None:
    """The tree of a file; None where it cannot be read, which is among the errors then."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        text = data.decode("utf-8")
    except OSError as why:
        errors.append(ConfigError(f"cannot be read: {why.strerror}", file=str(path)))
        return None
    except UnicodeDecodeError:
        errors.append(ConfigError("is not UTF-8 text", file=str(path)))
        return None
    if len(data) > MOST_BYTES:
        errors.append(ConfigError(f"is too large; use at most {MOST_BYTES:,} bytes", file=str(path)))
        return None
    before = len(errors)
    element = parse_yaml(text, str(path), errors.append)
    return None if len(errors) > before else element


def of_file(form: type[T], element: Element) -> T:
    """What a file says, which has the form.

    :raises ConfigError: it has not; at the place within the file
    """
    try:
        return msgspec.convert(element.plain(), form)
    except msgspec.ValidationError as why:
        message, _, where = str(why).partition(" - at `$")
    at, dotted = found_at(element, [int(index) if index else name for name, index in _STEP.findall(where)])
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", message, re.DOTALL)
    if unknown:
        known = [field.encode_name for field in msgspec.structs.fields(form)] if at is element else []
        path = f"{dotted}.{unknown[1]}" if dotted else unknown[1]
        raise at.keys[unknown[1]].error(f"{path}: there is no such field", nearest(unknown[1], known))
    raise at.place.error(f"{dotted}: {message}" if dotted else message)


def found_at(element: Element, steps: Iterable[str | int]) -> tuple[Element, str]:
    """What stands at these steps, as far as the file has them, and the steps as people write them."""
    dotted = ""
    for step in steps:
        dotted += f"[{step}]" if isinstance(step, int) else f".{step}" if dotted else step
        child = element.child(step)
        if child is None:
            break
        element = child
    return element, dotted


def file_names(titles: list[str]) -> Iterator[str]:
    """A name for a file for each title, in order, without an ending; no two differ by case alone."""
    taken: set[str] = set()
    for title in titles:
        plain = unicodedata.normalize("NFC", title)
        stem = re.sub(r"[^\w.-]+", "-", plain).strip("-.")[:LONGEST_NAME] or "unnamed"
        name, number = stem, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        yield name
