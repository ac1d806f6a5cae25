"""Sections as the file says them, to be kept with code: `${NAME}` stays, and a secret in clear becomes one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, SecretBytes, SecretStr

from .tree import Element
from .validate import masked_url, sensitive

PLUGINS: Final = ("detectors", "notifiers")
"""Sections of plugins, whose settings may hold secrets."""
PLAIN: Final = ("rotas", "routes", "maintenance", "reports", "recordings")
_REFERENCE: Final = re.compile(r"\$\{[^}]*\}")
_DEFAULT: Final = re.compile(r":-[^}]*\}")


@dataclass(frozen=True, slots=True)
class Written:
    """What `detectors:`, `notifiers:`, `rotas:`, `routes:`, `maintenance:`, `reports:`, `recordings:` and `store:` say.

    `in_clear`: settings whose secret stands in the file itself; in `sections` each is a `${NAME}` made from its path.
    """

    sections: Mapping[str, Mapping[str, Any]]
    in_clear: tuple[str, ...] = ()


def written(sections: Mapping[str, Element], settings: Mapping[str, Mapping[str, BaseModel]]) -> Written:
    """The sections that are kept with code; `settings` has those of each plugin by section and name.

    What lies where is the node's own and left out: sources, pipelines, outputs, and the places of the store.
    """
    found: dict[str, Any] = {}
    writer = _Writer()
    for name in PLUGINS:
        entries = sections[name].items if name in sections else {}
        made = {key: writer.value(item, settings[name].get(key), (name, key)) for key, item in entries.items()}
        found |= {name: made} if made else {}
    for name in PLAIN:
        if name in sections and sections[name].items:
            found[name] = writer.plain(sections[name])
    store = writer.plain(sections["store"].without("place", "places")) if "store" in sections else {}
    return Written(found | ({"store": store} if store else {}), tuple(writer.in_clear))


class _Writer:
    def __init__(self) -> None:
        self.in_clear: list[str] = []

    def value(self, element: Element, setting: Any, path: tuple[str, ...]) -> Any:
        """The value of a plugin's setting; whatever is or may be a secret is a reference."""
        if isinstance(element.value, dict):
            inner = _named(setting)
            return {key: self.value(item, inner.get(key), (*path, key)) for key, item in element.items.items()}
        if isinstance(element.value, tuple):
            own = setting if isinstance(setting, list | tuple) and len(setting) == len(element.elements) else None
            return [
                self.value(item, own[i] if own else None, (*path, str(i))) for i, item in enumerate(element.elements)
            ]
        secret = isinstance(setting, SecretStr | SecretBytes) or sensitive(path[-1])
        text = _text(element)
        if not isinstance(text, str) or (secret and _REFERENCE.fullmatch(text) and element.secret):
            return text
        if not secret and masked_url(text) == text:
            return text
        self.in_clear.append(".".join(path))
        return f"${{{re.sub(r'[^A-Za-z0-9]+', '_', '_'.join(path)).upper()}}}"

    def plain(self, element: Element) -> Any:
        """The value of what holds no secret but by reference."""
        if isinstance(element.value, dict):
            return {key: self.plain(item) for key, item in element.items.items()}
        if isinstance(element.value, tuple):
            return [self.plain(item) for item in element.elements]
        return _text(element)


def _named(setting: Any) -> Mapping[str, Any]:
    """The settings below this one, by the names that the file uses."""
    if isinstance(setting, BaseModel):
        fields = type(setting).model_fields
        return {field.alias or name: getattr(setting, name) for name, field in fields.items()}
    return setting if isinstance(setting, dict) else {}


def _text(element: Element) -> Any:
    """A scalar as a file has it that says the same; `${NAME:-default}` without its default, which may be a secret."""
    if element.secret:
        return _DEFAULT.sub("}", element.written)
    return element.value.replace("${", "$${") if isinstance(element.value, str) else element.value
